"""Users: the people who hold a name, inside the transaction of the writer."""

from __future__ import annotations

import sqlite3

from chat.log.devices import Devices
from chat.log.operations import Forget, Free, Hold, Saw
from chat.log.reads import Reads
from chat.wire.codes import Refusal

ENTERED, SPOKE = 1, 2  # stages of a person: was in a room, said something; 0: only took a name
SPEAKERS = 10_000  # authors remembered


class Users:
    """The table. What is kept of a person's reading goes with them, and their devices do."""

    def __init__(self, db: sqlite3.Connection, reads: Reads, devices: Devices) -> None:
        self._db = db
        self._reads = reads
        self._devices = devices
        self._spoke: set[str] = set()  # authors whose stage is known to be SPOKE

    def hold(self, op: Hold) -> None:
        """Store a new person or a new name."""
        user = op.user
        if op.instead_of is not None:
            self._may_lose(op.instead_of)
            self.free(Free(op.instead_of, user.seen))
        self._db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen, made, stage)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, skeleton = excluded.skeleton,"
            " seen = excluded.seen",
            (user.id, user.name, user.skeleton, user.color, user.seen),
        )
        if op.device is not None:
            self._devices.add(op.device)

    def _may_lose(self, id: str) -> None:
        """Whether it is a name that is given away at all, also if that has just changed."""
        sql = "SELECT 1 FROM users WHERE id = ? AND role NOT IN ('member', 'guest')"
        if self._db.execute(sql, (id,)).fetchone():
            raise Refusal("name_taken")

    def saw(self, op: Saw) -> None:
        """Note when a person was here, and that they came in."""
        self._db.execute(
            "UPDATE users SET seen = max(seen, ?), stage = max(stage, ?) WHERE id = ?",
            (op.at, ENTERED if op.entered else 0, op.id),
        )

    def free(self, op: Free) -> None:
        """The person's name is free again, and nothing is kept of what they read."""
        self._db.execute("UPDATE users SET skeleton = NULL, gone = ? WHERE id = ?", (op.at, op.id))
        self._devices.end_all(op.id, op.at)
        self._reads.forget(op.id)

    def forget(self, op: Forget) -> list[str]:
        """Delete the people who made nothing of their name, some hundred at a time; their ids."""
        rows = self._db.execute(
            "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE skeleton IS NOT NULL AND"
            " (stage = 0 AND seen < ? OR stage = 1 AND seen < ?)"
            " AND role IN ('member', 'guest') AND id NOT IN (SELECT person FROM bans)"
            " LIMIT 500) RETURNING id",
            (op.unused, op.silent),
        )
        gone = [id for (id,) in rows.fetchall()]
        for id in gone:
            self._devices.forget(id)
            self._reads.forget(id)
        return gone

    def speaks(self, author: str) -> None:
        """Somebody says something: who spoke is not forgotten. Written once since the start."""
        if author in self._spoke:
            return
        if len(self._spoke) >= SPEAKERS:
            self._spoke.clear()
        self._spoke.add(author)
        self._db.execute("UPDATE users SET stage = ? WHERE id = ?", (SPOKE, author))

    def undo(self) -> None:
        """Something of the transaction was undone."""
        self._spoke.clear()
