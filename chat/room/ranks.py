"""Ranks: the orders that make somebody muted, a moderator, or one of those in a room."""

from __future__ import annotations

import chat.log.ranks as log
from chat.log.store import Store
from chat.room.authority import Authority
from chat.room.office import Orders
from chat.room.people import now_ms
from chat.rules.access import Role
from chat.rules.names import valid_room
from chat.rules.text import one_line
from chat.wire.orders import Admit, Appoint, Mute
from chat.wire.passing import Done
from chat.wire.protocol import Person


class Ranks:
    """Writes who may do what, and has the authority know of it in the outcome."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self._store = store
        self._authority = authority

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Mute: self._mute, Appoint: self._appoint, Admit: self._admit}

    async def _mute(self, person: Person, order: Mute) -> Done:
        op = log.Mute(person.user, now_ms(), order.user, order.until, one_line(order.reason or ""))
        change = self._authority.change
        await self._store.wrote(op, lambda _: change(order.user, muted=order.until))
        return Done(order.cid)

    async def _appoint(self, person: Person, order: Appoint) -> Done:
        role = Role(order.role)
        op = log.Appoint(person.user, now_ms(), order.user, role)
        change = self._authority.change
        await self._store.wrote(op, lambda _: change(order.user, role=role))
        return Done(order.cid)

    async def _admit(self, person: Person, order: Admit) -> Done:
        room = valid_room(order.room)
        op = log.Admit(person.user, now_ms(), order.user, room, order.on)
        let_in = self._authority.let_in
        await self._store.wrote(op, lambda _: let_in(order.user, room, order.on))
        return Done(order.cid)
