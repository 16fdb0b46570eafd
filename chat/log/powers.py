"""Powers: what everybody may do, as the tables say it. The writer asks here, in its transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from chat.rules.access import Answer, Facts, Role, Verb, demand
from chat.wire.codes import Refusal

STRANGER = Facts(Role.STRANGER)


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


class Powers:
    """The tables, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

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
        """Whether somebody may do this. Raises Refusal, which says why not."""
        return demand(self.facts(person), verb, now)

    def role(self, person: str) -> Role:
        """What somebody with a name is here, muted or not. Raises Refusal bad_order."""
        role = self.facts(person).role
        if role is Role.STRANGER:
            raise Refusal("bad_order")
        return role
