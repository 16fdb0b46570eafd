"""The door, by clicks: the owner's link, invitations, other devices, and a door that is shut."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .people import Visitor
from .server import Server
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations
from .test_devices import OUT, opened
from .test_invite import LOOK
from .test_join import QUESTION

HOUR = 3_600_000  # milliseconds
CARDS: dict[str, dict[str, Any]] = {
    "desk": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "tiny": TINY,
    "forced": {"forced_colors": "active"},
}
SCREENS = {"desk": {}, "phone": PHONE}
Screen = dict[str, Any]
both_sizes = pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that nobody has used yet."""
    server = Server(tmp_path, "--rate=0")
    yield server
    server.kill()


def owner_link(server: Server) -> str:
    """The link that the first start has printed."""
    found = re.search(r"/(enter#[\w-]{22})\b", server.said())
    assert found, server.said()
    return f"{server.origin}/{found[1]}"


def card(visitor: Visitor, link: str, heading: str) -> None:
    """Opens a link, and waits for its card."""
    visitor.page.goto(link)
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text(heading)


def go(visitor: Visitor, name: str = "") -> Visitor:
    """Presses the one button of a card that acts, and comes into the room."""
    if name:
        visitor.page.get_by_role("textbox", name=QUESTION).fill(name)
    visitor.page.locator(".go").click()
    return visitor.ready().whole()


def owner(people: People, server: Server, **options: Any) -> Visitor:
    """Whoever has used the link of the first start."""
    olga = people("Olga", server=server, **options)
    card(olga, owner_link(server), "Take care of this chat")
    return go(olga, olga.name)


def order(visitor: Visitor, kind: str, **fields: Any) -> dict[str, Any]:
    """An order of somebody, as the page would give it."""
    body = json.dumps({"type": kind, "cid": "cid-of-an-order", **fields})
    origin = visitor.server.origin
    headers = {"Origin": origin, "Content-Type": "application/json"}
    answer = visitor.context.request.post(f"{origin}/orders", data=body, headers=headers)
    assert answer.ok, answer.text()
    told: dict[str, Any] = answer.json()
    return told


def invitation(visitor: Visitor, role: str, uses: str = "10 people") -> tuple[str, str]:
    """A link made in the dialog, and the code that may be typed instead."""
    button = visitor.page.get_by_role("button", name="Invite", exact=True)
    if visitor.touches:
        visitor.page.get_by_role("button", name="People", exact=True).click()
    button.last.click() if visitor.touches else button.first.click()
    dialog = visitor.page.get_by_role("dialog", name="Invite people")
    dialog.get_by_label("They come as").select_option(role)
    dialog.get_by_label("And for").select_option(uses)
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("The new link").input_value()
    code = dialog.locator(".pin").inner_text()
    visitor.page.keyboard.press("Escape")
    if visitor.touches:
        visitor.page.keyboard.press("Escape")
    return link, code


def typed(visitor: Visitor, code: str) -> None:
    """Types a code at the door, and waits for what it does."""
    visitor.page.goto(f"{visitor.server.origin}/enter")
    visitor.page.get_by_label("Have a code?").fill(code.lower().replace("-", ""))
    visitor.page.get_by_role("button", name="Use the code").click()


# --- the owner


@both_sizes
def test_the_link_of_the_first_start_makes_its_user_the_owner(
    people: People, server: Server, screen: Screen
) -> None:
    link = owner_link(server)
    other = people("Otto", server=server)
    card(other, link, "Take care of this chat")  # to look at it uses nothing up
    assert "#" not in other.page.url
    olga = owner(people, server, **screen)
    assert "#" not in olga.page.url
    assert invitation(olga, "Moderator")[0].startswith(f"{server.origin}/i#")
    other.page.get_by_role("textbox", name=QUESTION).fill(other.name)
    other.page.locator(".go").click()
    expect(other.page.get_by_role("heading", level=1)).to_have_text(
        "This link does not work any more"
    )


def test_who_is_in_already_becomes_the_owner_under_the_same_name(
    people: People, server: Server
) -> None:
    server.join("lobby", "Somebody")
    olga = people("Olga", server=server).enter("lobby")
    card(olga, owner_link(server), "Take care of this chat")
    expect(olga.page.get_by_text(f"You are \u2068{olga.name}\u2069")).to_be_visible()
    go(olga)
    role = "JSON.parse(document.querySelector('#boot').textContent).standing.role"
    assert olga.page.evaluate(role) == "owner"
    assert olga.page.evaluate("document.querySelector('.me .pn').textContent") == olga.name


# --- invitations


@both_sizes
def test_a_guest_comes_by_a_link_into_that_room_only(
    people: People, server: Server, screen: Screen
) -> None:
    olga = owner(people, server, **screen)
    olga.open("garden")
    olga.ready().whole()
    olga.says("welcome")
    link, _ = invitation(olga, "Guest, this room only", "1 person")
    gina = people("Gina", server=server, **screen)
    card(gina, link, f"\u2068{olga.name}\u2069 invites you to")
    expect(gina.page.get_by_text("You come as a guest")).to_be_visible()
    expect(gina.page.get_by_text("It is for one more person.")).to_be_visible()
    go(gina, gina.name)
    gina.shows_once("welcome")
    assert gina.page.url == f"{server.origin}/r/garden"
    gina.says("thank you")
    olga.shows_once("thank you")
    late = people("Late", server=server)
    card(late, link, "This link does not work any more")


@both_sizes
def test_without_scripts_a_guest_comes_by_typing_the_code(
    people: People, server: Server, screen: Screen
) -> None:
    olga = owner(people, server)
    olga.open("garden")
    olga.ready().whole()
    _, code = invitation(olga, "Guest, this room only")
    gina = people("Gina", server=server, java_script_enabled=False, **screen)
    typed(gina, code)
    heading = gina.page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(f"{olga.name}\u2069 invites you to")
    assert gina.page.evaluate("document.documentElement.outerHTML").count(" UTC</time>") == 1
    field = gina.page.get_by_role("textbox", name=QUESTION)
    field.fill(olga.name)
    gina.page.locator(".go").click()
    expect(gina.page.get_by_text(f"already called {olga.name}")).to_be_visible()
    field.fill(gina.name)
    gina.page.locator(".go").click()
    expect(gina.composer).to_be_visible()
    gina.composer.fill("hello without scripts")
    gina.send.click()
    olga.shows_once("hello without scripts")


def test_a_code_that_is_none_is_refused_beside_its_field(people: People, server: Server) -> None:
    server.join("lobby", "Somebody")
    gina = people("Gina", server=server)
    gina.open("lobby")
    gina.page.get_by_role("link", name="Use your other device").click()
    gina.page.get_by_label("Have a code?").fill("2222-2222")
    gina.page.get_by_role("button", name="Use the code").click()
    field = gina.page.get_by_label("Have a code?")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(gina.page.get_by_role("alert")).to_contain_text("does not work any more")
    assert violations(gina.page) == []


def test_a_link_that_was_revoked_lets_nobody_in(people: People, server: Server) -> None:
    olga = owner(people, server)
    link, _ = invitation(olga, "Member")
    ben = people("Ben", server=server)
    card(ben, link, "invites you to")
    olga.page.get_by_role("button", name="Invite", exact=True).click()
    dialog = olga.page.get_by_role("dialog", name="Invite people")
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog).to_contain_text("None at the moment.")
    ben.page.get_by_role("textbox", name=QUESTION).fill(ben.name)
    ben.page.locator(".go").click()
    expect(ben.page.get_by_role("heading", level=1)).to_have_text(
        "This link does not work any more"
    )


# --- another device of one's own


def hand_over(visitor: Visitor) -> tuple[Locator, str, str]:
    """The dialog of the first device, with its link and its code."""
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(visitor).get_by_role("button", name="Use on another device").click()
    dialog = visitor.page.get_by_role("dialog", name="Use on another device")
    dialog.get_by_role("button", name="Copy link").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    link = visitor.page.evaluate("navigator.clipboard.readText()")
    return dialog, link, dialog.locator(".pin").inner_text()


@both_sizes
@pytest.mark.parametrize("way", ["link", "code"])
def test_another_device_is_told_of_at_once_and_signed_out(
    people: People, room: str, way: str, screen: Screen
) -> None:
    ana = people("Ana", **screen).enter(room)
    dialog, link, code = hand_over(ana)
    second = people("Ana", **screen)
    if way == "link":
        second.page.goto(link)
    else:
        typed(second, code)
    heading = second.page.get_by_role("heading", level=1)
    expect(heading).to_have_text(f"Continue as \u2068{ana.name}\u2069 on this device")
    assert violations(second.page) == []
    go(second)
    second.open(room)
    second.ready().whole()
    expect(dialog).to_contain_text("is signed in as you now")
    second.says("from the second")
    ana.shows_once("from the second")
    for _ in range(3 if ana.touches else 2):
        ana.page.keyboard.press("Escape")
    notice = ana.page.locator(".newcomer")
    expect(notice).to_contain_text("A new device is signed in as you: Chrome on ")
    notice.get_by_role("button", name="Sign it out").click()
    expect(second.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
    expect(notice).to_contain_text("Signed out: Chrome on ")
    ana.says("still here")


def test_a_device_is_signed_out_from_the_list_and_the_only_one_asks(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    _, link, _ = hand_over(ana)
    second = people("Ana")
    card(second, link, "Continue as")
    go(second)
    ana.page.keyboard.press("Escape")
    dialog = ana.page.get_by_role("dialog", name="Settings")
    expect(dialog.locator("#part-devices li")).to_have_count(2)
    expect(dialog.locator("#part-devices li").last).to_contain_text("new")
    dialog.locator("#part-devices").get_by_role("button", name=OUT, exact=True).click()
    expect(second.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
    expect(dialog.locator("#part-devices li")).to_have_count(1)
    dialog.get_by_role("button", name="Sign out here").click()
    expect(dialog).to_contain_text(f"This is your only device. After this nobody can be {ana.name}")


def test_a_browser_that_is_somebody_is_told_who_it_becomes(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    _, link, _ = hand_over(ana)
    card(ben, link, "Continue as")
    you, they = f"\u2068{ben.name}\u2069", f"\u2068{ana.name}\u2069"
    now = f"This browser is {you} now, and {you} is signed in nowhere else. It becomes {they}"
    expect(ben.page.get_by_text(now)).to_be_visible()
    ben.page.get_by_role("link", name="I am someone else").click()
    ben.ready()
    assert ben.page.evaluate("document.querySelector('.me .pn').textContent") == ben.name
    card(ben, link, "Continue as")
    go(ben)
    assert ben.page.evaluate("document.querySelector('.me .pn').textContent") == ana.name
    late = people("Late")
    card(late, link, "This link does not work any more")


# --- a door that is shut


@both_sizes
@pytest.mark.parametrize(
    ("door", "heading"),
    [("invite", "You need an invitation"), ("locked", "Nobody new can come in")],
)
def test_a_shut_door_names_no_room_and_nobody(
    people: People, server: Server, door: str, heading: str, screen: Screen
) -> None:
    olga = owner(people, server)
    olga.open("garden")
    olga.ready()
    olga.says("a secret")
    order(olga, "chat", door=door)
    ben = people("Ben", server=server, **screen)
    for address in ("", "r/garden", "r/nowhere"):
        ben.page.goto(f"{server.origin}/{address}")
        expect(ben.page.get_by_role("heading", level=1)).to_have_text(heading)
        for word in (olga.name, "garden", "lobby", "secret"):
            assert word not in ben.page.content().replace(address, "")
    assert violations(ben.page) == []
    expect(ben.page.get_by_label("Have a code?")).to_be_visible()


def test_by_an_invitation_one_comes_through_a_shut_door(people: People, server: Server) -> None:
    olga = owner(people, server)
    order(olga, "chat", door="invite")
    olga.page.reload()
    olga.ready().whole()
    link, _ = invitation(olga, "Member")
    ben = people("Ben", server=server)
    card(ben, link, "invites you to")
    go(ben, ben.name).says("here I am")
    ben.page.get_by_role("button", name="Invite", exact=True).click()
    dialog = ben.page.get_by_role("dialog", name="Invite people")
    expect(dialog).to_contain_text(f"Ask \u2068{olga.name}\u2069 for a link")


@both_sizes
def test_who_is_removed_sees_until_when_and_what_to_do(
    people: People, server: Server, screen: Screen
) -> None:
    olga = owner(people, server)
    ben = people("Ben", server=server, **screen).enter("lobby")
    me = ben.page.evaluate("JSON.parse(document.querySelector('#boot').textContent).you.user")
    order(olga, "ban", users=[me], until=time.time_ns() // 1_000_000 + HOUR)
    expect(ben.page.get_by_text("A moderator has removed you").first).to_be_visible()
    ben.page.get_by_role("button", name="Try again").click()
    expect(ben.page.get_by_role("heading", level=1)).to_have_text("You cannot come in")
    expect(ben.page.locator("time")).to_have_text(re.compile(r"\d{4}.* \d+:\d\d"))
    expect(ben.page.locator("time")).not_to_contain_text("UTC")
    expect(ben.page.get_by_text("ask the person who invited you")).to_be_visible()
    assert violations(ben.page) == []


# --- every card


@pytest.mark.parametrize("screen", CARDS)
def test_every_card_fits_and_has_no_violations(people: People, server: Server, screen: str) -> None:
    olga = owner(people, server)
    links = {"invites you to": invitation(olga, "Member")[0]}
    _, links["Continue as"], _ = hand_over(olga)
    links["This link does not work any more"] = owner_link(server)
    links["Use your other device"] = f"{server.origin}/enter"
    ben = people("Ben", server=server, **CARDS[screen])
    for heading, link in links.items():
        card(ben, link, heading)
        assert violations(ben.page) == [], heading
        for direction, size in (("ltr", "100"), ("ltr", "150"), ("rtl", "100")):
            ben.page.evaluate(LOOK, [direction, size])
            assert ben.page.evaluate(NO_SIDEWAYS), (heading, direction, size)
            assert violations(ben.page) == [], (heading, direction, size)
