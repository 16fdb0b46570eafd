"""What is half written is on every device of a person, and nothing typed is written over."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from .conftest import People
from .line import SWALLOWED, Line, wait_until
from .people import Visitor
from .server import Server
from .test_access import PHONE


def device(people: People, ana: Visitor, **options: Any) -> Visitor:
    """Another device of the same person."""
    other = people("Ana", ana.server, **options)
    other.name = ana.name
    other.context.add_cookies(ana.context.cookies())  # type: ignore[arg-type]
    return other


def enter(visitor: Visitor, room: str) -> Visitor:
    """Opens the room; the person is known here."""
    visitor.open(room)
    return visitor.ready().whole()


def keeps(line: Line, room: str) -> list[str]:
    """The drafts that were told, in order."""
    return [frame["value"] for frame in line.says("keep") if frame["key"] == f"draft:{room}"]


def test_a_draft_goes_from_device_to_device_until_it_is_sent(people: People, room: str) -> None:
    laptop = people("Ana").enter(room)
    phone = enter(device(people, laptop, **PHONE), room)
    laptop.composer.press_sequentially("begun on the laptop")
    expect(phone.composer).to_have_value("begun on the laptop")
    expect(phone.send).not_to_have_attribute("aria-disabled", "true")
    phone.composer.press_sequentially(", ended on the phone")
    expect(laptop.composer).to_have_value("begun on the laptop, ended on the phone")
    phone.send.tap()
    for visitor in (laptop, phone):
        visitor.shows_once("begun on the laptop, ended on the phone")
        expect(visitor.composer).to_have_value("")
    laptop.page.reload()
    laptop.ready().whole()
    expect(laptop.composer).to_have_value("")


def test_a_draft_is_told_rarely_and_its_end_at_once(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    wait_until(ana.page, lambda: ana.composer.is_enabled(), "the box is there")
    ana.composer.press_sequentially("a sentence that takes a while to be written", delay=40)
    wait_until(ana.page, lambda: keeps(line, room), "it is told")
    assert len(keeps(line, room)) <= 2
    ana.composer.press("Enter")
    wait_until(ana.page, lambda: keeps(line, room)[-1] == "", "the end is told")


def test_what_was_told_and_never_arrived_is_told_again(people: People, room: str) -> None:
    laptop = people("Ana")
    line = Line(laptop.page)
    laptop.enter(room)
    line.on_up = lambda frame: SWALLOWED if frame["type"] == "keep" else None
    laptop.composer.fill("said into the void")
    wait_until(laptop.page, lambda: keeps(line, room), "it is told")
    line.on_up = lambda frame: None
    line.cut()
    laptop.online()
    phone = enter(device(people, laptop), room)
    expect(phone.composer).to_have_value("said into the void")


def test_two_texts_that_differ_both_stay(people: People, room: str) -> None:
    laptop = people("Ana")
    line = Line(laptop.page)
    laptop.enter(room)
    phone = enter(device(people, laptop), room)
    line.cut(refusing=True)
    laptop.composer.fill("written in the tunnel")
    phone.composer.fill("written meanwhile")
    third = enter(device(people, laptop), room)
    expect(third.composer).to_have_value("written meanwhile")
    line.refusing = False
    laptop.online()
    phone.composer.fill("written meanwhile, and more")
    expect(third.composer).to_have_value("written meanwhile, and more")
    expect(laptop.composer).to_have_value("written in the tunnel")
    laptop.composer.press("Enter")
    laptop.shows_once("written in the tunnel")
    phone.shows_once("written in the tunnel")
    expect(phone.composer).to_have_value("written meanwhile, and more")


def test_two_who_write_at_once_lose_nothing(people: People, room: str) -> None:
    laptop = people("Ana")
    line = Line(laptop.page)
    laptop.enter(room)
    phone = enter(device(people, laptop), room)
    line.hold()
    phone.composer.fill("on the phone")
    third = enter(device(people, laptop), room)
    expect(third.composer).to_have_value("on the phone")
    laptop.composer.fill("on the laptop")
    wait_until(laptop.page, lambda: keeps(line, room), "it is told")
    line.release()
    wait_until(laptop.page, lambda: keeps(line, room)[-1] == "on the phone", "it is put back")
    expect(third.composer).to_have_value("on the phone")
    expect(phone.composer).to_have_value("on the phone")
    expect(laptop.composer).to_have_value("on the laptop")


def test_what_was_sent_elsewhere_meanwhile_does_not_come_back(people: People, room: str) -> None:
    laptop = people("Ana")
    line = Line(laptop.page)
    laptop.enter(room)
    phone = enter(device(people, laptop), room)
    laptop.composer.fill("sent by the other one")
    expect(phone.composer).to_have_value("sent by the other one")
    line.cut(refusing=True)
    phone.composer.press("Enter")
    phone.shows_once("sent by the other one")
    line.refusing = False
    laptop.online()
    laptop.shows_once("sent by the other one")
    expect(laptop.composer).to_have_value("")
    expect(phone.composer).to_have_value("")


def test_a_draft_is_told_as_the_page_goes_and_found_elsewhere(people: People, room: str) -> None:
    laptop = people("Ana").enter(room)
    phone = enter(enter(device(people, laptop), room), f"{room}-b")
    laptop.composer.fill("the last words")
    laptop.page.goto("about:blank")
    rooms = phone.page.get_by_role("navigation", name="Rooms")
    entry = rooms.get_by_role("listitem").filter(has_text=re.compile(rf"{room}(?!-b)"))
    expect(entry).to_contain_text("Draft")
    enter(phone, room)
    expect(phone.composer).to_have_value("the last words")


def test_after_a_start_of_the_server_a_page_says_its_draft_again(
    people: People, own_server: Server, room: str
) -> None:
    laptop = people("Ana", own_server).enter(room)
    phone = device(people, laptop)
    laptop.composer.fill("known to no disk of the server")
    expect(enter(phone, room).composer).to_have_value("known to no disk of the server")
    phone.page.goto("about:blank")
    own_server.kill()
    own_server.start()
    laptop.online()
    fresh = enter(device(people, laptop), room)
    expect(fresh.composer).to_have_value("known to no disk of the server")
    expect(laptop.composer).to_have_value("known to no disk of the server")


def test_a_text_that_is_too_long_stays_where_it_is(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.composer.fill("x" * 4_001)
    ana.page.wait_for_timeout(700)  # longer than it takes to be saved
    assert keeps(line, room) == []
    ana.composer.fill("\U0001f600" * 4_000)
    wait_until(ana.page, lambda: keeps(line, room), "it is told")
    assert keeps(line, room) == ["\U0001f600" * 4_000]
