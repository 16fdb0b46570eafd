"""chat/rules/access.py: its table is what every command and every route does, for everybody."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Declined, Wire
from serving import Site
from test_kinds import sample

import chat.room.recent
from chat.line.sockets import ChatSocket
from chat.log import powers
from chat.log.store import Store
from chat.room import office
from chat.room.marks import Marks
from chat.rules.access import TABLE, Answer, Role, Verb, may
from chat.web.pages import Letter
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER, Command, Order
from chat.wire.protocol import Lasting, Person, Say, kinds

SECRET = "what was said behind the door"
ROOM = "den"

# What everybody may do today. Who changes the table changes this, and what the docs say.
TODAY = {
    Verb.ENTER: (Answer.YES, Answer.YES),
    Verb.SAY: (Answer.YES, Answer.YES),
    Verb.EDIT: (Answer.OWN, Answer.NO),
    Verb.DELETE: (Answer.OWN, Answer.NO),
    Verb.REACT: (Answer.YES, Answer.NO),
    Verb.ARRANGE: (Answer.YES, Answer.NO),
    **dict.fromkeys((Verb.GOVERN, Verb.INVITE, Verb.MODERATE, Verb.MANAGE), (Answer.NO, Answer.NO)),
}
VERBS = {
    "say": Verb.SAY,
    "edit": Verb.EDIT,
    "delete": Verb.DELETE,
    "react": Verb.REACT,
    "room": Verb.ARRANGE,
}
# What is heard of the commands that are only passed on.
PASSING = {"ping": "pong", "typing": "typing", "appear": "people"}
OWN = ["read", "read_all", "leave", "keep"]  # what is about a person's own marks and settings
# Every route: what a stranger gets, and a member, when everybody may come in. `open`: a handshake.
ROUTES = {
    "/": (200, 200),
    "/r/": (303, 303),
    "/r/([^/]+)": (200, 200),
    "/r/([^/]+)/ws": (403, "open"),
    "/r/([^/]+)/messages": (403, 200),
    "/r/([^/]+)/files": (403, 405),
    "/r/([^/]+)/members": (403, 403),
    "/ws/([0-9]{1,20})": ("open", "open"),
    "/join": (303, 303),
    "/enter": (200, 200),
    "/i": (200, 200),
    "/enter/look": (303, 303),
    "/i/look": (303, 303),
    "/devices": (403, 200),
    "/devices/([A-Za-z0-9_-]{1,64})": (403, 405),
    "/invites": (403, 403),
    "/orders": (403, 405),
    "/people/([A-Za-z0-9_-]{1,64})": (403, 403),
    "/owner": (403, 404),
    "/name": (405, 405),
    "/qr": (403, 400),
    "/signout": (405, 405),
    "/files/([A-Za-z0-9_-]{22})/[^/]*": (403, 404),  # of nothing; test_file_page.py has the others
    "/manifest.json": (200, 200),
    "/sw.js": (200, 200),
    "/healthz": (200, 200),
    "/hook": (401, 401),  # a key is asked for; test_hooks.py has one
    "/hook/([^/]+)": (401, 401),
    "/static/*/(.*)": (200, 200),
}
# Those that lead into a room or show something of it: there is none for who may not come in.
SHUT = {"/", "/r/([^/]+)", "/ws/([0-9]{1,20})"}
SHUT |= {f"/r/([^/]+)/{part}" for part in ("ws", "messages", "files", "members")}


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer asks the table each time, for here it changes."""
    monkeypatch.setattr(powers, "FOREVER", 0)


@pytest.fixture
def site(site: Site) -> Site:
    """The house is the lobby: who comes first says so."""
    site.join("lobby")
    return site


@pytest.fixture
def shut(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it with roles: from then on they may not come in."""

    def shut(*roles: Role) -> None:
        for role in roles:
            monkeypatch.setitem(TABLE, role, TABLE[role] | {Verb.ENTER: Answer.NO})

    return shut


def fields(name: str, id: int = 1) -> dict[str, Any]:
    """What a command says beside its cid."""
    values: dict[str, Any] = {"text": "other words", "id": id, "emoji": "👍", "on": True}
    values |= {"topic": "numbers", "here": False, "stopped": False, "reply": 1, "back": False}
    values |= {"room": "elsewhere", "key": "theme", "value": "dark", "files": []}
    (kind,) = [kind for kind in kinds(Command) if tag(kind) == name]
    return {field: values[field] for field in kind.__struct_fields__ if field in values}


def tag(kind: type[Command]) -> str:
    return str(kind.__struct_config__.tag)


def outcome(wire: Wire, cid: str) -> str:
    """What became of a lasting command: the type of its change, `done`, or a code of refusal."""
    while (event := wire.event()).get("cid") != cid:
        pass
    return str(event["code"] if event["type"] == "refused" else event["type"])


def until(wire: Wire, cid: str) -> list[str]:
    """What is heard before what this command came to."""
    heard = []
    while (event := wire.event()).get("cid") != cid:
        heard.append(str(event["type"]))
    return heard


def patterns(site: Site) -> list[str]:
    """Every address that the server knows, the build's hash as `*`."""
    found = [
        rule.matcher.regex.pattern.rstrip("$").replace(site.app.site.build, "*").replace("\\.", ".")
        for host in site.app.default_router.rules
        for rule in getattr(host.target, "rules", [])
    ]
    return [pattern for pattern in found if pattern != ".*"]


def address(site: Site, pattern: str) -> str:
    """One that this route answers; the house room is not the one somebody is in."""
    path = pattern.replace("([0-9]{1,20})", "7").replace("([^/]+)", ROOM)
    path = path.replace("([A-Za-z0-9_-]{22})/[^/]*", f"{'x' * 22}/a.png")
    path = path.replace("([A-Za-z0-9_-]{1,64})", "nobody")
    return path.replace("(.*)", "js/main.js").replace("*", site.app.site.build)


def get(site: Site, pattern: str, cookie: str) -> tuple[int | str, bytes]:
    """What comes of going there: a status, or `open` for a socket; and what is shown of it."""
    path = address(site, pattern)
    if "/ws" in pattern:
        try:
            Wire(site.port, path, cookie=cookie).opened().close()
        except Declined as declined:
            return declined.status, declined.body
        return "open", b""
    answer = site.http("GET", path, headers={"Cookie": cookie} if cookie else {})
    return answer.status, answer.body


# -- the table


def test_the_table_says_what_everybody_knows() -> None:
    """And for every verb and role: none is left to chance."""
    for verb in Verb:
        assert (may(Role.MEMBER, verb), may(Role.STRANGER, verb)) == TODAY[verb]


# -- every command


def test_every_command_is_walked_here() -> None:
    assert set(VERBS) == {tag(kind) for kind in kinds(Lasting)}
    orders = {tag(kind) for kind in kinds(Order)}
    assert set(PASSING) | set(OWN) == {tag(kind) for kind in kinds(Command)} - set(VERBS) - orders


def test_every_order_has_a_verb() -> None:
    assert set(office.VERBS) == set(kinds(Order))


@pytest.mark.parametrize("kind", kinds(Order), ids=tag)
def test_a_member_and_a_stranger_order_nothing(site: Site, kind: type[Order]) -> None:
    """On the socket or over HTTP; and nothing of it is done."""
    site.join(ROOM, "Ana")
    for user in ("nobody", site.user("Ana")):
        with pytest.raises(Refusal, match="not_allowed"):
            site.call(site.app.site.office.serve, Person(user, "Ana", 1), sample(kind))


def test_an_order_over_http_is_one_of_the_socket(site: Site, wires: list[Wire]) -> None:
    cookie = site.join(ROOM, "Olga")
    site.promote("Olga", "owner")
    wires += [site.wire(ROOM, cookie), site.wire(ROOM, site.join(ROOM, "Ben"))]
    olga, ben = wires
    user = site.user("Ben")
    answer = site.order(cookie, "mute", user=user, until=FOREVER)
    assert (answer.status, json.loads(answer.body)["type"]) == (200, "done")
    assert ben.hear("standing") == {"type": "standing", "role": "member", "muted": FOREVER}
    cid = olga.command("mute", user=user, until=0)
    assert olga.hear("done", cid=cid) == {"type": "done", "cid": cid, "rev": 0}
    assert ben.hear("standing") == {"type": "standing", "role": "member"}
    ping = site.http("POST", "/orders", headers={"Cookie": cookie}, json_body={"type": "ping"})
    assert (ping.status, json.loads(ping.body)["code"]) == (400, "bad_order")
    answer = site.order(cookie, "mute")
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "bad_frame")


@pytest.mark.parametrize("name", VERBS)
def test_a_member_does_what_the_table_says(site: Site, wires: list[Wire], name: str) -> None:
    """`own` is only what one wrote; in another room there is no such message."""
    author, other = site.wire(ROOM), site.wire(ROOM)
    wires += [author, other]
    author.hear("message", cid=author.say("mine"))
    others = outcome(other, other.command(name, **fields(name)))
    mine = outcome(author, author.command(name, **fields(name)))
    made = {"say": "message", "edit": "message", "delete": "gone", "react": "reaction"}
    made["room"] = "settings"
    assert others == ("not_yours" if TODAY[VERBS[name]][0] is Answer.OWN else made[name])
    assert mine == ("done" if name == "room" else made[name]), "the topic is so already"
    elsewhere = site.wire("elsewhere")
    wires.append(elsewhere)
    there = outcome(elsewhere, elsewhere.command(name, **fields(name)))
    assert there == ("not_found" if {"id", "reply"} & set(fields(name)) else made[name])


@pytest.mark.parametrize("name", VERBS)
def test_what_the_table_refuses_is_refused_and_not_remembered(
    site: Site, wires: list[Wire], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the same command, sent again after it was allowed, is carried out."""
    author = site.wire(ROOM)
    wires.append(author)
    author.hear("message", cid=author.say("mine"))
    refusing = TABLE[Role.MEMBER] | {VERBS[name]: Answer.NO}
    with monkeypatch.context() as changed:
        changed.setitem(TABLE, Role.MEMBER, refusing)
        cid = author.command(name, **fields(name))
        assert outcome(author, cid) == "not_allowed"
    author.command(name, cid=cid, **fields(name))
    assert outcome(author, cid) in ("message", "gone", "reaction", "settings")


@pytest.mark.parametrize("name", VERBS)
def test_what_is_known_is_done_also_where_it_is_refused_by_now(
    site: Site, wires: list[Wire], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is known comes before whether it is allowed, or a retry would be told a lie."""
    author = site.wire(ROOM)
    wires.append(author)
    author.hear("message", cid=author.say("mine"))
    cid = author.command(name, **fields(name))
    assert outcome(author, cid) in ("message", "gone", "reaction", "settings")
    monkeypatch.setitem(TABLE, Role.MEMBER, dict.fromkeys(Verb, Answer.NO))
    author.command(name, cid=cid, **fields(name))
    assert outcome(author, cid) == "done"


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("name", PASSING)
def test_what_is_passed_on_is_for_who_may_be_here(
    site: Site, wires: list[Wire], name: str, allowed: bool, shut: Any
) -> None:
    me, other = site.wire(ROOM), site.wire(ROOM, site.join(ROOM, "Olga"))
    wires += [me, other]
    site.promote("Olga", "owner")
    if not allowed:
        shut(Role.MEMBER)
    me.command(name, **fields(name))
    heard = until(me, me.say("commands are served in order"))
    if name != "ping":
        heard = until(other, other.say("the end"))
    hidden = site.call(lambda: [peer for peer in ChatSocket.live if not peer.seat.visible])
    assert (bool(hidden) if name == "appear" else PASSING[name] in heard) is allowed


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("name", OWN)
def test_what_is_ones_own_is_for_who_may_be_here(
    site: Site, wires: list[Wire], name: str, allowed: bool, shut: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    served: list[str] = []
    monkeypatch.setattr(Marks, "serve", lambda self, seat, asked: served.append(tag(type(asked))))
    me = site.wire(ROOM)
    wires.append(me)
    if not allowed:
        shut(Role.MEMBER)
    me.command(name, **fields(name))
    outcome(me, me.say("the end"))  # commands are served in order
    assert (name in served) is allowed


@pytest.mark.parametrize("name", [*VERBS, *PASSING, *OWN])
def test_a_stranger_says_nothing_but_texts(site: Site, wires: list[Wire], name: str) -> None:
    """A command of the wire is a text like any other in the plain dialect."""
    member, plain = site.wire(), Wire(site.port, "/ws/7").opened()
    wires += [member, plain]
    member.hear("message", cid=member.say("mine"))
    plain.command(name, **fields(name))
    message = member.hear("message", name="Client 7")
    assert json.loads(message["text"])["type"] == name
    assert message["rev"] == 2, "nothing else has changed"


@pytest.mark.parametrize("name", VERBS)
def test_a_stranger_who_came_through_another_door_does_what_the_table_says(
    site: Site, name: str
) -> None:
    """Who has no name here, or none any more, is asked by the writer like everybody."""
    (kind,) = [kind for kind in kinds(Lasting) if tag(kind) == name]

    async def ask(asked: type[Lasting], **said: Any) -> int:
        person = Person("nobody", "Nobody", 1)
        letter = Letter(person, "192.0.2.1")
        site.app.site.hub.enter(person, ROOM).serve(letter, asked(secrets.token_hex(8), **said))
        return await letter.arrived

    assert site.call(lambda: ask(Say, text="mine")) == 1
    if TODAY[VERBS[name]][1] is Answer.YES:
        assert site.call(lambda: ask(kind, **fields(name))) == 2
    else:
        with pytest.raises(Refusal, match="not_allowed"):
            site.call(lambda: ask(kind, **fields(name)))


# -- every route


def test_every_route_is_walked_here(site: Site) -> None:
    assert set(ROUTES) == set(patterns(site))
    assert set(ROUTES) >= SHUT


@pytest.mark.parametrize("pattern", ROUTES)
def test_a_route_is_open_to_those_for_whom_it_is_meant(site: Site, pattern: str) -> None:
    member = site.join(ROOM)
    assert (get(site, pattern, "")[0], get(site, pattern, member)[0]) == ROUTES[pattern]


@pytest.mark.parametrize("pattern", ROUTES)
def test_who_may_not_come_in_gets_the_same_as_where_there_is_no_room(
    site: Site, pattern: str, shut: Any
) -> None:
    """Nothing of what was said, what it is called, and who is in there."""
    member = site.join(ROOM, "Inside")
    inside, house = site.wire(ROOM, member), site.wire("lobby", member)
    for wire in (inside, house):
        wire.hear("message", cid=wire.say(SECRET))
        wire.hear("settings", cid=wire.command("room", topic=SECRET))
    shut(Role.MEMBER, Role.STRANGER)
    for who, cookie in enumerate(("", member)):
        status, body = get(site, pattern, cookie)
        stranger_first = who == 0 and ROUTES[pattern][0] == 403
        shut_here = 403 if stranger_first else 404
        assert status == (shut_here if pattern in SHUT else ROUTES[pattern][who])
        assert SECRET.encode() not in body
        assert b"Inside" not in body
        assert b"Open #" not in body, "there is nothing to open"
    inside.close()
    house.close()


def test_who_may_not_come_in_posts_nothing(site: Site, shut: Any) -> None:
    cookie = site.join(ROOM)
    shut(Role.MEMBER)
    for path in ("/", f"/r/{ROOM}", f"/r/{ROOM}/files"):
        answer = site.http("POST", path, headers={"Cookie": cookie}, form={"text": "let me in"})
        assert answer.status == 404
    assert site.call(site.app.site.store.standings) == {}


@pytest.mark.parametrize("path", [f"/r/{ROOM}", f"/r/{ROOM}/messages"])
@pytest.mark.parametrize("how", ["signed out", "shut out", "banned"])
def test_who_may_not_any_more_gets_no_text_that_was_being_read(
    site: Site, wires: list[Wire], path: str, how: str, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Access is asked again after the wait for the log."""
    cookie = site.join(ROOM, "Inside")
    wires.append(site.wire(ROOM))
    wires[0].hear("message", cid=wires[0].say(SECRET))
    held = Held(monkeypatch, "page")
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(site.http, "GET", path, headers={"Cookie": cookie})
        with held:
            if how == "signed out":
                site.http("POST", "/signout", headers={"Cookie": cookie}, form={"room": ROOM})
            elif how == "banned":
                ban(site, "Inside")
            else:
                shut(Role.MEMBER)
        answer = asked.result(PATIENCE)
    assert answer.status == (404 if how == "shut out" else 403)
    if how == "banned":
        assert b"removed" in answer.body
    assert SECRET.encode() not in answer.body


@pytest.mark.parametrize("reads", ["newest", "changes"])
@pytest.mark.parametrize("how", ["shut out", "banned"])
def test_who_may_not_any_more_is_not_brought_on(
    tmp_path: Path, reads: str, how: str, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither from what a room remembers nor from the log."""
    site = Site(tmp_path / "data")
    cookie = site.join(ROOM, "Inside")
    wire = site.wire(ROOM, cookie)
    for _ in range(3):
        wire.hear("message", cid=wire.say(SECRET))
    epoch = site.app.site.store.epoch
    wire.close()
    site.stop()
    if reads == "changes":
        monkeypatch.setattr(chat.room.recent, "CHANGES", 1)
    site = Site(tmp_path / "data")
    held = Held(monkeypatch, reads)
    wire = Wire(site.port, f"/r/{ROOM}/ws?after=0&epoch={epoch}", cookie=cookie).opened()
    try:
        assert wire.hear("welcome")["afresh"] is False
        with held:
            if how == "banned":
                ban(site, "Inside")
            else:
                shut(Role.MEMBER)
        while (told := wire.event())["type"] in ("read", "rooms", "kept"):
            pass  # their own marks, from while they were in: on a busy machine they come first
        assert told == {"type": "bye", "reason": "removed", "after": -1}
        assert wire.closed()[0] == 4001
    finally:
        wire.close()
        site.stop()


def test_who_may_not_stay_leaves_before_a_change_is_told(
    site: Site, wires: list[Wire], shut: Any
) -> None:
    """What is arranged asks again for every seat, before anything of it is sent."""
    one, two, plain = site.wire(), site.wire(), Wire(site.port, "/ws/7").opened()
    olga = site.wire(cookie=site.join(name="Olga"))
    site.promote("Olga", "owner")
    wires += [one, two, plain, olga]
    one.hear("message", cid=one.say("before it"))
    shut(Role.MEMBER)
    olga.command("room", topic=SECRET)
    for wire in (one, two):
        event = wire.event()
        while event["type"] not in ("bye", "settings"):
            event = wire.event()
        assert event == {"type": "bye", "reason": "removed", "after": -1}
        assert wire.closed()[0] == 4001
    live = site.call(lambda: {peer.person.name for peer in ChatSocket.live})
    assert live == {"Client 7", "Olga"}, "who may stay stays"


def ban(site: Site, name: str) -> None:
    """A moderator removes somebody."""
    cookie = site.join("lobby", "Mona")
    site.promote("Mona", "moderator")
    assert site.order(cookie, "ban", users=[site.user(name)], until=FOREVER).status == 200


class Held:
    """A read of the log waits, once it is done, until the block is left."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._read, self._go = threading.Event(), threading.Event()
        real = getattr(Store, name)

        async def slow(*arguments: Any) -> Any:
            found = await real(*arguments)
            self._read.set()
            await asyncio.get_running_loop().run_in_executor(None, self._go.wait, PATIENCE)
            return found

        monkeypatch.setattr(Store, name, slow)

    def __enter__(self) -> None:
        assert self._read.wait(PATIENCE), "nothing was read"

    def __exit__(self, *exc_info: object) -> None:
        self._go.set()


def test_who_only_looks_leaves_nothing_in_memory(site: Site) -> None:
    """Neither strangers nor members, whatever rooms they look for."""
    hub, cookie = site.app.site.hub, site.join()
    for n in range(20):
        for path in (f"/r/look-{n}", f"/r/look-{n}/messages", f"/r/look-{n}/messages?since=0"):
            for headers in ({}, {"Cookie": cookie}):
                assert site.http("GET", path, headers=headers).status in (200, 403)
        form = {"text": ""}
        refused = site.http("POST", f"/r/look-{n}", headers={"Cookie": cookie}, form=form)
        assert refused.status == 400
        with pytest.raises(Declined):
            Wire(site.port, f"/r/look-{n}/ws").opened()
    assert (hub.rooms, len(hub), hub.shared.memory.size) == ({}, 0, 0)


# -- and at a pace


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("payer", ["person", "address"])
def test_every_lasting_command_is_paid_for_by_person_and_address(
    tmp_path: Path, name: str, payer: str
) -> None:
    """Whatever it is; a figure of its own would be a way around the others."""
    site = Site(tmp_path / "data", rate=0.5)  # 2 at once of a person, 10 of an address
    try:
        wires = [site.wire("lobby") for _ in range(1 if payer == "person" else 9)]
        outcomes = [
            outcome(wire, wire.command(name, **fields(name)))
            for wire in wires
            for _ in range(4 if payer == "person" else 2)
        ]
        assert outcomes.count("slow_down") == (2 if payer == "person" else 8)
        for wire in wires:
            wire.close()
    finally:
        site.stop()
