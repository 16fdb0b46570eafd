"""A person at a browser: what they see, by role and name, and what they do."""

from __future__ import annotations

import re
from time import monotonic
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    expect,
)
from playwright.sync_api import Error as BrowserError

from .server import Server

PATIENCE = 25_000  # milliseconds that what must happen may take on a machine with other work
STRIP = re.compile("Connecting|Offline|Back online")
NETWORK = re.compile("Failed to load resource|WebSocket connection to")

# A background page of headless Chromium still says it is visible and focused.
EYES = """
let away = false;
Object.defineProperty(document, 'visibilityState', {get: () => away ? 'hidden' : 'visible'});
Object.defineProperty(document, 'hidden', {get: () => away});
document.hasFocus = () => !away;
window.look = here => {
  away = !here;
  document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
  window.dispatchEvent(new Event(here ? 'focus' : 'blur'));
};
"""


class Visitor:
    """One person with one browser profile and one tab; `tab()` gives the same person another.

    `trouble` collects what no page may ever do: dialogs, script errors, breaches of the content
    security policy, requests to another host.
    """

    def __init__(self, browser: Browser, server: Server, name: str, **options: Any) -> None:
        self.server = server
        self.name = name
        self.trouble: list[str] = []
        self.touches = "has_touch" in options
        options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options}
        self.context: BrowserContext = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(EYES)
        self.context.on("page", self._watch)
        self.page = self.context.new_page()

    def _watch(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.trouble.append(f"script error: {error}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"{dialog.type} dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not NETWORK.search(message.text):
            self.trouble.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.server.origin, "data:", "about:", "blob:")):
            self.trouble.append(f"request to another host: {request.url}")

    def tab(self) -> Visitor:
        """The same person in a second tab of the same browser."""
        other = object.__new__(Visitor)
        other.__dict__.update(self.__dict__)
        other.page = self.context.new_page()
        return other

    # Arriving

    def join(self, room: str) -> None:
        """Becomes a member without the join card, as a returning visitor is."""
        answer = self.context.request.post(
            f"{self.server.origin}/join",
            form={"name": self.name, "room": room},
            headers={"Origin": self.server.origin},
            max_redirects=0,
        )
        assert answer.status == 303, answer.text()

    def open(self, room: str) -> None:
        """Opens a room's page without waiting for its modules."""
        self.page.goto(self.server.url(room))

    def enter(self, room: str) -> Visitor:
        """Joins, opens the room and waits until it is live and all of it is there."""
        self.join(room)
        self.open(room)
        return self.ready().whole()

    def ready(self) -> Visitor:
        """Waits until the composer and the line are live."""
        expect(self.page.locator("html[data-ready]")).to_be_attached()
        return self.online()

    def whole(self) -> Visitor:
        """Waits for the parts of the page that come after the line."""
        expect(self.page.locator(".edge.later")).to_be_attached()  # one of them makes it
        return self

    def online(self) -> Visitor:
        """Waits for the line alone."""
        expect(self.html).to_have_attribute("data-conn", "online")
        return self

    # Seeing

    @property
    def html(self) -> Locator:
        return self.page.locator("html")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Message #"))

    @property
    def send(self) -> Locator:
        return self.page.get_by_role("button", name="Send", exact=True)

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def rows(self) -> Locator:
        return self.page.locator("article.msg")

    @property
    def bodies(self) -> Locator:
        return self.page.locator("article.msg .body")

    @property
    def strip(self) -> Locator:
        return self.page.get_by_role("status").filter(has_text=STRIP)

    @property
    def pill(self) -> Locator:
        return self.page.get_by_role("button", name=re.compile("(new|Latest) messages?$"))

    @property
    def announcer(self) -> Locator:
        return self.page.locator("#announcer")

    @property
    def earlier(self) -> Locator:
        return self.page.get_by_role("button", name="Earlier messages")

    def row(self, text: str) -> Locator:
        """The row whose text is exactly this."""
        exactly = re.compile(rf"^\s*{re.escape(text)}\s*$")
        return self.rows.filter(has=self.page.locator(".body", has_text=exactly))

    def texts(self) -> list[str]:
        """The texts in the list, top to bottom, also those of skipped chunks."""
        return [text.strip() for text in self.bodies.all_text_contents()]

    def shows(self, *texts: str) -> None:
        """Waits until the list is exactly these texts in this order."""
        expect(self.bodies).to_have_text(list(texts))

    def shows_once(self, text: str) -> None:
        """Waits until exactly one row has this text and it is confirmed."""
        expect(self.row(text)).to_have_count(1)
        expect(self.row(text)).to_have_attribute("data-state", "sent")

    def until(self, condition: str) -> None:
        """Waits until this is true in the page.

        Playwright's own way evaluates a string within the page, which the page's policy forbids:
        it only works if the condition is true at once.
        """
        end = monotonic() + PATIENCE / 1000
        while not self.page.evaluate(condition):
            assert monotonic() < end, f"this never became true: {condition}"
            self.page.wait_for_timeout(20)

    # Doing

    def say(self, text: str) -> Locator:
        """Types into the composer, sends as this device does, and gives the row that appears."""
        self.composer.fill(text)
        if self.touches:
            self.send.tap()
        else:
            self.composer.press("Enter")
        return self.row(text)

    def says(self, *texts: str) -> None:
        """Says each and waits until all are confirmed."""
        for text in texts:
            self.say(text)
        for text in texts:
            self.shows_once(text)

    def look_away(self) -> None:
        """The tab is hidden and has no focus, after what it shows was painted."""
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        self.page.evaluate("look(false)")

    def look_back(self) -> None:
        """The tab is visible and has the focus."""
        self.page.evaluate("look(true)")

    def act(self, row: Locator, action: str) -> None:
        """Chooses something from a row's menu."""
        row.hover()
        row.get_by_role("button", name="More", exact=True).click()
        row.get_by_role("menuitem", name=action, exact=True).click()

    # Scrolling

    def gap(self) -> float:
        """Pixels between the end of the list and what is shown."""
        return self.log.evaluate("el => el.scrollHeight - el.clientHeight - el.scrollTop")

    def at_the_end(self) -> None:
        """Waits until the list is stuck to its end with no gap."""
        expect(self.log).to_have_attribute("data-stuck", "true")
        self.until(
            """() => { const el = document.querySelector('[role=log]');
            return Math.abs(el.scrollHeight - el.clientHeight - el.scrollTop) <= 1; }"""
        )

    def scroll_up(self, pixels: int) -> None:
        """Scrolls the list up and waits until it knows that it is no longer at its end."""
        self.log.evaluate("(el, pixels) => { el.scrollTop -= pixels; }", pixels)
        expect(self.log).to_have_attribute("data-stuck", "false")

    # Time

    def clock(self) -> None:
        """Takes the page's clock into the test's hands; before the page is opened."""
        self.page.clock.install()

    def stop_the_clock(self) -> None:
        """From here page time passes only through `pass_time`."""
        for ahead in (100, 300, 1_000, 3_000):  # milliseconds that may pass on the way
            now = self.page.evaluate("Date.now()")
            try:
                return self.page.clock.pause_at((now + ahead) / 1000)
            except BrowserError as error:
                if "to the past" not in str(error):
                    raise
        raise AssertionError("the clock cannot be stopped: this machine is too slow")

    def pass_time(self, seconds: float) -> None:
        """Lets page time pass and the browser's events come in."""
        self.page.clock.run_for(round(seconds * 1000))
        self.page.wait_for_timeout(50)
