"""Links: how somebody comes in who has been given one, and how links are made and taken back.

A link is looked at as often as somebody likes. It is used up when the button of its card is
pressed, in the same transaction in which its person is made, or gets another device.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import chat.log.tokens as log
from chat.log.operations import Hold
from chat.log.ownerlink import drop_owner_link, owner_link
from chat.log.store import Store
from chat.log.things import Device
from chat.log.tokens import DEVICE, INVITE, OWNER, Came, Enter, Hashes, Token
from chat.room.hub import Hub, home
from chat.room.office import Orders
from chat.room.people import Directory, now_ms
from chat.rules.access import Role, Verb, greet
from chat.rules.names import valid_room
from chat.rules.pace import JOIN, TRY, Pace
from chat.rules.tokens import Secret, key_of, new_secret
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER, Invite, Readmit, Revoke
from chat.wire.passing import Device as NewDevice
from chat.wire.passing import Done, Link
from chat.wire.protocol import Person

MINUTE = 60 * 1000  # milliseconds
HANDOVER = 10 * MINUTE  # in which a device link of one's own can be used
READMISSION = 60 * MINUTE  # the same of one that a moderator made: it has to be brought to somebody


class Offer(NamedTuple):
    """What a link does. `who`: whose device it makes, or who invites; `where`: the title of the
    room it is for; `left`: how many may still come, 0: any number."""

    kind: str
    who: Person | None
    where: str
    role: str
    until: int
    left: int


@dataclass(frozen=True, slots=True)
class Caller:
    """Who comes by a link: from where, and who is signed in in this browser until now."""

    address: str
    label: str
    person: Person | None
    device: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Who is in by a link, on which new device (None: the one they had), and into which room."""

    person: Person
    device: Device | None
    room: str


@dataclass(slots=True)
class _Way:
    """How somebody new comes in by a link."""

    enter: Enter
    came: Callable[[Enter, Came], None]

    def operation(self, hold: Hold) -> Enter:
        self.enter = replace(self.enter, person=hold.user.id, hold=hold)
        return self.enter

    def entered(self, outcome: Came) -> None:
        self.came(self.enter, outcome)


class Links:
    """Knows the links by their hashes only, and the owner link in the data folder."""

    def __init__(
        self, store: Store, hub: Hub, directory: Directory, pace: Pace, data: Path
    ) -> None:
        self._store = store
        self._hub = hub
        self._authority = hub.authority
        self._directory = directory
        self._pace = pace
        self._data = data
        self.end_hook: Callable[[Person, Revoke], Awaitable[bool]] = _no_hook

    # -- coming in

    async def look(self, text: str, address: str) -> Offer:
        """What the link does that was opened, or whose code was typed. Uses nothing up.

        Raises Refusal bad_link, and slow_down for who tries too many that are none.
        """
        token, _ = await self._find(text, address)
        who = self._directory.find(token.person or token.by)
        if token.kind == DEVICE:
            greet(self._authority.facts(token.person), now_ms())
        left = token.uses - token.used if token.uses else 0
        where = self._hub.titles.of(token.room) if token.room else ""
        return Offer(token.kind, who, where, token.role, token.until, left)

    async def enter(self, text: str, caller: Caller, name: str) -> Entry:
        """Come in by a link: as whoever it is for, as who one is already, or as somebody new of
        this name. Raises Refusal."""
        token, enter = await self._find(text, caller.address)
        if token.kind == INVITE and caller.person is not None:
            greet(self._authority.facts(caller.person.user), now_ms())
        if token.kind == DEVICE:
            person = self._directory.find(token.person)
            if person is None:
                raise Refusal("bad_link")
            device = self._directory.devices.new(person.user, caller.label)
            enter = self._instead(replace(enter, person=person.user, device=device), caller)
            await self._store.wrote(enter, lambda came: self._came(enter, came))
        elif caller.person is not None and not name:
            person, device = caller.person, None
            enter = replace(enter, person=person.user)
            await self._store.wrote(enter, lambda came: self._came(enter, came))
        else:
            person = await self._newcomer(token, enter, caller, name)
            (device,) = self._directory.devices.of(person.user)
        if device is not None and caller.person is not None:
            # Its cookie is overwritten: whatever is open there is somebody else by now.
            self._hub.tabs.sign_out(caller.person.user, caller.device)
        return Entry(person, device, self._room(token, person))

    async def _newcomer(self, token: Token, enter: Enter, caller: Caller, name: str) -> Person:
        def still() -> None:
            if token.kind == INVITE:
                self._authority.newcomer(caller.address, invited=True)

        still()
        self._directory.check(name)
        self._pace.pay(JOIN, caller.address, "", monotonic())
        way = _Way(self._instead(enter, caller), self._came)
        return await self._directory.join(name, caller.label, way, still)

    async def _find(self, text: str, address: str) -> tuple[Token, Enter]:
        """The token that works, and how it is used. Tries that fail are counted by address."""
        now, key = now_ms(), key_of(text)
        self._pace.pay(TRY, address, "", monotonic())
        owner = owner_link(self._data, key) if key else None
        token = await self._store.read(log.token_of, key) if key else None
        if owner is not None and token is None:
            token = Token(0, OWNER, "", "", "", "", now, FOREVER, 1, 0)
        if key is None or token is None or not self._meant(token, now):
            raise Refusal("bad_link")
        self._pace.give_back(TRY, address, monotonic())
        return token, Enter(now, key, "", owner=owner)

    def _meant(self, token: Token, now: int) -> bool:
        return log.meant(token, self._authority.facts, lambda u, r, _: self._hub.admits(u, r), now)

    def _instead(self, enter: Enter, caller: Caller) -> Enter:
        """The device that this browser was is signed out, unless it is the last one of somebody
        else: nobody loses who they are by opening a link."""
        before = caller.person.user if caller.person else ""
        others = len(self._directory.devices.of(before)) > 1
        if before and (others or before == enter.person):
            return replace(enter, instead_of=caller.device)
        return enter

    def _came(self, enter: Enter, came: Came) -> None:
        """It is on disk: who has another device is told on all of theirs."""
        devices, user = self._directory.devices, enter.person
        if enter.device is not None:
            devices.add(enter.device)
            new = enter.device
            for peer in self._hub.tabs.of(user):
                peer.reply(NewDevice(new.id, new.label, new.made))
        before = devices.find(enter.instead_of)
        if before is not None:
            devices.drop(before)
            self._directory.parted(before)
        facts = self._authority.facts(user)
        if (facts.role, facts.rooms) != (came.role, came.rooms):
            muted = 0 if came.token.kind == OWNER else facts.muted
            self._authority.change(user, role=came.role, rooms=came.rooms, muted=muted)
        if enter.owner is not None:
            drop_owner_link(self._data, enter.owner)

    def _room(self, token: Token, person: Person) -> str:
        """Where it leads."""
        return token.room or home(self._hub, person.user)

    # -- making and taking back

    async def hand_over(self, person: Person) -> tuple[Secret, int]:
        """A link by which another device becomes this person's, and until when."""
        secret, now = new_secret(), now_ms()
        until = now + HANDOVER
        op = log.MakeHandover(now, Hashes(*secret.hashes), person.user, until)
        await self._store.wrote(op)
        return secret, until

    async def invites(self, person: Person) -> list[tuple[Token, list[str]]]:
        """Those that work, with who came by them; none into a room that does not exist for who
        asks. Raises Refusal."""
        self._authority.demand(person.user, Verb.INVITE)
        found = await self._store.read(log.invites, now_ms())
        self._authority.demand(person.user, Verb.INVITE)
        return [
            (token, names)
            for token, names in found
            if not token.room or self._hub.admits(person.user, token.room)
        ]

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Invite: self._invite, Revoke: self._revoke, Readmit: self._readmit}

    async def _invite(self, person: Person, order: Invite) -> Link:
        room, now, role = valid_room(order.room) if order.room else "", now_ms(), Role(order.role)
        if order.until <= now or (role is Role.GUEST and not room):
            raise Refusal("bad_order")
        if room:
            self._hub.enter(person, room)
        secret = new_secret()
        hashes = Hashes(*secret.hashes)
        op = log.MakeInvite(person.user, now, hashes, room, role, order.until, order.uses)
        id = await self._store.wrote(op)
        return Link(order.cid, id, *secret, order.until)

    async def _revoke(self, person: Person, order: Revoke) -> Done:
        if not await self.end_hook(person, order):
            await self._store.wrote(log.Withdraw(person.user, now_ms(), order.id))
        return Done(order.cid)

    async def _readmit(self, person: Person, order: Readmit) -> Link:
        secret, now = new_secret(), now_ms()
        until = now + READMISSION
        hashes = Hashes(*secret.hashes)
        id = await self._store.wrote(
            log.MakeReadmission(person.user, now, hashes, order.user, until)
        )
        return Link(order.cid, id, *secret, until)


async def _no_hook(person: Person, order: Revoke) -> bool:
    return False
