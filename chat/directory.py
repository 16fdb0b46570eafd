"""The directory: everyone who holds a name on this server. Nobody else can take it."""

from __future__ import annotations

import secrets
import time

from chat.names import color_for, free_variant, skeleton, valid_name
from chat.protocol import Person, Refusal
from chat.store import Store
from chat.things import User

DAY = 24 * 60 * 60 * 1000  # milliseconds
HELD = 90 * DAY  # a holder not seen for this long gives the name up


def now_ms() -> int:
    """The time on the wire and in the log: UTC milliseconds."""
    return time.time_ns() // 1_000_000


class NameTaken(Refusal):
    """The name, or one that looks like it, is held; `suggestion` is free."""

    def __init__(self, name: str, suggestion: str) -> None:
        super().__init__("name_taken", detail=f"Someone here is already called {name}.")
        self.suggestion = suggestion


class Directory:
    """Owns the people in memory; every change is stored before it is told."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users = {user.id: user for user in store.users()}
        self._holders = {user.skeleton: user.id for user in self._users.values()}
        self._new: set[str] = set()  # who joined and has not been in a room yet

    def __len__(self) -> int:
        return len(self._users)

    def find(self, id: str) -> Person | None:
        """The person with this id, unless signed out."""
        user = self._users.get(id)
        return None if user is None else Person(user.id, user.name, user.color)

    async def join(self, text: str) -> Person:
        """A new person under a free name. Raises Refusal bad_name or NameTaken."""
        name = valid_name(text)
        color = color_for(name, (user.color for user in self._users.values()))
        id = secrets.token_urlsafe(12)
        await self._hold(User(id, name, skeleton(name), color, now_ms()))
        self._new.add(id)
        return Person(id, name, color)

    def first_time(self, id: str) -> bool:
        """Whether this person comes into a room for the first time; true once."""
        new = id in self._new
        self._new.discard(id)
        return new

    async def rename(self, id: str, text: str) -> Person:
        """Another name for the same person. Raises Refusal bad_name, sign_in or NameTaken."""
        name = valid_name(text)
        old = self._users.get(id)
        if old is None:
            raise Refusal("sign_in")
        await self._hold(User(id, name, skeleton(name), old.color, now_ms()))
        if self._holders.get(old.skeleton) == id and old.skeleton != skeleton(name):
            del self._holders[old.skeleton]
        return Person(id, name, old.color)

    async def leave(self, id: str) -> None:
        """Sign this person out for good: the cookie is worth nothing and the name is free."""
        self._new.discard(id)
        user = self._users.pop(id, None)
        if user is not None:
            if self._holders.get(user.skeleton) == id:
                del self._holders[user.skeleton]
            await self._store.wrote(lambda writer: writer.free_user(id, now_ms()))

    def seen(self, id: str) -> None:
        """This person is here; noted at most once a day."""
        user = self._users.get(id)
        if user is not None and now_ms() - user.seen > DAY:
            fresh = User(user.id, user.name, user.skeleton, user.color, now_ms())
            self._users[id] = fresh
            self._store.write(lambda writer: writer.save_user(fresh), lambda outcome: None)

    async def _hold(self, user: User) -> None:
        """Take the name before the first await, so that two people cannot both be given it."""
        holder = self._holders.get(user.skeleton)
        if holder is not None and holder != user.id:
            held = self._users.get(holder)  # None: being saved at this moment
            if held is None or now_ms() - held.seen < HELD:
                suggestion = free_variant(user.name, self._holders.__contains__)
                raise NameTaken(user.name, suggestion)
            await self.leave(holder)
        before = self._users.get(user.id)
        self._holders[user.skeleton] = user.id
        try:
            await self._store.wrote(lambda writer: writer.save_user(user))
        except Refusal:
            if before is None or before.skeleton != user.skeleton:
                del self._holders[user.skeleton]
            raise
        self._users[user.id] = user
