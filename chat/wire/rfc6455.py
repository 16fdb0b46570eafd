"""Parser: what a client's bytes say, by RFC 6455, strictly. It knows no socket and no clock.

Bytes go in as they come, split anywhere; whole messages come out, and at the end why it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chat.wire.codes import FRAME_LIMIT, Close
from chat.wire.frames import BINARY, CLOSE, PING, PONG, TEXT

TURN = 64  # frames parsed at once: then it is somebody else's turn
JUNK = 400  # control frames and fragments a peer may send between two sweeps (20 s)

_WHOLE_TEXT = 0x80 | TEXT  # the first byte of nearly every frame


class Ping(NamedTuple):
    """To be answered by a pong with the same payload."""

    payload: bytes


class Binary(NamedTuple):
    """A binary message, whose payload nobody wants."""


class Closed(NamedTuple):
    """The peer has closed, with this code or without one: to be answered in kind. The last."""

    code: int | None


class Broken(NamedTuple):
    """A rule is broken: close with this code. The last."""

    code: int
    reason: str


Said = str | Ping | Binary | Closed | Broken  # a text message is a str

_PROTOCOL_ERROR = Broken(Close.PROTOCOL_ERROR, "protocol error")
_TOO_BIG = Broken(Close.TOO_BIG, "message too big")
_NOT_UTF8 = Broken(Close.BAD_DATA, "not UTF-8")
_BAD_CODE = Broken(Close.PROTOCOL_ERROR, "illegal close code")
_FLOOD = Broken(Close.POLICY, "too many control frames or fragments")


class _Over(Exception):
    """Nothing can follow what is said with this."""

    def __init__(self, said: Closed | Broken) -> None:
        self.said = said


class Parser:
    """Owns the unfinished frame, the unfinished message, and the count of what says nothing.

    `unmask(mask, payload)` is handed in: in Python it would cost more than all the rest.
    """

    __slots__ = ("_fragments", "_opcode", "_rest", "_unmask", "junk", "more", "unfinished")

    def __init__(self, unmask: Callable[[bytes, bytes], bytes]) -> None:
        self.junk = 0  # set to 0 again by each sweep
        self.more = False  # a turn is full: there may be more in what was fed already
        self.unfinished = False  # a frame or a message was begun and waits for the rest
        self._unmask = unmask
        self._rest: bytes | None = b""  # None when it is over
        self._opcode = 0
        self._fragments: bytearray | None = None

    def end(self) -> None:
        """Nothing is said any more; what was begun is forgotten."""
        self._rest = self._fragments = None
        self.more = self.unfinished = False

    def feed(self, data: bytes) -> list[Said]:
        """What is said by these bytes and those before, of at most a turn's worth of frames."""
        if self._rest:
            data = self._rest + data
        elif self._rest is None:
            return []
        found: list[Said] = []
        try:
            self._rest = self._parse(data, found)
        except _Over as over:
            found.append(over.said)
        except UnicodeDecodeError:
            found.append(_NOT_UTF8)
        else:
            return found
        self.end()
        return found

    def _parse(self, data: bytes, found: list[Said]) -> bytes:
        """Take whole frames from the data; return the rest."""
        at, size, left = 0, len(data), TURN
        while left and size - at >= 2:
            first, second = data[at], data[at + 1]
            length, start = second & 0x7F, at + 6
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 8
            elif length == 127:
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 14
            # Nearly every frame is a whole text that is legal at a glance.
            usual = first == _WHOLE_TEXT and second & 0x80 and length <= FRAME_LIMIT
            if not usual or self._fragments is not None:
                self._check(first, second, length)
            if size < start + length:
                break
            payload = self._unmask(data[start - 4 : start], data[start : start + length])
            at = start + length
            left -= 1
            if first == _WHOLE_TEXT:
                found.append(payload.decode())
            elif (said := self._take(first, payload)) is not None:
                found.append(said)
        self.more = not left and size - at >= 2
        self.unfinished = at < size or self._fragments is not None
        return data[at:]

    def _check(self, first: int, second: int, length: int) -> None:
        """RFC 6455 section 5: masked, no reserved bits, known opcodes, short control frames.

        A length of which not every byte is here is at least what it seems.
        """
        opcode = first & 0x0F
        control = opcode & 0x8
        fragments = self._fragments
        if (
            first & 0x70
            or not second & 0x80
            or opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG)
            or (control and (not first & 0x80 or second & 0x7F > 125))
            or (not control and (opcode == 0) != (fragments is not None))
        ):
            raise _Over(_PROTOCOL_ERROR)
        if not control and length + len(fragments or b"") > FRAME_LIMIT:
            raise _Over(_TOO_BIG)

    def _take(self, first: int, payload: bytes) -> Said | None:
        """What a frame says that is not a whole text."""
        opcode, final = first & 0x0F, first & 0x80
        if opcode & 0x8 or not final or not payload:
            self.junk += 1
            if self.junk > JUNK:
                raise _Over(_FLOOD)
        if opcode == CLOSE:
            raise _Over(Closed(_code(payload)))
        if opcode == PING:
            return Ping(payload)
        return None if opcode == PONG else self._fragment(opcode, final, payload)

    def _fragment(self, opcode: int, final: int, payload: bytes) -> Said | None:
        if opcode:
            self._opcode = opcode
            self._fragments = bytearray()
        buffer = self._fragments
        assert buffer is not None
        buffer += payload
        if not final:
            return None
        self._fragments = None
        return buffer.decode() if self._opcode == TEXT else Binary()


def _code(payload: bytes) -> int | None:
    """The code of a close frame, if it has a legal one (RFC 6455 section 7.4)."""
    code = int.from_bytes(payload[:2], "big") if payload else None
    legal = code is None or code in range(1000, 1015) or code in range(3000, 5000)
    if len(payload) == 1 or not legal or code in (1004, 1005, 1006):
        raise _Over(_BAD_CODE)
    payload[2:].decode()
    return code
