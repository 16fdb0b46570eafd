"""Polls: requests that wait for the next change of a room. One costs a future and no thread."""

from __future__ import annotations

import asyncio

from chat.rules.pace import AtOnce

EACH = 4  # waiting requests of one person: the oldest gives way
AROUND = 50  # waiting requests of one address


class Polls:
    """Owns who waits for which room. A room is not kept in memory for them."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._people = AtOnce(EACH)
        self._addresses = AtOnce(AROUND)
        self._closed = False

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    async def next(self, room: str, payer: tuple[str, str], seconds: float) -> None:
        """Wait for the next change of this room, so long at most; not at all at the end of the
        server. `payer`: an address, and a person. Raises Refusal slow_down.
        """
        address, person = payer
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def give_way() -> bool:
            """Also of one whose line broke: that is noticed only when it is answered."""
            _end(future)
            return True

        with self._addresses.one(address), self._people.one(person, give_way):
            waiting = self._waiting.setdefault(room, set())
            waiting.add(future)
            await asyncio.wait({future}, timeout=0 if self._closed else seconds)
            waiting.discard(future)
            if not waiting and self._waiting.get(room) is waiting:
                del self._waiting[room]

    def told(self, room: str) -> None:
        """This room has a change."""
        for future in self._waiting.pop(room, ()):
            _end(future)

    def close(self) -> None:
        """Nobody waits any more."""
        self._closed = True
        for room in list(self._waiting):
            self.told(room)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
