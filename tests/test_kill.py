"""kill -9, again and again, while people talk: what was confirmed is saved, once and in order.

`pytest tests/test_kill.py --kill-rounds=500` for a night. A killed process proves nothing about
power loss; it proves that nothing is told before COMMIT and that retries are harmless.
"""

from __future__ import annotations

import json
import random
import secrets
import signal
import sqlite3
import threading
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Declined, Wire, join
from serving import Process

pytestmark = pytest.mark.slow

ROOMS = ("den", "garden", "kitchen")
CLIENTS = 3  # people in each room
KILL_AFTER = (0.06, 0.4)  # seconds between the first answer and the kill


class Talker:
    """Somebody who always has something to say, on a thread of their own: one message at a time,
    sent again under its cid on every line until it is answered."""

    def __init__(self, room: str, cookie: str, port: int) -> None:
        self.room, self.cookie, self.port = room, cookie, port
        self.done = threading.Event()
        self.said: list[str] = []  # cids in the order of their writing
        self.confirmed: dict[str, int] = {}  # cid -> id
        self.rows: dict[int, dict[str, Any]] = {}  # what was shown, by id
        self.resent = 0
        self.began = 0  # where the room stood when what is shown was begun
        self.cursor = 0
        self.epoch = ""
        self.live = False
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
        cursor = f"?after={self.cursor}&epoch={self.epoch}" if self.epoch else ""
        try:
            wire = Wire(self.port, f"/r/{self.room}/ws{cursor}", cookie=self.cookie)
        except OSError:
            self.done.wait(0.01)  # nobody listens at this moment
            return
        self.live = False
        try:
            wire.opened()
            while not self._finished():
                if not self._hear(wire, wire.event()):
                    break
        except (EOFError, OSError, Declined):
            pass  # killed under our hands
        finally:
            wire.close()

    def _finished(self) -> bool:
        return self.done.is_set() and len(self.confirmed) == len(self.said)

    def _hear(self, wire: Wire, event: dict[str, Any]) -> bool:
        """False if something is missing: come back with the cursor."""
        kind = event["type"]
        if kind == "welcome" and event["afresh"]:
            self.rows.clear()
            self.began, self.cursor, self.epoch = event["head"], event["head"], event["epoch"]
        elif kind == "message":
            if self.live and event["rev"] > self.cursor + 1:
                return False
            self._confirm(wire, event["cid"], event["id"])
            if event["rev"] > self.cursor:
                self.cursor = event["rev"]
                self.rows[event["id"]] = event
        elif kind == "done":
            self._confirm(wire, event["cid"], event["rev"])
        elif kind == "live":
            self.live, self.cursor = True, event["head"]
            self.resent += len(self.confirmed) < len(self.said)
            self._talk(wire)
        elif kind == "jump" or (kind == "refused" and "retry" in event):
            self.live = kind != "jump"
            if self.live:
                self._talk(wire)
        else:
            assert kind != "refused", event
        return True

    def _confirm(self, wire: Wire, cid: str, id: int) -> None:
        if self.said and cid == self.said[-1] and cid not in self.confirmed:
            self.confirmed[cid] = id
            if self.live:
                self._talk(wire)

    def _talk(self, wire: Wire) -> None:
        """Say what is not answered, or something new."""
        if len(self.confirmed) == len(self.said):
            if self.done.is_set():
                return
            self.said.append(secrets.token_urlsafe(12))
        wire.say(f"message {len(self.said)}", cid=self.said[-1])


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
    with closing(sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        rows = db.execute(
            "SELECT r.name, r.rev, body FROM things t JOIN rooms r ON r.id = t.room"
            " WHERE kind = 'message' ORDER BY r.name, t.rev"
        ).fetchall()
    return [{**json.loads(body), "room": room, "head": head} for room, head, body in rows]


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
        for cid, id in talker.confirmed.items():
            assert saved[cid], f"{cid} was confirmed and is lost"
            assert [row["id"] for row in saved[cid]] == [id], f"{cid} is not there once"
        assert list(talker.confirmed) == talker.said, "confirmed in another order than written"
        ids = [talker.confirmed[cid] for cid in talker.said]
        assert ids == sorted(ids), "saved in another order than written"
        assert talker.rows, "a page that shows nothing proves nothing"
        for id, shown in talker.rows.items():
            row = rooms[talker.room][id - 1]
            assert (row["user"], row["text"], row["cid"]) == (
                shown["user"], shown["text"], shown["cid"],
            )  # fmt: skip
        whole = set(range(talker.began + 1, talker.cursor + 1))
        assert whole <= talker.rows.keys(), "a page has a hole"


def test_kill_minus_nine_loses_and_doubles_nothing_that_was_confirmed(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several rooms, several people, a kill at any moment of a commit."""
    server = Process(tmp_path / "data", "--rate=0")
    talkers, kills = kill_loop(server, pytestconfig.getoption("--kill-rounds"))
    check(talkers, table(server.data))
    assert "Traceback" not in server.said()
    confirmed = sum(len(talker.confirmed) for talker in talkers)
    resent = sum(talker.resent for talker in talkers)
    assert resent, "no kill came while a message was in flight"
    with capsys.disabled():
        print(f"\n{kills} kills, {confirmed} confirmed, {resent} resent, 0 lost, 0 doubled")


def test_the_loop_catches_a_server_that_confirms_before_it_commits(tmp_path: Path) -> None:
    """Otherwise the loop would prove nothing."""
    server = Process(tmp_path / "data", "--rate=0", script=("tests/early.py",))
    with pytest.raises(AssertionError, match="is lost"):
        several_loops(server)


def several_loops(server: Process) -> None:
    """Three kills could all miss the moment; nine do not."""
    for again in range(3):
        if again:
            server.start()
        talkers, _ = kill_loop(server, 3)
        check(talkers, table(server.data))
