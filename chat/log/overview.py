"""Overview: what those who look after the chat want to see of it, counted from the log.

Read over connections of its own, on threads, so that nobody who catches up waits for it.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from chat.datafolder import beside
from chat.log.database import JOURNALS, open_for_reading
from chat.log.reader import standings
from chat.log.things import ROW, saved_of
from chat.rules.names import PLAIN
from chat.rules.quota import server_limit
from chat.wire.protocol import Message, Settings

T = TypeVar("T")
P = ParamSpec("P")

LOOKED_AT = 50_000  # of the newest rows, for who came lately


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes: of files and of what was said, what all may take, and what is free on the disk. The
    last backup: when it was made (UTC milliseconds) and its size; 0: there is none."""

    files: int
    history: int
    limit: int
    free: int
    backup: int
    backup_size: int


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody who holds a name. Times are UTC milliseconds; 0: not muted, not banned."""

    user: str
    name: str
    role: str
    made: int
    seen: int
    muted: int
    banned: int
    messages: int
    size: int  # bytes of their files


@dataclass(frozen=True, slots=True)
class Place:
    """A room: in how many lists it is, and how many were let in."""

    room: str
    title: str
    settings: Settings
    messages: int
    size: int  # bytes of its messages and their files
    people: int
    members: int


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A ban; `by` is a name."""

    id: int
    user: str
    name: str
    networks: tuple[str, ...]
    until: int
    by: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """What a moderator did: `by` is their id, `name` what they were called, `what` the tag of the
    command, `user` and `about` to whom."""

    id: int
    at: int
    by: str
    name: str
    what: str
    user: str
    about: str
    room: str
    detail: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who came lately, or who wrote without a name (`plain`)."""

    user: str
    name: str
    at: int
    messages: int
    plain: bool


class Overview:
    """Reads the data folder; changes nothing."""

    def __init__(self, data: Path, limit: int | None) -> None:
        """`limit`: bytes that all files may take, as of the options."""
        self._data = data
        self._limit = limit

    async def space(self) -> Space:
        """What is taken and what is left, and the last backup."""
        return await self._read(_space, self._data, self._limit)

    async def people(self) -> list[Resident]:
        """Everybody, those seen last first."""
        return await self._read(_people)

    async def rooms(self) -> list[Place]:
        """Every room, the largest first; not those that were removed."""
        return await self._read(_rooms)

    async def bans(self, now: int) -> list[KeptOut]:
        """Those that last at this time, the newest first."""
        return await self._read(_bans, now)

    async def deeds(self, before: int, count: int) -> list[Done]:
        """What moderators did, the newest first; only what has a smaller id than `before`."""
        return await self._read(_deeds, before, count)

    async def newcomers(self, since: int, now: int) -> list[Newcomer]:
        """Who has come or written without a name since then, and is not kept out; those who wrote
        most first."""
        return await self._read(_newcomers, since, now)

    async def person(self, user: str) -> Resident | None:
        """One of the people, or one without a name or who has signed out, by their last message."""
        return await self._read(_person, user)

    async def _read(
        self, ask: Callable[Concatenate[sqlite3.Connection, P], T], *about: P.args, **more: P.kwargs
    ) -> T:
        def run() -> T:
            with closing(open_for_reading(self._data / "chat.db")) as db:
                return ask(db, *about, **more)

        return await asyncio.to_thread(run)


def _space(db: sqlite3.Connection, data: Path, limit: int | None) -> Space:
    (files,) = db.execute("SELECT total(size) FROM files").fetchone()
    history = sum(_size(beside(data / "chat.db", ending)) for ending in ("", *JOURNALS))
    disk = shutil.disk_usage(data)
    made = [path.stat() for path in (data / "backups").glob("*.db")]
    last = max(made, key=lambda stat: stat.st_mtime, default=None)
    return Space(
        *(int(files), history, server_limit(limit, disk.total), disk.free),
        *((int(last.st_mtime * 1000), last.st_size) if last else (0, 0)),
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


_RESIDENTS = (
    "SELECT id, name, role, made, seen, muted,"
    " coalesce((SELECT until FROM bans WHERE person = users.id), 0),"
    " coalesce((SELECT sum(size) FROM files WHERE person = users.id), 0)"
    " FROM users WHERE skeleton IS NOT NULL"
)


def _people(db: sqlite3.Connection) -> list[Resident]:
    written = dict(
        db.execute("SELECT author, count(*) FROM things WHERE kind = 'message' GROUP BY author")
    )
    rows = db.execute(f"{_RESIDENTS} ORDER BY seen DESC")
    return [_resident(row, written.get(row[0], 0)) for row in rows]


def _resident(row: tuple[Any, ...], messages: int) -> Resident:
    id, name, role, made, seen, muted, banned, size = row
    return Resident(id, name, role, made, seen, muted, banned, messages, size)


def _person(db: sqlite3.Connection, user: str) -> Resident | None:
    row = db.execute(f"{_RESIDENTS} AND id = ?", (user,)).fetchone()
    wrote = db.execute(
        f"SELECT {ROW}, count(*) FROM things WHERE kind = 'message' AND author = ? HAVING max(n)",
        (user,),
    ).fetchone()
    if row is not None:
        return _resident(row, wrote[-1] if wrote else 0)
    saved = saved_of(wrote) if wrote else None
    last = saved.change if saved else None
    if not isinstance(last, Message):
        return None
    return Resident(user, last.name, "stranger", 0, last.at, 0, 0, wrote[-1], 0)


def _rooms(db: sqlite3.Connection) -> list[Place]:
    said = {
        room: (count, size)
        for room, count, size in db.execute(
            "SELECT room, count(*), sum(length(body)) FROM things WHERE kind = 'message'"
            " GROUP BY room"
        )
    }
    files = dict(db.execute("SELECT room, sum(size) FROM files GROUP BY room"))
    lists = dict(db.execute("SELECT room, count(*) FROM reads GROUP BY room"))
    members = dict(db.execute("SELECT room, count(*) FROM members GROUP BY room"))
    settings = {name: stands[2] for name, stands in standings(db).items()}
    rows = db.execute("SELECT id, name, title FROM rooms WHERE NOT removed").fetchall()
    places = []
    for id, name, title in rows:
        count, size = said.get(id, (0, 0))
        size += files.get(name, 0)
        people = lists.get(name, 0), members.get(name, 0)
        places.append(Place(name, title or name, settings[name], count, size, *people))
    return sorted(places, key=lambda place: place.messages, reverse=True)


def _bans(db: sqlite3.Connection, now: int) -> list[KeptOut]:
    rows = db.execute(
        "SELECT n, person, name, network, until,"
        " coalesce((SELECT users.name FROM users WHERE users.id = by), ''), at, reason"
        " FROM bans WHERE until > ? ORDER BY n DESC",
        (now,),
    )
    return [
        KeptOut(id, user, name, tuple(networks.split()), until, by, at, reason)
        for id, user, name, networks, until, by, at, reason in rows
    ]


def _deeds(db: sqlite3.Connection, before: int, count: int) -> list[Done]:
    rows = db.execute(
        "SELECT n, at, by, name, what, coalesce(person, ''), coalesce(about, ''),"
        " coalesce(room, ''), coalesce(detail, '') FROM audit WHERE n < ? ORDER BY n DESC LIMIT ?",
        (before, count),
    )
    return [Done(*row) for row in rows]


def _newcomers(db: sqlite3.Connection, since: int, now: int) -> list[Newcomer]:
    rows = db.execute(
        f"SELECT * FROM (SELECT {ROW} FROM things ORDER BY n DESC LIMIT {LOOKED_AT})"
        " WHERE kind = 'message' AND at >= ?",
        (since,),
    )
    written: Counter[str] = Counter()
    nameless: dict[str, Message] = {}
    for row in rows:
        written[row[5]] += 1
        if str(row[5]).startswith(PLAIN) and row[5] not in nameless:
            saved = saved_of(row)
            if saved is not None and isinstance(saved.change, Message):
                nameless[row[5]] = saved.change
    out = {user for (user,) in db.execute("SELECT person FROM bans WHERE until > ?", (now,))}
    people = db.execute(
        "SELECT id, name, made FROM users WHERE skeleton IS NOT NULL AND made >= ?"
        " AND role IN ('member', 'guest')",
        (since,),
    )
    found = [Newcomer(id, name, at, written[id], False) for id, name, at in people.fetchall()]
    found += [Newcomer(id, m.name, m.at, written[id], True) for id, m in nameless.items()]
    left = [newcomer for newcomer in found if newcomer.user not in out]
    return sorted(left, key=lambda newcomer: newcomer.messages, reverse=True)
