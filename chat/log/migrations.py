"""Migrations: how a file of an older version becomes one of this, with everything in it.

Before the first step the history is kept as it was, beside the database, for a week. Each step is
one transaction: one that is cut short is begun again at the next start.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chat.datafolder import beside, give, sync
from chat.log.things import MOST, Things, damaged
from chat.wire.protocol import Change, Gone, Message

log = logging.getLogger("chat.store")

WEEK = 7 * 24 * 3600  # seconds in which a command may come again, and the old file is kept
BEFORE = ".before-upgrade"  # the ending of its name
Step = Callable[[sqlite3.Connection], None]


def keep_before(db: sqlite3.Connection, path: Path) -> None:
    """The history as it is, in a file beside it, whole and on the disk before anything is changed.

    Raises sqlite3.Error or OSError if there is no room; then nothing has changed.
    """
    before = beside(path, BEFORE)
    log.warning("bringing the history up to date; as it was it is kept in %s for a week", before)
    part = beside(before, ".part")
    for file in (part, beside(part, "-journal"), before):
        file.unlink(missing_ok=True)
    opened = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        db.execute("VACUUM INTO ?", (str(part),))  # an empty file is filled; it is not synced
        os.fsync(opened)
        give(part, path.stat())
        part.rename(before)
        sync(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        os.close(opened)


def drop_before(path: Path) -> None:
    """What was deleted since then must not be kept in it for ever."""
    before = beside(path, BEFORE)
    with contextlib.suppress(FileNotFoundError):
        if time.time() - before.stat().st_mtime > WEEK:
            before.unlink()


def _script(sql: str) -> Step:
    def step(db: sqlite3.Connection) -> None:
        for statement in sql.split(";"):
            db.execute(statement)

    return step


_THINGS = _script("""
    CREATE TABLE things (
        n INTEGER PRIMARY KEY, room INTEGER NOT NULL REFERENCES rooms, kind TEXT, id INTEGER,
        sub TEXT, rev INTEGER, at INTEGER NOT NULL, author TEXT, body BLOB NOT NULL,
        sum INTEGER, tomb INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX things_key ON things (room, kind, id, sub) WHERE kind IS NOT NULL;
    CREATE UNIQUE INDEX things_rev ON things (room, rev) WHERE rev IS NOT NULL;
    CREATE INDEX things_tomb ON things (at) WHERE tomb;
    CREATE TABLE cids (
        n INTEGER PRIMARY KEY, author TEXT NOT NULL, cid TEXT NOT NULL, room INTEGER NOT NULL,
        rev INTEGER NOT NULL, digest INTEGER, at INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX cids_cid ON cids (author, cid);
    ALTER TABLE rooms ADD COLUMN floor INTEGER NOT NULL DEFAULT 0
""")


def _carry_over(db: sqlite3.Connection) -> None:
    """From a table of messages that were written over in place to the things, each written anew."""
    _THINGS(db)
    things, now = Things(db), int(time.time() * 1000)
    rows = db.execute(
        "SELECT id, rev, author, cid, name, color, at, text, edited, deleted, sum, room"
        " FROM messages ORDER BY room, rev"
    )
    unreadable = []
    for row in rows:
        change = _change_of(row)
        if change is None:
            unreadable.append(row)
        elif isinstance(change, Message):
            things.put(row[11], change, change.user, change.at)
        else:
            things.put(row[11], change, "", now)
    for row in unreadable:  # behind the others: what they say may be another one's place
        _keep_damaged(things, row, now)
    db.execute(  # of damaged and deleted ones too; in the order in which they are forgotten
        "INSERT OR IGNORE INTO cids (author, cid, room, rev, at)"
        " SELECT author, cid, room, id, at FROM messages WHERE at > ? AND typeof(at) = 'integer'"
        " AND typeof(author) = 'text' AND typeof(cid) = 'text' ORDER BY at",
        (now - WEEK * 1000,),
    )
    db.execute("DROP TABLE messages")


def _change_of(row: tuple[Any, ...]) -> Change | None:
    """A row of the old table; None for one whose checksum is wrong."""
    id, rev, author, cid, name, color, at, text, edited, deleted, sum, room = row
    fields = (id, rev, author, cid, name, color, at, text, edited, bool(deleted))
    if zlib.crc32(f"{room} {fields!r}".encode()) != sum:
        return None
    if deleted:
        return Gone(rev, id, id)
    said = cid if edited else None
    return Message(rev, id, author, name, color, at, text, None if said else cid, said, edited)


def _keep_damaged(things: Things, row: tuple[Any, ...], now: int) -> None:
    """It is a damaged message, if its place is known and not taken."""
    id, rev, at, room = row[0], row[1], row[6], row[11]
    log.error("message %r of room %r is damaged on disk", id, room)
    if all(isinstance(n, int) for n in (id, rev, room)) and 0 < id <= rev < MOST:
        with contextlib.suppress(sqlite3.IntegrityError):
            things.put(room, damaged(id, rev, at), "", now)


# Append-only: user_version is how many have been applied (tests upgrade from each of them).
MIGRATIONS: list[Step] = [
    _script(
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
        CREATE UNIQUE INDEX messages_cid ON messages (author, cid) WHERE cid IS NOT NULL
        """
    ),
    # Who is here by then has spoken.
    _script(
        """
        ALTER TABLE users ADD COLUMN stage INTEGER NOT NULL DEFAULT 2;
        CREATE INDEX users_stage ON users (stage, seen) WHERE stage < 2 AND skeleton IS NOT NULL
        """
    ),
    _script(
        """
        ALTER TABLE rooms ADD COLUMN title TEXT NOT NULL DEFAULT '';  -- as people typed it
        UPDATE rooms SET title = name;
        DELETE FROM rooms WHERE NOT EXISTS (SELECT 1 FROM messages WHERE room = rooms.id);
        INSERT INTO meta VALUES ('house', 'lobby'), ('house_title', 'lobby')
        """
    ),
    _carry_over,
    # Whom messages are meant for. No text, so its rows may move.
    _script(
        """
        CREATE TABLE meant (
            person TEXT NOT NULL, room INTEGER NOT NULL REFERENCES rooms, id INTEGER NOT NULL,
            PRIMARY KEY (person, room, id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX meant_message ON meant (room, id)
        """
    ),
    # Who has written in a room has it in their list, read to its head.
    _script(
        """
        CREATE TABLE reads (
            n INTEGER PRIMARY KEY, person TEXT NOT NULL, room TEXT NOT NULL, id INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX reads_room ON reads (person, room);
        CREATE TABLE kept (
            n INTEGER PRIMARY KEY, person TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX kept_key ON kept (person, key);
        INSERT INTO reads (person, room, id)
            SELECT users.id, rooms.name, rooms.rev FROM things JOIN rooms ON rooms.id = room
            JOIN users ON users.id = author AND skeleton IS NOT NULL WHERE kind = 'message'
            GROUP BY users.id, rooms.id ORDER BY min(things.n)
        """
    ),
    # No text either: what files are called stands in their messages. The room is named, for it
    # may begin with a file.
    _script(
        """
        CREATE TABLE files (
            id TEXT PRIMARY KEY, room TEXT NOT NULL, person TEXT NOT NULL, type TEXT NOT NULL,
            size INTEGER NOT NULL, width INTEGER, height INTEGER, sha BLOB NOT NULL,
            at INTEGER NOT NULL, message INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX files_message ON files (room, message) WHERE message IS NOT NULL;
        CREATE INDEX files_person ON files (person, size);
        CREATE INDEX files_unbound ON files (at) WHERE message IS NULL
        """
    ),
    # What people are here, and who was let into which rooms: guests, bots, and where it is private.
    _script(
        """
        ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
        ALTER TABLE users ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE users ADD COLUMN made INTEGER NOT NULL DEFAULT 0;
        UPDATE users SET made = seen;
        CREATE TABLE members (
            room TEXT NOT NULL, person TEXT NOT NULL, PRIMARY KEY (room, person)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX members_person ON members (person)
        """
    ),
    # Who is kept out and from where, what moderators did, and what is left to remove. `people` are
    # ids with spaces between them; `room` and `id`: how far a chore has come.
    _script(
        """
        CREATE TABLE bans (
            n INTEGER PRIMARY KEY AUTOINCREMENT,  -- one that was lifted is never another
            person TEXT NOT NULL, name TEXT NOT NULL, network TEXT NOT NULL,
            until INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX bans_person ON bans (person);
        CREATE TABLE audit (
            n INTEGER PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL, name TEXT NOT NULL,
            what TEXT NOT NULL, person TEXT, about TEXT, room TEXT, detail TEXT
        ) STRICT;
        CREATE TABLE chores (
            n INTEGER PRIMARY KEY, what TEXT NOT NULL, people TEXT NOT NULL,
            since INTEGER NOT NULL, until INTEGER NOT NULL,
            room INTEGER NOT NULL, id INTEGER NOT NULL
        ) STRICT;
        ALTER TABLE rooms ADD COLUMN removed INTEGER NOT NULL DEFAULT 0
        """
    ),
    # A cookie named a person; it names a device by now, and everybody's first is called like them.
    _script(
        """
        CREATE TABLE devices (
            n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, person TEXT NOT NULL,
            label TEXT NOT NULL, made INTEGER NOT NULL, seen INTEGER NOT NULL,
            gone INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX devices_person ON devices (person);
        INSERT INTO devices (id, person, label, made, seen)
            SELECT id, id, '', seen, seen FROM users WHERE skeleton IS NOT NULL ORDER BY rowid
        """
    ),
    # What lets somebody in, or writes for a bot: the hashes. And who came by which.
    _script(
        """
        CREATE TABLE tokens (
            n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, code BLOB UNIQUE, kind TEXT NOT NULL,
            room TEXT NOT NULL DEFAULT '', role TEXT NOT NULL DEFAULT '',
            person TEXT NOT NULL DEFAULT '', by TEXT NOT NULL, made INTEGER NOT NULL,
            until INTEGER NOT NULL, uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE came (
            n INTEGER PRIMARY KEY, token INTEGER NOT NULL REFERENCES tokens ON DELETE CASCADE,
            person TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX came_token ON came (token)
        """
    ),
]
