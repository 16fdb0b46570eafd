"""Lines that break, hang and lie; servers that restart. Nothing is lost, doubled or noisy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import LOST, SWALLOWED, Frame, Line, wait_until
from .people import Visitor
from .server import ROOT, Server, Voice

Speak = Callable[..., Voice]

# Remembers every text a strip showed, from frame to frame.
WATCH_THE_STRIP = """() => {
  window.shown = new Set();
  const look = () => {
    for (const strip of document.querySelectorAll('[role=status]:not(#announcer)')) {
      const box = strip.getBoundingClientRect();
      const seen = box.width > 1 && strip.checkVisibility({visibilityProperty: true});
      if (seen && strip.innerText.trim()) shown.add(strip.innerText.trim());
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def on_a_line(people: People, room: str, name: str = "Ana") -> tuple[Visitor, Line]:
    """A visitor whose wire is in the test's hands."""
    visitor = people(name)
    line = Line(visitor.page)
    return visitor.enter(room), line


def on_a_stopped_clock(people: People, room: str) -> tuple[Visitor, Line]:
    """The same with a clock that moves only by `pass_time`."""
    visitor = people("Ana")
    visitor.clock()
    line = Line(visitor.page)
    visitor.enter(room).whole()  # what comes late would wait for a clock that stands
    visitor.stop_the_clock()
    return visitor, line


def back_on_line(visitor: Visitor) -> None:
    """Lets page time pass in small steps until the line is up again."""
    for _ in range(100):
        visitor.pass_time(0.5)
        if visitor.html.get_attribute("data-conn") == "online":
            return
    raise AssertionError("the page did not come back by itself")


def test_a_short_break_shows_nothing(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    ana.says("before")
    ana.page.evaluate(WATCH_THE_STRIP)
    line.cut()
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    ana.online()
    ben.say("after")
    ana.shows("before", "after")
    assert ana.page.evaluate("[...shown]") == []


def test_a_long_break_shows_a_strip_that_goes_by_itself(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(refusing=True)
    ana.pass_time(2.3)
    expect(ana.strip).to_be_hidden()
    ana.pass_time(1.0)
    expect(ana.strip).to_be_visible()
    expect(ana.composer).to_be_editable()
    log, strip = ana.log.bounding_box(), ana.strip.bounding_box()
    assert log
    assert strip
    assert strip["y"] + strip["height"] <= log["y"] + 1
    line.refusing = False
    back_on_line(ana)
    ana.pass_time(2.5)
    expect(ana.strip).to_be_hidden()
    expect(ana.rows).to_have_count(0)


def test_try_now_connects_at_once(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(refusing=True)
    for _ in range(20):
        ana.pass_time(1)
    attempts = line.attempts
    line.refusing = False
    ana.page.get_by_role("button", name="Try now").click()
    wait_until(ana.page, lambda: line.attempts == attempts + 1, "it connects")
    ana.online()


def test_a_browser_without_network_says_so_and_sends_when_it_is_back(
    people: People, room: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.context.set_offline(True)
    expect(ana.html).to_have_attribute("data-conn", "offline")
    expect(ana.strip).to_contain_text("Offline, will send later")
    row = ana.say("written in a tunnel")
    expect(row).to_have_attribute("data-state", re.compile("queued|pending"))
    expect(ana.composer).to_be_editable()
    ana.context.set_offline(False)
    ana.online()
    ana.shows_once("written in a tunnel")
    ben.shows("written in a tunnel")
    expect(ana.strip).to_be_hidden()


def test_a_half_open_line_is_noticed_by_the_missing_confirmation(people: People, room: str) -> None:
    """The socket stays open and deaf; the message is sent again on the next one, once."""
    ana, line = on_a_stopped_clock(people, room)
    ben = people("Ben").enter(room)
    line.go_deaf()
    ana.say("into the void")
    ana.pass_time(0.1)
    assert line.attempts == 1
    ana.pass_time(11)
    back_on_line(ana)
    ben.shows("into the void")
    row = ana.row("into the void")
    wait_until(
        ana.page,
        lambda: ana.pass_time(0.2) or row.get_attribute("data-state") == "sent",
        "it is confirmed",
    )
    ana.shows_once("into the void")
    first, *others = line.says("say")
    assert {frame["cid"] for frame in others} == {first["cid"]}


def test_a_half_open_line_is_noticed_by_its_silence(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.go_deaf()
    ben = people("Ben").enter(room)
    ben.says("can anybody hear me?")
    ana.pass_time(26)
    wait_until(ana.page, lambda: line.says("ping"), "the page asks whether the line is alive")
    ana.pass_time(12)
    back_on_line(ana)
    ana.pass_time(0.5)
    ana.shows("can anybody hear me?")


def test_an_unsent_message_is_sent_once_after_a_reload(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    line.cut(refusing=True)
    ana.say("one")
    ana.say("two")
    line.refusing = False
    ana.page.reload()
    ana.ready()
    ana.shows_once("one")
    ana.shows_once("two")
    ben.shows("one", "two")
    ana.page.reload()
    ana.ready()
    ana.shows("one", "two")
    ben.says("three")
    ana.shows("one", "two", "three")


def test_a_confirmation_lost_on_the_way_makes_no_second_copy(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    line.hold()
    ana.say("said once")
    ben.shows("said once")
    line.cut()
    line.release()
    ana.online()
    ana.shows_once("said once")
    ben.says("reply")
    ana.shows("said once", "reply")
    ben.shows("said once", "reply")


def test_what_was_missed_is_merged_with_edits_and_deletions(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    first, second, third = sam.say("to stay", "to be edited", "to be deleted")
    ana, line = on_a_line(people, room)
    ana.shows("to stay", "to be edited", "to be deleted")
    line.cut(refusing=True)
    sam.change("edit", second, text="edited meanwhile")
    sam.change("delete", third)
    sam.say("new meanwhile")
    line.refusing = False
    ana.online()
    ana.shows("to stay", "edited meanwhile", "new meanwhile")
    assert first < second < third


def test_hundreds_of_missed_messages_are_all_there_in_order(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say("before")
    ana, line = on_a_line(people, room)
    ana.shows("before")
    line.cut(refusing=True)
    missed = [f"missed {number}" for number in range(450)]
    sam.say(*missed)
    line.refusing = False
    ana.online()
    expect(ana.row("missed 449")).to_have_count(1)
    sam.say("after")
    expect(ana.row("after")).to_have_count(1)
    assert ana.texts() == ["before", *missed, "after"]


def test_after_too_much_to_be_told_the_page_starts_afresh_and_loads_the_rest(
    people: People, voice: Speak, room: str
) -> None:
    """More than the line brings: what was said, what waits and what came before is all there."""
    sam = voice()
    sam.say("before")
    ana, line = on_a_line(people, room)
    ana.shows("before")
    ana.page.evaluate("window.samePage = true")
    line.cut(refusing=True)
    missed = [f"missed {number}" for number in range(520)]
    sam.say(*missed)
    ana.say("said meanwhile")
    line.refusing = False
    ana.online()
    ana.shows_once("said meanwhile")
    expect(ana.row("said meanwhile")).to_have_attribute("data-state", "sent")
    everything = ["before", *missed, "said meanwhile"]
    assert ana.texts() == everything[-len(ana.texts()) :]

    def reaches_the_top() -> bool:
        ana.log.evaluate("log => log.scrollTo(0, 0)")
        return len(ana.texts()) >= len(everything)

    wait_until(ana.page, reaches_the_top, "earlier ones are there, page by page", 20)
    assert ana.texts() == everything
    assert ana.page.evaluate("window.samePage")


def test_far_behind_one_goes_on_reading_where_one_was(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(40)))
    ana, line = on_a_line(people, room)
    row = ana.row("line 15")
    row.evaluate("row => row.scrollIntoView({block: 'start'})")
    ana.page.wait_for_timeout(100)  # a scroll event comes with the next frame
    before = row.bounding_box()
    line.cut(refusing=True)
    sam.change("delete", ids[16])
    sam.say(*(f"missed {number}" for number in range(520)))
    line.refusing = False
    ana.online()
    expect(ana.row("line 16")).to_have_count(0)
    after = row.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) <= 2
    expect(ana.page).to_have_title(re.compile(r"^\(99\+\)"))
    ana.pill.click()
    ana.at_the_end()
    expect(ana.row("missed 519")).to_be_in_viewport()


def test_a_hole_in_the_changes_makes_the_page_ask_again(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    ben.says("one")
    ana.shows("one")
    line.on_event = lambda event: None if event["type"] == "message" else event
    ben.says("two")
    line.on_event = lambda event: event
    ben.says("three")
    ana.shows("one", "two", "three")
    assert line.attempts == 2


def test_a_kind_of_change_that_the_page_does_not_know_is_no_hole(people: People, room: str) -> None:
    """A page from before an upgrade hears of what only the newer server and newer pages know."""
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    ben.says("one")
    ana.shows("one")
    line.on_event = lambda event: (
        {"type": "from_the_future", "rev": event["rev"]} if event["type"] == "message" else event
    )
    ben.says("two")
    line.on_event = lambda event: event
    ben.says("three")
    ana.shows("one", "three")
    assert line.attempts == 1
    line.cut()
    ana.online()
    ben.says("four")
    ana.shows("one", "three", "four")


def test_a_beat_ahead_of_the_page_brings_it_up_to_date(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    ben.says("one")
    ana.shows("one")
    line.on_event = lambda event: None if event["type"] == "message" else event
    ben.says("two")
    wait_until(ana.page, lambda: len(ben.texts()) == 2, "Ben has it")
    line.on_event = lambda event: event
    line.tell({"type": "beat", "rev": int(ben.row("two").get_attribute("data-id") or 0)})
    ana.shows("one", "two")
    assert line.attempts == 2


def test_after_a_jump_holes_are_allowed_until_live(people: People, room: str) -> None:
    """What a slow line is told while it catches up: no reason to reconnect."""
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    ben.says("one")
    ana.shows("one")
    line.tell({"type": "jump"})
    line.on_event = lambda event: None if event["type"] == "message" else event
    ben.says("two")
    line.on_event = lambda event: event
    ben.says("three")
    ana.shows("one", "three")
    assert line.attempts == 1


def test_a_repeated_frame_is_shown_once(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    heard: list[Frame] = []

    def overhear(event: Frame) -> Frame:
        heard.append(event)
        return event

    line.on_event = overhear
    ben.says("one", "two")
    ana.shows("one", "two")
    for event in [event for event in heard if event["type"] == "message"]:
        line.tell(event)
    ben.says("three")
    ana.shows("one", "two", "three")
    assert line.attempts == 1


def test_a_server_that_was_killed_loses_and_doubles_nothing(
    people: People, own_server: Server
) -> None:
    ana = people("Ana", server=own_server).enter("general")
    ben = people("Ben", server=own_server).enter("general")
    ana.says("confirmed")
    ben.shows("confirmed")
    ana.composer.click()
    ana.page.keyboard.type("half a sen")
    ana.say("on its way")
    own_server.kill()
    ana.say("while it is down")
    ben.say("me too")
    ana.page.keyboard.type("half a sentence")
    own_server.start()
    for visitor in (ana, ben):
        visitor.online()
        for text in ("confirmed", "on its way", "while it is down", "me too"):
            visitor.shows_once(text)
        expect(visitor.rows).to_have_count(4)
    expect(ana.composer).to_have_value("half a sentence")
    assert ana.texts() == ben.texts()
    ben.page.reload()
    ben.ready()
    ben.shows(*ana.texts())


def test_a_restarted_server_has_its_people_back_without_a_word(
    people: People, own_server: Server
) -> None:
    ana = people("Ana", server=own_server).enter("general")
    ana.says("before")
    ana.page.evaluate("window.samePage = true")
    assert own_server.stop() == 0
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    ana.say("meanwhile")
    own_server.start()
    ana.online()
    ana.shows_once("meanwhile")
    ana.shows("before", "meanwhile")
    assert ana.page.evaluate("window.samePage")
    assert "Traceback" not in own_server.said()


def test_a_new_build_is_mentioned_and_reloads_nothing(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ana.page.evaluate("window.samePage = true")
    line.on_event = lambda event: (
        {**event, "version": "another"} if event["type"] == "welcome" else event
    )
    line.cut()
    ana.online()
    expect(ana.page.get_by_text("Updated. Reload when you like")).to_be_visible()
    assert ana.page.evaluate("window.samePage")


def test_a_restored_backup_replaces_what_is_on_the_page(
    people: People, own_server: Server, tmp_path: Path
) -> None:
    """The epoch differs: what was shown is dropped for what is there now, without a reload."""
    ana = people("Ana", server=own_server).enter("general")
    ana.says("before the backup")
    own_server.stop()
    (database,) = own_server.data.glob("*.db")
    backup = shutil.copy(database, tmp_path / "backup.db")
    own_server.start()
    ana.online()
    ana.says("after the backup")
    ana.page.evaluate("window.samePage = true")
    own_server.stop()
    ana.say("not yet sent")
    restore = ["run.py", "restore", str(backup), f"--data={own_server.data}"]
    subprocess.run([sys.executable, *restore], cwd=ROOT, check=True, capture_output=True)
    own_server.start()
    ana.online()
    ana.shows_once("not yet sent")
    ana.shows("before the backup", "not yet sent")
    assert ana.page.evaluate("window.samePage")


@pytest.mark.parametrize("code", [1001, 1012])
def test_after_a_restart_the_page_is_back_within_three_seconds(
    people: People, room: str, code: int
) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(code)
    ana.pass_time(3.2)
    wait_until(ana.page, lambda: line.attempts == 2, "it connects again")
    ana.online()


@pytest.mark.parametrize("code", [1000, 1002, LOST, 1007, 1011])
def test_after_any_other_break_the_page_tries_again_soon(
    people: People, room: str, code: int
) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(code)
    ana.pass_time(0.2)
    assert line.attempts == 1
    ana.pass_time(0.5)
    wait_until(ana.page, lambda: line.attempts == 2, "it connects again")
    ana.online()


def test_tries_become_rarer_down_to_one_in_half_a_minute(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(refusing=True)
    for _ in range(60):
        ana.pass_time(1)
    attempts = line.attempts
    assert 6 <= attempts <= 11
    for _ in range(31):
        ana.pass_time(1)
    assert attempts < line.attempts <= attempts + 3
    line.refusing = False
    back_on_line(ana)


def test_after_a_breach_of_policy_the_page_waits_half_a_minute(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(1008)
    ana.pass_time(28)
    assert line.attempts == 1
    ana.pass_time(8)
    wait_until(ana.page, lambda: line.attempts == 2, "it connects again")


def test_a_message_too_big_for_the_server_is_not_sent_again(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ben = people("Ben").enter(room)
    line.on_say = lambda frame: SWALLOWED
    row = ana.say("too big")
    wait_until(ana.page, lambda: line.says("say"), "it was sent")
    line.on_say = lambda frame: None
    line.cut(1009)
    ana.online()
    expect(row).to_have_attribute("data-state", "failed")
    ana.says("small")
    assert [frame["text"] for frame in line.says("say")] == ["too big", "small"]
    ben.shows("small")


def test_who_was_removed_does_not_come_back(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(4001)
    ana.pass_time(120)
    ana.pass_time(120)
    assert line.attempts == 1
    expect(ana.page.get_by_text(re.compile("removed"))).to_be_visible()


def test_a_replaced_tab_stops_and_offers_a_way_back(people: People, room: str) -> None:
    ana, line = on_a_stopped_clock(people, room)
    line.cut(4010)
    ana.pass_time(120)
    assert line.attempts == 1
    button = offered(ana)
    expect(button).to_be_visible()
    button.click()
    back_on_line(ana)
    assert line.attempts == 2


def offered(visitor: Visitor) -> Locator:
    """The button in the strip."""
    return visitor.page.get_by_role("status").get_by_role("button")


def test_a_signed_out_socket_leads_to_the_join_page(people: People, room: str) -> None:
    ana, line = on_a_line(people, room)
    ana.context.clear_cookies()
    with ana.page.expect_navigation():
        line.cut(4002)
    expect(ana.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()


def test_a_page_whose_identity_is_gone_goes_to_the_join_page(people: People, room: str) -> None:
    """The handshake is refused with 403, which a browser does not tell from a lost line."""
    ana, line = on_a_line(people, room)
    ana.context.clear_cookies()
    with ana.page.expect_navigation():
        line.cut()
    expect(ana.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
