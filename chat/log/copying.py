"""Copying a history into another file: whole, checked, and by one process at a time."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chat.datafolder import beside
from chat.log.database import check, open_for_reading, prepared


@contextmanager
def only_writer(part: Path) -> Iterator[None]:
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


def at_rest(path: Path) -> sqlite3.Connection:
    """For a file that nobody writes: a look at it leaves no journal beside it."""
    if beside(path, "-wal").exists():
        return open_for_reading(path)
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def copy_history(source: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """Copy the whole database in one step and check it: whole, of this program, not newer."""
    source.backup(copy)
    copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # alone in its file
    if not copy.execute("PRAGMA user_version").fetchone()[0]:
        raise sqlite3.DatabaseError("it is not a database of this program")
    check(copy)


def unsynced(part: Path) -> sqlite3.Connection:
    """For a file that nobody else reads, and that is removed if anything fails."""
    db = sqlite3.connect(part, isolation_level=None)
    return prepared(db, "synchronous = OFF", "trusted_schema = OFF", "secure_delete = ON")


def counted(db: sqlite3.Connection) -> str:
    """What is in a history."""
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


def reason(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return " ".join(str(error).split())
