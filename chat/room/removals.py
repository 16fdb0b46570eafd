"""Removals: the orders that remove much: what somebody wrote, or a room."""

from __future__ import annotations

from collections.abc import Callable

import chat.log.bans as log
from chat.log.store import Store
from chat.room.office import Orders
from chat.room.people import now_ms
from chat.rules.names import valid_room
from chat.wire.orders import RemoveRoom, Wipe
from chat.wire.passing import Done
from chat.wire.protocol import Person


class Removals:
    """Writes that something is to go; Chores removes it, a piece at a time."""

    def __init__(
        self,
        store: Store,
        named: Callable[[str], str],
        removed: Callable[[str], None],
        wake: Callable[[], None],
    ) -> None:
        """`named`: what somebody is called; `removed`: a room does not count any more; `wake`:
        there is something to remove."""
        self._store = store
        self._named = named
        self._removed = removed
        self._wake = wake

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Wipe: self._wipe, RemoveRoom: self._remove_room}

    async def _wipe(self, person: Person, order: Wipe) -> Done:
        op = log.Wipe(person.user, now_ms(), order.user, self._named(order.user), order.since)
        await self._store.wrote(op, lambda _: self._wake())
        return Done(order.cid)

    async def _remove_room(self, person: Person, order: RemoveRoom) -> Done:
        room = valid_room(order.room)

        def saved(_: object) -> None:
            self._removed(room)
            self._wake()

        await self._store.wrote(log.RemoveRoom(person.user, now_ms(), room), saved)
        return Done(order.cid)
