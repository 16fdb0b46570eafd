"""What the room is about: one line in the header, told once to who is there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Frame, Line, wait_until
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations
from .test_sending import refused

Speak = Callable[..., Voice]


def topic(visitor: Visitor) -> Locator:
    """The topic in the header."""
    return visitor.page.locator(".topic")


def field(visitor: Visitor) -> Locator:
    """Where it is written."""
    return visitor.page.get_by_role("textbox", name=re.compile("^Topic of #"))


def notes(visitor: Visitor) -> Locator:
    """The quiet lines about it."""
    return visitor.page.locator(".note").filter(has_text="the topic")


def settings(visitor: Visitor) -> Locator:
    """The room's settings, open."""
    dialog = visitor.page.get_by_role("dialog", name=re.compile("^room-"))
    if not dialog.is_visible():
        button = visitor.page.get_by_role("button", name="Room settings")
        if visitor.touches:
            button.tap()
        else:
            button.click()
        expect(field(visitor)).to_be_focused()
    return dialog


def write(visitor: Visitor, text: str, key: str = "Enter") -> None:
    """Opens the field and writes in it."""
    settings(visitor)
    field(visitor).fill(text)
    field(visitor).press(key)


def arrange(sam: Voice, text: str) -> None:
    """Somebody without a page sets the topic."""
    cid = secrets.token_urlsafe(12)
    sam.command("room", cid=cid, topic=text)
    while sam.hear("settings").get("cid") != cid:
        pass


def test_a_topic_is_set_and_stands_in_everybodys_header(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    expect(topic(ana)).to_be_hidden()
    write(ana, "  Ships on   Friday ")
    for visitor in (ana, ben):
        expect(topic(visitor)).to_have_text("Ships on Friday")
        expect(topic(visitor)).to_have_attribute("title", "Ships on Friday")
        expect(visitor.page.locator(".tt .sub")).to_contain_text("2 here now · Ships on Friday")
    ana.page.keyboard.press("Escape")
    expect(ana.page.get_by_role("button", name="Room settings")).to_be_focused()
    write(ben, "")
    for visitor in (ana, ben):
        expect(topic(visitor)).to_be_hidden()


def test_what_was_typed_is_set_when_the_dialog_is_closed(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    settings(ana)
    field(ana).press_sequentially("by hand")
    settings(ana).get_by_role("button", name="Close").click()
    expect(topic(ana)).to_have_text("by hand")


def test_escape_gives_up_what_was_typed_and_then_closes(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    settings(ana)
    field(ana).press_sequentially("not this")
    field(ana).press("Escape")
    expect(field(ana)).to_have_value("")
    field(ana).press("Escape")
    expect(field(ana)).to_be_hidden()
    write(ana, "")
    ana.page.keyboard.press("Escape")
    ana.says("after it all")
    assert line.says("room") == []
    expect(topic(ana)).to_be_hidden()


def test_on_a_phone_a_long_topic_is_cut_and_moves_nothing(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("hello")
    ana = people("Ana", **PHONE).enter(room)
    header = ana.page.locator(".top").bounding_box()
    write(ana, "What we cook on Sunday, who brings what, and when everybody has to be there")
    assert ana.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(topic(ana)).to_have_text(re.compile("^What we cook"))
    settings(ana).get_by_role("button", name="Close").tap()
    line = ana.page.locator(".tt .line")
    assert line.evaluate("el => el.scrollWidth > el.clientWidth"), "it is cut, not wrapped"
    assert ana.page.locator(".top").bounding_box() == header


def test_the_count_stands_below_and_nothing_longer_is_saved(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    count = ana.page.locator("#topic-count")
    settings(ana)
    field(ana).fill("x" * 150)
    expect(count).to_contain_text("150 of 200")
    field(ana).fill("\U0001f600" * 201)
    expect(count).to_have_text(re.compile("^-1: "))
    expect(field(ana)).to_have_accessible_description(re.compile("^-1: "))
    field(ana).press("Enter")
    expect(field(ana)).to_have_value("\U0001f600" * 201)
    expect(topic(ana)).to_be_hidden()
    field(ana).fill("\U0001f600" * 200)
    field(ana).press("Enter")
    expect(topic(ana)).to_have_text("\U0001f600" * 200)
    expect(notes(ana)).to_have_count(1)


def test_a_topic_set_offline_is_shown_at_once_and_survives_a_reload(
    people: People, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    line.cut(refusing=True)
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    write(ana, "From the tunnel")
    expect(topic(ana)).to_have_text("From the tunnel")
    expect(ana.page.locator(".fate")).to_have_text("Waiting")
    ana.page.reload()
    expect(topic(ana)).to_have_text("From the tunnel")
    expect(topic(ben)).to_be_hidden()
    line.refusing = False
    ana.ready()
    expect(topic(ben)).to_have_text("From the tunnel")
    expect(ana.page.locator(".fate")).to_be_hidden()


def test_a_refused_topic_goes_back_in_words_and_what_was_typed_is_there(
    people: People, voice: Speak, room: str
) -> None:
    arrange(voice(), "as it was")
    ana = people("Ana")
    line = Line(ana.page)

    def answer(frame: Frame) -> Frame | None:
        topic = frame["type"] == "room"
        return refused(frame, "not_allowed", "You may not do that here.") if topic else None

    line.on_up = answer
    ana.enter(room)
    write(ana, "as I like it")
    expect(ana.page.locator(".conn")).to_contain_text("You may not do that here.")
    expect(topic(ana)).to_have_text("as it was")
    settings(ana).get_by_role("button", name="Close").click()
    settings(ana)
    expect(field(ana)).to_have_value("as I like it")


def test_a_topic_that_gets_no_answer_says_so_and_can_be_tried_again(
    people: People, room: str
) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.clock()
    ana.enter(room)
    line.on_up = lambda frame: SWALLOWED if frame["type"] == "room" else None
    write(ana, "Into the void")
    for tries in range(1, 4):
        wait_until(ana.page, lambda n=tries: len(line.says("room")) >= n, "it is sent")  # type: ignore[misc]
        ana.page.clock.fast_forward(11_000)
        ana.online()
    expect(ana.page.locator(".fate")).to_have_text("Not saved")
    line.on_up = lambda frame: None
    settings(ana).get_by_role("button", name="Close").click()
    settings(ana)
    expect(field(ana)).to_have_value("Into the void")
    field(ana).press("Enter")
    expect(ana.page.locator(".fate")).to_be_hidden()
    expect(notes(ana)).to_have_text(["You set the topic: Into the void"])


def test_who_is_there_is_told_in_a_quiet_line_and_aloud(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("before")
    ana = people("Ana").enter(room)
    ana.shows("before")
    ana.look_away()
    arrange(sam, "Ships on <b>Friday</b>")
    expect(notes(ana)).to_have_text(f"{sam.name} set the topic: Ships on <b>Friday</b>")
    expect(ana.announcer).to_have_text(f"{sam.name} set the topic: Ships on <b>Friday</b>")
    expect(ana.page).to_have_title(re.compile("^#"))
    ana.look_back()
    expect(ana.page.locator("#unread")).to_have_count(0)
    sam.say("after")
    ana.shows("before", "after")
    order = """() => [...document.querySelectorAll('.msg, .note')]
        .filter(el => !el.textContent.includes('joined')).map(el => el.className[0])"""
    assert ana.page.evaluate(order) == ["m", "n", "m"]
    arrange(sam, "")
    expect(notes(ana).last).to_have_text(f"{sam.name} removed the topic")


def test_history_and_what_was_missed_make_no_quiet_line(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    arrange(sam, "the first")
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    expect(topic(ana)).to_have_text("the first")
    line.cut(refusing=True)
    arrange(sam, "the second")
    sam.say("missed")
    line.refusing = False
    ana.online()
    ana.shows("missed")
    expect(topic(ana)).to_have_text("the second")
    expect(notes(ana)).to_have_count(0)
    ana.page.reload()
    ana.ready().whole()
    expect(notes(ana)).to_have_count(0)
    expect(ana.announcer).to_have_text("")


@pytest.mark.parametrize("scripts", [True, False])
def test_the_first_paint_has_the_topic(
    people: People, voice: Speak, room: str, scripts: bool
) -> None:
    arrange(voice(), 'Friday "at nine" & later')
    ana = people("Ana", java_script_enabled=scripts)
    ana.join(room)
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    expect(topic(ana)).to_be_visible()
    expect(topic(ana)).to_have_text('Friday "at nine" & later')
    expect(topic(ana)).to_have_attribute("title", 'Friday "at nine" & later')
    if not scripts:
        expect(ana.page.locator(".settle")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_topic_and_its_field_have_no_violations(
    people: People, voice: Speak, room: str, theme: str
) -> None:
    sam = voice()
    ana = people("Ana", color_scheme=theme).enter(room)
    arrange(sam, "Ships on Friday")
    expect(notes(ana)).to_have_count(1)
    assert violations(ana.page) == []
    write(ana, "x" * 201)
    assert violations(ana.page) == []
