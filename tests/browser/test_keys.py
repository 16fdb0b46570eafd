"""Keys that work wherever one is, files that cannot be sent, small windows, paper."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from .conftest import People
from .giving import chip
from .line import Line
from .server import Voice
from .test_access import TINY, violations

Speak = Callable[..., Voice]

ROW_KEYS = {
    "Enter": "The menu of the message",
    "R": "Reply to the message",
    "+": "React to the message",
    "E": "Edit the message",
    "U": "Mark as unread from there on",
    "Del": "Delete the message",
}


def test_f6_goes_round_rooms_messages_and_box(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("hello")
    ana.composer.focus()
    current = ana.page.get_by_role("navigation", name="Rooms").locator("[aria-current]")
    for key, stop in [
        ("F6", current),
        ("F6", ana.row("hello")),
        ("F6", ana.composer),
        ("Shift+F6", ana.row("hello")),
    ]:
        ana.page.keyboard.press(key)
        expect(stop).to_be_focused()


def test_letters_typed_at_nothing_go_into_the_box(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.evaluate("document.activeElement.blur()")
    ana.page.keyboard.type("hello")
    expect(ana.composer).to_have_value("hello")


def test_the_keys_are_listed(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.keyboard.press("Control+/")
    dialog = ana.page.get_by_role("dialog", name="Keys")
    for key, what in ROW_KEYS.items():
        line = dialog.locator("div").filter(has=ana.page.get_by_text(what, exact=True))
        expect(line.locator("kbd").last).to_have_text(key)
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    expect(ana.composer).to_be_focused()


def test_a_room_is_reached_by_a_few_letters_or_by_steps(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.open(f"{room}-other")
    ana.ready().whole()
    ana.page.keyboard.press("Control+k")
    dialog = ana.page.get_by_role("dialog", name="Go to a room")
    expect(dialog.get_by_role("option")).to_have_count(3)
    assert violations(ana.page) == []
    dialog.get_by_role("combobox").press_sequentially(room)
    expect(dialog.get_by_role("option")).to_have_count(2)
    ana.page.keyboard.press("Enter")
    expect(ana.page).to_have_url(re.compile(rf"/r/{room}$"))
    ana.ready().whole()
    expect(ana.composer).to_be_focused()
    ana.page.keyboard.press("Alt+ArrowDown")
    expect(ana.page).to_have_url(re.compile(rf"/r/{room}-other$"))


def test_a_dropped_file_leaves_the_chat_where_it_is(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("a draft")
    drop = """name => { const data = new DataTransfer();
        data.items.add(new File(['x'], 'a.png', {type: 'image/png'}));
        const key = name === 'paste' ? 'clipboardData' : 'dataTransfer';
        return !document.querySelector('textarea').dispatchEvent(
            new (name === 'paste' ? ClipboardEvent : DragEvent)(name,
                {[key]: data, bubbles: true, cancelable: true})); }"""
    assert ana.page.evaluate(drop, "drop"), "the browser would open it"
    chip(ana, "a.png")
    ana.page.reload()
    ana.ready().whole()
    assert ana.page.evaluate(drop, "paste")
    chip(ana, "a 2.png")
    expect(ana.composer).to_have_value("a draft")


def test_who_clears_the_box_is_no_longer_typing(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben")
    line = Line(ben.page)
    ben.enter(room)
    ben.composer.press_sequentially("hello")
    expect(ana.page.locator(".typing")).to_contain_text("is typing")
    ben.composer.fill("")
    expect(ana.page.locator(".typing")).not_to_contain_text("is typing", timeout=2_000)
    ben.says("sent")
    assert len(line.says("typing")) <= 3, "a message says by itself that nobody types it any more"


def test_at_four_hundred_percent_zoom_offline_nothing_is_below_the_fold(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(f"line {number}" for number in range(20)))
    ana = people("Ana", **TINY).enter(room)
    ana.context.set_offline(True)
    expect(ana.page.get_by_text("Offline, will send later")).to_be_visible()
    for part in (ana.page.locator("h1"), ana.strip, ana.composer, ana.send):
        expect(part).to_be_in_viewport(ratio=1)
    assert ana.log.evaluate("el => el.clientHeight") >= 96
    cut = "el => el.scrollWidth > el.clientWidth"
    assert not ana.strip.locator(".strip span").evaluate(cut)


def test_on_paper_every_row_has_its_author_and_every_day_its_date(
    people: People, room: str
) -> None:
    ana = people("Ana", color_scheme="dark").enter(room)
    ana.says("the first", "the second")
    ana.page.emulate_media(media="print", color_scheme="dark")
    for row in ana.rows.all():
        box = row.locator(".who").bounding_box()
        assert box
        assert box["width"] > 10
    for gone in (ana.composer, ana.page.get_by_role("navigation", name="Rooms")):
        expect(gone).to_be_hidden()
    day = """getComputedStyle(document.querySelector('.day span'), '::after').content"""
    assert re.search(r"\b20\d\d\b", ana.page.evaluate(day))
    assert ana.page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
