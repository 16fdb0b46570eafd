"""User, Draft and Message as rows: what is kept, and the checksum that notices damage."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chat.protocol import Message

log = logging.getLogger("chat.store")

ROW = "id, rev, author, cid, name, color, at, text, edited, deleted, sum, room"
IN_ROOM = "room = (SELECT id FROM rooms WHERE name = ?)"


@dataclass(frozen=True, slots=True)
class User:
    """A person with a name. `seen` is in UTC milliseconds."""

    id: str
    name: str
    skeleton: str
    color: int
    seen: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no id yet. `at` is in UTC milliseconds."""

    room: str
    author: str
    cid: str | None
    name: str
    color: int
    at: int
    text: str


def checksum(room: int, m: Message) -> int:
    """SQLite does not notice altered bytes inside a row, so each row carries a CRC-32."""
    fields = (m.id, m.rev, m.user, m.cid, m.name, m.color, m.at, m.text, m.edited, m.deleted)
    return zlib.crc32(f"{room} {fields!r}".encode())


def message_of(row: Sequence[Any]) -> Message:
    """A row as a message; one whose checksum is wrong comes back as damaged, without text."""
    id, rev, author, cid, name, color, at, text, edited, deleted, sum, room = row
    message = Message(rev, id, author, name, color, at, text, cid, edited, deleted=bool(deleted))
    if checksum(room, message) == sum:
        return message
    log.error("message %d of room %d is damaged on disk", id, room)
    return Message(
        rev, id, author, name, color, at, "", cid, edited, deleted=bool(deleted), damaged=True
    )
