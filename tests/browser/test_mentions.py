"""Calling people by name: how it is shown, how it is told, and the list that helps to write it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Frame, Line
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations
from .test_sending import with_line

Speak = Callable[..., Voice]

ACTIVE = "aria-activedescendant"


def names(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("listbox")


def offered(visitor: Visitor) -> Locator:
    """The one that Enter would take."""
    return names(visitor).locator("[aria-selected=true]")


def types(visitor: Visitor, text: str) -> None:
    visitor.composer.press_sequentially(text)


def test_who_is_named_sees_it_in_the_row_and_everybody_in_the_text(
    people: People, room: str
) -> None:
    ana, ben, cy = (people(name).enter(room) for name in ("Ana", "Ben", "Cy"))
    text = f"@{ben.name} and `@{ben.name}` and **@{cy.name}**"
    ana.composer.fill(text)
    ana.composer.press("Escape")
    ana.composer.press("Enter")
    for visitor in (ana, ben, cy):
        visitor.shows_once(f"@{ben.name} and @{ben.name} and @{cy.name}")
        row = visitor.rows.last
        called = [ben.name, cy.name]
        expect(row.locator(".body :is(mark.me, b.at)")).to_have_text(
            [f"@{name}" for name in called]
        )
        mine = [f"@{visitor.name}"] if visitor.name in called else []
        expect(row.locator("mark.me")).to_have_text(mine)
        expect(row.locator("code :is(mark, b)")).to_have_count(0)
        expect(row).to_have_class(re.compile(r"\bmention\b" if mine else r"^((?!mention).)*$"))
    amber = ben.rows.last.evaluate("row => getComputedStyle(row).boxShadow")
    assert "3px" in amber
    ben.page.reload()
    ben.ready().whole()
    expect(ben.rows.last.locator("mark.me")).to_have_text([f"@{ben.name}"])
    expect(ben.rows.last).to_have_class(re.compile(r"\bmention\b"))


def test_an_edit_calls_people_and_lets_them_go(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    ana.says("hello all")
    box = ana.page.get_by_role("textbox", name="Edit message")
    for text, meant in [(f"hello @{ben.name}", True), ("hello nobody", False)]:
        ana.act(ana.rows.last, "Edit")
        box.fill(text)
        box.press("Escape" if names(ana).is_visible() else "End")
        box.press("Enter")
        ben.shows(text)
        expect(ben.rows.last.locator("mark.me")).to_have_count(int(meant))
        assert ("mention" in (ben.rows.last.get_attribute("class") or "")) == meant


def test_here_means_who_is_there(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    types(ana, "@her")
    expect(offered(ana)).to_contain_text("everyone here now")
    ana.page.keyboard.press("Enter")
    expect(ana.composer).to_have_value("@here ")
    types(ana, "tea?")
    ana.page.keyboard.press("Enter")
    expect(ben.row("@here tea?").locator("mark.me")).to_have_text("@here")
    expect(ana.row("@here tea?").locator("b.at")).to_have_text("@here")


def test_names_are_completed_as_one_types(people: People, room: str) -> None:
    """Acceptance check 19."""
    kuno, _, ana = (people(name).enter(room) for name in ("Kúno", "Ben", "Ana"))
    expect(ana.composer).to_be_focused()
    types(ana, "and @ku")
    expect(names(ana)).to_be_visible()
    expect(names(ana).get_by_role("option")).to_have_count(1)
    expect(offered(ana)).to_contain_text(kuno.name)
    expect(offered(ana).locator("b")).to_have_text("Kú")
    expect(offered(ana)).to_contain_text("here")
    ana.composer.press("Backspace")
    ana.composer.press("Backspace")
    expect(names(ana).get_by_role("option")).to_have_count(3)
    first = ana.composer.get_attribute(ACTIVE)
    ana.composer.press("ArrowDown")
    expect(ana.composer).not_to_have_attribute(ACTIVE, first or "")
    expect(offered(ana)).to_have_id(ana.composer.get_attribute(ACTIVE) or "")
    ana.composer.press("ArrowUp")
    expect(ana.composer).to_have_attribute(ACTIVE, first or "")
    types(ana, "KUN")
    ana.composer.press("Tab")
    expect(ana.composer).to_have_value(f"and @{kuno.name} ")
    expect(ana.composer).to_be_focused()
    expect(names(ana)).to_be_hidden()
    assert ana.composer.get_attribute(ACTIVE) is None
    ana.composer.press("Tab")
    expect(ana.composer).not_to_be_focused()


def test_escape_closes_the_list_and_nothing_else(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    ben.says("a question")
    ana.row("a question").hover()
    ana.page.get_by_role("button", name="Reply", exact=True).click()
    types(ana, "@be")
    expect(names(ana)).to_be_visible()
    ana.composer.press("Escape")
    expect(names(ana)).to_be_hidden()
    types(ana, "n")
    expect(names(ana)).to_be_hidden()
    expect(ana.page.locator(".replying")).to_be_visible()
    expect(ana.composer).to_have_value("@ben")
    ana.composer.press("Enter")
    ana.shows_once("@ben")


def test_who_wrote_and_went_is_not_in_the_room(people: People, room: str) -> None:
    ben, cy, ana = people("Ben").enter(room), people("Cy"), people("Ana")
    ben.says("I am here")
    ana.join(room)
    line = Line(ana.page)

    def without_ben(event: Frame) -> Frame:
        """As if Ben had left the room, and Cy were in it but away."""
        if event["type"] in ("welcome", "people"):
            known = event["people"] if event["type"] == "welcome" else event
            away = {"user": "cy", "name": cy.name, "color": 3, "here": False}
            known["people"] = [one for one in known["people"] if one["name"] != ben.name] + [away]
            known["total"] = len(known["people"])
        return event

    line.on_event = without_ben
    ana.open(room)
    ana.ready().whole()
    types(ana, "@")
    options = names(ana).get_by_role("option")
    expect(options).to_contain_text(["away", "not in this room", "everyone here now"])
    expect(options).to_contain_text([cy.name, ben.name, "here"])


def test_nothing_is_completed_in_the_middle_of_a_word(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    for text in ("mail@b", "@ b", "@nobody", f"@{ben.name} and", "10:30", ":)"):
        ana.composer.fill("")
        types(ana, text)
        expect(names(ana)).to_be_hidden()


def test_the_keys_are_the_input_methods_while_it_composes(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    types(ana, "@be")
    expect(names(ana)).to_be_visible()
    ana.composer.evaluate(
        """box => box.dispatchEvent(new KeyboardEvent("keydown",
        {key: "Enter", keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    expect(ana.composer).to_have_value("@be")
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value(f"@{ben.name} ")


def test_names_are_completed_in_an_edit_too(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana").enter(room)
    ana.says("hello")
    ana.composer.press("ArrowUp")
    box = ana.page.get_by_role("textbox", name="Edit message")
    box.press_sequentially(" @be")
    expect(names(ana)).to_be_visible()
    box.press("Escape")
    expect(box).to_be_focused()
    box.press("Backspace")
    box.press("Backspace")
    box.press("Backspace")
    box.press_sequentially("@be")
    box.press("Enter")
    expect(box).to_have_value(f"hello @{ben.name} ")
    box.press("Enter")
    expect(ben.rows.last.locator("mark.me")).to_have_count(1)


def test_a_name_stands_out_before_the_server_has_found_it(people: People, room: str) -> None:
    ben, ana = people("Ben").enter(room), people("Ana")
    line = with_line(ana, room)
    line.on_say = lambda frame: SWALLOWED
    ana.composer.fill(f"@{ben.name} and @here, now")
    ana.composer.press("Enter")
    expect(ana.rows.last).to_have_attribute("data-state", "pending")
    expect(ana.rows.last.locator("b.at")).to_have_text([f"@{ben.name}", "@here"])
    expect(ana.rows.last.locator("mark")).to_have_count(0)


def test_emoji_are_completed_too(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    types(ana, "done :tad")
    expect(offered(ana)).to_contain_text("🎉")
    ana.composer.fill("done ")
    types(ana, ":party p")
    expect(names(ana)).to_be_hidden()
    ana.composer.fill("done ")
    types(ana, ":popp")
    expect(offered(ana)).to_contain_text("🎉")
    expect(offered(ana).locator("b")).to_have_text("popp")
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value("done 🎉 ")
    types(ana, "at 10:30 :)")
    expect(names(ana)).to_be_hidden()
    ana.composer.press("Enter")
    ana.shows_once("done 🎉 at 10:30 :)")


def test_a_mention_is_told_to_who_listens(people: People, voice: Speak, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("a question")
    sam = voice()
    sam.say(f"@{ana.name} look", "something else")
    expect(ana.announcer).to_contain_text(f"{sam.name} mentioned you: @{ana.name} look")
    expect(ana.announcer).to_contain_text(f"{sam.name}: something else")
    sam.say("an answer", reply=1)
    expect(ana.announcer).to_contain_text(f"{sam.name} answered you: an answer")


@pytest.mark.parametrize(
    "screen", [{}, PHONE, {"color_scheme": "dark"}, {"forced_colors": "active"}]
)
def test_nothing_is_wrong_with_the_list_and_the_bar_open(
    people: People, room: str, screen: dict[str, object]
) -> None:
    ana, ben = people("Ana", **screen).enter(room), people("Ben").enter(room)
    ben.says(f"@{ana.name} tea or coffee?")
    ana.row(f"@{ana.name} tea or coffee?").focus()
    ana.page.keyboard.press("r")
    expect(ana.page.locator(".replying")).to_be_visible()
    types(ana, "@")
    expect(names(ana)).to_be_visible()
    assert not violations(ana.page)
    if ana.touches:
        heights = (
            names(ana).get_by_role("option").evaluate_all("all => all.map(e => e.offsetHeight)")
        )
        assert min(heights) >= 44
        names(ana).get_by_role("option").first.tap()
        expect(ana.composer).to_have_value(f"@{ben.name} ")
        expect(ana.composer).to_be_focused()
