"""Links that let somebody in: what they do, once, and for nobody else."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import Wire
from serving import Site

from chat.log import ownerlink
from chat.log.backup import backup
from chat.log.ownerlink import make_owner_link
from chat.log.restore import restore
from chat.room import links as module
from chat.wire.orders import FOREVER

SOON = 10**12 * 4  # a time in the year 2096


@pytest.fixture
def olga(site: Site) -> str:
    """The cookie of the owner; the house is the lobby."""
    cookie = site.join("lobby", "Olga")
    site.promote("Olga", "owner")
    return cookie


def post(site: Site, path: str, cookie: str = "", **form: str) -> Any:
    return site.http("POST", path, headers={"Cookie": cookie}, form=form)


def made(site: Site, cookie: str, order: str = "invite", **fields: Any) -> dict[str, Any]:
    """The link that an order made."""
    if order == "invite":
        fields = {"role": "member", "until": SOON, "uses": 1, **fields}
    answer = json.loads(site.order(cookie, order, **fields).body)
    assert answer["type"] == "link", answer
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", answer["token"])
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", answer["code"])
    return dict(answer)


def handover(site: Site, cookie: str) -> dict[str, Any]:
    """A device link of one's own."""
    return dict(json.loads(post(site, "/devices", cookie).body))


def enter(site: Site, token: str, cookie: str = "", **form: str) -> Any:
    return post(site, "/enter", cookie, token=token, **form)


def cookie_of(answer: Any) -> str:
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def code_of(answer: Any) -> str:
    """Which card it is, or which refusal."""
    return json.loads(answer.body)["code"] if answer.body[:1] == b"{" else ""


def reads(site: Site, cookie: str, room: str) -> int:
    return int(site.http("GET", f"/r/{room}/messages", headers={"Cookie": cookie}).status)


def rows(site: Site, sql: str) -> list[Any]:
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db:
        return db.execute(sql).fetchall()


def change(site: Site, sql: str) -> None:
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db, db:
        db.execute(sql)


def private(site: Site, cookie: str, room: str) -> None:
    """Nobody comes into this room who was not let in."""
    wire = site.wire(room, cookie)
    wire.hear("message", cid=wire.say("what is said among us"))
    wire.hear("settings", cid=wire.command("room", private=True))
    wire.close()


# -- the owner


def test_whoever_opens_the_owner_link_is_the_owner_once(site: Site) -> None:
    secret = make_owner_link(site.config.data)
    assert (site.config.data / ownerlink.FILE).stat().st_mode & 0o777 == 0o600
    look = post(site, "/enter/look", token=secret.token)
    assert look.status == 200
    assert b"Take care of this chat" in look.body
    answer = enter(site, secret.token, name="Olga", room="Mum & Dad!")
    assert (answer.status, answer.headers["Location"]) == (303, "./?joined=Olga")
    assert site.app.site.hub.titles.house == "mum-dad", "who comes first names the room"
    facts = site.app.site.hub.authority.facts(site.user("Olga"))
    assert facts.role.value == "owner"
    assert not (site.config.data / ownerlink.FILE).exists()
    for key in (secret.token, secret.code):
        again = enter(site, key, name="Bo")
        assert again.status == 410
        assert b"This link does not work any more" in again.body
    assert rows(site, "SELECT kind, used FROM tokens") == [("owner", 1)]


def test_somebody_who_is_here_becomes_the_owner_and_stays_who_they_are(
    site: Site, wires: list[Wire]
) -> None:
    cookie = site.join("lobby", "Ana")
    wires.append(site.wire("lobby", cookie))
    secret = make_owner_link(site.config.data)
    assert b"You are" in post(site, "/enter/look", cookie, token=secret.token).body
    answer = enter(site, secret.token, cookie)
    assert answer.status == 303
    assert "Set-Cookie" not in answer.headers
    assert wires[0].hear("standing")["role"] == "owner"
    assert len(site.app.site.directory) == 1


def test_another_owner_link_ends_the_one_before_it(site: Site) -> None:
    first, second = (make_owner_link(site.config.data) for _ in range(2))
    assert enter(site, first.token, name="Ana").status == 410
    assert enter(site, second.code.lower(), name="Ana").status == 303


def test_an_owner_link_runs_out(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ownerlink, "LIFE", 0)
    assert enter(site, make_owner_link(site.config.data).token, name="Ana").status == 410


def test_an_owner_link_that_was_used_is_worth_nothing_where_its_file_came_back(site: Site) -> None:
    """As after a kill between the commit and the removal of the file."""
    secret = make_owner_link(site.config.data)
    file = site.config.data / ownerlink.FILE
    kept = file.read_bytes()
    assert enter(site, secret.token, name="Olga").status == 303
    file.write_bytes(kept)
    assert enter(site, secret.token, name="Bo").status == 410


def test_who_comes_first_is_no_owner(site: Site) -> None:
    site.join("lobby", "Ana")
    assert site.app.site.hub.authority.role(site.user("Ana")).value == "member"


# -- invites


def test_an_invite_is_used_as_often_as_it_says(site: Site, olga: str) -> None:
    link = made(site, olga, uses=2)
    look = post(site, "/i/look", code=link["code"].lower().replace("-", " "))
    assert look.status == 200
    assert b"Olga" in look.body
    assert b"2 more people" in look.body
    for name in ("Ana", "Bo"):
        answer = enter(site, link["token"], name=name)
        assert answer.status == 303
        assert reads(site, cookie_of(answer), "lobby") == 200
    assert enter(site, link["token"], name="Cleo").status == 410
    assert rows(site, "SELECT uses, used FROM tokens") == [(2, 2)]


@pytest.mark.parametrize("how", ["revoked", "expired", "by nobody any more"])
def test_an_invite_ends(site: Site, olga: str, how: str) -> None:
    mira = site.join("lobby", "Mira")
    site.promote("Mira", "moderator")
    link = made(site, mira, uses=0)
    assert enter(site, link["token"], name="Ana").status == 303
    if how == "revoked":
        assert json.loads(site.order(olga, "revoke", id=link["id"]).body)["type"] == "done"
    elif how == "expired":
        change(site, "UPDATE tokens SET until = 1")
    else:
        user = site.user("Mira")
        assert json.loads(site.order(olga, "ban", users=[user], until=FOREVER).body)
    assert enter(site, link["token"], name="Bo").status == 410


def test_a_link_is_worth_no_more_than_who_made_it_is_now(site: Site, olga: str) -> None:
    """Who was made less, or let out of a room, keeps no way round it; and its card says nothing."""
    private(site, olga, "crypt")
    rex, mira = site.join("lobby", "Rex"), site.join("lobby", "Mira")
    site.join("lobby", "Ana")
    site.promote("Rex", "owner")
    site.promote("Mira", "moderator")
    site.order(olga, "member", room="crypt", user=site.user("Mira"), on=True)
    links = {
        "as a moderator": made(site, rex, role="moderator", uses=0),
        "into the crypt": made(site, mira, room="crypt", uses=0),
        "as Ana": made(site, mira, "readmit", user=site.user("Ana")),
    }
    for link in links.values():
        assert post(site, "/enter/look", token=link["token"]).status == 200
    site.promote("Rex", "moderator")
    site.promote("Ana", "moderator")
    site.order(olga, "member", room="crypt", user=site.user("Mira"), on=False)
    for what, link in links.items():
        card = post(site, "/enter/look", token=link["token"])
        assert (card.status, b"crypt" in card.body, b"Ana" in card.body) == (410, False, False), (
            what
        )
        assert enter(site, link["token"], mira).status == 410, what
    assert reads(site, mira, "crypt") == 404


def test_who_comes_again_by_an_invite_uses_nothing_up(
    site: Site, olga: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One who is in could use it up for all the others, or fill the disk with it."""
    ana, link = site.join("lobby", "Ana"), made(site, olga, uses=2)
    for _ in range(3):
        assert enter(site, link["token"], ana).status == 303
    assert rows(site, "SELECT used FROM tokens") == [(1,)]
    assert rows(site, "SELECT count(*) FROM came") == [(1,)]
    paid: list[str] = []
    monkeypatch.setattr(site.app.site.pace, "pay", lambda what, *who: paid.append(what))
    enter(site, link["token"], ana)
    assert "look" in paid, "and somebody who never ends is slowed down"


def test_of_two_who_use_the_last_of_an_invite_one_comes_in(site: Site, olga: str) -> None:
    for turn in range(5):
        link, answers = made(site, olga), []
        threads = [
            threading.Thread(
                target=lambda name, token: answers.append(enter(site, token, name=name).status),
                args=(f"{name} {turn}", link["token"]),
            )
            for name in ("Ana", "Bea", "Cleo")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers) == [303, 410, 410]
    assert len(site.app.site.directory) == 6
    assert rows(site, "SELECT count(*) FROM came") == [(5,)]


def test_a_guest_comes_into_one_room_and_learns_of_no_other(site: Site, olga: str) -> None:
    private(site, olga, "den")
    link = made(site, olga, role="guest", room="den")
    answer = enter(site, link["token"], name="Gus")
    assert answer.headers["Location"].startswith("r/den?")
    guest = cookie_of(answer)
    assert (reads(site, guest, "den"), reads(site, guest, "lobby")) == (200, 404)
    assert site.app.site.hub.authority.role(site.user("Gus")).value == "guest"
    assert (
        json.loads(site.order(olga, "invite", role="guest", until=SOON, uses=1).body)["code"]
        == "bad_order"
    ), "a guest of no room would be nowhere"


def test_an_invite_into_a_private_room_lets_into_it(site: Site, olga: str) -> None:
    """New people and those who are here; a guest becomes a member."""
    private(site, olga, "den")
    ana = site.join("lobby", "Ana")
    guest = cookie_of(enter(site, made(site, olga, role="guest", room="lobby")["token"], name="G"))
    assert (reads(site, ana, "den"), reads(site, guest, "den")) == (404, 404)
    link = made(site, olga, room="den", uses=0)
    new = cookie_of(enter(site, link["token"], name="New"))
    for cookie in (ana, guest):
        answer = enter(site, link["token"], cookie)
        assert answer.headers["Location"].startswith("r/den?")
    assert [reads(site, cookie, "den") for cookie in (new, ana, guest)] == [200, 200, 200]
    assert site.app.site.hub.authority.role(site.user("G")).value == "member"


def test_an_invite_into_a_room_one_does_not_know_is_not_revoked_by_its_number(
    site: Site, olga: str
) -> None:
    private(site, olga, "den")
    mira = site.join("lobby", "Mira")
    site.promote("Mira", "moderator")
    link = made(site, olga, room="den")
    answer = site.order(mira, "revoke", id=link["id"])
    assert (answer.status, json.loads(answer.body)["code"]) == (410, "bad_link")
    assert enter(site, link["token"], name="New").status == 303


def test_nobody_becomes_less_by_an_invite(site: Site, olga: str) -> None:
    for role in ("guest", "member"):
        assert enter(site, made(site, olga, role=role, room="lobby")["token"], olga).status == 303
    assert site.app.site.hub.authority.role(site.user("Olga")).value == "owner"


def test_who_invites_whom(site: Site, olga: str) -> None:
    """Moderators make members and guests, owners moderators too; nobody invites to a room that does
    not exist for them."""
    private(site, olga, "den")
    mira, ana = site.join("lobby", "Mira"), site.join("lobby", "Ana")
    site.promote("Mira", "moderator")
    fields = {"until": SOON, "uses": 1}
    made(site, mira, role="guest", room="lobby")
    assert code_of(site.order(mira, "invite", role="moderator", **fields)) == "not_allowed"
    assert code_of(site.order(mira, "invite", role="member", room="den", **fields)) == "bad_room"
    assert code_of(site.order(ana, "invite", role="member", **fields)) == "not_allowed"
    assert code_of(site.order(mira, "invite", role="member", until=1, uses=1)) == "bad_order"
    assert enter(site, made(site, olga, role="moderator")["token"], name="Mo").status == 303
    assert site.app.site.hub.authority.role(site.user("Mo")).value == "moderator"


def test_the_list_of_invites_says_who_came_by_which(site: Site, olga: str) -> None:
    private(site, olga, "den")
    mira = site.join("lobby", "Mira")
    site.promote("Mira", "moderator")
    hidden, link = made(site, olga, room="den"), made(site, mira, room="lobby", uses=3)
    for name in ("Ana", "Bo"):
        assert enter(site, link["token"], name=name).status == 303
    made_gone = made(site, olga)
    site.order(olga, "revoke", id=made_gone["id"])

    def listed(cookie: str) -> Any:
        return json.loads(site.http("GET", "/invites", headers={"Cookie": cookie}).body)

    shown = {"id": link["id"], "room": "lobby", "title": "lobby", "role": "member", "uses": 3}
    shown |= {"used": 2, "until": SOON, "by": "Mira", "people": ["Ana", "Bo"]}
    assert listed(mira) == [shown], "and none of a room that does not exist for her"
    assert [invite["id"] for invite in listed(olga)] == [link["id"], hidden["id"]]
    ana = site.join("lobby", "Anyone")
    assert listed(ana)["code"] == "not_allowed"


# -- devices


def test_a_device_link_makes_another_device_of_the_same_person(
    site: Site, wires: list[Wire]
) -> None:
    ana = site.join("lobby", "Ana")
    wires.append(site.wire("lobby", ana))
    link = handover(site, ana)
    assert 0 < link["until"] - time.time() * 1000 <= module.HANDOVER
    look = post(site, "/enter/look", token=link["token"])
    assert b"Continue as" in look.body
    assert "Set-Cookie" not in look.headers
    answer = enter(site, link["code"])
    phone = cookie_of(answer)
    told = wires[0].hear("device")
    assert (told["label"], phone == ana) == ("A browser", False)
    page = site.http("GET", "/", headers={"Cookie": phone})
    assert b'"name":"Ana"' in page.body
    found = json.loads(site.http("GET", "/devices", headers={"Cookie": phone}).body)
    assert [device["here"] for device in found] == [False, True]
    assert found[1]["id"] == told["id"]
    assert enter(site, link["code"]).status == 410
    # Not you? Sign it out: its connections end at once, and the others' go on.
    wires.append(site.wire("lobby", phone))
    assert post(site, f"/devices/{told['id']}", ana).status == 200
    assert wires[1].closed()[0] == 4002
    assert reads(site, phone, "lobby") == 403
    wires[0].hear("message", cid=wires[0].say("still here"))


def test_one_signs_out_ones_own_devices_only(site: Site, wires: list[Wire]) -> None:
    ana, bo = site.join("lobby", "Ana"), site.join("lobby", "Bo")
    wires.append(site.wire("lobby", bo))
    (device,) = site.app.site.directory.devices.of(site.user("Bo"))
    for id in (device.id, "nobody"):
        assert post(site, f"/devices/{id}", ana).status == 200
    wires[0].hear("message", cid=wires[0].say("still here"))
    answer = post(site, f"/devices/{device.id}", bo)
    assert answer.headers["Set-Cookie"].startswith('device=""')
    assert wires[0].closed()[0] == 4002
    assert post(site, "/join", name="Bo", room="lobby").status == 303, "the name is free"


def test_another_device_link_ends_the_one_before_it(site: Site) -> None:
    ana, bo = site.join("lobby", "Ana"), site.join("lobby", "Bo")
    first, others, second = handover(site, ana), handover(site, bo), handover(site, ana)
    assert enter(site, first["token"]).status == 410
    assert enter(site, second["token"]).status == 303
    assert enter(site, others["token"]).status == 303


def test_who_opens_a_device_link_as_somebody_else_does_not_lose_who_they_are(
    site: Site, wires: list[Wire]
) -> None:
    """Login fixation: the card says who this browser becomes; what was open there ends, and who it
    was is still somebody, by another device or a way back."""
    ana, bo = site.join("lobby", "Ana"), site.join("lobby", "Bo")
    wires.append(site.wire("lobby", bo))
    link = handover(site, ana)
    look = post(site, "/enter/look", bo, token=link["token"])
    assert b"Bo" in look.body
    assert b"Ana" in look.body
    became = enter(site, link["token"], bo)
    assert wires[0].closed()[0] == 4002
    assert b'"name":"Ana"' in site.http("GET", "/", headers={"Cookie": cookie_of(became)}).body
    assert post(site, "/join", name="Bo").status == 409
    assert reads(site, bo, "lobby") == 200, "the only device of Bo is left alone"
    back = handover(site, bo)
    phone = cookie_of(enter(site, back["token"]))
    assert enter(site, handover(site, ana)["token"], phone).status == 303
    assert reads(site, phone, "lobby") == 403, "of Bo's two this one is signed out"


def test_the_card_says_who_could_not_come_back(site: Site) -> None:
    """Only somebody whose one device this is, and who is not the one of the link."""
    ana, bo = site.join("lobby", "Ana"), site.join("lobby", "Bo")
    link = handover(site, ana)

    def warned(cookie: str) -> bool:
        body = post(site, "/enter/look", cookie, token=link["token"]).body
        return b"signed in nowhere else" in body

    assert (warned(bo), warned(ana), warned("")) == (True, False, False)
    other = cookie_of(enter(site, handover(site, bo)["token"]))
    assert (warned(bo), warned(other)) == (False, False)


def test_a_device_link_used_where_it_was_made_makes_no_second_device(site: Site) -> None:
    ana = site.join("lobby", "Ana")
    new = cookie_of(enter(site, handover(site, ana)["token"], ana))
    assert (reads(site, ana, "lobby"), reads(site, new, "lobby")) == (403, 200)
    assert len(site.app.site.directory.devices.of(site.user("Ana"))) == 1


def test_a_moderator_makes_a_way_back_for_who_ranks_below(site: Site, olga: str) -> None:
    mira, ana = site.join("lobby", "Mira"), site.join("lobby", "Ana")
    site.promote("Mira", "moderator")
    link = made(site, mira, "readmit", user=site.user("Ana"))
    answer = enter(site, link["token"])
    assert b'"name":"Ana"' in site.http("GET", "/", headers={"Cookie": cookie_of(answer)}).body
    for user in ("Olga", "Mira"):
        assert code_of(site.order(mira, "readmit", user=site.user(user))) == "not_allowed"
    assert code_of(site.order(ana, "readmit", user=site.user("Ana"))) == "not_allowed"
    assert code_of(site.order(mira, "readmit", user="nobody")) == "bad_order"
    assert rows(site, "SELECT what, name, about FROM audit") == [("readmit", "Mira", "Ana")]
    made(site, olga, "readmit", user=site.user("Mira"))


def test_who_is_banned_comes_in_by_no_link(site: Site, olga: str) -> None:
    ana = site.join("lobby", "Ana")
    device, back = handover(site, ana), made(site, olga, "readmit", user=site.user("Ana"))
    invite = made(site, olga, uses=0)
    site.order(olga, "ban", users=[site.user("Ana")], until=FOREVER)
    for token, cookie in ((back["token"], ""), (invite["token"], ana), (device["token"], "")):
        for path in ("/enter", "/enter/look"):
            answer = post(site, path, cookie, token=token)
            refused = path == "/enter" or token == back["token"]
            assert answer.status == (410 if token == device["token"] else 403) if refused else True
            assert "Set-Cookie" not in answer.headers
    named = enter(site, invite["token"], ana, name="Somebody New")
    assert named.status == 403
    assert code_of(post(site, "/devices", ana)) == "banned"


def test_a_ban_of_a_network_keeps_out_who_is_invited_from_there(site: Site, olga: str) -> None:
    site.join("lobby", "Ana")
    invite = made(site, olga, uses=0)
    site.order(olga, "ban", users=[site.user("Ana")], until=FOREVER, network=True)
    assert enter(site, invite["token"], name="Bo").status == 403
    headers = {"X-Forwarded-For": "192.0.2.1"}
    form = {"token": invite["token"], "name": "Bo"}
    assert site.http("POST", "/enter", headers=headers, form=form).status == 303


def test_who_was_invited_is_not_forgotten_for_being_silent(site: Site, olga: str) -> None:
    guest = enter(site, made(site, olga)["token"], name="Gus")
    site.join("lobby", "Ana")
    change(site, "UPDATE users SET seen = 1")
    site.call(site.app.site.directory.tidy, [])
    assert reads(site, cookie_of(guest), "lobby") == 200
    assert rows(site, "SELECT name FROM users ORDER BY name") == [("Gus",), ("Olga",)]


def test_links_that_are_over_do_not_pile_up(site: Site, olga: str) -> None:
    for _ in range(3):
        handover(site, olga)
    change(site, f"UPDATE tokens SET until = until - {3 * 24 * 3600 * 1000} WHERE n < 3")
    handover(site, olga)
    assert rows(site, "SELECT n FROM tokens ORDER BY n") == [(3,), (4,)]


# -- the door


def test_a_closed_door_names_no_room_no_face_and_no_number(
    site: Site, olga: str, wires: list[Wire]
) -> None:
    wires += [site.wire("lobby", olga), Wire(site.port, "/ws/7").opened()]
    wires[0].hear("message", cid=wires[0].say("behind the door"))
    assert wires[1].read()[1] == b"Olga: behind the door"
    for door, words in (("invite", b"You need an invitation"), ("locked", b"Nobody new can come")):
        assert json.loads(site.order(olga, "chat", door=door).body)["type"] == "done"
        for method, path in (
            *(("GET", path) for path in ("/", "/r/lobby", "/r/zebra", "/r/?name=zebra")),
            *(("POST", path) for path in ("/join",)),
        ):
            form = {"name": "Ana", "room": "lobby"} if method == "POST" else None
            answer = site.http(method, path, form=form)
            assert answer.status == 403, (door, method, path)
            assert words in answer.body
            for secret in (b"lobby", b"zebra", b"Olga", b"behind", b"# "):
                assert secret not in answer.body, (path, secret)
    assert wires[1].closed()[0] == 4001, "the plain dialect has a door too"
    assert reads(site, olga, "lobby") == 200, "who is in stays"
    assert post(site, "/name", olga, name="Olga Two").status == 303
    link, locked_out = handover(site, olga), made(site, olga)
    assert enter(site, locked_out["token"], name="Ana").status == 403, "locked is locked"
    assert enter(site, link["token"]).status == 303, "but not for one's own devices"
    site.order(olga, "chat", door="invite")
    assert enter(site, locked_out["token"], name="Ana").status == 303
    site.order(olga, "chat", door="open")
    assert post(site, "/join", name="Bo", room="lobby").status == 303


@pytest.mark.parametrize("door", ["open", "invite", "locked"])
def test_who_came_by_a_link_and_keeps_no_cookie_is_told_so(
    site: Site, olga: str, door: str
) -> None:
    """Also where a stranger sees no room: the card names none."""
    private(site, olga, "crypt")
    link = made(site, olga, room="crypt")
    place = enter(site, link["token"], name="Ana").headers["Location"]
    assert place == "r/crypt?joined=Ana"
    site.order(olga, "chat", door=door)
    for path in ("/" + place, "/?joined=Ana"):
        answer = site.http("GET", path)
        assert b"<h1>Your browser does not keep cookies</h1>" in answer.body
        if door != "open" or "crypt" in path:
            assert answer.status == 403
            assert not re.search(b"crypt|lobby|Olga|Ana", answer.body)
            told = site.http("GET", path, headers={"Accept": "application/json"})
            assert code_of(told) == "no_cookies"
    assert b"cookies" not in site.http("GET", "/r/crypt").body
    site.order(olga, "ban", users=[site.user("Ana")], until=FOREVER, network=True)
    assert b"You cannot come in" in site.http("GET", "/" + place).body


def test_the_option_is_where_the_door_begins(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", door="locked")
    assert post(site, "/join", name="Ana", room="lobby").status == 403
    secret = make_owner_link(site.config.data)
    olga = cookie_of(enter(site, secret.token, name="Olga"))
    site.order(olga, "chat", door="open")
    site.stop()
    site = Site(tmp_path / "data", door="locked")
    try:
        assert post(site, "/join", name="Ana", room="lobby").status == 303
    finally:
        site.stop()


# -- what nobody is to find, guess or bring back


def test_nothing_is_used_up_by_looking(site: Site, olga: str) -> None:
    """A mail scanner opens links, runs their scripts, and sends what they send."""
    ana = site.join("lobby", "Ana")
    tokens = [made(site, olga)["token"], handover(site, ana)["token"]]
    tokens.append(make_owner_link(site.config.data).token)
    before = rows(site, "SELECT used FROM tokens"), len(site.app.site.directory.devices)
    for token in tokens:
        for path in ("/enter", "/i", "/enter/look", "/i/look"):
            for method in ("GET", "HEAD"):
                answer = site.http(method, f"{path}?token={token}&code={token}&name=Eve")
                assert answer.status in (200, 303, 405)
                assert "Set-Cookie" not in answer.headers
        for _ in range(3):
            answer = post(site, "/enter/look", token=token, name="Eve")
            assert (answer.status, "Set-Cookie" in answer.headers) == (200, False)
    assert (rows(site, "SELECT used FROM tokens"), len(site.app.site.directory.devices)) == before
    for method in ("GET", "HEAD"):
        for path in ("/devices/x", "/invites", "/devices"):
            site.http(method, path, headers={"Cookie": ana})
    assert (rows(site, "SELECT used FROM tokens"), len(site.app.site.directory.devices)) == before


def test_a_token_is_in_no_log_no_address_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where something goes wrong while it is used."""
    site = Site(tmp_path / "data")
    olga = site.join("lobby", "Olga")
    site.promote("Olga", "owner")
    links = [made(site, olga), handover(site, olga), made(site, olga, uses=0)]
    links.append(make_owner_link(site.config.data)._asdict())
    secrets = [link[key] for link in links for key in ("token", "code")]
    secrets += [secret.replace("-", "") for secret in secrets]
    answers = [enter(site, link["token"], name=f"N {n}") for n, link in enumerate(links)]
    answers += [enter(site, link["token"], name="Late") for link in links]
    with monkeypatch.context() as patched:
        patched.setattr(module.Links, "_find", lambda *arguments: 1 // 0)
        answers += [enter(site, link["token"]) for link in links]
        answers += [post(site, "/enter/look", code=link["code"]) for link in links]
    assert [answer.status for answer in answers[-8:]] == [500] * 8
    site.stop()
    headers = "".join(str(answer.headers) for answer in answers)
    kept = [file.read_bytes() for file in site.config.data.rglob("*") if file.is_file()]
    said = "\n".join(site.log)
    assert "ZeroDivisionError" in said or "division by zero" in said
    for secret in secrets:
        assert secret not in headers
        assert secret not in said
        assert not any(secret.encode() in content for content in kept)


def test_whoever_guesses_is_slowed_down_by_address_and_shuts_nobody_out(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")  # also with --rate=0
    ana = site.join("lobby", "Ana")
    link = handover(site, ana)

    def guess(code: str, address: str) -> int:
        headers = {"X-Forwarded-For": address}
        return int(site.http("POST", "/enter/look", headers=headers, form={"code": code}).status)

    try:
        guesses = [guess(f"AAAA{n:04}".translate({48: 65, 49: 66}), "192.0.2.1") for n in range(14)]
        assert guesses == [410] * 10 + [429] * 4
        assert guess(link["code"], "192.0.2.1") == 429
        assert [guess(link["code"], "192.0.2.2") for _ in range(30)] == [200] * 30
        assert post(site, "/enter", token=link["token"]).status == 303
    finally:
        site.stop()


@pytest.mark.parametrize("kind", ["device", "invite", "revoked", "owner"])
def test_a_restored_backup_does_not_bring_a_used_link_back(tmp_path: Path, kind: str) -> None:
    data = tmp_path / "data"
    site = Site(data)
    olga = site.join("lobby", "Olga")
    site.promote("Olga", "owner")
    if kind == "device":
        link = handover(site, olga)
    elif kind == "owner":
        link = make_owner_link(data)._asdict()
    else:
        link = made(site, olga)
    backup(data, tmp_path / "copy")
    if kind == "revoked":
        site.order(olga, "revoke", id=link["id"])
    else:
        assert enter(site, link["token"], name="" if kind == "device" else "Bo").status == 303
    site.stop()
    restore(data, tmp_path / "copy")
    site = Site(data)
    try:
        assert enter(site, link["token"], name="Cleo").status == 410
    finally:
        site.stop()


def test_a_name_that_is_taken_or_wrong_uses_nothing_up(site: Site, olga: str) -> None:
    link = made(site, olga)
    taken = enter(site, link["token"], name="olga")
    assert taken.status == 409
    assert b"olga 2" in taken.body
    assert link["token"].encode() in taken.body, "the card is there again"
    assert enter(site, link["token"], name="  ").status in (400, 409)
    assert enter(site, link["token"], name="Ana").status == 303


def test_a_code_that_was_typed_wrong_is_asked_for_again(site: Site, olga: str) -> None:
    answer = post(site, "/enter/look", code="ABCD-2345")
    assert answer.status == 410
    assert b'class="field pin"' in answer.body
    assert b'role="alert"' in answer.body
    opened = post(site, "/enter/look", token="x" * 22)
    assert b"This link does not work any more" in opened.body
