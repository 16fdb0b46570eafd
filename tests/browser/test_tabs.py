"""One person in several tabs: one outbox, one set of read marks, one way out."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import People
from .line import Line
from .people import Visitor
from .server import Voice

Speak = Callable[..., Voice]


def two_tabs(people: People, room: str) -> tuple[Visitor, Visitor, Line]:
    """One person's two tabs and the line of both."""
    one = people("Ana")
    line = Line(one.context)
    one.enter(room)
    two = one.tab()
    two.open(room)
    return one, two.ready(), line


def test_both_tabs_show_the_same_messages_once(people: People, room: str) -> None:
    one, two, _ = two_tabs(people, room)
    one.says("from the first tab")
    two.shows_once("from the first tab")
    two.says("from the second tab")
    for tab in (one, two):
        tab.shows("from the first tab", "from the second tab")
        expect(tab.row("from the first tab")).to_contain_text("You")


def test_both_tabs_send_what_waited_and_each_message_once(people: People, room: str) -> None:
    one, two, line = two_tabs(people, room)
    ben = people("Ben").enter(room)
    line.cut(refusing=True)
    one.say("waited in the first tab")
    two.say("waited in the second tab")
    line.refusing = False
    for visitor in (one, two, ben):
        visitor.online()
        visitor.shows_once("waited in the first tab")
        visitor.shows_once("waited in the second tab")
        expect(visitor.rows).to_have_count(2)
    assert one.texts() == two.texts() == ben.texts()


def test_a_closed_tabs_unsent_message_is_sent_by_the_other(people: People, room: str) -> None:
    one, two, line = two_tabs(people, room)
    ben = people("Ben").enter(room)
    line.cut(refusing=True)
    two.say("left behind")
    expect(two.row("left behind")).to_have_count(1)
    two.page.close()
    line.refusing = False
    one.online()
    ben.shows("left behind")
    one.shows_once("left behind")


def test_reading_in_one_tab_takes_the_count_from_the_other(
    people: People, voice: Speak, room: str
) -> None:
    one, two, _ = two_tabs(people, room)
    sam = voice()
    one.look_away()
    two.look_away()
    sam.say("first", "second")
    for tab in (one, two):
        expect(tab.page).to_have_title(re.compile(r"^\(2\) "))
    one.look_back()
    for tab in (one, two):
        expect(tab.page).to_have_title(re.compile(r"^#"))


def test_signing_out_takes_every_tab_to_the_join_card(people: People, room: str) -> None:
    one, two, _ = two_tabs(people, room)
    ben = people("Ben").enter(room)
    open_settings(one)
    one.page.get_by_role("dialog").get_by_role("button", name="Sign out here").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Sign out", exact=True).click()
    for tab in (one, two):
        expect(tab.page.get_by_role("button", name=f"Join #{room}")).to_be_visible()
    expect(ben.page.get_by_text("Just you for now")).to_be_visible()
    card = two.page.get_by_role("textbox", name="What should people call you?")
    card.fill(one.name)
    card.press("Enter")
    two.ready()


def open_settings(visitor: Visitor) -> None:
    """Opens the dialog with the person's own settings."""
    visitor.page.get_by_role("button", name=re.compile(", settings$")).click()
    expect(visitor.page.get_by_role("dialog")).to_be_visible()


def rename(visitor: Visitor, name: str) -> None:
    """Types another name into the settings and confirms it."""
    open_settings(visitor)
    field = visitor.page.get_by_role("dialog").get_by_role("textbox", name=re.compile("name", re.I))
    field.fill(name)
    field.press("Enter")


def test_a_new_name_is_used_from_now_on(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("said as before")
    new = ana.name.replace("Ana", "Anna")
    rename(ana, new)
    panel = ben.page.get_by_role("complementary", name="People")
    expect(panel).to_contain_text(new)
    ana.page.keyboard.press("Escape")
    ana.says("said as now")
    expect(ben.row("said as now")).to_contain_text(new)
    expect(ben.row("said as before")).to_contain_text(ana.name)
    ana.shows("said as before", "said as now")


def test_a_new_name_that_is_taken_is_refused_in_words(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    rename(ana, ben.name)
    dialog = ana.page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Someone here is already called {ben.name}.")
    ana.page.keyboard.press("Escape")
    ana.says("still me")
    expect(ben.row("still me")).to_contain_text(ana.name)
