"""A hook from its making to its end, by clicks, with a program that writes by it."""

from __future__ import annotations

import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import People
from .server import PATIENCE, Server
from .test_access import PHONE, violations


def post(address: str, text: str) -> tuple[int, str]:
    """What `curl -d` does."""
    try:
        with urllib.request.urlopen(address, text.encode(), timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("screen", [pytest.param({}, id="desk"), pytest.param(PHONE, id="phone")])
def test_an_owner_makes_a_hook_and_ends_it(
    own_server: Server, people: People, screen: dict[str, Any]
) -> None:
    olga = people("Olga", own_server, **screen)
    olga.enter("lobby").say("hello")
    own_server.stop()
    with closing(sqlite3.connect(own_server.data / "chat.db")) as db, db:
        db.execute("UPDATE users SET role = 'owner'")
    own_server.start()
    page = olga.page
    page.goto(f"{own_server.origin}/owner")
    hooks = page.get_by_role("region", name="Hooks")
    expect(hooks).to_contain_text("No program writes here.")
    hooks.get_by_role("button", name="New hook").click()
    dialog = page.get_by_role("dialog", name="New hook")
    dialog.get_by_label("What it is called").fill(olga.name)
    dialog.get_by_role("checkbox", name="#lobby").check()
    dialog.get_by_role("button", name="Make the hook").click()
    expect(dialog).to_contain_text(f"Someone here is already called {olga.name}.")
    dialog.get_by_label("What it is called").fill("Builds")
    dialog.get_by_role("button", name="Make the hook").click()
    made = page.get_by_role("dialog", name="Here it is")
    address = made.get_by_label("The address").input_value()
    assert address.startswith(f"{own_server.origin}/hook/")
    assert (
        made.get_by_label("A line for a terminal").input_value() == f"curl -d 'disk full' {address}"
    )
    assert violations(page) == []
    made.get_by_role("button", name="Close").click()
    expect(hooks).to_contain_text("not used yet")

    assert post(address, "Build *17* failed") == (200, "ok")
    page.reload()
    expect(hooks).to_contain_text("Writes in #lobby, last ")
    hooks.get_by_role("button", name="Revoke").click()
    page.get_by_role("alertdialog").or_(page.get_by_role("dialog")).get_by_role(
        "button", name="Revoke"
    ).click()
    expect(hooks).to_contain_text("No program writes here.")
    status, told = post(address, "Build 18 failed")
    assert status == 401
    assert "This key is not valid any more." in told

    olga.open("lobby")
    olga.ready()
    row = page.get_by_role("article").filter(has_text="Build 17 failed")
    expect(row).to_contain_text("Builds")
