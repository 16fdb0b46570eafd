"""Cids: which commands have been carried out, so that none is carried out twice.

Kept for seven days, inside the savepoint of the command: one that is refused is not remembered.
"""

from __future__ import annotations

import sqlite3
import zlib

from chat.log.operations import Lasting
from chat.wire.codes import Refusal
from chat.wire.protocol import Message


class Cids:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def known(self, op: Lasting, room: int | None) -> int | None:
        """The rev at which this command was carried out already; None if it was not.

        Raises Refusal cid_reused if that was another one.
        """
        row = self._db.execute(
            "SELECT room, rev, digest FROM cids WHERE author = ? AND cid = ?", (op.author, op.cid)
        ).fetchone()
        if row is None:
            return None
        where, rev, asked = row
        if where != room or (asked is not None and asked != digest(op)):
            raise Refusal("cid_reused")
        return int(rev)

    def keep(self, op: Lasting, room: int, rev: int) -> None:
        """It is carried out."""
        self._db.execute(
            "INSERT INTO cids (author, cid, room, rev, digest, at) VALUES (?, ?, ?, ?, ?, ?)",
            (op.author, op.cid, room, rev, digest(op), op.at),
        )

    def unread(self, *messages: Message) -> None:
        """The texts of these messages are no more: neither is what they could be guessed by."""
        self._db.executemany(
            "UPDATE cids SET digest = NULL WHERE author = ? AND cid = ?",
            [(message.user, message.cid) for message in messages],
        )

    def forget(self, before: int, count: int) -> int:
        """Forget some of those that are older than this time; how many."""
        return self._db.execute(
            "DELETE FROM cids WHERE at < ? AND n IN (SELECT n FROM cids ORDER BY n LIMIT ?)",
            (before, count),
        ).rowcount


def digest(op: Lasting) -> int:
    """What was asked for, as a CRC-32: it only has to tell a client's mistake."""
    return zlib.crc32(f"{op.verb.value} {op.asked}".encode("utf-8", "surrogatepass"))
