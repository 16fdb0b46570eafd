"""A person's settings: applied at once, here and in every tab, and said to the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Frame, Line, wait_until
from .people import Visitor
from .server import Voice
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations

Speak = Callable[..., Voice]
Values = dict[str, str]

ROOT_SIZE = "parseFloat(getComputedStyle(document.documentElement).fontSize)"
PAPER = "getComputedStyle(document.body).backgroundColor"
AROUND = """[...document.querySelectorAll('meta[name=theme-color]')]
    .filter(colour => matchMedia(colour.media).matches).map(colour => colour.content)"""


def settings(visitor: Visitor) -> Locator:
    """Opens the dialog, on a phone from its drawer."""
    button = visitor.page.get_by_role("button", name=re.compile(", settings$"))
    if visitor.touches:
        visitor.page.get_by_role("button", name="Rooms", exact=True).tap()
    button.click()
    dialog = visitor.page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_role("radiogroup", name="Theme")).to_be_visible()
    return dialog


def kept(line: Line) -> Values:
    """What the page has said to the server, by key; the last of each."""
    return {frame["key"]: frame["value"] for frame in line.says("keep")}


def held(people: People, room: str, **options: Any) -> tuple[Visitor, Line]:
    """Somebody in the room, over a line that the test holds."""
    ana = people("Ana", **options)
    line = Line(ana.context)
    return ana.enter(room), line


def test_a_theme_applies_at_once_and_around_the_page(people: People, room: str) -> None:
    ana, line = held(people, room, color_scheme="light")
    dialog = settings(ana)
    for name, paper in [("Dark", "rgb(20, 24, 26)"), ("Light", "rgb(252, 251, 248)")]:
        dialog.get_by_role("radio", name=name).check()
        expect(ana.html).to_have_attribute("data-theme", name.lower())
        assert ana.page.evaluate(PAPER) == paper
        assert ana.page.evaluate(AROUND) == [{"Dark": "#0d1113", "Light": "#f5f4ef"}[name]]
        assert kept(line)["theme"] == name.lower()
    dialog.get_by_role("radio", name="System").check()
    expect(ana.html).not_to_have_attribute("data-theme", re.compile(""))
    ana.page.emulate_media(color_scheme="dark")
    assert ana.page.evaluate(PAPER) == "rgb(20, 24, 26)"
    assert ana.page.evaluate(AROUND) == ["#0d1113"]


def test_a_text_size_scales_everything_and_moves_nothing(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(f"line {number}" for number in range(40)))
    ana, line = held(people, room)
    ana.at_the_end()
    dialog = settings(ana)
    sizes = [("Small", "87", 14), ("Large", "112", 18), ("Larger", "125", 20), ("Huge", "150", 24)]
    for name, value, pixels in sizes:
        dialog.get_by_role("radio", name=name, exact=True).check()
        assert ana.page.evaluate(ROOT_SIZE) == pixels
        assert kept(line)["size"] == value
        ana.at_the_end()
        assert ana.page.evaluate(NO_SIDEWAYS)
    dialog.get_by_role("radio", name="Normal").check()
    assert ana.page.evaluate(ROOT_SIZE) == 16


def test_every_setting_is_said_to_the_server(people: People, room: str) -> None:
    ana, line = held(people, room)
    dialog = settings(ana)
    for name in ("Enter sends", "Show when I am typing", "Sound", "Quiet hours"):
        dialog.get_by_role("switch", name=name, exact=True).click()
    dialog.get_by_role("radio", name="Everything").check()
    dialog.get_by_role("combobox", name=f"In #{room}").select_option("Nothing")
    dialog.get_by_role("combobox", name="Read new messages aloud").select_option("Mentions")
    dialog.get_by_label("Quiet from").fill("21:15")
    assert kept(line) == {
        "enter": "line",
        "typing": "off",
        "sound": "on",
        "quiet": "21:15-07:30",
        "notify": "all",
        f"level:{room}": "none",
        "announce": "mentions",
    }
    expect(ana.html).to_have_attribute("data-enter", "line")
    dialog.get_by_role("switch", name="Quiet hours").click()
    expect(dialog.get_by_label("Quiet from")).to_be_hidden()
    assert kept(line)["quiet"] == ""


def test_a_change_is_in_every_tab_also_without_a_line(people: People, room: str) -> None:
    ana, line = held(people, room)
    other = ana.tab()
    other.open(room)
    other.ready().whole()
    expected = settings(other).get_by_role("radio", name="Dark")
    line.cut(refusing=True)
    settings(ana).get_by_role("radio", name="Dark").check()
    expect(other.html).to_have_attribute("data-theme", "dark")
    expect(expected).to_be_checked()
    line.said.clear()
    line.refusing = False
    ana.online()
    wait_until(ana.page, lambda: kept(line) == {"theme": "dark"}, "it is said")


def test_what_is_told_from_elsewhere_shows_in_the_open_dialog(people: People, room: str) -> None:
    ana, line = held(people, room)
    dialog = settings(ana)
    line.tell({"type": "kept", "values": {"size": "150", "sound": "on", "quiet": "01:00-02:00"}})
    expect(dialog.get_by_role("radio", name="Huge")).to_be_checked()
    expect(dialog.get_by_role("switch", name="Sound")).to_be_checked()
    expect(dialog.get_by_label("Quiet until")).to_have_value("02:00")
    assert ana.page.evaluate(ROOT_SIZE) == 24


def test_a_refused_setting_is_as_it_was_and_says_why(people: People, room: str) -> None:
    ana, line = held(people, room)
    dialog = settings(ana)

    def refuse(frame: Frame) -> Frame | None:
        if frame["type"] != "keep":
            return None
        return {"type": "refused", "code": "bad_setting", "detail": "That cannot be set."}

    line.on_up = refuse
    dialog.get_by_role("radio", name="Dark").click()
    expect(dialog.get_by_role("alert").filter(has_text="That cannot be set.")).to_be_visible()
    expect(dialog.get_by_role("radio", name="System")).to_be_checked()
    expect(ana.html).not_to_have_attribute("data-theme", re.compile(""))
    line.on_up = lambda frame: None
    dialog.get_by_role("radio", name="Light").check()
    expect(dialog.get_by_text("That cannot be set.")).to_have_count(0)


def test_enter_does_what_is_set_and_else_what_the_device_is_used_to(
    people: People, room: str
) -> None:
    laptop, phone = devices(people, room)
    for device, usual in ((laptop, True), (phone, False)):
        switch = settings(device).get_by_role("switch", name="Enter sends")
        expect(switch).to_be_checked(checked=usual)
        switch.click()
        expect(switch).to_be_checked(checked=not usual)
        for _ in range(2 if device is phone else 1):  # the dialog, and the drawer it came from
            device.page.keyboard.press("Escape")
        device.composer.fill(f"{usual} ")
        device.composer.press("Enter")
        if usual:
            expect(device.composer).to_have_value("True \n")
        else:
            device.shows_once("False")
    expect(laptop.html).to_have_attribute("data-enter", "send")  # said by the phone, last
    switch = settings(phone).get_by_role("switch", name="Enter sends")
    switch.click()
    for device in (laptop, phone):
        expect(device.html).not_to_have_attribute("data-enter", re.compile(""))


def test_who_does_not_want_to_is_not_shown_typing(people: People, room: str) -> None:
    ana, line = held(people, room)
    line.tell({"type": "kept", "values": {"typing": "off"}})
    settings(ana)
    ana.page.keyboard.press("Escape")
    ana.composer.press_sequentially("secretly")
    ana.composer.fill("")
    line.tell({"type": "kept", "values": {"typing": ""}})

    def told() -> object:
        ana.composer.press("o")
        return line.says("typing")

    wait_until(ana.page, told, "somebody is told")
    assert [frame.get("stopped") for frame in line.says("typing")] == [None]


@pytest.mark.parametrize("way", ["all", "mentions", "none"])
def test_what_is_read_aloud_is_what_was_chosen(
    people: People, voice: Speak, room: str, way: str
) -> None:
    ana, line = held(people, room)
    me = ana.page.evaluate("JSON.parse(document.querySelector('#boot').textContent).you.user")

    def meant(event: Frame) -> Frame:
        if event["type"] == "message" and "for me" in event["text"]:
            event["mentions"] = {me: "Ana"}
        return event

    line.on_event = meant
    line.tell({"type": "kept", "values": {"announce": way}})
    settings(ana)  # by then it is heard
    ana.page.keyboard.press("Escape")
    voice().say("for all", "for me")
    ana.shows("for all", "for me")
    if way == "none":
        line.tell({"type": "kept", "values": {"announce": "all"}})
        voice().say("aloud")
    last = {"all": "for me", "mentions": "for me", "none": "aloud"}[way]
    expect(ana.announcer).to_contain_text(last)
    said = ana.announcer.text_content() or ""
    assert ("for all" in said) == (way == "all")
    assert ("for me" in said) == (way != "none")


def test_the_dialog_is_done_with_the_keyboard_alone(people: People, room: str) -> None:
    ana, line = held(people, room)
    me = ana.page.get_by_role("button", name=re.compile(", settings$"))
    me.focus()
    ana.page.keyboard.press("Enter")
    dialog = ana.page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_role("textbox", name="Your name")).to_be_focused()
    ana.page.keyboard.press("Tab")  # Save name
    ana.page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="System")).to_be_focused()
    ana.page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("radio", name="Light")).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="Normal")).to_be_focused()
    ana.page.keyboard.press("ArrowRight")
    ana.page.keyboard.press("Tab")
    expect(dialog.get_by_role("switch", name="Enter sends")).to_be_focused()
    ana.page.keyboard.press("Space")
    assert kept(line) == {"theme": "light", "size": "112", "enter": "line"}
    ana.page.keyboard.press("Escape")
    expect(me).to_be_focused()


def test_a_section_is_one_press_away(people: People, room: str) -> None:
    ana, _ = held(people, room)
    dialog = settings(ana)
    links = dialog.get_by_role("navigation", name="Settings").get_by_role("link")
    expect(links).to_have_text(
        ["You", "Appearance", "Writing", "Notifications", "My devices", "Sign out"]
    )
    expect(links.first).to_have_attribute("aria-current", "true")
    links.filter(has_text="Sign out").click()
    expect(dialog.get_by_role("button", name="Sign out here")).to_be_focused()
    expect(links.last).to_have_attribute("aria-current", "true")
    expect(dialog.locator("[aria-current]")).to_have_count(1)
    assert "#" not in ana.page.url


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_the_settings_have_no_violations(
    people: People, room: str, screen: dict[str, Any], theme: str
) -> None:
    ana, _ = held(people, room, **screen)
    dialog = settings(ana)
    dialog.get_by_role("radio", name=theme).check()
    dialog.get_by_role("switch", name="Quiet hours").click()
    assert violations(ana.page) == []


@pytest.mark.parametrize("screen", [{}, PHONE, TINY], ids=["desk", "phone", "tiny"])
def test_the_settings_fit_every_width_in_every_size(
    people: People, room: str, screen: dict[str, Any]
) -> None:
    ana, _ = held(people, room, **screen)
    if screen is TINY:
        ana.page.get_by_role("button", name="Rooms", exact=True).click()
    dialog = settings(ana)
    dialog.get_by_role("switch", name="Quiet hours").click()
    for size in ("Normal", "Huge"):
        dialog.get_by_role("radio", name=size).check()
        assert dialog.evaluate("el => el.scrollWidth <= el.clientWidth")
        assert ana.page.evaluate(NO_SIDEWAYS)


def test_the_settings_come_with_their_first_use(people: People, room: str) -> None:
    ana = people("Ana")
    files: list[str] = []
    ana.page.on("request", lambda request: files.append(request.url.rpartition("/")[2]))
    ana.enter(room)
    ana.page.wait_for_load_state("networkidle")
    assert not {"settings.js", "bell.js", "rows.js", "sound.js"} & set(files)
    settings(ana)
    assert "settings.js" in files


def test_settings_that_cannot_be_fetched_are_owned_up_to(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.route("**/settings.js*", lambda route: route.abort())
    ana.page.get_by_role("button", name=re.compile(", settings$")).click()
    dialog = ana.page.get_by_role("dialog", name="Settings")
    expect(dialog.get_by_role("textbox", name="Your name")).to_be_focused()
    expect(ana.page.get_by_text("could not be fetched").first).to_be_attached()
    ana.page.keyboard.press("Escape")
    ana.page.unroute("**/settings.js*")
    settings(ana)


def test_nothing_is_said_again_once_it_was_told(people: People, room: str) -> None:
    ana, line = held(people, room)
    line.on_up = lambda frame: SWALLOWED if frame["type"] == "keep" else None
    settings(ana).get_by_role("radio", name="Dark").check()
    line.on_up = lambda frame: None
    line.tell({"type": "kept", "values": {"theme": "dark"}})
    ana.page.keyboard.press("Escape")
    line.said.clear()
    line.cut()
    ana.online()
    ana.says("all is well")
    assert "theme" not in kept(line)


# --- on all devices


def devices(people: People, room: str) -> tuple[Visitor, Visitor]:
    """A laptop and a phone of one person, both in the room."""
    laptop, phone = people("Ana"), people("Ana", **PHONE)
    laptop.enter(room)
    phone.context.add_cookies([{**one} for one in laptop.context.cookies()])  # type: ignore[list-item]
    phone.open(room)
    return laptop, phone.ready().whole()


def test_what_one_device_sets_the_other_has_at_once(people: People, room: str) -> None:
    laptop, phone = devices(people, room)
    dialog = settings(laptop)
    dialog.get_by_role("radio", name="Dark").check()
    dialog.get_by_role("radio", name="Larger").check()
    expect(phone.html).to_have_attribute("data-theme", "dark")
    expect(phone.html).to_have_attribute("data-size", "125")
    other = settings(phone)
    expect(other.get_by_role("radio", name="Dark")).to_be_checked()
    other.get_by_role("radio", name="System").check()
    expect(dialog.get_by_role("radio", name="System")).to_be_checked()
    assert phone.page.evaluate(ROOT_SIZE) == 20


def test_a_page_is_right_before_any_script_runs(people: People, room: str) -> None:
    ana, line = held(people, room, color_scheme="light")
    dialog = settings(ana)
    dialog.get_by_role("radio", name="Dark").check()
    dialog.get_by_role("radio", name="Huge").check()
    dialog.get_by_role("switch", name="Enter sends").click()
    dialog.get_by_role("combobox", name=f"In #{room}").select_option("Nothing")
    ana.page.keyboard.press("Escape")
    ana.composer.fill("all of that has arrived")
    ana.composer.press("Control+Enter")
    ana.shows_once("all of that has arrived")
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.page.reload()
    expect(ana.row("all of that has arrived")).to_be_visible()
    expect(ana.html).not_to_have_attribute("data-ready", re.compile(""))
    assert ana.page.evaluate(PAPER) == "rgb(20, 24, 26)"
    assert ana.page.evaluate(ROOT_SIZE) == 24
    assert ana.page.evaluate(AROUND) == ["#0d1113"]
    expect(ana.html).to_have_attribute("data-enter", "line")
    expect(ana.page.get_by_role("button", name="Notifications: nothing")).to_be_visible()
    assert line.attempts == 1


@pytest.mark.parametrize("value", ["dark", "system"])
def test_nothing_changes_when_the_scripts_come(people: People, room: str, value: str) -> None:
    ana, _ = held(people, room)
    dialog = settings(ana)
    dialog.get_by_role("radio", name="Light").check()
    dialog.get_by_role("radio", name=value.title()).check()
    ana.page.keyboard.press("Escape")
    ana.says("that has arrived")
    ana.context.add_init_script(
        """window.seen = [];
        new MutationObserver(() => seen.push(document.documentElement.dataset.theme ?? 'none'))
            .observe(document, {subtree: true, attributeFilter: ['data-theme', 'data-size']});"""
    )
    ana.page.reload()
    ana.ready().whole()
    assert ana.page.evaluate("seen") == []
