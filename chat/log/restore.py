"""Restore: a backup takes the place of the history, and nothing of the one before it is lost."""

from __future__ import annotations

import errno
import os
import re
import secrets
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from chat.datafolder import beside, finish_files, give, lock_folder, sync, write_secret
from chat.log.backup_files import Restored, remove
from chat.log.blobs import blobs_in
from chat.log.copying import (
    at_rest,
    copy_history,
    counted,
    only_writer,
    reason,
    unsynced,
)
from chat.log.database import JOURNALS, UNUSABLE, StoreError, mark
from chat.log.devices import stay_out
from chat.log.reads import forget_gone
from chat.log.tokens import stay_used

ASIDE = ".before-restore-"  # and a number


def restore(data: Path, file: Path) -> str:
    """Put a backup in the place of the history, under a new epoch; says what it did.

    Nothing of the history before it is opened for writing or lost: its files are renamed. Killed
    between any two steps, it leaves the history before it, or one that no server starts with
    until this has been done again. Raises StoreError or FolderError.
    """
    with lock_folder(data):
        restoring = _Restoring(data / "chat.db")
        try:
            restoring.finish_last()
            restored = restoring.prepare(file)
        except UNUSABLE as error:
            restoring.clean()
            why = reason(error)
            raise StoreError(f"cannot restore {file}, nothing has changed: {why}") from error
        try:
            kept = restoring.replace()
        except OSError as error:
            raise StoreError(f"not finished, do it again: {reason(error)}") from error
    return f"restored {restored}; {kept}"


@dataclass(slots=True)
class _Restoring:
    """The files of one restore."""

    database: Path
    secret: bytes | None = None  # the key in the backup, if there is one
    before: bytes | None = None  # the key that is there

    @property
    def part(self) -> Path:
        return beside(self.database, ".part")

    @property
    def present(self) -> Path:
        return self.database.with_name("secret")

    @property
    def files(self) -> Path:
        return self.database.with_name("files")

    def finish_last(self) -> None:
        """Killed before it had renamed the journals too: they belong to what it renamed last."""
        if self.database.exists():
            finish_files(self.files)
        if self.part.exists() and not self.database.exists() and (last := self._last()):
            self._set_journals_aside(last)

    def prepare(self, file: Path) -> str:
        """A whole new database beside the old one, closed and synced; says what is in it."""
        file.open("rb").close()  # says more than SQLite does about what is in the way
        if os.path.ismount(self.files):
            raise OSError(errno.EBUSY, "cannot be set aside, it is a disk: unmount it", self.files)
        self.clean()
        self.before = self.present.read_bytes() if self.present.exists() else None
        with only_writer(self.part):
            with closing(at_rest(file)) as source, closing(unsynced(self.part)) as copy:
                copy_history(source, copy)
                row = copy.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
                self.secret = row and row[0].encode()
                copy.execute("DELETE FROM meta WHERE key = 'secret'")
                mark(copy, "epoch", secrets.token_hex(8))
                mark(copy, "state", "closed")
                lost = self._sign_out(copy)
                forget_gone(copy)
                old = self._old()
                owner = (old if old.exists() else old.parent).stat()
                with Restored(self.files, owner) as files:
                    saved = counted(copy) + files.prepare(copy, file)
            sync(self.part)
            give(self.part, owner)
            sync(self.part.parent)
        return f"{saved} from {file}{lost}"

    def replace(self) -> str:
        """Change the places; says where the history before it is."""
        folder, number = self.database.parent, self._last()
        if any(beside(self.database, ending).exists() for ending in ("", *JOURNALS)) or (
            self.files.exists() and beside(self.files, f"{ASIDE}{number}").exists()
        ):
            number += 1
        aside = beside(self.database, f"{ASIDE}{number}")
        if self.database.exists():
            self.database.rename(aside)
            sync(folder)  # from here on no server starts
        self._set_journals_aside(number)
        self._change_secret(beside(self.present, f"{ASIDE}{number}"))
        files = self._set_files_aside(number)
        self.part.rename(self.database)
        sync(folder)
        finish_files(self.files)
        if not aside.exists():
            return "there was none before it"
        return f"the one before is in {aside}" + (f", its files in {files}" if files else "")

    def clean(self) -> None:
        """Remove what a restore that did not get far has left."""
        for ending in ("", *JOURNALS, "-journal"):
            beside(self.part, ending).unlink(missing_ok=True)
        remove(beside(self.files, ".part"))

    def _sign_out(self, copy: sqlite3.Connection) -> str:
        """Who has signed out since the backup stays signed out, if the old history can be read.

        With no key at all nobody can prove who they are: then all names are free again.
        """
        if self.secret is None and self.before is None:
            copy.execute("UPDATE users SET skeleton = NULL")
            return " (it has no key for the cookies: everyone joins again)"
        with suppress(sqlite3.Error, UnicodeError), closing(at_rest(self._old())) as old:
            gone = old.execute("SELECT gone, id FROM users WHERE skeleton IS NULL").fetchall()
            copy.executemany("UPDATE users SET skeleton = NULL, gone = ? WHERE id = ?", gone)
            stay_out(old, copy)
            stay_used(old, copy)
        return "" if self.secret else " (it has no key for the cookies: the present one stays)"

    def _set_journals_aside(self, number: int) -> None:
        for ending in JOURNALS:
            journal = beside(self.database, ending)
            if journal.exists():
                journal.rename(beside(self.database, f"{ASIDE}{number}{ending}"))
        sync(self.database.parent)

    def _set_files_aside(self, number: int) -> Path | None:
        """Where they are; None if there are none. No part of the new ones is in their place yet."""
        aside = beside(self.files, f"{ASIDE}{number}")
        if self.files.exists():
            self.files.rename(aside)
            sync(aside.parent)
        if any(blobs_in(aside)):
            return aside
        remove(aside)
        return None

    def _change_secret(self, kept: Path) -> None:
        """The key of the history before it is kept with it; at no moment is there none."""
        if self.secret in (None, self.before):
            return
        if self.before is not None and not kept.exists():
            write_secret(kept, self.before)
        write_secret(self.present, self.secret)

    def _last(self) -> int:
        """The highest number that is taken."""
        pattern = re.compile(rf"(?:chat\.db|secret|files){re.escape(ASIDE)}(\d+)")
        found = map(pattern.match, os.listdir(self.database.parent))
        return max((int(name[1]) for name in found if name), default=0)

    def _old(self) -> Path:
        """The history before it: still in its place, or renamed when this was tried before."""
        if self.database.exists():
            return self.database
        return beside(self.database, f"{ASIDE}{self._last()}")
