"""Ranks: who is muted, who is what, and who was let into which room."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from chat.log.operations import Ordered, Told
from chat.log.powers import Powers
from chat.rules.access import Role, Verb, outranks
from chat.wire.codes import Refusal


@dataclass(frozen=True, slots=True)
class Mute(Ordered):
    """Somebody may not write until then; 0: they may."""

    verb: ClassVar = Verb.MODERATE
    user: str
    until: int
    reason: str = ""

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("mute", self.user, detail=f"{self.until} {self.reason}".strip()),)


@dataclass(frozen=True, slots=True)
class Appoint(Ordered):
    """Somebody is this from now on."""

    verb: ClassVar = Verb.MANAGE
    user: str
    role: Role

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("role", self.user, detail=self.role.value),)


@dataclass(frozen=True, slots=True)
class Admit(Ordered):
    """Somebody is let into a room, or not any more."""

    verb: ClassVar = Verb.GOVERN
    user: str
    room: str
    on: bool

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("member", self.user, self.room, "on" if self.on else "off"),)


class Ranks:
    """The roles of `users` and the table of members, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection, powers: Powers) -> None:
        self._db = db
        self._powers = powers

    @property
    def orders(self) -> dict[type[Ordered], Callable[[Any], None]]:
        """Which method carries out which order."""
        return {Mute: self._mute, Appoint: self._appoint, Admit: self._admit}

    def _mute(self, op: Mute) -> None:
        was = self._acts_on(op.author, op.user)
        if was is Role.OWNER and op.until > op.at:
            self._powers.spare(op.user, op.at)
        self._db.execute("UPDATE users SET muted = ? WHERE id = ?", (op.until, op.user))

    def _appoint(self, op: Appoint) -> None:
        was = self._acts_on(op.author, op.user)
        if was is Role.BOT or op.role in (Role.BOT, Role.STRANGER, Role.MUTED, Role.BANNED):
            raise Refusal("bad_order")
        if was is Role.OWNER and op.role is not Role.OWNER:
            self._powers.spare(op.user, op.at)
        self._db.execute("UPDATE users SET role = ? WHERE id = ?", (op.role.value, op.user))

    def _admit(self, op: Admit) -> None:
        self._powers.role(op.user)
        if not self._powers.enters(op.author, op.room, op.at):
            raise Refusal("bad_room")
        if not op.on and op.user != op.author:
            self._acts_on(op.author, op.user)
        if op.on:
            sql = "INSERT OR IGNORE INTO members (room, person) VALUES (?, ?)"
        else:
            sql = "DELETE FROM members WHERE room = ? AND person = ?"
        self._db.execute(sql, (op.room, op.user))

    def _acts_on(self, author: str, user: str) -> Role:
        """What they are who is acted on. Raises Refusal."""
        role = self._powers.role(user)
        if not outranks(self._powers.role(author), role):
            raise Refusal("not_allowed")
        return role
