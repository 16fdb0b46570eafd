"""What people who talk notice while a moderator removes all that somebody wrote.

A server with its ordinary limits on one core. Twenty people talk in the room, each twice a second;
the way of a message there and back is measured for all of them: first while nothing else happens,
then from the order until the last piece is gone. Everything stays on 127.0.0.1.

    python bench/wipe.py                         20,000 messages, about a minute
    python bench/wipe.py --messages=1000 --authors=50
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import selectors
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from abuse import LOAD_CORE, frame, join, open_socket, serving, word

TALKERS = 20
EVERY = 0.5  # seconds between two messages of one of them
BATCH = 200  # messages on their way while the history is written
FOREVER = 253_402_300_800_000  # UTC milliseconds


def write(port: int, cookie: str, address: str, count: int) -> None:
    """So many messages of one person."""
    sock = open_socket(port, "/r/den/ws", cookie, address)
    sent = seen = 0
    tail = b""
    while seen < count:
        while sent < min(count, seen + BATCH):
            text = f"buy this, number {sent}: " + "cheap " * (sent % 20)
            say = {"type": "say", "cid": f"spam-{sent:06}", "text": text}
            sock.sendall(frame(json.dumps(say)))
            sent += 1
        tail += sock.recv(1 << 18)
        seen += tail.count(b'"cid":"spam-')
        tail = tail[-8:]
    sock.close()


class Talker:
    """Somebody who says something now and then."""

    def __init__(self, port: int, number: int, cookie: str) -> None:
        address = f"203.0.113.{number + 1}"
        self.sock = open_socket(port, "/r/den/ws", cookie, address)
        self.number, self.said, self.due = number, 0, 0.0
        self.began: dict[bytes, float] = {}
        self.tail = b""

    def say(self, now: float) -> None:
        """The next message."""
        cid = f"talk-{self.number:02}-{self.said:05}"
        self.said += 1
        self.began[cid.encode()] = now
        self.sock.sendall(frame(json.dumps({"type": "say", "cid": cid, "text": "hello"})))

    def hear(self, times: list[float], gone: list[int]) -> None:
        """What has come: messages of my own, and how much is no more."""
        data = self.tail + self.sock.recv(1 << 18)
        gone[0] += data.count(b'"type":"gone"')
        now = time.monotonic()
        for cid in [cid for cid in self.began if cid in data]:
            times.append((now - self.began.pop(cid)) * 1000)
        self.tail = data[-12:]


def talk(talkers: list[Talker], until: Any, gone: list[int]) -> list[float]:
    """Everybody talks until then; the ways there and back, in ms."""
    times: list[float] = []
    chosen = selectors.DefaultSelector()
    for number, talker in enumerate(talkers):
        talker.due = time.monotonic() + EVERY * number / len(talkers)
        chosen.register(talker.sock, selectors.EVENT_READ, talker)
    while not until():
        now = time.monotonic()
        for talker in talkers:
            if talker.due <= now:
                talker.say(now)
                talker.due += EVERY
        for key, _ in chosen.select(max(0.0, min(t.due for t in talkers) - time.monotonic())):
            key.data.hear(times, gone)
    chosen.close()
    return times


def line(label: str, times: list[float]) -> str:
    """A row of the table."""
    times = sorted(times)
    p50, p99 = (times[int(len(times) * part)] for part in (0.5, 0.99))
    return f"| {label:36} | {len(times):8} | {p50:7.1f} | {p99:7.1f} | {times[-1]:7.1f} |"


def give(port: int, cookie: str, **order: Any) -> None:
    """An order over HTTP."""
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as http_line:
        body = json.dumps({"cid": "the-order", **order})
        http_line.request("POST", "/orders", body, {"Cookie": cookie})
        answer = http_line.getresponse()
        assert answer.status == 200, answer.read()


def main() -> None:
    """Print the two rows, and how long it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--authors", type=int, default=1, help="who wrote them (default: 1)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="wipe-") as temporary:
        folder = Path(temporary) / "data"
        with serving(root, folder, "--rate=0", "--connections-per-user=0") as port:
            _, mod = join(port, "Mona", "203.0.113.250")
            cookies = [
                join(port, f"Sam {word(n)}", f"203.0.113.{n + 1}")[1] for n in range(TALKERS)
            ]
            for n in range(options.authors):
                _, spammer = join(port, f"Xavi {word(n)}", "198.51.100.1")
                write(port, spammer, "198.51.100.1", options.messages // options.authors)
        with closing(sqlite3.connect(folder / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = 'moderator' WHERE name = 'Mona'")
            users = [id for (id,) in db.execute("SELECT id FROM users WHERE name LIKE 'Xavi%'")]
        with serving(root, folder) as port:
            measure(port, folder, mod, users, [Talker(port, *who) for who in enumerate(cookies)])


def measure(port: int, folder: Path, mod: str, users: list[str], talkers: list[Talker]) -> None:
    """Beside nothing, then beside the wipe."""
    print(f"| {'they talk, and':36} | messages | p50, ms | p99, ms | max, ms |")
    print("|---|---|---|---|---|")
    gone = [0]
    end = time.monotonic() + 10.0
    print(line("nothing else happens", talk(talkers, lambda: time.monotonic() > end, gone)))
    began = time.monotonic()
    give(port, mod, type="ban", users=users, until=FOREVER, since=0)
    db = sqlite3.connect(f"file:{folder}/chat.db?mode=ro", uri=True)
    looked = [0.0]

    def done() -> bool:
        if time.monotonic() - looked[0] < 0.1:
            return False
        looked[0] = time.monotonic()
        return db.execute("SELECT 1 FROM chores").fetchone() is None

    print(line("all that somebody wrote goes", talk(talkers, done, gone)))
    took = time.monotonic() - began
    print(f"\nall was gone after {took:.1f} s, in {gone[0] // TALKERS} changes")
    db.close()
    for talker in talkers:
        talker.sock.close()


if __name__ == "__main__":
    main()
