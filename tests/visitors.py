"""A tab, the line between it and the server, and what is under way on that line."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import select
import termios
from dataclasses import dataclass, field
from typing import Any

from bad_server import Server
from client import CLOSE, TEXT, Declined, Wire, request
from tabs import ABNORMAL, Tab


@dataclass(eq=False)
class Flight:
    """A request of a page: asked, then read by the server, then arrived."""

    number: int
    path: str
    status: int = 0
    text: str = ""


@dataclass(eq=False)
class Browser:
    """What the tabs of one browser have on their disk, as the machine saw it happen."""

    made: dict[str, int] = field(default_factory=dict)  # cid -> its place in the order
    epochs: dict[str, str] = field(default_factory=dict)  # cid -> of the history it was made in
    replies: dict[str, int] = field(default_factory=dict)  # cid -> the message that it answers
    files: dict[str, list[str]] = field(default_factory=dict)  # cid -> names of its files
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)  # cid -> as last seen
    sent: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)  # at any time
    given_back: set[str] = field(default_factory=set)  # by the page, or discarded by the person
    tabs: list[Tab] = field(default_factory=list)


class Visitor:
    """One tab of one person."""

    def __init__(self, server: Server, tab: Tab, browser: Browser, cookie: str) -> None:
        self.server, self.tab, self.browser, self.cookie = server, tab, browser, cookie
        self.receive_buffer = 0
        self.old = False  # its scripts know no reactions
        self.tunnel = False
        self._away()
        self.flights: list[Flight] = []
        self.uploads: list[int] = []  # files on their way
        self.reached: dict[str, int] = {}  # epoch -> the highest cursor of this page
        browser.tabs.append(tab)

    def _away(self) -> None:
        """No line."""
        self.wire: Wire | None = None
        self.socket = -1
        self.opened = False
        self.inbox: list[str] = []  # has arrived and was not read yet
        self.code: int | None = None  # with which the line ended, to be read after that
        self.live = False
        self.lost = False  # a frame of this line

    # -- what the page does

    def reload(self) -> None:
        """Load the page anew."""
        self.leave()
        self.flights.clear()
        self.uploads.clear()
        self.reached.clear()
        answer = self._ask(f"/r/{self.tab.room}/messages?limit=3")
        assert answer[0] == 200, answer
        self.tab.open(answer[1])

    def carry_out(self) -> bool:
        """Do what the page asks its browser for; whether there was anything."""
        events, self.tab.events = self.tab.events, []
        for event in events:
            getattr(self, f"_{event['what']}")(event)
        return bool(events)

    def _connects(self, event: dict[str, Any]) -> None:
        self._leaves({"socket": self.socket})
        if self.tunnel:
            self.tab.do("closed", socket=event["socket"], code=ABNORMAL)
            return
        self.socket = event["socket"]
        path = event["url"].removeprefix("ws://server")
        try:
            self.wire = Wire(
                self.server.port, path, cookie=self.cookie, receive_buffer=self.receive_buffer
            )
        except OSError:
            self.code = ABNORMAL

    def _sends(self, event: dict[str, Any]) -> None:
        command = json.loads(event["text"])
        if "cid" in command:
            self.browser.sent.add(command["cid"])
        if self.wire is not None and event["socket"] == self.socket:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wire.send(event["text"])

    def _leaves(self, event: dict[str, Any]) -> None:
        if event["socket"] == self.socket:
            if self.wire is not None:
                self.wire.close()
            self._away()

    def _asks(self, event: dict[str, Any]) -> None:
        if self.tunnel:
            self.tab.do("answer", request=event["request"])
        else:
            path = event["url"].removeprefix("http://server")
            self.flights.append(Flight(event["request"], path))

    def _uploads(self, event: dict[str, Any]) -> None:
        self.uploads.append(event["upload"])
        if self.tunnel:
            self.land(None)

    def _returned(self, event: dict[str, Any]) -> None:
        self.browser.given_back.add(event["cid"])

    def _added(self, event: dict[str, Any]) -> None:
        self.browser.made[event["cid"]] = len(self.browser.made) + 1
        self.browser.epochs[event["cid"]] = self.tab.look["epoch"]

    @property
    def idle(self) -> bool:
        """Level, and nothing is under way."""
        up = self.wire is not None and not self.lost and not self.tunnel
        return up and self.live and not self.inbox and not self.tab.events and self.heard_all

    @property
    def heard_all(self) -> bool:
        """Whether all that the server said to it was read."""
        assert self.wire
        if not self.server.told_all(self.wire.sock.getsockname()[1]):
            return False
        unread = bytearray(4)
        fcntl.ioctl(self.wire.sock, termios.FIONREAD, unread)
        return not any(unread)

    # -- what the line does

    def cut(self, noticed: bool) -> None:
        """The line is gone. A page that has not noticed still reads what has arrived, and what it
        says goes nowhere."""
        if self.wire is not None:
            self.wire.close()
            self.wire = None
            if noticed:
                self.code = ABNORMAL
        if noticed:
            self.inbox.clear()
            self.hear()

    def leave(self) -> None:
        """The tab is closed."""
        self._leaves({"socket": self.socket})

    def take(self, turn: bool = False) -> None:
        """Take what has arrived from the socket; a slow one only in its turn."""
        if self.wire is None or (self.receive_buffer and self.opened and not turn):
            return
        try:
            frames = self.wire.arrived()
        except Declined:
            frames = []
        self.inbox += [payload.decode() for opcode, payload in frames if opcode == TEXT]
        closes = [payload for opcode, payload in frames if opcode == CLOSE]
        if closes:
            self.code = int.from_bytes(closes[0][:2], "big") or ABNORMAL
        elif self.wire.ended:
            self.code = ABNORMAL
        if self.wire.upgraded and not self.opened:
            self.opened = True
            self.tab.do("opened", socket=self.socket)
        if self.code is not None:
            self.wire.close()
            self.wire = None

    def await_bytes(self, seconds: float) -> None:
        """Until the line brings something, or so long."""
        if self.wire is not None:
            select.select([self.wire.sock], [], [], seconds)

    def hear(self, most: int = 1000) -> list[dict[str, Any]]:
        """The page's turn: it is given what has arrived (so many frames), which is returned."""
        self.take(turn=True)
        frames, self.inbox = self.inbox[:most], self.inbox[most:]
        events = [json.loads(frame) for frame in frames]
        if frames:
            self.tab.do("hear", socket=self.socket, frames=frames)
            left = any(e["what"] == "leaves" for e in self.tab.events)
            assert self.lost or not left, "a hole, though no frame was lost"
            for event in events:
                if event["type"] in ("welcome", "jump", "live"):
                    self.live = event["type"] == "live"
            if left:
                return events
        if self.code is not None and not self.inbox:
            socket, code = self.socket, self.code
            self._away()
            self.tab.do("closed", socket=socket, code=code)
        return events

    def lose(self, pick: int) -> None:
        """One change vanishes on its way to a page that is live."""
        kinds = [json.loads(frame)["type"] for frame in self.inbox]
        lost = [n for n, kind in enumerate(kinds) if kind in CHANGES]
        if self.live and lost and not {"welcome", "jump", "live"} & set(kinds):
            del self.inbox[lost[pick % len(lost)]]
            self.lost = True

    # -- pages of history

    def fly(self, last: bool = False, lose: bool = False) -> None:
        """What was asked for first (or last) is read by the server; or, if it was, it arrives."""
        if not self.flights:
            return
        flight = self.flights[-last]
        if lose or self.tunnel:
            self.flights.remove(flight)
            self.tab.do("answer", request=flight.number)
        elif not flight.status:
            flight.status, flight.text = self._ask(flight.path)
        else:
            self.flights.remove(flight)
            self.tab.do("answer", request=flight.number, status=flight.status, text=flight.text)

    # -- files

    def land(self, id: str | None) -> None:
        """The server has the oldest of the files that are on their way, as this; or nobody has."""
        answer = {"status": 200, "file": {"id": id}} if id else {"status": 0}
        self.tab.do("uploaded", upload=self.uploads.pop(0), answer=answer)

    def _ask(self, path: str) -> tuple[int, str]:
        ask = functools.partial(request, headers={"Cookie": self.cookie})
        answer = self.server.blocking(ask, self.server.port, "GET", path)
        return answer.status, answer.body.decode()


CHANGES = ("message", "reaction", "gone", "settings")
