"""The wire between one page and the server, in the test's hands."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import BrowserContext, Page, WebSocketRoute

Frame = dict[str, Any]
SWALLOWED: Frame = {}  # the answer of `on_say` and `on_up` to a frame that goes nowhere
LOST = 1006  # what a browser reports for a connection that ended without a close frame


class Line:
    """Every WebSocket of a page or context: it can be held, changed, made deaf, cut and refused.

    `attempts` counts the connections the page tried, `said` keeps the frames it sent.
    """

    def __init__(self, page: Page | BrowserContext) -> None:
        self.attempts = 0
        self.said: list[Frame] = []
        self.refusing = False
        self.on_say: Callable[[Frame], Frame | None] = lambda frame: None
        self.on_up: Callable[[Frame], Frame | None] = lambda frame: None
        self.on_event: Callable[[Frame], Frame | None] = lambda event: event
        self._holding = False
        self._held: list[tuple[WebSocketRoute, str]] = []
        self._deaf: set[int] = set()
        self._sides: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        page.route_web_socket(re.compile(r"/ws(\?|$)"), self._open)

    def _open(self, page: WebSocketRoute) -> None:
        self.attempts += 1
        if self.refusing:
            page.close(code=LOST)
            return
        server = page.connect_to_server()
        number = self.attempts
        self._sides.append((page, server))
        page.on_message(lambda data: self._up(number, page, server, str(data)))
        server.on_message(lambda data: self._down(number, page, str(data)))

    def _up(self, number: int, page: WebSocketRoute, server: WebSocketRoute, data: str) -> None:
        frame: Frame = json.loads(data)
        self.said.append(frame)
        if number in self._deaf:
            return
        answer = self.on_say(frame) if frame["type"] == "say" else self.on_up(frame)
        if answer is None:
            server.send(data)
        elif answer is not SWALLOWED:
            page.send(json.dumps(answer))

    def _down(self, number: int, page: WebSocketRoute, data: str) -> None:
        event = self.on_event(json.loads(data))
        if number in self._deaf or event is None:
            return
        if self._holding:
            self._held.append((page, json.dumps(event)))
        else:
            page.send(json.dumps(event))

    def hold(self) -> None:
        """Keeps back what the server says, until `release`."""
        self._holding = True

    def release(self) -> None:
        """Delivers what was held, in order, and everything after it."""
        self._holding = False
        for page, data in self._held:
            page.send(data)
        self._held.clear()

    def go_deaf(self) -> None:
        """Half open: the present connections stay open, but nothing passes either way any more."""
        self._deaf.update(range(1, self.attempts + 1))

    def cut(self, code: int = LOST, *, refusing: bool = False) -> None:
        """Ends all connections with a close code; `refusing`: new ones fail from now on.

        What was held is lost.
        """
        self.refusing = refusing
        self._held.clear()
        for page, server in self._sides:
            page.close(code=code)
            server.close()
        self._sides.clear()

    def tell(self, event: Frame) -> None:
        """An event as if the server had sent it."""
        self._sides[-1][0].send(json.dumps(event))

    def tell_all(self, event: Frame) -> None:
        """The same to every tab."""
        for page, _ in self._sides:
            page.send(json.dumps(event))

    def says(self, *kinds: str) -> list[Frame]:
        """The frames of these kinds the page has sent so far."""
        return [frame for frame in self.said if frame["type"] in kinds]


def wait_until(page: Page, true: Callable[[], object], what: str, seconds: float = 8.0) -> None:
    """Lets the browser's events come in until `true()`, and fails after `seconds` without."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        page.wait_for_timeout(20)
