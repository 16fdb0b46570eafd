"""`make screenshots`: takes the pictures of docs/ anew, of a chat with invented people.

Each is the page as Chromium draws it; what it shows has gone through a server, by the wire.
"""

from __future__ import annotations

import http.client
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from .conftest import CHROMIUM, FLAGS
from .server import ROOT, Server, Voice

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"}
HOUR = 3_600_000  # milliseconds
CODE = "delay = min(cap, base * 2 ** n)\ndelay *= random.uniform(0.5, 1.0)  # not too much jitter"


class Somebody(Voice):
    """An invented person; their cookie signs in a page as well."""

    def __init__(self, server: Server, name: str, cookie: str = "", room: str = "lobby") -> None:
        self.cookie = cookie or server.join(room, name)
        super().__init__(server, room, cookie=self.cookie)
        self.name = name

    def do(self, kind: str, **fields: Any) -> None:
        """A lasting command, once it is done."""
        cid = secrets.token_urlsafe(12)
        self.command(kind, cid=cid, **fields)
        while self.line.recv().find(cid) < 0:  # type: ignore[arg-type]
            pass


@contextmanager
def page(browser: Browser, server: Server, cookie: str, **options: Any) -> Iterator[Page]:
    """A browser of whoever has this cookie."""
    context: BrowserContext = browser.new_context(**{**DESK, **options})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": server.origin}])
    yield context.new_page()
    context.close()


def arrange(server: Server, roles: dict[str, str]) -> None:
    """Who is here by now came months ago, and some look after the chat."""
    server.stop()
    with closing(sqlite3.connect(server.data / "chat.db")) as db, db:
        db.execute("UPDATE users SET made = made - ?", (99 * 24 * HOUR,))
        for name, role in roles.items():
            db.execute("UPDATE users SET role = ? WHERE name = ?", (role, name))
        guests = "SELECT 'lobby', id FROM users WHERE role = 'guest'"
        db.execute(f"INSERT INTO members (room, person) {guests}")
    server.start()


def talk(ana: Somebody, ben: Somebody, jun: Somebody) -> None:
    """The conversation of the picture in the README."""
    ana.say("Morning! The build is green again. Notes are in https://example.org/notes")
    (left,) = ana.say("Two things left before we tag: the reconnect test and the empty-room copy.")
    (code,) = ben.say(f"I have the reconnect one. It was this:\n```\n{CODE}\n```")
    for one in (ana, ben, jun):
        one.do("react", id=code, emoji="👍", on=True)
    jun.say("صباح الخير! سأراجع النصوص الآن.", "Easier said than typed 🎉")
    ana.say("Nice. @Ben Okafor and @Jun Sato, can you look at 14:00?", reply=code)
    (last,) = jun.say(
        "@here I tag at 15:00. Shout if something is on fire, @Ana Ruiz has the key.", reply=left
    )
    ana.command("read", id=last)


def backup(server: Server) -> None:
    """As a timer makes one each night."""
    command = [sys.executable, "run.py", "backup", f"--data={server.data}"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def raid(server: Server) -> list[Somebody]:
    """Some who are new, and loud."""
    loud = []
    for number in range(9):
        loud.append(Somebody(server, f"xX_deals_{number + 1}"))
        loud[-1].say(*(f"cheap watches {piece}" for piece in range(20 - number)))
    return loud


def take(browser: Browser, folder: Path) -> None:
    """All of them."""
    server = Server(folder, "--rate=0", "--name=Tidemark")
    try:
        names = {"Ana Ruiz": "owner", "Mira Lindqvist": "moderator", "Ben Okafor": "member"}
        names |= {"Jun Sato": "member", "نور حداد": "member", "Tom Ngo": "guest"}
        cookies = {name: server.join("lobby", name) for name in names}
        speak(server, cookies)
        arrange(server, names)
        people = {name: Somebody(server, name, cookie) for name, cookie in cookies.items()}
        shoot_room(browser, server, cookies["Ana Ruiz"])
        moderate(server, cookies["Mira Lindqvist"], people["Tom Ngo"])
        backup(server)
        shoot_owner(browser, server, cookies["Ana Ruiz"])
        loud = raid(server)
        shoot_raid(browser, server, cookies["Mira Lindqvist"])
        for one in (*people.values(), *loud):
            one.leave()
    finally:
        server.kill()


def speak(server: Server, cookies: dict[str, str]) -> None:
    """Everybody has said something, in three rooms."""
    ana, ben, jun = (
        Somebody(server, n, cookies[n]) for n in ("Ana Ruiz", "Ben Okafor", "Jun Sato")
    )
    talk(ana, ben, jun)
    for room, words in {
        "design": ["One", "Two", "Three"],
        "release": ["@Ana Ruiz?", "@Ana Ruiz!"],
    }.items():
        mine, theirs = Somebody(server, "Ana Ruiz", cookies["Ana Ruiz"], room), None
        mine.say("Here")
        theirs = Somebody(server, "Ben Okafor", cookies["Ben Okafor"], room)
        mine.leave()
        theirs.say(*words)
        theirs.leave()
    for name, cookie in cookies.items():
        one = Somebody(server, name, cookie)
        one.leave()
    for one in (ana, ben, jun):
        one.leave()


def moderate(server: Server, cookie: str, tom: Somebody) -> None:
    """Something that moderators did."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    user = tom.user
    until = int(time.time() * 1000) + HOUR
    body = f'{{"type":"mute","cid":"a-moderator","user":"{user}","until":{until},"reason":"caps"}}'
    connection.request("POST", "/orders", body, {"Cookie": cookie, "Origin": server.origin})
    assert connection.getresponse().status == 200
    connection.close()


def shoot_room(browser: Browser, server: Server, cookie: str) -> None:
    """The room, for the README."""
    with page(browser, server, cookie) as tab:
        tab.goto(server.url("lobby"))
        tab.locator("article.msg .chip").first.wait_for()
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=ROOT / "docs" / "screenshot.png")


def shoot_owner(browser: Browser, server: Server, cookie: str) -> None:
    """The page for looking after the chat."""
    with page(browser, server, cookie, viewport={"width": 1280, "height": 1120}) as tab:
        tab.goto(f"{server.origin}/owner")
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=ROOT / "docs" / "owner.png")


def shoot_raid(browser: Browser, server: Server, cookie: str) -> None:
    """All newcomers chosen, on a moderator's phone."""
    with page(
        browser, server, cookie, viewport={"width": 390, "height": 660}, has_touch=True
    ) as tab:
        tab.goto(f"{server.origin}/owner")
        tab.get_by_role("checkbox", name="All of them").check()
        tab.wait_for_load_state("networkidle")
        tab.screenshot(path=ROOT / "docs" / "owner-raid.png")


def main() -> None:
    """Into docs/."""
    if not CHROMIUM:
        raise SystemExit("Chromium is missing: on the path, or named by CHROMIUM")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take(browser, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
