"""Arrival: an upload on its way to the disk, until it is a whole file with all that is known of it.

Everything here waits for the disk: call it on a thread. It may be dropped at any time.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

from chat.log.blobs import Blobs
from chat.log.operations import Deposit
from chat.rules.media import look
from chat.rules.metadata import strip
from chat.wire.codes import Refusal

log = logging.getLogger("chat.store")

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Arrival:
    """What one person uploads to be sent in one room. Every method raises Refusal."""

    def __init__(self, blobs: Blobs, room: str, person: str) -> None:
        self._blobs = blobs
        self._for = room, person
        self._ids: list[str] = []
        self._sha = hashlib.sha256()
        self._lock = threading.Lock()
        with _refused():
            self._file = os.fdopen(os.open(self._part(), _NEW, 0o600), "wb")

    def _part(self) -> Path:
        """Where to write, under another id each time."""
        self._ids.append(secrets.token_urlsafe(16))
        return self._blobs.part(self._ids[-1])

    def write(self, chunk: bytes) -> None:
        """The next bytes of it."""
        with self._lock, _refused():
            self._file.write(chunk)
            self._sha.update(chunk)

    def keep(self) -> Deposit:
        """It is whole: look at it, leave out what a picture tells beside what it shows, and make it
        last; what is written of it."""
        with self._lock, _refused():
            self._file.close()
            whole = self._blobs.part(self._ids[0])
            seen = look(whole)
            stripped = self._part()
            if strip(whole, stripped, seen.type):
                whole.unlink()
                with stripped.open("rb") as file:
                    self._sha = hashlib.file_digest(file, "sha256")
                id = self._ids[1]
            else:
                id = self._ids[0]
            size = self._blobs.part(id).stat().st_size
            self._blobs.keep(id)
        at, sha = int(time() * 1000), self._sha.digest()
        return Deposit(id, *self._for, seen.type, size, seen.width, seen.height, sha, at)

    def drop(self) -> None:
        """Nothing becomes of it: whatever there is of it goes."""
        with self._lock:
            with suppress(OSError):  # of the last bytes, for which there is no room
                self._file.close()
            for id in self._ids:
                with suppress(OSError):  # the next start empties the folder
                    self._blobs.part(id).unlink(missing_ok=True)
            self._blobs.drop(self._ids)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@contextmanager
def _refused() -> Iterator[None]:
    """That the disk says no is an answer to who sends, and a line for who runs the server."""
    try:
        yield
    except OSError as error:
        log.error("a file could not be saved: %s", error)
        raise Refusal("disk_full" if error.errno in NO_ROOM else "failed") from error
