"""The sweep: what was uploaded and never sent goes after a day, and bytes without a row at once."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from math import inf
from pathlib import Path

from chat.datafolder import FolderError
from chat.log.blobs import Blobs, blobs_in
from chat.log.files import SWEPT, ids
from chat.log.operations import Sweep
from chat.log.store import Store
from chat.wire.codes import Refusal

log = logging.getLogger("chat.store")

UNSENT = 24 * 3_600_000  # milliseconds that an upload has to become a message's
FRESH = 3600  # seconds: what is younger may be about to get its row
NOTE = "swept"  # a file beside the blobs: how many went last, and their bytes


class Sweeper:
    """Makes rows and blobs agree: no file stays for ever without a message."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    def reconcile(self) -> None:
        """At the start, while nobody uploads: take every blob without a row, and tell of rows
        without a blob. Raises FolderError."""
        folder, known = self._blobs.folder, self._store.at_start(ids)
        try:
            missing = known - {path.name for path in blobs_in(folder)}
            if missing:
                log.error("%d files are missing from %s, as %s", len(missing), folder, min(missing))
            self._note(*self._blobs.sweep(known, -inf))  # also those of a clock that was ahead
        except OSError as error:
            raise FolderError(f"cannot use {error.filename}: {error.strerror}") from error

    async def sweep(self) -> None:
        """What has come since: to be called now and then. What is refused is done later."""
        count = size = 0
        with suppress(Refusal):
            known = await self._store.read(ids)
            count, size = await asyncio.to_thread(self._blobs.sweep, known, FRESH)
            more = SWEPT
            while more == SWEPT:
                before = int(time.time() * 1000) - UNSENT
                more, freed = await self._store.wrote(Sweep(before))
                count, size = count + more, size + freed
        await asyncio.to_thread(self._note, count, size)

    def _note(self, count: int, size: int) -> None:
        if count:
            with suppress(OSError):  # on a full disk what is left can still be read
                note_of(self._blobs.folder).write_text(f"{count} {size}")


def note_of(folder: Path) -> Path:
    """Where it is written what the last sweep took; as old as that."""
    return folder / NOTE
