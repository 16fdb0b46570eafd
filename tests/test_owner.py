"""chat/web/owner.py: the page for looking after the chat, as the server makes it."""

from __future__ import annotations

import asyncio
import json
import re
from html import unescape
from typing import Any

import pytest
from serving import Site

from chat.wire.orders import FOREVER


@pytest.fixture
def olga(site: Site) -> str:
    """The Cookie header of the owner."""
    cookie = site.join("lobby", "Olga")
    site.promote("Olga", "owner")
    return cookie


@pytest.fixture
def mira(site: Site, olga: str) -> str:
    """That of a moderator."""
    cookie = site.join("lobby", "Mira")
    site.promote("Mira", "moderator")
    return cookie


def page(site: Site, cookie: str, query: str = "") -> str:
    """What somebody is shown."""
    answer = site.http("GET", f"/owner{query}", headers={"Cookie": cookie})
    assert answer.status == 200, answer.body
    return str(answer.body.decode())


def part(text: str, id: str) -> str:
    """A section of it, as it is read; "" if there is none."""
    found = re.search(rf'<(section|dl)[^>]* id="{id}".*?</\1>', text, re.S)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", found[0])).split()) if found else ""


def say(site: Site, room: str, cookie: str, *texts: str) -> None:
    """Say something in a room."""
    wire = site.wire(room, cookie)
    for text in texts:
        wire.hear("message", cid=wire.say(text))
    wire.close()


def test_it_is_there_for_owners_and_moderators_only(site: Site, olga: str, mira: str) -> None:
    ben = site.join("lobby", "Ben")
    assert [
        site.http("GET", "/owner", headers=headers).status
        for headers in ({"Cookie": olga}, {"Cookie": mira}, {"Cookie": ben}, {})
    ] == [200, 200, 404, 403]


def test_a_moderator_does_not_learn_the_name_of_a_room_that_was_removed(
    site: Site, olga: str, mira: str
) -> None:
    """It may have been one that did not exist for them."""
    say(site, "crypt", olga, "hello")
    body = {"type": "room", "cid": "cid-of-room", "private": True}
    site.http("POST", "/orders?room=crypt", headers={"Cookie": olga}, json_body=body)
    site.order(olga, "invite", role="member", until=FOREVER, uses=1, room="crypt")
    site.order(olga, "remove_room", room="crypt")

    async def emptied() -> None:
        while site.app.site.hub.chores.running:
            await asyncio.sleep(0.005)

    site.call(emptied)
    assert "crypt" in part(page(site, olga), "deeds")
    assert "crypt" not in page(site, mira)


def test_who_is_no_moderator_any_more_has_no_such_page(site: Site, mira: str) -> None:
    page(site, mira)
    site.promote("Mira", "member")
    assert site.http("GET", "/owner", headers={"Cookie": mira}).status == 404


def test_an_owner_sees_how_the_server_is_and_a_moderator_does_not(
    site: Site, olga: str, mira: str
) -> None:
    assert "None yet" in part(page(site, olga), "health")
    assert "0 minutes" in part(page(site, olga), "health")
    assert (part(page(site, mira), "health"), part(page(site, mira), "chat")) == ("", "")


def test_a_moderator_changes_no_roles(site: Site, olga: str, mira: str) -> None:
    assert '"role"' in unescape(page(site, olga))
    assert '"type":"role"' not in unescape(page(site, mira))


def test_a_private_room_is_not_there_for_a_moderator_who_was_not_let_in(
    site: Site, olga: str, mira: str
) -> None:
    for room in ("den", "attic"):
        say(site, room, olga, "hello")
    site.order(olga, "member", room="den", user=site.user("Mira"), on=True)
    for room in ("den", "attic"):
        arranged = arrange(site, olga, room, private=True)
        assert arranged.status == 200, arranged.body
    assert "den" in part(page(site, mira), "rooms")
    assert "attic" not in page(site, mira)
    assert "attic" in part(page(site, olga), "rooms")


def arrange(site: Site, cookie: str, room: str, **fields: Any) -> Any:
    """Set something of a room over HTTP."""
    body = {"type": "room", "cid": f"cid-of-{len(room)}", **fields}
    headers = {"Cookie": cookie}
    return site.http("POST", f"/orders?room={room}", headers=headers, json_body=body)


def test_a_room_is_arranged_from_there(site: Site, olga: str) -> None:
    say(site, "den", olga, "hello")
    answer = arrange(site, olga, "den", topic="numbers")
    assert (answer.status, json.loads(answer.body)["type"]) == (200, "done")
    again = arrange(site, olga, "den", topic="numbers")
    assert json.loads(again.body) == json.loads(answer.body)
    assert b'"topic":"numbers"' in site.http("GET", "/r/den", headers={"Cookie": olga}).body


def test_a_room_is_arranged_by_who_may(site: Site, olga: str) -> None:
    ben = site.join("lobby", "Ben")
    say(site, "den", olga, "hello")
    refused = arrange(site, ben, "den", mode="locked")
    assert (refused.status, json.loads(refused.body)["code"]) == (403, "not_allowed")
    nowhere = arrange(site, olga, "no!room")
    assert (nowhere.status, json.loads(nowhere.body)["code"]) == (404, "bad_room")


def test_newcomers_are_those_of_the_time_that_is_asked_for(site: Site, olga: str) -> None:
    ben = site.join("lobby", "Ben")
    say(site, "lobby", ben, "one", "two")
    text = part(page(site, olga, "?came=600"), "newcomers")
    assert re.search(r"Newcomers, \d+ .* Ben .* 2 messages", text)
    assert "Olga" not in text


def test_a_person_is_found_without_scripts(site: Site, olga: str) -> None:
    site.join("lobby", "Ben")
    found = part(page(site, olga, "?find=BEN"), "people")
    assert "Ben" in found
    assert "Olga" not in found
    assert "Nobody here is called that." in part(page(site, olga, "?find=zz"), "people")


def test_what_was_done_is_told_and_can_be_taken_back(site: Site, olga: str, mira: str) -> None:
    site.join("lobby", "Ben")
    ben = site.user("Ben")
    assert site.order(mira, "ban", users=[ben], until=FOREVER, reason="a <b>").status == 200
    text = page(site, olga)
    assert "Mira removed Ben : “ a <b> ”" in part(text, "deeds")
    assert "Ben By Mira" in part(text, "bans")
    (order,) = set(re.findall(r'\{"type":"unban"[^}]*\}', unescape(text)))
    given = json.loads(order)
    assert site.order(olga, "unban", id=given["id"]).status == 200
    assert "Nobody is kept out." in part(page(site, olga), "bans")


def test_what_people_are_called_is_no_html(site: Site, olga: str) -> None:
    site.join("lobby", "<i>Ben")
    text = page(site, olga)
    assert "<i>Ben" not in text
    assert "&lt;i&gt;Ben" in text


def test_an_owner_sees_the_hooks_and_what_came_of_them(site: Site, olga: str, mira: str) -> None:
    def hooks(cookie: str) -> str:
        return re.sub(r" ([,.])", r"\1", part(page(site, cookie), "hooks"))

    assert hooks(olga) == "Hooks New hook No program writes here."
    assert hooks(mira) == ""
    made = json.loads(site.order(olga, "hook", name="Builds", rooms=["lobby", "release"]).body)
    assert "Builds bot Writes in #lobby, #release, not used yet" in hooks(olga)
    site.http("POST", f"/hook/{made['token']}", body="done")
    for _ in range(2):
        site.http("POST", f"/hook/{made['token']}", body="")
        site.http("POST", f"/hook/{'x' * 22}", body="lost")
    assert re.search(
        r"#release, last \d.*\. Turned away 2 times since the start, last:", hooks(olga)
    )
    assert "There is nothing to send." in hooks(olga)
    assert "Wrong keys were tried 2 times since the start." in hooks(olga)
    assert made["token"] not in page(site, olga)
    orders = re.findall(r'data-order="([^"]*)"', page(site, olga))
    assert made["id"] in [json.loads(unescape(order)).get("id") for order in orders]
    site.order(olga, "revoke", id=made["id"])
    assert "No program writes here." in hooks(olga)
    assert "Olga ended the hook Builds" in part(page(site, olga), "deeds")
