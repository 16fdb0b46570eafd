"""A scripted client, written from docs/protocol.md and RFC 6455: nothing is shared with chat/.

`Wire` is the bytes: one socket, frames in and out, as wrong as a test wants them.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import secrets
import socket
import struct
import time
import urllib.parse
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA  # opcodes
LASTING = ("say", "edit", "delete", "react", "room")
ORDERS = ("mute", "ban", "unban", "wipe", "role", "member", "chat", "invite", "revoke", "hook")
WITH_CID = {*LASTING, *ORDERS, "readmit", "remove_room"}
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
    json_body: object = None,
    body: str | bytes | None = None,
) -> Answer:
    """One HTTP request on a connection of its own; the path is sent as it is given."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    fields = dict(headers or {})
    if form is not None:
        body = urllib.parse.urlencode(form)
        fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if json_body is not None:
        body = json.dumps(json_body)
        fields.setdefault("Content-Type", "application/json")
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
        if type in WITH_CID:
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
        end = time.monotonic() + PATIENCE  # a beat now and then is no answer
        while True:
            event = self.event()
            assert time.monotonic() < end, f"no {type} with {fields}"
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
