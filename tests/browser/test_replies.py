"""One message answers another: the quote, the way there and back, the bar in the box."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from .conftest import People
from .line import wait_until
from .people import Visitor
from .server import Voice
from .test_sending import refused, with_line

Speak = Callable[..., Voice]


def answer(visitor: Visitor, row: Locator) -> Locator:
    """Presses "Reply" on a row; the bar that appears."""
    row.hover()
    row.get_by_role("button", name="Reply", exact=True).click()
    bar = visitor.page.locator(".replying")
    expect(bar).to_be_visible()
    return bar


def quote(visitor: Visitor, text: str) -> Locator:
    """What the message with this text quotes."""
    return visitor.row(text).locator(".quote")


def way_back(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("button", name="Back to where you were")


def test_an_answer_quotes_what_it_answers_for_everybody(people: People, room: str) -> None:
    ana, ben, cy = (people(name).enter(room) for name in ("Ana", "Ben", "Cy"))
    ana.says("Tea or coffee?", "And when?", "long " * 100)
    answer(ben, ben.rows.last)
    box = ben.page.locator(".composer .box")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "the bar is cut, not the box"
    bar = answer(ben, ben.row("Tea or coffee?"))
    expect(bar).to_have_text(f"Replying to {ana.name} · Tea or coffee?")
    expect(ben.composer).to_be_focused()
    expect(ben.composer).to_have_accessible_description(re.compile("Replying to.*Tea or coffee"))
    ben.says("Tea, please")
    expect(bar).to_have_count(0)
    for visitor, who in [(ana, "You"), (ben, ana.name), (cy, ana.name)]:
        visitor.shows_once("Tea, please")
        expect(quote(visitor, "Tea, please")).to_have_text(f"{who} Tea or coffee?")
        expect(visitor.row("Tea, please")).to_have_class(re.compile(r"\bfirst\b"))
    ben.says("with milk")
    expect(ben.row("with milk").locator(".quote")).to_have_count(0)


def test_a_quote_is_the_original_as_it_is_now(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("at noon")
    for text in ("fine", "me too"):
        answer(ben, ben.row("at noon"))
        ben.says(text)
    ana.act(ana.row("at noon"), "Edit")
    ana.page.get_by_role("textbox", name="Edit message").fill("at one,\n\nsharp")
    ana.page.keyboard.press("Enter")
    for visitor in (ana, ben):
        for text in ("fine", "me too"):
            expect(quote(visitor, text).locator(".what")).to_have_text("at one, sharp")
    answer(ben, ben.rows.nth(0))
    ana.act(ana.rows.nth(0), "Delete")
    expect(ben.page.locator(".replying")).to_have_text(
        re.compile(r"Replying to\s+Message deleted"), use_inner_text=True
    )
    for visitor in (ana, ben):
        for text in ("fine", "me too"):
            expect(quote(visitor, text)).to_have_text("Message deleted")
            expect(visitor.row(text).locator("a.quote")).to_have_count(0)
    ben.page.reload()
    ben.ready().whole()
    expect(quote(ben, "fine")).to_have_text("Message deleted")


def test_what_is_quoted_from_far_above_is_asked_for_at_once(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ids = sam.say(*(f"old {number}" for number in range(5)))
    sam.say(*(f"between {number}" for number in range(80)))
    for id, text in zip(ids, ("a", "b", "c"), strict=False):
        sam.say(text, reply=id)
    ana = people("Ana")
    ana.join(room)
    asked: list[str] = []
    ana.page.on("request", lambda request: asked.append(request.url))
    ana.open(room)
    ana.ready().whole()
    for text, original in [("a", "old 0"), ("b", "old 1"), ("c", "old 2")]:
        expect(quote(ana, text).locator(".what")).to_have_text(original)
    ana.until("performance.getEntriesByType('resource').some(e => e.name.includes('ids='))")
    assert len([url for url in asked if "ids=" in url]) == 1
    sam.change("edit", ids[0], text="old no more")
    sam.change("delete", ids[1])
    expect(quote(ana, "a").locator(".what")).to_have_text("old no more")
    expect(quote(ana, "b")).to_have_text("Message deleted")
    assert ana.row("old no more").count() == 0, "it is known, and not loaded"


def test_a_click_goes_to_the_original_and_a_button_back(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    first = sam.say("the very first")[0]
    sam.say(*(f"one {number}" for number in range(120)))
    second = sam.say("the second", reply=first)[0]
    sam.say(*(f"two {number}" for number in range(120)))
    sam.say("the third", reply=second)
    sam.say(*(f"three {number}" for number in range(3)))
    ana = people("Ana").enter(room)
    expect(way_back(ana)).to_be_hidden()
    quote(ana, "the third").click()
    expect(ana.row("the second")).to_be_in_viewport()
    expect(ana.row("the second")).to_have_class(re.compile("reached"))
    expect(ana.row("the second")).to_be_focused()
    expect(ana.row("the second")).not_to_have_class(re.compile("reached"))
    quote(ana, "the second").click()
    expect(ana.row("the very first")).to_be_in_viewport()
    way_back(ana).click()
    expect(ana.row("the second")).to_be_in_viewport()
    expect(ana.row("the second")).to_be_focused()
    way_back(ana).click()
    expect(ana.row("the third")).to_be_in_viewport()
    expect(ana.row("the third")).to_be_focused()
    expect(way_back(ana)).to_be_hidden()


def test_the_way_back_is_not_offered_once_one_is_there(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    first = sam.say("the first")[0]
    sam.say(*(f"line {number}" for number in range(40)))
    sam.say("the answer", reply=first)
    sam.say("the other answer", reply=first)
    ana = people("Ana").enter(room)
    ana.row("the answer").focus()
    ana.page.keyboard.press("Tab")
    expect(quote(ana, "the answer")).to_be_focused()
    ana.page.keyboard.press("Enter")
    expect(ana.row("the first")).to_be_focused()
    expect(way_back(ana)).to_be_visible()
    ana.log.evaluate("el => { el.scrollTop = el.scrollHeight; }")
    expect(way_back(ana)).to_be_hidden()


def test_what_is_in_sight_is_only_tinted(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("here")
    answer(ana, ana.row("here"))
    ana.says("there")
    top = ana.row("here").bounding_box()
    quote(ana, "there").click()
    expect(ana.row("here")).to_have_class(re.compile("reached"))
    assert ana.row("here").bounding_box() == top
    expect(way_back(ana)).to_be_hidden()


def test_escape_gives_up_the_answer_and_keeps_the_text(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("a question")
    bar = answer(ana, ana.row("a question"))
    ana.composer.press_sequentially("half of ")
    ana.page.keyboard.press("Escape")
    expect(bar).to_have_count(0)
    expect(ana.composer).to_have_value("half of ")
    expect(ana.composer).to_be_focused()
    answer(ana, ana.row("a question"))
    ana.page.get_by_role("button", name="Cancel reply").click()
    expect(bar).to_have_count(0)
    expect(ana.composer).to_be_focused()
    ana.says("half of nothing")
    expect(ana.row("half of nothing").locator(".quote")).to_have_count(0)


def test_a_draft_keeps_what_it_answers(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("a question")
    answer(ana, ana.row("a question"))
    ana.composer.press_sequentially("an answer")
    ana.page.reload()
    ana.ready().whole()
    bar = ana.page.locator(".replying")
    expect(bar).to_have_text("Replying to You · a question")
    other = ana.tab()
    other.open("lobby")
    other.ready().whole()
    expect(other.page.locator(".replying")).to_have_count(0)
    other.page.close()
    expect(ana.composer).to_have_value("an answer")
    ana.says("an answer")
    expect(quote(ana, "an answer").locator(".what")).to_have_text("a question")
    ana.page.reload()
    ana.ready().whole()
    expect(bar).to_have_count(0)


def test_what_waits_or_failed_shows_its_quote_and_takes_it_back_into_the_box(
    people: People, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    ana.says("a question")
    answer(ana, ana.row("a question"))
    line.cut(refusing=True)
    row = ana.say("an answer")
    expect(row).to_have_attribute("data-state", "queued")
    expect(row.locator(".quote .what")).to_have_text("a question")
    line.on_say = lambda frame: refused(frame, "bad_message", "No.")
    line.refusing = False
    expect(row).to_have_attribute("data-state", "failed")
    expect(row.locator(".quote .what")).to_have_text("a question")
    row.get_by_role("button", name="Edit", exact=True).click()
    expect(ana.composer).to_have_value("an answer")
    expect(ana.page.locator(".replying .what")).to_have_text("a question")
    line.on_say = lambda frame: None
    ana.says("an answer")
    expect(quote(ana, "an answer").locator(".what")).to_have_text("a question")
    assert [frame.get("reply") for frame in line.says("say")[-2:]] == [1, 1]


def test_far_behind_the_quotes_are_right_again(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    first, second = sam.say("edited meanwhile", "deleted meanwhile")
    ana = people("Ana")
    line = with_line(ana, room)
    sam.say(*(f"line {number}" for number in range(60)))
    line.cut(refusing=True)
    sam.say("one", reply=first)
    sam.change("edit", first, text="edited")
    sam.change("delete", second)
    sam.say(*(f"missed {number}" for number in range(510)))
    sam.say("two", reply=first)
    sam.say("three", reply=second)
    line.refusing = False
    ana.online()
    expect(quote(ana, "two").locator(".what")).to_have_text("edited")
    expect(quote(ana, "three")).to_have_text("Message deleted")


def test_in_another_history_a_draft_answers_nothing(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    ana.says("a question")
    bar = answer(ana, ana.row("a question"))
    ana.composer.press_sequentially("an answer")
    line.on_event = lambda event: (
        {**event, "epoch": "another", "afresh": True} if event["type"] == "welcome" else event
    )
    line.cut()
    expect(bar).to_have_count(0)
    ana.online()
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value("")
    wait_until(ana.page, lambda: len(line.says("say")) == 2, "the draft is sent")
    assert "reply" not in line.says("say")[-1]
