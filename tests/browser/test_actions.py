"""What is offered for a row, how it is reached, and what a row says of its own state."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import Line
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations
from .test_sending import refused

Speak = Callable[..., Voice]

CLIPBOARD = ["clipboard-read", "clipboard-write"]
DAMAGE = "The server did not understand that."


def box(part: Locator) -> tuple[float, float, float, float]:
    """Its edges: left, top, right, bottom."""
    found = part.bounding_box()
    assert found
    left, top = found["x"], found["y"]
    return left, top, left + found["width"], top + found["height"]


def open_menu(visitor: Visitor, row: Locator) -> Locator:
    """Opens a row's menu with the mouse."""
    row.hover()
    row.get_by_role("button", name="More", exact=True).click()
    menu = visitor.page.get_by_role("menu", name="More")
    expect(menu).to_be_visible()
    return menu


def open_sheet(visitor: Visitor, row: Locator) -> Locator:
    """Opens a row's sheet with a finger."""
    row.locator(".body").tap()
    row.get_by_role("button", name="More", exact=True).tap()
    sheet = visitor.page.get_by_role("dialog", name=re.compile("^Message from"))
    expect(sheet).to_be_visible()
    return sheet


def test_the_toolbar_covers_neither_text_nor_the_row_above(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("the first of a group", "the second " + "is long " * 30, "the third")
    tools = ana.page.get_by_role("group", name="Message actions")
    for row, above in [(ana.rows.nth(1), ana.rows.nth(0)), (ana.rows.nth(2), ana.rows.nth(1))]:
        row.hover()
        left, top, _, _ = box(tools)
        assert top >= box(above.locator(".said"))[3] - 3, "only the padding of the row above"
        assert left >= box(row.locator(".said"))[2]
    ana.rows.nth(0).hover()
    assert box(tools)[1] == box(ana.rows.nth(0))[1] + 3
    for button in tools.get_by_role("button").all():
        assert button.evaluate("el => [el.offsetWidth, el.offsetHeight]") == [36, 32]


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_in_a_tall_row_the_toolbar_stays_in_sight(
    people: People, voice: Speak, room: str, options: dict[str, object]
) -> None:
    voice().say("first", "\n".join(map(str, range(24))), *(f"line {n}" for n in range(20)))
    ana = people("Ana", **options).enter(room)
    row = ana.rows.nth(1)
    row.evaluate(
        """el => { const log = el.closest('.log'), top = el => el.getBoundingClientRect().top;
        log.scrollTop += top(el) - top(log) + 200; }"""
    )
    text = row.locator(".body")
    if options:
        text.tap()
    else:
        text.hover()
    tools = ana.page.get_by_role("group", name="Message actions")
    expect(tools).to_be_in_viewport(ratio=1)
    assert box(tools)[1] >= box(ana.log)[1]
    row.get_by_role("button", name="More", exact=True).click()
    expect(ana.page.get_by_text("Copy link")).to_be_in_viewport()


def test_every_row_offers_the_same_three_buttons(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ben.says("not mine")
    ana.says("mine")
    tools = ana.page.get_by_role("group", name="Message actions")
    for text in ("not mine", "mine"):
        ana.row(text).hover()
        names = [button.get_attribute("aria-label") for button in tools.get_by_role("button").all()]
        assert names == ["React", "Reply", "More"]


@pytest.mark.parametrize("key", ["Enter", " ", "ContextMenu", "Shift+F10"])
def test_keys_on_a_row_open_its_menu_and_it_gives_the_focus_back(
    people: People, room: str, key: str
) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    row = ana.row("mine")
    row.focus()
    ana.page.keyboard.press(key)
    menu = ana.page.get_by_role("menu", name="More")
    for move, item in [("End", "Delete"), ("Home", "Edit"), ("ArrowUp", "Delete")]:
        ana.page.keyboard.press(move)
        expect(menu.get_by_role("menuitem", name=item)).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(row).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(ana.composer).to_be_focused()


def test_a_key_that_stands_in_the_menu_works_there_too(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    open_menu(ana, ana.row("mine"))
    ana.page.keyboard.press("e")
    expect(ana.page.get_by_role("menu")).to_have_count(0)
    expect(ana.page.get_by_role("textbox", name="Edit message")).to_be_focused()


def test_a_menu_opens_upwards_where_there_is_no_room(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(f"line {number}" for number in range(30)))
    ana = people("Ana", reduced_motion="reduce").enter(room)
    ana.says("mine")
    ana.at_the_end()
    menu = open_menu(ana, ana.row("mine"))
    more = ana.page.get_by_role("button", name="More", exact=True)
    assert box(menu)[3] <= box(more)[1]
    assert box(menu)[2] == pytest.approx(box(more)[2], abs=2)
    ana.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    menu = open_menu(ana, ana.rows.filter(visible=True).nth(18))
    assert box(menu)[1] >= box(more)[3]


def test_text_and_link_of_a_message_can_be_copied(people: People, room: str) -> None:
    ben = people("Ben").enter(room)
    ben.say("**to be** copied")
    ben.shows("to be copied")
    ana = people("Ana", permissions=CLIPBOARD).enter(room)
    row = ana.rows.first
    for item, copied in [("Copy text", "**to be** copied"), ("Copy link", None)]:
        menu = open_menu(ana, row)
        menu.get_by_role("menuitem", name=item).click()
        expect(menu).to_contain_text("Copied")
        expect(ana.announcer).to_have_text("Copied")
        expect(menu).to_have_count(0)
        link = f"{ana.server.url(room)}#{row.get_attribute('id')}"
        assert ana.page.evaluate("navigator.clipboard.readText()") == (copied or link)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param({**PHONE, "color_scheme": "dark"}, id="phone"),
        pytest.param({"forced_colors": "active"}, id="forced colours"),
    ],
)
def test_all_that_is_offered_for_a_row_has_no_violations(
    people: People, voice: Speak, room: str, options: dict[str, object]
) -> None:
    code = "\n".join(f"line {number} " + "is wide " * 14 for number in range(30))
    voice().say(f"```\n{code}\n```")
    ana = people("Ana", reduced_motion="reduce", **options).enter(room)
    ana.says("mine")
    ana.rows.first.locator("pre").focus()
    expect(ana.rows.first.get_by_role("button", name="Copy")).to_be_visible()
    expect(ana.page.get_by_role("group", name="Message actions")).to_be_visible()
    assert violations(ana.page) == []
    ana.row("mine").focus()
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_text("Mark as unread from here").last).to_be_visible()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    ana.page.keyboard.press("Control+/")
    expect(ana.page.locator("dialog#keys .part")).to_be_focused()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    expect(ana.row("mine")).to_be_focused()
    ana.page.keyboard.press("Delete")
    expect(ana.page.get_by_role("button", name="Undo")).to_be_focused()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Enter")


def test_a_screen_reader_finds_rows_by_name_and_what_can_be_done_with_them(
    people: People, voice: Speak, room: str
) -> None:
    """What Chromium itself tells it."""
    voice().say("**well** said")
    ana = people("Ana").enter(room)
    ana.rows.first.focus()
    expect(ana.page.get_by_role("group", name="Message actions")).to_be_visible()
    line = ana.context.new_cdp_session(ana.page)

    def told(role: str) -> list[str]:
        nodes = line.send("Accessibility.getFullAXTree")["nodes"]
        return [
            node["name"]["value"]
            for node in nodes
            if not node["ignored"] and node["role"]["value"] == role
        ]

    (name,) = told("article")
    assert re.fullmatch(r"Sam \S+ \d\d:\d\d well said", name)
    assert {"React", "Reply", "More"} <= set(told("button"))
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("menu", name="More")).to_be_visible()
    assert told("menuitem") == ["Copy text", "Copy link", "Mark as unread from here"]


def test_in_a_narrow_window_copy_stands_beside_the_toolbar(
    people: People, voice: Speak, room: str
) -> None:
    voice().say("first", "```\n" + "a wide line " * 20 + "\n```")
    ana = people("Ana", viewport={"width": 800, "height": 600}).enter(room)
    row = ana.rows.last
    row.locator("pre").hover()
    copy = row.get_by_role("button", name="Copy")
    tools = ana.page.get_by_role("group", name="Message actions")
    assert box(copy)[2] <= box(tools)[0]
    row.locator("pre").hover()  # a line about who came may have moved it from under the pointer
    copy.click()
    expect(row.get_by_role("button", name="Copied")).to_be_visible()
    expect(ana.announcer).to_have_text("Copied")


@pytest.mark.parametrize("opened", ["More", "React"])
def test_arrivals_leave_what_is_open_where_it_is(
    people: People, voice: Speak, room: str, opened: str
) -> None:
    sam = voice()
    sam.say(*(f"line {number}" for number in range(30)))
    ana = people("Ana", reduced_motion="reduce").enter(room)
    ana.says("mine")
    ana.at_the_end()
    row = ana.row("mine")
    row.hover()
    row.get_by_role("button", name=opened, exact=True).click()
    first = {"More": "menuitem", "React": "searchbox"}[opened]
    focused = ana.page.get_by_role(first).first
    expect(focused).to_be_focused()
    before = box(focused)
    sam.say("another", "and another")
    expect(ana.row("and another")).to_have_count(1)
    expect(ana.pill).to_be_visible()
    assert box(focused) == before
    expect(focused).to_be_focused()


def test_on_a_phone_a_tap_shows_the_toolbar_and_more_is_a_sheet(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.says("tap me")
    ana.row("tap me").locator(".body").tap()
    ana.page.get_by_role("button", name="More", exact=True).tap()
    sheet = ana.page.get_by_role("dialog", name=re.compile("^Message from"))
    expect(sheet).to_contain_text("tap me")
    for button in sheet.get_by_role("button").all():
        low = 44 if button.get_attribute("title") == "Close" else 48
        assert button.evaluate("el => el.offsetHeight") >= low
    assert violations(ana.page) == []
    sheet.get_by_role("button", name="Close").tap()
    expect(sheet).to_have_count(0)
    ana.page.get_by_role("button", name="More", exact=True).tap()
    sheet.get_by_role("button", name="Edit").tap()
    expect(ana.page.get_by_role("textbox", name="Edit message")).to_be_focused()
    ana.page.get_by_role("button", name="Cancel").tap()
    ana.row("tap me").locator(".body").tap()
    ana.page.get_by_role("button", name="More", exact=True).tap()
    sheet.get_by_role("button", name="Delete").tap()
    expect(ana.page.get_by_text("Message deleted.").first).to_be_visible()


def test_the_box_of_an_edit_says_which_keys_do_the_same(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("to edit")
    ana.row("to edit").focus()
    ana.page.keyboard.press("e")
    expect(ana.page.get_by_role("textbox", name="Edit message")).to_be_focused()
    expect(ana.page.get_by_text("Enter saves, Esc cancels")).to_be_visible()
    ana.page.get_by_role("button", name="Save").click()
    ana.shows_once("to edit")
    ben = people("Ben", **PHONE).enter(room)
    ben.says("on a phone")
    ben.row("on a phone").locator(".body").tap()
    ben.page.get_by_role("button", name="More", exact=True).tap()
    ben.page.get_by_role("button", name="Edit", exact=True).tap()
    expect(ben.page.get_by_text("Enter saves, Esc cancels")).to_be_hidden()


def test_deleting_by_the_keyboard_is_said(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("keep", "regret")
    ana.row("regret").focus()
    ana.page.keyboard.press("Delete")
    expect(ana.announcer).to_have_text("Message deleted.")
    expect(ana.page.get_by_role("button", name="Undo")).to_be_focused()
    expect(ana.rows.last).to_have_accessible_name(re.compile(r"^You \S+ Message deleted\. Undo$"))
    ana.page.keyboard.press("Enter")
    ana.shows("keep", "regret")


def test_a_waiting_message_says_so(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("sent")
    ana.context.set_offline(True)
    expect(ana.strip).to_be_visible()
    row = ana.say("for later")
    expect(row).to_have_attribute("data-state", "queued")
    expect(row.locator(".st")).to_have_text("Waiting")
    expect(ana.page.get_by_role("article", name=re.compile("for later Waiting$"))).to_have_count(1)
    sent = ana.row("sent")
    sent.focus()
    ana.page.keyboard.press("e")
    ana.page.get_by_role("textbox", name="Edit message").fill("sent, edited")
    ana.page.keyboard.press("Enter")
    expect(ana.row("sent, edited").locator(".st")).to_have_text("Waiting")
    ana.context.set_offline(False)
    ana.online()
    ana.shows_once("for later")
    expect(row.get_by_text("Waiting")).to_have_count(0)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_failed_message_says_one_sentence_and_then_what_can_be_done(
    people: People, room: str, options: dict[str, object]
) -> None:
    ana = people("Ana", **options)
    line = Line(ana.page)
    ana.enter(room)
    line.on_say = lambda frame: refused(frame, "bad_frame", DAMAGE)
    row = ana.say("failed")
    expect(row).to_have_attribute("data-state", "failed")
    words = row.get_by_text(f"Not sent. {DAMAGE}", exact=True)
    buttons = [row.get_by_role("button", name=name) for name in ("Try again", "Edit", "Discard")]
    tops = {round((box(button)[1] + box(button)[3]) / 2) for button in buttons}
    assert len(tops) == 1, "in one line"
    assert (min(tops) > box(words)[3]) == bool(options), "on a phone below the sentence"
    assert violations(ana.page) == []


def test_only_the_row_in_hand_has_tab_stops_within(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    sam.say("https://example.org/one", "```\ncode\n```", "https://example.org/two", "last")
    ana = people("Ana").enter(room)
    ana.composer.focus()
    stops = []
    for _ in range(3):
        ana.page.keyboard.press("Shift+Tab")
        stops.append(ana.page.evaluate("document.activeElement.tagName"))
    assert stops[1:] != ["PRE", "A"]
    assert "A" not in stops
    ana.rows.first.focus()
    ana.page.keyboard.press("Tab")
    expect(ana.page.get_by_role("link", name="https://example.org/one")).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(ana.page.get_by_role("button", name="React", exact=True)).to_be_focused()
    ana.rows.nth(1).focus()
    ana.page.keyboard.press("Tab")
    expect(ana.page.locator("pre")).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(ana.page.get_by_role("button", name="Copy")).to_be_focused()


def test_the_button_that_copies_code_is_no_part_of_what_was_said(
    people: People, voice: Speak, room: str
) -> None:
    voice().say("```\nprint(1)\n```")
    ana = people("Ana").enter(room)
    ana.rows.first.focus()
    expect(ana.rows.first).to_have_accessible_name(re.compile(r"print\(1\)$"))


def test_the_sheet_has_six_emoji_and_all_the_others(people: People, room: str) -> None:
    ana, ben = people("Ana", **PHONE).enter(room), people("Ben").enter(room)
    ben.says("react to me")
    row = ana.row("react to me")
    six = open_sheet(ana, row).get_by_role("group", name="React").get_by_role("button")
    expect(six).to_have_text(["👍", "❤️", "😂", "🎉", "😮", "🙏"])
    six.nth(3).tap()
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    expect(ana.page.get_by_role("button", name="🎉 1 reaction, including yours")).to_be_visible()
    expect(ben.page.get_by_role("button", name="🎉 1 reaction")).to_be_visible()
    pressed = open_sheet(ana, row).get_by_role("button", pressed=True)
    expect(pressed).to_have_text("🎉")
    pressed.tap()
    expect(ana.page.get_by_role("button", name="🎉 1 reaction")).to_have_count(0)
    open_sheet(ana, row).get_by_role("button", name="More emoji").tap()
    expect(ana.page.get_by_role("searchbox", name="Search emoji")).to_be_visible()


def test_plus_on_a_row_opens_the_emoji_and_they_give_the_focus_back(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    ana.row("mine").focus()
    ana.page.keyboard.press("+")
    expect(ana.page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(ana.row("mine")).to_be_focused()
    ana.page.keyboard.press("Tab")
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    ana.page.keyboard.press("Escape")
    expect(ana.page.get_by_role("button", name="React", exact=True)).to_be_focused()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["key", "sheet"])
def test_a_message_is_answered_by_a_key_or_from_the_sheet(
    people: People, room: str, options: dict[str, object]
) -> None:
    ben = people("Ben").enter(room)
    ben.says("answer me")
    ana = people("Ana", **options).enter(room)
    row = ana.row("answer me")
    if options:
        open_sheet(ana, row).get_by_role("button", name="Reply", exact=True).tap()
        expect(ana.page.get_by_role("dialog")).to_have_count(0)
    else:
        row.focus()
        ana.page.keyboard.press("r")
    expect(ana.composer).to_be_focused()
    expect(ana.composer).to_have_value("")
    ana.says("an answer")
    expect(ben.row("an answer").locator(".quote")).to_contain_text("answer me")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["key", "sheet"])
def test_a_message_is_unread_again_by_a_key_or_from_the_sheet(
    people: People, voice: Speak, room: str, options: dict[str, object]
) -> None:
    voice().say("read", "unread again", "and this")
    ana = people("Ana", **options).enter(room)
    expect(ana.page.locator("#unread")).to_have_count(0)
    row = ana.row("unread again")
    if options:
        open_sheet(ana, row).get_by_role("button", name="Mark as unread from here").tap()
    else:
        row.focus()
        ana.page.keyboard.press("u")
    expect(ana.page.locator("#unread + .msg .body")).to_have_text("unread again")


# -- the focus is never lost


def test_a_row_that_goes_gives_the_focus_to_the_next_and_closes_its_menu(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    first = sam.say("going", "staying")[0]
    ana = people("Ana").enter(room)
    open_menu(ana, ana.row("going"))
    sam.change("delete", first)
    expect(ana.row("staying")).to_be_focused()
    expect(ana.page.get_by_role("menu")).to_have_count(0)
    ana.page.keyboard.press("Tab")
    more = ana.page.get_by_role("button", name="More", exact=True)
    expect(more).to_have_attribute("aria-expanded", "false")


def test_a_message_that_went_behind_its_sheet_is_not_acted_on(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.says("going", "staying")
    other = ana.tab()
    other.open(room)
    other.ready().whole()
    open_sheet(ana, ana.row("going"))
    other.row("going").focus()
    other.page.keyboard.press("Delete")
    other.page.reload()
    ana.shows("staying")
    ana.page.get_by_role("button", name="Edit", exact=True).tap()
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    expect(ana.page.get_by_role("status").get_by_text("was deleted")).to_be_visible()


def test_what_is_repainted_under_the_focus_leaves_it_in_the_row(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ben.says("see https://example.org/one")
    ana.shows("see https://example.org/one")
    ana.page.get_by_role("link", name="https://example.org/one").focus()
    ben.composer.press("ArrowUp")
    ben.page.get_by_role("textbox", name="Edit message").fill("see nothing")
    ben.page.keyboard.press("Enter")
    ana.shows("see nothing")
    expect(ana.row("see nothing")).to_be_focused()


def test_try_again_by_the_keyboard_stays_where_it_is_and_then_leaves_one_in_the_row(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    line.on_say = lambda frame: refused(frame, "bad_frame", DAMAGE)
    row = ana.say("failed")
    again = row.get_by_role("button", name="Try again")
    again.focus()
    voice().say("something else")
    expect(ana.row("something else")).to_have_count(1)
    line.cut()
    ana.online()
    expect(again).to_be_focused()
    line.on_say = lambda frame: None
    ana.page.keyboard.press("Enter")
    ana.shows_once("failed")
    expect(row).to_be_focused()


def test_escape_leads_from_a_button_to_the_row_and_from_there_to_the_box(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    ana.row("mine").focus()
    ana.page.keyboard.press("Tab")
    expect(ana.page.get_by_role("button", name="React")).to_be_focused()
    for stop in (ana.row("mine"), ana.composer):
        ana.page.keyboard.press("Escape")
        expect(stop).to_be_focused()


def test_enter_on_a_row_that_is_edited_leads_back_into_the_edit(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    for key in ("Enter", "e"):
        ana.row("mine").focus()
        ana.page.keyboard.press("e")
        ana.row("mine").focus()
        ana.page.keyboard.press(key)
        expect(ana.page.get_by_role("textbox", name="Edit message")).to_be_focused()
