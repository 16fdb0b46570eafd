"""The files of a backup, in a folder beside it: linked where they can be, copied where not.

A file never changes, so a linked one takes no space, however many backups have it. The folder holds
all that a backup needs before that gets its name, and is rid of the rest afterwards: killed between
any two steps, no backup lacks a file.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

from chat.datafolder import beside, give, sync
from chat.log.blobs import PARTS, blobs_in
from chat.log.files import ids

FOLDER = ".files"  # the ending of the folder of a backup
KEEP = 7  # backups with a date; what was deleted must not live on in older ones
KEEP_DAYS = 7
DATED = "chat-%Y-%m-%d-%H%M%S.db"  # UTC, of one with a date
_DATED = re.compile(r"chat-[-\d]{17}\.db")


class Copies:
    """A folder that is given files; used with `with`, those go again if anything fails."""

    def __init__(self, folder: Path, owner: os.stat_result | None = None) -> None:
        """Whatever is made belongs to `owner`, without one to whoever makes it."""
        self.folder = folder
        self._owner = owner
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *about: object) -> None:
        if kind is not None:
            remove(self.folder, self._made)

    def gather(self, wanted: Iterable[str], sources: Sequence[Path]) -> int:
        """Have these, synced, each from the first source that has it; how many none of them has.

        Raises OSError.
        """
        missing = 0
        shelves: set[Path] = set()
        for id in wanted:
            path = self.folder / id[:2] / id
            if path.exists():
                continue
            self._make(self.folder)
            self._make(path.parent)
            shelves.add(path.parent)
            missing += not any(self._take(source / id[:2] / id, path) for source in sources)
        for shelf in shelves:
            sync(shelf)
        if shelves:
            sync(self.folder)
            sync(self.folder.parent)
        return missing

    def _make(self, folder: Path) -> None:
        with suppress(FileExistsError):
            folder.mkdir(0o700)
            self._give(folder)

    def _take(self, source: Path, path: Path) -> bool:
        """A link belongs to whom its file belongs to; what is somebody else's is copied."""
        self._made.append(path)
        try:
            if self._owner is None or self._owner.st_uid == source.stat().st_uid:
                with suppress(OSError):  # another disk, or one without links
                    os.link(source, path)
                    return True
            self._copy(source, path)
        except FileNotFoundError:
            return False
        return True

    def _copy(self, source: Path, path: Path) -> None:
        part = beside(path, ".part")
        part.unlink(missing_ok=True)
        private = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with source.open("rb") as original, open(os.open(part, private, 0o600), "wb") as copy:
            shutil.copyfileobj(original, copy, 2**20)
            copy.flush()
            os.fsync(copy.fileno())
        self._give(part)
        part.rename(path)

    def _give(self, path: Path) -> None:
        if self._owner is not None:
            give(path, self._owner)


class Restored(Copies):
    """The files of a restore: beside those that are there, until the history has its place."""

    def __init__(self, present: Path, owner: os.stat_result) -> None:
        """To become the folder `present`."""
        super().__init__(beside(present, ".part"), owner)
        self._present = present

    def prepare(self, copy: sqlite3.Connection, file: Path) -> str:
        """Have those of this copy of the backup `file`; says how many, if any.

        Whatever has the id of a file is that file, so what the backup lacks may be found here.
        """
        wanted = ids_of(copy)
        before = sorted(self._present.parent.glob(f"{self._present.name}.before-*"))
        missing = self.gather(wanted, [beside(file, FOLDER), self._present, *before])
        said = f", {counted(len(wanted) - missing)}" if wanted else ""
        return said + (f" ({missing:,} more cannot be found)" if missing else "")


class Saving(Copies):
    """The files of a backup that is being made, while a server may go on in their folder."""

    def __init__(self, source: Path, file: Path, owner: os.stat_result | None) -> None:
        """Of the backup `file`, from the folder `source`."""
        super().__init__(beside(file, FOLDER), owner)
        self._source = source
        self._spare: list[Path] = []

    def begin(self) -> None:
        """Take all that is there: what is deleted while the history is copied is still in that."""
        self.gather([path.name for path in blobs_in(self._source)], [self._source])

    def complete(self, copy: Path) -> str:
        """Take those that this copy of the history has as well; says what there is, if anything."""
        with closing(sqlite3.connect(copy)) as db:
            wanted = ids_of(db)
        self.gather(wanted, [self._source])
        there = list(blobs_in(self.folder))
        self._spare = [path for path in there if path.name not in wanted]
        sizes = [path.stat().st_size for path in there if path.name in wanted]
        return f" and {counted(len(sizes))}, {sum(sizes):,} bytes, beside it" if sizes else ""

    def finish(self) -> None:
        """The backup has its name: let go of what only the one before it had."""
        remove(self.folder, self._spare)


def forget_old(backups: Path) -> None:
    """Remove the backups with a date that are too many or too old, each before its files."""
    there = (path for path in backups.iterdir() if _DATED.fullmatch(path.name))
    dated = sorted(there, reverse=True)
    oldest = time.strftime(DATED, time.gmtime(time.time() - KEEP_DAYS * 86_400))
    for place, path in enumerate(dated):
        if place >= KEEP or path.name < oldest:
            path.unlink()
            remove(beside(path, FOLDER))


def forget_cut_short(backups: Path) -> None:
    """Remove the files of backups with a date that never came to be."""
    for folder in backups.glob(f"chat-*{FOLDER}"):
        file = folder.with_suffix("")
        if _DATED.fullmatch(file.name) and not file.exists():
            remove(folder)


def lasting() -> str:
    """How long what is deleted now lives on in a backup with a date that is made now."""
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + KEEP_DAYS * 86_400))
    return f"until the first after {day}"


def remove(folder: Path, files: Iterable[Path] | None = None) -> None:
    """These files of such a folder, or all of them; and the folder, if nothing else is in it."""
    for path in list(blobs_in(folder)) if files is None else files:
        path.unlink(missing_ok=True)
    for part in folder.glob("??/*.part"):
        part.unlink()
    for path in (*folder.glob("??"), folder / PARTS, folder):
        with suppress(OSError):
            path.rmdir()


def ids_of(db: sqlite3.Connection) -> set[str]:
    """The files of a history; one of an older version has none."""
    try:
        return ids(db)
    except sqlite3.OperationalError:
        return set()


def counted(count: int) -> str:
    """So many files."""
    return f"{count:,} file{'s' * (count != 1)}"
