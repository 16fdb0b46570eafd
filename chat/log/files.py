"""Files: the rows of what was uploaded. Their bytes lie beside the database.

A row has no text of people: what a file is called and what it shows stands in the message it is of,
and goes with it. Until there is a message the file is unbound, and swept after a day.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from chat.log.operations import Append, Deposit, Sweep
from chat.log.things import IN_ROOM, ROW, saved_of
from chat.rules.filenames import clean
from chat.rules.text import description
from chat.wire.codes import FILES_LIMIT, Refusal
from chat.wire.protocol import Attachment, File, Message

SWEPT = 500  # files in one transaction


@dataclass(frozen=True, slots=True)
class Held:
    """A file of a living message: where it stands, as that calls it, and the SHA-256 of it."""

    room: str
    message: int
    file: File
    sha: bytes


def held(db: sqlite3.Connection, id: str) -> Held | None:
    """This file, if it is a message's."""
    row = db.execute("SELECT room, message, sha FROM files WHERE id = ?", (id,)).fetchone()
    if row is None or row[1] is None:
        return None
    found = db.execute(
        f"SELECT {ROW} FROM things WHERE {IN_ROOM} AND kind = 'message' AND id = ?", row[:2]
    ).fetchone()
    saved = found and saved_of(found)
    files = saved.change.files if saved and isinstance(saved.change, Message) else ()
    return next((Held(row[0], row[1], file, row[2]) for file in files if file.id == id), None)


def ids(db: sqlite3.Connection) -> set[str]:
    """Every file that has a row."""
    return {id for (id,) in db.execute("SELECT id FROM files")}


def used(db: sqlite3.Connection) -> dict[str, int]:
    """The bytes of everybody's files, also of those that are not sent yet."""
    return dict(db.execute("SELECT person, sum(size) FROM files GROUP BY person").fetchall())


class Files:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._dropped: list[str] = []

    def put(self, op: Deposit) -> None:
        """A file that is not a message's yet."""
        self._db.execute(
            "INSERT INTO files (id, room, person, type, size, width, height, sha, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (op.id, op.room, op.person, op.type, op.size, op.width, op.height, op.sha, op.at),
        )

    def bind(self, op: Append, message: int) -> tuple[File, ...]:
        """These are the files of this message from now on: its author's, uploaded for its room,
        and of no other one. Raises Refusal."""
        if len(op.files) > FILES_LIMIT:
            raise Refusal("too_many_files")
        return tuple(self._bind(op, message, file) for file in op.files)

    def _bind(self, op: Append, message: int, file: Attachment) -> File:
        name, about = clean(file.name), description(file.about)
        row = self._db.execute(
            "UPDATE files SET message = ? WHERE id = ? AND room = ? AND person = ?"
            " AND message IS NULL RETURNING type, size, width, height",
            (message, file.id, op.room, op.author),
        ).fetchone()
        if row is None:
            raise Refusal("no_file")
        type, size, width, height = row
        return File(file.id, name, type, size, width, height, about)

    def drop(self, room: str, *messages: int) -> None:
        """The files of these messages are no more."""
        marks = ", ".join("?" * len(messages))
        self._drop(f"room = ? AND message IN ({marks})", room, *messages)

    def sweep(self, op: Sweep) -> tuple[int, int]:
        """How many there were, and the bytes of them."""
        return self._drop(
            "id IN (SELECT id FROM files WHERE message IS NULL AND at < ? LIMIT ?)",
            *(op.before, SWEPT),
        )

    def _drop(self, which: str, *about: object) -> tuple[int, int]:
        sql = f"DELETE FROM files WHERE {which} RETURNING id, size"
        rows = self._db.execute(sql, about).fetchall()
        self._dropped += [id for id, _ in rows]
        return len(rows), sum(size for _, size in rows)

    def gone(self) -> list[str]:
        """Those that were dropped since this was last asked, and really are no more: a transaction
        may have been undone since. Asked after the commit; then their bytes go."""
        if not self._dropped:
            return []
        dropped, self._dropped = self._dropped, []
        there = "SELECT 1 FROM files WHERE id = ?"
        return [id for id in dropped if self._db.execute(there, (id,)).fetchone() is None]
