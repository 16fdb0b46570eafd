"""What the writer lets through: who writes where, who sees what, and nothing behind a mute."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client import Declined, Wire
from serving import Site

from chat.log.ranks import Mute
from chat.wire.orders import FOREVER
from chat.wire.protocol import Say

ROOM = "den"
SECRET = "what only those inside may know"
PEOPLE = {"Olga": "owner", "Mona": "moderator", "Ben": "member", "Cyd": "member"}


class Den:
    """A room with an owner, a moderator and two members in it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.join("lobby", "Hal")  # who comes first says what the house is called
        self.cookies = {name: site.join(ROOM, name) for name in PEOPLE}
        self.ids = {name: site.promote(name, role) for name, role in PEOPLE.items()}
        self.wires = {name: site.wire(ROOM, cookie) for name, cookie in self.cookies.items()}

    def does(self, name: str, command: str, **fields: Any) -> dict[str, Any]:
        """What a lasting command of this person came to, as its own tab hears it."""
        return outcome(self.wires[name], self.wires[name].command(command, **fields))

    def says(self, name: str, text: str = "hello") -> str:
        """`message`, or the code of the refusal."""
        event = self.does(name, "say", text=text)
        return str(event.get("code", event["type"]))

    def orders(self, name: str, order: str, **fields: Any) -> None:
        """An order that is carried out."""
        answer = self.site.order(self.cookies[name], order, **fields)
        assert answer.status == 200, answer

    def asks(self, name: str, path: str) -> Any:
        """One request of this person."""
        return self.site.http("GET", path, headers={"Cookie": self.cookies[name]})


def outcome(wire: Wire, cid: str) -> dict[str, Any]:
    while (event := wire.event()).get("cid") != cid:
        pass
    return event


@pytest.fixture
def den(site: Site) -> Iterator[Den]:
    den = Den(site)
    yield den
    for wire in den.wires.values():
        wire.close()


@pytest.mark.parametrize(
    ("mode", "writers", "code"),
    [("open", "Olga Mona Ben", ""), ("announce", "Olga Mona", "announcements"),
     ("locked", "", "room_locked")],
)  # fmt: skip
def test_who_writes_in_a_room_of_each_mode(den: Den, mode: str, writers: str, code: str) -> None:
    first = den.does("Ben", "say", text="early")
    den.does("Mona", "room", mode=mode)
    for name in ("Olga", "Mona", "Ben"):
        assert den.says(name) == ("message" if name in writers else code)
    edited = den.does("Ben", "edit", id=first["id"], text="late")
    assert edited.get("code", "") == code
    reacted = den.does("Cyd", "react", id=first["id"], emoji="👍", on=True)
    assert reacted["type"] == "reaction"
    assert den.does("Ben", "delete", id=first["id"])["type"] == "gone"


def test_in_a_slow_room_the_next_message_is_told_when_to_come(den: Den) -> None:
    den.does("Mona", "room", mode="slow", slow=5)
    assert den.says("Ben") == "message"
    refused = den.does("Ben", "say", text="too soon")
    assert refused["code"] == "slow_down"
    assert 0 < refused["retry"] <= 5000
    assert den.says("Cyd") == "message", "each for themselves"
    for _ in range(2):
        assert den.says("Mona") == "message", "who governs it is not slowed down"
    assert den.does("Ben", "edit", id=2, text="a better word")["type"] == "message"


def test_a_slow_room_of_which_no_figure_is_told_has_one(den: Den) -> None:
    settings = den.does("Mona", "room", mode="slow")
    assert (settings["mode"], settings["slow"]) == ("slow", 30)


def test_what_is_absent_stays_as_it_is(den: Den) -> None:
    den.does("Mona", "room", topic="numbers", mode="announce", keep=30)
    settings = den.does("Mona", "room", private=True)
    assert {key: settings[key] for key in ("topic", "mode", "keep", "private")} == {
        "topic": "numbers", "mode": "announce", "keep": 30, "private": True,
    }  # fmt: skip
    assert "keep" not in den.does("Mona", "room", keep=None), "for ever"


@pytest.mark.parametrize("field", [{"mode": "locked"}, {"private": True}, {"keep": 1}])
def test_a_member_sets_the_topic_and_nothing_else(den: Den, field: dict[str, Any]) -> None:
    assert den.does("Ben", "room", topic="numbers")["type"] == "settings"
    assert den.does("Ben", "room", topic="letters", **field)["code"] == "not_allowed"


def test_who_is_muted_reads_and_reacts_and_is_told_until_when(den: Den) -> None:
    first = den.does("Ben", "say", text="early")
    den.orders("Mona", "mute", user=den.ids["Ben"], until=FOREVER)
    for command in ({"text": "late"}, {"text": "late", "id": first["id"]}):
        refused = den.does("Ben", "edit" if "id" in command else "say", **command)
        assert (refused["code"], refused["until"]) == ("muted", FOREVER)
    assert den.does("Ben", "room", topic="numbers")["code"] == "muted"
    assert den.does("Ben", "react", id=first["id"], emoji="👍", on=True)["type"] == "reaction"
    headers = {"Cookie": den.cookies["Ben"], "Content-Type": "text/plain"}
    upload = den.site.http("POST", f"/r/{ROOM}/files?name=a", headers=headers, form={"a": "b"})
    assert json.loads(upload.body)["code"] == "muted"
    den.wires["Ben"].command("typing")
    den.does("Ben", "react", id=first["id"], emoji="👍", on=False)
    wire = den.wires["Cyd"]
    heard = []
    while (event := wire.event()).get("on") is not False:
        heard.append(event["type"])
    assert "typing" not in heard
    den.orders("Mona", "mute", user=den.ids["Ben"], until=0)
    assert den.says("Ben") == "message"


def test_a_mute_is_over_at_its_time(den: Den, monkeypatch: pytest.MonkeyPatch) -> None:
    den.orders("Mona", "mute", user=den.ids["Ben"], until=2_000_000_000_000)
    assert den.says("Ben") == "muted"
    monkeypatch.setattr("chat.room.room.now_ms", lambda: 2_000_000_000_000)
    assert den.says("Ben") == "message"


def test_what_is_on_the_way_with_a_mute_is_not_saved_behind_it(den: Den) -> None:
    """Both in one transaction: the writer has the last word, whatever the room thought."""
    site, room = den.site, den.site.app.site.hub.rooms[ROOM]

    def both() -> None:
        (seat,) = [seat for seat in room.seats if seat.person.name == "Ben"]
        store = site.app.site.store
        store.write(Mute(den.ids["Mona"], 1, den.ids["Ben"], FOREVER), lambda outcome: None)
        room.serve(seat, Say("behind-it", "a last word"))

    assert den.says("Ben") == "message"
    site.call(both)
    assert outcome(den.wires["Ben"], "behind-it")["code"] == "muted"
    assert b"a last word" not in den.asks("Cyd", f"/r/{ROOM}/messages").body


def test_a_moderator_deletes_what_anybody_wrote(den: Den) -> None:
    message = den.does("Ben", "say", text="rude")
    assert den.does("Cyd", "delete", id=message["id"])["code"] == "not_yours"
    assert den.does("Mona", "delete", id=message["id"])["type"] == "gone"
    assert den.does("Ben", "say", text="again")["type"] == "message"


def test_others_see_what_somebody_is_and_all_their_tabs_are_told(den: Den) -> None:
    second = den.site.wire("elsewhere", den.cookies["Ben"])
    den.orders("Olga", "role", user=den.ids["Ben"], role="moderator")
    for wire in (den.wires["Ben"], second):
        assert wire.hear("standing") == {"type": "standing", "role": "moderator"}
    second.close()
    wire = den.wires["Cyd"]
    roles: dict[str, str] = {}
    while roles.get("Ben") != "moderator":
        people = wire.hear("people")["people"]
        roles = {person["name"]: person.get("role", "member") for person in people}
    assert roles == PEOPLE | {"Ben": "moderator"}
    den.orders("Olga", "role", user=den.ids["Ben"], role="member")
    assert den.wires["Ben"].hear("standing") == {"type": "standing", "role": "member"}


def test_a_room_that_becomes_private_keeps_those_who_are_in_it(den: Den) -> None:
    """For everybody else there is no such room any more, until they are let in."""
    site, out = den.site, den.site.join("lobby", "Dan")
    eve = site.join(ROOM, "Eve")
    site.wire(ROOM, eve).close()  # has it in her list
    outcome(den.wires["Ben"], den.wires["Ben"].say(SECRET))
    den.does("Mona", "room", private=True)
    for name in PEOPLE:
        assert den.says(name) == "message"
    site.wire(ROOM, eve).close()
    assert not inside(site, out)
    den.orders("Mona", "member", room=ROOM, user=site.user("Dan"), on=True)
    assert inside(site, out)
    den.orders("Mona", "member", room=ROOM, user=site.user("Dan"), on=False)
    assert not inside(site, out)


def inside(site: Site, cookie: str) -> bool:
    """Whether there is such a room for this person: by no way anything of it is told, or by all."""
    found = set()
    for path in (f"/r/{ROOM}", f"/r/{ROOM}/messages", f"/r/{ROOM}/messages?since=0&wait=1"):
        answer = site.http("GET", path, headers={"Cookie": cookie})
        assert (SECRET.encode() in answer.body) is (answer.status == 200)
        found.add(answer.status)
    wire = Wire(site.port, f"/r/{ROOM}/ws", cookie=cookie)
    try:
        wire.opened()
        found.add(200)
    except Declined as declined:
        found.add(declined.status)
    wire.close()
    assert len(found) == 1
    return found == {200}


def test_strangers_leave_a_house_that_becomes_private(den: Den) -> None:
    """Before they hear what made them leave; and there is no way back."""
    plain = Wire(den.site.port, "/ws/7").opened()
    hal = den.site.wire("lobby", den.cookies["Mona"])
    assert outcome(hal, hal.command("room", private=True))["private"] is True
    assert plain.closed()[0] == 4001
    again = Wire(den.site.port, "/ws/7")
    with pytest.raises(Declined) as declined:
        again.opened()
    again.close()
    plain.close()
    assert declined.value.status == 404, "there is no such room"
    hal.close()


def test_who_is_not_inside_is_not_called_and_sees_no_count(den: Den) -> None:
    dan = den.site.wire("lobby", den.site.join("lobby", "Dan"))
    den.does("Mona", "room", private=True)
    message = den.does("Ben", "say", text="@Dan @Cyd see this")
    assert list(message["mentions"].values()) == ["Cyd"]
    lobby = den.site.wire("lobby", den.cookies["Cyd"])
    rooms = [room["room"] for room in lobby.hear("rooms", whole=True)["rooms"]]
    assert rooms == ["lobby", ROOM]
    dan.command("say", text="the end")
    rooms = [room["room"] for room in dan.hear("rooms", whole=True)["rooms"]]
    assert rooms == ["lobby"]
    for wire in (dan, lobby):
        wire.close()


def test_a_room_in_a_list_goes_from_it_with_the_right_to_be_there(den: Den) -> None:
    den.does("Mona", "room", private=True)
    lobby = den.site.wire("lobby", den.cookies["Cyd"])
    assert ROOM in [room["room"] for room in lobby.hear("rooms", whole=True)["rooms"]]
    den.orders("Mona", "member", room=ROOM, user=den.ids["Cyd"], on=False)
    assert ROOM not in [room["room"] for room in lobby.hear("rooms", whole=True)["rooms"]]
    assert den.wires["Cyd"].hear("bye")["reason"] == "removed"
    lobby.close()


def test_a_guest_of_one_room_learns_nothing_of_another(den: Den) -> None:
    cookie = den.site.join(ROOM, "Gus")
    den.site.promote("Gus", "guest")
    den.orders("Mona", "member", room=ROOM, user=den.site.user("Gus"), on=True)
    hal = den.site.wire("lobby", den.site.join("lobby", "Ida"))
    outcome(hal, hal.say(f"{SECRET} @Gus"))
    gus = den.site.wire(ROOM, cookie)
    rooms = gus.hear("rooms", whole=True)["rooms"]
    assert [room["room"] for room in rooms] == [ROOM]
    outcome(gus, gus.say("hello"))
    for path in ("/r/lobby/messages", "/r/lobby/messages?since=0&wait=1", "/r/elsewhere"):
        answer = den.site.http("GET", path, headers={"Cookie": cookie})
        assert answer.status == 404, path
        assert SECRET.encode() not in answer.body
    headers = {"Cookie": cookie, "Accept": "application/json"}
    posted = den.site.http("POST", "/r/elsewhere", headers=headers, form={"text": "hi"})
    assert json.loads(posted.body)["code"] == "bad_room"
    page = den.site.http("GET", f"/r/{ROOM}", headers={"Cookie": cookie})
    assert page.status == 200
    assert b"Ida" not in page.body
    assert outcome(gus, gus.command("room", topic="mine"))["code"] == "not_allowed"
    for wire in (gus, hal):
        wire.close()


def test_a_room_with_damaged_settings_is_for_the_owner_alone(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    site.join("lobby", "Hal")
    ben, olga = site.join(ROOM, "Ben"), site.join(ROOM, "Olga")
    site.promote("Olga", "owner")
    wire = site.wire(ROOM, ben)
    outcome(wire, wire.command("room", topic="numbers"))
    wire.close()
    site.stop()
    with sqlite3.connect(tmp_path / "data" / "chat.db") as db:
        db.execute("UPDATE things SET sum = sum + 1 WHERE kind = 'settings'")
    db.close()
    site = Site(tmp_path / "data")
    try:
        assert site.http("GET", f"/r/{ROOM}", headers={"Cookie": ben}).status == 404
        wire = site.wire(ROOM, olga)
        assert outcome(wire, wire.say("hello"))["code"] == "room_locked"
        assert outcome(wire, wire.command("room", mode="open", private=False))["type"] == "settings"
        site.wire(ROOM, ben).close()
        wire.close()
        assert any("damaged" in line for line in site.log)
        site.log.clear()
    finally:
        site.stop()
