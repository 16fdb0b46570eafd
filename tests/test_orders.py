"""chat/room/office.py and chat/room/ranks.py: orders, who may give them, and what comes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from serving import Site

from chat.wire.orders import FOREVER

ROLES = ("owner", "moderator", "member", "guest")
NAMES = dict(zip(ROLES, ("Olga", "Mona", "Ben", "Gus"), strict=True))


@pytest.fixture
def cookies(site: Site) -> dict[str, str]:
    """One person of each role."""
    found = {}
    for role, name in NAMES.items():
        found[role] = site.join("den", name)
        site.promote(name, role)
    return found


def outcome(site: Site, cookie: str, order: str, **fields: Any) -> str:
    """`done`, or the code of the refusal."""
    answer = json.loads(site.order(cookie, order, **fields).body)
    return str(answer.get("code") or answer["type"])


@pytest.mark.parametrize("actor", ROLES)
@pytest.mark.parametrize("target", ROLES)
def test_one_mutes_who_ranks_below(
    site: Site, cookies: dict[str, str], actor: str, target: str
) -> None:
    able = actor == "owner" or (actor, target) in (("moderator", "member"), ("moderator", "guest"))
    user = site.user(NAMES[target])
    told = outcome(site, cookies[actor], "mute", user=user, until=FOREVER)
    if target == "owner" == actor:
        assert told == "last_owner", "nobody could lift it"
        return
    assert told == ("done" if able else "not_allowed")
    assert bool(site.app.site.hub.authority.facts(user).muted) is able


def test_there_is_always_an_owner(site: Site, cookies: dict[str, str]) -> None:
    """The last one cannot be made anything else, nor make themselves that."""
    me, other = site.user("Olga"), site.user("Ben")
    assert outcome(site, cookies["owner"], "role", user=me, role="member") == "last_owner"
    assert outcome(site, cookies["owner"], "role", user=other, role="owner") == "done"
    assert outcome(site, cookies["member"], "role", user=me, role="member") == "done"
    assert outcome(site, cookies["owner"], "role", user=other, role="guest") == "not_allowed"
    assert outcome(site, cookies["member"], "role", user=other, role="guest") == "last_owner"


def test_moderators_do_not_put_each_other_out_of_a_room(
    site: Site, cookies: dict[str, str]
) -> None:
    """They may go themselves, put out who ranks below, and let anybody in."""
    mo, mona, ben = site.join("den", "Mo"), site.user("Mona"), site.user("Ben")
    site.promote("Mo", "moderator")

    def puts(cookie: str, user: str, on: bool = False) -> str:
        return outcome(site, cookie, "member", room="den", user=user, on=on)

    assert puts(mo, mona, on=True) == "done"
    assert puts(mo, mona) == "not_allowed"
    assert "den" in site.app.site.hub.authority.facts(mona).rooms
    assert [puts(mo, ben), puts(cookies["moderator"], mona)] == ["done", "done"]
    assert puts(cookies["owner"], site.user("Mo")) == "done"


def test_who_is_what_is_known_after_a_restart(tmp_path: Any) -> None:
    site = Site(tmp_path / "data")
    cookie = site.join("den", "Olga")
    site.join("den", "Ben")
    site.promote("Olga", "owner")
    ben = site.user("Ben")
    assert outcome(site, cookie, "role", user=ben, role="moderator") == "done"
    assert outcome(site, cookie, "mute", user=ben, until=FOREVER) == "done"
    assert outcome(site, cookie, "member", room="den", user=ben, on=True) == "done"
    before = site.app.site.hub.authority.facts(ben)
    assert (before.role.value, before.muted, before.rooms) == ("moderator", FOREVER, {"den"})
    site.stop()
    site = Site(tmp_path / "data")
    try:
        assert site.app.site.hub.authority.facts(ben) == before
    finally:
        site.stop()


def test_an_order_about_nobody_and_one_that_nobody_serves_are_refused(
    site: Site, cookies: dict[str, str]
) -> None:
    assert outcome(site, cookies["owner"], "mute", user="nobody", until=0) == "bad_order"
    site.app.site.office._orders.clear()
    user = site.user("Ben")
    assert outcome(site, cookies["owner"], "mute", user=user, until=0) == "bad_order"
