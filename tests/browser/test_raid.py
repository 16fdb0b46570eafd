"""The raid drill: fifty newcomers flood an open room, and one moderator ends it in a few clicks.

`pytest tests/browser/test_raid.py -s` prints the figures: how long it took, and what the regulars
noticed. No time is asserted here: a busy machine would be taken for a slow server.
"""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import People
from .people import Visitor
from .raiders import EACH, NAMED, PLAIN, SPAM
from .server import ROOT, Server, Voice

MONTH = 30 * 24 * 3600 * 1000  # milliseconds
PAUSE = 0.1  # seconds between two sentences of a regular


class Regular(threading.Thread):
    """Somebody who talks on, and measures how long their own words take to come back."""

    def __init__(self, server: Server, cookie: str) -> None:
        super().__init__(daemon=True)
        self.voice = Voice(server, "lobby", cookie=cookie)
        self.took: list[float] = []  # seconds
        self.trouble: Exception | None = None
        self._enough = threading.Event()

    def run(self) -> None:
        """Until it is enough."""
        try:
            while not self._enough.wait(PAUSE):
                began = time.monotonic()
                self.voice.say(f"as I was saying, {secrets.token_hex(4)}")
                self.took.append(time.monotonic() - began)
        except Exception as trouble:
            self.trouble = trouble

    def end(self) -> None:
        """Stop, and leave."""
        self._enough.set()
        self.join(30)
        self.voice.leave()


@pytest.fixture
def raided(tmp_path: Path, browser: Browser) -> Iterator[Server]:
    """A server behind a proxy, with an open door and no limits on how much one may say."""
    server = Server(tmp_path, "--rate=0", "--trusted-proxies=127.0.0.1")
    yield server
    server.kill()


@pytest.fixture
def raiders(raided: Server) -> Iterator[list[subprocess.Popen[str]]]:
    """The process of the raid, once it is started."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def known_for_a_month(server: Server, moderator: str) -> None:
    """Who is here by now is no newcomer, and one of them is a moderator."""
    server.stop()
    with sqlite3.connect(server.data / "chat.db") as db:
        db.execute("UPDATE users SET made = made - ?", (MONTH,))
        db.execute("UPDATE users SET role = 'moderator' WHERE name = ?", (moderator,))
    db.close()
    server.start()


class Clicks:
    """Counts what a hand has to do."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, what: Locator) -> None:
        self.count += 1
        what.click()


def end_the_raid(page: Page, click: Clicks) -> None:
    """From the chat to its page, everybody who is new, out."""
    click(page.get_by_role("button", name=re.compile("settings$")))
    click(page.get_by_role("link", name=re.compile("^Look after")))
    click(page.get_by_role("checkbox", name="All of them"))
    click(page.get_by_role("button", name="Remove them and what they wrote"))
    click(page.get_by_role("button", name="Remove them", exact=True))
    expect(page.get_by_text("newcomers are out")).to_be_visible()


def spam(visitor: Visitor) -> Locator:
    return visitor.rows.filter(has_text=SPAM)


def test_a_raid_is_over_in_a_few_clicks_while_the_others_talk_on(
    people: People, raided: Server, raiders: list[subprocess.Popen[str]]
) -> None:
    mira, ana = people("Mira", raided), people("Ana", raided)
    for one in (mira, ana):
        one.join("lobby")
    cookies = [raided.join("lobby", name) for name in ("Ben", "Jun", "Nour")]
    known_for_a_month(raided, mira.name)
    regulars = [Regular(raided, cookie) for cookie in cookies]
    for one in (mira, ana):
        one.open("lobby")
        one.ready()
    for regular in regulars:
        regular.start()
    command = [sys.executable, "-m", "tests.browser.raiders", str(raided.port)]
    raid = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    raiders.append(raid)
    assert raid.stdout
    assert raid.stdout.readline() == "raiding\n"
    expect(spam(ana).last).to_be_visible()

    click, began = Clicks(), time.monotonic()
    end_the_raid(mira.page, click)
    expect(spam(ana)).to_have_count(0)
    took = time.monotonic() - began
    assert click.count < 10

    told, _ = raid.communicate("", timeout=60)
    outcome = json.loads(told)
    assert outcome["said"] >= (NAMED + PLAIN) * EACH
    assert len(outcome["closed"]) == NAMED + PLAIN
    assert all(all(shut) for shut in outcome["back"].values()), outcome["back"]
    for regular in regulars:
        regular.end()
        assert regular.trouble is None
    ana.says("that was quick")
    ana.page.reload()
    ana.shows_once("that was quick")
    expect(spam(ana)).to_have_count(0)
    report(took, click.count, outcome["said"], [t for one in regulars for t in one.took])


def report(took: float, clicks: int, said: int, trips: list[float]) -> None:
    """The figures, for `-s`."""
    cuts = statistics.quantiles(trips, n=100)
    p50, p99, most = (round(1000 * value, 1) for value in (cuts[49], cuts[98], max(trips)))
    print(f"\n{said} messages, {clicks} clicks, {took:.1f} s until the last page was clean;")
    print(f"regulars' {len(trips)} round trips: p50 {p50} ms, p99 {p99} ms, max {most} ms")
