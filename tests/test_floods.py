"""Who asks for too much: slowed down, cut, and of no consequence to the others."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client import CLOSE, PING, Declined, Wire, frame, free_name, request
from serving import Site

import chat.line.connection
from chat.line.sockets import ChatSocket
from chat.wire.rfc6455 import TURN

HOME = {"X-Forwarded-For": "198.51.100.7"}
ELSEWHERE = {"X-Forwarded-For": "198.51.100.8"}


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Site]:
    """A server with its ordinary limits."""
    site = Site(tmp_path / "data", rate=10.0, connections_per_user=20)
    yield site
    site.stop()
    assert site.log == []


def pong(wire: Wire) -> bool:
    wire.command("ping")
    return bool(wire.hear("pong"))


def join(site: Site, name: str, headers: dict[str, str]) -> int:
    form = {"name": name, "room": "lobby"}
    return int(request(site.port, "POST", "/join", headers, form).status)


def most(attempt: Callable[[], int], good: int, tries: int = 400) -> int:
    """How many of these attempts in a row are answered with `good`; the others with 429."""
    answers = [attempt() for _ in range(tries)]
    assert set(answers) <= {good, 429}
    return answers.count(good)


@pytest.mark.parametrize(
    "command",
    [
        {"type": "ping"},
        {"type": "typing"},
        {"type": "read", "id": 1},
        {"type": "appear", "here": True},
        {"type": "appear", "here": False},
    ],
    ids=lambda command: json.dumps(command),
)
def test_a_flood_of_a_command_that_costs_no_message_is_cut(
    strict: Site, wires: list[Wire], command: dict[str, object]
) -> None:
    """And nobody else is."""
    flood, other = strict.wire(), strict.wire()
    wires += [flood, other]
    flood.raw(frame(json.dumps(command)) * 1000)
    assert flood.hear("refused")["code"] == "slow_down"
    assert flood.closed()[0] == 1008
    assert pong(other)


def test_refusals_are_not_forgotten_for_a_command_that_passes(
    strict: Site, wires: list[Wire]
) -> None:
    flood = strict.wire()
    wires.append(flood)
    for _ in range(300):
        flood.raw(frame("nonsense") + frame('{"type":"typing"}'))
    assert flood.closed()[0] == 1008


def test_who_is_a_little_too_fast_is_slowed_down_and_not_cut(
    strict: Site, wires: list[Wire]
) -> None:
    wire = strict.wire()
    wires.append(wire)
    for number in range(150):
        wire.say(f"{number}")
    assert wire.hear("refused")["code"] == "slow_down"
    assert pong(wire)


def test_of_one_read_no_more_than_a_turn_is_served_at_once(site: Site, wires: list[Wire]) -> None:
    """Then the loop goes round, and the socket is not read until the rest is served."""
    wires.append(site.wire())
    ping = frame('{"type":"ping"}')

    def feed() -> int:
        connection = next(iter(ChatSocket.live)).connection
        connection._feed(ping * 200)
        assert not connection.loop.remove_reader(connection.fd)
        return 200 - len(connection.parser._rest or b"") // len(ping)

    assert site.call(feed) == TURN
    for _ in range(200):
        assert wires[0].hear("pong")
    assert pong(wires[0])


def test_what_follows_a_turn_is_served_in_order_and_completely(
    site: Site, wires: list[Wire]
) -> None:
    talker = site.wire()
    wires.append(talker)
    cids = [f"cid-{number:05}" for number in range(700)]
    raw = b"".join(frame(json.dumps({"type": "say", "cid": c, "text": c})) for c in cids)
    for start in range(0, len(raw), 997):  # frames are cut anywhere
        talker.raw(raw[start : start + 997])
    heard = [talker.hear("message")["cid"] for _ in cids]
    assert heard == cids
    assert pong(talker)


def test_a_close_among_many_frames_ends_it_there(site: Site, wires: list[Wire]) -> None:
    talker, other = site.wire("den"), site.wire("den")
    wires += [talker, other]
    say = frame('{"type":"say","cid":"cid-00001","text":"last words"}')
    ping = frame('{"type":"ping"}')
    talker.raw(ping * 100 + say + frame(b"\x03\xe8", CLOSE) + say * 100)
    assert talker.closed()[0] == 1000
    assert other.hear("message")["text"] == "last words"


def test_a_peer_that_was_told_to_close_is_read_for_a_megabyte(
    site: Site, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the socket goes, long before the moment that it would have had to answer."""
    monkeypatch.setattr(chat.line.connection, "LINGER", 3600.0)
    flood = site.wire()
    wires.append(flood)
    flood.raw(frame(b"", PING) * 500)
    assert flood.closed()[0] == 1008
    with contextlib.suppress(ConnectionError):
        flood.sock.sendall(b"x" * 100 * chat.line.connection.FLOOD)
    assert site.call(lambda: site.app.site.places.taken) == 0


def test_joining_is_open_to_others_while_one_address_tries_without_a_pause(strict: Site) -> None:
    """Neither names that cannot be nor names by the hundred keep anybody out."""
    for number in range(300):
        assert join(strict, "" if number % 2 else "Bob\u200b", HOME) == 400
    assert join(strict, free_name(), HOME) == 303, "what is refused was not paid for"
    assert most(lambda: join(strict, free_name(), HOME), 303, 150) < 110
    for _ in range(25):
        assert join(strict, free_name(), ELSEWHERE) == 303


def test_a_new_identity_does_not_renew_what_an_address_may_say(
    strict: Site, wires: list[Wire]
) -> None:
    """Ten people of one address say no more than one address may."""
    passed = 0
    for _ in range(10):
        wire = Wire(strict.port, cookie=strict.join(), headers=HOME).opened()
        wires.append(wire)
        wire.hear("live")
        for number in range(40):
            wire.say(f"{number}")
        wire.command("ping")
        refused = 0
        while (event := wire.event())["type"] != "pong":
            refused += event["type"] == "refused"
        passed += 40 - refused
    assert 200 <= passed < 400
    other = Wire(strict.port, cookie=strict.join(), headers=ELSEWHERE).opened()
    wires.append(other)
    other.hear("live")
    assert other.hear("message", cid=other.say("hello"))


def test_plain_connections_of_one_address_say_as_much_as_one_person(
    strict: Site, wires: list[Wire]
) -> None:
    """Coming back under another number changes nothing."""
    for number in range(10):
        wire = Wire(strict.port, f"/ws/{number}", headers=HOME).opened()
        for _ in range(40):
            wire.send("hello")
        wire.send(b"\x03\xe8", CLOSE)
        wire.closed()
        wire.close()
    assert len(strict.call(strict.app.site.store.newest, "lobby", 500)) < 80


def test_plain_connections_are_not_opened_without_end(strict: Site) -> None:
    def attempt() -> int:
        try:
            Wire(strict.port, "/ws/1", headers=HOME).opened().close()
        except Declined as declined:
            return declined.status
        return 101

    assert 50 <= most(attempt, 101, 120) < 100
    Wire(strict.port, "/ws/1", headers=ELSEWHERE).opened().close()


def test_the_plain_dialect_can_be_closed(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", plain=False)
    try:
        with pytest.raises(Declined) as declined:
            Wire(site.port, "/ws/1").opened()
        assert declined.value.status == 404
        page = site.http("GET", "/ws/1")
        assert page.status == 404
        assert b"<!doctype html>" in page.body
    finally:
        site.stop()


def test_one_person_opens_three_rooms_and_then_one_a_minute(
    strict: Site, wires: list[Wire]
) -> None:
    cookie = strict.join()

    def speak(room: str) -> dict[str, object]:
        wire = strict.wire(room, cookie)
        wires.append(wire)
        cid = wire.say("first!")
        while True:
            event = wire.event()
            if event.get("cid") == cid:
                return event

    assert [speak(f"room-{n}")["type"] for n in range(4)] == ["message"] * 3 + ["refused"]
    refused = speak("room-5")
    assert refused["code"] == "slow_down"
    assert 0 < int(str(refused["retry"])) <= 60_000
    assert speak("room-1")["type"] == "message", "a room that is there costs nothing more"
    assert speak("lobby")["type"] == "message", "nor does the house room"
    form = {"text": "by form"}
    answer = request(strict.port, "POST", "/r/room-6", {"Cookie": cookie}, form)
    assert answer.status == 429


def test_a_second_message_does_not_pay_for_the_room_again(strict: Site, wires: list[Wire]) -> None:
    wire = strict.wire("den")
    wires.append(wire)
    for number in range(10):
        wire.say(f"{number}")
    for number in range(10):
        assert wire.hear("message")["text"] == f"{number}"


def test_history_is_read_at_a_pace(strict: Site) -> None:
    cookie = strict.join()
    headers = {"Cookie": cookie}
    path = "/r/lobby/messages"
    assert 40 <= most(lambda: strict.http("GET", path, headers=headers).status, 200, 90) < 90
    answer = strict.http("GET", path, headers=headers)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
    other = strict.join()
    assert strict.http("GET", path, headers={"Cookie": other}).status == 200


def test_a_wrong_or_taken_name_costs_nothing_also_when_renaming(strict: Site) -> None:
    cookie = strict.join(name="Ana Lena")
    headers = {"Cookie": strict.join(), "Accept": "application/json"}
    for name in ["", "Ana Lena"] * 20:
        assert strict.http("POST", "/name", headers=headers, form={"name": name}).status in (
            400,
            409,
        )
    assert strict.http("POST", "/name", headers=headers, form={"name": "Maria"}).status == 200
    assert cookie


def test_a_rate_below_one_lets_people_join_and_speak(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", rate=0.2)
    try:
        wire = site.wire()
        assert wire.hear("message", cid=wire.say("hello"))
        wire.say("again")
        assert wire.hear("refused")["code"] == "slow_down"
        wire.close()
    finally:
        site.stop()
