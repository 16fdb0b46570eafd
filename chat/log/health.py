"""Health: whether the parts that nobody sees still do their work."""

from __future__ import annotations

import asyncio
from time import monotonic

from chat.log.operations import Probe
from chat.log.store import Store
from chat.wire.codes import Refusal

PATIENCE = 5.0  # seconds a part may be silent
FRESH = 1.0  # seconds for which an answer holds: asking often costs no more


class Health:
    """Knows when the once-a-second work was last done; asks the writer, the disk and the reader."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ticked = monotonic()
        self._asked = 0.0
        self._writing: asyncio.Future[None] | None = None

    def ticked(self) -> None:
        """The once-a-second work was done."""
        self._ticked = monotonic()

    @property
    def beating(self) -> bool:
        """Whether the once-a-second work is being done."""
        return monotonic() - self._ticked <= PATIENCE

    async def writer_answers(self) -> bool:
        """Whether the writer thread lives and can begin a transaction; writes nothing."""
        try:
            await asyncio.wait_for(self._store.wrote(Probe()), PATIENCE)
        except TimeoutError:
            return False
        except Refusal:
            return True
        return True

    async def trouble(self) -> str | None:
        """What is wrong, as a sentence; None if all is well: something was written and read."""
        if not self.beating:
            return "The heartbeat has stopped."
        if self._writing is None or (monotonic() - self._asked > FRESH and self._writing.done()):
            self._asked = monotonic()
            self._writing = self._store.wrote(Probe(write=True))
            self._writing.add_done_callback(lambda done: done.exception())  # told to who still asks
        try:
            await asyncio.wait_for(asyncio.shield(self._writing), PATIENCE)
            await asyncio.wait_for(self._store.changes("", 0, 0, 1), PATIENCE)
        except TimeoutError:
            return "The disk does not answer, or a thread that uses it."
        except Refusal as refusal:
            return f"Nothing can be saved. {refusal.detail}"
        return None
