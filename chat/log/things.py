"""User and Message as rows: what is kept, and the checksum that notices damage."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chat.rules.names import COLORS
from chat.wire.protocol import Message

log = logging.getLogger("chat.store")

PAGE = 64 * 1024  # bytes of texts in one page of history; at least one message always
MOST = 2**52  # beyond every rev
LATEST = 253_402_300_800_000  # UTC milliseconds: the year 10000, which no date library knows

ROW = "id, rev, author, cid, name, color, at, text, edited, deleted, sum, room"
IN_ROOM = "room = (SELECT id FROM rooms WHERE name = ?)"


@dataclass(frozen=True, slots=True)
class User:
    """A person with a name. `seen` is in UTC milliseconds; `entered`: was in a room."""

    id: str
    name: str
    skeleton: str
    color: int
    seen: int
    entered: bool = False


class Rows(list[Message]):
    """Messages as they were read; `more`: the log has more of them in that direction."""

    __slots__ = ("more",)

    def __init__(self, messages: Iterable[Message] = (), more: bool = False) -> None:
        super().__init__(messages)
        self.more = more


def checksum(room: int, m: Message) -> int:
    """SQLite does not notice altered bytes inside a row, so each row carries a CRC-32."""
    fields = (m.id, m.rev, m.user, m.cid, m.name, m.color, m.at, m.text, m.edited, m.deleted)
    return zlib.crc32(f"{room} {fields!r}".encode())


def head_of(rev: int, newest: int | None) -> int:
    """The rev a room stands at: of its own row and of its newest change, which must be equal.

    Where they are not, one of them is damaged: the larger one never gives a rev twice, unless it
    is so large that it cannot be one.
    """
    return max((n for n in (rev, newest or 0) if 0 <= n < MOST), default=0)


def message_of(row: Sequence[Any]) -> Message:
    """A row as a message; one whose checksum is wrong comes back as damaged, without its text.

    The rest of a damaged one is brought within its bounds: it may hold anything.
    """
    id, rev, author, cid, name, color, at, text, edited, deleted, sum, room = row
    message = Message(rev, id, author, name, color, at, text, cid, edited, deleted=bool(deleted))
    if checksum(room, message) == sum:
        return message
    log.error("message %r of room %r is damaged on disk", id, room)
    return Message(
        _number(rev, MOST) or _number(id, MOST),
        _number(id, MOST),
        _word(author),
        _word(name),
        _number(color, COLORS),
        _number(at, LATEST),
        "",
        _word(cid) or None,
        _number(edited, LATEST) or None,
        deleted=bool(deleted),
        damaged=True,
    )


def sound(messages: Rows) -> Rows:
    """Without the damaged ones that claim the place of another: their own is not known."""
    if not any(message.damaged for message in messages):
        return messages
    ids = {message.id for message in messages if not message.damaged}
    kept = [m for m in messages if not m.damaged or (0 < m.id <= m.rev and m.id not in ids)]
    return Rows(kept, messages.more)


def _number(value: object, most: int) -> int:
    return value if isinstance(value, int) and 0 <= value < most else 0


def _word(value: object) -> str:
    return value if isinstance(value, str) and "\ufffd" not in value else ""
