"""Blobs: the bytes of uploaded files, one file on the disk under each id. Knows no rows.

What is under an id is whole and never changes, so a backup may link it. Everything here waits for
the disk: call it on a thread.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from chat.datafolder import FolderError, sync

log = logging.getLogger("chat.store")

PARTS = "part"  # the folder of what is still being sent
ID = re.compile(r"[A-Za-z0-9_-]{22}")  # 16 random bytes


class Blobs:
    """Owns a folder: `ab/<id>` is a whole file, `part/<id>` one that is still being sent."""

    def __init__(self, folder: Path) -> None:
        """Make it if it is missing, and remove what was being sent when the last process ended.

        Raises FolderError.
        """
        self.folder = folder
        self._lasting: set[Path] = set()  # folders that a power cut cannot take any more
        try:
            for path in (folder, folder / PARTS):
                path.mkdir(mode=0o700, exist_ok=True)
                if path.stat().st_mode & 0o077:
                    path.chmod(0o700)
            for part in (folder / PARTS).iterdir():
                part.unlink()
        except OSError as error:
            raise FolderError(f"cannot use {error.filename or folder}: {error.strerror}") from error

    def part(self, id: str) -> Path:
        """Where to write a file that comes in; whoever gives it up removes it."""
        return self.folder / PARTS / _named(id)

    def path(self, id: str) -> Path:
        """Where the file is, if it is there."""
        return self.folder / id[:2] / _named(id)

    def keep(self, id: str) -> None:
        """Make a whole file of the part; after that it survives a power cut. Raises OSError."""
        part, path = self.part(id), self.path(id)
        opened = os.open(part, os.O_RDONLY)
        try:
            os.fchmod(opened, 0o600)
            os.fsync(opened)
        finally:
            os.close(opened)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        part.rename(path)
        sync(path.parent)
        if path.parent not in self._lasting:  # made just now, or just before a kill
            sync(self.folder)
            self._lasting.add(path.parent)

    def drop(self, ids: Iterable[str]) -> None:
        """Remove these files. One that a power cut brings back has no row, and is swept."""
        for id in ids:
            _remove(self.path(id))

    def sweep(self, known: Collection[str], older: float) -> tuple[int, int]:
        """Remove every file that is not known and was written over `older` seconds ago; how many,
        and their bytes. What is kept has no row for a moment, hence the age. Raises OSError."""
        count = size = 0
        latest = time.time() - older
        for path in blobs_in(self.folder):
            if path.name in known:
                continue
            with suppress(FileNotFoundError):  # the writer's thread has just dropped it
                seen = path.stat()
                if seen.st_mtime <= latest and _remove(path):
                    count, size = count + 1, size + seen.st_size
        return count, size


def blobs_in(folder: Path) -> Iterator[Path]:
    """The whole files in such a folder, and nothing else that somebody may have put there."""
    if not folder.exists():
        return
    for shelf in [path for path in folder.iterdir() if len(path.name) == 2]:
        for path in list(shelf.iterdir()):
            if ID.fullmatch(path.name):
                yield path


def _remove(path: Path) -> bool:
    """Whether it is gone; if not it is swept later: that must keep nobody from anything else."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.error("a file that is no more could not be removed: %s", error)
        return False
    return True


def _named(id: str) -> str:
    """An id is the name of a file, never a way to another one."""
    if not ID.fullmatch(id):
        raise ValueError(f"{id!r} is no id of a file")
    return id
