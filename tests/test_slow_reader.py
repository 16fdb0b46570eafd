"""A peer that stops reading for 30 s while 50 MB pass: what it costs, and what it has afterwards.

How it is measured: run.py is a process of its own and VmRSS is read from /proc. Two runs on one
server: in the first, of 20 MB, everybody reads; in the second, of 50 MB, one peer does not. The
first warms up the allocator and the room's memory of recent messages; after it a few pages of
history are read, as catching up reads them. What is in use then is the control that the silence
and the catching up are held against. The peer's receive buffer is the kernel's and small; what the
kernel itself holds for the socket is not in RSS and not counted.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from client import Answer, Wire, join, request
from serving import Process

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="RSS is read from /proc"),
]

ROOM = "den"
SILENCE = 30.0  # seconds without reading a byte
WARM_UP = 20_000_000  # bytes that pass while everyone reads, for each peer
VOLUME = 50_000_000  # bytes that pass while one peer does not
TEXT = "x" * 3_900
WINDOW = 20  # messages under way at once
LIMIT = 2 * 1024  # KiB the silent peer may cost


def rss(pid: int) -> int:
    """KiB of memory in use."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


class Reader:
    """Somebody who reads: what they were told, up to where."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.cursor = self.began = 0  # `began`: everything after it was told
        self.live = False
        self.shown: dict[int, tuple[int, str]] = {}  # id -> rev and text

    def read_up_to(self, goal: int) -> None:
        """Read until it is level with this rev."""
        while self.cursor != goal or not self.live:
            event = self.wire.event()
            match event["type"]:
                case "welcome":
                    assert event["afresh"]
                    self.cursor = self.began = event["head"]
                    self.shown.clear()
                case "message":
                    assert not self.live or event["rev"] == self.cursor + 1, "a hole"
                    self.cursor = event["rev"]
                    self.shown[event["id"]] = event["rev"], event["text"]
                case "jump":
                    self.live = False
                case "live":
                    self.cursor, self.live = event["head"], True

    def start(self, goal: int) -> None:
        """The same on a thread."""
        self.thread = threading.Thread(target=self.read_up_to, args=(goal,))
        self.thread.start()

    def finish(self) -> None:
        """Wait until it has everything."""
        self.thread.join(60)
        assert not self.thread.is_alive()


def talk(speaker: Wire, numbers: range, each: Callable[[], None]) -> None:
    """Say these, a few under way at once; `each` is called after every confirmation."""
    waiting = itertools.count()
    for number in numbers:
        speaker.say(f"{number} {TEXT}")
        if next(waiting) >= WINDOW:
            speaker.hear("message")
            each()
    for _ in range(min(WINDOW, len(numbers))):
        speaker.hear("message")
        each()


def run(server: Process, speaker: Wire, numbers: range, seconds: float) -> tuple[int, int]:
    """Let the volume pass, spread over these seconds; RSS before it and at its highest, in KiB."""
    before = peak = rss(server.process.pid)
    began, done = time.monotonic(), itertools.count(1)

    def each() -> None:
        nonlocal peak
        share = next(done) / len(numbers)
        if share * len(numbers) % 50 < 1:
            peak = max(peak, rss(server.process.pid))
            time.sleep(max(0.0, began + share * seconds - time.monotonic()))  # the pace of the run

    talk(speaker, numbers, each)
    return before, max(peak, rss(server.process.pid))


def test_a_peer_that_does_not_read_costs_a_cursor_and_misses_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Less than 2 MiB, and when it reads again it has exactly the log."""
    count, total = WARM_UP // len(TEXT), (WARM_UP + VOLUME) // len(TEXT)
    with Process(tmp_path / "data", "--rate=0").ready() as server:

        def open_wire(receive_buffer: int = 0) -> Wire:
            cookie, path = join(server.port), f"/r/{ROOM}/ws"
            wire = Wire(server.port, path, cookie=cookie, receive_buffer=receive_buffer)
            return wire.opened()

        with contextlib.closing(open_wire()) as speaker, contextlib.closing(open_wire()) as other:
            speaker.hear("live")
            reader = Reader(other)
            reader.start(total)
            before, _ = run(server, speaker, range(count), 0.0)
            for since in (0, count // 3, count // 2):
                assert history(server.port, since).status == 200
            control = rss(server.process.pid)
            with contextlib.closing(open_wire(receive_buffer=64 * 1024)) as slow:
                silent = Reader(slow)
                silent.read_up_to(count)
                _, peak = run(server, speaker, range(count, total), SILENCE)
                reader.finish()
                silent.read_up_to(total)
                after = rss(server.process.pid)
        assert server.end() == 0
        assert server.said() == ""
    with capsys.disabled():
        print(
            f"\nRSS in KiB: {before} at first, {control} after everyone has read,"
            f" {peak} at most in the silence, {after} when it had caught up"
        )
    assert peak - control < LIMIT
    assert after - control < LIMIT
    log = table(tmp_path / "data")
    assert len(log) == total
    for heard in (silent, reader):
        assert heard.shown == {id: log[id] for id in log if id > heard.began}
    assert reader.began == 0
    assert silent.began > count, "it was too far behind, and starts afresh"


def history(port: int, since: int) -> Answer:
    """A full page of the log, read from the disk."""
    headers = {"Cookie": join(port)}
    return request(port, "GET", f"/r/{ROOM}/messages?since={since}&limit=200", headers)


def table(data: Path) -> dict[int, tuple[int, str]]:
    """The log: id -> rev and text."""
    db = sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)
    bodies = db.execute("SELECT body FROM things WHERE kind = 'message'").fetchall()
    db.close()
    messages = [json.loads(body) for (body,) in bodies]
    return {message["id"]: (message["rev"], message["text"]) for message in messages}
