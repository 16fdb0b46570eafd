"""Emoji below messages: whose, on which pages, and what becomes of one that is refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Frame, Line, wait_until
from .people import Visitor
from .server import Server, Voice
from .test_access import PHONE, SETTLED, violations
from .test_actions import box
from .test_loading import SHIFTS

Speak = Callable[..., Voice]

numbers = itertools.count()

# Presses a chip and says what it is in the next frame.
PRESS = """chip => new Promise(seen => { chip.click(); requestAnimationFrame(() =>
  seen([chip.getAttribute('aria-pressed'), chip.getAttribute('aria-label')])); })"""

# The entry in the outbox as it is when the server has not answered for too long.
FAIL = """() => { const waits = key => key.includes(':outbox:');
  for (const key of Object.keys(localStorage).filter(waits)) localStorage[key] =
    JSON.stringify({...JSON.parse(localStorage[key]), failed: 'No answer.'}); }"""
KEPT = "Object.keys(localStorage).filter(key => key.includes(':outbox:')).length"


def put(sam: Voice, message: int, *emoji: str, on: bool = True) -> None:
    """Sam's emoji below a message, or none any more; confirmed."""
    for one in emoji:
        cid = f"reaction-{next(numbers)}"
        sam.command("react", cid=cid, id=message, emoji=one, on=on)
        while sam.hear("reaction").get("cid") != cid:
            pass


def chip(visitor: Visitor, text: str, name: str) -> Locator:
    """The chip with exactly this accessible name."""
    return visitor.row(text).get_by_role("button", name=name, exact=True)


def with_line(visitor: Visitor, room: str) -> Line:
    """Enters through a line that the test holds."""
    line = Line(visitor.page)
    visitor.enter(room)
    return line


def answering(line: Line, answer: Callable[[Frame], Frame]) -> None:
    """The server's answer to each reaction from here on."""
    line.on_up = lambda frame: answer(frame) if frame["type"] == "react" else None


def test_a_finger_sees_in_the_sheet_who_reacted(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    tea, _ = sam.say("tea?", "alone")
    put(sam, tea, "👍", "🎉")
    ana = people("Ana", **PHONE).enter(room)
    chip(ana, "tea?", "👍 1 reaction").tap()
    expect(chip(ana, "tea?", "👍 2 reactions, including yours")).to_be_visible()
    sheet = ana.page.get_by_role("dialog", name="Message from")
    for text, whose in [("tea?", [f"👍 {sam.name}, You", f"🎉 {sam.name}"]), ("alone", [])]:
        ana.row(text).locator(".body").tap()
        ana.page.get_by_role("button", name="More", exact=True).tap()
        expect(sheet.get_by_role("list", name="Reactions").get_by_role("listitem")).to_have_text(
            whose
        )
        assert violations(ana.page) == []
        sheet.get_by_role("button", name="Close").tap()


def test_a_reaction_is_seen_with_who_and_how_many(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    put(sam, tea, "👍")
    first = chip(ana, "tea?", "👍 1 reaction")
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(first).to_have_attribute("title", sam.name)
    first.click()
    mine = chip(ana, "tea?", "👍 2 reactions, including yours")
    expect(mine).to_have_attribute("aria-pressed", "true")
    expect(mine).to_have_attribute("title", f"{sam.name}, You")
    seen = chip(ben, "tea?", "👍 2 reactions")
    expect(seen).to_have_attribute("title", f"{sam.name}, {ana.name}")
    mine.click()
    expect(chip(ben, "tea?", "👍 1 reaction")).to_be_visible()
    expect(chip(ana, "tea?", "👍 1 reaction")).to_have_attribute("aria-pressed", "false")


def test_of_many_people_twenty_are_named(people: People, voice: Speak, room: str) -> None:
    ana = people("Ana").enter(room)
    voices = [voice() for _ in range(22)]
    (tea,) = voices[0].say("tea?")
    for one in voices:
        put(one, tea, "👍")
    many = chip(ana, "tea?", "👍 22 reactions")
    named = ", ".join(one.name for one in voices[:20])
    expect(many).to_have_attribute("title", f"{named}, and 2 more")


def test_my_own_is_there_in_the_next_frame(people: People, voice: Speak, room: str) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    sam = voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, "🎉")
    answering(line, lambda frame: SWALLOWED)
    party = chip(ana, "cake?", "🎉 1 reaction").element_handle()
    assert party.evaluate(PRESS) == ["true", "🎉 2 reactions, including yours"]
    assert party.evaluate(PRESS) == ["false", "🎉 1 reaction"]
    assert [frame["on"] for frame in line.says("react")] == [True], "one at a time"


def test_one_that_is_refused_goes_again_and_says_why(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    sam = voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, "🎉")
    why = "A message has at most 20 different reactions."
    answering(
        line,
        lambda frame: {
            "type": "refused",
            "cid": frame["cid"],
            "code": "too_many_reactions",
            "detail": why,
        },
    )
    chip(ana, "cake?", "🎉 1 reaction").click()
    expect(ana.page.locator("#alert")).to_have_text(why)
    expect(ana.page.get_by_role("status").filter(has_text=why)).to_be_visible()
    expect(chip(ana, "cake?", "🎉 1 reaction")).to_have_attribute("aria-pressed", "false")
    assert len(line.says("react")) == 1
    assert ana.page.evaluate(KEPT) == 0


def test_the_twenty_first_kind_is_refused_by_the_server(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana").enter(room)
    sam = voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, *(chr(0x1F600 + number) for number in range(20)))
    expect(ana.row("cake?").locator(".chip[data-emoji]")).to_have_count(20)
    ana.row("cake?").evaluate("""row => {
      const chip = row.querySelector('.chip').cloneNode(true);
      chip.dataset.emoji = '🎉';
      row.querySelector('.chips').prepend(chip);
      chip.click();
    }""")
    expect(ana.page.locator("#alert")).to_have_text("A message has at most 20 different reactions.")
    expect(ana.row("cake?").locator(".chip[data-emoji='🎉']")).to_have_count(0)


def test_one_made_offline_is_shown_and_goes_out_later(
    people: People, voice: Speak, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = with_line(ana, room)
    sam = voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, "🎉", "👍")
    party = chip(ana, "cake?", "🎉 1 reaction")
    expect(party).to_be_visible()
    line.cut(refusing=True)
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    party.click()
    expect(chip(ana, "cake?", "🎉 2 reactions, including yours")).to_be_visible()
    chip(ana, "cake?", "👍 1 reaction").click()
    chip(ana, "cake?", "👍 2 reactions, including yours").click()
    line.refusing = False
    expect(chip(ben, "cake?", "🎉 2 reactions")).to_be_visible()
    expect(chip(ben, "cake?", "👍 1 reaction")).to_be_visible()
    ana.online()
    ana.until(f"{KEPT} === 0")
    expect(chip(ana, "cake?", "🎉 2 reactions, including yours")).to_be_visible()
    expect(chip(ana, "cake?", "👍 1 reaction")).to_be_visible()


def test_what_others_did_during_a_gap_is_there_afterwards(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    sam, tim = voice(), voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, "🎉", "👍")
    expect(chip(ana, "cake?", "👍 1 reaction")).to_be_visible()
    line.cut(refusing=True)
    put(sam, cake, "👍", on=False)
    put(tim, cake, "🎉", "🙏")
    line.refusing = False
    expect(chip(ana, "cake?", "🎉 2 reactions")).to_be_visible()
    expect(ana.row("cake?").locator(".chip[data-emoji]")).to_have_text(["🎉 2", "🙏 1"])


def test_one_that_was_never_answered_is_given_up_and_owned_up_to(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    line = with_line(ana, room)
    sam = voice()
    (cake,) = sam.say("cake?")
    put(sam, cake, "🎉")
    answering(line, lambda frame: SWALLOWED)
    chip(ana, "cake?", "🎉 1 reaction").click()
    expect(chip(ana, "cake?", "🎉 2 reactions, including yours")).to_be_visible()
    assert ana.page.evaluate(KEPT) == 1
    ana.page.evaluate(FAIL)
    ana.page.reload()
    expect(ana.page.locator("#alert")).to_have_text("A reaction of yours could not be sent.")
    expect(chip(ana, "cake?", "🎉 1 reaction")).to_have_attribute("aria-pressed", "false")
    assert ana.page.evaluate(KEPT) == 0


# What a page says of its chips.
CHIPS = """all => all.map(chip => [chip.className, chip.textContent.trim(), chip.title,
  ...['aria-pressed', 'aria-label', 'type'].map(name => chip.getAttribute(name))])"""


def test_the_first_paint_has_them_as_the_page_makes_them(
    people: People, voice: Speak, room: str
) -> None:
    sam, tim = voice(), voice()
    ids = sam.say(*(f"line {number}" for number in range(40)))
    ana = people("Ana").enter(room)
    for number in ids[20:]:
        put(sam, number, "👍", "🎉")
        put(tim, number, "👍")
    chip(ana, "line 39", "👍 2 reactions").click()
    expect(chip(ana, "line 39", "👍 3 reactions, including yours")).to_be_visible()
    ana.until(f"{KEPT} === 0")
    made = ana.page.locator(".chip").evaluate_all(CHIPS)
    assert len(made) == 60
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.page.reload()
    expect(ana.page.locator(".chip")).to_have_count(60)
    assert ana.page.locator(".chip").evaluate_all(CHIPS) == made
    ana.page.unroute("**/*.js")
    ana.page.reload()
    ana.ready().whole()
    ana.at_the_end()
    assert ana.page.locator(".chip").evaluate_all(CHIPS) == made
    assert ana.page.evaluate(SHIFTS) <= 0.02
    mine = chip(ana, "line 39", "👍 3 reactions, including yours")
    mine.click()
    expect(chip(ana, "line 39", "👍 2 reactions")).to_be_visible()


def test_a_restart_of_the_server_loses_and_doubles_none(
    people: People, own_server: Server, room: str
) -> None:
    ana, ben = people("Ana", own_server).enter(room), people("Ben", own_server).enter(room)
    ana.says("tea?")
    second = ana.tab()
    second.open(room)
    second.ready().whole()
    press_react(ben, "tea?").locator(".six button").first.click()
    for visitor in (ana, second):
        expect(chip(visitor, "tea?", "👍 1 reaction")).to_be_visible()
    own_server.stop()
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    chip(ana, "tea?", "👍 1 reaction").click()
    expect(chip(ana, "tea?", "👍 2 reactions, including yours")).to_be_visible()
    expect(ben.html).not_to_have_attribute("data-conn", "online")
    chip(ben, "tea?", "👍 1 reaction, including yours").click()
    expect(ben.row("tea?").locator(".chips")).to_have_count(0)
    own_server.start()
    expect(chip(ben, "tea?", "👍 1 reaction")).to_be_visible()
    for visitor in (ana, second):
        expect(chip(visitor, "tea?", "👍 1 reaction, including yours")).to_be_visible()


def test_earlier_messages_come_with_their_reactions(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    (first, *_) = sam.say("the first", *(f"line {number}" for number in range(80)))
    put(sam, first, "🎉")
    ana = people("Ana").enter(room)
    ana.log.evaluate("log => { log.scrollTop = 0; }")
    expect(chip(ana, "the first", "🎉 1 reaction")).to_have_count(1)


def test_reactions_are_neither_announced_nor_counted(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana = people("Ana").enter(room)
    title = ana.page.title()
    ana.look_away()
    put(sam, tea, "👍")
    expect(chip(ana, "tea?", "👍 1 reaction")).to_have_count(1)
    sam.say("it is ready")
    expect(ana.announcer).to_contain_text("it is ready")
    expect(ana.announcer).not_to_contain_text("👍")
    assert ana.page.title() == f"(1) {title}"


def test_a_second_tab_of_mine_shows_them_as_mine(people: People, voice: Speak, room: str) -> None:
    ana = people("Ana").enter(room)
    other = ana.tab()
    other.open(room)
    other.ready().whole()
    sam = voice()
    (tea,) = sam.say("tea?")
    put(sam, tea, "👍")
    chip(ana, "tea?", "👍 1 reaction").click()
    mine = chip(other, "tea?", "👍 2 reactions, including yours")
    expect(mine).to_have_attribute("aria-pressed", "true")


def test_what_one_reads_or_selects_stays_where_it_is(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(45)))
    ana = people("Ana").enter(room)
    ana.scroll_up(400)
    seen = ana.rows.nth(30)
    seen.evaluate("row => getSelection().selectAllChildren(row.querySelector('.body'))")
    before = box(seen)
    put(sam, ids[30], "👍")
    put(sam, ids[20], "👍")
    expect(ana.rows.nth(20).locator(".chip[data-emoji]")).to_have_count(1)
    assert box(seen)[:3] == before[:3]
    assert ana.page.evaluate("getSelection().toString()") == "line 30"
    assert (
        box(seen)[3] - before[3] == box(seen.locator(".chips"))[3] - box(seen.locator(".chips"))[1]
    )


def test_a_quote_and_names_in_the_text_stay_what_they_are(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana").enter(room)
    ana.says("tea?")
    sam = voice()
    number = int(ana.row("tea?").get_attribute("data-id") or 0)
    sam.command("say", cid="an-answer", text=f"@{ana.name} with milk", reply=number)
    row = ana.rows.nth(1)
    parts = row.locator(".quote, mark.me")
    expect(parts).to_have_count(2)
    nodes = parts.element_handles()
    put(sam, sam.hear("message")["id"], "👍")
    expect(row.locator(".chip[data-emoji]")).to_have_count(1)
    expect(parts).to_have_count(2)
    assert nodes[1].evaluate("mark => mark.isConnected")


def test_the_end_stays_the_end(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ids = sam.say(*(f"line {number}" for number in range(45)))
    ana = people("Ana").enter(room)
    ana.at_the_end()
    put(sam, ids[-1], "👍")
    put(sam, ids[-2], "👍")
    expect(ana.rows.nth(43).locator(".chip[data-emoji]")).to_have_count(1)
    ana.at_the_end()
    chip(ana, "line 44", "👍 1 reaction").click()
    expect(chip(ana, "line 44", "👍 2 reactions, including yours")).to_be_visible()
    ana.at_the_end()


def test_chips_are_large_enough_and_reached_by_keys(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana = people("Ana").enter(room)
    put(sam, tea, "👍")
    first = chip(ana, "tea?", "👍 1 reaction")
    expect(first).to_be_visible()
    add = ana.row("tea?").get_by_role("button", name="Add a reaction")
    expect(add).to_be_hidden()
    left, top, right, bottom = box(first)
    assert bottom - top == 28
    assert right - left >= 40
    ana.row("tea?").hover()
    expect(add).to_be_visible()
    ana.page.mouse.move(0, 0)
    ana.composer.focus()
    expect(add).to_be_hidden()
    ana.page.keyboard.press("Shift+F6")
    expect(ana.row("tea?")).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(first).to_be_focused()
    expect(add).to_be_visible()
    ana.page.keyboard.press("Enter")
    expect(chip(ana, "tea?", "👍 2 reactions, including yours")).to_be_focused()
    put(sam, tea, "👍", on=False)
    ana.page.keyboard.press("Enter")
    expect(ana.row("tea?").locator(".chip")).to_have_count(0)
    expect(ana.row("tea?")).to_be_focused()


def test_on_a_phone_chips_are_for_fingers(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana = people("Ana", **PHONE).enter(room)
    put(sam, tea, "👍", "🎉")
    first = chip(ana, "tea?", "👍 1 reaction")
    first.tap()
    expect(chip(ana, "tea?", "👍 2 reactions, including yours")).to_be_visible()
    _, top, _, bottom = box(chip(ana, "tea?", "🎉 1 reaction"))
    assert bottom - top == 36


# The picker


def picker(visitor: Visitor, name: str = "Choose a reaction") -> Locator:
    """What an emoji is chosen from."""
    return visitor.page.get_by_role("dialog", name=name)


def press_react(visitor: Visitor, text: str) -> Locator:
    """Opens the picker for a row, from its toolbar."""
    visitor.row(text).hover()
    visitor.row(text).get_by_role("button", name="React", exact=True).click()
    expect(picker(visitor)).to_be_visible()
    return picker(visitor)


def choices(place: Locator) -> Locator:
    """The emoji below the search field."""
    return place.locator(".grid button")


def test_nothing_of_the_picker_is_loaded_before_it_is_used(
    people: People, voice: Speak, room: str
) -> None:
    voice().say("tea?")
    ana = people("Ana")
    loaded: list[str] = []
    ana.page.on("request", lambda request: loaded.append(request.url.rsplit("/", 1)[-1]))
    ana.enter(room)
    ana.page.wait_for_load_state("networkidle")
    assert not {"picker.js", "emoji.js", "emoji.txt"} & set(loaded)
    press_react(ana, "tea?")
    expect(picker(ana).get_by_text("Food and drink")).to_be_attached()
    assert loaded[-3:] == ["picker.js", "emoji.js", "emoji.txt"]


def test_one_of_six_is_chosen_and_taken_back(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    place = press_react(ana, "tea?")
    six = place.locator(".six button")
    expect(six).to_have_text(["👍", "❤️", "😂", "🎉", "😮", "🙏"])
    place.get_by_role("button", name="❤️", exact=True).first.click()
    expect(place).to_have_count(0)
    expect(ana.row("tea?").get_by_role("button", name="React", exact=True)).to_be_focused()
    expect(chip(ana, "tea?", "❤️ 1 reaction, including yours")).to_be_visible()
    expect(chip(ben, "tea?", "❤️ 1 reaction")).to_be_visible()
    place = press_react(ana, "tea?")
    expect(six.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(six.nth(0)).to_have_attribute("aria-pressed", "false")
    six.nth(1).click()
    expect(ana.row("tea?").locator(".chips")).to_have_count(0)
    expect(ben.row("tea?").locator(".chips")).to_have_count(0)


def test_emoji_are_found_by_what_people_call_them(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana = people("Ana").enter(room)
    place = press_react(ana, "tea?")
    field = place.get_by_role("searchbox", name="Search emoji")
    expect(field).to_be_focused()
    for letters, first in [
        ("thumbs", "👍"),
        ("tada", "🎉"),
        ("shrug", "🤷"),
        ("Red Heart", "❤️"),
        ("pinata", "🪅"),
        ("flag fr", "🇫🇷"),
    ]:
        field.fill(letters)
        expect(choices(place).first).to_have_text(first)
    field.fill("nothing like it")
    expect(place.get_by_role("status")).to_have_text("No emoji is called that.")
    field.fill("")
    expect(place.get_by_role("heading", name="Faces and people")).to_be_visible()
    field.fill("rocket")
    expect(choices(place).first).to_have_text("🚀")
    field.press("Enter")
    expect(chip(ana, "tea?", "🚀 1 reaction, including yours")).to_be_visible()


def test_what_was_lately_used_stands_first(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana = people("Ana").enter(room)
    place = press_react(ana, "tea?")
    expect(place.get_by_text("Lately used")).to_have_count(0)
    for name in ("rocket", "seedling", "rocket"):
        place.get_by_role("searchbox").fill(name)
        expect(choices(place).first).to_have_attribute("title", name)
        place.get_by_role("searchbox").press("Enter")
        expect(place).to_have_count(0)
        place = press_react(ana, "tea?")
    ana.page.reload()
    ana.ready().whole()
    place = press_react(ana, "tea?")
    expect(place.get_by_role("heading").first).to_have_text("Lately used")
    expect(place.locator(".grid").first.locator("button")).to_have_text(["🚀", "🌱"])


def test_the_picker_is_used_by_keys_alone(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana = people("Ana").enter(room)
    ana.page.keyboard.press("Shift+F6")
    ana.page.keyboard.press("+")
    place = picker(ana)
    field = place.get_by_role("searchbox")
    expect(field).to_be_focused()
    keys = ana.page.keyboard
    keys.press("ArrowUp")
    expect(place.locator(".six button").first).to_be_focused()
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    expect(field).to_be_focused()
    expect(place.get_by_text("Food and drink")).to_be_attached()
    keys.press("ArrowDown")
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    expect(choices(place).nth(9)).to_be_focused()
    keys.press("ArrowUp")
    keys.press("ArrowLeft")
    expect(choices(place).first).to_be_focused()
    keys.press("Shift+Tab")
    expect(field).to_be_focused()
    keys.press("Tab")
    expect(choices(place).first).to_be_focused()
    keys.press("t")
    expect(field).to_be_focused()
    expect(field).to_have_value("t")
    keys.press("Escape")  # empties the field, as in every field of this kind
    keys.press("Escape")
    expect(place).to_have_count(0)
    expect(ana.row("tea?")).to_be_focused()
    keys.press("+")
    expect(field).to_be_focused()
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(chip(ana, "tea?", "👍 1 reaction, including yours")).to_be_visible()


def test_the_box_gets_its_emoji_where_the_caret_is(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("well done!")
    ana.composer.evaluate("area => area.setSelectionRange(4, 4)")
    ana.page.get_by_role("button", name="Emoji", exact=True).click()
    place = picker(ana, "Emoji")
    expect(place.locator("[aria-pressed]")).to_have_count(0)
    place.get_by_role("searchbox").fill("clap")
    expect(choices(place).first).to_have_text("👏")
    choices(place).first.click()
    expect(ana.composer).to_have_value("well👏 done!")
    expect(ana.composer).to_be_focused()
    ana.page.keyboard.type("!")
    expect(ana.composer).to_have_value("well👏! done!")
    ana.page.keyboard.press("Enter")
    ana.shows_once("well👏! done!")


def test_on_a_phone_it_is_a_sheet(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana = people("Ana", **PHONE).enter(room)
    put(sam, tea, "👍")
    ana.row("tea?").focus()
    ana.row("tea?").get_by_role("button", name="Add a reaction").tap()
    place = picker(ana)
    expect(place.get_by_text("Food and drink")).to_be_attached()
    expect(place.get_by_role("searchbox")).not_to_be_focused()  # a keyboard would cover the list
    ana.page.evaluate(SETTLED)
    left, _, right, bottom = box(place)
    assert (left, right, bottom) == (0, 390, 844)
    for button in (place.locator(".six button").first, choices(place).first):
        _, top, _, low = box(button)
        assert low - top >= 44
    assert ana.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    place.get_by_role("button", name="Close").tap()
    expect(place).to_have_count(0)
    ana.row("tea?").get_by_role("button", name="Add a reaction").tap()
    place.get_by_role("button", name="🙏", exact=True).first.tap()
    expect(chip(ana, "tea?", "🙏 1 reaction, including yours")).to_be_visible()
    ana.page.get_by_role("button", name="Emoji", exact=True).tap()
    picker(ana, "Emoji").get_by_role("button", name="🎉", exact=True).first.tap()
    expect(ana.composer).to_have_value("🎉")


def test_a_list_that_does_not_come_is_owned_up_to(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana = people("Ana").enter(room)
    ana.page.route("**/emoji.txt", lambda route: route.abort())
    place = press_react(ana, "tea?")
    words = "The emoji could not be loaded. Try again in a moment."
    expect(place.get_by_role("status")).to_have_text(words)
    ana.page.unroute("**/emoji.txt")
    ana.page.keyboard.press("Escape")
    expect(place).to_have_count(0)
    place = press_react(ana, "tea?")
    expect(place.get_by_text("Food and drink")).to_be_attached()


def test_without_the_picker_a_person_is_told(people: People, voice: Speak, room: str) -> None:
    voice().say("tea?")
    ana = people("Ana").enter(room)
    ana.page.route("**/picker.js*", lambda route: route.abort())
    react = ana.row("tea?").get_by_role("button", name="React", exact=True)
    ana.row("tea?").hover()
    react.click()
    words = "The emoji could not be loaded. Try again in a moment."
    expect(ana.page.locator("#alert")).to_have_text(words)
    ana.page.unroute("**/picker.js*")
    react.click()
    expect(picker(ana)).to_be_visible()


def test_emoji_are_found_for_a_few_letters(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    found = ana.page.evaluate("""async () => {
      const { href } = document.querySelector('link[rel=modulepreload]');
      const { findEmoji } = await import(new URL('reactions.js', href));
      return [await findEmoji('na'), await findEmoji('party_pop'), await findEmoji('qqq')];
    }""")
    assert len(found[0]) == 8
    assert all(any(w.startswith("na") for w in one["name"].split()) for one in found[0][:3])
    assert found[1] == [{"emoji": "🎉", "name": "party popper"}]
    assert found[2] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desk", "phone"])
def test_rows_with_chips_and_the_picker_are_accessible(
    people: People, voice: Speak, room: str, scheme: str, screen: dict[str, object]
) -> None:
    sam = voice()
    (tea,) = sam.say("tea?")
    ana = people("Ana", color_scheme=scheme, reduced_motion="reduce", **screen).enter(room)
    put(sam, tea, "👍", "🎉")
    chip(ana, "tea?", "👍 1 reaction").click()
    expect(chip(ana, "tea?", "👍 2 reactions, including yours")).to_be_visible()
    ana.row("tea?").focus()
    assert violations(ana.page) == []
    ana.row("tea?").get_by_role("button", name="Add a reaction").click()
    expect(picker(ana).get_by_text("Food and drink")).to_be_attached()
    assert violations(ana.page) == []
    picker(ana).get_by_role("searchbox").fill("nothing like it")
    expect(picker(ana).get_by_role("status")).to_be_visible()
    assert violations(ana.page) == []


# Counts how often something in the row is written.
COUNT = """row => { window.writes = 0;
  new MutationObserver(() => { window.writes += 1; }).observe(row,
    {subtree: true, childList: true}); }"""


def test_a_storm_is_painted_with_the_next_frame_and_at_once(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    ana.clock()
    line = with_line(ana, room)
    told: list[Frame] = []

    def hear(event: Frame) -> Frame:
        if event["type"] == "reaction":
            told.append(event)
        return event

    line.on_event = hear
    crowd = [voice() for _ in range(12)]
    (tea,) = crowd[0].say("tea?")
    put(crowd[0], tea, "👍")
    expect(chip(ana, "tea?", "👍 1 reaction")).to_be_visible()
    ana.stop_the_clock()
    ana.pass_time(1)  # what the first one still sets right is not counted
    ana.row("tea?").evaluate(COUNT)
    body = ana.row("tea?").locator(".body > p").element_handle()
    for one in crowd[1:]:
        put(one, tea, "👍")
    wait_until(ana.page, lambda: len(told) == 12, "the page is told of all")
    assert ana.page.evaluate("writes") == 0
    ana.pass_time(0.05)
    expect(chip(ana, "tea?", "👍 12 reactions")).to_be_visible()
    assert ana.page.evaluate("writes") == 1
    assert body.evaluate("paragraph => paragraph.isConnected"), "the text is not made anew"
