"""One browser, one server for tests that do not harm it, and a fresh profile for every person."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from .people import PATIENCE, Visitor
from .server import Server, Voice, surname

# The last list of features that a command line has is the one that counts, so the part of
# playwright's own that matters here is said again. Without the last line every tab loads two pages
# more, for the list below its address bar, and has a process in stock: a third of all the work.
WITHOUT = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "PaintHolding"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "MediaRouter", "AimEnabled"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a microphone that beeps
    "--host-resolver-rules=MAP chat.test 127.0.0.1",
    f"--disable-features={','.join(WITHOUT)}",
]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
numbers = itertools.count()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, only while tests of this folder run: its loop would disturb others' loops."""
    if not CHROMIUM:
        pytest.fail("Chromium is missing: on the path, or named by CHROMIUM")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server shared by all tests that leave it in order; each has a room of its own."""
    server = Server(tmp_path_factory.mktemp("site"), "--rate=0")
    server.join("lobby", "Somebody")  # a server that nobody ever used has another join card
    yield server
    server.kill()


@pytest.fixture
def own_server(tmp_path: Path, browser: Browser) -> Iterator[Server]:
    """A server of this test's own, to be stopped, killed and started again."""
    server = Server(tmp_path, "--rate=0")
    yield server
    server.kill()


@pytest.fixture
def room() -> str:
    """The name of a room nobody has used."""
    return f"room-{next(numbers)}"


class People:
    """Makes the visitors of one test, each with a name that is free, and closes them after it."""

    def __init__(self, browser: Browser, site: Server) -> None:
        self.browser = browser
        self.site = site
        self.all: list[Visitor] = []

    def __call__(self, name: str, server: Server | None = None, **options: Any) -> Visitor:
        name = f"{name} {surname(next(numbers))}"
        visitor = Visitor(self.browser, server or self.site, name, **options)
        self.all.append(visitor)
        return visitor

    def pictures(self, folder: Path) -> str:
        """Screenshots of everybody's tabs, for the report of a failed test."""
        lines = []
        for visitor in self.all:
            for number, page in enumerate(visitor.context.pages):
                path = folder / f"{visitor.name.replace(' ', '-')}-{number}.png"
                try:
                    page.screenshot(path=path, timeout=3_000)
                    lines.append(f"{visitor.name} at {page.url}: {path}")
                except BrowserError as error:
                    lines.append(f"{visitor.name} at {page.url}: no picture, {error}")
        return "\n".join(lines)


@pytest.fixture
def people(browser: Browser, site: Server, tmp_path: Path) -> Iterator[People]:
    """`people("Ana")` is a person with a fresh profile; afterwards no page may be in trouble."""
    people = People(browser, site)
    logged = len(site.said())
    yield people
    for visitor in people.all:
        visitor.context.close()
    trouble = [f"{visitor.name}: {line}" for visitor in people.all for line in visitor.trouble]
    assert not trouble, "\n".join(trouble)
    assert "Traceback" not in site.said()[logged:], site.said()[logged:]


@pytest.fixture
def voice(site: Server, room: str) -> Iterator[Callable[..., Voice]]:
    """`voice()` is someone in the test's room without a page, for messages by the hundred."""
    voices = []

    def speak(server: Server = site, where: str = room) -> Voice:
        voices.append(Voice(server, where))
        return voices[-1]

    yield speak
    for one in voices:
        one.leave()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what everybody saw."""
    report = yield
    people = getattr(item, "funcargs", {}).get("people")
    if report.when == "call" and report.failed and people:
        report.sections.append(("screenshots", people.pictures(item.funcargs["tmp_path"])))
    return report
