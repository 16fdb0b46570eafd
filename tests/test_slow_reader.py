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
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from client import Answer, Page, Wire, join, request
from serving import Process, follow

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
    """A page on a thread that reads all the time, until it has seen the rev it is told."""

    def __init__(self, wire: Wire) -> None:
        self.page = Page(ROOM)
        self.goal: int | None = None
        self.thread = threading.Thread(target=self._run, args=(wire,))
        self.thread.start()

    def _run(self, wire: Wire) -> None:
        with contextlib.suppress(EOFError), contextlib.closing(wire):
            follow(self.page, wire, lambda: self.goal is not None and self.page.last == self.goal)

    def finish(self, goal: int) -> None:
        """Wait until it has everything."""
        self.goal = goal
        self.thread.join(60)
        assert self.page.last == goal


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

        with contextlib.closing(open_wire()) as speaker:
            speaker.hear("live")
            reader = Reader(open_wire())
            before, _ = run(server, speaker, range(count), 0.0)
            for since in (0, count // 3, count // 2):
                assert history(server.port, since).status == 200
            control = rss(server.process.pid)
            with contextlib.closing(open_wire(receive_buffer=64 * 1024)) as slow:
                page = Page(ROOM)
                follow(page, slow, lambda: page.live)
                _, peak = run(server, speaker, range(count, total), SILENCE)
                reader.finish(total)
                follow_on(page, slow, total)
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
    for shown in (page, reader.page):
        rows = {id: (row["rev"], row["text"]) for id, row in shown.rows.items()}
        assert rows == {id: log[id] for id in log if id > shown.began or id in rows}


def history(port: int, since: int) -> Answer:
    """A full page of the log, read from the disk."""
    headers = {"Cookie": join(port)}
    return request(port, "GET", f"/r/{ROOM}/messages?since={since}&limit=200", headers)


def follow_on(page: Page, wire: Wire, goal: int) -> None:
    """Read on without a new connection."""
    while page.last != goal or not page.live:
        assert page.receive(wire.event()), "a hole"


def table(data: Path) -> dict[int, tuple[int, str]]:
    """The log: id -> rev and text."""
    db = sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)
    log = {id: (rev, text) for id, rev, text in db.execute("SELECT id, rev, text FROM messages")}
    db.close()
    return log
