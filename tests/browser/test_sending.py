"""From one person to the other: shown at once, confirmed once, refused in plain words."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import expect

from .conftest import People
from .line import SWALLOWED, Line, wait_until
from .people import Visitor

DAY = 24 * 3_600_000  # ms
# What an element shows so many milliseconds after it came; its style alone decides when.
AFTER = """(el, time) => {
  for (const one of el.getAnimations({subtree: true})) { one.pause(); one.currentTime = time; }
}"""
HEIGHT = "el => el.getBoundingClientRect().height"


def refused(frame: dict[str, Any], code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The server's answer to a `say` that it did not take."""
    return {"type": "refused", "cid": frame["cid"], "code": code, "detail": detail, **more}


def with_line(visitor: Visitor, room: str) -> Line:
    """Enters a room through a line that the test holds."""
    line = Line(visitor.page)
    visitor.enter(room)
    return line


def test_two_people_talk_in_both_directions(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    said = []
    for number in range(6):
        speaker, text = (ana, ben)[number % 2], f"message {number}"
        speaker.say(text)
        said.append(text)
        ana.shows(*said)
        ben.shows(*said)
    expect(ben.row("message 0")).to_contain_text(ana.name)
    expect(ana.row("message 0")).to_contain_text("You")
    expect(ana.rows.locator("[data-state=pending]")).to_have_count(0)


def test_a_message_is_shown_before_it_is_confirmed_and_keeps_its_size(
    people: People, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    ana.says("earlier")
    line.hold()
    row = ana.say("x")
    expect(row).to_have_attribute("data-state", "pending")
    expect(row).to_have_attribute("data-cid", re.compile(r"^[\w-]{8,64}$"))
    expect(ana.composer).to_have_value("")
    expect(ana.composer).to_be_focused()
    height = row.evaluate(HEIGHT)
    line.release()
    expect(row).to_have_attribute("data-state", "sent")
    expect(row).to_have_attribute("data-id", re.compile(r"^\d+$"))
    assert row.evaluate(HEIGHT) == height
    ana.shows("earlier", "x")


def test_a_burst_arrives_in_the_order_it_was_typed(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    said = [f"burst {number}" for number in range(20)]
    for text in said:
        ana.say(text)
    ben.shows(*said)
    ana.shows(*said)


def test_only_one_message_is_in_flight(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.hold()
    ana.say("one")
    ana.say("two")
    wait_until(ana.page, lambda: line.says("say"), "the first is on its way")
    ana.page.wait_for_timeout(100)
    assert [frame["text"] for frame in line.says("say")] == ["one"]
    line.release()
    ana.shows_once("one")
    ana.shows_once("two")
    ana.shows("one", "two")


def test_a_refused_message_offers_three_ways_out_and_is_announced_once(
    people: People, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = with_line(ana, room)
    line.on_say = lambda frame: refused(frame, "cid_reused", "That was already sent.")
    row = ana.say("contested")
    expect(row).to_have_attribute("data-state", "failed")
    expect(row).to_contain_text("Not sent.")
    for button in ("Try again", "Edit", "Discard"):
        expect(row.get_by_role("button", name=button, exact=True)).to_be_visible()
    spoken = ana.page.get_by_role("alert").filter(has_text=re.compile(r"\S"))
    expect(spoken).to_have_count(1)
    expect(spoken).to_contain_text("not sent")
    line.on_say = lambda frame: None
    row.get_by_role("button", name="Try again").click()
    ana.shows_once("contested")
    ben.shows_once("contested")
    ben.shows("contested")


def test_a_failed_message_can_go_back_into_the_composer(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.on_say = lambda frame: refused(frame, "too_long", "That is too long.")
    row = ana.say("to be shortened")
    row.get_by_role("button", name="Edit", exact=True).click()
    expect(ana.composer).to_have_value("to be shortened")
    expect(ana.composer).to_be_focused()
    expect(ana.rows).to_have_count(0)


def test_a_discarded_message_is_gone_for_good(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.on_say = lambda frame: refused(frame, "too_long", "That is too long.")
    ana.say("never mind").get_by_role("button", name="Discard").click()
    expect(ana.rows).to_have_count(0)
    line.on_say = lambda frame: None
    ana.page.reload()
    ana.ready()
    ana.says("another")
    ana.shows("another")


def test_two_failed_messages_can_be_tried_together(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = with_line(ana, room)
    line.on_say = lambda frame: refused(frame, "bad_frame", "The server did not understand that.")
    for text in ("one", "two"):
        expect(ana.say(text)).to_have_attribute("data-state", "failed")
    line.on_say = lambda frame: None
    ana.page.get_by_role("button", name="Try all").click()
    ben.shows("one", "two")
    expect(ana.page.get_by_role("button", name="Try all")).to_have_count(0)


def test_a_failed_message_is_still_there_after_a_reload(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.on_say = lambda frame: refused(frame, "bad_frame", "The server did not understand that.")
    expect(ana.say("stubborn")).to_have_attribute("data-state", "failed")
    ana.page.reload()
    ana.ready()
    expect(ana.row("stubborn")).to_have_attribute("data-state", "failed")
    assert len(line.says("say")) == 1


def test_who_is_too_fast_is_told_and_the_message_sends_itself(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = with_line(ana, room)
    refusals = iter([1_500])

    def slow_down(frame: dict[str, Any]) -> dict[str, Any] | None:
        retry = next(refusals, None)
        return retry and refused(frame, "slow_down", "Slow down a little.", retry=retry)

    line.on_say = slow_down
    row = ana.say("patience")
    expect(
        ana.page.get_by_text(re.compile(r"Slow down a little. Sending in [12] s"))
    ).to_be_visible()
    expect(row).not_to_have_attribute("data-state", "failed")
    ana.shows_once("patience")
    ben.shows("patience")
    first, second = line.says("say")
    assert first["cid"] == second["cid"]


def test_sending_is_said_only_after_a_second(people: People, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.hold()
    row = ana.say("slow")
    height = row.evaluate(HEIGHT)
    for time, said in ((999, False), (1_001, True)):
        row.evaluate(AFTER, time)
        assert row.get_by_text("Sending…").is_visible() == said
        assert row.evaluate(HEIGHT) == height
    line.release()
    expect(row).to_have_attribute("data-state", "sent")
    expect(row.get_by_text("Sending…")).to_have_count(0)
    assert row.evaluate(HEIGHT) == height


def test_messages_of_one_author_close_together_share_a_head(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("first", "second")
    ben.says("third")
    ana.shows("first", "second", "third")
    heads = ana.rows.evaluate_all("rows => rows.map(row => row.classList.contains('first'))")
    assert heads == [True, False, True]
    for text in ("first", "second"):
        expect(
            ben.page.get_by_role("article", name=re.compile(f"{ana.name}.*{text}"))
        ).to_be_visible()


def test_times_are_machine_readable_and_link_to_the_message(people: People, room: str) -> None:
    ana = people("Ana", timezone_id="Asia/Kathmandu").enter(room)
    ana.says("when")
    row = ana.row("when")
    stamp = row.locator("time").first
    expect(stamp).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$"))
    number = row.get_attribute("data-id")
    expect(row.get_by_role("link").first).to_have_attribute("href", re.compile(f"#m{number}$"))
    expected = stamp.evaluate(
        """el => new Intl.DateTimeFormat(undefined, {timeStyle: 'short'})
        .format(new Date(el.dateTime))"""
    )
    assert stamp.text_content() == expected
    ana.page.reload()
    ana.ready()
    expect(ana.row("when").locator("time").first).to_have_text(expected)


def test_a_message_that_is_never_confirmed_counts_as_not_sent(people: People, room: str) -> None:
    """The line is up, yet no answer comes, however often it is sent."""
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    line = with_line(ana, room)
    line.on_say = lambda frame: SWALLOWED
    ana.stop_the_clock()
    row = ana.say("is anybody there?")
    for _ in range(90):
        ana.pass_time(0.5)
        if row.get_attribute("data-state") == "failed":
            break
    expect(row).to_contain_text("Not sent.")
    line.on_say = lambda frame: None
    row.get_by_role("button", name="Try again").click()
    for _ in range(20):
        ana.pass_time(0.5)
        if row.get_attribute("data-state") == "sent":
            break
    ana.shows_once("is anybody there?")
    ben.shows("is anybody there?")


def test_a_message_that_waited_for_weeks_is_sent_by_itself(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    line = with_line(ana, room)
    line.cut(refusing=True)
    row = ana.say("finally")
    expect(row).to_have_attribute("data-state", "queued")
    ana.page.clock.fast_forward(20 * DAY)
    line.refusing = False
    ana.online()
    ana.shows_once("finally")
    ben.shows("finally")


def test_what_may_have_arrived_a_week_ago_is_asked_about(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    line = with_line(ana, room)
    line.on_say = lambda frame: SWALLOWED
    row = ana.say("see you in an hour")
    wait_until(ana.page, lambda: line.says("say"), "it is on its way")
    line.cut(refusing=True)
    line.on_say = lambda frame: None
    ana.page.clock.fast_forward(6 * DAY + 60_000)
    line.refusing = False
    ana.online()
    expect(row).to_contain_text("It may have arrived. Send as new?")
    assert len(line.says("say")) == 1
    row.get_by_role("button", name="Try again").click()
    ana.shows_once("see you in an hour")
    ben.shows("see you in an hour")
    first, second = line.says("say")
    assert first["cid"] != second["cid"]


def test_with_a_hundred_messages_waiting_the_next_stays_in_the_composer(
    people: People, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    line.cut(refusing=True)
    for number in range(100):
        ana.say(f"waiting {number}")
    ana.say("one too many")
    expect(ana.composer).to_have_value("one too many")
    expect(ana.page.get_by_text("Too many messages are waiting")).to_be_visible()
    expect(ana.rows).to_have_count(100)
    line.refusing = False
    ana.online()
    ana.shows_once("waiting 99")
    assert ana.texts() == [f"waiting {number}" for number in range(100)]


def test_a_browser_that_stores_nothing_still_talks(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.context.add_init_script(
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); }"
    )
    ana.enter(room)
    ana.says("one", "two")
    ben.shows("one", "two")
    ben.says("three")
    ana.shows("one", "two", "three")
