"""Things as rows: what is kept of a change, the checksum that notices damage, and the table.

The table is append-only. A thing that changes is written anew at the end; the body of its old row
is overwritten in place with zeros, and the row stays as a shell without a key. So SQLite never
moves a row to make room, and no copy of a text is left behind in a page (bench/storage.py).
"""

from __future__ import annotations

import logging
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chat.wire.frames import Saved
from chat.wire.protocol import Change, Gone, Key, Message, Reaction, encode

log = logging.getLogger("chat.store")

PAGE = 64 * 1024  # bytes of one page of history; at least one change always
MOST = 2**52  # beyond every rev
LATEST = 253_402_300_800_000  # UTC milliseconds: the year 10000, which no date library knows

ROW = "room, kind, id, sub, rev, author, body, sum, at, n"
IN_ROOM = "room = (SELECT id FROM rooms WHERE name = ?)"


@dataclass(frozen=True, slots=True)
class User:
    """A person with a name. `seen` is in UTC milliseconds; `entered`: was in a room."""

    id: str
    name: str
    skeleton: str
    color: int
    seen: int
    entered: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which a person is signed in; its cookie says this id. Times are in UTC
    milliseconds, and `seen` is noted once a day."""

    id: str
    person: str
    label: str
    made: int
    seen: int


class Rows(list[Saved]):
    """Changes as they were read; `more`: the log has more of them in that direction."""

    __slots__ = ("more",)

    def __init__(self, changes: Iterable[Saved] = (), more: bool = False) -> None:
        super().__init__(changes)
        self.more = more


def checksum(room: int, key: Key, rev: int, body: bytes) -> int:
    """SQLite does not notice altered bytes inside a row, so each row carries a CRC-32 of what it
    says and of where it stands."""
    return zlib.crc32(body, zlib.crc32(f"{room} {key!r} {rev}".encode()))


def head_of(rev: int, newest: int | None) -> int:
    """The rev a room stands at: of its own row and of its newest change, which must be equal.

    Where they are not, one of them is damaged: the larger one never gives a rev twice, unless it
    is so large that it cannot be one.
    """
    return max((n for n in (rev, newest or 0) if 0 <= n < MOST), default=0)


def saved_of(row: Sequence[Any]) -> Saved | None:
    """A row as a change; a message whose checksum is wrong comes back as damaged, without its text.

    None for a damaged row of another kind: what it was about is not known any more.
    """
    room, kind, id, sub, rev, author, body, sum = row[:8]
    try:
        if checksum(room, (kind, id, sub), rev, body) == sum:
            return Saved(rev, (kind, id, sub), author, body)
    except (TypeError, UnicodeError):
        pass
    log.error("%s %r of room %r is damaged on disk", kind, id, room)
    whole = isinstance(rev, int) and isinstance(id, int) and 0 < id <= rev < MOST
    return saved(damaged(id, rev, row[8])) if whole and kind == "message" else None


def damaged(id: int, rev: int, at: object) -> Message:
    """What is left of a message that cannot be read: its place, and its time if that can be one."""
    when = at if isinstance(at, int) and 0 <= at < LATEST else 0
    return Message(rev, id, "", "", 0, when, "", damaged=True)


def saved(change: Change, author: str = "") -> Saved:
    """A change, encoded to be kept."""
    return Saved(change.rev, change.key, author, encode(change), change)


class Things:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.erased = False  # a text was taken out of it; the journal may still hold it

    def find(self, room: int, key: Key) -> tuple[int, Change | None]:
        """The number of its row (0 if there is none), and the newest state of a thing if it can be
        read."""
        row = self._db.execute(
            f"SELECT {ROW} FROM things WHERE room = ? AND kind = ? AND id = ? AND sub = ?",
            (room, *key),
        ).fetchone()
        found = row and saved_of(row)
        return row[-1] if row else 0, found.change if found else None

    def reactions(self, room: int, *ids: int) -> list[int]:
        """The rows of those below these messages, those taken back too."""
        marks = ", ".join("?" * len(ids))
        rows = self._db.execute(
            f"SELECT n FROM things WHERE room = ? AND kind = 'reaction' AND id IN ({marks})",
            (room, *ids),
        )
        return [n for (n,) in rows.fetchall()]

    def emoji(self, room: int, id: int) -> set[str]:
        """The different ones below a message; by their keys alone, for there may be thousands."""
        rows = self._db.execute(
            "SELECT DISTINCT substr(sub, instr(sub, ' ') + 1) FROM things"
            " WHERE room = ? AND kind = 'reaction' AND id = ? AND tomb IS NULL",
            (room, id),
        )
        return {emoji for (emoji,) in rows.fetchall()}

    def put(self, room: int, change: Change, author: str, at: int) -> Saved:
        """Write the state that a thing has from now on. Of what it was before, see `shed`."""
        new = saved(change, author)
        tomb = isinstance(change, Gone) or (isinstance(change, Reaction) and not change.on)
        sum = checksum(room, new.key, new.rev, new.body)
        self._db.execute(
            "INSERT INTO things (room, kind, id, sub, rev, at, author, body, sum, tomb)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (room, *new.key, new.rev, at, author, new.body, sum, tomb or None),
        )
        return new

    def shed(self, *rows: int) -> None:
        """Nothing is left of these rows but their place. Not their checksums either, which would
        give a short text away; and no DELETE, which would make SQLite move its neighbours."""
        self._db.executemany(
            "UPDATE things SET body = zeroblob(length(body)), kind = NULL, id = NULL, sub = NULL,"
            " rev = NULL, author = NULL, sum = NULL, tomb = NULL WHERE n = ?",
            [(n,) for n in rows],
        )
        self.erased = True

    def forget(self, before: int, count: int) -> int:
        """Let go of some of what only says that something is no more, was written before this time
        and lies below its room's floor, or nowhere in its room; how many."""
        rows = self._db.execute(
            "SELECT n FROM things WHERE tomb AND at < ? AND NOT EXISTS (SELECT 1 FROM rooms"
            " WHERE rooms.id = things.room AND things.rev > floor AND things.rev <= rooms.rev)"
            " ORDER BY at LIMIT ?",
            (before, count),
        ).fetchall()
        for (n,) in rows:
            self.shed(n)
        return len(rows)
