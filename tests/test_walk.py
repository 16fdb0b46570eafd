"""Everybody at every door: each command and each route, as a stranger, a guest, a member, one who
is muted, one who is banned, a moderator and an owner, in rooms of each mode, private or not.

What is expected stands in the tables here, and is not made from that of access.py.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from client import TEXT, Declined, Wire
from serving import Site
from test_access import address, patterns, tag
from test_kinds import sample

from chat.room.orders import operation
from chat.room.people import now_ms
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER, Command, Order
from chat.wire.protocol import Lasting, Person, kinds

ROLES = ("stranger", "guest", "member", "muted", "banned", "moderator", "owner")
INSIDE = ("guest", "member", "muted", "moderator", "owner")  # who may be in a room at all
NAMES = {"guest": "Gus", "member": "Mel", "muted": "Tim", "banned": "Bea", "moderator": "Mona"}
NAMES |= {"owner": "Olga", "author": "Vic"}
MODES = ("open", "slow", "announce", "locked")

# Who comes into a room, in the order of ROLES. "card": is shown how to join.
ENTER = {
    "public": "card bad_room in in banned in in",
    "invited": "card in in in banned in in",  # public too, and everybody was let into it
    "private": "bad_room bad_room bad_room bad_room banned bad_room in",
    "inside": "bad_room in in in banned in in",  # private, and everybody was let in
}
ROOMS = [f"{mode}-{seen}" for mode in MODES for seen in ENTER]
# What comes of it at each address of a room.
DOORS = {
    ("GET", ""): {"card": 200, "bad_room": 404, "banned": 403, "in": 200},
    ("POST", ""): {"card": 403, "bad_room": 404, "banned": 403, "in": 400},  # of no text
    ("GET", "/ws"): {"card": 403, "bad_room": 404, "banned": 403, "in": "open"},
    ("GET", "/messages"): {"card": 403, "bad_room": 404, "banned": 403, "in": 200},
    ("GET", "/messages?since=0&wait=0"): {"card": 403, "bad_room": 404, "banned": 403, "in": 200},
    ("POST", "/files?name=a.txt"): {"card": 403, "bad_room": 404, "banned": 403, "in": 200},
    ("GET", "/members"): {"card": 403, "bad_room": 404, "banned": 403, "in": 403},
}
GOVERNS = ("moderator", "owner")  # are shown who is in
UPLOADS = {  # what those get who are in, in the order of INSIDE: only who may write, may upload
    "open": "200 200 403 200 200",
    "slow": "200 200 403 200 200",
    "announce": "403 403 403 200 200",
    "locked": "403 403 403 403 403",
}

# What the commands come to that are kept, in the order of INSIDE: the type of the change, `done`
# (it is so already), or why not.
NOT_YOURS = "not_yours not_yours muted not_yours not_yours"
DONE = {
    ("react", "theirs"): dict.fromkeys(MODES, "reaction reaction reaction reaction reaction"),
    ("edit", "theirs"): {
        "open": NOT_YOURS,
        "slow": NOT_YOURS,
        "announce": "announcements announcements muted not_yours not_yours",
        "locked": "room_locked room_locked muted room_locked room_locked",
    },
    ("edit", "own"): {
        "open": "message message muted message message",
        "slow": "message message muted message message",
        "announce": "announcements announcements muted message message",
        "locked": "room_locked room_locked muted room_locked room_locked",
    },
    ("room", "topic"): {
        "open": "not_allowed settings muted settings settings",
        "slow": "not_allowed settings muted settings settings",
        "announce": "not_allowed announcements muted settings settings",
        "locked": "not_allowed room_locked muted room_locked room_locked",
    },
    ("room", "mode"): dict.fromkeys(MODES, "not_allowed not_allowed not_allowed done done"),
    ("room", "slow"): dict.fromkeys(MODES, "not_allowed not_allowed not_allowed done done"),
    ("room", "private"): dict.fromkeys(MODES, "not_allowed not_allowed not_allowed done done"),
    ("room", "keep"): dict.fromkeys(MODES, "not_allowed not_allowed not_allowed done done"),
    ("say", "first"): {
        "open": "message message muted message message",
        "slow": "message message muted message message",
        "announce": "announcements announcements muted message message",
        "locked": "room_locked room_locked muted room_locked room_locked",
    },
    ("say", "second"): {
        "open": "message message muted message message",
        "slow": "slow_down slow_down muted message message",
        "announce": "announcements announcements muted message message",
        "locked": "room_locked room_locked muted room_locked room_locked",
    },
    ("delete", "theirs"): dict.fromkeys(MODES, "not_yours not_yours not_yours gone gone"),
    ("delete", "own"): dict.fromkeys(MODES, "gone gone gone gone gone"),
}
# What is only passed on, or is about oneself, in the order of INSIDE.
PASSED = {
    "ping": dict.fromkeys(MODES, "yes yes yes yes yes"),
    "typing": {
        "open": "yes yes no yes yes",
        "slow": "yes yes no yes yes",
        "announce": "no no no yes yes",
        "locked": "no no no no no",
    },
    "appear": dict.fromkeys(MODES, "yes yes yes yes yes"),
    "read": dict.fromkeys(MODES, "yes yes yes yes yes"),
    "read_all": dict.fromkeys(MODES, "yes yes yes yes yes"),
    "leave": dict.fromkeys(MODES, "yes yes yes yes yes"),
    "keep": dict.fromkeys(MODES, "yes yes yes yes yes"),
}

# What a stranger's first and second message to the house come to, by the plain dialect.
STRANGER = {
    "open": ("message", "message"),
    "slow": ("message", "slow_down"),
    "announce": ("announcements", "announcements"),
    "locked": ("room_locked", "room_locked"),
}

# Orders, in the order of ROLES; "no" is not_allowed.
NO_ONE = "sign_in no no no banned"
ORDERS = {
    "mute": f"{NO_ONE} done done",
    "ban": f"{NO_ONE} done done",
    "unban": f"{NO_ONE} done done",
    "wipe": f"{NO_ONE} done done",
    "readmit": f"{NO_ONE} link link",
    "role": f"{NO_ONE} no done",
    "member": f"{NO_ONE} done done",
    "chat": f"{NO_ONE} no done",
    "invite": f"{NO_ONE} link link",
    "revoke": f"{NO_ONE} done done",
    "hook": f"{NO_ONE} no link",
    "remove_room": f"{NO_ONE} no done",
}
SAID = {  # what the orders say, when they are about Tom
    "mute": {"until": 0},
    "ban": {"until": FOREVER},
    "unban": {"id": 999},  # of nobody: lifted already
    "wipe": {"since": 0},
    "readmit": {},
    "role": {"role": "member"},
    "member": {"room": "open-public", "on": True},
    "chat": {"door": "open"},
    "invite": {"role": "member", "until": FOREVER, "uses": 1},
    "revoke": {"id": 999},
    "hook": {"rooms": ["open-public"]},
    "remove_room": {},
}

# Every route, in the order of ROLES: what GET comes to, and POST of an empty form. Where no room
# is named it is the house; `den` is a room into which nobody was let.
FOR_ALL, NO_POST = "200 200 200 200 200 200 200", "405 405 405 405 405 405 405"
KNOWN = "403 405 405 405 403 405 405"  # has to be known before it is said that there is no such way
ROUTES = {
    "/": ("200 303 200 200 403 200 200", "403 404 400 400 403 400 400"),
    "/r/": ("303 303 303 303 403 303 303", NO_POST),
    "/r/([^/]+)": ("200 404 200 200 403 200 200", "403 404 400 400 403 400 400"),
    "/r/([^/]+)/ws": ("403 404 open open 403 open open",),
    "/r/([^/]+)/messages": ("403 404 200 200 403 200 200", KNOWN),
    "/r/([^/]+)/files": ("403 404 405 403 403 405 405", "403 404 200 403 403 200 200"),
    "/r/([^/]+)/members": ("403 404 403 403 403 200 200", KNOWN),
    "/files/([A-Za-z0-9_-]{22})/[^/]*": ("403 404 404 404 403 404 404", KNOWN),
    "/ws/([0-9]{1,20})": ("open open open open open open open",),  # whoever it is has no name there
    "/join": ("303 303 303 303 303 303 303", "400 404 400 400 403 400 400"),
    "/enter": (FOR_ALL, "410 410 410 410 410 410 410"),
    "/i": (FOR_ALL, "410 410 410 410 410 410 410"),
    "/enter/look": ("303 303 303 303 303 303 303", "410 410 410 410 410 410 410"),
    "/i/look": ("303 303 303 303 303 303 303", "410 410 410 410 410 410 410"),
    "/devices": ("403 200 200 200 403 200 200", "403 200 200 200 403 200 200"),
    "/devices/([A-Za-z0-9_-]{1,64})": (KNOWN, "403 200 200 200 403 200 200"),
    "/invites": ("403 403 403 403 403 200 200", KNOWN),
    "/orders": (KNOWN, "403 400 400 400 403 400 400"),
    "/people/([A-Za-z0-9_-]{1,64})": ("403 403 403 403 403 404 404", KNOWN),  # of nobody
    "/owner": ("403 404 404 404 403 200 200", KNOWN),
    "/hook": ("401 401 401 401 401 401 401", "401 401 401 401 401 401 401"),  # it asks for a key
    "/hook/([^/]+)": ("401 401 401 401 401 401 401", "401 401 401 401 401 401 401"),
    "/name": (NO_POST, "403 400 400 400 403 400 400"),
    "/qr": ("403 400 400 400 403 400 400", "403 400 400 400 403 400 400"),
    "/signout": (NO_POST,),  # see the last test
    "/healthz": (FOR_ALL, NO_POST),
    "/manifest.json": (FOR_ALL, NO_POST),
    "/sw.js": (FOR_ALL, NO_POST),
    "/static/*/(.*)": (FOR_ALL, NO_POST),
}


class World:
    """One server, with everybody and every room of ROOMS in it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        site.join("lobby", "Hal")  # who comes first says what the house is called
        self.cookies = {role: site.join("lobby", name) for role, name in NAMES.items()}
        self.ids = {role: site.user(name) for role, name in NAMES.items()}
        self.cookies["stranger"], self.ids["stranger"] = "", "nobody"
        site.join("lobby", "Tom")
        self.visitors = 0
        for role in ("owner", "moderator", "guest"):
            site.promote(NAMES[role], role)
        self.olga = self.wire("owner", "lobby")
        self.wires = {("owner", "lobby"): self.olga}
        self.ids_of: dict[tuple[str, str], int] = {}  # messages: room, whose
        self.order("member", room="aside", user=self.ids["guest"], on=True)
        for room in ROOMS:
            self._make(*room.split("-"))
        self.order("mute", user=self.ids["muted"], until=FOREVER)
        self.order("ban", users=[self.ids["banned"]], until=FOREVER)

    def _make(self, mode: str, seen: str) -> None:
        """A room with a message of everybody who can be in it, before it is as it is to be."""
        room = f"{mode}-{seen}"
        if seen in ("invited", "inside"):
            for role in ROLES[1:-1]:
                self.order("member", room=room, user=self.ids[role], on=True)
        for role in ("author", *expected(INSIDE, seen)):
            wire = self.wires[role, room] = self.wire(role, room)
            self.ids_of[room, role] = self.says(wire)
        for role in GOVERNS:  # what each of them may delete
            self.ids_of[room, f"for {role}"] = self.says(self.wires["author", room])
        owner = self.wires["owner", room]
        private = seen in ("private", "inside")
        cid = owner.command("room", mode=mode, slow=3600, private=private)
        # A slow figure is only of a slow room; what is so already is `done`.
        assert outcome(owner, cid) in ("settings", "done")

    def wire(self, role: str, room: str) -> Wire:
        return self.site.wire(room, self.cookies[role])

    def says(self, wire: Wire) -> int:
        return int(wire.hear("message", cid=wire.say("hello"))["id"])

    def order(self, order: str, **said: Any) -> None:
        self.olga.hear("done", cid=self.olga.command(order, **said))

    def asks(self, role: str, method: str, path: str, **options: Any) -> int | str:
        """What comes of it: a status, or `open` of a socket."""
        cookie = self.cookies[role]
        if "/ws" in path:
            try:
                Wire(self.site.port, path, cookie=cookie).opened().close()
            except Declined as declined:
                return declined.status
            return "open"
        headers = {"Cookie": cookie} if cookie else {}
        if method == "POST":  # each from elsewhere: tries to guess a code are counted by address
            self.visitors += 1
            headers["X-Forwarded-For"] = f"2001:db8:0:{self.visitors:x}::1"
            options.setdefault("form", {})
        return int(self.site.http(method, path, headers=headers, **options).status)

    def close(self) -> None:
        for wire in self.wires.values():
            wire.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    site = Site(tmp_path_factory.mktemp("walk") / "data")
    world = World(site)
    yield world
    world.close()
    site.stop()
    assert site.log == []


def expected(roles: tuple[str, ...], seen: str) -> list[str]:
    """Those of these roles who come into such a room."""
    return [role for role in roles if row(ROLES, ENTER[seen])[role] == "in"]


def row(roles: tuple[str, ...], words: str) -> dict[str, str]:
    """What is expected of each role."""
    return dict(zip(roles, words.split(), strict=True))


def outcome(wire: Wire, cid: str) -> str:
    """The type of the answer to this command, or the code of a refusal."""
    while (event := wire.event()).get("cid") != cid:
        pass
    return str(event["code"] if event["type"] == "refused" else event["type"])


def differences(found: dict[Any, Any], wanted: dict[Any, Any]) -> str:
    """Which cases are not as they should be."""
    wrong = [key for key in wanted if found.get(key) != wanted[key]]
    return "\n".join(f"{key}: {found.get(key)}, not {wanted[key]}" for key in wrong)


# -- none is forgotten


def test_every_command_is_in_a_table() -> None:
    assert {name for name, _ in DONE} == {tag(kind) for kind in kinds(Lasting)}
    assert set(ORDERS) == set(SAID) == {tag(kind) for kind in kinds(Order)}
    others = {tag(kind) for kind in kinds(Command)} - {name for name, _ in DONE} - set(ORDERS)
    assert set(PASSED) == others


# -- rooms


def test_everybody_at_the_door_of_every_room(world: World) -> None:
    found, wanted = {}, {}
    for room in ROOMS:
        for role, word in row(ROLES, ENTER[room.split("-")[1]]).items():
            for (method, path), status in DOORS.items():
                key = role, method, path, room
                found[key] = world.asks(role, method, f"/r/{room}{path}")
                wanted[key] = status[word]
                if role == "stranger" and (method, path) != ("GET", ""):
                    wanted[key] = 403  # has to join before anything is looked up
                if path.startswith("/files") and word == "in":
                    wanted[key] = int(row(INSIDE, UPLOADS[room.split("-")[0]])[role])
                if (path, word) == ("/members", "in") and role in GOVERNS:
                    wanted[key] = 200
    assert found == wanted, differences(found, wanted)


def test_the_writer_keeps_out_who_came_past_the_door(world: World) -> None:
    """Whoever is not admitted does nothing in any room, by any command."""
    store, wrong = world.site.app.site.store, []
    for room in ROOMS:
        for role, word in row(ROLES, ENTER[room.split("-")[1]]).items():
            if word in ("in", "card"):
                continue
            for kind in kinds(Lasting):
                person = Person(world.ids[role], "Somebody", 1)
                asked = sample(kind)
                asked.cid = secrets.token_hex(8)
                try:
                    world.site.call(store.wrote, operation(asked, person, (room, ""), now_ms()))
                    wrong.append((role, room, tag(kind), "is done"))
                except Refusal as refusal:
                    if refusal.code != word:
                        wrong.append((role, room, tag(kind), refusal.code))
    assert wrong == []


def test_everybody_does_what_is_kept_in_rooms_of_every_mode(world: World) -> None:
    found, wanted = {}, {}
    for room in ROOMS:
        mode, seen = room.split("-")
        private = seen in ("private", "inside")
        for (name, what), words in DONE.items():
            for role in expected(INSIDE, seen):
                wire, key = world.wires[role, room], (role, name, what, room)
                id = world.ids_of[room, role if what == "own" else "author"]
                if (name, what) == ("delete", "theirs") and role in GOVERNS:
                    id = world.ids_of[room, f"for {role}"]
                said: dict[str, Any] = {
                    "say": {"text": "a word"},
                    "edit": {"id": id, "text": secrets.token_hex(4)},
                    "delete": {"id": id},
                    "react": {"id": id, "emoji": "👍", "on": True},
                    "room": {what: {"mode": mode, "private": private}.get(what)},
                }[name]
                if what == "topic":
                    said = {"topic": secrets.token_hex(4)}
                if what == "slow":
                    said = {"slow": 3600}
                found[key] = outcome(wire, wire.command(name, **said))
                wanted[key] = row(INSIDE, words[mode])[role]
    assert found == wanted, differences(found, wanted)


@pytest.mark.parametrize("mode", MODES)
def test_a_stranger_says_what_they_may_in_a_house_of_every_mode(world: World, mode: str) -> None:
    olga = world.olga
    assert outcome(olga, olga.command("room", mode=mode, slow=3600)) in ("settings", "done")
    plain = Wire(world.site.port, "/ws/7").opened()
    for wanted in STRANGER[mode]:
        text = secrets.token_hex(4)
        plain.send(text)
        if wanted == "message":
            assert olga.hear("message", text=text)["name"] == "Client 7"
        else:
            assert plain.read() == (TEXT, Refusal(wanted).detail.encode())
    assert outcome(olga, olga.command("room", mode="open", private=True)) == "settings"
    assert plain.closed()[0] == 4001
    plain.close()
    with pytest.raises(Declined) as declined:
        Wire(world.site.port, "/ws/7").opened()
    assert declined.value.status == 404
    assert outcome(olga, olga.command("room", private=False)) == "settings"


def test_everybody_passes_on_what_they_may_in_rooms_of_every_mode(world: World) -> None:
    found, wanted = {}, {}
    for room in ROOMS:
        mode, seen = room.split("-")
        for role in expected(INSIDE, seen):
            for name, done in passed(world, role, room).items():
                found[role, name, room] = "yes" if done else "no"
                wanted[role, name, room] = row(INSIDE, PASSED[name][mode])[role]
    assert found == wanted, differences(found, wanted)


def passed(world: World, role: str, room: str) -> dict[str, bool]:
    """What each of these commands came to."""
    site, wire, user = world.site.app.site, world.wires[role, room], world.ids[role]
    id = world.ids_of[room, "author"]

    def heard(name: str, **said: Any) -> list[str]:
        """What is told before the answer to a later command: they are served in order."""
        wire.command(name, **said)
        cid = wire.command("react", id=id, emoji="👀", on=secrets.randbits(1) == 0)
        types: list[str] = []
        while (event := wire.event()).get("cid") != cid:
            types.append(str(event["type"]))
        return types

    def mine() -> Any:
        return world.site.call(site.hub.marks.look, user, room)

    def visible() -> bool:
        (seat,) = [one for one in site.hub.rooms[room].seats if one.person.user == user]
        return bool(seat.visible)

    done = {"ping": "pong" in heard("ping"), "typing": "typing" in heard("typing")}
    heard("appear", here=False)
    done["appear"] = not world.site.call(visible)
    heard("read", id=0, back=True)
    heard("read", id=1)
    done["read"] = mine().read == 1
    heard("read_all", room=room)
    done["read_all"] = mine().read > 1
    heard("keep", key=f"level:{room}", value="all")
    done["keep"] = mine().kept.get(f"level:{room}") == "all"
    world.wire(role, "aside").close()
    assert "aside" in [one.room for one in mine().rooms]
    heard("leave", room="aside")
    done["leave"] = "aside" not in [one.room for one in mine().rooms]
    return done


# -- orders


@pytest.mark.parametrize("way", ["http", "socket"])
def test_everybody_gives_every_order(world: World, way: str) -> None:
    found, wanted = {}, {}
    tom, room = world.site.user("Tom"), f"old-{way}"
    wire = world.wire("author", room)
    world.says(wire)
    wire.close()
    for name, words in ORDERS.items():
        (kind,) = [kind for kind in kinds(Order) if tag(kind) == name]
        for role, word in row(ROLES, words).items():
            said = {**SAID[name], "cid": secrets.token_hex(8)}
            if "user" in kind.__struct_fields__:
                said["user"] = tom
            if name == "ban":
                said["users"] = [tom]
            if name == "remove_room":
                said["room"] = room
            if name == "hook":
                said["name"] = f"Siren {secrets.randbelow(10**6)}"
            if way == "http":
                headers = {"Cookie": world.cookies[role]} if world.cookies[role] else {}
                body = {"type": name, **said}
                answer = json.loads(
                    world.site.http("POST", "/orders", headers=headers, json_body=body).body
                )
                found[role, name] = answer.get("code" if "detail" in answer else "type")
            elif role in INSIDE:
                wire = world.wires[role, "open-invited"]
                found[role, name] = outcome(wire, wire.command(name, **said))
            else:
                continue
            wanted[role, name] = "not_allowed" if word == "no" else word
    assert found == wanted, differences(found, wanted)


# -- every other route


def test_every_route_is_in_a_table(world: World) -> None:
    assert set(ROUTES) == set(patterns(world.site))


def test_everybody_at_every_route(world: World) -> None:
    found, wanted = {}, {}
    for pattern, both in ROUTES.items():
        for method, words in zip(("GET", "POST"), both, strict=False):
            for role, word in row(ROLES, words).items():
                key = role, method, pattern
                found[key] = str(world.asks(role, method, address(world.site, pattern)))
                wanted[key] = word
    assert found == wanted, differences(found, wanted)


def test_a_guest_who_names_no_room_is_led_to_theirs(world: World) -> None:
    """The first that they were let into, by its name; and with none there is none."""
    site = world.site
    gast = site.join("lobby", "Gast")
    user = site.promote("Gast", "guest")
    assert site.http("GET", "/", headers={"Cookie": gast}).status == 404
    for room in ("open-inside", "locked-inside"):
        world.order("member", room=room, user=user, on=True)
    answer = site.http("GET", "/", headers={"Cookie": gast})
    assert (answer.status, answer.headers["Location"]) == (303, "r/locked-inside")
    page = site.http("GET", "/r/locked-inside", headers={"Cookie": gast})
    assert page.status == 200
    assert site.http("GET", "/r/lobby", headers={"Cookie": gast}).status == 404
    assert site.http("POST", "/", headers={"Cookie": gast}, form={"text": "hi"}).status == 404


def test_who_is_banned_does_not_sign_out_and_the_others_do(world: World) -> None:
    """It would make them somebody new."""
    found, site = {}, world.site
    for role in ROLES[1:]:
        name = f"Second {NAMES[role]}"
        cookie = site.join("lobby", name)
        if role in ("guest", "moderator", "owner"):
            site.promote(name, role)
        if role == "muted":
            world.order("mute", user=site.user(name), until=FOREVER)
        if role == "banned":
            world.order("ban", users=[site.user(name)], until=FOREVER)
        answer = site.http("POST", "/signout", headers={"Cookie": cookie}, form={"room": "lobby"})
        found[role] = answer.status
    assert found == {**dict.fromkeys(ROLES[1:], 303), "banned": 403}
