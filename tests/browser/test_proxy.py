"""A proxy in front of the server that does not know of WebSockets."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from .conftest import People
from .server import Server

WORDS = (
    "The server is there, but live messages do not come through. Its proxy must pass WebSockets."
)


class Proxy:
    """Passes everything on but the one header that makes a WebSocket of a request."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.dull = True
        self._door = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._sides: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, room: str) -> str:
        """The address of a room's page."""
        return f"{self.origin}/r/{room}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                front, _ = self._door.accept()
                back = socket.create_connection(("127.0.0.1", self.server.port))
                self._sides += [front, back]
                for one, other in ((front, back), (back, front)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if self.dull:
                    data = re.sub(rb"(?i)\r\nUpgrade: websocket", b"", data)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End it and all that goes through it."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        for side in [self._door, *self._sides]:
            side.close()


@pytest.fixture
def proxy(site: Server) -> Iterator[Proxy]:
    """In front of the server of all tests."""
    proxy = Proxy(site)
    yield proxy
    proxy.close()


def test_a_proxy_that_passes_no_sockets_is_told_from_a_lost_line(
    people: People, room: str, proxy: Proxy, site: Server
) -> None:
    """ "Offline" would send a person to their own network; the page works but for the sockets."""
    ana = people("Ana", proxy)
    ana.join(room)
    ana.open(room)
    told = ana.page.get_by_role("status").filter(has_text=WORDS)
    expect(told).to_be_visible(timeout=15_000)
    assert "came without Upgrade: the proxy in front must pass WebSockets" in site.said()
    proxy.dull = False
    ana.page.get_by_role("button", name="Try now").click()
    ana.online()
    expect(told).to_have_count(0)
