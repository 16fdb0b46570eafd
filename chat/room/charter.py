"""Charter: what the chat is called, and who comes in at its door, in memory as on disk."""

from __future__ import annotations

from collections.abc import Callable

from chat.log.charter import Amend, charter
from chat.log.store import Store
from chat.room.office import Orders
from chat.room.people import now_ms
from chat.room.titles import valid_title
from chat.wire.codes import Refusal
from chat.wire.orders import Chat
from chat.wire.passing import Done
from chat.wire.protocol import Person


class Charter:
    """Owns the name and the door: as an owner said last, or as the options say."""

    def __init__(self, store: Store, name: str, door: str = "open") -> None:
        self._store = store
        self._given = name
        said = store.at_start(charter)
        self.name = said.get("name") or name
        self.door = said.get("door") or door
        self.renamed: Callable[[str], None] = lambda name: None
        self.moved: Callable[[], None] = lambda: None  # the door

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Chat: self._chat}

    async def _chat(self, person: Person, order: Chat) -> Done:
        name = None if order.name is None else _valid(order.name)

        def saved(_: object) -> None:
            if name is not None:
                self.name = name or self._given
                self.renamed(self.name)
            if order.door is not None:
                self.door = order.door
                self.moved()

        await self._store.wrote(Amend(person.user, now_ms(), name, order.door), saved)
        return Done(order.cid)


def _valid(name: str) -> str:
    try:
        return valid_title(name)
    except Refusal as refusal:
        told = "The name of a chat has at most 60 characters, and none that cannot be seen."
        raise Refusal("bad_order", detail=told) from refusal
