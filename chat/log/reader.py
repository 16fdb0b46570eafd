"""What is read: what was missed, and parts of the history. Runs on the reader's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from chat.log.things import IN_ROOM, PAGE, ROW, Rows, User, head_of, saved_of
from chat.rules.names import COLORS
from chat.wire.frames import Saved
from chat.wire.protocol import DAMAGED, UNSET, Message, Settings

_STANDS = "rev, (SELECT max(rev) FROM things WHERE room = rooms.id AND rev > 0)"
_MESSAGES = f"SELECT {ROW} FROM things WHERE {IN_ROOM} AND kind = 'message'"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the history: `kind` is before, after, around (an id), since (a rev) or ids.

    `quoted`: with what its messages answer; `files`: only messages that have files (of before).
    """

    kind: str
    at: int
    limit: int
    ids: Sequence[int] = ()
    quoted: bool = False
    files: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Messages by growing id and the reactions to them, or all that changed since a rev; the rev
    at which they are so, and whether there are more in that direction.

    `quoted` are messages that are answered by these and are not among them.
    """

    changes: list[Saved]
    head: int
    more: bool
    quoted: list[Saved] = field(default_factory=list)


def standings(db: sqlite3.Connection) -> dict[str, tuple[int, int, Settings]]:
    """Every room: its rev, its floor and its settings."""
    rows = db.execute(f"SELECT name, {_STANDS}, floor FROM rooms")
    stand = {name: (head_of(rev, newest), floor, UNSET) for name, rev, newest, floor in rows}
    arranged = db.execute(
        f"SELECT {ROW}, (SELECT name FROM rooms WHERE rooms.id = room) FROM things"
        " WHERE kind = 'settings'"
    )
    for row in arranged:
        found = saved_of(row)
        change = found.change if found is not None else None
        settings = change if isinstance(change, Settings) else DAMAGED
        stand[row[-1]] = (*stand[row[-1]][:2], settings)
    return stand


def titles(db: sqlite3.Connection) -> dict[str, str]:
    """Every room and what it is called; not those that were removed."""
    return dict(db.execute("SELECT name, title FROM rooms WHERE NOT removed").fetchall())


def users(db: sqlite3.Connection) -> list[User]:
    """Everyone who holds a name."""
    rows = db.execute(
        "SELECT id, name, skeleton, color, seen, stage > 0 FROM users WHERE skeleton IS NOT NULL"
    )
    return [
        User(id, name, skeleton, color % COLORS, seen, bool(entered))
        for id, name, skeleton, color, seen, entered in rows
    ]


def changed(db: sqlite3.Connection, room: str, after: int, upto: int, count: int) -> Rows:
    """What has after < rev <= upto, by growing rev."""
    sql = f"SELECT {ROW} FROM things WHERE {IN_ROOM} AND rev > ? AND rev <= ? ORDER BY rev LIMIT ?"
    with closing(db.execute(sql, (room, after, upto, count + 1))) as found:
        return _rows(found, count, PAGE)


def changed_last(db: sqlite3.Connection, room: str, count: int, size: int) -> Rows:
    """What changed last, by growing rev."""
    sql = f"SELECT {ROW} FROM things WHERE {IN_ROOM} AND rev > 0 ORDER BY rev DESC LIMIT ?"
    with closing(db.execute(sql, (room, count + 1))) as found:
        rows = _rows(found, count, size)
    rows.reverse()
    return rows


def page(db: sqlite3.Connection, room: str, asked: Asked) -> Page:
    """A part of the history, in one transaction: nothing in it is newer than its head."""
    db.execute("BEGIN")
    try:
        row = db.execute(f"SELECT {_STANDS} FROM rooms WHERE name = ?", (room,)).fetchone()
        head = head_of(*row) if row else 0
        rows = changed(db, room, asked.at, head, asked.limit) if asked.kind == "since" else None
        if rows is not None:
            return Page(list(rows), head, rows.more)
        rows = _messages(db, room, asked)
        quoted = _answered(db, room, rows) if asked.quoted else []
        return Page([*rows, *_reactions(db, room, rows)], head, rows.more, quoted)
    finally:
        db.execute("COMMIT")


def _messages(db: sqlite3.Connection, room: str, asked: Asked) -> Rows:
    if asked.kind == "ids":
        marks = ", ".join("?" * len(asked.ids))
        sql = f"{_MESSAGES} AND id IN ({marks}) ORDER BY id"
        return _rows(db.execute(sql, (room, *asked.ids)).fetchall(), asked.limit, PAGE)
    if asked.kind == "around":
        later = _after(db, room, asked.at - 1, asked.limit // 2, PAGE // 2)
        rows = _before(db, room, asked.at, asked.limit - len(later), PAGE // 2)
        return Rows([*rows, *later], rows.more)
    if asked.files:
        return _with_files(db, room, asked.at, asked.limit)
    part = _after if asked.kind == "after" else _before
    return part(db, room, asked.at, asked.limit, PAGE)


def _before(db: sqlite3.Connection, room: str, id: int, count: int, size: int) -> Rows:
    sql = f"{_MESSAGES} AND id < ? ORDER BY id DESC LIMIT ?"
    with closing(db.execute(sql, (room, id, count + 1))) as found:
        rows = _rows(found, count, size)
    rows.reverse()
    return rows


def _with_files(db: sqlite3.Connection, room: str, id: int, count: int) -> Rows:
    ids = (
        "SELECT DISTINCT message FROM files WHERE room = ? AND message < ?"
        " ORDER BY message DESC LIMIT ?"
    )
    sql = f"{_MESSAGES} AND id IN ({ids}) ORDER BY id DESC"
    with closing(db.execute(sql, (room, room, id, count + 1))) as found:
        rows = _rows(found, count, PAGE)
    rows.reverse()
    return rows


def _after(db: sqlite3.Connection, room: str, id: int, count: int, size: int) -> Rows:
    sql = f"{_MESSAGES} AND id > ? ORDER BY id LIMIT ?"
    with closing(db.execute(sql, (room, id, count + 1))) as found:
        return _rows(found, count, size)


def _answered(db: sqlite3.Connection, room: str, messages: Rows) -> list[Saved]:
    """What these messages answer, but for what is among them."""
    ids = {m.reply for saved in messages if isinstance(m := saved.change, Message) and m.reply}
    ids -= {saved.key[1] for saved in messages}
    marks = ", ".join("?" * len(ids))
    found = db.execute(f"{_MESSAGES} AND id IN ({marks})", (room, *ids))
    return [kept for row in found.fetchall() if (kept := saved_of(row)) is not None]


def _reactions(db: sqlite3.Connection, room: str, messages: Rows) -> list[Saved]:
    """The emoji below these messages."""
    ids = [message.key[1] for message in messages]
    marks = ", ".join("?" * len(ids))
    found = db.execute(
        f"SELECT {ROW} FROM things WHERE {IN_ROOM} AND kind = 'reaction' AND id IN ({marks})"
        " AND tomb IS NULL ORDER BY rev",
        (room, *ids),
    )
    return [kept for row in found.fetchall() if (kept := saved_of(row)) is not None]


def _rows(found: Iterable[Sequence[Any]], count: int, size: int) -> Rows:
    """As many as there may be, at least one, without those that cannot be read."""
    rows, left = Rows(), size
    for number, row in enumerate(found):
        kept = saved_of(row)
        left -= len(kept.body) if kept else 0
        if number == count or (left < 0 and rows):
            rows.more = True
            break
        if kept is not None:
            rows.append(kept)
    return rows
