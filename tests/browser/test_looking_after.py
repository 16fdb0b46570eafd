"""A chat from its first link to a bad guest who is gone: by clicks, with a kill in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import People
from .people import Visitor
from .server import Server
from .test_access import PHONE
from .test_door import card, go, hand_over, invitation, owner, typed
from .test_moderation import choose, menu, press


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that nobody has used yet."""
    server = Server(tmp_path, "--rate=0")
    yield server
    server.kill()
    assert "Traceback" not in server.said()


def look_after(visitor: Visitor) -> None:
    """From the chat to the page of who looks after it."""
    if visitor.touches:
        press(visitor, visitor.page.get_by_role("button", name="Rooms", exact=True))
    press(visitor, visitor.page.locator("button.me").filter(visible=True))
    press(visitor, visitor.page.get_by_role("link", name=re.compile("^Look after")))
    expect(visitor.page.get_by_role("heading", level=1)).to_contain_text("Looking after")


def back(visitor: Visitor) -> None:
    """To the chat again."""
    visitor.page.goto(f"{visitor.server.origin}/")
    visitor.ready().whole()


def test_who_never_ran_a_server_looks_after_one(people: People, server: Server) -> None:
    # Sam has started it, and opens the link that it printed.
    sam = owner(people, server)
    sam.says("so this is our chat")

    # A grandmother types the code that she was told on the telephone, on her phone.
    _, code = invitation(sam, "Guest, this room only")
    rosa = people("Rosa", server=server, **PHONE)
    typed(rosa, code)
    expect(rosa.page.get_by_text("You come as a guest")).to_be_visible()
    go(rosa, rosa.name)
    rosa.shows_once("so this is our chat")
    rosa.says("thank you, dear")
    sam.shows_once("thank you, dear")

    # Sam's own phone; the laptop hears of it.
    dialog, link, _ = hand_over(sam)
    phone = people("Sam", server=server, **PHONE)
    card(phone, link, "Continue as")
    go(phone)
    expect(dialog).to_contain_text("is signed in as you now")
    phone.says("from the train")
    back(sam)
    sam.shows_once("from the train")

    # Mira and a bad guest walk in, for the door is open; Mira is made a moderator.
    mira = people("Mira", server=server, **PHONE).enter("lobby")
    guest = people("Eve", server=server).enter("lobby")
    look_after(sam)
    role = sam.page.get_by_role("combobox", name=f"Role of {mira.name}")
    role.select_option("Moderator")
    expect(sam.page.get_by_role("status").filter(has_text="moderator")).to_be_visible()
    guest.says("buy one", "buy two", "buy three")

    # Mira, on the phone: the bad guest and all that was written are gone in four taps.
    mira.shows_once("buy three")
    press(mira, mira.row("buy one").locator(".av"))
    choose(mira, menu(mira), "Remove from Chat…")
    asks = mira.page.get_by_role("dialog", name=f"Remove {guest.name} from Chat?")
    press(mira, asks.get_by_text(re.compile("^All")))
    press(mira, asks.get_by_role("button", name=f"Remove {guest.name}"))
    expect(guest.page.get_by_text("removed you")).to_be_visible()
    for visitor in (mira, rosa, phone):
        expect(visitor.rows.filter(has_text="buy ")).to_have_count(0)
        visitor.shows_once("from the train")

    # Sam closes the door behind, and the server loses its power.
    press(sam, sam.page.get_by_role("radio", name="By invitation"))
    expect(sam.page.get_by_role("status").filter(has_text="invit")).to_be_visible()
    server.kill()
    server.start()

    # All of it holds: who is in stays in, who is out stays out, and strangers learn nothing.
    guest.page.reload()
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("You cannot come in")
    stranger = people("Tom", server=server)
    stranger.open("lobby")
    expect(stranger.page.get_by_role("heading", level=1)).to_have_text("You need an invitation")
    assert sam.name not in stranger.page.content()
    for visitor in (mira, rosa, phone):
        visitor.ready()
    rosa.says("all quiet again")
    phone.shows_once("all quiet again")
    assert rosa.context.request.get(f"{server.origin}/r/garden").status == 404
    assert rosa.context.request.get(f"{server.origin}/owner").status == 404

    # Everybody can see what was done, and Sam can take it back.
    sam.page.reload()
    deeds = sam.page.locator("#deeds")
    expect(deeds).to_contain_text(f"{mira.name} removed {guest.name}")
    removed = deeds.get_by_role("listitem").filter(has_text=f"removed {guest.name}").first
    removed.get_by_role("button", name="Undo").click()
    expect(sam.page.locator("#bans")).not_to_contain_text(guest.name)
    guest.page.reload()
    guest.ready().whole()
    guest.shows_once("all quiet again")
    expect(guest.rows.filter(has_text="buy ")).to_have_count(0)

    # A phone that is lost is signed out from the laptop, in the same second.
    back(sam)
    press(sam, sam.page.locator("button.me").filter(visible=True))
    devices = sam.page.get_by_role("dialog", name="Settings").locator("#part-devices")
    expect(devices.locator("li")).to_have_count(2)
    devices.locator("li").last.get_by_role("button", name="Sign out").click()
    expect(phone.page.get_by_text("You need an invitation")).to_be_visible()
    for visitor in (sam, mira, rosa, guest, phone):
        assert visitor.trouble == []
