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

    def of(self, name: str) -> list[int] | None:
        """The id and the rev of a room; None for one that nobody has spoken in."""
        head = self._heads.get(name)
        if head is None:
            row = self._db.execute(
                "SELECT id, rev, (SELECT max(rev) FROM things WHERE room = rooms.id AND rev > 0)"
                " FROM rooms WHERE name = ?",
                (name,),
            ).fetchone()
            if row is not None:
                head = self._heads[name] = [row[0], head_of(row[1], row[2])]
        return head

    def make(self, name: str, title: str) -> list[int]:
        """A new room. The house has its place, whatever the others take.

        Raises Refusal too_many_rooms.
        """
        (house,) = self._db.execute("SELECT value FROM meta WHERE key = 'house'").fetchone()
        (count,) = self._db.execute(
            "SELECT count(*) FROM rooms WHERE name != ?", (house,)
        ).fetchone()
        if count >= self._max_rooms and name != house:
            raise Refusal("too_many_rooms")
        cursor = self._db.execute(
            "INSERT INTO rooms (name, rev, title) VALUES (?, 0, ?)", (name, title or name)
        )
        head = self._heads[name] = [cursor.lastrowid or 0, 0]
        self._before.append((name, None))
        return head

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

    def undo(self) -> None:
        """The write under way was undone: the rooms stand where they stood, or are no more."""
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
        self._moved.clear()
