"""Three people talk, answer, react and mention, across a restart and a tunnel; one of them with a
laptop and a phone, on which every count is the same."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from .conftest import People
from .people import Visitor
from .server import Server
from .test_replies import answer, quote
from .test_unread import counts, devices


def react(visitor: Visitor, row: Locator, emoji: str) -> None:
    """Chooses one of the six quick emoji for a row."""
    row.hover()
    row.get_by_role("button", name="React", exact=True).click()
    visitor.page.locator(".picker").get_by_role("button", name=emoji).first.click()


def chip(visitor: Visitor, text: str, emoji: str) -> Locator:
    """The count of an emoji below the message with this text."""
    return visitor.row(text).locator(f'.chip[data-emoji="{emoji}"]')


def test_three_people_across_a_restart_and_a_tunnel(people: People, own_server: Server) -> None:
    laptop, phone = devices(people, "lobby", "garden", "shed", server=own_server)
    ben, cy = people("Ben", own_server).enter("garden"), people("Cy", own_server).enter("garden")
    ben.says("Who waters today?")
    answer(cy, cy.row("Who waters today?"))
    cy.says("Me, at six")
    react(ben, ben.row("Me, at six"), "👍")
    for device in (laptop, phone):
        counts(device, garden="2")

    # A tunnel: the phone is away, and what it wrote waits on it.
    phone.context.set_offline(True)
    ben.says(f"@{laptop.name} bring the can")
    counts(laptop, garden="@3")

    # A restart in the middle: what is written meanwhile waits, and arrives once.
    own_server.kill()
    ben.say("while it is down")
    expect(ben.row("while it is down")).to_have_attribute(
        "data-state", re.compile("queued|pending")
    )
    own_server.start()
    ben.shows_once("while it is down")
    phone.context.set_offline(False)
    for device in (laptop, phone):
        device.online()
        counts(device, garden="@4")

    # Read on the laptop, it is read on the phone; the answer and the emoji are there on both.
    laptop.open("garden")
    laptop.ready().whole()
    expect(laptop.row(f"@{laptop.name} bring the can")).to_have_class(re.compile(r"\bmention\b"))
    expect(quote(laptop, "Me, at six")).to_have_text(f"{ben.name} Who waters today?")
    laptop.at_the_end()
    counts(phone, garden="")
    react(laptop, laptop.row("Me, at six"), "👍")
    answer(laptop, laptop.row(f"@{laptop.name} bring the can"))
    laptop.says("I have it")
    phone.open("garden")
    phone.ready().whole()
    for visitor in (laptop, phone, ben, cy):
        visitor.shows_once("I have it")
        expect(chip(visitor, "Me, at six", "👍").locator("b")).to_have_text("2")
        texts = visitor.texts()
        assert texts == [
            "Who waters today?",
            "Me, at six",
            f"@{laptop.name} bring the can",
            "while it is down",
            "I have it",
        ]
    expect(ben.row("I have it")).to_have_class(re.compile(r"\bmention\b"))
    expect(cy.row("I have it")).not_to_have_class(re.compile(r"\bmention\b"))

    # An answer is unread for whoever is elsewhere, and meant for who is answered.
    for device in (laptop, phone):
        device.open("shed")
        device.ready().whole()
    answer(cy, cy.row("I have it"))
    cy.says("Thank you")
    for device in (laptop, phone):
        counts(device, garden="@1")
    cy.act(cy.row("Thank you"), "Delete")
    cy.page.evaluate("dispatchEvent(new Event('pagehide'))")
    for device in (laptop, phone):
        counts(device, garden="")
