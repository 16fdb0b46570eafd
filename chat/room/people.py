"""The directory: everyone who holds a name on this server. Nobody else can take it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from msgspec import UNSET as ABSENT
from msgspec import UnsetType

from chat.log.devices import Part
from chat.log.operations import Forget, Free, Hold, Operation, Ordered, Saw
from chat.log.store import Store, nobody_waits
from chat.log.things import Device, User
from chat.room.devices import Devices
from chat.rules.access import ANNOUNCERS
from chat.rules.lookalikes import skeleton
from chat.rules.mentions import Names
from chat.rules.names import COLORS, color_for, free_variant, nameless, valid_name
from chat.wire.codes import Refusal
from chat.wire.protocol import Person

MINUTE = 60 * 1000  # milliseconds
DAY = 24 * 60 * MINUTE
HELD = 90 * DAY  # a holder not seen for this long gives the name up to whoever asks for it
KEEPERS = [role.value for role in ANNOUNCERS]  # never give theirs up
UNUSED = 60 * MINUTE  # who never came into a room is forgotten after this
SILENT = 7 * DAY  # who never said anything is forgotten after this


def now_ms() -> int:
    """The time on the wire and in the log: UTC milliseconds."""
    return time.time_ns() // 1_000_000


class NameTaken(Refusal):
    """The name, or one that looks like it, is held; `suggestion` is free."""

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__("name_taken", detail=f"Someone here is already called {name}.")
        self.suggestion = suggestion


class Way(Protocol):
    """How somebody new comes in, if not by an open door."""

    def operation(self, hold: Hold) -> Operation:
        """What is to be written, of which this is a part. What the writer refuses is not done."""

    def entered(self, outcome: Any) -> None:
        """It is on disk, and the directory knows them."""


class Directory:
    """Owns the people in memory: exactly those of the table.

    Who one is changes one step at a time, and in memory only in the outcome of the write.
    `renamed`, `left` and `parted` are told in that same moment.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.renamed: Callable[[Person], None] = lambda person: None
        self.left: Callable[[str], None] = lambda user: None
        self.parted: Callable[[Device], None] = lambda device: None
        self.devices = Devices(store, now_ms)
        self.badge: Callable[[str], str | UnsetType] = lambda user: ABSENT  # what others see
        self._users: dict[str, User] = {}
        self._holders: dict[str, str] = {}  # skeleton -> user
        self._colors = [0] * COLORS  # how many people have each
        self._new: set[str] = set()  # who joined and has not been in a room yet
        self._changing = asyncio.Lock()
        known = store.users()
        self.names = Names((user.name, user.id) for user in known)
        for user in known:
            self._keep(user)
            if not user.entered:
                self._new.add(user.id)

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[Person]:
        """Everybody."""
        return map(self._person, self._users.values())

    def knows(self, id: str) -> bool:
        """Whether somebody has this id."""
        return id in self._users

    def find(self, id: str) -> Person | None:
        """The person with this id, unless signed out."""
        user = self._users.get(id)
        return None if user is None else self._person(user)

    def called(self, id: str) -> str:
        """What somebody is called, also one who has no name; "" of one who is gone."""
        user = self._users.get(id)
        return user.name if user is not None else nameless(id)

    def check(self, text: str, id: str | None = None) -> str:
        """The name as it would be kept, if it is valid and free (or held by `id`).

        Costs nothing and changes nothing. Raises Refusal bad_name or NameTaken.
        """
        name = valid_name(text)
        holder = self._users.get(self._holders.get(skeleton(name), ""))
        if holder is not None and holder.id != id and self._holds(holder):
            raise NameTaken(holder.name, free_variant(name, self._holders.__contains__))
        return name

    def _holds(self, user: User) -> bool:
        """Whether somebody keeps the name. Who may be believed because of it always does."""
        return now_ms() - user.seen < HELD or self.badge(user.id) in KEEPERS

    async def join(
        self,
        text: str,
        label: str = "",
        way: Way | None = None,
        still: Callable[[], None] = lambda: None,
    ) -> Person:
        """A new person under a free name, signed in on one device that is called so.

        `still` is asked once they are saved: whoever may not come in any more by then is taken
        back. Raises Refusal, also bad_name or NameTaken.
        """
        async with self._changing:
            name, id = self.check(text), secrets.token_urlsafe(12)
            user = User(id, name, skeleton(name), color_for(name, self._colors), now_ms())
            await self._hold(user, self.devices.new(id, label), way)
            self._new.add(id)
            try:
                still()
            except Refusal:
                await self._store.wrote(Free(id, now_ms()), lambda _: self._forget(id))
                raise
            return self._person(user)

    async def hire(
        self, text: str, op: Callable[[User], Ordered], then: Callable[[Any], object]
    ) -> Any:
        """A bot under a name that nobody holds: what the writer returned for `op`, which `then` is
        given in the same moment. Raises Refusal bad_name or NameTaken."""
        async with self._changing:
            name, id = valid_name(text, bot=True), secrets.token_urlsafe(12)
            if holder := self._users.get(self._holders.get(skeleton(name), "")):
                raise NameTaken(holder.name, free_variant(name, self._holders.__contains__))
            user = User(id, name, skeleton(name), color_for(name, self._colors), now_ms(), True)

            def saved(outcome: Any) -> None:
                self._keep(user)
                self.names.add(user.name, user.id)
                then(outcome)

            return await self._store.wrote(op(user), saved)

    async def rename(self, id: str, text: str) -> Person:
        """Another name for the same person. Raises Refusal bad_name, sign_in or NameTaken."""
        async with self._changing:
            old = self._users.get(id)
            if old is None:
                raise Refusal("sign_in")
            name = self.check(text, id)
            new = replace(old, name=name, skeleton=skeleton(name), seen=now_ms())
            await self._hold(new)
            return self._person(new)

    async def leave(self, id: str, op: Operation | None = None) -> None:
        """Sign this person out for good: the cookie is worth nothing and the name is free. `op`: if
        more goes with them than that."""
        async with self._changing:
            if id in self._users:
                at = now_ms()
                await self._store.wrote(op or Free(id, at), lambda _: self._forget(id))

    async def sign_out(self, id: str) -> None:
        """This device is signed out; with the last one its person is."""
        async with self._changing:
            device, at = self.devices.find(id), now_ms()
            if device is None:
                return
            person = device.person
            if len(self.devices.of(person)) == 1:
                await self._store.wrote(Free(person, at), lambda _: self._forget(person))
                return

            def parted(_: object) -> None:
                self.devices.drop(device)
                self.parted(device)

            await self._store.wrote(Part(at, id), parted)

    async def tidy(self, present: Iterable[str]) -> bool:
        """Forget some who took a name and made nothing of it: an identity costs nothing, its
        memory does. Whoever is `present` is seen. False when there are none; raises Refusal."""
        for id in present:
            self.seen(id)
        at, before = now_ms(), len(self)
        async with self._changing:
            await self._store.wrote(Forget(at - UNUSED, at - SILENT), self._forgot)
        return len(self) < before

    def first_time(self, id: str) -> bool:
        """Whether this person comes into a room for the first time; true once."""
        if id not in self._new:
            return False
        self._new.discard(id)
        at = now_ms()
        self._store.write(Saw(id, at, entered=True), nobody_waits)
        return True

    def seen(self, id: str, device: str = "") -> None:
        """This person is here; noted at most once a day, and each minute before the first room."""
        self.devices.seen(device)
        user, at = self._users.get(id), now_ms()
        if user is not None and at - user.seen > (MINUTE if id in self._new else DAY):
            self._users[id] = replace(user, seen=at)
            self._store.write(Saw(id, at), nobody_waits)

    # -- in memory what is on disk

    async def _hold(self, user: User, device: Device | None = None, way: Way | None = None) -> None:
        """Give the person this name; whoever held it for too long without coming loses it."""
        holder = self._holders.get(user.skeleton)
        before = holder if holder != user.id else None

        def saved(outcome: Any) -> None:
            if before is not None:
                self._forget(before)
            old = self._users.get(user.id)
            if old is not None:
                self._drop(old)
            self._keep(user)
            self.names.add(user.name, user.id)
            if device is not None:
                self.devices.add(device)
            if old is not None:
                self.renamed(self._person(user))

            if way is not None:
                way.entered(outcome)

        hold = Hold(user, before, device)
        await self._store.wrote(way.operation(hold) if way else hold, saved)

    def _forgot(self, ids: list[str]) -> None:
        for id in ids:
            self._forget(id)

    def _forget(self, id: str) -> None:
        user = self._users.get(id)
        if user is not None:
            self._drop(user)
            self.devices.drop_all(id)
            self._new.discard(id)
            self.left(id)

    def _person(self, user: User) -> Person:
        return Person(user.id, user.name, user.color, role=self.badge(user.id))

    def _keep(self, user: User) -> None:
        self._users[user.id] = user
        self._holders[user.skeleton] = user.id
        self._colors[user.color] += 1

    def _drop(self, user: User) -> None:
        del self._users[user.id]
        if self._holders.get(user.skeleton) == user.id:
            del self._holders[user.skeleton]
        self._colors[user.color] -= 1
        self.names.drop(user.name, user.id)
