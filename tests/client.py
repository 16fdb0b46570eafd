"""A scripted client, written from docs/protocol.md and RFC 6455: nothing is shared with chat/.

`Wire` is the bytes: one socket, frames in and out, as wrong as a test wants them. `Page` is the
rules of a page: cursor, timeline and outbox. It does no I/O, so a test decides what arrives.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import secrets
import socket
import struct
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA  # opcodes
LASTING = ("say", "edit", "delete", "react", "room")  # the commands that have a cid
PATIENCE = 40.0  # seconds without a byte after which a blocking read fails the test
LETTERS = "bcdfghkmprst"  # no two of them look alike
_numbers = itertools.count()


class Answer(NamedTuple):
    """What an HTTP request was answered with."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Declined(Exception):
    """The handshake was answered with something else than 101."""

    def __init__(self, status: int, head: str, body: bytes) -> None:
        super().__init__(f"{status}: {body[:200]!r}")
        self.status = status
        self.head = head
        self.body = body


def request(
    port: int,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> Answer:
    """One HTTP request on a connection of its own; the path is sent as it is given."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    fields = dict(headers or {})
    body = None
    if form is not None:
        body = urllib.parse.urlencode(form)
        fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
    try:
        line.request(method, path, body, fields)
        answer = line.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        line.close()


def free_name() -> str:
    """A name that no other test uses: names are held per server and must not look alike."""
    number = next(_numbers)
    return "Sam " + "".join(LETTERS[number // 12**place % 12] for place in range(4)).capitalize()


def join(port: int, room: str = "lobby", name: str | None = None) -> str:
    """Join as a browser's form would; the Cookie header of that person."""
    answer = request(port, "POST", "/join", form={"name": name or free_name(), "room": room})
    assert answer.status == 303, answer
    return "; ".join(c.partition(";")[0] for c in answer.headers.get_all("Set-Cookie") or [])


def frame(
    payload: bytes | str,
    opcode: int = TEXT,
    *,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    claim: int | None = None,
) -> bytes:
    """One client frame (RFC 6455 section 5.2); `claim` lies about the length."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if claim is None else claim
    head = bytes([(0x80 if final else 0) | reserved | opcode])
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + data
    mask = os.urandom(4)
    return head + mask + bytes(b ^ m for b, m in zip(data, itertools.cycle(mask), strict=False))


class Wire:
    """One WebSocket connection at the level of frames."""

    def __init__(
        self,
        port: int,
        path: str = "/r/lobby/ws",
        *,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        receive_buffer: int = 0,
        early: bytes = b"",
    ) -> None:
        """Connect and ask for the upgrade, with `early` bytes in the same segment.

        A small `receive_buffer` makes a slow line.
        """
        self.sock = socket.socket()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(PATIENCE)
        self.upgraded = False
        self.ended = False
        self._data = bytearray()
        self._frames: deque[tuple[int, bytes]] = deque()
        fields = {
            "Host": f"127.0.0.1:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            **({"Cookie": cookie} if cookie else {}),
            **(headers or {}),
        }
        lines = [f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v)]
        try:
            self.sock.connect(("127.0.0.1", port))
            self.sock.sendall("\r\n".join([*lines, "", ""]).encode() + early)
        except OSError:
            self.sock.close()
            raise
        self.head = ""

    def opened(self) -> Wire:
        """Wait for the upgrade. Raises Declined, and then the socket is closed."""
        try:
            while not self.upgraded:
                self._fill()
        except Declined:
            self.sock.close()
            raise
        return self

    # -- saying

    def send(self, payload: bytes | str, opcode: int = TEXT, **wrong: Any) -> None:
        """Send one frame."""
        self.raw(frame(payload, opcode, **wrong))

    def raw(self, data: bytes) -> None:
        """Send these bytes."""
        self.sock.sendall(data)

    def command(self, type: str, **fields: Any) -> str:
        """Send one command of the protocol; returns the cid that a lasting one has."""
        if type in LASTING:
            fields.setdefault("cid", secrets.token_urlsafe(12))
        self.send(json.dumps({"type": type, **fields}))
        return str(fields.get("cid", ""))

    def commands(self, commands: Iterable[Mapping[str, Any]]) -> None:
        """Send the commands of a page."""
        for command in commands:
            self.send(json.dumps(command))

    def say(self, text: str, cid: str | None = None) -> str:
        """Post a text; returns its cid."""
        return self.command("say", text=text, **({"cid": cid} if cid else {}))

    # -- hearing

    def read(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. Raises EOFError when the server has gone."""
        while not self._frames:
            if self.ended:
                raise EOFError
            self._fill()
        return self._frames.popleft()

    def event(self) -> dict[str, Any]:
        """The next event of the protocol; pings are answered on the way."""
        while True:
            opcode, payload = self.read()
            if opcode == TEXT:
                event: dict[str, Any] = json.loads(payload)
                return event
            if opcode == PING:
                self.send(payload, PONG)
            elif opcode == CLOSE:
                self._frames.appendleft((opcode, payload))
                raise EOFError(payload)

    def hear(self, type: str, **fields: Any) -> dict[str, Any]:
        """The next event of that type with those fields; others are passed over."""
        while True:
            event = self.event()
            if event["type"] == type and fields.items() <= event.items():
                return event

    def closed(self) -> tuple[int | None, str]:
        """Read to the end: the code and reason of the close frame, or (None, "")."""
        while True:
            try:
                opcode, payload = self.read()
            except EOFError:
                return None, ""
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else None
                return code, payload[2:].decode()

    def gone(self) -> bool:
        """Wait until the server has closed the socket, whatever it says before."""
        while not self.ended:
            self._fill()
        return True

    def arrived(self) -> list[tuple[int, bytes]]:
        """The frames that are here already; never waits."""
        self.sock.setblocking(False)
        try:
            while not self.ended:
                self._fill()
        except BlockingIOError:
            pass
        finally:
            self.sock.settimeout(PATIENCE)
        frames = list(self._frames)
        self._frames.clear()
        return frames

    def close(self) -> None:
        """Leave without a word."""
        self.sock.close()

    def reset(self) -> None:
        """Vanish: the server's next write meets a dead line."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _fill(self) -> None:
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        self.ended = not data
        self._data += data
        if not self.upgraded:
            self._shake()
        if self.upgraded:
            self._split()

    def _shake(self) -> None:
        head, found, rest = bytes(self._data).partition(b"\r\n\r\n")
        if not found:
            if self.ended:
                raise Declined(0, "", bytes(self._data))
            return
        self.head = head.decode()
        status = int(self.head.split()[1])
        if status != 101:
            while len(rest) < self._length() and (data := self.sock.recv(1 << 16)):
                rest += data
            raise Declined(status, self.head, rest)
        self.upgraded = True
        self._data = bytearray(rest)

    def _length(self) -> int:
        for line in self.head.lower().split("\r\n"):
            if line.startswith("content-length:"):
                return int(line.partition(":")[2])
        return 0

    def _split(self) -> None:
        data, at = self._data, 0
        while len(data) - at >= 2:
            assert not data[at] & 0x70, "a reserved bit is set"
            assert not data[at + 1] & 0x80, "a server frame is masked"
            size, start = data[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if len(data) < start + size or len(data) < start:
                break
            assert data[at] & 0x80, "the server sends no fragments"
            self._frames.append((data[at] & 0x0F, bytes(data[start : start + size])))
            at = start + size
        del data[:at]


class Page:
    """The rules of a page (docs/protocol.md): what it shows, up to where, what it has to send."""

    def __init__(self, room: str, user: str = "") -> None:
        self.room = room
        self.user = user
        self.epoch = ""
        self.last: int | None = None  # the cursor: everything up to this rev has been seen
        self.live = False  # from here each change has the rev after the last one
        self.began = 0  # where the room stood when what is shown was begun
        self.rows: dict[int, dict[str, Any]] = {}  # the timeline, by id
        self.gaps: list[tuple[int, int]] = []  # revs left out, to be loaded on demand
        self.outbox: list[tuple[str, str]] = []  # cid and text of what is not confirmed
        self.changes: dict[int, dict[str, Any]] = {}  # edits and deletions not confirmed, by id
        self.flying: str | None = None  # the one message being sent
        self.resting = False  # told to try again later
        self.confirmed: dict[str, int] = {}  # cid -> id
        self.refused: dict[str, str] = {}  # cid -> code, for good
        self.resent = 0
        self._sent: set[str] = set()
        self._asked: set[int] = set()

    @property
    def path(self) -> str:
        """Where to connect: the room's socket, with the cursor if there is one."""
        if self.last is None:
            return f"/r/{self.room}/ws"
        return f"/r/{self.room}/ws?after={self.last}&epoch={self.epoch}"

    # -- the person

    def say(self, text: str) -> str:
        """Into the outbox first."""
        cid = self.new_cid()
        self.outbox.append((cid, text))
        return cid

    def edit(self, id: int, text: str) -> None:
        """Another text for my own message."""
        self.changes[id] = {"type": "edit", "id": id, "text": text}
        self._asked.discard(id)

    def delete(self, id: int) -> None:
        """My own message goes."""
        self.changes[id] = {"type": "delete", "id": id}
        self._asked.discard(id)

    @staticmethod
    def new_cid() -> str:
        """The client's own id of a message, the same for every try."""
        return secrets.token_urlsafe(12)

    # -- the line

    def connected(self) -> None:
        """A new connection: what was in flight will be sent again."""
        self.live = False
        self.flying = None
        self._asked.clear()

    def rested(self) -> None:
        """The time to wait after a refusal is over."""
        self.resting = False
        self._asked.clear()

    def due(self) -> list[dict[str, Any]]:
        """The commands to send now: one message in flight, so that the order is kept."""
        if not self.live or self.resting:
            return []
        commands = [c for id, c in self.changes.items() if id not in self._asked]
        self._asked.update(self.changes)
        if self.flying is None and self.outbox:
            cid, text = self.outbox[0]
            self.flying = cid
            self.resent += cid in self._sent
            self._sent.add(cid)
            commands.append({"type": "say", "cid": cid, "text": text})
        return commands

    def receive(self, event: dict[str, Any]) -> bool:
        """Take one event; False if something is missing: come back with the cursor at once."""
        rule: Callable[[dict[str, Any]], bool | None] | None
        rule = getattr(self, f"on_{event['type']}", None)
        return rule is None or rule(event) is not False

    def on_welcome(self, event: dict[str, Any]) -> None:
        """Another epoch, or a room that is not as far as the cursor: start afresh."""
        if self.last is None or event["epoch"] != self.epoch or event["rev"] < self.last:
            self.rows.clear()
            self.gaps.clear()
            self.changes.clear()  # in another history the same id is another message
            self.last = 0
            self.began = event["rev"]
        self.epoch = event["epoch"]

    def on_message(self, event: dict[str, Any]) -> bool:
        """Live: the next rev or a hole. Catching up: revs only grow."""
        assert self.last is not None
        if self.live and event["rev"] > self.last + 1:
            return False
        self.confirm(event)
        if event["rev"] > self.last:
            self.last = event["rev"]
            self.rows[event["id"]] = event
        return True

    def on_gap(self, event: dict[str, Any]) -> None:
        """Revs were left out, or may jump until the next `live`."""
        self.live = False
        if event["count"]:
            self.gaps.append((event["from"], event["to"]))
        self.last = event["to"]

    def on_live(self, event: dict[str, Any]) -> None:
        """Level with the room."""
        assert self.last is not None
        assert event["rev"] >= self.last, "live goes back"
        self.last = event["rev"]
        self.live = True

    def on_beat(self, event: dict[str, Any]) -> bool:
        """Where the room stands: a page that is behind has missed something."""
        return not (self.live and event["rev"] > (self.last or 0))

    def on_refused(self, event: dict[str, Any]) -> None:
        """With `retry`: keep it and try again; without: never."""
        if "retry" in event:
            self.resting = True
            self.flying = None
        elif "id" in event:
            self.changes.pop(event["id"], None)
        elif self.outbox and self.outbox[0][0] == event.get("cid"):
            self.refused[event["cid"]] = event["code"]
            self.outbox.pop(0)
            self.flying = None

    def confirm(self, event: dict[str, Any]) -> None:
        """My own message came back: it is saved."""
        if self.outbox and self.outbox[0][0] == event.get("cid"):
            self.confirmed[event["cid"]] = event["id"]
            self.outbox.pop(0)
            self.flying = None
        change = self.changes.get(event["id"])
        if change is not None and (
            event.get("deleted") or event["text"] == change.get("text", object())
        ):
            del self.changes[event["id"]]

    def merge(self, messages: list[dict[str, Any]]) -> None:
        """A page of history: by id, the newest rev wins; what is still to come is left to come."""
        for message in messages:
            old = self.rows.get(message["id"])
            newer = old is None or message["rev"] > old["rev"]
            if newer and message["rev"] <= (self.last or 0):
                self.rows[message["id"]] = message
