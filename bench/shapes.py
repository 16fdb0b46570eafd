"""The shapes a log can have in SQLite, as bench/storage.py measures them."""

from __future__ import annotations

import sqlite3
import sys
import zlib
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from chat.log.database import PRAGMAS, prepared

PAGE = 50  # messages a page and a batch


class Message(msgspec.Struct, tag="message", tag_field="type", omit_defaults=True):
    """A message as the wire says it."""

    rev: int
    id: int
    user: str
    name: str
    color: int
    at: int
    text: str
    cid: str | None = None
    said: str | None = None
    edited: int | None = None


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Message).decode


class Shape:
    """A log; a room is a number. Each shape has insert, edit, delete, page and since.

    `page` is the messages before an id, `since` what changed after a rev, both as they are sent.
    """

    SCHEMA = ""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        prepared(self.db, *PRAGMAS)
        self.db.executescript(self.SCHEMA)
        self.revs: dict[int, int] = {}
        self.commands = 0
        self.kept = 2_000  # commands whose cid is young enough

    def next(self, room: int) -> tuple[int, str]:
        """The next rev of the room, and the cid of the command that takes it."""
        self.revs[room] = rev = self.revs.get(room, 0) + 1
        self.commands += 1
        return rev, f"{self.commands:022d}"

    def say(self, room: int, text: str) -> int:
        """Append a message; its id."""
        rev, cid = self.next(room)
        user = f"{rev % 97:022d}"
        self.insert(room, Message(rev, rev, user, "somebody", 3, 1_700_000_000_000, text, cid))
        return rev


class Before(Shape):
    """One row a message, updated in place; its rev and its cid have an index each."""

    SCHEMA = """
    CREATE TABLE messages (
        room INTEGER NOT NULL, id INTEGER NOT NULL, rev INTEGER NOT NULL, author TEXT NOT NULL,
        cid TEXT, name TEXT NOT NULL, color INTEGER NOT NULL, at INTEGER NOT NULL,
        text TEXT NOT NULL, edited INTEGER, deleted INTEGER NOT NULL, sum INTEGER NOT NULL,
        PRIMARY KEY (room, id)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX messages_rev ON messages (room, rev);
    CREATE UNIQUE INDEX messages_cid ON messages (author, cid) WHERE cid IS NOT NULL;
    """
    ROW = "SELECT rev, id, author, name, color, at, text, cid, edited, sum FROM messages"

    def insert(self, room: int, message: Message) -> None:
        m = message
        found = self.db.execute(
            f"{self.ROW} WHERE author = ? AND cid = ?", (m.user, m.cid)
        ).fetchone()
        assert found is None
        self.db.execute(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?)",
            (room, m.id, m.rev, m.user, m.cid, m.name, m.color, m.at, m.text, self._sum(room, m)),
        )

    def edit(self, room: int, id: int, text: str) -> None:
        row = self.db.execute(f"{self.ROW} WHERE room = ? AND id = ?", (room, id)).fetchone()
        m = self._message(room, row)
        m.rev, m.text, m.edited = self.next(room)[0], text, m.at
        self.db.execute(
            "UPDATE messages SET rev = ?, text = ?, edited = ?, sum = ? WHERE room = ? AND id = ?",
            (m.rev, text, m.edited, self._sum(room, m), room, id),
        )

    def delete(self, room: int, id: int) -> None:
        self.edit(room, id, "")

    def page(self, room: int, before: int) -> bytes:
        return self._sent(room, "id < ? ORDER BY id DESC", before)

    def since(self, room: int, rev: int) -> bytes:
        return self._sent(room, "rev > ? ORDER BY rev", rev)

    def _sent(self, room: int, where: str, number: int) -> bytes:
        sql = f"{self.ROW} WHERE room = ? AND {where} LIMIT {PAGE}"
        return encode([self._message(room, row) for row in self.db.execute(sql, (room, number))])

    def _message(self, room: int, row: tuple) -> Message:
        rev, id, author, name, color, at, text, cid, edited, sum = row
        message = Message(rev, id, author, name, color, at, text, cid, edited=edited)
        assert self._sum(room, message) == sum
        return message

    def _sum(self, room: int, m: Message) -> int:
        fields = (m.id, m.rev, m.user, m.cid, m.name, m.color, m.at, m.text, m.edited, False)
        return zlib.crc32(f"{room} {fields!r}".encode())


CIDS = """
    CREATE TABLE cids (
        n INTEGER PRIMARY KEY, author TEXT NOT NULL, cid TEXT NOT NULL, room INTEGER NOT NULL,
        rev INTEGER NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL, UNIQUE (author, cid)
    ) STRICT;
"""


class Things(Shape):
    """The newest state of each thing as the bytes that are sent, and the cids beside it."""

    READ = ""

    def edit(self, room: int, id: int, text: str) -> None:
        n, m = self._old(room, id)
        said = m.said or m.cid
        m.rev, m.cid = self.next(room)
        m.text, m.edited, m.said = text, m.at, said
        self._known(room, m)
        self.replace(n, room, m)

    def page(self, room: int, before: int) -> bytes:
        return self._sent(room, "kind = 'message' AND id < ? ORDER BY id DESC", before)

    def since(self, room: int, rev: int) -> bytes:
        return self._sent(room, "rev > ? ORDER BY rev", rev)

    def _known(self, room: int, m: Message) -> None:
        """Keep the cid of the command, which nobody has used."""
        sql = "SELECT room, rev, digest FROM cids WHERE author = ? AND cid = ?"
        assert self.db.execute(sql, (m.user, m.cid)).fetchone() is None
        digest = zlib.crc32(m.text.encode()).to_bytes(16, "big")
        sql = "INSERT INTO cids (author, cid, room, rev, digest, at) VALUES (?, ?, ?, ?, ?, ?)"
        self.db.execute(sql, (m.user, m.cid, room, m.rev, digest, m.at))
        if self.commands % 500 == 0:  # as they grow old
            self.db.execute("DELETE FROM cids WHERE n <= ?", (self.commands - self.kept,))

    def _old(self, room: int, id: int) -> tuple[int, Message]:
        """Where the body of a message lies, and the message."""
        sql = f"{self.READ} WHERE room = ? AND kind = 'message' AND id = ? AND sub = ''"
        row = self.db.execute(sql, (room, id)).fetchone()
        return row[0], decode(checked(row))

    def _sent(self, room: int, where: str, number: int) -> bytes:
        sql = f"{self.READ} WHERE room = ? AND {where} LIMIT {PAGE}"
        return b"[" + b",".join(map(checked, self.db.execute(sql, (room, number)))) + b"]"


def checked(row: tuple) -> bytes:
    """The body of a row whose checksum is right."""
    _, room, id, rev, body, sum = row
    assert checksum(room, id, rev, body) == sum
    return body


def checksum(room: int, id: int, rev: int, body: bytes) -> int:
    """A CRC-32 over the bytes and what leads to them; the bytes say the kind themselves."""
    return zlib.crc32(body, zlib.crc32(b"%d %d %d" % (room, id, rev)))


def row_of(room: int, m: Message) -> tuple:
    """What is stored of a message, in the order of the columns."""
    body = encode(m)
    return room, "message", m.id, "", m.rev, m.at, m.user, body, checksum(room, m.id, m.rev, body)


class Row(Things):
    """The bytes in the row. A replaced row stays as a shell: zeros, and no key."""

    SCHEMA = (
        """
    CREATE TABLE things (
        n INTEGER PRIMARY KEY, room INTEGER NOT NULL, kind TEXT, id INTEGER, sub TEXT, rev INTEGER,
        at INTEGER NOT NULL, author TEXT, body BLOB NOT NULL, sum INTEGER,
        UNIQUE (room, kind, id, sub), UNIQUE (room, rev)
    ) STRICT;
    """
        + CIDS
    )
    READ = "SELECT n, room, id, rev, body, sum FROM things"
    KEYLESS = "kind = NULL, id = NULL, sub = NULL, rev = NULL, author = NULL, sum = NULL"

    def insert(self, room: int, message: Message) -> None:
        self._known(room, message)
        self._append(room, message)

    def delete(self, room: int, id: int) -> None:
        n, _ = self._old(room, id)
        self.next(room)
        self.erase(n)

    def replace(self, n: int, room: int, message: Message) -> None:
        self.erase(n)
        self._append(room, message)

    def erase(self, n: int) -> None:
        """Make a shell of a row."""
        self.db.execute(
            f"UPDATE things SET body = zeroblob(length(body)), {self.KEYLESS} WHERE n = ?", (n,)
        )

    def _append(self, room: int, m: Message) -> None:
        self.db.execute(
            "INSERT INTO things (room, kind, id, sub, rev, at, author, body, sum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row_of(room, m),
        )


class Bodies(Things):
    """The bytes in a table of their own; the row that points to them is updated in place."""

    SCHEMA = (
        """
    CREATE TABLE bodies (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE things (
        n INTEGER PRIMARY KEY, room INTEGER NOT NULL, kind TEXT NOT NULL, id INTEGER NOT NULL,
        sub TEXT NOT NULL, rev INTEGER NOT NULL, at INTEGER NOT NULL, author TEXT NOT NULL,
        body INTEGER NOT NULL, sum INTEGER NOT NULL,
        UNIQUE (room, kind, id, sub), UNIQUE (room, rev)
    ) STRICT;
    """
        + CIDS
    )
    READ = "SELECT body, room, id, rev, bytes, sum FROM things JOIN bodies ON bodies.n = body"

    def insert(self, room: int, message: Message) -> None:
        self._known(room, message)
        *key, body, sum = row_of(room, message)
        self.db.execute(
            "INSERT INTO things (room, kind, id, sub, rev, at, author, body, sum)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, self._body(body), sum),
        )

    def delete(self, room: int, id: int) -> None:
        n, _ = self._old(room, id)
        self.next(room)
        self.erase(n)
        self.db.execute(
            "DELETE FROM things WHERE room = ? AND kind = 'message' AND id = ? AND sub = ''",
            (room, id),
        )

    def replace(self, n: int, room: int, message: Message) -> None:
        self.erase(n)
        body, sum = row_of(room, message)[-2:]
        self.db.execute(
            "UPDATE things SET rev = ?, body = ?, sum = ?"
            " WHERE room = ? AND kind = 'message' AND id = ? AND sub = ''",
            (message.rev, self._body(body), sum, room, message.id),
        )

    def erase(self, n: int) -> None:
        """Overwrite the bytes where they lie."""
        self.db.execute("UPDATE bodies SET bytes = zeroblob(length(bytes)) WHERE n = ?", (n,))

    def _body(self, body: bytes) -> int | None:
        return self.db.execute("INSERT INTO bodies (bytes) VALUES (?)", (body,)).lastrowid
