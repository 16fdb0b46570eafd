"""web/history.py: what changes while a page is read is in it as it is by then, or not at all."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from client import PATIENCE, Answer, Wire
from serving import Site

from chat.log.reader import Asked, Page
from chat.log.store import Store

PATHS = ["/r/lobby/messages", "/"]


class Held:
    """Holds up the first page that is read of the log."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        self._site = site
        self._read = threading.Event()
        self._go = asyncio.Event()
        plain, told = Store.page, self

        async def page(self: Store, room: str, asked: Asked) -> Page:
            told.reads += 1
            found = await plain(self, room, asked)
            told._read.set()
            await told._go.wait()
            return found

        monkeypatch.setattr(Store, "page", page)

    def answer(self, path: str, cookie: str, meanwhile: Callable[[], Any]) -> Answer:
        """The page, during which this happened."""
        answers: list[Answer] = []
        headers = {"Cookie": cookie, "Accept": "application/json" if "messages" in path else "*/*"}
        asking = threading.Thread(
            target=lambda: answers.append(self._site.http("GET", path, headers=headers))
        )
        asking.start()
        try:
            assert self._read.wait(PATIENCE)
            meanwhile()
        finally:
            self._site.call(self._go.set)
            asking.join(PATIENCE)
        return answers[0]


@contextmanager
def talking(site: Site) -> Iterator[Wire]:
    """Somebody who has said two things, one of them with a reaction."""
    wire = site.wire()
    wire.say("the first text")
    wire.say("the second text")
    wire.command("react", id=1, emoji="🎉", on=True)
    wire.hear("reaction")
    try:
        yield wire
    finally:
        wire.close()


@pytest.mark.parametrize("path", PATHS)
def test_what_is_removed_while_a_page_is_read_is_not_in_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    with talking(site) as wire:

        def remove() -> None:
            wire.command("delete", id=1)
            wire.hear("gone")

        answer = Held(site, monkeypatch).answer(path, site.join(), remove)
        assert answer.status == 200
        assert b"the first text" not in answer.body
        assert b"the second text" in answer.body
        if path != "/":
            changes = json.loads(answer.body)["changes"]
            assert [(c["type"], c["id"]) for c in changes] == [("message", 2)]


@pytest.mark.parametrize("path", PATHS)
def test_what_is_edited_while_a_page_is_read_is_in_it_as_it_is_by_then(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    with talking(site) as wire:

        def edit() -> None:
            wire.command("edit", id=1, text="a better text")
            wire.hear("message", id=1, text="a better text")

        answer = Held(site, monkeypatch).answer(path, site.join(), edit)
        assert b"the first text" not in answer.body
        assert b"a better text" in answer.body


def test_what_is_quoted_is_as_it_is_when_the_page_leaves(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be no message of the page itself."""
    with talking(site) as wire:
        for number in range(50):
            wire.command("say", text=f"{number}", reply=number % 2 + 1)
        wire.hear("message", text="49")

        def meanwhile() -> None:
            wire.command("edit", id=1, text="a better text")
            wire.command("delete", id=2)
            wire.hear("gone")

        answer = Held(site, monkeypatch).answer("/", site.join(), meanwhile)
        for old in (b"the first text", b"the second text"):
            assert old not in answer.body
        for new in (b"a better text", b"Message deleted"):
            assert answer.body.count(new) >= 25


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_read_again_where_the_memory_has_forgotten_what_changed(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("chat.room.recent.CHANGES", 1)
    with talking(site) as wire:

        def remove() -> None:
            wire.command("delete", id=1)
            wire.hear("message", cid=wire.say("so much has been said"))

        held = Held(site, monkeypatch)
        answer = held.answer(path, site.join(), remove)
        assert held.reads == 2
        assert b"the first text" not in answer.body
        assert b"so much has been said" in answer.body


@pytest.mark.parametrize("path", PATHS)
def test_who_signs_out_while_a_page_is_read_is_not_shown_it(
    site: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    with talking(site):
        cookie = site.join()

        def leave() -> None:
            form = {"room": "lobby"}
            site.http("POST", "/signout", headers={"Cookie": cookie}, form=form)

        answer = Held(site, monkeypatch).answer(path, cookie, leave)
        assert answer.status in (401, 403)
        assert b"the second text" not in answer.body
