"""Bans: who is kept out and from where, and the orders that remove what was written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from chat.log.operations import Ordered, Told
from chat.log.powers import Powers
from chat.log.wiping import Wiping
from chat.rules.access import Verb, outranks
from chat.wire.codes import Refusal


class Outcast(NamedTuple):
    """Somebody who is kept out; `name` is what they are called, and the networks are those they
    came from, of which nobody new is let in."""

    person: str
    name: str
    networks: tuple[str, ...] = ()


class Kept(NamedTuple):
    """A ban: its id, whose it is, from where, and until when."""

    id: int
    person: str
    networks: tuple[str, ...]
    until: int


@dataclass(frozen=True, slots=True)
class Ban(Ordered):
    """These people are kept out until then; what they wrote `since` goes (0: ever)."""

    verb: ClassVar = Verb.MODERATE
    people: tuple[Outcast, ...]
    until: int
    since: int | None
    reason: str

    @property
    def told(self) -> tuple[Told, ...]:
        return tuple(
            Told("ban", who.person, None, f"{self.until} {self.reason}".strip(), who.name)
            for who in self.people
        )


@dataclass(frozen=True, slots=True)
class Unban(Ordered):
    """This ban is lifted; `person` is whose it was."""

    verb: ClassVar = Verb.MODERATE
    id: int
    person: str
    name: str

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("unban", self.person, about=self.name),)


@dataclass(frozen=True, slots=True)
class Wipe(Ordered):
    """What somebody wrote since then goes."""

    verb: ClassVar = Verb.MODERATE
    person: str
    name: str
    since: int

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("wipe", self.person, None, str(self.since), self.name),)


@dataclass(frozen=True, slots=True)
class RemoveRoom(Ordered):
    """This room is emptied, and counts no more."""

    verb: ClassVar = Verb.MANAGE
    room: str

    @property
    def told(self) -> tuple[Told, ...]:
        return (Told("remove_room", room=self.room),)


def bans(db: sqlite3.Connection) -> list[Kept]:
    """All there are, also those that are over."""
    rows = db.execute("SELECT n, person, network, until FROM bans ORDER BY n")
    return [Kept(n, person, tuple(from_.split()), until) for n, person, from_, until in rows]


class Bans:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection, powers: Powers, wiping: Wiping) -> None:
        self._db = db
        self._powers = powers
        self._wiping = wiping

    @property
    def orders(self) -> dict[type[Ordered], Callable[[Any], Any]]:
        """Which method carries out which order."""
        return {
            Ban: self._ban,
            Unban: self._unban,
            Wipe: self._wipe,
            RemoveRoom: self._remove_room,
        }

    def _ban(self, op: Ban) -> list[Kept]:
        """The bans, with ids that follow one another."""
        if op.until <= op.at:
            raise Refusal("bad_order")
        for who in op.people:
            self._acts_on(op, who.person)
            self._db.execute("DELETE FROM bans WHERE person = ?", (who.person,))
        if op.since is not None:
            self._wiping.wipe([who.person for who in op.people], op.since, op.at)
        return [self._keep(op, who) for who in op.people]

    def _keep(self, op: Ban, who: Outcast) -> Kept:
        cursor = self._db.execute(
            "INSERT INTO bans (person, name, network, until, by, at, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(who.person, who.name, " ".join(who.networks), op.until),
                *(op.author, op.at, op.reason),
            ),
        )
        return Kept(cursor.lastrowid or 0, who.person, who.networks, op.until)

    def _unban(self, op: Unban) -> None:
        self._db.execute("DELETE FROM bans WHERE n = ?", (op.id,))

    def _wipe(self, op: Wipe) -> None:
        if op.person != op.author:
            self._acts_on(op, op.person)
        self._wiping.wipe([op.person], op.since, op.at)

    def _remove_room(self, op: RemoveRoom) -> None:
        (house,) = self._db.execute("SELECT value FROM meta WHERE key = 'house'").fetchone()
        if op.room == house:
            raise Refusal("bad_order", detail="The first room stays. Remove its messages instead.")
        if not self._wiping.clear(op.room):
            raise Refusal("bad_room")

    def _acts_on(self, op: Ordered, person: str) -> None:
        """Raises Refusal if that is not for the author to do. Nobody does it to themselves: so
        there always is an owner."""
        if person == op.author:
            raise Refusal("bad_order", detail="You cannot do that to yourself.")
        if not outranks(self._powers.facts(op.author).role, self._powers.facts(person).role):
            raise Refusal("not_allowed")
