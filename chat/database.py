"""The database file: how it is opened, brought up to date, and replaced by a backup."""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

# Append-only: user_version is how many have been applied (tests upgrade from each of them).
MIGRATIONS = [
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE users (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, skeleton TEXT, color INTEGER NOT NULL,
        seen INTEGER NOT NULL, gone INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE UNIQUE INDEX users_skeleton ON users (skeleton) WHERE skeleton IS NOT NULL;
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE messages (
        room INTEGER NOT NULL REFERENCES rooms, id INTEGER NOT NULL, rev INTEGER NOT NULL,
        author TEXT NOT NULL, cid TEXT, name TEXT NOT NULL, color INTEGER NOT NULL,
        at INTEGER NOT NULL, text TEXT NOT NULL, edited INTEGER, deleted INTEGER NOT NULL,
        sum INTEGER NOT NULL,
        PRIMARY KEY (room, id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX messages_rev ON messages (room, rev);
    CREATE UNIQUE INDEX messages_cid ON messages (author, cid) WHERE cid IS NOT NULL;
    """,
]

BUSY = 5_000  # milliseconds a write waits for another program that writes


class StoreError(Exception):
    """The database cannot be opened; the text is one line for the person who started the server."""


def open_database(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open or create it, durable and checked. Raises sqlite3.Error."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would make it readable to all
    db = sqlite3.connect(
        path, timeout=BUSY / 1000, isolation_level=None, check_same_thread=False, factory=factory
    )
    db.text_factory = _text
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "wal_autocheckpoint = 1000",
        "journal_size_limit = 67108864",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
        "secure_delete = ON",  # a deleted text is overwritten in the file
    ):
        db.execute(f"PRAGMA {pragma}").fetchall()
    (damage,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if damage != "ok":
        raise sqlite3.DatabaseError(
            f"it is damaged, restore a backup with --restore ({' '.join(damage.split())})"
        )
    _migrate(db)
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = _text
    return db


def _text(raw: bytes) -> str:
    """A text as it is stored. What is not UTF-8 is damage, which the checksum of its row tells;
    an exception would take every other row of the query with it."""
    return raw.decode("utf-8", "replace")


def _migrate(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError("it was made by a newer version of this program")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")
    db.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (secrets.token_hex(8),))


def restore(path: Path, backup: Path) -> None:
    """Replace the database by a backup, under a new epoch. Raises StoreError; then nothing changed.

    The one that was there stays beside it as `chat.db.before-restore`.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as source:
            if not source.execute("PRAGMA user_version").fetchone()[0]:
                raise sqlite3.DatabaseError("it is not a database of this program")
            os.close(os.open(part, os.O_RDWR | os.O_CREAT, 0o600))
            with closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
        with closing(open_database(part)) as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (secrets.token_hex(8),))
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, OSError) as error:
        part.unlink(missing_ok=True)
        raise StoreError(f"cannot restore {backup}: {error}") from error
    if path.exists():
        with closing(sqlite3.connect(path)) as db:  # takes its journal in, so the copy is whole
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.rename(path.with_name(path.name + ".before-restore"))
    for leftover in ("-wal", "-shm"):
        path.with_name(path.name + leftover).unlink(missing_ok=True)
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
