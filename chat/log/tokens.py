"""Tokens: what lets somebody in, and who came by it. Lives on the writer thread.

Only hashes are kept. A token is used up in the transaction of what it allows, so of two who use the
last of it at the same moment one comes in. One that was used up or revoked stays for a while: a
backup from before must not bring it back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from chat.log.audit import Audit
from chat.log.devices import Devices
from chat.log.operations import Entrance, Hold, Ordered, Told
from chat.log.powers import Powers
from chat.log.things import Device
from chat.log.users import Users
from chat.rules.access import RANK, Answer, Facts, Role, Verb, effective, may, outranks
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER

DAY = 24 * 3600 * 1000  # milliseconds a device link that is over is kept
MONTH = 30 * DAY  # the same of an invite
OWNER, DEVICE, INVITE, HOOK = "owner", "device", "invite", "hook"


class Token(NamedTuple):
    """A token as it is kept. `person`: whose device it makes; `uses` 0: any number."""

    id: int
    kind: str
    room: str
    role: str
    person: str
    by: str
    made: int
    until: int
    uses: int
    used: int

    def works(self, now: int) -> bool:
        """Whether somebody may come by it."""
        used_up = 0 < self.uses <= self.used
        return self.kind != HOOK and now < self.until and not used_up


class Hashes(NamedTuple):
    """What is kept of a token and of its code."""

    token: bytes
    code: bytes


@dataclass(frozen=True, slots=True)
class MakeInvite(Ordered):
    """A link by which people come in, as this, and into this room."""

    verb: ClassVar = Verb.INVITE
    hashes: Hashes
    room: str
    role: Role
    until: int
    uses: int

    @property
    def told(self) -> Sequence[Told]:
        return (Told("invite", room=self.room or None, detail=self.role.value),)


@dataclass(frozen=True, slots=True)
class MakeReadmission(Ordered):
    """A device link for somebody who has lost every device."""

    verb: ClassVar = Verb.MODERATE
    hashes: Hashes
    user: str
    until: int

    @property
    def told(self) -> Sequence[Told]:
        return (Told("readmit", self.user),)


@dataclass(frozen=True, slots=True)
class Withdraw(Ordered):
    """The link with this id is worth nothing any more."""

    verb: ClassVar = Verb.INVITE
    id: int

    @property
    def told(self) -> Sequence[Told]:
        return (Told("revoke", detail=str(self.id)),)


@dataclass(frozen=True, slots=True)
class MakeHandover(Entrance):
    """A device link of one's own."""

    hashes: Hashes
    user: str
    until: int


@dataclass(frozen=True, slots=True)
class Enter(Entrance):
    """Somebody comes by a token: somebody new, or who is here; signed in on a new `device`, if
    this is one. `instead_of` is the device that this browser was until now. `owner`: the link in
    the data folder, if it is the one; it gets its row by being used."""

    key: bytes
    person: str
    hold: Hold | None = None
    device: Device | None = None
    instead_of: str = ""
    owner: Hashes | None = None


class Came(NamedTuple):
    """What came of it: whose token it was, and what its person is now."""

    token: Token
    role: Role
    rooms: frozenset[str]


class Tokens:
    """The tables of tokens and of who came by them, inside the transaction of the writer."""

    def __init__(
        self, db: sqlite3.Connection, powers: Powers, users: Users, devices: Devices, audit: Audit
    ) -> None:
        self._db = db
        self._powers = powers
        self._users = users
        self._devices = devices
        self._audit = audit

    @property
    def orders(self) -> dict[type[Ordered], Callable[[Any], Any]]:
        """Which method carries out which order."""
        return {MakeInvite: self._invite, MakeReadmission: self._readmit, Withdraw: self._withdraw}

    @property
    def entrances(self) -> dict[type[Entrance], Callable[[Any], Any]]:
        """Which method carries out what."""
        return {MakeHandover: self._hand_over, Enter: self._enter}

    def _invite(self, op: MakeInvite) -> int:
        if not outranks(self._powers.role(op.author), op.role):
            raise Refusal("not_allowed")
        if op.room and not self._powers.enters(op.author, op.room, op.at):
            raise Refusal("bad_room")
        fields = (INVITE, op.room, op.role.value, "", op.author, op.at, op.until, op.uses)
        return self._put(op.hashes, fields)

    def _readmit(self, op: MakeReadmission) -> int:
        """Whoever has it is that person, so it is made for who ranks below only."""
        role = self._powers.role(op.user)
        if role is Role.BOT:
            raise Refusal("bad_order")
        if not outranks(self._powers.role(op.author), role):
            raise Refusal("not_allowed")
        return self._device_link(op.hashes, op.user, op.author, op.at, op.until)

    def _hand_over(self, op: MakeHandover) -> int:
        self._powers.demand(op.user, Verb.ENTER, op.at)
        return self._device_link(op.hashes, op.user, op.user, op.at, op.until)

    def _device_link(self, hashes: Hashes, user: str, by: str, at: int, until: int) -> int:
        """A new one ends the one before it."""
        self._db.execute(
            "UPDATE tokens SET until = ?1 WHERE kind = 'device' AND person = ?2 AND until > ?1",
            (at, user),
        )
        return self._put(hashes, (DEVICE, "", "", user, by, at, until, 1))

    def _put(self, hashes: Hashes, fields: tuple[object, ...]) -> int:
        at = fields[5]
        self._db.execute(
            "DELETE FROM tokens WHERE until < ?1 - iif(kind = 'device', ?2, ?3)", (at, DAY, MONTH)
        )
        cursor = self._db.execute(
            "INSERT INTO tokens (hash, code, kind, room, role, person, by, made, until, uses)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*hashes, *fields),
        )
        return cursor.lastrowid or 0

    def _withdraw(self, op: Withdraw) -> None:
        (room,) = self._db.execute("SELECT max(room) FROM tokens WHERE n = ?", (op.id,)).fetchone()
        if room and not self._powers.enters(op.author, room, op.at):
            raise Refusal("bad_link")
        sql = "UPDATE tokens SET until = min(until, ?) WHERE n = ? AND kind = 'invite'"
        self._db.execute(sql, (op.at, op.id))

    def _enter(self, op: Enter) -> Came:
        token = self._token(op)
        if token is None or not meant(token, self._powers.facts, self._powers.enters, op.at):
            raise Refusal("bad_link")
        if token.kind == DEVICE and token.person != op.person:
            raise Refusal("bad_link")
        if op.hold is not None:
            self._users.hold(op.hold)
            self._users.speaks(op.person)  # who was invited is not forgotten for being silent
        elif op.device is not None:
            self._devices.add(op.device)
        if op.instead_of:
            self._devices.end(op.instead_of, op.at)
        facts = self._powers.facts(op.person)
        if effective(facts, op.at) is Role.BANNED:
            raise Refusal("banned", until=facts.banned)
        if facts.role is Role.STRANGER:  # signed out meanwhile
            raise Refusal("sign_in")
        role = _risen(facts.role, token, new=op.hold is not None)
        self._db.execute("UPDATE users SET role = ? WHERE id = ?", (role.value, op.person))
        if token.kind == OWNER:
            self._db.execute("UPDATE users SET muted = 0 WHERE id = ?", (op.person,))
            self._audit.note(op.person, op.at, Told("role", op.person, detail=role.value))
        if token.room:
            self._db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (token.room, op.person))
        came = (token.id, op.person, op.at)
        if not self._db.execute(_CAME, came[:2]).fetchone():  # to come again uses nothing up
            self._db.execute("UPDATE tokens SET used = used + 1 WHERE n = ?", (token.id,))
            self._db.execute("INSERT INTO came (token, person, at) VALUES (?, ?, ?)", came)
        return Came(token, role, facts.rooms | ({token.room} if token.room else set()))

    def _token(self, op: Enter) -> Token | None:
        if op.owner is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO tokens (hash, code, kind, by, made, until, uses)"
                " VALUES (?, ?, 'owner', '', ?, ?, 1)",
                (*op.owner, op.at, FOREVER),
            )
        return token_of(self._db, op.key)


def meant(
    token: Token, facts: Callable[[str], Facts], enters: Callable[[str, str, int], bool], now: int
) -> bool:
    """Whether it works, and who made it could still do so: who was removed, is less by now, or is
    not in that room any more leaves no way in behind."""
    if not token.works(now):
        return False
    if token.kind == OWNER or token.by == token.person:
        return True
    maker = effective(facts(token.by), now)
    given = facts(token.person).role if token.kind == DEVICE else Role(token.role)
    return (
        may(maker, Verb.INVITE) is Answer.YES
        and outranks(maker, given)
        and (not token.room or enters(token.by, token.room, now))
    )


def _risen(role: Role, token: Token, new: bool) -> Role:
    """What somebody is who came by a token: never less than before."""
    if token.kind == OWNER:
        return Role.OWNER
    if token.kind == DEVICE:
        return role
    given = Role(token.role)
    if new or role is Role.GUEST:
        return given
    return given if RANK.get(given, 0) > RANK.get(role, 0) else role


_CAME = "SELECT 1 FROM came WHERE token = ? AND person = ?"
_ROW = "n, kind, room, role, person, by, made, until, uses, used"


def token_of(db: sqlite3.Connection, key: bytes) -> Token | None:
    """The token of which this is the hash, or of whose code."""
    row = db.execute(f"SELECT {_ROW} FROM tokens WHERE hash = ?1 OR code = ?1", (key,)).fetchone()
    return None if row is None else Token(*row)


def invites(db: sqlite3.Connection, now: int) -> list[tuple[Token, list[str]]]:
    """The invites that work, the newest first, each with the names of who came by it."""
    rows = db.execute(
        f"SELECT {_ROW} FROM tokens WHERE kind = 'invite' AND until > ?"
        " AND (uses = 0 OR used < uses) ORDER BY n DESC",
        (now,),
    )
    found = [Token(*row) for row in rows.fetchall()]
    names = "SELECT name FROM came JOIN users ON users.id = person WHERE token = ? ORDER BY came.n"
    return [(token, [name for (name,) in db.execute(names, (token.id,))]) for token in found]


def stay_used(old: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """What was used or revoked since this copy was made is so in it too. Raises sqlite3.Error where
    a history is from before tokens."""
    rows = old.execute("SELECT used, until, hash FROM tokens WHERE kind != 'hook'").fetchall()
    copy.executemany(
        "UPDATE tokens SET used = max(used, ?), until = min(until, ?) WHERE hash = ?", rows
    )
