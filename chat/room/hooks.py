"""Hooks: the keys by which programs write and read as bots, and the orders that make and end them.

A bot is somebody with a name and a role of its own, who is only in the rooms it was let into. Its
name is nobody else's while the key works.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

import chat.log.hooks as log
from chat.log.operations import Saw
from chat.log.store import Store
from chat.log.things import User
from chat.room.authority import Authority
from chat.room.office import Orders
from chat.room.people import MINUTE, Directory, now_ms
from chat.rules.access import Role
from chat.rules.names import valid_room
from chat.rules.tokens import hashed, new_secret
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER, Hook, Revoke
from chat.wire.passing import Link
from chat.wire.protocol import Person


@dataclass(slots=True)
class Use:
    """A key, and what came of it."""

    key: log.Key
    used: int  # last, UTC milliseconds; 0: never
    noted: int  # the same, as the disk has it
    refused: int = 0  # how often what was asked with it was refused, since the start
    code: str = ""  # and why, the last time


class Listed(msgspec.Struct, frozen=True):
    """A hook as its owner sees it. Times are UTC milliseconds, 0: never; `refused`, with the last
    `code`, since the start of the server."""

    id: int
    bot: Person
    rooms: list[str]
    by: str
    made: int
    used: int
    refused: int
    code: str


class Hooks:
    """Owns the keys that work. `wrong`: how often since the start one was tried that does not;
    whose it was meant to be cannot be known."""

    def __init__(self, store: Store, authority: Authority, directory: Directory) -> None:
        self._store = store
        self._authority = authority
        self._directory = directory
        self._uses = {key.hash: Use(key, key.used, key.used) for key in store.at_start(log.keys)}
        self.wrong = 0

    def find(self, key: str) -> Person:
        """The bot whose key this is; it was used now. Raises Refusal bad_key."""
        use = self._uses.get(hashed(key))
        person = self._directory.find(use.key.person) if use else None
        if use is None or person is None:
            self.wrong += 1
            raise Refusal("bad_key")
        use.used = now_ms()
        if use.used - use.noted > MINUTE:
            use.noted = use.used
            self._store.write(Saw(person.user, use.used), lambda outcome: None)
        return person

    def turned_away(self, key: str, code: str) -> None:
        """What was asked with this key was refused."""
        use = self._uses.get(hashed(key))
        if use is not None:
            use.refused += 1
            use.code = code

    def room(self, key: str) -> str:
        """The room that this key writes in unless it is told another. Raises Refusal bad_room if
        its bot is in none any more."""
        use = self._uses.get(hashed(key))
        rooms = self._rooms(use.key.person) if use else []
        if use is None or not rooms:
            raise Refusal("bad_room")
        return use.key.room if use.key.room in rooms else rooms[0]

    def listed(self) -> list[Listed]:
        """Every hook, the oldest first."""
        found = []
        for key, use in [(use.key, use) for use in self._uses.values()]:
            bot, by = self._directory.find(key.person), self._directory.find(key.by)
            if bot is not None:
                rooms, name = self._rooms(key.person), by.name if by else ""
                found.append(
                    Listed(key.id, bot, rooms, name, key.made, use.used, use.refused, use.code)
                )
        return found

    # -- orders

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Hook: self._make}

    async def _make(self, person: Person, order: Hook) -> Link:
        rooms = tuple(dict.fromkeys(map(valid_room, order.rooms)))
        secret = new_secret()
        hash = hashed(secret.token)

        def op(bot: User) -> log.MakeHook:
            return log.MakeHook(person.user, now_ms(), bot, rooms, hash)

        def made(key: log.Key) -> None:
            self._authority.change(key.person, role=Role.BOT, rooms=frozenset(rooms))
            self._uses[hash] = Use(key, 0, 0)

        key: log.Key = await self._directory.hire(order.name, op, made)
        return Link(order.cid, key.id, secret.token, "", FOREVER)

    async def end(self, person: Person, order: Revoke) -> bool:
        """Revoke a key; whether the order is about one that works."""
        key = next((use.key for use in self._uses.values() if use.key.id == order.id), None)
        if key is not None:
            op = log.EndHook(person.user, now_ms(), key.id, key.person)
            await self._directory.leave(key.person, op)
            self._uses.pop(key.hash, None)
        return key is not None

    def _rooms(self, bot: str) -> list[str]:
        return sorted(self._authority.facts(bot).rooms)
