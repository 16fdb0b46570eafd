"""Handshake: Tornado's upgrade of an HTTP request, after which the bare socket is ours.

Tornado would keep a stream, a task, buffers and several coroutines for each connection, and would
await three reads for each frame. The Handshake overrides private methods of Tornado 6.6: setup.cfg
pins it, tests/test_rfc6455.py guards it.
"""

from __future__ import annotations

import socket

from tornado.websocket import WebSocketHandler, WebSocketProtocol13, _WebSocketParams


class Handshake(WebSocketProtocol13):
    """Tornado's upgrade of an HTTP request, and nothing after it."""

    def __init__(self, handler: WebSocketHandler) -> None:
        super().__init__(handler, False, _WebSocketParams())

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

    async def _receive_frame_loop(self) -> None:
        """Nothing to wait for: the Connection reads."""
