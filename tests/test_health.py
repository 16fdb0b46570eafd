"""A part that fails is noticed: /healthz, the heartbeat, a seat whose read failed."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client import Wire
from serving import Site

from chat.log import health
from chat.room.hub import Hub


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[Site]:
    """A server whose log may hold what a test expects there."""
    site = Site(tmp_path / "data")
    yield site
    site.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_healthy_server_says_ok(site: Site, method: str) -> None:
    answer = site.http(method, "/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n" if method == "GET" else b"")


def test_a_disk_that_takes_no_write_is_told(faulty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH", 0.0)
    db: sqlite3.Connection = faulty.app.site.store._db
    faulty.join()  # what follows needs no new page but the writes of a join would
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute("CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT zeroblob(1e10); END")
    answer = faulty.http("GET", "/healthz")
    assert answer.status == 503
    assert b"Nothing can be saved." in answer.body
    db.execute("DROP TRIGGER full")
    assert faulty.http("GET", "/healthz").status == 200
    assert pages


def test_a_heart_that_stopped_is_told(faulty: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", -1.0)
    answer = faulty.http("GET", "/healthz")
    assert (answer.status, answer.body) == (503, b"The heartbeat has stopped.\n")


def test_a_part_of_the_heartbeat_that_fails_keeps_the_others_going(
    faulty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(hub: Hub) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(Hub, "tick", broken)
    wire = faulty.wire()
    until(lambda: any("broken failed" in line for line in faulty.log))
    faulty.app.site.health._ticked = 0.0
    until(lambda: faulty.app.site.health._ticked > 0.0)  # it goes on
    assert faulty.http("GET", "/healthz").status == 200
    wire.close()


def test_a_page_that_cannot_be_caught_up_is_closed_and_comes_back(
    faulty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seat whose read failed must not stay behind for ever, with pings going on."""
    wire = faulty.wire()
    wire.hear("message", cid=wire.say("something to miss"))
    cookie, store = faulty.join(), faulty.app.site.store

    async def unreadable(*_: Any) -> Any:
        raise sqlite3.DatabaseError("database disk image is malformed")

    for read in ("newest", "changes", "page"):
        monkeypatch.setattr(store, read, unreadable)
    faulty.call(faulty.app.site.hub.rooms.clear)  # as after a minute without anybody
    path = f"/r/lobby/ws?after=0&epoch={store.epoch}"
    stranded = Wire(faulty.port, path, cookie=cookie).opened()
    assert stranded.closed()[0] == 1011
    stranded.close()
    monkeypatch.undo()
    again = Wire(faulty.port, path, cookie=cookie).opened()
    assert again.hear("message")["text"] == "something to miss"
    again.hear("live")
    again.close()
    wire.close()
    assert any("could not be served" in line for line in faulty.log)


def test_reading_history_while_the_server_stops_is_refused_in_order(tmp_path: Path) -> None:
    """Not a traceback, but "closing", for as long as peers are given to say goodbye."""
    site = Site(tmp_path / "data")
    cookie = site.join()
    wire = site.wire()
    wire.hear("message", cid=wire.say("hello"))
    site.call(site.app.site.hub.rooms.clear)  # as after a minute without anybody
    site.call(site.app.site.store.close)
    for path in ("/r/lobby/messages", "/", "/healthz"):
        answer = site.http("GET", path, headers={"Cookie": cookie})
        assert answer.status == 503, path
    wire.close()
    site.app.site.store.close = _nothing  # type: ignore[method-assign]
    site.stop()
    assert site.log == []


async def _nothing() -> None:
    pass
