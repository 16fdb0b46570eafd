"""The link that brings others in: right wherever it is opened, readable, copied and scanned."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import People

LINK = "Link to this room"


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
