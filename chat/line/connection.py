"""Connection: a WebSocket on a bare socket. One read of the socket serves many frames.

It lives by callbacks of the event loop: no stream, task or coroutine stands behind it.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Protocol

from tornado.util import _websocket_mask

from chat.wire.frames import CLOSE, PONG, frame_bytes
from chat.wire.rfc6455 import Binary, Broken, Closed, Parser, Ping

CHUNK = 64 * 1024  # bytes read at once
LINGER = 2.0  # seconds for the peer to answer our close before the socket goes
FLOOD = 1024 * 1024  # bytes that are read and dropped of a peer that was told to close
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
    """Owns the socket, its Parser, and what is owed to the peer."""

    __slots__ = (
        *("_closing", "_dropped", "_early", "code", "drained", "fd", "handler", "heard"),
        *("loop", "owed", "parked", "parser", "send", "sock"),
    )

    def __init__(self, handler: Handler, sock: socket.socket, rest: bytes) -> None:
        self.handler = handler
        self.sock: socket.socket | None = sock
        self.fd = sock.fileno()  # given to the loop: for each socket object it would ask its peer
        self.send = sock.send
        self.loop = asyncio.get_running_loop()
        self.heard = self.drained = self.loop.time()
        self.parked = 0.0  # since when a message is unfinished
        self.parser = Parser(_websocket_mask)
        self.owed = b""
        self.code: int | None = None  # of the peer's close
        self._early = rest
        self._closing = False
        self._dropped = 0

    def listen(self) -> None:
        """Read from now on, first what came with the handshake."""
        if self.sock is not None:
            self.loop.add_reader(self.fd, self._readable)
            early, self._early = self._early, b""
            if early:
                self._feed(early)

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
        self.owed = b""
        self.parser.end()
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
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        """Serve what these bytes say, a turn's worth at once."""
        parser = self.parser
        for said in parser.feed(data):
            if self._closing or self.sock is None:
                return
            if type(said) is str:
                self._text(said)
            elif isinstance(said, Ping):
                self._pong(said.payload)
            elif isinstance(said, Binary):
                self.handler.on_binary()
            elif isinstance(said, Broken):
                self.close(said.code, said.reason)
            elif isinstance(said, Closed):
                self._answer(said)
        if parser.more:
            self._pause()
        elif parser.unfinished:
            self.parked = self.parked or self.heard
        else:
            self.parked = 0.0

    def _pause(self) -> None:
        """Let the others have their turn; what else this peer sends waits in its own kernel."""
        self.parked = 0.0
        self.loop.remove_reader(self.fd)
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self.sock is not None:
            self.loop.add_reader(self.fd, self._readable)
            if not self._closing:
                self._feed(b"")

    def _text(self, text: str) -> None:
        self.parked = 0.0  # whatever is unfinished after this one began just now
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

    def _answer(self, closed: Closed) -> None:
        """The peer has closed: answer with its own code."""
        self.code = closed.code
        self.close(closed.code)
        self.cut()
