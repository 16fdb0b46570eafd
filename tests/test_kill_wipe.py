"""kill -9 while much is being removed: the next start goes on, and nothing is told twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from client import PATIENCE, Wire, join, request
from serving import Process

from chat.log.backup import backup
from chat.log.operations import Append
from chat.log.restore import restore
from chat.log.store import Store
from chat.wire.orders import FOREVER

WRITTEN, OTHERS = 3_000, 300  # messages: of the one who is wiped, and of somebody else between them


class Chat:
    """A data folder in which somebody wrote too much, and the cookie of a moderator."""

    def __init__(self, data: Path) -> None:
        self.data = data
        with Process(data) as server:
            self.mod, self.spammer = join(server.ready().port, name="Mona"), ""
            join(server.port, name="Xavi")
            assert server.end() == 0
        with closing(sqlite3.connect(data / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = 'moderator' WHERE name = 'Mona'")
            self.ids = dict(db.execute("SELECT name, id FROM users").fetchall())
        asyncio.run(self._write())

    async def _write(self) -> None:
        store = Store(self.data / "chat.db")
        store.start()
        every = WRITTEN // OTHERS
        for n in range(WRITTEN):
            who = [self.ids["Xavi"]] + [self.ids["Mona"]] * (n % every == 0)
            ops = [Append("lobby", id, f"cid-{n:05}", "X", 1000, 3, f"text {n}") for id in who]
            writes = [store.wrote(op) for op in ops]
            if n % 100 == 0:
                await asyncio.gather(*writes)
        await store.close()

    def rows(self, sql: str) -> list[tuple[int, ...]]:
        """What this finds in the history."""
        with closing(sqlite3.connect(f"file:{self.data}/chat.db?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()

    def left(self) -> int:
        """Messages that are still to go."""
        ((count,),) = self.rows(
            f"SELECT count(*) FROM things WHERE kind = 'message' AND author = '{self.ids['Xavi']}'"
        )
        return count

    def wait_until_done(self) -> None:
        """All chores are done."""
        end = time.monotonic() + PATIENCE
        while self.rows("SELECT 1 FROM chores"):
            assert time.monotonic() < end, "it does not go on"
            time.sleep(0.01)

    def killed_in_the_middle(self, order: str, **fields: object) -> int:
        """A server is killed after the first piece; where its log stood."""
        with Process(self.data, script=("tests/resting.py",)) as server:
            wire = Wire(server.ready().port, "/r/lobby/ws", cookie=self.mod)
            with closing(wire.opened()):
                body = {"type": order, "cid": "the-order", **fields}
                answer = request(
                    server.port, "POST", "/orders", {"Cookie": self.mod}, json_body=body
                )
                assert answer.status == 200, answer
                head = int(wire.hear("gone")["rev"])
                server.end(signal.SIGKILL)
        assert self.left() == WRITTEN - 500
        return head

    def check(self) -> None:
        """Exactly what was to go is gone; every rev was given once, and each `gone` is another."""
        assert self.left() == 0
        living = self.rows("SELECT id FROM things WHERE kind = 'message' ORDER BY id")
        assert len(living) == OTHERS
        told = self.rows(
            "SELECT rev, json_extract(body, '$.from'), json_extract(body, '$.to') FROM things"
            " WHERE kind = 'gone' ORDER BY rev"
        )
        head = WRITTEN + OTHERS
        assert [rev for rev, _, _ in told] == list(range(head + 1, head + 1 + len(told)))
        assert len(told) == WRITTEN // 500
        assert self.rows("SELECT rev FROM rooms") == [(head + len(told),)]
        spans = [(first, last) for _, first, last in told]
        assert all(low > below for (low, _), (_, below) in pairwise(spans))
        assert self.rows("PRAGMA integrity_check") == [("ok",)]


def test_a_wipe_that_is_killed_goes_on_with_the_next_start(tmp_path: Path) -> None:
    """Who was there before hears the rest, once."""
    chat = Chat(tmp_path / "data")
    cursor = chat.killed_in_the_middle("wipe", user=chat.ids["Xavi"], since=0)
    with Process(chat.data) as server:
        server.ready()
        epoch = request(server.port, "GET", "/r/lobby/messages", {"Cookie": chat.mod})
        after = f"?after={cursor}&epoch={json.loads(epoch.body)['epoch']}"
        wire = Wire(server.port, f"/r/lobby/ws{after}", cookie=chat.mod).opened()
        revs = [wire.hear("gone", user=chat.ids["Xavi"])["rev"] for _ in range(WRITTEN // 500 - 1)]
        assert revs == list(range(cursor + 1, cursor + 1 + len(revs)))
        chat.wait_until_done()
        wire.close()
        assert server.end() == 0
        assert "Traceback" not in server.said()
    chat.check()


def test_a_ban_that_is_killed_while_it_removes_is_a_ban(tmp_path: Path) -> None:
    """And what was written goes all the same."""
    chat = Chat(tmp_path / "data")
    chat.killed_in_the_middle("ban", users=[chat.ids["Xavi"]], until=FOREVER, since=0)
    with Process(chat.data) as server:
        server.ready()
        chat.wait_until_done()
        assert server.end() == 0
    chat.check()
    assert chat.rows("SELECT until FROM bans") == [(FOREVER,)]


def test_a_restored_backup_goes_on_with_what_was_being_removed(tmp_path: Path) -> None:
    chat = Chat(tmp_path / "data")
    chat.killed_in_the_middle("wipe", user=chat.ids["Xavi"], since=0)
    saved = tmp_path / "saved.db"
    backup(chat.data, saved)
    with Process(chat.data) as server:
        server.ready()
        chat.wait_until_done()
        assert server.end() == 0
    restore(chat.data, saved)
    assert chat.left() == WRITTEN - 500
    with Process(chat.data) as server:
        server.ready()
        chat.wait_until_done()
        assert server.end() == 0
    chat.check()
