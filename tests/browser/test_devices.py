"""My devices: the list in the settings, the code for another one, and the news of a new one.

The server is faked here; what it does of all this is in test_door.py.
"""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from .conftest import People
from .line import Line
from .people import Visitor
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations
from .test_invite import LOOK
from .test_settings import settings

DAY = 86_400_000  # milliseconds
TOKEN, CODE = "h4KqWm7x2RtBh4KqWm7x2R", "K7QM-4TXD"
ADD = "Use on another device"
OUT = "Sign out"
PHONE_OF_ANA = {"id": "b", "label": "Safari on iPhone"}
SCREENS: dict[str, dict[str, Any]] = {
    "desk": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "tiny": TINY,
    "forced": {"forced_colors": "active"},
}


def some(number: int) -> list[dict[str, Any]]:
    """As many of three devices, the first one in hand."""
    now = time.time_ns() // 1_000_000
    labels = ["Firefox on Linux", PHONE_OF_ANA["label"], ""]
    made = [now - 30 * DAY, now - DAY, now - 200 * DAY]
    seen = [now, now - DAY // 2, now - 58 * DAY]
    rows = zip("abc", labels, made, seen, strict=True)
    return [dict(zip(("id", "label", "made", "seen"), row, strict=True)) for row in rows][:number]


class Devices:
    """What `/devices` answers one page: a list that shrinks, and a code as often as it is asked."""

    def __init__(self, visitor: Visitor, number: int = 3) -> None:
        self.all = some(number)
        self.ended: list[str] = []
        self.codes = 0
        self.broken = False
        visitor.context.route("**/devices", self._answer)
        visitor.context.route("**/devices/*", self._end)

    def _answer(self, route: Route) -> None:
        if self.broken:
            route.abort()
        elif route.request.method == "POST":
            self.codes += 1
            code = {"token": TOKEN, "code": CODE if self.codes == 1 else "NEXT-NEXT", "until": 0}
            route.fulfill(json=code)
        else:
            route.fulfill(json=[{**one, "here": one["id"] == "a"} for one in self.all])

    def _end(self, route: Route) -> None:
        self.ended.append(route.request.url.rpartition("/")[2])
        self.all = [one for one in self.all if one["id"] != self.ended[-1]]
        route.fulfill(json={})


def settled(people: People, room: str, number: int = 3, **options: Any) -> tuple[Visitor, Devices]:
    """Somebody with some devices, in the room."""
    ana = people("Ana", **options)
    devices = Devices(ana, number)
    return ana.enter(room), devices


def opened(visitor: Visitor) -> Locator:
    """The settings, with the list there."""
    if visitor.page.viewport_size == TINY["viewport"]:
        visitor.page.get_by_role("button", name="Rooms", exact=True).click()
    dialog = settings(visitor)
    expect(dialog.get_by_text("this one")).to_be_visible()
    return dialog


def handed(visitor: Visitor) -> Locator:
    """The dialog with the code."""
    opened(visitor).get_by_role("button", name=ADD).click()
    dialog = visitor.page.get_by_role("dialog", name=ADD)
    expect(dialog.get_by_text("Works once")).to_be_visible()
    return dialog


def test_devices_are_listed_with_the_one_in_hand_first(people: People, room: str) -> None:
    ana, _ = settled(people, room)
    rows = opened(ana).locator("#part-devices li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(re.compile("Firefox on Linux this one.*Since"))
    expect(rows.nth(0).get_by_role("button")).to_have_count(0)
    expect(rows.nth(1)).to_contain_text(re.compile("Safari on iPhone new.*Here in the last day"))
    expect(rows.nth(2)).to_contain_text(re.compile("A browser.*Last here on"))
    expect(rows.nth(1).get_by_role("button")).to_have_accessible_description("Safari on iPhone")


def test_another_device_is_signed_out_from_the_list(people: People, room: str) -> None:
    ana, devices = settled(people, room)
    dialog = opened(ana)
    row = dialog.locator("li").filter(has_text="Safari on iPhone")
    row.get_by_role("button", name=OUT).click()
    expect(row).to_have_count(0)
    assert devices.ended == ["b"]
    expect(dialog.get_by_role("status")).to_have_text("Signed out: Safari on iPhone")
    expect(dialog.get_by_role("button", name=ADD)).to_be_focused()


def test_signing_out_here_asks_only_on_the_only_device(people: People, room: str) -> None:
    ana, _ = settled(people, room, number=1)
    dialog = opened(ana)
    dialog.get_by_role("button", name="Sign out here").click()
    expect(dialog).to_contain_text(f"After this nobody can be {ana.name} again")
    dialog.get_by_role("button", name="Stay").click()
    ben, _ = settled(people, room, number=2)
    opened(ben).get_by_role("button", name="Sign out here").click()
    expect(ben.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()


def test_a_list_that_does_not_come_is_owned_up_to(people: People, room: str) -> None:
    ana, devices = settled(people, room)
    devices.broken = True
    dialog = settings(ana)
    expect(dialog.get_by_text("The server did not answer")).to_be_visible()
    dialog.get_by_role("button", name="Sign out here").click()
    expect(dialog).to_contain_text("If this is your only device")
    dialog.get_by_role("button", name=ADD).click()
    expect(ana.page.get_by_role("dialog", name=ADD)).to_have_count(0)


def test_the_code_is_shown_to_scan_to_type_and_to_copy(people: People, room: str) -> None:
    ana, _ = settled(people, room)
    asked: list[str] = []
    ana.context.on("request", lambda request: asked.append(request.url))
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    dialog = handed(ana)
    expect(dialog.get_by_role("button", name="Copy link")).to_be_focused()
    expect(dialog).to_contain_text(f"open 127.0.0.1:{ana.server.port}/enter there")
    expect(dialog).to_contain_text(CODE)
    expect(dialog).to_contain_text("Whoever uses it becomes you")
    ana.until("document.querySelector('.handover .qr').naturalWidth > 0")
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    copied = ana.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{ana.server.origin}/enter#{TOKEN}"
    assert not [url for url in asked if TOKEN in url], "no address says the token"
    ana.page.keyboard.press("Escape")
    for secret in (TOKEN, CODE):  # gone with the event that tells of the end
        ana.until(f"!document.documentElement.outerHTML.includes('{secret}')")
    expect(ana.page.get_by_role("button", name=ADD)).to_be_focused()


def test_a_code_counts_down_runs_out_and_is_made_anew(people: People, room: str) -> None:
    ana = people("Ana")
    devices = Devices(ana)
    ana.clock()
    ana.enter(room)
    dialog = handed(ana)
    ana.stop_the_clock()
    ana.pass_time(79)
    left = dialog.get_by_role("timer")
    expect(left).to_have_text(re.compile(r"Works once, 8:[0-4]\d left"))
    ana.pass_time(600)
    expect(dialog.get_by_text("The code has run out. It was not used.")).to_be_visible()
    assert CODE not in dialog.inner_text()
    again = dialog.get_by_role("button", name="Make a new code")
    expect(again).to_be_focused()
    again.click()
    expect(dialog).to_contain_text("NEXT-NEXT")
    expect(left).to_have_text("Works once, 10:00 left")
    assert devices.codes == 2


def test_a_code_that_was_used_says_by_what(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    devices = Devices(ana, 1)
    ana.enter(room)
    dialog = handed(ana)
    devices.all = some(3)
    line.tell({"type": "device", **PHONE_OF_ANA, "made": 0})
    expect(dialog.get_by_text("Safari on iPhone is signed in as you now.")).to_be_visible()
    assert CODE not in dialog.inner_text()
    ana.page.keyboard.press("Escape")
    expect(ana.page.locator("#part-devices li")).to_have_count(3)


def test_a_new_device_is_told_of_and_signed_out(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    devices = Devices(ana)
    ana.enter(room)
    ana.says(*(f"line {number}" for number in range(30)))
    ana.at_the_end()
    line.tell({"type": "device", **PHONE_OF_ANA, "made": 0})
    notice = ana.page.locator(".newcomer")
    words = "A new device is signed in as you: Safari on iPhone. Not you?"
    expect(notice).to_contain_text(words)
    expect(ana.page.locator("#alert")).to_have_text(words)
    ana.at_the_end()
    assert violations(ana.page) == []
    notice.get_by_role("button", name="Sign it out").click()
    expect(notice).to_contain_text("Signed out: Safari on iPhone")
    expect(notice.get_by_role("button", name="Sign it out")).to_be_hidden()
    assert devices.ended == ["b"]
    notice.get_by_role("button", name="Close").click()
    expect(notice).to_have_count(0)
    ana.at_the_end()


def test_a_new_device_that_cannot_be_signed_out_can_be_tried_again(
    people: People, room: str
) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.page.route("**/devices/*", lambda route: route.abort())
    line.tell({"type": "device", **PHONE_OF_ANA, "made": 0})
    notice = ana.page.locator(".newcomer")
    button = notice.get_by_role("button", name="Sign it out")
    button.click()
    expect(notice).to_contain_text("The server did not answer")
    expect(button).to_be_enabled()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_dialogs_of_devices_fit_and_have_no_violations(
    people: People, room: str, screen: str
) -> None:
    ana, _ = settled(people, room, **SCREENS[screen])
    dialog = opened(ana)
    dialog.locator("#part-devices").scroll_into_view_if_needed()
    assert violations(ana.page) == []
    for direction, size in (("ltr", "100"), ("ltr", "150"), ("rtl", "100")):
        ana.page.evaluate(LOOK, [direction, size])
        dialog.get_by_role("button", name=ADD).click()
        code = ana.page.get_by_role("dialog", name=ADD)
        expect(code.get_by_role("button", name="Copy link")).to_be_focused()
        for one in (dialog, code):
            assert one.evaluate("el => el.scrollWidth <= el.clientWidth")
        assert ana.page.evaluate(NO_SIDEWAYS)
        assert violations(ana.page) == []
        ana.page.keyboard.press("Escape")
