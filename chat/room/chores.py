"""Chores: what is removed in many pieces, one after the other, so that nobody waits for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from chat.log.operations import Expire, Piece
from chat.log.store import Store
from chat.log.wiping import Removed
from chat.room.people import now_ms
from chat.tasks import Tasks
from chat.wire.codes import Refusal
from chat.wire.frames import Saved

REST = 0.05  # seconds for the others after each piece
AGAIN = 2.0  # seconds until a piece that was refused is tried again


class Chores:
    """Owns the runner: there is one, while anything is left to remove."""

    def __init__(
        self,
        store: Store,
        tasks: Tasks,
        publish: Callable[[str, Saved], None],
        emptied: Callable[[str], None],
    ) -> None:
        """`publish` is told each change of a room that is on disk; `emptied`, the name of a room
        that was removed and has nothing in it any more."""
        self._store = store
        self._tasks = tasks
        self._publish = publish
        self._emptied = emptied
        self._more = False
        self.running = False

    def wake(self) -> None:
        """There may be something to do: an order was given, or the process began."""
        self._more = True
        if not self.running:
            self.running = True
            self._tasks.start(self._run())

    async def _run(self) -> None:
        try:
            while self._more:
                self._more = False  # somebody may wake it while the last piece is told
                try:
                    await self._store.wrote(Piece(now_ms()), self._removed)
                except Refusal as refusal:
                    if refusal.code in ("closing", "failed"):  # the next start goes on
                        return
                    self._more = True
                    await asyncio.sleep(AGAIN)
                if self._more:
                    await asyncio.sleep(REST)
        finally:
            self.running = False

    def _removed(self, removed: Removed) -> None:
        self._more |= removed.more
        self._tell(removed)

    async def expire(self, rooms: Iterable[str]) -> None:
        """Remove what these rooms do not keep by now. Raises Refusal."""
        for room in rooms:
            more = True
            while more:
                removed: Removed = await self._store.wrote(Expire(room, now_ms()), self._tell)
                if more := removed.more:
                    await asyncio.sleep(REST)

    def _tell(self, removed: Removed) -> None:
        for room, saved in removed.changes:
            self._publish(room, saved)
        if removed.emptied:
            self._emptied(removed.emptied)
