"""A quiet turn of the event loop: what arrives close together is done together, without timers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

HOPS = 3  # turns of the loop that are waited at most for more to come


class QuietTurn:
    """From `begin` on waits for a turn that brings nothing new, then acts once."""

    def __init__(self, count: Callable[[], int], act: Callable[[], None]) -> None:
        """`count` tells how much there is to do by now."""
        self._count = count
        self._act = act

    def begin(self) -> None:
        """The first thing to do has come."""
        asyncio.get_running_loop().call_soon(self._hop, self._count(), 0)

    def _hop(self, before: int, hops: int) -> None:
        now = self._count()
        if now > before and hops < HOPS:
            asyncio.get_running_loop().call_soon(self._hop, now, hops + 1)
        else:
            self._act()
