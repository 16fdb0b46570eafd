"""The link that brings others in: right wherever it is opened, readable, copied and scanned."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import Frame, Line
from .people import Visitor
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations

LINK = "Link to this room"
TOKEN, CODE = "h4KqWm7x2RtBh4KqWm7x2R", "K7QM-4TXD"
DAY = 86_400_000  # milliseconds
EVER = 253_402_300_800_000  # the year 10000
ROOM = {"role": "member", "title": "general", "by": "Ana", "people": []}
LINKS_THAT_WORK: list[dict[str, Any]] = [
    {**ROOM, "id": 1, "until": 0, "uses": 10, "used": 2, "people": ["Ben", "Mira"]},
    {**ROOM, "id": 2, "role": "guest", "until": EVER, "uses": 0, "used": 0},
]
LOOK = """([dir, size]) => {
  Object.assign(document.documentElement, {dir}).dataset.size = size;
}"""
# What the page begins with, with something else in it.
TOLD = """{
  const parse = JSON.parse;
  JSON.parse = (...given) => {
    const value = parse(...given);
    return value?.words ? Object.assign(value, %s) : value;
  };
}"""


def test_an_empty_room_offers_its_link_and_a_code(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    expect(ana.log.get_by_label(LINK)).to_have_value(ana.server.url(room))
    code = ana.log.get_by_role("img", name="The link as a code to scan")
    expect(code).to_be_visible()
    ana.until(
        "document.querySelector('.empty .qr').complete && "
        "document.querySelector('.empty .qr').naturalWidth > 0"
    )


def test_the_dialog_offers_the_same_and_starts_at_copy(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("no longer empty")
    ana.page.get_by_role("button", name="Invite", exact=True).click()
    dialog = ana.page.get_by_role("dialog")
    expect(dialog.get_by_label(LINK)).to_have_value(ana.server.url(room))
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    expect(dialog.get_by_role("img", name="The link as a code")).to_be_visible()
    expect(dialog.get_by_text("This link works in your network only.")).to_be_hidden()


def test_a_link_is_shown_as_people_write_it_and_copied_as_machines_do(
    people: People, room: str
) -> None:
    ana = people("Ana")
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ana.enter(f"räume-{room}")
    ana.says("not empty")
    ana.page.get_by_role("button", name="Invite", exact=True).click()
    dialog = ana.page.get_by_role("dialog")
    expect(dialog.get_by_label(LINK)).to_have_value(f"{ana.server.origin}/r/räume-{room}")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    copied = ana.page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{ana.server.origin}/r/r%C3%A4ume-{room}"


LINKS = [
    ("http://localhost:8000/r/x?a=1#m3", "http://192.168.1.7:8000/", "http://192.168.1.7:8000/r/x"),
    ("http://127.0.0.1:8000/", "http://192.168.1.7:8000/", "http://192.168.1.7:8000/"),
    ("http://[::1]:8000/r/x", "http://192.168.1.7:8000/", "http://192.168.1.7:8000/r/x"),
    ("http://localhost:8000/r/x", "", "http://localhost:8000/r/x"),
    ("https://chat.example/talk/r/x", "http://192.168.1.7:80/", "https://chat.example/talk/r/x"),
    ("http://192.168.1.7:8000/r/x", "http://10.0.0.1:8000/", "http://192.168.1.7:8000/r/x"),
]


@pytest.mark.parametrize(("address", "network", "link"), LINKS)
def test_the_link_is_the_pages_own_address_and_on_localhost_the_networks(
    people: People, room: str, address: str, network: str, link: str
) -> None:
    ana = people("Ana").enter(room)
    found = ana.page.evaluate(
        """async ([address, network]) => {
          const static_ = JSON.parse(document.getElementById('boot').textContent).static;
          const url = new URL(`${static_}/js/invite.js`, location.href);
          return (await import(url)).roomLink(address, network);
        }""",
        [address, network],
    )
    assert found == {"href": link, "narrow": link != address.partition("?")[0]}


def test_a_room_keeps_its_title_in_the_list(people: People) -> None:
    ana = people("Ana")
    ana.enter("lobby")
    ana.page.get_by_role("textbox", name="New room").fill("Mum & Dad!")
    ana.page.keyboard.press("Enter")
    ana.ready()
    ana.says("hello")
    ana.open("lobby")
    ana.ready()
    expect(
        ana.page.get_by_role("navigation", name="Rooms").get_by_role("link", name="Mum & Dad!")
    ).to_be_visible()


def test_a_room_one_came_to_by_accident_can_be_left(people: People) -> None:
    ana = people("Ana").enter("lobby")
    rooms = ana.page.get_by_role("navigation", name="Rooms")
    for room in ("accident", "kept-in-mind", "on-purpose"):
        ana.open(room)
        ana.ready().whole()
        if room == "kept-in-mind":
            ana.composer.fill("a draft")
    leave = rooms.get_by_role("menuitem", name="Leave")
    # Not where one is, not the house, and not with something written there.
    for room in ("on-purpose", "lobby", "kept-in-mind"):
        rooms.get_by_role("button", name=f"Actions for #{room}").press("Enter")
        expect(rooms.get_by_role("menuitem", name="Move up")).to_be_focused()
        expect(leave).to_be_hidden()
        ana.page.keyboard.press("Escape")
    rooms.get_by_role("button", name="Actions for #accident").press("Enter")
    leave.click()
    expect(rooms.get_by_role("link", name="accident")).to_have_count(0)
    expect(rooms.get_by_role("link", name="kept-in-mind")).to_be_focused()
    ana.page.reload()
    ana.ready()
    expect(rooms.get_by_role("link", name="on-purpose")).to_be_visible()
    expect(rooms.get_by_role("link", name="accident")).to_have_count(0)


# --- links that let somebody in: the server is faked here, test_door.py has the real one


class Invites:
    """Somebody with a role, at a door, and what the server answers them."""

    def __init__(self, visitor: Visitor, role: str, door: str = "open") -> None:
        self.line = Line(visitor.page)
        self.line.on_up = self._serve
        self.links = [dict(one) for one in LINKS_THAT_WORK]
        self.links[0]["until"] = time.time_ns() // 1_000_000 + 20 * DAY
        self.asked: list[Frame] = []
        self.is_refused = False
        visitor.page.route("**/invites", lambda route: route.fulfill(json=self.links))
        visitor.page.add_init_script(TOLD % json.dumps({"standing": {"role": role}, "door": door}))

    def _serve(self, frame: Frame) -> Frame | None:
        kind = frame["type"]
        if kind not in ("invite", "revoke"):
            return None
        self.asked.append(frame)
        if self.is_refused:
            why = {"code": "not_allowed", "detail": "You may not do that here."}
            return {"type": "refused", "cid": frame["cid"], **why}
        if kind == "revoke":
            self.links = [one for one in self.links if one["id"] != frame["id"]]
            return {"type": "done", "cid": frame["cid"], "rev": 0}
        kept = {key: frame[key] for key in ("role", "until", "uses")}
        self.links.append({**ROOM, **kept, "id": 3, "used": 0})
        given = {"id": 3, "token": TOKEN, "code": CODE, "until": frame["until"]}
        return {"type": "link", "cid": frame["cid"], **given}


def inviting(
    people: People, room: str, role: str, door: str = "open", **options: Any
) -> tuple[Visitor, Invites, Locator]:
    """The dialog of somebody with this role."""
    ana = people("Ana", **options)
    invites = Invites(ana, role, door)
    ana.enter(room)
    button = ana.page.get_by_role("button", name="Invite", exact=True)
    if not button.first.is_visible():
        ana.page.get_by_role("button", name="People", exact=True).click()
        button = button.last
    button.click()
    dialog = ana.page.get_by_role("dialog", name="Invite people")
    expect(dialog).to_be_visible()
    return ana, invites, dialog


def test_a_member_has_the_rooms_address_where_the_door_is_open(people: People, room: str) -> None:
    ana, _, dialog = inviting(people, room, "member")
    expect(dialog.get_by_label(LINK)).to_have_value(ana.server.url(room))
    expect(dialog.get_by_role("button", name="Make a link")).to_have_count(0)


@pytest.mark.parametrize("door", ["invite", "locked"])
def test_a_member_reads_whom_to_ask_where_it_is_not(people: People, room: str, door: str) -> None:
    ana, invites, dialog = inviting(people, room, "member", door)
    expect(dialog.get_by_label(LINK)).to_be_hidden()
    expect(dialog).to_contain_text("Ask whoever looks after this chat")
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    who = [{"user": "1", "name": "Mira", "color": 1, "role": "owner"}]
    who += [{"user": "2", "name": "Ben", "color": 2, "role": "moderator"}]
    invites.line.tell({"type": "people", "total": 3, "here": 2, "people": who})
    expect(ana.page.locator(".crowd")).to_contain_text("Mira")
    ana.page.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog).to_contain_text(re.compile("Ask .?(Mira.? or .?Ben|Ben.? or .?Mira)"))


def test_a_member_of_a_private_room_reads_whom_to_ask(people: People, room: str) -> None:
    ana, invites, dialog = inviting(people, room, "member")
    ana.page.keyboard.press("Escape")
    arranged = {"rev": 1, "topic": "kept apart", "by": "Mira", "private": True}
    invites.line.tell({"type": "settings", **arranged})
    expect(ana.page.locator(".topic")).to_have_text("kept apart")
    ana.page.get_by_role("button", name="Invite", exact=True).click()
    expect(dialog).to_contain_text("This room is private")
    expect(dialog.get_by_label(LINK)).to_be_hidden()


def test_a_link_is_made_as_it_was_chosen_and_shown(people: People, room: str) -> None:
    ana, invites, dialog = inviting(people, room, "owner", "invite")
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    make = dialog.get_by_role("button", name="Make a link")
    expect(make).to_be_focused()
    roles = dialog.get_by_label("They come as")
    expect(roles.locator("option")).to_have_text(["Member", "Guest, this room only", "Moderator"])
    roles.select_option("Guest, this room only")
    dialog.get_by_label("It works for").select_option("1 day")
    dialog.get_by_label("And for").select_option("1 person")
    before = time.time_ns() // 1_000_000
    make.click()
    link = f"{ana.server.origin}/i#{TOKEN}"
    expect(dialog.get_by_label("The new link")).to_have_value(link)
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    expect(dialog).to_contain_text(f"in #{room}, and in no other room")
    expect(dialog).to_contain_text(re.compile(r"It works until .+, for 1 person\."))
    expect(dialog).to_contain_text(f"Or they open 127.0.0.1:{ana.server.port}/i and type {CODE}")
    ana.until("document.querySelector('.given .qr').naturalWidth > 0")
    asked = invites.asked[0]
    assert (asked["role"], asked["uses"], asked["room"]) == ("guest", 1, room)
    assert 0 <= asked["until"] - before - DAY < DAY / 2
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert ana.page.evaluate("navigator.clipboard.readText()") == link
    expect(dialog.locator(".links li")).to_have_count(3)


def test_a_link_may_work_for_ever_and_for_everybody(people: People, room: str) -> None:
    _, invites, dialog = inviting(people, room, "moderator")
    expect(dialog.get_by_label("They come as").locator("option")).to_have_count(2)
    dialog.get_by_label("It works for").select_option("For ever")
    dialog.get_by_label("And for").select_option("any number of people")
    dialog.get_by_role("button", name="Make a link").click()
    expect(dialog).to_contain_text("It works for ever, for any number of people.")
    assert (invites.asked[0]["until"], invites.asked[0]["uses"]) == (EVER, 0)
    expect(dialog.locator("img.qr:visible")).to_have_count(1)


def test_links_that_work_say_who_came_and_are_taken_back(people: People, room: str) -> None:
    ana, invites, dialog = inviting(people, room, "owner")
    rows = dialog.locator(".links li")
    expect(rows).to_have_count(2)
    came = re.compile("Members, until .*By .?Ana.?, 2 of 10 used.*Came by it: .?Ben.? and .?Mira")
    expect(rows.first).to_contain_text(came)
    expect(rows.last).to_contain_text(re.compile("Guests of #general, for ever.*0 used"))
    dialog.get_by_role("button", name="Make a link").click()
    expect(rows).to_have_count(3)
    rows.last.get_by_role("button", name="Revoke").click()
    expect(rows).to_have_count(2)
    expect(dialog.get_by_label("The new link")).to_have_count(0)
    rows.first.get_by_role("button", name="Revoke").click()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("button", name="Revoke").click()
    expect(dialog).to_contain_text("None at the moment.")
    assert [frame.get("id") for frame in invites.asked] == [None, 3, 1, 2]
    assert violations(ana.page) == []


def test_a_link_that_is_refused_says_why(people: People, room: str) -> None:
    ana, invites, dialog = inviting(people, room, "moderator")
    invites.is_refused = True
    dialog.get_by_role("button", name="Make a link").click()
    alert = dialog.locator(".inviting [role=alert]")
    expect(alert).to_have_text("You may not do that here.")
    invites.line.cut(refusing=True)
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    dialog.get_by_role("button", name="Make a link").click()
    expect(alert).to_have_text(re.compile("connection|offline", re.I))


SCREENS: dict[str, dict[str, Any]] = {
    "desk": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "tiny": TINY,
    "forced": {"forced_colors": "active"},
}


@pytest.mark.parametrize("screen", SCREENS)
def test_the_dialog_that_invites_fits_and_has_no_violations(
    people: People, room: str, screen: str
) -> None:
    ana, _, dialog = inviting(people, room, "owner", "invite", **SCREENS[screen])
    assert violations(ana.page) == []
    dialog.get_by_role("button", name="Make a link").click()
    expect(dialog.get_by_role("button", name="Copy")).to_be_focused()
    for direction, size in (("ltr", "100"), ("ltr", "150"), ("rtl", "100")):
        ana.page.evaluate(LOOK, [direction, size])
        assert dialog.evaluate("el => el.scrollWidth <= el.clientWidth")
        assert ana.page.evaluate(NO_SIDEWAYS)
        assert violations(ana.page) == []
