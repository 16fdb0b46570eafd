"""Without JavaScript the page reads and posts; without a secure origin nothing is missing."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import People
from .people import Visitor
from .server import Server, Voice


def plain(people: People, room: str, name: str = "Ana") -> Visitor:
    """Someone without JavaScript, in the room."""
    visitor = people(name, java_script_enabled=False)
    visitor.open(room)
    visitor.page.get_by_role("textbox", name="What should people call you?").fill(visitor.name)
    visitor.page.get_by_role("button", name=f"Join #{room}").click()
    expect(visitor.composer).to_be_visible()
    return visitor


def post(visitor: Visitor, text: str) -> None:
    """Sends the form."""
    visitor.composer.fill(text)
    visitor.send.click()


def test_a_page_without_scripts_reads_and_posts(people: People, room: str) -> None:
    ben = people("Ben").enter(room)
    ben.says("with scripts")
    ana = plain(people, room)
    expect(ana.bodies).to_have_text(["with scripts"])
    post(ana, "without scripts")
    expect(ana.bodies).to_have_text(["with scripts", "without scripts"])
    number = ana.rows.last.get_attribute("data-id")
    expect(ana.page).to_have_url(re.compile(rf"/r/{room}#m{number}$"))
    expect(ana.composer).to_have_value("")
    ben.shows("with scripts", "without scripts")
    expect(ben.rows.last).to_contain_text(ana.name)


def test_without_scripts_one_reads_who_is_answered_and_who_reacted(
    people: People, voice: Callable[..., Voice], room: str
) -> None:
    ana, sam = plain(people, room), voice()
    first, gone = sam.say("two things are left", "never mind")
    for number, text, answered in (("1", f"@{ana.name} which?", first), ("2", "oh", gone)):
        sam.command("say", cid=f"cid-of-{number}", text=text, reply=answered)
    sam.command("react", cid="cid-of-react", id=first, emoji="🎉", on=True)
    sam.change("delete", gone)
    ana.open(room)
    quotes = ana.page.locator(".quote")
    expect(quotes).to_have_text([f"{sam.name} two things are left", "Message deleted"])
    expect(ana.page.locator("mark")).to_have_text(f"@{ana.name}")
    chip = ana.page.get_by_role("button", name="🎉 1 reaction")
    expect(chip).to_have_attribute("title", sam.name)
    quotes.first.click()
    expect(ana.page).to_have_url(re.compile(rf"#m{first}$"))


def test_the_house_room_takes_posts_too(people: People) -> None:
    ana = plain(people, "lobby")
    post(ana, f"house words of {ana.name}")
    expect(ana.row(f"house words of {ana.name}")).to_have_count(1)
    expect(ana.page).to_have_url(re.compile(rf"^{ana.server.origin}/(r/lobby)?#m\d+$"))


def test_a_text_that_is_too_long_comes_back_with_the_reason(people: People, room: str) -> None:
    ana = plain(people, room)
    text = "too long " * 500
    post(ana, text)
    expect(ana.page.get_by_text("longer than 4,000 characters")).to_be_visible()
    kept = ana.page.get_by_role("textbox")
    assert kept.input_value().strip() == text.strip()


def test_controls_that_need_scripts_are_not_shown(people: People, room: str) -> None:
    ana = plain(people, room)
    post(ana, "mine")
    for name in ("Invite", "Edit", "Delete", "Undo", "Try again"):
        expect(ana.page.get_by_role("button", name=name)).to_have_count(0)
    expect(ana.page.get_by_text("The page did not finish loading.")).to_be_hidden()


def test_earlier_messages_are_within_reach(people: People, room: str) -> None:
    ana = plain(people, room)
    for number in range(3):
        post(ana, f"message {number}")
    expect(ana.bodies).to_have_text([f"message {number}" for number in range(3)])
    expect(ana.rows.locator("time").first).to_have_text(re.compile(r"^\d\d:\d\d UTC$"))


def test_a_room_can_be_changed_without_scripts(people: People, room: str) -> None:
    ana = plain(people, room)
    ana.page.get_by_role("textbox", name="New room").fill(f"{room} Two")
    ana.page.keyboard.press("Enter")
    expect(ana.page).to_have_url(re.compile(rf"/r/{room}-two$"))
    post(ana, "first in here")
    expect(ana.bodies).to_have_text(["first in here"])


def test_on_plain_http_everything_else_works(people: People, site: Server, room: str) -> None:
    """On http://host there is no randomUUID, no clipboard and no lock."""
    outside = copy.copy(site)
    outside.origin = f"http://chat.test:{site.port}"
    ana, ben = people("Ana", server=outside), people("Ben").enter(room)
    ana.open(room)
    ana.page.get_by_role("textbox").fill(ana.name)
    ana.page.keyboard.press("Enter")
    ana.ready()
    assert not ana.page.evaluate("isSecureContext || crypto.randomUUID || navigator.locks")
    ana.composer.press_sequentially("from far away")
    ana.composer.press("Enter")
    ben.shows("from far away")
    ana.shows_once("from far away")
    ana.page.get_by_role("button", name="Invite").click()
    dialog = ana.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy").click()
    link = dialog.get_by_role("textbox")
    assert link.evaluate("el => el.value.slice(el.selectionStart, el.selectionEnd)") == (
        outside.url(room)
    )
