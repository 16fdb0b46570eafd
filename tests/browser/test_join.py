"""Arriving: the join card, names, and the way straight in for those who were here before."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import People
from .people import Visitor
from .server import Server

QUESTION = "What should people call you?"


def answer(visitor: Visitor, name: str) -> None:
    """Fills the join card and submits it."""
    visitor.page.get_by_role("textbox", name=QUESTION).fill(name)
    visitor.page.get_by_role("button", name=re.compile("^Join #")).click()


def test_a_room_asks_one_question_and_then_lets_in(people: People, room: str) -> None:
    ana = people("Ana")
    ana.open(room)
    expect(ana.page.get_by_role("textbox")).to_have_count(1)
    expect(ana.page.get_by_role("textbox", name=QUESTION)).to_be_focused()
    ana.page.keyboard.type(ana.name)
    ana.page.get_by_role("button", name=f"Join #{room}").click()
    ana.ready()
    expect(ana.composer).to_be_focused()


def test_the_join_card_tells_who_is_inside(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ben = people("Ben")
    ben.open(room)
    expect(ben.page.get_by_text(f"\u2068{ana.name}\u2069 is in here", exact=True)).to_be_visible()
    expect(ben.page.locator(".faces .av")).to_have_count(1)
    expect(ben.page.locator(".brand")).to_have_text("Chat")
    answer(ben, ben.name)
    ben.ready()
    assert ben.page.url.endswith(f"/r/{room}"), "the address says nothing of having joined"


def test_cookies_that_are_not_kept_are_told(people: People, room: str) -> None:
    """The address a join leads to, asked for without the cookie that the join gave."""
    people("Ana").enter(room)
    tom = people("Tom")
    tom.open(f"{room}?joined={tom.name.replace(' ', '%20')}")
    expect(tom.page.get_by_role("heading")).to_have_text("Your browser does not keep cookies")
    expect(tom.page.get_by_role("textbox", name="Your name is kept here")).to_have_value(tom.name)


def test_a_name_in_use_is_refused_and_a_free_variant_offered(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    other = people("Ana")
    other.open(room)
    answer(other, f" {ana.name.lower()} ")
    field = other.page.get_by_role("textbox", name=QUESTION)
    expect(field).to_have_value(f"{ana.name.lower()} 2")
    expect(field).to_be_focused()
    expect(other.page.get_by_text(f"Someone here is already called {ana.name}.")).to_be_visible()
    other.page.keyboard.press("Enter")
    other.ready()


def test_a_name_nobody_could_see_is_refused_in_words(people: People, room: str) -> None:
    ana = people("Ana")
    ana.open(room)
    answer(ana, f"{ana.name}\u202e")
    expect(ana.page.get_by_text("characters that cannot be seen")).to_be_visible()
    expect(ana.page.get_by_role("textbox", name=QUESTION)).to_be_focused()


def test_a_returning_visitor_is_straight_in_the_room(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    later = ana.tab()
    later.open(f"{room}-b")
    later.ready()
    expect(later.page.get_by_role("heading", level=1)).to_contain_text(f"{room}-b")


def test_a_fresh_server_asks_for_a_room_as_well(people: People, own_server: Server) -> None:
    ana = people("Ana", server=own_server)
    ana.open("lobby")
    fields = ana.page.get_by_role("textbox")
    expect(fields).to_have_count(2)
    expect(ana.page.get_by_role("textbox", name=QUESTION)).to_be_focused()
    ana.page.get_by_role("textbox", name=re.compile("room", re.I)).fill("Mum & Dad!")
    ana.page.get_by_role("textbox", name=QUESTION).fill(ana.name)
    ana.page.get_by_role("button", name="Start chatting").click()
    ana.ready()
    expect(ana.page).to_have_url(f"{own_server.origin}/")
    expect(ana.page.get_by_role("heading", level=1)).to_have_text("# Mum & Dad!")
    expect(ana.page.get_by_role("textbox", name="Message #Mum & Dad!")).to_be_visible()


def test_a_new_room_is_made_by_naming_it(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    field = ana.page.get_by_role("textbox", name="New room")
    field.fill(f"{room} Two")
    field.press("Enter")
    ana.ready()
    expect(ana.page).to_have_url(f"{ana.server.origin}/r/{room}-two")


def test_a_reload_makes_no_second_person(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.page.reload()
    ana.ready()
    expect(ben.page.get_by_text(re.compile("^2 here now$"))).to_be_visible()
    expect(ben.rows).to_have_count(0)
