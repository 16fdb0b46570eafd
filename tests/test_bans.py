"""chat/log/bans.py, chat/room/bans.py and removals.py: people who are kept out, and what goes."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import Declined, Wire, free_name
from serving import Site

import chat.room.authority
import chat.room.bans
import chat.room.chores
import chat.room.hub
import chat.web.asking
from chat.log.bans import Ban, Outcast
from chat.log.operations import Append, Probe
from chat.room.people import Directory, now_ms
from chat.wire.codes import Close
from chat.wire.orders import FOREVER, Chat, Order
from chat.wire.orders import Ban as BanOrder
from chat.wire.protocol import Person

HERE, NEAR, FAR = "203.0.113.7", "203.0.113.200", "192.0.2.1"
MOD, SPAMMER = "Mona", "Xavi"


class Day:
    """A moderator and somebody to be removed, in one room."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.wires: list[Wire] = []
        self.mod = site.join("den", MOD)
        self.spammer = site.join("den", SPAMMER)
        site.promote(MOD, "moderator")
        self.user = site.user(SPAMMER)

    def wire(self, cookie: str, room: str = "den", address: str = HERE, path: str = "") -> Wire:
        """An open connection from this address."""
        headers = {"X-Forwarded-For": address}
        wire = Wire(
            self.site.port, path or f"/r/{room}/ws", cookie=cookie, headers=headers
        ).opened()
        self.wires.append(wire)
        if not path:
            wire.hear("live")
        return wire

    def order(self, order: str, cookie: str = "", **fields: Any) -> dict[str, Any]:
        """What the moderator (or who has this cookie) is answered."""
        answer = self.site.order(cookie or self.mod, order, **fields)
        told: dict[str, Any] = json.loads(answer.body)
        return told

    def ban(self, *users: str, **fields: Any) -> dict[str, Any]:
        """For ever, unless said otherwise."""
        return self.order("ban", users=users or [self.user], **{"until": FOREVER, **fields})

    def asks(
        self, method: str, path: str, address: str = HERE, cookie: str = "", **more: Any
    ) -> Any:
        """A request from this address, answered as JSON."""
        headers = {"X-Forwarded-For": address, "Accept": "application/json"}
        return self.site.http(
            method, path, headers={**headers, **({"Cookie": cookie} if cookie else {})}, **more
        )

    def joins(self, address: str) -> int:
        """The status somebody new is answered with."""
        form = {"name": free_name(), "room": "den"}
        return int(self.asks("POST", "/join", address, form=form).status)

    def chores_done(self) -> None:
        """Wait until everything is removed."""

        async def done() -> None:
            while self.site.app.site.hub.chores.running:
                await asyncio.sleep(0.01)

        self.site.call(done)


@pytest.fixture
def day(site: Site) -> Iterator[Day]:
    day = Day(site)
    yield day
    for wire in day.wires:
        wire.close()


def deeds(data: Path) -> list[tuple[Any, ...]]:
    """What is kept of what was done."""
    with closing(sqlite3.connect(data / "chat.db")) as db:
        return db.execute("SELECT name, what, about, room, detail FROM audit ORDER BY n").fetchall()


# -- who is kept out


def test_a_ban_closes_every_socket_of_the_person_and_leaves_the_others(day: Day) -> None:
    theirs = [day.wire(day.spammer), day.wire(day.spammer, "garden")]
    mine = day.wire(day.mod)
    assert day.ban()["type"] == "done"
    for wire in theirs:
        assert wire.hear("bye") == {"type": "bye", "reason": "removed", "after": -1}
        assert wire.closed()[0] == Close.REMOVED
    mine.say("still here")
    assert mine.hear("message")["text"] == "still here"


def test_who_is_banned_is_told_so_and_until_when_wherever_they_come(day: Day) -> None:
    until = now_ms() + 3_600_000
    day.ban(until=until)
    for method, path, form in (
        ("GET", "/", None),
        ("GET", "/r/garden", None),
        ("GET", "/r/den/messages", None),
        ("POST", "/r/den", {"text": "hello"}),
        ("POST", "/name", {"name": "Innocent"}),
        ("POST", "/join", {"name": "Innocent", "room": "den"}),
        ("POST", "/signout", {"room": "den"}),
    ):
        answer = day.asks(method, path, cookie=day.spammer, form=form)
        assert answer.status == 403, path
        told = json.loads(answer.body)
        assert (told["code"], told["until"]) == ("banned", until), path
    with pytest.raises(Declined) as declined:
        day.wire(day.spammer)
    assert declined.value.status == 403
    assert day.order("mute", day.spammer, user=day.user, until=0)["code"] == "banned"


def test_who_is_banned_sees_a_card_that_says_until_when(day: Day) -> None:
    day.wire(day.spammer, address=HERE)
    day.ban(until=1_796_307_180_000 + 100 * 365 * 86_400_000, network=True)
    for cookie, method, path, form in (
        (day.spammer, "GET", "/", None),
        ("", "POST", "/join", {"name": "Nora", "room": "den"}),
    ):
        headers = {"X-Forwarded-For": HERE, "Cookie": cookie}
        answer = day.site.http(method, path, headers=headers, form=form)
        assert answer.status == 403, path
        page = answer.body.decode()
        assert "You cannot come in" in page, path
        assert '<time datetime="2126-11-09T14:13Z">9 November 2126, 14:13 UTC</time>' in page
    day.ban()
    page = day.site.http("GET", "/", headers={"Cookie": day.spammer}).body.decode()
    assert "No day is set" in page
    assert "<time" not in page


def test_a_ban_ends_at_its_time(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    until = now_ms() + 3_600_000
    day.ban(until=until)
    assert day.asks("GET", "/", cookie=day.spammer).status == 403
    for module in (chat.room.authority, chat.room.hub, chat.web.asking):
        monkeypatch.setattr(module, "now_ms", lambda: until)
    assert day.asks("GET", "/", cookie=day.spammer).status == 200


def test_who_is_let_back_in_is_who_they_were(day: Day) -> None:
    ban = day.ban()
    for _ in range(2):  # what is lifted already is no mistake
        assert day.order("unban", id=ban["id"])["type"] == "done"
    wire = day.wire(day.spammer)
    wire.say("hello")
    assert wire.hear("message")["name"] == SPAMMER


def test_a_newer_ban_takes_the_place_of_an_older_one(day: Day) -> None:
    first, second = day.ban(), day.ban(until=now_ms() + 1_000_000)
    assert second["id"] > first["id"]
    day.order("unban", id=first["id"])
    assert day.asks("GET", "/", cookie=day.spammer).status == 403
    day.order("unban", id=second["id"])
    assert day.asks("GET", "/", cookie=day.spammer).status == 200


def test_many_are_banned_at_once_and_let_in_one_by_one(day: Day) -> None:
    names = [free_name() for _ in range(3)]
    cookies = [day.site.join("den", name) for name in names]
    ban = day.ban(*map(day.site.user, names))
    assert [day.asks("GET", "/", cookie=cookie).status for cookie in cookies] == [403] * 3
    day.order("unban", id=ban["id"] + 1)
    statuses = [day.asks("GET", "/", cookie=cookie).status for cookie in cookies]
    assert statuses == [403, 200, 403]


def test_nobody_new_comes_from_the_networks_of_who_is_banned_until_that_is_lifted(day: Day) -> None:
    day.wire(day.spammer, address=HERE)
    neighbour = day.site.join("den", "Nora")
    ban = day.ban(network=True)
    assert day.joins(NEAR) == 403
    assert day.joins(FAR) == 303
    with pytest.raises(Declined) as declined:
        day.wire("", path="/ws/1", address=NEAR)
    assert declined.value.status == 403
    day.wire("", path="/ws/1", address=FAR)
    day.wire(neighbour, address=NEAR)  # who is in already, and not banned, stays
    assert day.asks("GET", "/", NEAR, neighbour).status == 200
    day.order("unban", id=ban["id"])
    assert day.joins(NEAR) == 303


def test_without_the_network_only_the_person_is_kept_out(day: Day) -> None:
    day.wire(day.spammer, address=HERE)
    day.ban()
    assert day.joins(NEAR) == 303


def test_somebody_without_a_name_is_kept_out_by_the_network(day: Day) -> None:
    plain = day.wire("", room="", path="/ws/7", address=HERE)
    mine = day.wire(day.mod, address=FAR)
    plain.send("buy this")
    said = mine.hear("message")
    assert day.ban(said["user"], network=True, since=0)["type"] == "done"
    assert plain.closed()[0] == Close.REMOVED
    gone = mine.hear("gone")
    assert (gone["user"], gone["from"], gone["to"]) == (said["user"], said["id"], said["id"])
    with pytest.raises(Declined):
        day.wire("", path="/ws/7", address=NEAR)
    assert deeds(day.site.config.data) == [(MOD, "ban", "Client 7", None, str(FOREVER))]


def test_bans_outlive_a_restart(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    day = Day(site)
    day.wire(day.spammer).close()
    ban = day.ban(network=True)
    site.stop()
    site = day.site = Site(tmp_path / "data")
    try:
        assert day.asks("GET", "/", cookie=day.spammer).status == 403
        assert day.joins(NEAR) == 403
        day.order("unban", id=ban["id"])
        assert day.asks("GET", "/", cookie=day.spammer).status == 200
        assert day.joins(NEAR) == 303
    finally:
        site.stop()


def test_who_is_banned_is_not_forgotten_for_being_silent(day: Day) -> None:
    """They would be somebody new again."""
    day.ban()
    directory = day.site.app.site.directory
    chat.room.people.SILENT, silent = -1, chat.room.people.SILENT
    chat.room.people.UNUSED, unused = -1, chat.room.people.UNUSED
    try:
        day.site.call(directory.tidy, [])
    finally:
        chat.room.people.SILENT, chat.room.people.UNUSED = silent, unused
    assert day.asks("GET", "/", cookie=day.spammer).status == 403


@pytest.mark.parametrize(
    ("order", "fields"),
    [("ban", {"users": [], "until": FOREVER}), ("wipe", {"since": 0})],
)
def test_one_acts_only_on_who_ranks_below(day: Day, order: str, fields: dict[str, Any]) -> None:
    other = day.site.join("den", "Otto")
    id = day.site.promote("Otto", "moderator")

    def told(cookie: str, user: str) -> str:
        whom = {"users": [user]} if order == "ban" else {"user": user}
        answer = day.order(order, cookie, **{**fields, **whom})
        return str(answer.get("code") or answer["type"])

    assert told(day.spammer, id) == "not_allowed"
    assert told(day.mod, id) == "not_allowed"
    day.site.promote("Otto", "owner")
    assert told(day.mod, id) == "not_allowed"
    assert told(other, day.site.user(MOD)) == "done"
    assert day.asks("GET", "/", cookie=other).status == 200


def test_nobody_bans_themselves_and_no_ban_is_over_before_it_begins(day: Day) -> None:
    assert day.ban(day.site.user(MOD))["code"] == "bad_order"
    assert day.ban(until=1)["code"] == "bad_order"
    assert day.asks("GET", "/", cookie=day.mod).status == 200


def test_one_who_may_not_be_banned_saves_all_the_others(day: Day) -> None:
    """An order is carried out whole or not at all."""
    day.site.join("den", "Olga")
    owner = day.site.promote("Olga", "owner")
    assert day.ban(day.user, owner, since=0)["code"] == "not_allowed"
    assert day.asks("GET", "/", cookie=day.spammer).status == 200
    assert deeds(day.site.config.data) == []


def test_nothing_is_said_behind_a_ban(day: Day) -> None:
    """In one commit: what came before it is in the log, what comes after it is not."""

    mod = day.site.user(MOD)

    async def together() -> list[Any]:
        store, at = day.site.app.site.store, now_ms()
        outcomes: list[Any] = []

        def say(cid: str) -> Append:
            return Append("den", day.user, cid, SPAMMER, at, 3, "hello")

        outcast = Outcast(day.user, SPAMMER)
        ban = Ban(mod, at, (outcast,), FOREVER, None, "")
        for op in (say("cid-before"), ban, say("cid-behind")):
            store.write(op, outcomes.append)
        await store.wrote(Probe())
        return outcomes

    before, _, behind = day.site.call(together)
    assert before.rev == 1
    assert (behind.code, behind.until) == ("banned", FOREVER)


# -- what goes


def test_what_somebody_wrote_goes_in_all_rooms_and_everybody_hears_it(day: Day) -> None:
    theirs, garden = day.wire(day.spammer), day.wire(day.spammer, "garden")
    mine = day.wire(day.mod)
    for wire in (theirs, mine, theirs, garden):
        wire.hear("message", cid=wire.say("x"))
    assert day.order("wipe", user=day.user, since=0)["type"] == "done"
    gone = mine.hear("gone")
    assert (gone["from"], gone["to"], gone["user"], gone["rev"]) == (1, 3, day.user, 4)
    assert garden.hear("gone")["user"] == day.user
    answer = day.asks("GET", "/r/den/messages", cookie=day.mod)
    assert [change["id"] for change in json.loads(answer.body)["changes"]] == [2]
    assert deeds(day.site.config.data) == [(MOD, "wipe", SPAMMER, None, "0")]


def test_a_ban_takes_what_was_written_with_it_if_that_is_asked_for(day: Day) -> None:
    theirs, mine = day.wire(day.spammer), day.wire(day.mod)
    theirs.say("x")
    mine.hear("message")
    day.ban(since=0, reason="adverts")
    assert mine.hear("gone")["user"] == day.user
    assert deeds(day.site.config.data) == [(MOD, "ban", SPAMMER, None, f"{FOREVER} adverts")]


def test_what_a_room_does_not_keep_goes_for_everybody_and_for_good(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = day.wire(day.mod), day.wire(day.spammer, "garden")
    mine.command("room", keep=1)
    mine.hear("settings")
    for wire in (mine, mine, other):
        wire.hear("message", cid=wire.say("x"))
    tomorrow = now_ms() + 24 * 3_600_000 + 1
    monkeypatch.setattr(chat.room.chores, "now_ms", lambda: tomorrow)
    day.site.call(day.site.app.site.hub.tidy)
    gone = mine.hear("gone")
    assert (gone["from"], gone["to"]) == (2, 3)
    assert "user" not in gone
    for room, left in (("den", 0), ("garden", 1)):
        answer = day.asks("GET", f"/r/{room}/messages", cookie=day.mod)
        assert len(json.loads(answer.body)["changes"]) == left


def test_a_removed_room_is_empty_and_in_no_list(day: Day) -> None:
    owner = day.site.join("den", "Olga")
    day.site.promote("Olga", "owner")
    inside, elsewhere = day.wire(owner, "plan"), day.wire(day.mod, "plan")
    inside.say("secret")
    elsewhere.hear("message")
    inside.command("room", topic="the plan")
    inside.hear("settings", topic="the plan")
    elsewhere.close()
    lobby = day.wire(day.mod)
    while "plan" not in {room["room"] for room in lobby.hear("rooms", whole=True)["rooms"]}:
        pass
    assert day.order("remove_room", room="plan")["code"] == "not_allowed"
    assert day.order("remove_room", owner, room="plan")["type"] == "done"
    assert "plan" not in {room["room"] for room in lobby.hear("rooms", whole=True)["rooms"]}
    assert inside.hear("gone")["rev"] == 3
    assert inside.hear("settings")["topic"] == ""
    inside.say("anew")
    said = inside.hear("message")
    assert (said["rev"], said["id"]) == (5, 5)
    assert deeds(day.site.config.data) == [("Olga", "remove_room", None, "plan", None)]
    answer = day.asks("GET", "/r/plan/messages", cookie=day.mod)
    assert [change["id"] for change in json.loads(answer.body)["changes"]] == [5]


def test_the_first_room_and_one_that_is_not_cannot_be_removed(day: Day) -> None:
    day.site.promote(MOD, "owner")
    assert day.order("remove_room", room="den")["code"] == "bad_order"
    assert day.order("remove_room", room="nowhere")["code"] == "bad_room"


def test_who_was_let_into_a_removed_room_is_not_any_more(day: Day) -> None:
    day.site.promote(MOD, "owner")
    wire = day.wire(day.mod, "plan")
    wire.say("secret")
    wire.hear("message")
    day.order("member", room="plan", user=day.user, on=True)
    day.order("remove_room", room="plan")
    wire.hear("gone")
    day.chores_done()
    assert day.site.app.site.hub.authority.facts(day.user).rooms == set()


def test_one_order_ends_a_raid(day: Day) -> None:
    """50 newcomers from 10 networks have posted 1,000 messages, ten of them without a name."""
    networks = [f"198.51.{n}" for n in range(10)]
    bystander, mine = day.wire(day.spammer), day.wire(day.mod)
    raiders = [
        day.wire("", path=f"/ws/{n}", address=f"{networks[n % 10]}.{n}")
        if n < 10
        else day.wire(day.site.join("den"), address=f"{networks[n % 10]}.{n}")
        for n in range(50)
    ]
    for _ in range(20):
        for n, wire in enumerate(raiders):
            wire.send("buy this") if n < 10 else wire.say("buy this")
    said = [mine.hear("message", text="buy this") for _ in range(1_000)]
    users = {message["user"] for message in said}
    assert len(users) == 50
    assert day.ban(*users, network=True, since=0)["type"] == "done"
    gone = {mine.hear("gone")["user"] for _ in users}
    assert gone == users
    bystander.hear("message", cid=bystander.say("and on we talk"))
    for wire in raiders:
        assert wire.closed()[0] == Close.REMOVED
    assert [day.joins(f"{network}.99") for network in networks] == [403] * 10
    assert day.joins(FAR) == 303
    answer = day.asks("GET", "/r/den/messages", cookie=day.mod)
    texts = [c["text"] for c in json.loads(answer.body)["changes"] if c["type"] == "message"]
    assert texts == ["and on we talk"]


# -- what is kept of it


def test_a_deletion_by_somebody_else_and_what_a_room_is_are_kept_too(day: Day) -> None:
    theirs, mine = day.wire(day.spammer), day.wire(day.mod)
    theirs.say("x")
    id = mine.hear("message")["id"]
    mine.command("delete", id=id)
    mine.hear("gone")
    mine.hear("message", cid=mine.say("y"))
    mine.command("delete", id=id + 2)
    mine.hear("gone")
    mine.command("room", mode="announce", keep=30)
    mine.hear("settings")
    mine.command("room", topic="tea")
    mine.hear("settings")
    day.order("mute", user=day.user, until=5, reason="caps")
    day.site.promote(MOD, "owner")
    day.order("role", user=day.user, role="guest")
    day.order("member", user=day.user, room="den", on=True)
    assert deeds(day.site.config.data) == [
        (MOD, "delete", SPAMMER, "den", None),
        (MOD, "room", None, "den", "mode announce, keep 30"),
        (MOD, "mute", SPAMMER, None, "5 caps"),
        (MOD, "role", SPAMMER, None, "guest"),
        (MOD, "member", SPAMMER, "den", "on"),
    ]


def test_what_moderators_did_is_forgotten_after_a_year_and_so_are_bans_that_are_over(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = now_ms() + 1000
    day.ban(until=over)
    year = 365 * 24 * 3_600_000
    for later, left in ((year - 60_000, 1), (year + 60_000, 0)):
        monkeypatch.setattr(chat.room.hub, "now_ms", lambda then=over + later: then)
        day.site.call(day.site.app.site.hub.tidy)
        with closing(sqlite3.connect(day.site.config.data / "chat.db")) as db:
            assert db.execute("SELECT count(*) FROM bans").fetchone() == (left,)
        assert len(deeds(day.site.config.data)) == left


# -- what a moderator may know of somebody


def test_a_moderator_reads_about_a_person_and_nobody_else_does(day: Day) -> None:
    wire = day.wire(day.spammer)
    wire.say("x")
    wire.hear("message")
    path = f"/people/{day.user}"
    told = json.loads(day.asks("GET", path, cookie=day.mod).body)
    assert told.pop("made") <= told.pop("seen")
    assert told == {
        "user": day.user, "name": SPAMMER, "role": "member", "muted": 0, "banned": 0,
        "messages": 1, "rooms": [],
    }  # fmt: skip
    assert day.asks("GET", path, cookie=day.spammer).status == 403
    assert day.asks("GET", path).status == 403
    assert json.loads(day.asks("GET", "/people/nobody", cookie=day.mod).body)["code"] == "no_person"
    day.ban()
    assert json.loads(day.asks("GET", path, cookie=day.mod).body)["banned"] == FOREVER


def test_of_who_has_no_name_there_is_what_they_wrote(day: Day) -> None:
    plain, mine = day.wire("", path="/ws/7"), day.wire(day.mod)
    plain.send("one")
    user = mine.hear("message")["user"]
    told = json.loads(day.asks("GET", f"/people/{user}", cookie=day.mod).body)
    assert (told["name"], told["role"], told["messages"]) == ("Client 7", "stranger", 1)


def test_a_private_room_is_named_to_those_who_may_enter_it(day: Day) -> None:
    owner = day.site.join("plan", "Olga")
    day.site.promote("Olga", "owner")
    wire = day.wire(owner, "plan")
    wire.command("room", private=True)
    wire.hear("settings")
    day.order("member", owner, room="plan", user=day.user, on=True)
    path = f"/people/{day.user}"
    assert json.loads(day.asks("GET", path, cookie=owner).body)["rooms"] == ["plan"]
    assert json.loads(day.asks("GET", path, cookie=day.mod).body)["rooms"] == []


@pytest.mark.parametrize("way", ["join", "enter"])
@pytest.mark.parametrize("shut", ["ban", "door"])
def test_who_was_let_in_just_before_the_door_was_shut_is_taken_back(
    day: Day, way: str, shut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were asked before it, and are saved after it."""
    day.wire(day.spammer, address=HERE)
    day.site.join("den", "Olga")
    owner, app = day.site.promote("Olga", "owner"), day.site.app.site
    until = now_ms() + 3_600_000
    link = day.order("invite", role="member", until=until, uses=0)
    hold = Directory._hold

    async def late(*arguments: Any) -> None:
        cid = "cid-of-the-test"
        order: Order = Chat(cid, door="locked")
        if shut == "ban":
            order = BanOrder(cid, (day.user,), FOREVER, network=True)
        await app.office.serve(Person(owner, "Olga", 1), order)
        await hold(*arguments)

    monkeypatch.setattr(Directory, "_hold", late)
    form = {"name": "Late Larry", "token": link["token"]}
    answer = day.asks("POST", f"/{way}", NEAR, form=form)
    monkeypatch.undo()
    code = "banned" if shut == "ban" else "door_locked"
    assert (answer.status, json.loads(answer.body)["code"]) == (403, code)
    assert "Set-Cookie" not in answer.headers
    assert "Late Larry" not in [person.name for person in app.directory]
    with closing(sqlite3.connect(day.site.config.data / "chat.db")) as db:
        found = "SELECT 1 FROM users WHERE name = 'Late Larry' AND skeleton IS NOT NULL"
        assert db.execute(found).fetchone() is None
    assert app.directory.check("Late Larry") == "Late Larry", "the name is free"


def test_who_is_banned_is_not_among_the_people_any_more(day: Day) -> None:
    """Nor who has no tab there at the moment; whose tab is shut otherwise stays for a while."""
    other, ned = day.wire(day.mod), day.site.join("den", "Ned")
    for cookie in (day.spammer, ned):
        day.wire(cookie).close()
    presence = day.site.app.site.hub.rooms["den"].presence

    async def closed() -> None:
        while any(one.sockets for one in presence._people.values() if one.person.name != MOD):
            await asyncio.sleep(0.01)

    day.site.call(closed)
    day.ban()
    inside = day.site.call(presence.people)
    assert {person.name for person in inside.people} == {MOD, "Ned"}
    while SPAMMER in [one["name"] for one in other.hear("people")["people"]]:
        pass
