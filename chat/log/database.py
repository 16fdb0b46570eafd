"""The database file: how it is opened, closed and brought up to date, and when it is refused."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import unicodedata
from pathlib import Path

from chat.datafolder import beside
from chat.log.migrations import MIGRATIONS, drop_before, keep_before
from chat.rules.lookalikes import RULE, skeleton

log = logging.getLogger("chat.store")

CACHE = 512  # KiB of pages that the reader keeps for itself
BUSY = 5_000  # milliseconds a write waits for another program that writes
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "wal_autocheckpoint = 1000",
    "journal_size_limit = 67108864",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cell_size_check = ON",
    "temp_store = MEMORY",  # what a savepoint would bring back is kept in no file
    "secure_delete = ON",  # a deleted text is overwritten in the file
)
# Tables whose indexes are checked at each start.
SMALL = ("meta", "users", "rooms", "reads", "kept", "files", "members", "bans", "devices", "tokens")


class StoreError(Exception):
    """The database cannot be used; the text is one line for the person who started the program."""


# SQLite quotes what is damaged in a schema, and Python cannot always decode that.
UNUSABLE = (sqlite3.Error, OSError, UnicodeError)
JOURNALS = ("-wal", "-shm")  # SQLite finds what belongs to a database by its name
ADVICE = "python run.py restore FILE brings back a backup"


def open_database(
    path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open or create it, durable and checked. Raises sqlite3.Error or OSError."""
    refuse_leftovers(path)
    drop_before(path)
    if beside(path, ".part").exists():
        log.warning("a restore was cut short, this is the history before it: do it again")
    _close_to_others(path)
    db = sqlite3.connect(
        path, timeout=BUSY / 1000, isolation_level=None, check_same_thread=False, factory=factory
    )
    db.text_factory = _text
    try:
        prepared(db, *PRAGMAS)
        check(db)
        _migrate(db, path)
        _mark_open(db, path)
    except UNUSABLE as error:
        db.close()
        codes = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in codes
        if damaged or isinstance(error, UnicodeError):
            reason = " ".join(str(error).split())
            raise sqlite3.DatabaseError(f"it is damaged ({reason}): {ADVICE}") from error
        raise
    return db


def close_database(db: sqlite3.Connection) -> None:
    """Take the journal in, say in the file that nothing is missing from it, and close it."""
    with contextlib.suppress(sqlite3.OperationalError):  # a full disk: see _journal_is_lost
        mark(db, "state", "closed")
    db.close()


def mark(db: sqlite3.Connection, key: str, value: str) -> None:
    """Set a row of `meta`."""
    db.execute(
        "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def refuse_leftovers(path: Path) -> None:
    """Raise sqlite3.DatabaseError where opening would begin an empty history, or an older one."""
    if not path.exists():
        endings = ("-wal", ".part", ".before-restore*")
        left = [file.name for ending in endings for file in path.parent.glob(path.name + ending)]
        if left:
            raise sqlite3.DatabaseError(
                f"it is missing, but {min(left)} is there: do the restore again that was cut short"
                f" ({ADVICE}), or move that away to begin anew"
            )
    elif not beside(path, "-wal").exists() and _journal_is_lost(path):
        raise sqlite3.DatabaseError(
            f"it was in use, and its journal {path.name}-wal with the newest messages is missing:"
            f" put that back, or go on without it: python run.py restore {path}"
        )


def _journal_is_lost(path: Path) -> bool:
    """Whether a file without a journal was in use when it lost it.

    While a server runs, the file says "opened" up to the first checkpoint and then "in use" by a
    file of this number in a folder of this number; a clean end says "closed". SQLite's own shell
    may have closed it after a kill and taken the journal in: then it is the same file in the same
    place, and no `-shm` is left either. What VACUUM INTO made has no use for a journal.
    Read as immutable, since a look must not make a journal.
    """
    with path.open("rb") as file:
        if file.read(19)[18:] != b"\2":  # the read version in SQLite's file header: 2 is WAL
            return False
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            row = db.execute("SELECT value FROM meta WHERE key = 'state'").fetchone()
    except UNUSABLE:
        return False  # opening it says what is wrong
    if row is None or row[0] == "closed":
        return False
    return row[0] != _in_use(path) or beside(path, "-shm").exists()


def _in_use(path: Path) -> str:
    return f"in use {path.stat().st_ino} {path.parent.stat().st_ino}"


def _mark_open(db: sqlite3.Connection, path: Path) -> None:
    try:
        # What was erased just before a kill, or by bringing it up to date, is still in the journal.
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        mark(db, "state", "opened")
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # into the file itself
        mark(db, "state", _in_use(path))  # into the journal
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode or 0) & 0xFF != sqlite3.SQLITE_FULL:  # it can still be read
            raise


def _close_to_others(path: Path) -> None:
    """SQLite would make it readable to all. An owner who may not write it is told its name."""
    for file in (path, *(beside(path, ending) for ending in JOURNALS)):
        if file == path or file.exists():
            opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if os.fstat(opened).st_mode & 0o077:
                    os.fchmod(opened, 0o600)
            finally:
                os.close(opened)


def check(db: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError if it is damaged, or made by a newer version.

    After a clean end indexes are believed (reading all of them takes four times as long, four
    seconds a million messages), but for those of the small tables. After any other end, as when
    one was found damaged, they are checked, and made anew from what they point to.
    """
    damage = _damage(db, "quick_check(1)")
    checks = [f"integrity_check({table})" for table in SMALL if damage is None and _has(db, table)]
    if damage is None and not _ended_cleanly(db):
        checks = ["integrity_check(1)"]
    if any(_damage(db, check) for check in checks):
        log.warning("an index is damaged, all are made anew")
        try:
            db.execute("REINDEX")
        except sqlite3.IntegrityError as error:
            damage = str(error)
        else:
            damage = _damage(db, "integrity_check(1)")
    if damage is not None:
        raise sqlite3.DatabaseError(f"it is damaged ({damage}): {ADVICE}")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise sqlite3.DatabaseError("it was made by a newer version of this program")


def _damage(db: sqlite3.Connection, check: str) -> str | None:
    (found,) = db.execute(f"PRAGMA {check}").fetchone()
    return None if found == "ok" else " ".join(found.split())


def _has(db: sqlite3.Connection, table: str) -> bool:
    sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return bool(db.execute(sql, (table,)).fetchone()[0])


def _ended_cleanly(db: sqlite3.Connection) -> bool:
    if not _has(db, "meta"):
        return True
    row = db.execute("SELECT value FROM meta WHERE key = 'state'").fetchone()
    return row is None or row[0] == "closed"


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises sqlite3.Error."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.text_factory = _text
    return prepared(db, f"cache_size = -{CACHE}")  # the system has the file in memory, once for all


def prepared(db: sqlite3.Connection, *pragmas: str) -> sqlite3.Connection:
    """The connection, set up; closed if that fails. Raises sqlite3.Error."""
    try:
        for pragma in pragmas:
            db.execute(f"PRAGMA {pragma}").fetchall()
    except UNUSABLE:
        db.close()
        raise
    return db


def _text(raw: bytes) -> str:
    """A text as it is stored. What is not UTF-8 is damage, which the checksum of its row tells;
    an exception would take every other row of the query with it."""
    return raw.decode("utf-8", "replace")


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if 0 < version < len(MIGRATIONS):
        keep_before(db, path)
    for number, step in enumerate(MIGRATIONS[version:], version + 1):
        db.execute("BEGIN IMMEDIATE")
        step(db)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    _check_columns(db)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (secrets.token_hex(8),))
    _fold_names(db)


def _check_columns(db: sqlite3.Connection) -> None:
    """Raise sqlite3.DatabaseError where one is missing: of rot in a name SQLite sees nothing."""
    sql = "SELECT m.name, p.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS p"
    with contextlib.closing(sqlite3.connect(":memory:")) as new:
        for step in MIGRATIONS:
            step(new)
        missing = set(new.execute(sql)) - set(db.execute(sql))
    if missing:
        column = ".".join(min(missing))
        raise sqlite3.DatabaseError(f"it is damaged ({column} is missing): {ADVICE}")


def _fold_names(db: sqlite3.Connection) -> None:
    """Make the skeletons again after the rule has changed, or Python's Unicode with a new Debian.

    Everybody keeps the name they have. Of two that look alike by now, the one seen last holds it;
    the other's skeleton ends in their id, which nobody's name can equal.
    """
    rule = f"{RULE} {unicodedata.unidata_version}"
    known = db.execute("SELECT value FROM meta WHERE key = 'names'").fetchone()
    if known == (rule,):
        return
    held = db.execute("SELECT id, name FROM users WHERE skeleton IS NOT NULL ORDER BY seen DESC")
    folded: dict[str, str] = {}
    for id, name in held.fetchall():
        look = skeleton(name)
        folded[look if look and look not in folded else f"{look}\n{id}"] = id
    db.execute("SAVEPOINT names")
    db.execute("UPDATE users SET skeleton = id || char(10) WHERE skeleton IS NOT NULL")  # make way
    db.executemany("UPDATE users SET skeleton = ? WHERE id = ?", folded.items())
    db.execute("INSERT OR REPLACE INTO meta VALUES ('names', ?)", (rule,))
    db.execute("RELEASE names")
