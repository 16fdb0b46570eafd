"""Systemd: the service manager is told when the chat is ready, well, and stopping (sd_notify)."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from chat.log.health import Health

BEAT = 1.0  # seconds between two signs of life


class Systemd:
    """The manager that started us, at its socket; without one it is told nothing."""

    def __init__(self, path: str) -> None:
        """`path` is NOTIFY_SOCKET: a file, or @ and a name of the abstract kind."""
        self._address = "\0" + path[1:] if path.startswith("@") else path

    def tell(self, state: str) -> None:
        """Tell it this, as in sd_notify(3). If it does not listen, that is its own affair."""
        if self._address:
            with (
                contextlib.suppress(OSError),
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to,
            ):
                to.setblocking(False)
                to.sendto(state.encode(), self._address)

    async def live(self, health: Health) -> None:
        """Give a sign of life each second, for as long as the chat is of use."""
        while self._address:
            await self.beat(health)
            await asyncio.sleep(BEAT)

    async def beat(self, health: Health) -> None:
        """One sign of life, if the once-a-second work is done and the writer answers.

        A process that waits for a disk that hangs, or that lost its writer, is so started anew.
        """
        if health.beating and await health.writer_answers():
            self.tell("WATCHDOG=1")
