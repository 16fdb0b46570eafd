"""Backup and restore: the history and the key that signs cookies in one file.

A backup is a database like the one it was made of, with the key as a row of `meta`.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from chat.datafolder import beside, give, lock_folder, read_secret, sync, write_secret
from chat.log.database import (
    JOURNALS,
    UNUSABLE,
    StoreError,
    check,
    mark,
    open_for_reading,
    prepared,
    refuse_leftovers,
)
from chat.log.reads import forget_gone

KEEP = 7  # backups with a date; what was deleted must not live on in older ones
KEEP_DAYS = 7
DATED = "chat-%Y-%m-%d-%H%M%S.db"  # UTC
ASIDE = ".before-restore-"  # and a number


def backup(data: Path, file: Path | None) -> str:
    """Save history and key of this data folder, also while a server runs; says what was saved.

    Without a file: in `backups` there, where those that are too many or too old are removed.
    Raises StoreError or FolderError; then nothing has changed.
    """
    folder = data / "backups"
    target = file or folder / time.strftime(DATED, time.gmtime())
    part = folder / "part" if file is None else beside(file, ".part")
    try:
        if target.is_dir() or target.resolve().parent == data.resolve():
            raise sqlite3.DatabaseError("that is no place for a backup, give a file elsewhere")
        refuse_leftovers(data / "chat.db")
        if not (data / "chat.db").exists():
            raise sqlite3.DatabaseError("there is no history yet")
        secret = read_secret(data).decode()
        if file is None:
            folder.mkdir(0o700, exist_ok=True)
            give(folder, data.stat())
        with _only_writer(part):
            saved = _copied(data / "chat.db", part, secret)
            if file is None:
                give(part, data.stat())
            part.replace(target)
            sync(target.parent)
        if file is None:
            _forget_old(folder)
    except UNUSABLE as error:
        raise StoreError(f"cannot back up {data} to {target}: {_reason(error)}") from error
    return f"saved {saved}, {target.stat().st_size:,} bytes, in {target}"


@contextmanager
def _only_writer(part: Path) -> Iterator[None]:
    """An empty file of mode 0600 that one process fills; gone afterwards if it still is there."""
    opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.fstat(opened).st_ino == part.stat().st_ino
        except (BlockingIOError, FileNotFoundError):
            same = False
        if os.fstat(opened).st_uid not in (os.geteuid(), part.parent.stat().st_uid):
            raise sqlite3.OperationalError(f"{part} belongs to somebody else: remove it")
        if not same:  # somebody else fills it, or has just finished
            raise sqlite3.OperationalError("another backup is being made")
        os.ftruncate(opened, 0)
        os.fchmod(opened, 0o600)
        try:
            yield
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    finally:
        os.close(opened)


def _copied(database: Path, part: Path, secret: str) -> str:
    """Copy, check and complete; says what is in it.

    The copy is one step of SQLite's backup: a third of the time of VACUUM INTO, during which the
    server writes on but cannot shorten its journal. Many small steps would begin again at every
    write of the server. So the copy is synced, checked and counted afterwards.
    """
    with closing(open_for_reading(database)) as source, closing(_unsynced(part)) as copy:
        _copy(source, copy)
        mark(copy, "secret", secret)
        mark(copy, "state", "closed")
        saved = _counted(copy)
    _sync_file(part)
    return saved


def _forget_old(folder: Path) -> None:
    dated = sorted(
        (path for path in folder.iterdir() if re.fullmatch(r"chat-[-\d]{17}\.db", path.name)),
        reverse=True,
    )
    oldest = time.strftime(DATED, time.gmtime(time.time() - KEEP_DAYS * 86_400))
    for place, path in enumerate(dated):
        if place >= KEEP or path.name < oldest:
            path.unlink()


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
            reason = _reason(error)
            raise StoreError(f"cannot restore {file}, nothing has changed: {reason}") from error
        try:
            kept = restoring.replace()
        except OSError as error:
            raise StoreError(f"not finished, do it again: {_reason(error)}") from error
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

    def finish_last(self) -> None:
        """Killed before it had renamed the journals too: they belong to what it renamed last."""
        if self.part.exists() and not self.database.exists() and (last := self._last()):
            self._set_journals_aside(last)

    def prepare(self, file: Path) -> str:
        """A whole new database beside the old one, closed and synced; says what is in it."""
        file.open("rb").close()  # says more than SQLite does about what is in the way
        self.clean()
        self.before = self.present.read_bytes() if self.present.exists() else None
        with _only_writer(self.part):
            with closing(_at_rest(file)) as source, closing(_unsynced(self.part)) as copy:
                _copy(source, copy)
                row = copy.execute("SELECT value FROM meta WHERE key = 'secret'").fetchone()
                self.secret = row and row[0].encode()
                copy.execute("DELETE FROM meta WHERE key = 'secret'")
                mark(copy, "epoch", secrets.token_hex(8))
                mark(copy, "state", "closed")
                lost = self._sign_out(copy)
                forget_gone(copy)
                saved = _counted(copy)
            _sync_file(self.part)
            old = self._old()
            give(self.part, (old if old.exists() else old.parent).stat())
            sync(self.part.parent)
        return f"{saved} from {file}{lost}"

    def replace(self) -> str:
        """Change the places; says where the history before it is."""
        folder, number = self.database.parent, self._last()
        if any(beside(self.database, ending).exists() for ending in ("", *JOURNALS)):
            number += 1
        aside = beside(self.database, f"{ASIDE}{number}")
        if self.database.exists():
            self.database.rename(aside)
            sync(folder)  # from here on no server starts
        self._set_journals_aside(number)
        self._change_secret(beside(self.present, f"{ASIDE}{number}"))
        self.part.rename(self.database)
        sync(folder)
        return f"the one before is in {aside}" if aside.exists() else "there was none before it"

    def clean(self) -> None:
        """Remove what a restore that did not get far has left."""
        for ending in ("", *JOURNALS, "-journal"):
            beside(self.part, ending).unlink(missing_ok=True)

    def _sign_out(self, copy: sqlite3.Connection) -> str:
        """Who has signed out since the backup stays signed out, if the old history can be read.

        With no key at all nobody can prove who they are: then all names are free again.
        """
        if self.secret is None and self.before is None:
            copy.execute("UPDATE users SET skeleton = NULL")
            return " (it has no key for the cookies: everyone joins again)"
        with suppress(sqlite3.Error, UnicodeError), closing(_at_rest(self._old())) as old:
            gone = old.execute("SELECT gone, id FROM users WHERE skeleton IS NULL").fetchall()
            copy.executemany("UPDATE users SET skeleton = NULL, gone = ? WHERE id = ?", gone)
        return "" if self.secret else " (it has no key for the cookies: the present one stays)"

    def _set_journals_aside(self, number: int) -> None:
        for ending in JOURNALS:
            journal = beside(self.database, ending)
            if journal.exists():
                journal.rename(beside(self.database, f"{ASIDE}{number}{ending}"))
        sync(self.database.parent)

    def _change_secret(self, kept: Path) -> None:
        """The key of the history before it is kept with it; at no moment is there none."""
        if self.secret in (None, self.before):
            return
        if self.before is not None and not kept.exists():
            write_secret(kept, self.before)
        write_secret(self.present, self.secret)

    def _last(self) -> int:
        """The highest number that is taken."""
        pattern = re.compile(rf"(?:chat\.db|secret){re.escape(ASIDE)}(\d+)")
        found = map(pattern.match, os.listdir(self.database.parent))
        return max((int(name[1]) for name in found if name), default=0)

    def _old(self) -> Path:
        """The history before it: still in its place, or renamed when this was tried before."""
        if self.database.exists():
            return self.database
        return beside(self.database, f"{ASIDE}{self._last()}")


def _at_rest(path: Path) -> sqlite3.Connection:
    """For a file that nobody writes: a look at it leaves no journal beside it."""
    if beside(path, "-wal").exists():
        return open_for_reading(path)
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _copy(source: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy the whole database in one step and check it: whole, of this program, not newer."""
    source.backup(copy)
    copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # alone in its file
    if not copy.execute("PRAGMA user_version").fetchone()[0]:
        raise sqlite3.DatabaseError("it is not a database of this program")
    check(copy)


def _unsynced(part: Path) -> sqlite3.Connection:
    """For a file that nobody else reads, and that is removed if anything fails."""
    db = sqlite3.connect(part, isolation_level=None)
    return prepared(db, "synchronous = OFF", "trusted_schema = OFF", "secure_delete = ON")


def _counted(db: sqlite3.Connection) -> str:
    (rooms,) = db.execute("SELECT count(*) FROM rooms").fetchone()
    messages = _messages(db)
    return f"{rooms:,} room{'s' * (rooms != 1)}, {messages:,} message{'s' * (messages != 1)}"


def _messages(db: sqlite3.Connection) -> int:
    """Also of a history that is still to be brought up to date."""
    try:
        (count,) = db.execute("SELECT count(*) FROM things WHERE kind = 'message'").fetchone()
    except sqlite3.OperationalError:
        (count,) = db.execute("SELECT count(*) FROM messages WHERE NOT deleted").fetchone()
    return int(count)


def _sync_file(path: Path) -> None:
    opened = os.open(path, os.O_RDWR)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return " ".join(str(error).split())
