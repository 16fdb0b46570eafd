"""chat/room/room.py without sockets: order, confirmation, who gets what, and who is told what."""

from pathlib import Path

import msgspec
import pytest
from serving import Site
from worlds import HOST, Counted, Listener, World, in_world, shut_out

from chat.room.hub import TOLD
from chat.wire.codes import BEHIND, Refusal
from chat.wire.frames import Frame
from chat.wire.passing import refused
from chat.wire.protocol import Appear, Arrange, Delete, Edit, Ping, React, Typing, encode


def test_a_message_reaches_everyone_and_confirms_itself_to_its_sender(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        cid = world.say(ana, "hi")
        assert not ana.changes  # nothing before it is on disk
        await world.settle()
        assert ana.frames[-1] == bob.frames[-1]
        assert ana.frames[-1]["cid"] == cid
        assert (ana.frames[-1]["rev"], ana.frames[-1]["id"]) == (1, 1)

    in_world(tmp_path, body)


def test_messages_never_reach_another_room(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, elsewhere = world.join("ana"), world.join("bob", room="other")
        world.say(ana, "hi")
        await world.settle()
        assert not elsewhere.changes

    in_world(tmp_path, body)


def test_live_peers_are_served_in_the_order_of_their_sockets(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        served: list[int] = []

        class Noted(Listener):
            def write_message(self, frame: Frame) -> None:
                served.append(self.fd)
                super().write_message(frame)

        peers = [Noted(f"user{fd}") for fd in range(9)]
        for peer, fd in zip(peers, (5, 3, 8, 1, 9, 2, 7, 4, 6), strict=True):
            peer.fd = fd
            world.seat(peer)
        await world.settle()

        async def round() -> list[int]:
            served.clear()
            world.say(peers[0], "hi")
            await world.settle()
            return [*served]

        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        world.room.leave(peers[4].seat)
        peers[7].space = 0  # it falls behind
        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert await round() == [1, 2, 3, 5, 6, 7, 8]
        peers[7].drain()
        await world.settle()
        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8]

    in_world(tmp_path, body)


def test_a_newcomer_is_level_at_once_and_the_line_brings_only_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(60):
            world.say(ana, f"m{n}")
        await world.settle()
        queries = Counted(monkeypatch)
        bob = world.join("bob")
        assert [frame["type"] for frame in bob.frames] == ["welcome", "live"]
        assert (bob.frames[0]["head"], bob.frames[0]["afresh"]) == (60, True)
        assert bob.frames[1]["head"] == 60
        assert bob.writes == 1
        world.say(ana, "next")
        await world.settle()
        assert bob.revs == [61]
        assert queries.reads == 0

    in_world(tmp_path, body)


def test_who_is_welcomed_knows_the_settings(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        assert ana.of("welcome")[0]["settings"]["topic"] == ""
        ana.ask(Arrange("cid-topic", "tides"))
        await world.settle()
        told = world.join("bob").of("welcome")[0]["settings"]
        assert (told["topic"], told["by"], told["rev"]) == ("tides", "ANA", 1)

    in_world(tmp_path, body)

    async def again(world: World) -> None:  # also after a restart
        assert world.join("bob").of("welcome")[0]["settings"]["topic"] == "tides"

    in_world(tmp_path, again)


def test_somebody_who_returns_gets_exactly_what_was_missed(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(10):
            world.say(ana, f"m{n}")
        await world.settle()
        ana.ask(Edit("cid-edit", 2, "edited"))
        ana.ask(Delete("cid-delete", 3))
        ana.ask(React("cid-react", 4, "👍", True))
        ana.ask(Arrange("cid-topic", "tides"))
        await world.settle()
        bob = world.join("bob", after=8)
        await world.settle()
        assert [(c["type"], c["rev"], c.get("id", c.get("from"))) for c in bob.changes] == [
            ("message", 9, 9), ("message", 10, 10), ("message", 11, 2), ("gone", 12, 3),
            ("reaction", 13, 4), ("settings", 14, None),
        ]  # fmt: skip
        assert bob.frames[-1] == {"type": "live", "head": 14, "rev": 14}

    in_world(tmp_path, body)


@pytest.mark.parametrize("shape", ["epoch", "ahead", "far", "floor"])
def test_a_cursor_that_is_worth_nothing_is_told_so_and_its_peer_is_level(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another log, above the head, too far behind, or below what the log has forgotten."""

    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(BEHIND + 10 if shape == "far" else 10):
            world.say(ana, f"m{n}")
        ana.ask(Delete("cid-delete", 4))
        await world.settle()
        head = world.room.flushed
        if shape == "floor":
            await world.hub.tidy()  # too young yet
            assert world.room.standing.floor == 0
            monkeypatch.setattr("chat.room.hub.TOLD", -TOLD)
            await world.hub.tidy()
        good = {"epoch": 5, "ahead": head, "far": head - BEHIND, "floor": head}[shape]
        bad = {"epoch": 5, "ahead": head + 1, "far": head - BEHIND - 1, "floor": head - 1}[shape]
        known = world.join("bob", after=good)
        lost = world.join("cy", after=bad, epoch="another" if shape == "epoch" else None)
        await world.settle()
        assert known.afresh == [False]
        assert known.revs == list(range(good + 1, head + 1))
        assert lost.afresh == [True]
        assert [frame["type"] for frame in lost.frames] == ["welcome", "live"]
        assert lost.frames[-1]["head"] == head
        assert lost.seat.live

    in_world(tmp_path, body)


def test_what_the_log_forgets_raises_the_floor_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.hub.TOLD", -1000)  # whatever is gone is forgotten at once

    async def body(world: World) -> None:
        ana, other = world.join("ana"), world.join("ana", room="other")
        for _ in range(3):
            world.say(ana, "hi")
        await world.settle()
        ana.ask(Delete("cid-delete", 2))
        world.say(ana, "after it")
        world.say(other, "hi")
        await world.settle()
        await world.hub.tidy()
        assert world.room.standing.floor == 4
        assert world.hub.enter(HOST, "other").standing.floor == 0
        assert world.join("bob", after=3).afresh == [True]
        assert world.join("bob", after=4).afresh == [False]

    in_world(tmp_path, body)

    async def again(world: World) -> None:
        assert world.room.standing.floor == 4

    in_world(tmp_path, again)


def test_after_a_restart_a_thousand_people_return_with_one_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before(world: World) -> None:
        ana = world.join("ana")
        for n in range(20):
            world.say(ana, f"m{n}")

    async def after(world: World) -> None:
        peers = [world.join(f"u{n}", after=n % 21) for n in range(1000)]
        await world.settle()
        for n, peer in enumerate(peers):
            assert list(peer.timeline) == list(range(n % 21 + 1, 21))
            assert peer.seat.live

    in_world(tmp_path, before)
    queries = Counted(monkeypatch)
    in_world(tmp_path, after)
    assert queries.reads == 1


def test_a_refusal_goes_to_its_sender_only_and_names_the_command(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        await world.settle()
        bob.ask(Edit("cid-of-bob", 1, "ha"))
        too_long = world.say(ana, "x" * 4001)
        await world.settle()
        assert [(r["code"], r["cid"]) for r in bob.of("refused")] == [("not_yours", "cid-of-bob")]
        assert [(r["code"], r["cid"]) for r in ana.of("refused")] == [("too_long", too_long)]
        assert all("retry" not in refusal for refusal in ana.of("refused") + bob.of("refused"))

    in_world(tmp_path, body)


def test_who_may_not_be_in_a_room_any_more_is_told_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New settings may shut somebody out: everybody in it is asked again before they are told."""

    async def body(world: World) -> None:
        class Leaving(Listener):
            def dismiss(self, code: int, reason: str, after: int) -> None:
                super().dismiss(code, reason, after)
                world.room.leave(self.seat)

        ana, bob, cy = world.join("ana"), world.seat(Leaving("bob")), world.seat(Leaving("cy"))
        cy.space = 0
        world.say(ana, "hi")  # cy falls behind
        await world.settle()
        for user in ("bob", "cy"):
            shut_out(monkeypatch, world, user)
        ana.ask(Arrange("cid-topic", "for us only"))
        await world.settle()
        assert ana.revs == [1, 2]
        assert bob.revs == [1]
        assert not ana.dismissed
        assert bob.dismissed == cy.dismissed == [(4001, "removed")]
        assert world.room.seats == {ana.seat}

    in_world(tmp_path, body)


def test_who_may_not_be_in_a_room_any_more_passes_nothing_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        shut_out(monkeypatch, world, "bob")
        bob.ask(Typing())
        await world.settle()
        assert not ana.of("typing")
        ana.ask(Typing())
        await world.settle()
        assert ana.of("typing")

    in_world(tmp_path, body)


def test_there_is_no_room_for_who_may_not_enter_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        shut_out(monkeypatch, world, "bob")
        for person in (Listener("bob").person, None):
            with pytest.raises(Refusal, match="bad_room"):
                world.hub.enter(person, "lobby")
        assert world.hub.enter(ana.person, "lobby") is world.room

    in_world(tmp_path, body)


def test_who_only_looks_leaves_nothing_in_memory(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        world.hub.enter(HOST, "nowhere")
        world.hub.enter(None, "nowhere")
        assert not world.hub.rooms
        assert not len(world.hub)

    in_world(tmp_path, body)


# -- passing things


def test_typing_is_throttled_and_reaches_live_peers_only(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        bob.space = 0
        world.say(ana, "hi")
        await world.settle()
        for _ in range(5):
            ana.ask(Typing())
        await world.settle()
        assert ana.of("typing") == [{"type": "typing", "user": "ana", "name": "ANA"}]
        bob.drain()
        assert not bob.of("typing")
        assert bob.timeline == {1: "hi"}

    in_world(tmp_path, body)


def test_who_stops_typing_is_told_once_and_only_after_typing(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for stopped in (True, False, True, True, False):
            ana.ask(Typing(stopped))
        await world.settle()
        assert [event.get("stopped", False) for event in ana.of("typing")] == [False, True]

    in_world(tmp_path, body)


def test_ping_is_answered(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        ana.ask(Ping())
        assert ana.frames[-1] == {"type": "pong"}

    in_world(tmp_path, body)


def test_presence_is_told_once_a_second_at_most(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        world.hub.tick()
        await world.settle()
        told = len(ana.of("people"))
        for n in range(5):
            world.join(f"u{n}")
        assert len(ana.of("people")) == told
        world.hub.tick()
        world.hub.tick()
        await world.settle()
        assert len(ana.of("people")) == told + 1
        assert ana.of("people")[-1]["total"] == 6
        ana.ask(Appear(False))
        ana.ask(Appear(False))
        assert ana.seat.visible is False

    in_world(tmp_path, body)


def test_everything_of_a_turn_leaves_in_one_write(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        before = bob.writes
        for n in range(50):
            world.say(ana, f"m{n}")
        await world.settle()
        assert bob.writes == before + 1
        assert bob.revs == list(range(1, 51))

    in_world(tmp_path, body)


# -- rooms and connections


def test_a_room_that_everyone_left_is_not_kept_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.hub.IDLE", -1.0)

    async def body(world: World) -> None:
        ana = world.join("ana")
        world.say(ana, "hi")
        await world.settle()
        world.hub.tick()
        assert "lobby" in world.hub.rooms
        world.room.leave(ana.seat)
        world.hub.tick()
        assert "lobby" not in world.hub.rooms
        assert world.room.flushed == 1

    in_world(tmp_path, body)


def test_more_connections_than_one_person_may_have_end_the_oldest(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        peers = [Listener("ana") for _ in range(3)]
        for peer in peers:
            world.hub.tabs.open(peer, 2)
            if peer.dismissed:
                world.hub.tabs.close(peer)
        assert [peer.dismissed for peer in peers] == [[(4010, "replaced")], [], []]

    in_world(tmp_path, body)


def test_the_newest_connection_is_known_also_when_it_replaces_the_only_one(
    tmp_path: Path,
) -> None:
    async def body(world: World) -> None:
        class Leaving(Listener):
            def dismiss(self, code: int, reason: str, after: int) -> None:
                world.hub.tabs.close(self)

        first, second = Leaving("ana"), Leaving("ana")
        world.hub.tabs.open(first, 1)
        world.hub.tabs.open(second, 1)
        assert world.hub.tabs.of("ana") == (second,)
        assert list(world.hub.tabs) == ["ana"]

    in_world(tmp_path, body)


def test_a_form_post_is_stored_and_published_like_any_message(site: Site) -> None:
    wire, headers = site.wire(), {"Cookie": site.join(), "Accept": "application/json"}
    form = {"text": "by form", "cid": "form-post-1"}
    for _ in range(2):  # also when the answer was lost and it is posted again
        answer = site.http("POST", "/r/lobby", headers=headers, form=form)
        assert msgspec.json.decode(answer.body) == {"id": 1}
    assert wire.hear("message")["text"] == "by form"
    answer = site.http("POST", "/r/lobby", headers=headers, form={"text": "  "})
    assert msgspec.json.decode(answer.body)["code"] == "empty"
    wire.say("after it")
    assert wire.hear("message")["text"] == "after it"
    wire.close()


def test_a_refused_frame_carries_only_what_is_known() -> None:
    event = refused(Refusal("slow_down", 1500), cid="cid00001")
    assert msgspec.json.decode(encode(event)) == {
        "type": "refused",
        "code": "slow_down",
        "detail": "Slow down a little.",
        "cid": "cid00001",
        "retry": 1500,
    }
