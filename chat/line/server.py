"""The listening server: as many connections as there are file descriptors for, and not one more."""

from __future__ import annotations

import contextlib
import resource
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError

from chat.rules.places import Places
from chat.rules.proxies import LOCAL_FILE, Proxies, counted

RESERVE = 48  # file descriptors for the database, the log, and accepting in order to refuse
PATIENCE = 10  # seconds for a request's header, for its body, and for the next request
HEADER_LIMIT = 16 * 1024  # bytes
UNREAD = 30.0  # seconds in which nothing of an answer is taken
BODY_LIMIT = 64 * 1024  # bytes: a form with a message

_SORRY = b"Too many connections. Try again in a few minutes."
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_SORRY), _SORRY)
)


def file_limit() -> int:
    """Raise the soft limit on open files to the hard one, where that is allowed; return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


class Server(HTTPServer):
    """Tornado's HTTPServer with its time-outs on, and a cap on connections, in all and by address.

    Without the cap a full table of descriptors makes Tornado's accept loop spin: all of one CPU,
    and megabytes of log a second.
    """

    def initialize(  # type: ignore[override]
        self, request_callback: Any, places: Places, proxies: Proxies, **options: Any
    ) -> None:
        super().initialize(
            request_callback,
            idle_connection_timeout=PATIENCE,
            body_timeout=PATIENCE,
            max_header_size=HEADER_LIMIT,
            max_body_size=BODY_LIMIT,
            max_buffer_size=4 * BODY_LIMIT,
            **options,
        )
        self._places = places
        self._proxies = proxies
        self._unread: dict[Any, tuple[int, float]] = {}  # connection -> bytes taken, since when

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve it, or say that there are too many."""
        payer = self._payer(address)
        if self._places.free(payer):
            self._places.take(payer)
            super().handle_stream(stream, address)
            return
        with contextlib.suppress(StreamClosedError):
            stream.write(_FULL)
        stream.close()

    def sweep(self, now: float) -> None:
        """Once a second: close who takes nothing of its answer; Tornado would keep it for ever."""
        unread: dict[Any, tuple[int, float]] = {}
        for connection in tuple(self._connections):
            stream = connection.stream
            if stream.writing():
                taken = stream._total_write_done_index
                before = self._unread.get(connection)
                unread[connection] = before if before and before[0] == taken else (taken, now)
                if now - unread[connection][1] > UNREAD:
                    stream.close()
        self._unread = unread

    def on_close(self, server_conn: Any) -> None:
        """It is over, or has become a socket that is counted by itself."""
        super().on_close(server_conn)
        self._places.leave(self._payer(server_conn.context.address))

    def _payer(self, address: tuple[Any, ...]) -> str:
        """Whose connection it is; empty for a proxy, whose connections are everybody's."""
        peer = address[0] if address else LOCAL_FILE
        return "" if self._proxies.trusts(peer) else counted(peer)
