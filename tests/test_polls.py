"""room/polls.py and web/history.py: a request that waits for what comes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Answer
from serving import Site

from chat.room import polls
from chat.room.polls import Polls
from chat.wire.codes import Refusal


class Poll:
    """A request under way, on a thread of the test."""

    def __init__(self, site: Site, cookie: str, path: str) -> None:
        self._answers: list[Answer] = []
        self._thread = threading.Thread(target=self._ask, args=(site, cookie, path), daemon=True)
        self._thread.start()

    def _ask(self, site: Site, cookie: str, path: str) -> None:
        name = "Authorization" if cookie.startswith("Bearer ") else "Cookie"
        headers = {name: cookie, "Accept": "application/json"}
        self._answers.append(site.http("GET", path, headers=headers))

    def answer(self) -> tuple[int, Any]:
        """Its status and what it says."""
        self._thread.join(PATIENCE)
        return self._answers[0].status, json.loads(self._answers[0].body)

    @property
    def waits(self) -> bool:
        return not self._answers


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes to its end by itself: what ends is what is tested."""
    monkeypatch.setattr("chat.web.history.WAIT", 10 * PATIENCE)


def until(site: Site, holds: Callable[[], bool]) -> None:
    """Wait for what is true on the server."""
    deadline = time.monotonic() + PATIENCE
    while not site.call(holds):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiting(site: Site, number: int) -> None:
    """Wait until so many requests wait."""
    until(site, lambda: len(site.app.site.hub.polls) == number)


def test_what_comes_is_told_to_who_waits_and_who_is_behind_does_not_wait(
    site: Site, patient: None
) -> None:
    cookie, wire = site.join(), site.wire("den")
    wire.hear("message", cid=wire.say("one"))
    status, page = Poll(site, cookie, "/r/den/messages?since=0&wait=1000").answer()
    assert (status, page["head"], page["changes"][0]["text"]) == (200, 1, "one")
    poll = Poll(site, cookie, "/r/den/messages?since=1&wait=1000")
    other = Poll(site, cookie, "/r/attic/messages?since=0&wait=1000")
    waiting(site, 2)
    wire.say("two")
    status, page = poll.answer()
    assert [change["text"] for change in page["changes"]] == ["two"]
    assert other.waits
    first = site.wire("attic")
    first.say("a room begins")
    assert other.answer()[1]["changes"][0]["text"] == "a room begins"
    wire.close()
    first.close()


def test_the_room_is_not_kept_for_who_waits(site: Site, patient: None) -> None:
    poll = Poll(site, site.join(), "/r/den/messages?since=0&wait=1000")
    waiting(site, 1)
    assert site.call(lambda: list(site.app.site.hub.rooms)) == []
    wire = site.wire("den")
    wire.say("hello")
    assert poll.answer()[1]["head"] == 1
    wire.close()


def test_who_waits_for_nothing_is_answered_in_the_end(site: Site) -> None:
    status, page = Poll(site, site.join(), "/r/den/messages?since=0&wait=1").answer()
    assert (status, page["head"], page["changes"], page["more"]) == (200, 0, [], False)


def test_whoever_may_not_be_in_any_more_gets_nothing(site: Site, patient: None) -> None:
    cookie = site.join()
    poll = Poll(site, cookie, "/r/den/messages?since=0&wait=1000")
    waiting(site, 1)
    site.http("POST", "/signout", headers={"Cookie": cookie}, form={"room": "den"})
    wire = site.wire("den")
    wire.say("a secret")
    status, refused = poll.answer()
    assert (status, refused["code"]) == (403, "sign_in")
    wire.close()


def test_a_room_that_becomes_private_while_somebody_waits_is_none_for_them(
    site: Site, patient: None
) -> None:
    owner, cookie = site.join("den", "Olga"), site.join()
    site.promote("Olga", "owner")
    wire = site.wire("den", owner)
    wire.hear("message", cid=wire.say("one"))
    poll = Poll(site, cookie, "/r/den/messages?since=1&wait=1000")
    waiting(site, 1)
    wire.command("room", private=True)
    status, refused = poll.answer()
    assert (status, refused["code"]) == (404, "bad_room")
    wire.close()


def test_of_too_many_of_one_person_the_oldest_gives_way(site: Site, patient: None) -> None:
    """It may be of a program that was ended: its line is noticed only when it is answered."""
    cookie = site.join()
    path = "/r/den/messages?since=0&wait=1000"
    running = []
    for number in range(polls.EACH):
        running.append(Poll(site, cookie, path))
        waiting(site, number + 1)
    running.append(Poll(site, cookie, path))
    assert running[0].answer()[1]["changes"] == []
    waiting(site, polls.EACH)
    assert all(poll.waits for poll in running[1:])
    site.call(site.app.site.hub.polls.close)
    assert {poll.answer()[0] for poll in running} == {200}


def test_the_end_of_the_server_ends_them(tmp_path: Path, patient: None) -> None:
    site = Site(tmp_path / "data")
    poll = Poll(site, site.join(), "/r/den/messages?since=0&wait=1000")
    waiting(site, 1)
    site.stop()
    assert poll.answer()[0] in (200, 503)
    assert site.log == []


def test_an_address_has_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another name costs nothing; what a refused one held is free again."""
    monkeypatch.setattr(polls, "AROUND", 3)

    async def crowd() -> None:
        waiting = Polls()
        tasks = [
            asyncio.create_task(waiting.next("den", ("here", f"{n}"), PATIENCE)) for n in range(3)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="slow_down"):
            await waiting.next("den", ("here", "one more"), PATIENCE)
        other = asyncio.create_task(waiting.next("den", ("there", "someone"), PATIENCE))
        await asyncio.sleep(0)
        assert len(waiting) == 4
        waiting.told("den")
        await asyncio.gather(*tasks, other)
        assert len(waiting) == 0
        await waiting.next("den", ("here", "one more"), 0)
        waiting.close()
        await waiting.next("den", ("here", "late"), PATIENCE)

    asyncio.run(crowd())


@pytest.mark.parametrize("wait", ["x", "-1", "1.5", "9" * 20])
def test_a_wait_is_a_number(site: Site, wait: str) -> None:
    path = f"/r/den/messages?since=0&wait={wait}"
    status, refused = Poll(site, site.join(), path).answer()
    assert (status, refused["code"]) == (400, "bad_page")
