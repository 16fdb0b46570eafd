"""What is unread is counted, loaded or not; links and the way back reach all of the log."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from .conftest import People
from .line import Line
from .people import Visitor
from .server import Voice

Speak = Callable[..., Voice]


def away_while(people: People, room: str, sam: Voice, count: int) -> Visitor:
    """Somebody who read one message, left, and opens the room again after `count` more."""
    sam.say("seen before")
    ana = people("Ana").enter(room)
    ana.shows("seen before")
    ana.page.wait_for_timeout(300)
    ana.page.goto("about:blank")
    sam.say(*(f"missed {number}" for number in range(count)))
    ana.open(room)
    return ana.ready()


def test_what_is_unread_and_not_loaded_is_counted(people: People, voice: Speak, room: str) -> None:
    ana = away_while(people, room, voice(), 80)
    expect(ana.pill).to_have_text("80 new messages")
    expect(ana.page).to_have_title(re.compile(r"^\(80\)"))
    expect(ana.page.locator("#unread")).to_be_in_viewport()
    expect(ana.row("missed 0")).to_be_in_viewport()
    order = "[...document.querySelectorAll('.msg .body, #unread')].map(el => el.textContent)"
    shown = ana.page.evaluate(order)
    assert shown[shown.index("New") + 1] == "missed 0"
    ana.pill.click()
    ana.at_the_end()
    expect(ana.page).to_have_title(re.compile("^#"))


def test_more_unread_than_a_page_brings_are_many_and_the_pill_leads_to_the_first(
    people: People, voice: Speak, room: str
) -> None:
    ana = away_while(people, room, voice(), 420)
    expect(ana.pill).to_have_text("99+ new messages")
    expect(ana.page).to_have_title(re.compile(r"^\(99\+\)"))
    expect(ana.page.locator("#unread")).to_have_count(0)
    ana.pill.click()
    expect(ana.page.locator("#unread")).to_be_in_viewport()
    expect(ana.row("missed 0")).to_be_in_viewport()
    expect(ana.pill).to_have_text("99+ new messages")
    ana.pill.click()
    ana.at_the_end()
    expect(ana.row("missed 419")).to_be_in_viewport()
    expect(ana.page).to_have_title(re.compile("^#"))


def test_own_messages_edits_and_deleted_ones_are_not_counted(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("seen before")
    ana = people("Ana").enter(room)
    ana.shows("seen before")
    ana.page.wait_for_timeout(300)
    ana.look_away()
    ids = sam.say(*(f"missed {number}" for number in range(3)))
    sam.change("edit", ids[0], text="missed, but edited")
    sam.change("delete", ids[1])
    expect(ana.page).to_have_title(re.compile(r"^\(2\)"))


def test_a_link_to_an_old_message_shows_it_and_one_can_go_on_both_ways(
    people: People, voice: Speak, room: str
) -> None:
    ids = voice().say(*(f"line {number}" for number in range(400)))
    ana = people("Ana")
    ana.join(room)
    ana.page.goto(f"{ana.server.url(room)}#m{ids[150]}")
    ana.ready()
    row = ana.row("line 150")
    expect(row).to_be_in_viewport()
    expect(row).to_have_class(re.compile("reached"))
    expect(row).not_to_have_class(re.compile("reached"))
    expect(ana.log).to_have_attribute("data-stuck", "false")
    back = ana.page.get_by_role("button", name="Back to the latest")
    expect(back).to_be_visible()
    for way, reached in ((-1, "line 0"), (1, "line 399")):
        for _ in range(60):
            ana.log.evaluate("(el, by) => el.scrollBy(0, by)", way * 700)
            ana.page.wait_for_timeout(30)
        expect(ana.row(reached)).to_be_in_viewport()
    assert ana.texts() == [f"line {number}" for number in range(400)]
    ana.at_the_end()
    expect(back).to_be_hidden()


def test_a_link_to_a_message_that_is_gone_says_so(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(120)))
    sam.change("delete", ids[10])
    ana = people("Ana")
    ana.join(room)
    ana.page.goto(f"{ana.server.url(room)}#m{ids[10]}")
    ana.ready()
    expect(
        ana.page.get_by_text("That message does not exist, or was deleted.").first
    ).to_be_visible()
    ana.at_the_end()


def test_what_is_said_while_one_reads_elsewhere_waits_at_the_end(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(400)))
    ana = people("Ana")
    ana.join(room)
    ana.page.goto(f"{ana.server.url(room)}#m{ids[50]}")
    ana.ready()
    expect(ana.row("line 50")).to_be_in_viewport()
    sam.say("meanwhile")
    expect(ana.pill).to_have_text("1 new message")
    ana.says("from far away")
    ana.at_the_end()
    assert ana.texts()[-3:] == ["line 399", "meanwhile", "from far away"]


def test_far_up_there_is_a_way_back(people: People, voice: Speak, room: str) -> None:
    voice().say(*(f"line {number}" for number in range(150)))
    ana = people("Ana").enter(room)
    ana.at_the_end()
    ana.composer.press("PageUp")
    expect(ana.log).to_have_attribute("data-stuck", "false")
    expect(ana.page.locator(".latest")).to_be_hidden()
    expect(ana.rows.nth(99)).to_be_attached()  # there has to be something to scroll to
    for _ in range(3):
        ana.composer.press("PageUp")
    back = ana.page.get_by_role("button", name="Back to the latest")
    expect(back).to_be_visible()
    ana.composer.press("PageDown")
    back.click()
    ana.at_the_end()
    expect(back).to_be_hidden()


@pytest.mark.parametrize("kind", ["edit", "delete"])
def test_a_page_that_was_under_way_undoes_nothing(
    people: People, voice: Speak, room: str, kind: str
) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(80)))
    ana = people("Ana")
    line = Line(ana.page)
    late: list[Route] = []
    ana.page.route(re.compile("before="), lambda route: late.append(route))
    ana.enter(room)
    ana.log.evaluate("el => { el.scrollTop = 0; }")
    while not late:
        ana.page.wait_for_timeout(20)
    answer = late[0].fetch()
    sam.change(kind, ids[5], **({"text": "as it is now"} if kind == "edit" else {}))
    sam.say("the last")
    expect(ana.row("the last")).to_have_count(1)
    assert line.attempts == 1
    late[0].fulfill(response=answer)
    expect(ana.row("line 6")).to_have_count(1)
    expect(ana.row("line 5")).to_have_count(0)
    expect(ana.row("as it is now")).to_have_count(int(kind == "edit"))


def test_a_damaged_message_never_takes_the_place_of_a_sound_one(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    (number,) = sam.say("whole")
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.shows("whole")
    line.on_event = lambda event: (
        {**event, "text": "", "damaged": True} if event.get("text") == "spoilt" else event
    )
    sam.change("edit", number, text="spoilt")
    sam.say("and on")
    ana.shows("whole", "and on")
    sam.change("edit", number, text="whole, and edited")
    ana.shows("whole, and edited", "and on")


def test_a_room_is_shown_again_where_one_read_in_it(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say(*(f"line {number}" for number in range(160)))
    ana = people("Ana").enter(room)
    for sought in (130, 60):  # among the newest, and far from them
        row = ana.row(f"line {sought}")
        while row.count() == 0:
            with ana.page.expect_response(lambda answer: "before=" in answer.url):
                ana.log.evaluate("log => { log.scrollTop = 0; }")
        row.evaluate("row => row.scrollIntoView({block: 'start'})")
        ana.page.wait_for_timeout(100)  # a scroll event comes with the next frame
        before = row.bounding_box()
        rooms = ana.page.get_by_role("navigation", name="Rooms")
        rooms.get_by_role("link").first.click()
        ana.ready()
        rooms.get_by_role("link", name=room).click()
        ana.ready()
        expect(row).to_be_in_viewport()
        after = row.bounding_box()
        assert before
        assert after
        assert abs(after["y"] - before["y"]) <= 2, sought
    ana.page.reload()
    ana.ready()
    ana.at_the_end()
