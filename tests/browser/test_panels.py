"""What stands around the list: header, rooms, people, drawers on a phone, dialogs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations

Speak = Callable[..., Voice]

INSIDE = """name => { const el = document.activeElement;
    return el === document.body || Boolean(el.closest(`[role=dialog]#${name}`)); }"""


def opener(visitor: Visitor, label: str) -> Locator:
    """The button in the header that opens a drawer."""
    return (
        visitor.page.get_by_role("banner")
        .or_(visitor.page.locator("header"))
        .get_by_role("button", name=label, exact=True)
    )


def drawer(visitor: Visitor, label: str) -> Locator:
    """Opens a drawer on a phone."""
    opener(visitor, label).tap()
    title = {"Rooms": "Chat", "People": "People"}[label]
    dialog = visitor.page.get_by_role("dialog", name=title, exact=True)
    expect(dialog).to_be_visible()
    return dialog


@pytest.mark.parametrize("label", ["Rooms", "People"])
@pytest.mark.parametrize("way", ["Escape", "Close", "beside"])
def test_a_drawer_keeps_the_focus_and_gives_it_back(
    people: People, room: str, label: str, way: str
) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.says("hello")
    dialog = drawer(ana, label)
    for _ in range(12):
        assert ana.page.evaluate(INSIDE, label.lower())
        ana.page.keyboard.press("Tab")
    if way == "Escape":
        ana.page.keyboard.press("Escape")
    elif way == "Close":
        dialog.get_by_role("button", name="Close").tap()
    else:
        ana.page.touchscreen.tap(380 if label == "Rooms" else 10, 400)
    expect(dialog).to_have_count(0)
    expect(opener(ana, label)).to_be_focused()
    expect(ana.composer).to_be_enabled()
    ana.composer.tap()
    expect(ana.composer).to_be_focused()


@pytest.mark.parametrize(
    ("label", "button"),
    [("Rooms", "settings"), ("People", "Invite"), ("People", "Notifications")],
)
def test_a_dialog_from_a_drawer_gives_the_focus_back_to_what_shows_it(
    people: People, room: str, label: str, button: str
) -> None:
    ana = people("Ana", **PHONE).enter(room)
    drawer(ana, label).get_by_role("button", name=re.compile(button)).tap()
    dialog = ana.page.get_by_role(
        "dialog", name=re.compile("^Settings|^Invite people|^Notifications in")
    )
    expect(dialog).to_be_visible()
    ana.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener(ana, label)).to_be_focused()


@pytest.mark.parametrize("label", ["Rooms", "People"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_open_drawer_has_no_violations(
    people: People, room: str, label: str, scheme: str
) -> None:
    ana = people("Ana", color_scheme=scheme, **PHONE).enter(room)
    drawer(ana, label)
    assert violations(ana.page) == []


def test_a_wider_window_makes_columns_of_drawers_again(people: People, room: str) -> None:
    ana = people("Ana", viewport={"width": 700, "height": 800}).enter(room)
    opener(ana, "Rooms").click()
    expect(ana.page.get_by_role("dialog")).to_be_visible()
    ana.page.set_viewport_size({"width": 1280, "height": 800})
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    expect(ana.page.get_by_role("navigation", name="Rooms")).to_be_visible()
    ana.composer.click()
    expect(ana.composer).to_be_focused()


def test_people_stand_in_two_groups_by_name(people: People, voice: Speak, room: str) -> None:
    for name in ("Zoe", "Émile", "Anton"):
        voice()
        people(name).enter(room)
    ana = people("Mira").enter(room)
    ana.look_away()
    panel = ana.page.get_by_role("complementary", name="People")
    expect(panel.get_by_role("heading", name="Here now, 6")).to_be_visible()
    expect(panel.get_by_role("heading", name="Away, 1")).to_be_visible(timeout=12_000)
    groups = panel.get_by_role("list")
    expect(groups).to_have_count(2)
    expect(groups.last.get_by_role("listitem")).to_have_text(re.compile("You"))
    names = groups.first.locator(".pn").all_text_contents()
    firsts = [name.split()[0] for name in names]
    assert firsts == ["Anton", "Émile", "Sam", "Sam", "Sam", "Zoe"]


def test_in_a_crowd_one_looks_for_a_name(people: People, voice: Speak, room: str) -> None:
    for _ in range(21):
        voice()
    ana = people("Ana").enter(room)
    panel = ana.page.get_by_role("complementary", name="People")
    field = panel.get_by_role("searchbox", name="Find a person")
    field.fill("ANÁ")
    expect(panel.get_by_role("listitem")).to_have_text(re.compile("You"))
    assert violations(ana.page) == []
    field.fill("nobody of that name")
    expect(panel).to_contain_text("Nobody here is called that.")
    expect(panel.get_by_role("listitem")).to_have_count(0)


def test_few_people_need_no_search(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    expect(ana.page.get_by_role("searchbox")).to_have_count(0)
    expect(ana.page.get_by_text("Just you for now")).to_be_visible()


def test_invite_is_a_labelled_button_and_on_a_phone_among_the_people(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    expect(ana.page.get_by_role("button", name="Invite", exact=True)).to_have_text("Invite")
    ben = people("Ben", **PHONE).enter(room)
    expect(ben.page.get_by_role("button", name="Invite", exact=True)).to_have_count(0)
    expect(drawer(ben, "People").get_by_role("button", name="Invite")).to_be_visible()


def test_every_icon_says_what_it_is(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    ana.row("mine").hover()
    untold = """() => [...document.querySelectorAll('button:has(svg)')]
        .filter(el => !el.textContent.trim() && el.title !== el.ariaLabel)
        .map(el => el.outerHTML)"""
    assert ana.page.evaluate(untold) == []


@pytest.mark.parametrize(
    ("button", "inside"), [("Invite", "button[name=Copy]"), (", settings$", "#name")]
)
def test_a_dialog_begins_at_what_one_came_for(
    people: People, room: str, button: str, inside: str
) -> None:
    ana = people("Ana").enter(room)
    ana.page.get_by_role("button", name=re.compile(button)).click()
    dialog = ana.page.get_by_role("dialog")
    copy = dialog.get_by_role("button", name="Copy")
    expect(copy if "Copy" in inside else dialog.get_by_role("textbox")).to_be_focused()


def test_the_title_and_close_of_a_dialog_stay_in_sight(people: People, room: str) -> None:
    ana = people("Ana", viewport={"width": 320, "height": 256}).enter(room)
    opener(ana, "Rooms").click()
    ana.page.get_by_role("button", name=re.compile(", settings$")).click()
    dialog = ana.page.get_by_role("dialog", name="Settings")
    dialog.evaluate("el => { el.scrollTop = el.scrollHeight; }")
    expect(dialog.get_by_role("button", name="Close")).to_be_in_viewport(ratio=1)
    assert violations(ana.page) == []


def test_signing_out_asks_once(people: People, room: str) -> None:
    whole = {"width": 1280, "height": 1400}  # of the dialog: nothing is half under its bar
    ana = people("Ana", viewport=whole).enter(room)
    ana.page.get_by_role("button", name=re.compile(", settings$")).click()
    dialog = ana.page.get_by_role("dialog", name="Settings")
    dialog.get_by_role("button", name="Sign out here").click()
    expect(dialog).to_contain_text("you cannot edit or delete what you wrote")
    expect(dialog.get_by_role("button", name="Stay")).to_be_focused()
    assert violations(ana.page) == []
    dialog.get_by_role("button", name="Stay").click()
    expect(dialog.get_by_role("button", name="Sign out", exact=True)).to_have_count(0)
    dialog.get_by_role("button", name="Sign out here").click()
    dialog.get_by_role("button", name="Sign out", exact=True).click()
    expect(ana.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
