"""Powers: what everybody may do, as the tables say it. The writer asks here, in its transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import NamedTuple

from chat.log.heads import Heads
from chat.log.operations import Append, Lasting
from chat.log.things import Things
from chat.rules.access import Answer, Facts, Mode, Role, Verb, admitted, check_enter, demand, may
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER
from chat.wire.protocol import DAMAGED, UNSET, Settings

STRANGER = Facts(Role.STRANGER)
ANSWERS = 10_000  # answers remembered
WAITS = 10_000  # people remembered who wrote in slow rooms


def everybody(db: sqlite3.Connection) -> dict[str, Facts]:
    """The facts of all who are more or less than a member."""
    rooms: dict[str, set[str]] = {}
    for person, room in db.execute("SELECT person, room FROM members"):
        rooms.setdefault(person, set()).add(room)
    banned = dict(db.execute("SELECT person, until FROM bans").fetchall())
    rows = db.execute("SELECT id, role, muted FROM users WHERE skeleton IS NOT NULL")
    return {
        id: Facts(Role(role), muted, banned.get(id, 0), frozenset(rooms.get(id, ())))
        for id, role, muted in rows
        if role != Role.MEMBER.value or muted or id in rooms or id in banned
    }


def owned(db: sqlite3.Connection) -> bool:
    """Whether somebody is the owner."""
    sql = "SELECT 1 FROM users WHERE role = 'owner' AND skeleton IS NOT NULL"
    return db.execute(sql).fetchone() is not None


class Allowed(NamedTuple):
    """What somebody may do, what they are, and when it is to be asked anew."""

    answer: Answer
    role: Role
    until: int


class Powers:
    """The tables, inside the transaction of the writer.

    A command that is allowed once is allowed until something of it changes: `clear` forgets.
    """

    def __init__(self, db: sqlite3.Connection, heads: Heads, things: Things) -> None:
        self._db = db
        self._heads = heads
        self._things = things
        self._answers: dict[tuple[str, str, type[Lasting]], Allowed] = {}  # author, room, kind
        self._enters: dict[tuple[str, str], tuple[bool, int]] = {}
        self._said: dict[tuple[str, str], int] = {}  # when somebody last wrote in a slow room

    def ask(self, op: Lasting) -> Allowed:
        """What the author is, and may do in this room. Raises Refusal, which says why not."""
        known = self._answers.get((op.author, op.room, op.__class__))
        if known is None or op.at >= known.until:
            known = self._look(op)
        return known

    def _look(self, op: Lasting) -> Allowed:
        facts, settings = self.facts(op.author), self.settings(op.room)
        mode = Mode(settings.mode)
        check_enter(facts, op.room, settings, op.at)
        answer = demand(facts, op.verb, op.at, mode)
        slow = isinstance(op, Append) and mode is Mode.SLOW and not _governs(facts)
        if slow:
            self._pace(op, "" if facts.role is Role.STRANGER else op.author, settings.slow)
        if len(self._answers) >= ANSWERS:
            self._answers.clear()
        known = Allowed(answer, facts.role, op.at if slow else _lasts(facts, op.at))
        self._answers[op.author, op.room, op.__class__] = known
        return known

    def _pace(self, op: Lasting, author: str, slow: int) -> None:
        """One message in so many seconds; all strangers are one. Raises Refusal slow_down."""
        wait = self._said.get((op.room, author), 0) + slow * 1000 - op.at
        if wait > 0:
            raise Refusal("slow_down", wait)
        if len(self._said) >= WAITS:
            self._said.clear()
        self._said[op.room, author] = op.at

    def enters(self, person: str, room: str, now: int) -> bool:
        """Whether there is such a room for somebody."""
        known = self._enters.get((person, room))
        if known is None or now >= known[1]:
            facts = self.facts(person)
            known = admitted(facts, room, self.settings(room), now), _lasts(facts, now)
            if len(self._enters) >= ANSWERS:
                self._enters.clear()
            self._enters[person, room] = known
        return known[0]

    def settings(self, room: str) -> Settings:
        """How a room is; shut, if that cannot be read."""
        head = self._heads.of(room)
        n, found = self._things.find(head[0], UNSET.key) if head else (0, None)
        return found if isinstance(found, Settings) else DAMAGED if n else UNSET

    def facts(self, person: str) -> Facts:
        """What is known of somebody."""
        row = self._db.execute(
            "SELECT role, muted FROM users WHERE id = ? AND skeleton IS NOT NULL", (person,)
        ).fetchone()
        ban = self._db.execute("SELECT until FROM bans WHERE person = ?", (person,)).fetchone()
        banned = ban[0] if ban else 0
        if row is None:
            return replace(STRANGER, banned=banned)
        rooms = self._db.execute("SELECT room FROM members WHERE person = ?", (person,))
        return Facts(Role(row[0]), row[1], banned, frozenset(room for (room,) in rooms.fetchall()))

    def demand(self, person: str, verb: Verb, now: int) -> Answer:
        """Whether somebody may do this to people or the chat. Raises Refusal."""
        return demand(self.facts(person), verb, now)

    def role(self, person: str) -> Role:
        """What somebody with a name is here, muted or not. Raises Refusal bad_order."""
        role = self.facts(person).role
        if role is Role.STRANGER:
            raise Refusal("bad_order")
        return role

    def spare(self, owner: str, now: int) -> None:
        """Raise Refusal last_owner if nobody else is one who can act."""
        (others,) = self._db.execute(
            "SELECT count(*) FROM users WHERE role = 'owner' AND skeleton IS NOT NULL"
            " AND id != ? AND muted <= ?",
            (owner, now),
        ).fetchone()
        if not others:
            raise Refusal("last_owner")

    def clear(self) -> None:
        """Something of it has changed, or was undone."""
        self._answers.clear()
        self._enters.clear()

    def forget(self) -> None:
        """After a rollback: nobody has said anything in it."""
        self.clear()
        self._said.clear()


def _governs(facts: Facts) -> bool:
    return may(facts.role, Verb.GOVERN) is Answer.YES


def _lasts(facts: Facts, now: int) -> int:
    """Until when what follows from these facts is so."""
    return min((at for at in (facts.muted, facts.banned) if at > now), default=FOREVER)
