"""Audit: what moderators and owners did, for moderators and owners to read; kept for a year."""

from __future__ import annotations

import sqlite3

from chat.log.operations import Told


class Audit:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def note(self, author: str, at: int, *told: Told) -> None:
        """This was done, in this transaction. Names are kept as they are now."""
        self._db.executemany(
            "INSERT INTO audit (at, by, name, what, person, about, room, detail)"
            " VALUES (?1, ?2, coalesce((SELECT name FROM users WHERE id = ?2), ''), ?3, ?4,"
            " coalesce((SELECT name FROM users WHERE id = ?4), ?7), ?5, ?6)",
            [(at, author, *deed) for deed in told],
        )

    def forget(self, before: int, count: int) -> int:
        """Forget some of what is older than this time; how many."""
        return self._db.execute(
            "DELETE FROM audit WHERE at < ? AND n IN (SELECT n FROM audit ORDER BY n LIMIT ?)",
            (before, count),
        ).rowcount
