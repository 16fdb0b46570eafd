"""kill -9, again and again, while people talk: what was confirmed is saved, once and in order.

`pytest tests/test_kill.py --kill-rounds=500` for a night. A killed process proves nothing about
power loss; it proves that nothing is told before COMMIT and that retries are harmless.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Declined, Page, Wire, join
from serving import Process, follow

pytestmark = pytest.mark.slow

ROOMS = ("den", "garden", "kitchen")
CLIENTS = 3  # people in each room
KILL_AFTER = (0.06, 0.4)  # seconds between the first answer and the kill

HASTY = '''
"""run.py with a bug: each write is confirmed before its COMMIT, and the disk is slow."""

import sys
import time

from chat.wire.codes import Refusal
from chat.log.commits import Commits
from chat.log.store import Store

honest, do, start = Commits._commit, Commits._do, Store.start


def begin(store):
    start(store)
    store._commits.loop = store._loop


def hasty(self, writer, jobs):
    self.told = {id(op): done for op, done in jobs}
    settled = honest(self, writer, jobs)
    return [(done, outcome) for done, outcome in settled if isinstance(outcome, Refusal)]


def early(self, writer, op):
    outcome = do(self, writer, op)
    if not isinstance(outcome, Refusal):
        self.loop.call_soon_threadsafe(self.told[id(op)], outcome)
    time.sleep(0.02)
    return outcome


Commits._commit, Commits._do = hasty, early
Store.start = begin

from run import main

sys.exit(main())
'''


class Talker:
    """A page that always has something to say, on a thread of its own."""

    def __init__(self, room: str, cookie: str, port: int) -> None:
        self.page = Page(room)
        self.cookie = cookie
        self.port = port
        self.done = threading.Event()
        self.said: list[str] = []  # cids in the order of their writing
        self.trouble: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self._finished():
                self._connect()
        except BaseException as error:
            self.trouble = error

    def _connect(self) -> None:
        try:
            wire = Wire(self.port, self.page.path, cookie=self.cookie)
        except OSError:
            self.done.wait(0.01)  # nobody listens at this moment
            return
        try:
            follow(self.page, wire.opened(), self._finished)
        except (EOFError, OSError, Declined):
            pass  # killed under our hands
        finally:
            wire.close()

    def _finished(self) -> bool:
        """Writes the next message as soon as the last one is confirmed, until told to stop."""
        self.page.rested()
        if not self.page.outbox and not self.done.is_set():
            self.said.append(self.page.say(f"message {len(self.said)}"))
        return self.done.is_set() and not self.page.outbox


def kill_loop(server: Process, rounds: int) -> tuple[list[Talker], int]:
    """Start, let everyone talk, kill, `rounds` times; then let everyone finish."""
    dice = random.Random(9)
    with server.ready():
        talkers = [
            Talker(room, join(server.port, room), server.port)
            for room in ROOMS
            for _ in range(CLIENTS)
        ]
        try:
            for _ in range(rounds):
                server.ready()
                time.sleep(dice.uniform(*KILL_AFTER))  # the one thing here that is left to chance
                server.end(signal.SIGKILL)
                server.start()
            server.ready()
        finally:
            for talker in talkers:
                talker.done.set()
            for talker in talkers:
                talker.thread.join(PATIENCE)
        assert not any(talker.thread.is_alive() for talker in talkers), "somebody never finishes"
        assert server.end() == 0
    for talker in talkers:
        if talker.trouble:
            raise talker.trouble
    return talkers, rounds


def table(data: Path) -> list[dict[str, Any]]:
    """Every message that is saved, by room and rev."""
    db = sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    rows = db.execute(
        "SELECT r.name AS room, r.rev AS head, m.* FROM messages m"
        " JOIN rooms r ON r.id = m.room ORDER BY r.name, m.rev"
    ).fetchall()
    db.close()
    return [dict(row) for row in rows]


def check(talkers: list[Talker], rows: list[dict[str, Any]]) -> None:
    """Compare what everyone was told and shown with the table."""
    saved = defaultdict(list)
    rooms = defaultdict(list)
    for row in rows:
        saved[row["cid"]].append(row)
        rooms[row["room"]].append(row)
    for room, messages in rooms.items():
        revs = [message["rev"] for message in messages]
        assert revs == list(range(1, len(revs) + 1)), f"{room} has a hole"
        assert {message["head"] for message in messages} == {len(revs)}
    for talker in talkers:
        page = talker.page
        for cid, id in page.confirmed.items():
            assert saved[cid], f"{cid} was confirmed and is lost"
            assert [row["id"] for row in saved[cid]] == [id], f"{cid} is not there once"
        assert list(page.confirmed) == talker.said, "confirmed in another order than written"
        ids = [page.confirmed[cid] for cid in talker.said]
        assert ids == sorted(ids), "saved in another order than written"
        assert page.rows, "a page that shows nothing proves nothing"
        for id, shown in page.rows.items():
            row = rooms[page.room][id - 1]
            assert (row["author"], row["text"], row["cid"]) == (
                shown["user"], shown["text"], shown["cid"],
            )  # fmt: skip
        began, last = page.began, page.last or 0
        whole = {id for id in range(began + 1, last + 1) if not left_out(page, id)}
        assert whole <= page.rows.keys(), "a page has a hole"


def left_out(page: Page, rev: int) -> bool:
    """Whether the server has said that it leaves this one out."""
    return any(since < rev <= to for since, to in page.gaps)


def test_kill_minus_nine_loses_and_doubles_nothing_that_was_confirmed(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several rooms, several people, a kill at any moment of a commit."""
    server = Process(tmp_path / "data", "--rate=0")
    talkers, kills = kill_loop(server, pytestconfig.getoption("--kill-rounds"))
    check(talkers, table(server.data))
    assert "Traceback" not in server.said()
    confirmed = sum(len(talker.page.confirmed) for talker in talkers)
    resent = sum(talker.page.resent for talker in talkers)
    assert resent, "no kill came while a message was in flight"
    with capsys.disabled():
        print(f"\n{kills} kills, {confirmed} confirmed, {resent} resent, 0 lost, 0 doubled")


def test_the_loop_catches_a_server_that_confirms_before_it_commits(tmp_path: Path) -> None:
    """Otherwise the loop would prove nothing."""
    script = tmp_path / "hasty.py"
    script.write_text(HASTY)
    server = Process(tmp_path / "data", "--rate=0", script=(str(script),))
    with pytest.raises(AssertionError, match="is lost"):
        several_loops(server)


def several_loops(server: Process) -> None:
    """Three kills could all miss the moment; nine do not."""
    for again in range(3):
        if again:
            server.start()
        talkers, _ = kill_loop(server, 3)
        check(talkers, table(server.data))
