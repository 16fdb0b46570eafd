"""Connection: RFC 6455, strict, on a bare socket. One read of the socket serves many frames.

It lives by callbacks of the event loop: no stream, task or coroutine stands behind it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

from tornado.util import _websocket_mask

from chat.wire.codes import FRAME_LIMIT, Close
from chat.wire.frames import BINARY, CLOSE, PING, PONG, TEXT, frame_bytes

CHUNK = 64 * 1024  # bytes read at once
LINGER = 2.0  # seconds for the peer to answer our close before the socket goes
TURN = 64  # frames served at once: then it is somebody else's turn
FLOOD = 1024 * 1024  # bytes that are read and dropped of a peer that was told to close
JUNK = 400  # control frames and fragments a peer may send between two sweeps (20 s)
OWED = 128 * 1024  # bytes of replies kept for a peer that does not read


class Handler(Protocol):
    """What a Connection tells of itself."""

    def on_message(self, message: str) -> None:
        """A text message has arrived."""

    def on_binary(self) -> None:
        """A binary message has arrived."""

    def lag(self, owed: bytes) -> None:
        """A pong was begun, and the full socket owes the rest of it."""

    def on_drain(self) -> None:
        """The socket has taken all it was owed."""

    def on_ws_connection_close(self, code: int | None) -> None:
        """It is over; `code` is the one of the close frame."""

    def on_cut(self) -> None:
        """The descriptor is free."""

    def log_exception(self, *exc_info: Any) -> None:
        """A message could not be served because of a bug."""


class Connection:
    """Owns the socket, what has been read of an unfinished frame, and what is owed to the peer."""

    __slots__ = (
        *("_closing", "_dropped", "_fragments", "_opcode", "_rest", "code", "drained", "fd"),
        *("handler", "heard", "junk", "loop", "owed", "parked", "send", "sock"),
    )

    def __init__(self, handler: Handler, sock: socket.socket, rest: bytes) -> None:
        if sock.family != socket.AF_UNIX:  # a socket file waits for nothing anyway
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.handler = handler
        self.sock: socket.socket | None = sock
        self.fd = sock.fileno()  # given to the loop: for each socket object it would ask its peer
        self.send = sock.send
        self.loop = asyncio.get_running_loop()
        self.heard = self.drained = self.loop.time()
        self.parked = 0.0  # since when a message is unfinished
        self.junk = 0
        self.owed = b""
        self.code: int | None = None  # of the peer's close
        self._rest = rest
        self._opcode = 0
        self._fragments: bytearray | None = None
        self._closing = False
        self._dropped = 0

    def listen(self) -> None:
        """Read from now on, first what came with the handshake."""
        if self.sock is not None:
            self.loop.add_reader(self.fd, self._readable)
            self._feed(self._rest)

    # -- the end

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Send a close frame, tell the handler now, and give the peer a moment to answer."""
        if self.sock is None or self._closing:
            return
        if self.owed:
            self.cut()  # a close frame cannot stand inside another frame
            return
        payload = b"" if code is None else code.to_bytes(2, "big") + (reason or "").encode()[:120]
        try:
            self.sock.send(frame_bytes(payload, CLOSE))
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()
            return
        # What the peer still sends is read and dropped: closing over unread bytes would reset
        # the connection, and the reset could overtake the close frame.
        self.loop.call_later(LINGER, self.cut)
        self._closing = True
        self.handler.on_ws_connection_close(code)

    def cut(self) -> None:
        """End the connection now; always possible, whatever state it is in."""
        sock, self.sock = self.sock, None
        if sock is None:
            return
        self.loop.remove_reader(self.fd)
        self.loop.remove_writer(self.fd)
        sock.close()
        self.owed = self._rest = b""
        self._fragments = None
        if not self._closing:
            self.handler.on_ws_connection_close(self.code)
        self.handler.on_cut()

    # -- writing what the socket did not take

    def owe(self, data: bytes) -> None:
        """Send this as soon as the socket takes it, before anything else."""
        if self.sock is None or self._closing:
            return
        if len(self.owed) + len(data) > OWED:
            self.cut()
            return
        if not self.owed:
            self.drained = self.loop.time()
            self.loop.add_writer(self.fd, self._writable)
        self.owed += data

    def _writable(self) -> None:
        assert self.sock is not None
        try:
            sent = self.sock.send(self.owed) if self.owed else 0
        except BlockingIOError:
            return
        except OSError:
            self.cut()
            return
        self.heard = self.drained = self.loop.time()  # draining is a sign of life too
        self.owed = self.owed[sent:]
        if not self.owed:
            self.loop.remove_writer(self.fd)
            self.handler.on_drain()

    # -- reading

    def _readable(self) -> None:
        assert self.sock is not None
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.cut()
        elif self._closing:
            self._dropped += len(data)
            if self._dropped > FLOOD:
                self.cut()
        else:
            self.heard = self.loop.time()
            self._feed(self._rest + data if self._rest else data)

    def _feed(self, data: bytes) -> None:
        """Serve the whole frames in the data, a turn's worth at once, and keep the rest."""
        at, size, served = 0, len(data), 0
        while size - at >= 2 and not self._closing and self.sock is not None:
            if served == TURN:
                self._pause(data[at:])
                return
            first, second = data[at], data[at + 1]
            length, start = second & 0x7F, at + 6
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 8
            elif length == 127:
                length, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 14
            if not self._legal(first, second, length, whole_header=size >= start):
                return
            if size < start + length:
                break
            payload = _websocket_mask(data[start - 4 : start], data[start : start + length])
            at = start + length
            served += 1
            self._serve(first, payload)
        self._rest = data[at:]
        if self._rest or self._fragments is not None:
            self.parked = self.parked or self.heard
        else:
            self.parked = 0.0

    def _pause(self, rest: bytes) -> None:
        """Let the others have their turn; what else this peer sends waits in its own kernel."""
        self._rest = rest
        self.parked = 0.0
        self.loop.remove_reader(self.fd)
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self.sock is not None:
            self.loop.add_reader(self.fd, self._readable)
            if not self._closing:
                self._feed(self._rest)

    def _legal(self, first: int, second: int, length: int, whole_header: bool) -> bool:
        """RFC 6455 section 5: masked, no reserved bits, known opcodes, short control frames."""
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
            self.close(Close.PROTOCOL_ERROR, "protocol error")
            return False
        if whole_header and length + len(fragments or b"") > FRAME_LIMIT and not control:
            self.close(Close.TOO_BIG, "message too big")
            return False
        return True

    def _serve(self, first: int, payload: bytes) -> None:
        opcode, final = first & 0x0F, first & 0x80
        if opcode == TEXT and final:
            self._text(payload)
            return
        if opcode & 0x8 or not final or not payload:
            self.junk += 1
            if self.junk > JUNK:
                self.close(Close.POLICY, "too many control frames or fragments")
                return
        if opcode == CLOSE:
            self._closed(payload)
        elif opcode == PING:
            self._pong(payload)
        elif opcode == PONG:
            return
        else:
            self._fragment(opcode, final, payload)

    def _fragment(self, opcode: int, final: int, payload: bytes) -> None:
        if opcode:
            self._opcode = opcode
            self._fragments = bytearray()
        buffer = self._fragments
        assert buffer is not None
        buffer += payload
        if final:
            self._fragments = None
            if self._opcode == TEXT:
                self._text(bytes(buffer))
            else:
                self.handler.on_binary()

    def _text(self, payload: bytes) -> None:
        self.parked = 0.0  # whatever is unfinished after this one began just now
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self.close(Close.BAD_DATA, "not UTF-8")
            return
        try:
            self.handler.on_message(text)
        except Exception as error:  # a bug of ours ends this connection and no other
            self.handler.log_exception(type(error), error, error.__traceback__)
            self.cut()

    def _pong(self, payload: bytes) -> None:
        if not self.owed and self.sock is not None:  # a full socket gets no pong: it is not read
            frame = frame_bytes(payload, PONG)
            try:
                sent = self.sock.send(frame)
            except BlockingIOError:
                return
            except OSError:
                self.cut()
                return
            if sent < len(frame):
                self.handler.lag(frame[sent:])

    def _closed(self, payload: bytes) -> None:
        """The peer's close (RFC 6455 section 7.4): answer with its own code, if that is legal."""
        code = int.from_bytes(payload[:2], "big") if payload else None
        legal = code is None or code in range(1000, 1015) or code in range(3000, 5000)
        if len(payload) == 1 or not legal or code in (1004, 1005, 1006):
            self.close(Close.PROTOCOL_ERROR, "illegal close code")
            return
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            self.close(Close.BAD_DATA, "not UTF-8")
            return
        self.code = code
        self.close(code)
        self.cut()
