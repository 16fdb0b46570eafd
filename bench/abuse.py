"""What the others notice while one address asks for all it can, without a pause.

A server with its ordinary limits on one core; one attacker with one identity on another; somebody
else, at another address and in another room, who measures the way there and back of a `ping`; and
now and then a newcomer who joins. Each row has a server of its own, ended by its pid, and lasts
some seconds. Everything stays on 127.0.0.1: the addresses stand in X-Forwarded-For.

    python bench/abuse.py                        all rows, about two minutes
    python bench/abuse.py --rows=ping,read --seconds=10
    python bench/abuse.py --root=../before       another checkout
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER_CORE, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]
START = 15.0  # seconds a server has to answer its port, or to leave
EVERY = 0.025  # seconds between two pings of the one who measures: within what a person may send
ARRIVE = 0.5  # seconds between two newcomers
MOMENT = 1.0  # seconds that a newcomer is ready to wait
BLOCK = 64 * 1024  # bytes given to a socket at once
HISTORY = 600  # messages in the room whose history is asked for
Counter = Any  # a number that two processes share
ATTACKER, BYSTANDER, NEWCOMER = "198.51.100.7", "203.0.113.1", "203.0.113.2"


@dataclass(frozen=True, slots=True)
class Row:
    """One attack: over so many connections, the n-th block of bytes that each sends."""

    key: str
    label: str
    lines: int
    block: Callable[[int], bytes]
    path: str = ""  # of the handshake; empty: the blocks are HTTP requests


def frame(payload: str | bytes, opcode: int = 1) -> bytes:
    """A client's frame. The mask is zero, so the payload stands as it is."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data)
    head = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + head + bytes(4) + data


def over(*frames: bytes) -> Callable[[int], bytes]:
    """These again and again."""
    block = b"".join(frames) * (BLOCK // sum(map(len, frames)) or 1)
    return lambda n: block


def request(method: str, path: str, body: str = "", cookie: str = "{cookie}") -> bytes:
    """A request on a connection that stays."""
    lines = [
        *(f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Forwarded-For: {ATTACKER}"),
        *([f"Cookie: {cookie}"] if cookie else []),
        *(["Content-Type: application/x-www-form-urlencoded"] if body else []),
        *([f"Content-Length: {len(body)}"] if method == "POST" else []),
    ]
    return "\r\n".join([*lines, "", body]).encode()


def word(n: int) -> str:
    """A word of letters none of which looks like another."""
    return "".join("bcdfghkmprst"[n // 12**place % 12] for place in range(8))


def names(n: int) -> bytes:
    """A name that nobody has; sent by nobody."""
    return request("POST", "/join", f"name=Sam+{word(n)}&room=lobby", cookie="")


PING, SAY = '{"type":"ping"}', '{"type":"say","cid":"one-and-the-same","text":"hello"}'
HERE, AWAY = '{"type":"appear","here":true}', '{"type":"appear","here":false}'
READ, TYPING = '{"type":"read","id":1}', '{"type":"typing"}'
DELETE = '{"type":"delete","cid":"one-and-the-same","id":9000000}'
GOODBYE = frame(b"\x03\xe8", 8)
PLAIN = b"".join(frame("x" * 3900) for _ in range(40)) + GOODBYE
NOBODY = request("POST", "/join", "name=&room=lobby", cookie="")
PAGES = request("GET", "/r/den/messages?limit=200")
ROWS = (
    Row("nothing", "nothing", 0, over(b"x")),
    Row("ping", "ping, 1 tab", 1, over(frame(PING)), "/r/den/ws"),
    Row("pings", "ping, 10 tabs", 10, over(frame(PING)), "/r/den/ws"),
    Row("read", "read, 20 tabs", 20, over(frame(READ)), "/r/den/ws"),
    Row("say", "say and ping, 10 tabs", 10, over(frame(SAY), frame(PING)), "/r/den/ws"),
    Row("typing", "typing, 10 tabs", 10, over(frame(TYPING)), "/r/den/ws"),
    Row("appear", "appear, 10 tabs", 10, over(frame(HERE), frame(AWAY)), "/r/den/ws"),
    Row("delete", "deletes of nothing, 10 tabs", 10, over(frame(DELETE)), "/r/den/ws"),
    Row("bad", "frames that mean nothing, 10 tabs", 10, over(frame("nonsense")), "/r/den/ws"),
    Row("control", "pings of the protocol, 10 tabs", 10, over(frame(b"", 9)), "/r/den/ws"),
    Row("open", "handshakes, 8 at once", 8, lambda n: GOODBYE, "/r/den/ws"),
    Row("plain", "plain dialect, 8 x 40 texts", 8, lambda n: PLAIN, "/ws/7"),
    Row("history", "200 messages of history, 10 at once", 10, lambda n: PAGES),
    Row("page", "a room's page, 10 at once", 10, lambda n: request("GET", "/r/den")),
    Row("rooms", "a room nobody knows, 10 at once", 10, lambda n: request("GET", f"/r/x{n}")),
    Row("join", "names that cannot be, 4 at once", 4, lambda n: NOBODY),
    Row("names", "new names, 4 at once", 4, names),
)


# -- the server


@contextmanager
def serving(root: Path, folder: Path, *options: str) -> Iterator[int]:
    """A server of that checkout; its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "run.py", f"--port={port}", "--address=127.0.0.1"]
    process = subprocess.Popen(
        [*command, f"--data={folder}", *options],
        cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )  # fmt: skip
    try:
        end = time.monotonic() + START
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), START):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"the server of {root} does not start")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(START)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def join(port: int, name: str, address: str) -> tuple[int, str]:
    """The status, and the cookie of somebody new."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=START)
    try:
        body = urllib.parse.urlencode({"name": name, "room": "lobby"})
        kind = "application/x-www-form-urlencoded"
        line.request("POST", "/join", body, {"Content-Type": kind, "X-Forwarded-For": address})
        answer = line.getresponse()
        return answer.status, (answer.headers["Set-Cookie"] or "").partition(";")[0]
    except TimeoutError:
        return 0, ""
    finally:
        line.close()


def handshake(path: str, cookie: str, address: str) -> bytes:
    """The request for a WebSocket."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"X-Forwarded-For: {address}\r\nCookie: {cookie}\r\n\r\n"
    ).encode()


def open_socket(port: int, path: str, cookie: str, address: str) -> socket.socket:
    """A WebSocket, after its handshake."""
    sock = socket.create_connection(("127.0.0.1", port), START)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(handshake(path, cookie, address))
    assert sock.recv(4096).startswith(b"HTTP/1.1 101"), "the handshake was refused"
    return sock


def prepare(root: Path, folder: Path) -> tuple[str, str]:
    """A history to ask for, and two people: the attacker and the one who measures."""
    with serving(root, folder, "--rate=0") as port:
        (_, one), (_, two) = join(port, "Mallory", ATTACKER), join(port, "Ana", BYSTANDER)
        sock = open_socket(port, "/r/den/ws", one, ATTACKER)
        for number in range(HISTORY):
            text = " ".join(f"{number * step % 9973}" for step in range(1, 200))
            say = {"type": "say", "cid": f"history-{number:04}", "text": text}
            sock.sendall(frame(json.dumps(say)))
        last = f"history-{HISTORY - 1:04}".encode()
        seen = b""
        while last not in seen:
            seen = seen[-4096:] + sock.recv(1 << 16)
        sock.close()
    return one, two


# -- the attacker


class Line:
    """One connection of the attacker; comes back as soon as it is ended."""

    def __init__(self, row: Row, port: int, cookie: str, numbers: Iterator[int]) -> None:
        self.row, self.port, self.cookie, self.numbers = row, port, cookie, numbers
        self.connect()

    def connect(self) -> None:
        """Begin anew."""
        self.sock = socket.create_connection(("127.0.0.1", self.port), START)
        self.sock.setblocking(False)
        self.greeting = bool(self.row.path)
        self.left = handshake(self.row.path, self.cookie, ATTACKER) if self.row.path else b""

    def turn(self) -> bool:
        """Read what is there, write what goes. False: this connection is over."""
        with suppress(BlockingIOError):
            data = self.sock.recv(1 << 18)
            if not data:
                return False
            if self.greeting and not data.startswith(b"HTTP/1.1 101"):
                return False
            self.greeting = False
        with suppress(BlockingIOError):
            if not self.left and not self.greeting:
                block = self.row.block(next(self.numbers))
                self.left = block.replace(b"{cookie}", self.cookie.encode())
            self.left = self.left[self.sock.send(self.left) :] if self.left else b""
        return True


def attack(row: Row, port: int, cookie: str, ended: Counter) -> None:
    """All that this process can send, until it is ended."""
    os.sched_setaffinity(0, {LOAD_CORE})
    os.nice(10)  # the one who measures shares this core
    numbers, both = itertools.count(), selectors.EVENT_READ | selectors.EVENT_WRITE
    chosen = selectors.DefaultSelector()
    for _ in range(row.lines):
        line = Line(row, port, cookie, numbers)
        chosen.register(line.sock, both, line)
    while True:
        for key, _ in chosen.select(1.0):
            line = key.data
            try:
                going = line.turn()
            except OSError:
                going = False
            if not going:
                ended.value += 1
                chosen.unregister(line.sock)
                line.sock.close()
                line.connect()
                chosen.register(line.sock, both, line)


# -- the others


def ping(sock: socket.socket, seconds: float) -> list[float]:
    """The ways there and back, in ms."""
    times, end = [], time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        sock.sendall(frame(PING))
        seen = b""
        while b'{"type":"pong"}' not in seen:
            data = sock.recv(1 << 16)
            if not data:
                raise SystemExit("the bystander was cut")
            seen = seen[-64:] + data
        times.append((time.monotonic() - began) * 1000)
        time.sleep(EVERY)
    return times


def arrive(port: int, seconds: float) -> tuple[int, int]:
    """How many newcomers were let in within a moment, and of how many."""
    let_in = came = 0
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        came += 1
        status, _ = join(port, f"New {word(time.monotonic_ns() // 1_000_000)}", NEWCOMER)
        let_in += status == 303 and time.monotonic() - began < MOMENT
        time.sleep(max(0.0, ARRIVE - (time.monotonic() - began)))
    return let_in, came


def run(row: Row, root: Path, folder: Path, people: tuple[str, str], seconds: float) -> str:
    """One line of the table."""
    attacker, bystander = people
    with serving(root, folder) as port, ThreadPoolExecutor(1) as thread:
        sock = open_socket(port, "/r/quiet/ws", bystander, BYSTANDER)
        ended: Counter = multiprocessing.Value("q", 0)
        process = multiprocessing.Process(target=attack, args=(row, port, attacker, ended))
        process.start()
        try:
            time.sleep(0.5)
            newcomers = thread.submit(arrive, port, seconds)
            times = ping(sock, seconds)
            let_in, came = newcomers.result()
        finally:
            process.kill()
            process.join()
            sock.close()
    p50, p95 = statistics.median(times), sorted(times)[int(len(times) * 0.95)]
    ends = f"{ended.value / (seconds + 0.5):,.0f}" if row.lines else "-"
    return (
        f"| {row.label:36} | {p50:7.1f} | {p95:7.1f} | {max(times):7.1f} "
        f"| {f'{let_in} of {came}':>8} | {ends:>7} |"
    )


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", default="", help="keys with commas (default: all)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row (default: 5)")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    keys = [key for key in options.rows.split(",") if key]
    os.sched_setaffinity(0, {LOAD_CORE})
    print(f"| {'without a pause':36} | p50, ms | p95, ms | max, ms | let in   | cut/s   |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="abuse-") as temporary:
        folder = Path(temporary) / "data"
        people = prepare(options.root, folder)
        for row in ROWS:
            if not keys or row.key in keys:
                print(run(row, options.root, folder, people, options.seconds), flush=True)


if __name__ == "__main__":
    main()
