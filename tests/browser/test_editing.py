"""Changing one's mind: edit in place, delete with a way back."""

from __future__ import annotations

import re
from collections.abc import Callable

from pictures import png
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Line
from .people import Visitor
from .server import Voice
from .test_files import send as upload
from .test_reactions import KEPT

Speak = Callable[..., Voice]

TOP = "el => el.getBoundingClientRect().top"


def editor(visitor: Visitor) -> Locator:
    """The field in which a message is edited."""
    return visitor.page.get_by_role("textbox", name="Edit message")


def test_up_in_an_empty_composer_edits_the_last_own_message(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("mine to chage")
    ben.says("not mine")
    ana.shows("mine to chage", "not mine")
    ben.shows("mine to chage", "not mine")
    before = ben.row("not mine").evaluate(TOP)
    ana.composer.press("ArrowUp")
    expect(editor(ana)).to_be_focused()
    expect(editor(ana)).to_have_value("mine to chage")
    editor(ana).fill("mine to change")
    editor(ana).press("Enter")
    expect(editor(ana)).to_have_count(0)
    row = ana.row("mine to change")
    expect(row).to_contain_text("edited")
    expect(row).to_be_focused()
    expect(ben.row("mine to change")).to_contain_text("edited")
    assert ben.row("not mine").evaluate(TOP) == before
    ben.shows("mine to change", "not mine")
    ben.page.reload()
    ben.ready()
    expect(ben.row("mine to change")).to_contain_text("edited")


def test_escape_leaves_the_message_as_it_was(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.says("as it was")
    ana.composer.press("ArrowUp")
    editor(ana).fill("something else")
    editor(ana).press("Escape")
    expect(editor(ana)).to_have_count(0)
    expect(ana.row("as it was")).to_be_focused()
    assert not line.says("edit")


def test_up_in_a_draft_edits_nothing(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("sent")
    ana.composer.fill("a draft")
    ana.composer.press("ArrowUp")
    expect(editor(ana)).to_have_count(0)


def test_an_edit_can_be_started_from_the_row(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("first", "second")
    ana.act(ana.row("first"), "Edit")
    editor(ana).fill("changed")
    editor(ana).press("Enter")
    ben.shows("changed", "second")
    ana.shows("changed", "second")


def test_a_message_with_files_may_lose_its_text(people: People, room: str) -> None:
    """Another one may not: nothing would be left of it."""
    ana = people("Ana").enter(room)
    ana.says("a word")
    upload(ana, room, png(30, 20), "cat.png", "look")
    for text, left in (("a word", 1), ("look", 0)):
        ana.act(ana.row(text), "Edit")
        editor(ana).fill("  ")
        editor(ana).press("Enter")
        expect(editor(ana)).to_have_count(left)
        if left:
            editor(ana).press("Escape")
    expect(ana.rows.last.locator(".body")).to_be_empty()
    ana.until(f"{KEPT} === 0")
    ana.open(room)
    ana.ready()
    row = ana.rows.last
    expect(row.locator(".body")).to_be_empty()
    expect(row).to_contain_text("edited")
    expect(row.get_by_role("img", name="about cat.png")).to_be_visible()


def test_an_edit_during_a_break_is_not_lost(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("before the break")
    line.cut(refusing=True)
    ana.composer.press("ArrowUp")
    editor(ana).fill("edited in the break")
    editor(ana).press("Enter")
    line.refusing = False
    ana.online()
    ben.shows("edited in the break")
    ana.shows("edited in the break")


def test_an_edit_that_is_never_answered_says_so_and_a_later_one_waits_for_it(
    people: People, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    line = Line(ana.page)
    ana.enter(room)
    ana.says("zero")
    line.on_up = lambda frame: SWALLOWED if frame["type"] == "edit" else None
    ana.stop_the_clock()
    change(ana, "one")
    row = ana.rows.first
    for _ in range(90):
        ana.pass_time(0.5)
        if row.get_attribute("data-state") == "failed":
            break
    expect(row).to_contain_text("Not sent. No answer from the server.")
    expect(ana.row("one")).to_have_count(1)
    change(ana, "two")
    expect(ana.row("two")).to_contain_text("Not sent. No answer from the server.")
    tried = len(line.says("edit"))
    line.on_up = lambda frame: None
    row.get_by_role("button", name="Try again").click()
    for _ in range(40):
        ana.pass_time(0.5)
        if row.get_attribute("data-state") == "sent":
            break
    ben.shows("two")
    ana.shows("two")
    assert [frame["text"] for frame in line.says("edit")[tried:]] == ["one", "two"]


def change(visitor: Visitor, text: str) -> None:
    """Edits the last own message."""
    visitor.composer.press("ArrowUp")
    editor(visitor).fill(text)
    editor(visitor).press("Enter")


def test_nobody_is_offered_to_change_what_others_wrote(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("hands off")
    ben.shows("hands off")
    row = ben.row("hands off")
    row.hover()
    row.get_by_role("button", name="More").click()
    expect(row.get_by_role("menuitem")).to_have_text(
        ["Copy text", "Copy link", re.compile("^Mark as unread from here")]
    )
    ben.page.keyboard.press("Escape")
    row.focus()
    for key in ("e", "Delete"):
        ben.page.keyboard.press(key)
    expect(editor(ben)).to_have_count(0)
    expect(ben.page.get_by_text("Message deleted.")).to_have_count(0)


def test_a_deleted_message_goes_after_a_moment_for_everyone(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    ana.enter(room)
    ana.says("keep", "regret", "also keep")
    ana.act(ana.row("regret"), "Delete")
    expect(ana.log.get_by_text("Message deleted.")).to_be_visible()
    ben.shows("keep", "regret", "also keep")
    ana.page.clock.fast_forward(7_000)
    ben.shows("keep", "also keep")
    ana.shows("keep", "also keep")
    expect(ana.log.get_by_text("Message deleted.")).to_have_count(0)
    for visitor in (ana, ben):
        visitor.page.reload()
        visitor.ready()
        visitor.shows("keep", "also keep")
        assert "regret" not in visitor.page.content()


def test_a_deletion_can_be_undone(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    line = Line(ana.page)
    ana.enter(room)
    ana.says("keep me")
    ana.act(ana.row("keep me"), "Delete")
    ana.page.get_by_role("button", name="Undo").click()
    ana.shows("keep me")
    ana.page.clock.fast_forward(8_000)
    ana.says("later")
    ben.shows("keep me", "later")
    assert not line.says("delete")


def test_a_deletion_can_still_be_undone_by_keys_after_others_have_spoken(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ana = people("Ana")
    line = Line(ana.page)
    ana.clock()
    ana.enter(room)
    ana.says("regret")
    ana.row("regret").focus()
    ana.page.keyboard.press("Delete")
    sam.say("one", "two")
    expect(ana.row("two")).to_have_count(1)
    undo = ana.page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    ana.page.keyboard.press("Enter")
    expect(ana.row("regret").locator(".body")).to_be_visible()
    expect(ana.row("regret")).to_be_focused()
    ana.page.clock.fast_forward(8_000)
    ana.says("three")
    assert not line.says("delete")


def test_a_page_that_goes_carries_out_what_could_still_be_undone(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("keep", "regret")
    ana.act(ana.row("regret"), "Delete")
    ana.open(f"{room}-b")
    ben.shows("keep")
    ana.ready().whole()
    expect(ana.page.get_by_text("1 waiting")).to_have_count(0)


def test_a_deletion_is_carried_out_also_when_the_page_had_to_load_anew(
    people: People, voice: Speak, room: str
) -> None:
    """So much was missed that nothing of what the page showed is among the newest."""
    sam = voice()
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.clock()
    ana.enter(room)
    ana.says("regret")
    ana.act(ana.row("regret"), "Delete")
    line.cut(refusing=True)
    sam.say(*(f"missed {number}" for number in range(520)))
    line.refusing = False
    ana.online()
    expect(ana.row("missed 519")).to_have_count(1)
    expect(ana.page.get_by_text("Message deleted.")).to_have_count(0)
    ana.page.clock.fast_forward(7_000)
    ben.until("!document.querySelector('.log').textContent.includes('regret')")
    assert [frame["id"] for frame in line.says("delete")]


def test_focus_at_undo_goes_to_the_next_row_without_scrolling(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    ana.clock()
    ana.enter(room)
    ana.says("regret")
    voice().say(*(f"line {number}" for number in range(60)))
    expect(ana.row("line 59")).to_have_count(1)
    ana.row("regret").focus()
    ana.page.keyboard.press("Delete")
    expect(ana.page.get_by_role("button", name="Undo")).to_be_focused()
    ana.log.evaluate("log => log.scrollTo(0, log.scrollHeight)")
    ana.at_the_end()
    ana.page.clock.fast_forward(7_000)
    expect(ana.row("line 0")).to_be_focused()
    ana.at_the_end()


def test_the_next_row_gets_the_head_of_a_deleted_first_one(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    ana.clock()
    ana.enter(room)
    ana.says("with the head", "without one")
    ben.shows("with the head", "without one")
    ana.act(ana.row("with the head"), "Delete")
    ana.page.clock.fast_forward(7_000)
    ben.shows("without one")
    expect(ben.row("without one")).to_have_class(re.compile(r"\bfirst\b"))
    expect(ben.row("without one").locator(".av")).to_be_visible()
