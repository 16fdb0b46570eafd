"""Heads: where each room stands within the transaction; only here the next rev is given."""

from __future__ import annotations

import sqlite3

from chat.log.things import head_of
from chat.wire.codes import Refusal


class Heads:
    """Owns the rooms' revs of the transaction, and what they were before the write under way."""

    def __init__(self, db: sqlite3.Connection, max_rooms: int) -> None:
        self._db = db
        self._max_rooms = max_rooms
        self._heads: dict[str, list[int]] = {}  # room -> [its id, its rev]
        self._moved: set[str] = set()
        self._before: list[tuple[str, int | None]] = []  # revs before the write under way
        self._removed: set[str] = set()  # of those in _heads, the rooms that do not count
        self._marked: list[str] = []  # those that the write under way removed or brought back

    def of(self, name: str) -> list[int] | None:
        """The id and the rev of a room; None for one that nobody has spoken in."""
        head = self._heads.get(name)
        if head is None:
            row = self._db.execute(
                "SELECT id, rev, (SELECT max(rev) FROM things WHERE room = rooms.id AND rev > 0),"
                " removed FROM rooms WHERE name = ?",
                (name,),
            ).fetchone()
            if row is not None:
                head = self._heads[name] = [row[0], head_of(row[1], row[2])]
                if row[3]:
                    self._removed.add(name)
        return head

    def open(self, name: str, title: str) -> list[int]:
        """A room in which something is said: a new one, or one that was removed and begins again
        where it stood. The house has its place, whatever the others take.

        Raises Refusal too_many_rooms.
        """
        head = self.of(name)
        if head is not None and name not in self._removed:
            return head
        (house,) = self._db.execute("SELECT value FROM meta WHERE key = 'house'").fetchone()
        (count,) = self._db.execute(
            "SELECT count(*) FROM rooms WHERE name != ? AND NOT removed", (house,)
        ).fetchone()
        if count >= self._max_rooms and name != house:
            raise Refusal("too_many_rooms")
        if head is not None:
            sql = "UPDATE rooms SET removed = 0, title = ? WHERE id = ?"
            self._db.execute(sql, (title or name, head[0]))
            self._mark(name)
            return head
        cursor = self._db.execute(
            "INSERT INTO rooms (name, rev, title) VALUES (?, 0, ?)", (name, title or name)
        )
        head = self._heads[name] = [cursor.lastrowid or 0, 0]
        self._before.append((name, None))
        return head

    def remove(self, name: str) -> None:
        """This room does not count any more, until something is said in it."""
        if name not in self._removed:
            self._db.execute("UPDATE rooms SET removed = 1, title = name WHERE name = ?", (name,))
            self._mark(name)

    def _mark(self, name: str) -> None:
        self._removed ^= {name}
        self._marked.append(name)

    def next(self, name: str) -> int:
        """The rev for what is about to be written in this room."""
        head = self._heads[name]
        self._before.append((name, head[1]))
        head[1] += 1
        self._moved.add(name)
        return head[1]

    def begin(self) -> None:
        """The next write of the transaction begins."""
        self._before.clear()
        self._marked.clear()

    def undo(self) -> None:
        """The write under way was undone: the rooms stand where they stood, or are no more."""
        for name in self._marked:
            self._removed ^= {name}
        for name, rev in reversed(self._before):
            if rev is None:
                del self._heads[name]
                self._moved.discard(name)
            else:
                self._heads[name][1] = rev

    def save(self) -> None:
        """Write the revs of the rooms that moved, once a transaction."""
        for name in self._moved:
            number, rev = self._heads[name]
            self._db.execute("UPDATE rooms SET rev = ? WHERE id = ?", (rev, number))
        self._moved.clear()

    def forget(self) -> None:
        """After a rollback: read the revs from the table again, so that no hole is left."""
        self._heads.clear()
        self._removed.clear()
        self._moved.clear()
