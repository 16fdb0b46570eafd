"""chat/web/members.py: who was let into a room, as those who govern it are told."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from serving import Site

from chat.rules.access import Role

ROOM = "harbour"


def appoint(site: Site, name: str, role: str) -> None:
    """Somebody of this name is this from now on, as if it had been written."""

    def change() -> None:
        (user,) = [one.user for one in site.app.site.directory if one.name == name]
        site.app.site.hub.authority.change(user, role=Role(role))

    site.call(change)


def ask(site: Site, cookie: str, find: str = "") -> tuple[int, Any]:
    """The answer, and in it the names."""
    query = f"?{urllib.parse.urlencode({'find': find})}" if find else ""
    answer = site.http("GET", f"/r/{ROOM}/members{query}", headers={"Cookie": cookie})
    body = json.loads(answer.body)
    return answer.status, [one["name"] for one in body.get("people", [])] or body.get("code")


@pytest.fixture
def mira(site: Site) -> str:
    cookie = site.join(name="Mira")
    appoint(site, "Mira", "owner")
    return cookie


def test_the_owner_and_who_was_let_in_are_in(site: Site, mira: str) -> None:
    site.join(name="Ana"), site.join(name="Jun")
    assert ask(site, mira) == (200, ["Mira"])
    user = next(one.user for one in site.app.site.directory if one.name == "Jun")
    site.call(site.app.site.hub.authority.let_in, user, ROOM, True)
    assert ask(site, mira) == (200, ["Jun", "Mira"])


@pytest.mark.parametrize(
    ("letters", "names"),
    [
        ("ru", ["Ana Ruiz"]),
        ("JÚ", ["Júlia Németh", "Jun Sato"]),
        ("nemeth", ["Júlia Németh"]),
        ("uiz", None),  # no word of it begins so
        (".", None),
    ],
)
def test_people_are_found_by_how_a_word_of_their_name_begins(
    site: Site, mira: str, letters: str, names: list[str] | None
) -> None:
    for name in ("Ana Ruiz", "Jun Sato", "Júlia Németh"):
        site.join(name=name)
    assert ask(site, mira, letters) == (200, names)


def test_no_more_than_eight_are_found(site: Site, mira: str) -> None:
    for letter in "abcdefghij":
        site.join(name=f"Sam {letter}")
    assert ask(site, mira, "sam")[1] == [f"Sam {letter}" for letter in "abcdefgh"]


@pytest.mark.parametrize("role", ["member", "guest", "moderator"])
def test_only_who_governs_is_told(site: Site, mira: str, role: str) -> None:
    ana = site.join(name="Ana")
    appoint(site, "Ana", role)
    expected = {"member": (403, "not_allowed"), "guest": (404, "bad_room")}
    assert ask(site, ana) == expected.get(role, (200, ["Mira"]))
