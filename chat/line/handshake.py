"""Handshake: Tornado's upgrade of an HTTP request, after which the bare socket is ours.

Tornado would keep a stream, a task, buffers and several coroutines for each connection, and would
await three reads for each frame. The Handshake overrides private methods of Tornado 6.6: setup.cfg
pins it, tests/test_rfc6455.py guards it.
"""

from __future__ import annotations

import socket
import sys
from asyncio import Future
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any

from tornado.websocket import WebSocketHandler, WebSocketProtocol13, _WebSocketParams

_ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %b\r\n\r\n"
)
# The answer waits in the kernel for the first frame and leaves with it; where that is not known
# (it is on Linux) it leaves alone.
_WITH_MORE = getattr(socket, "MSG_MORE", 0)
_PARAMS = _WebSocketParams()


class Handshake(WebSocketProtocol13):
    """Tornado's upgrade of an HTTP request, and nothing after it.

    `greets`: the handler writes a frame as soon as it is open.
    """

    def __init__(self, handler: WebSocketHandler, greets: bool) -> None:
        super().__init__(handler, False, _PARAMS)
        self._greets = greets

    async def _accept_connection(self, handler: WebSocketHandler) -> None:
        """Answer, and open the handler. Tornado has checked the request.

        Its own way through the headers of an HTTP answer is a sixth of a handshake's cost, and
        nothing that it adds concerns an answer without a body.
        """
        self.stream = handler._detach_stream()
        if not self._answer(_ANSWER % self._challenge_response(handler).encode()):
            self.stream.close()
            return
        try:
            handler.open(*handler.open_args, **handler.open_kwargs)
        except Exception:
            handler.log_exception(*sys.exc_info())
            self._abort()

    def _answer(self, answer: bytes) -> bool:
        """Write it to the socket, on which nothing was written yet; False if the peer is gone."""
        if self.stream.closed():
            return False
        self.stream.set_nodelay(True)
        try:
            sent = self.stream.socket.send(answer, _WITH_MORE if self._greets else 0)
        except OSError:
            return False
        return sent == len(answer)

    def take_socket(self) -> tuple[socket.socket, bytes] | None:
        """The bare socket and what was already read from it; None if the peer is gone."""
        stream = self.stream
        if stream.closed() or stream.writing():
            stream.close()
            return None
        if stream._state is not None:
            stream.io_loop.remove_handler(stream.fileno())
        sock, rest = stream.socket, bytes(stream._read_buffer)
        stream.socket = None  # type: ignore[assignment]
        stream._closed = True
        return sock, rest


def at_once(work: Coroutine[Any, Any, None]) -> Future[None] | Coroutine[Any, Any, None]:
    """Do now what need not wait; the rest of what has to wait is given back.

    A handshake waits for nothing. As a task it would begin a turn of the loop later, and until
    then Tornado would watch the socket for its end: two more calls of the kernel.
    """
    try:
        waits = work.send(None)
    except StopIteration:
        done: Future[None] = Future()
        done.set_result(None)
        return done
    return _rest(work, waits)


@coroutine
def _rest(work: Coroutine[Any, Any, None], waits: Any) -> Generator[Any, None, None]:
    """Go on with work that waits for something already."""
    try:
        while True:
            try:
                yield waits
            except BaseException as error:
                waits = work.throw(error)
            else:
                waits = work.send(None)
    except StopIteration:
        return
