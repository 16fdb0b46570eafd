"""Who is here, who is typing, what is unread, and what a screen reader hears of it."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from .conftest import People
from .line import Line, wait_until
from .people import Visitor
from .server import Voice

Speak = Callable[..., Voice]


def typing(visitor: Visitor) -> Locator:
    """The line above the composer."""
    return visitor.page.locator(".typing")


def test_who_looks_away_is_counted_and_named_as_away(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    for visitor in (ana, ben):
        expect(visitor.page.get_by_text("2 here now", exact=True)).to_be_visible()
    panel = ana.page.get_by_role("complementary", name="People")
    entry = panel.get_by_role("listitem").filter(has_text=ben.name)
    expect(entry).to_contain_text("here")
    ben.look_away()
    expect(ana.page.get_by_text("2 people, 1 here now", exact=True)).to_be_visible()
    expect(entry).to_contain_text("away")
    expect(panel.get_by_role("listitem").filter(has_text="You")).to_contain_text("here")
    ben.look_back()
    expect(ana.page.get_by_text("2 here now", exact=True)).to_be_visible()
    expect(entry).to_contain_text("here")


def test_coming_and_going_makes_no_rows(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("alone")
    ben = people("Ben").enter(room)
    expect(ana.page.get_by_text("2 here now", exact=True)).to_be_visible()
    ben.page.close()
    ana.says("still one list")
    ana.shows("alone", "still one list")


def test_typing_is_shown_without_moving_anything(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    line = typing(ana)
    expect(line).to_have_attribute("aria-hidden", "true")
    log, box = ana.log.bounding_box(), ana.composer.bounding_box()
    ben.composer.press_sequentially("hello")
    expect(line).to_contain_text(f"{ben.name} is typing")
    assert (ana.log.bounding_box(), ana.composer.bounding_box()) == (log, box)
    ben.composer.press("Enter")
    expect(line).not_to_contain_text("is typing")
    ana.shows("hello")
    expect(typing(ben)).not_to_contain_text("is typing")


def test_typing_is_forgotten_after_five_seconds(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    ana.enter(room)
    ben.composer.press_sequentially("hel")
    expect(typing(ana)).to_contain_text(f"{ben.name} is typing")
    ana.page.clock.fast_forward(6_000)
    expect(typing(ana)).not_to_contain_text("is typing")
    expect(ben.composer).to_have_value("hel")


def test_two_who_type_are_both_named(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    cleo = people("Cleo").enter(room)
    ben.composer.press_sequentially("x")
    cleo.composer.press_sequentially("y")
    both = re.compile(
        f"{ben.name} and {cleo.name} are typing|{cleo.name} and {ben.name} are typing"
    )
    expect(typing(ana)).to_contain_text(both)


def test_typing_frames_are_rare(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.composer.press_sequentially("a fairly long sentence in one go")
    wait_until(ana.page, lambda: line.says("typing"), "typing is told")
    assert len(line.says("typing")) <= 2


def test_messages_to_a_hidden_tab_are_counted_and_divided(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ana = people("Ana").enter(room)
    sam.say("seen")
    ana.shows("seen")
    ana.look_away()
    sam.say("one", "two", "three")
    expect(ana.page).to_have_title(re.compile(r"^\(3\) "))
    icon = ana.page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("unread"))
    ana.look_back()
    divider = ana.page.locator("#unread")
    expect(divider).to_have_count(1)
    expect(divider).to_have_text("New")
    order = """() => [...document.querySelectorAll('article.msg .body, #unread')]
        .map(el => el.textContent.trim())"""
    assert ana.page.evaluate(order) == ["seen", "New", "one", "two", "three"]
    expect(ana.page).to_have_title(re.compile(r"^#"))
    expect(icon).not_to_have_attribute("href", re.compile("unread"))
    sam.say("four", "five")
    ana.shows("seen", "one", "two", "three", "four", "five")
    assert ana.page.evaluate(order)[1] == "New"
    ana.says("answer")
    expect(divider).to_have_count(0)


def test_someone_who_comes_for_the_first_time_is_one_quiet_line(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ben = people("Ben").enter(room)
    line = ana.page.locator(".log").get_by_text(f"{ben.name} joined", exact=True)
    expect(line).to_have_count(1)
    ben.page.reload()
    ben.ready()
    ben.say("back")
    ana.shows("back")
    expect(line).to_have_count(1)
    expect(ben.page.locator(".log").get_by_text(f"{ben.name} joined")).to_have_count(0)


def test_own_messages_are_never_unread(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    other = ana.tab()
    other.open(room)
    other.ready()
    ana.look_away()
    other.says("from my other tab")
    ana.shows("from my other tab")
    expect(ana.page).to_have_title(re.compile(r"^#"))
    ana.look_back()
    expect(ana.page.locator("#unread")).to_have_count(0)


def test_what_came_while_one_was_gone_is_divided_on_return(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("seen before")
    ana = people("Ana").enter(room)
    ana.shows("seen before")
    ana.page.wait_for_timeout(300)
    ana.page.goto("about:blank")
    sam.say("missed one", "missed two")
    ana.open(room)
    ana.ready()
    order = """() => [...document.querySelectorAll('article.msg .body, #unread')]
        .map(el => el.textContent.trim())"""
    ana.page.wait_for_selector("#unread")
    assert ana.page.evaluate(order) == ["seen before", "New", "missed one", "missed two"]
    ana.at_the_end()


def test_a_title_counts_to_ninety_nine(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ana = people("Ana").enter(room)
    ana.look_away()
    sam.say(*(f"message {number}" for number in range(120)))
    expect(ana.page).to_have_title(re.compile(r"^\(99\+\) "))


def test_live_messages_from_others_are_announced_and_nothing_else(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("history")
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    expect(ana.log).to_have_attribute("aria-live", "off")
    expect(ana.announcer).to_have_attribute("aria-live", "polite")
    line.cut(refusing=True)
    (missed,) = sam.say("missed")
    line.refusing = False
    ana.online()
    ana.shows("history", "missed")
    ana.says("my own words")
    sam.change("edit", missed, text="missed, but edited")
    sam.say("fresh")
    expect(ana.announcer).to_have_text(f"{sam.name}: fresh")


def test_a_burst_is_announced_as_a_number(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ana = people("Ana").enter(room)
    sam.say(*(f"burst {number}" for number in range(5)))
    expect(ana.announcer).to_contain_text("5 new messages")


def test_a_long_message_is_announced_in_part(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ana = people("Ana").enter(room)
    sam.say("long " * 100)
    expect(ana.announcer).to_contain_text("long long")
    assert len(ana.announcer.text_content() or "") <= len(sam.name) + 2 + 201


def test_an_empty_room_invites(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    hint = ana.page.get_by_text("Say hello, or send someone this link.")
    expect(hint).to_be_visible()
    expect(
        ana.page.get_by_text(f"This is the start of #{room}").filter(visible=True)
    ).to_have_count(1)
    ana.says("hello")
    expect(hint).to_be_hidden()


def test_with_more_than_a_screen_unread_the_page_opens_at_the_divider(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("seen before")
    ana = people("Ana").enter(room)
    ana.shows("seen before")
    ana.page.wait_for_timeout(300)
    ana.page.goto("about:blank")
    sam.say(*(f"missed {number}" for number in range(45)))
    ana.open(room)
    ana.ready()
    divider = ana.page.locator("#unread")
    expect(divider).to_be_in_viewport()
    expect(ana.row("missed 0")).to_be_in_viewport()
    expect(ana.pill).to_have_text("45 new messages")
    share = """el => { const log = document.querySelector('[role=log]').getBoundingClientRect();
        return (el.getBoundingClientRect().top - log.top) / log.height; }"""
    assert divider.evaluate(share) <= 0.35
    ana.pill.click()
    ana.at_the_end()
    expect(ana.pill).to_have_count(0)
