"""Hooks: the bots, and the hashes of the keys by which programs write as them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from chat.log.operations import Free, Ordered, Told
from chat.log.things import User
from chat.log.users import SPOKE, Users
from chat.rules.access import Role, Verb
from chat.wire.orders import FOREVER


class Key(NamedTuple):
    """A key that works: its id, whose it is, the room it writes in unless told otherwise, who made
    it, when, and when it was last used (0: never)."""

    id: int
    hash: bytes
    person: str
    room: str
    by: str
    made: int
    used: int


@dataclass(frozen=True, slots=True)
class MakeHook(Ordered):
    """A bot that may be in these rooms, first of all in the first, and the hash of its key."""

    verb: ClassVar = Verb.MANAGE
    bot: User
    rooms: Sequence[str]
    hash: bytes

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("hook", self.bot.id, detail=" ".join(self.rooms), about=self.bot.name),)


@dataclass(frozen=True, slots=True)
class EndHook(Ordered):
    """The key with this id is worth nothing any more, and its bot is no more."""

    verb: ClassVar = Verb.MANAGE
    id: int
    bot: str

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("revoke", self.bot, detail="hook"),)


def keys(db: sqlite3.Connection) -> list[Key]:
    """Every key that works."""
    rows = db.execute(
        "SELECT n, hash, person, room, by, tokens.made,"
        " CASE WHEN seen > users.made THEN seen ELSE 0 END"
        " FROM tokens JOIN users ON users.id = person AND users.skeleton IS NOT NULL"
        " WHERE kind = 'hook' ORDER BY n"
    )
    return [Key(*row) for row in rows]


class Hooks:
    """Their rows in the tables of tokens, people and members, inside the transaction of the
    writer."""

    def __init__(self, db: sqlite3.Connection, users: Users) -> None:
        self._db = db
        self._users = users

    @property
    def orders(self) -> dict[type[Ordered], Callable[[Any], Any]]:
        """Which method carries out which order."""
        return {MakeHook: self._make, EndHook: self._end}

    def _make(self, op: MakeHook) -> Key:
        bot = op.bot
        self._db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen, made, stage, role)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
            (bot.id, bot.name, bot.skeleton, bot.color, op.at, SPOKE, Role.BOT.value),
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO members (room, person) VALUES (?, ?)",
            [(room, bot.id) for room in op.rooms],
        )
        made = self._db.execute(
            "INSERT INTO tokens (hash, kind, room, role, person, by, made, until, uses)"
            " VALUES (?, 'hook', ?, 'bot', ?, ?, ?, ?, 0)",
            (op.hash, op.rooms[0], bot.id, op.author, op.at, FOREVER),
        )
        assert made.lastrowid is not None
        return Key(made.lastrowid, op.hash, bot.id, op.rooms[0], op.author, op.at, 0)

    def _end(self, op: EndHook) -> None:
        self._db.execute("DELETE FROM tokens WHERE n = ? AND kind = 'hook'", (op.id,))
        self._users.free(Free(op.bot, op.at))
