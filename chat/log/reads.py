"""Reads: what each person has read in which room, and the settings they keep.

A row of `reads` also says that the room is in the person's list, in the order of its rows; it may
be one that nobody has spoken in yet, so it is named. How much is unread is never kept: it is
counted from the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chat.log.operations import Keep, Mark, Reached
from chat.log.things import IN_ROOM
from chat.rules.kept import ROOMS

TABLES = ("reads", "kept", "meant", "members")  # of which each row is a person's
UNREAD = 100  # messages that are counted: more are shown as 99+
# Messages that are looked at for that; whoever wrote more since they last read loses count.
LOOKED_AT = 5_000


@dataclass(frozen=True, slots=True)
class Count:
    """Messages by others above a mark, and those of them that are meant for the person."""

    unread: int = 0
    mentioned: int = 0


Stored = tuple[dict[str, int], dict[str, str]]


def stored(db: sqlite3.Connection, people: Sequence[str]) -> list[Stored]:
    """Each one's marks by room, in the order in which they first came there, and settings."""
    return [_stored(db, person) for person in people]


def _stored(db: sqlite3.Connection, person: str) -> Stored:
    marks = db.execute("SELECT room, id FROM reads WHERE person = ? ORDER BY n", (person,))
    kept = db.execute("SELECT key, value FROM kept WHERE person = ?", (person,))
    return dict(marks.fetchall()), dict(kept.fetchall())


def counts(db: sqlite3.Connection, marks: Sequence[Reached]) -> list[Count]:
    """What is unread above each of these."""
    return [Count(_unread(db, mark), _mentioned(db, mark)) for mark in marks]


def _unread(db: sqlite3.Connection, mark: Reached) -> int:
    (count,) = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM (SELECT author FROM things"
        f" WHERE {IN_ROOM} AND kind = 'message' AND id > ? ORDER BY id LIMIT {LOOKED_AT})"
        f" WHERE author != ? LIMIT {UNREAD})",
        (mark.room, mark.id, mark.person),
    ).fetchone()
    return int(count)


def _mentioned(db: sqlite3.Connection, mark: Reached) -> int:
    (count,) = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM meant WHERE person = ? AND {IN_ROOM} AND id > ?"
        f" LIMIT {UNREAD})",
        (mark.person, mark.room, mark.id),
    ).fetchone()
    return int(count)


def forget_gone(db: sqlite3.Connection) -> None:
    """Whoever holds no name has read nothing; nor has anybody in a file of an older version."""
    for table in TABLES:
        with suppress(sqlite3.OperationalError):
            db.execute(
                f"DELETE FROM {table}"
                " WHERE person NOT IN (SELECT id FROM users WHERE skeleton IS NOT NULL)"
            )


class Reads:
    """The tables, inside the transaction of the writer. Only who holds a name has rows."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def mark_all(self, op: Mark) -> None:
        """How far some people have read by now."""
        for reached in op.reached:
            self.mark(reached)

    def keep_all(self, op: Keep) -> None:
        """Settings of a person."""
        for key, value in op.values.items():
            self.keep(op.person, key, value)

    def mark(self, reached: Reached) -> None:
        """Move a mark; without an id the room leaves the list."""
        person, room, id = reached
        if id is None:
            self._db.execute("DELETE FROM reads WHERE person = ? AND room = ?", (person, room))
        else:
            self._db.execute(
                "INSERT INTO reads (person, room, id) SELECT id, ?, ? FROM users"
                " WHERE id = ? AND skeleton IS NOT NULL"
                " ON CONFLICT (person, room) DO UPDATE SET id = excluded.id",
                (room, id, person),
            )

    def call(self, person: str, room: str, id: int) -> None:
        """Somebody is meant by this message: the room is in their list from there on, if it was not
        and there is space. What is in a list is not pushed out of it by others."""
        self._db.execute(
            "INSERT INTO reads (person, room, id) SELECT id, ?, ? FROM users WHERE id = ?"
            " AND skeleton IS NOT NULL AND (SELECT count(*) FROM reads WHERE person = ?) < ?"
            " ON CONFLICT (person, room) DO NOTHING",
            (room, id - 1, person, person, ROOMS),
        )

    def let_in(self, room: str, people: Iterable[str]) -> list[str]:
        """A room becomes private: whoever has it in their list may stay, and these; who that is."""
        sql = (
            "INSERT OR IGNORE INTO members (room, person)"
            " SELECT ?1, id FROM users WHERE skeleton IS NOT NULL AND id"
        )
        self._db.execute(f"{sql} IN (SELECT person FROM reads WHERE room = ?1)", (room,))
        self._db.executemany(f"{sql} = ?2", [(room, person) for person in people])
        rows = self._db.execute("SELECT person FROM members WHERE room = ?", (room,))
        return [person for (person,) in rows.fetchall()]

    def keep(self, person: str, key: str, value: str) -> None:
        """A setting; an empty one is forgotten."""
        if not value:
            self._db.execute("DELETE FROM kept WHERE person = ? AND key = ?", (person, key))
        else:
            self._db.execute(
                "INSERT INTO kept (person, key, value) SELECT id, ?, ? FROM users"
                " WHERE id = ? AND skeleton IS NOT NULL"
                " ON CONFLICT (person, key) DO UPDATE SET value = excluded.value",
                (key, value, person),
            )

    def forget(self, person: str) -> None:
        """This person is no more."""
        for table in TABLES:
            self._db.execute(f"DELETE FROM {table} WHERE person = ?", (person,))
