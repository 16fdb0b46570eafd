"""The raid drill: fifty newcomers flood an open room, and one moderator ends it in a few clicks.

`pytest tests/browser/test_raid.py -s` prints the figures: how long it took, and what the regulars
noticed. No time is asserted here: a busy machine would be taken for a slow server.
"""

from __future__ import annotations

import json
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import People
from .drill import EACH, NAMED, PLAIN, SPAM
from .people import Visitor
from .server import ROOT, Server

MONTH = 30 * 24 * 3600 * 1000  # milliseconds


class Side:
    """A process of drill.py, once it is ready."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.browser.drill", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"

    def end(self) -> dict[str, Any]:
        """It is enough; how it went."""
        told, _ = self.process.communicate("", timeout=60)
        outcome: dict[str, Any] = json.loads(told)
        return outcome

    def kill(self) -> None:
        """Without a word."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def side() -> Iterator[Callable[..., Side]]:
    """`side("raid", …)` starts one, which does not outlive the test."""
    started: list[Side] = []

    def start(*arguments: str) -> Side:
        started.append(Side(*arguments))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def raided(tmp_path: Path, browser: Browser) -> Iterator[Server]:
    """A server behind a proxy, with an open door and no limits on how much one may say."""
    server = Server(tmp_path, "--rate=0", "--trusted-proxies=127.0.0.1")
    yield server
    server.kill()


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
    click(page.get_by_role("button", name=re.compile(", settings$")))
    click(page.get_by_role("link", name=re.compile("^Look after")))
    click(page.get_by_role("checkbox", name="All of them"))
    click(page.get_by_role("button", name="Remove them and what they wrote"))
    click(page.get_by_role("button", name="Remove them", exact=True))
    expect(page.get_by_text("newcomers are out")).to_be_visible()


def spam(visitor: Visitor) -> Locator:
    return visitor.rows.filter(has_text=SPAM)


def test_a_raid_is_over_in_a_few_clicks_while_the_others_talk_on(
    people: People, raided: Server, side: Callable[..., Side]
) -> None:
    mira, ana = people("Mira", raided), people("Ana", raided)
    for one in (mira, ana):
        one.join("lobby")
    cookies = [raided.join("lobby", name) for name in ("Ben", "Jun", "Nour")]
    known_for_a_month(raided, mira.name)
    for one in (mira, ana):
        one.open("lobby")
        one.ready()
    regulars = side("talk", str(raided.port), *cookies)
    raid = side("raid", str(raided.port))
    expect(spam(ana).last).to_be_visible()

    click, began = Clicks(), time.monotonic()
    end_the_raid(mira.page, click)
    expect(spam(ana)).to_have_count(0)
    took = time.monotonic() - began
    assert click.count < 10

    outcome = raid.end()
    assert outcome["said"] >= (NAMED + PLAIN) * EACH
    assert len(outcome["closed"]) == NAMED + PLAIN
    assert all(all(shut) for shut in outcome["back"].values()), outcome["back"]
    trips = regulars.end()["trips"]
    ana.says("that was quick")
    ana.page.reload()
    ana.shows_once("that was quick")
    expect(spam(ana)).to_have_count(0)
    report(took, click.count, outcome["said"], trips)


def report(took: float, clicks: int, said: int, trips: list[float]) -> None:
    """The figures, for `-s`."""
    cuts = statistics.quantiles(trips, n=100)
    p50, p99, most = (round(1000 * value, 1) for value in (cuts[49], cuts[98], max(trips)))
    print(f"\n{said} messages, {clicks} clicks, {took:.1f} s until the last page was clean;")
    print(f"regulars' {len(trips)} round trips: p50 {p50} ms, p99 {p99} ms, max {most} ms")
