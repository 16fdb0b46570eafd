"""chat/room/room.py without sockets: order, confirmation, catching up, and who gets what."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.log.store import Store
from chat.room import room as module
from chat.room.hub import Hub
from chat.room.room import Room
from chat.tasks import Tasks
from chat.wire.codes import Refusal
from chat.wire.frames import Frame
from chat.wire.passing import Pong
from chat.wire.protocol import Appear, Delete, Edit, Event, Person, Ping, Read, Say, Typing, encode


class Listener:
    """A peer whose socket takes what the test lets it take."""

    def __init__(self, user: str, room: Room) -> None:
        self.person = Person(user, user.upper(), 1)
        self.room = room
        self.cursor: int | None = None
        self.blocked = False
        self.visible = True
        self.typed = 0.0
        self.fd = 0
        self.space: int | None = None  # bytes its socket takes until it drains; None: all
        self.owed = b""
        self.got = b""
        self.writes = 0
        self.dismissed: list[tuple[int, str]] = []

    def write_message(self, frame: Frame) -> None:
        assert not self.blocked
        self.writes += 1
        sent = frame.size if self.space is None else min(self.space, frame.size)
        self.got += frame.data[:sent]
        if self.space is not None:
            self.space -= sent
        if sent < frame.size:
            self.owed, rev = frame.split(sent)
            self.blocked = True
            self.room.fall_behind(self, rev)

    def reply(self, event: Event) -> None:
        frame = Frame.join([Frame.of(event)], kept=1)
        if self.blocked:
            self.owed += frame.data
        else:
            self.write_message(frame)

    def dismiss(self, code: int, reason: str, after: int) -> None:
        self.dismissed.append((code, reason))

    def drain(self, space: int | None = None) -> None:
        """The socket has room again."""
        self.got, self.owed, self.space = self.got + self.owed, b"", space
        if self.blocked:
            self.blocked = False
            self.room.catch_up(self)

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What arrived, decoded; a frame cut off at the end is not there yet."""
        data, found = self.got, []
        while len(data) >= 2:
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            if len(data) < start + size:
                break
            found.append(msgspec.json.decode(data[start : start + size]))
            data = data[start + size :]
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def timeline(self) -> dict[int, str]:
        """The messages as a page would show them: the last state of each, by id."""
        return {m["id"]: m["text"] for m in self.of("message")}


class World:
    """A hub over a real store."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path / "chat.db")
        self.store.start()
        self.tasks = Tasks()
        self.hub = Hub(self.store, self.tasks)
        self.room = self.hub.room("lobby")
        self.number = 0

    def join(self, user: str, after: int | None = None, epoch: str | None = None) -> Listener:
        peer = Listener(user, self.room)
        self.hub.connect(peer, 0)
        self.room.join(peer, after, epoch or self.store.epoch)
        return peer

    def say(self, peer: Listener, text: str) -> None:
        self.number += 1
        self.room.say(peer, Say(f"cid{self.number:05}", text))

    async def settle(self) -> None:
        """Wait until everything said is saved and flushed."""
        while self.store._unsettled or self.hub._dirty or self.tasks._running:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        await self.settle()
        await self.store.close()


def in_world(path: Path, body: Callable[[World], Awaitable[None]]) -> None:
    async def main() -> None:
        world = World(path)
        try:
            await body(world)
        finally:
            await world.close()

    asyncio.run(main())


def test_a_message_reaches_everyone_and_confirms_itself_to_its_sender(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        assert not ana.of("message")  # nothing before it is on disk
        await world.settle()
        assert ana.frames[-1] == bob.frames[-1]
        assert ana.frames[-1]["cid"] == "cid00001"
        assert (ana.frames[-1]["rev"], ana.frames[-1]["id"]) == (1, 1)

    in_world(tmp_path, body)


def test_messages_never_reach_another_room(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        elsewhere = Listener("bob", world.hub.room("other"))
        elsewhere.room.join(elsewhere, None, None)
        world.say(ana, "hi")
        await world.settle()
        assert not elsewhere.of("message")

    in_world(tmp_path, body)


def test_live_peers_are_served_in_the_order_of_their_sockets(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        served: list[int] = []

        class Noted(Listener):
            def write_message(self, frame: Frame) -> None:
                served.append(self.fd)
                super().write_message(frame)

        peers = [Noted(f"user{fd}", world.room) for fd in range(9)]
        for peer, fd in zip(peers, (5, 3, 8, 1, 9, 2, 7, 4, 6), strict=True):
            peer.fd = fd
            world.hub.connect(peer, 0)
            world.room.join(peer, None, None)
        await world.settle()

        async def round() -> list[int]:
            served.clear()
            world.say(peers[0], "hi")
            await world.settle()
            return [*served]

        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        world.room.leave(peers[4])
        peers[7].space = 0  # it falls behind
        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8]
        assert await round() == [1, 2, 3, 5, 6, 7, 8]
        peers[7].drain()
        await world.settle()
        assert await round() == [1, 2, 3, 4, 5, 6, 7, 8]

    in_world(tmp_path, body)


def test_a_newcomer_gets_the_newest_fifty_and_is_live(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(60):
            world.say(ana, f"m{n}")
        await world.settle()
        bob = world.join("bob")
        await world.settle()
        kinds = [frame["type"] for frame in bob.frames]
        assert kinds == ["welcome", *["message"] * 50, "live"]
        assert bob.writes == 1
        assert list(bob.timeline) == list(range(11, 61))
        assert bob in world.room.live

    in_world(tmp_path, body)


def test_the_newest_fifty_are_by_id_also_when_old_ones_were_edited(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(60):
            world.say(ana, f"m{n}")
        world.room.edit(ana, Edit(1, "changed"))
        world.room.edit(ana, Edit(30, "changed too"))
        await world.settle()
        bob = world.join("bob")
        await world.settle()
        assert sorted(bob.timeline) == list(range(11, 61))
        assert bob.timeline[30] == "changed too"
        revs = [message["rev"] for message in bob.of("message")]
        assert revs == sorted(revs)
        messages, rev, _ = await world.room.newest()
        assert ([m.id for m in messages], rev) == (list(range(11, 61)), 62)

    in_world(tmp_path, body)


def test_somebody_who_returns_gets_exactly_what_was_missed(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(10):
            world.say(ana, f"m{n}")
        await world.settle()
        world.room.edit(ana, Edit(2, "edited"))
        world.room.delete(ana, Delete(3))
        await world.settle()
        bob = world.join("bob", after=8)
        await world.settle()
        assert [(m["rev"], m["id"]) for m in bob.of("message")] == [
            (9, 9), (10, 10), (11, 2), (12, 3)
        ]  # fmt: skip
        assert bob.of("message")[-1]["deleted"] is True
        assert bob.frames[-1] == {"type": "live", "rev": 12}

    in_world(tmp_path, body)


@pytest.mark.parametrize("cursor", [{"epoch": "another"}, {"after": 99}])
def test_a_cursor_that_is_not_of_this_log_starts_afresh(
    tmp_path: Path, cursor: dict[str, Any]
) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        world.say(ana, "one")
        world.say(ana, "two")
        await world.settle()
        bob = world.join("bob", **{"after": 1, **cursor})
        await world.settle()
        assert list(bob.timeline) == [1, 2]

    in_world(tmp_path, body)


def test_more_than_two_hundred_missed_are_a_gap_and_the_newest(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(300):
            world.say(ana, f"m{n}")
        await world.settle()
        bob = world.join("bob", after=20)
        await world.settle()
        assert bob.of("gap") == [{"type": "gap", "from": 20, "to": 250, "count": 230}]
        assert list(bob.timeline) == list(range(251, 301))
        rows = await world.store.changes(world.room.name, 20, world.room.flushed, 200)
        assert ([m.rev for m in rows], rows.more) == (list(range(21, 221)), True)

    in_world(tmp_path, body)


def test_after_a_restart_a_thousand_people_return_with_one_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def before(world: World) -> None:
        ana = world.join("ana")
        for n in range(20):
            world.say(ana, f"m{n}")

    queries = []
    plain = Store._rows

    async def counted(self: Store, *values: Any, **options: Any) -> Any:
        queries.append(values)
        return await plain(self, *values, **options)

    async def after(world: World) -> None:
        peers = [world.join(f"u{n}", after=n % 21) for n in range(1000)]
        await world.settle()
        for n, peer in enumerate(peers):
            assert list(peer.timeline) == list(range(n % 21 + 1, 21))
            assert peer in world.room.live

    in_world(tmp_path, before)
    monkeypatch.setattr(Store, "_rows", counted)
    in_world(tmp_path, after)
    assert len(queries) == 1


def test_a_retry_is_answered_to_its_sender_only(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        await world.settle()
        world.room.say(ana, Say("cid00001", "hi"))
        await world.settle()
        assert len(ana.of("message")) == 2
        assert len(bob.of("message")) == 1

    in_world(tmp_path, body)


def test_a_refusal_goes_to_its_sender_only_with_what_it_is_about(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        await world.settle()
        world.room.edit(bob, Edit(1, "ha"))
        world.room.say(ana, Say("cid00001", "another text"))
        with pytest.raises(Refusal, match="too_long"):
            world.say(ana, "x" * 4001)
        await world.settle()
        assert [(r["code"], r["id"]) for r in bob.of("refused")] == [("not_yours", 1)]
        assert [(r["code"], r["cid"]) for r in ana.of("refused")] == [("cid_reused", "cid00001")]

    in_world(tmp_path, body)


def test_typing_is_throttled_and_reaches_live_peers_only(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        bob.space = 0
        world.say(ana, "hi")
        await world.settle()
        for _ in range(5):
            world.room.typing(ana, Typing())
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
            world.room.typing(ana, Typing(stopped))
        await world.settle()
        assert [event.get("stopped", False) for event in ana.of("typing")] == [False, True]

    in_world(tmp_path, body)


def test_read_goes_to_my_other_tabs_in_the_room_only(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        one, two, bob = world.join("ana"), world.join("ana"), world.join("bob")
        for id in range(8):
            world.room.read(one, Read(id))
        while not two.of("read"):
            await asyncio.sleep(0.01)
        assert two.of("read") == [{"type": "read", "id": 7}], "the newest, once"
        assert not one.of("read")
        assert not bob.of("read")

    in_world(tmp_path, body)


def test_ping_is_answered(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        world.room.ping(ana, Ping())
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
        world.room.appear(ana, Appear(False))
        world.room.appear(ana, Appear(False))
        assert ana.visible is False

    in_world(tmp_path, body)


def test_everything_of_a_turn_leaves_in_one_write(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        before = bob.writes
        for n in range(50):
            world.say(ana, f"m{n}")
        await world.settle()
        assert bob.writes == before + 1
        assert len(bob.of("message")) == 50

    in_world(tmp_path, body)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_peer_with_any_socket_ends_up_with_the_log(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the socket takes and when, revs grow, nothing is lost, nothing comes twice."""

    async def body(world: World) -> None:
        ana = world.join("ana")
        bob = Listener("bob", world.room)
        bob.space = data.draw(st.none() | st.integers(0, 3000), "space")
        world.room.join(bob, 0, world.store.epoch)
        log: dict[int, str] = {}
        for step in range(data.draw(st.integers(1, 12), "steps")):
            what = data.draw(st.sampled_from(["say", "long", "edit", "drain", "many"]), "what")
            if what == "edit" and log:
                id = data.draw(st.sampled_from(sorted(log)), "id")
                world.room.edit(ana, Edit(id, f"edited {step}"))
            elif what == "drain":
                bob.drain(data.draw(st.none() | st.integers(0, 5000), "space"))
            else:
                for n in range(30 if what == "many" else 1):
                    world.say(ana, f"{step}.{n} " + "x" * (3000 if what == "long" else 0))
            await world.settle()
            log = ana.timeline
            assert (bob in world.room.live) != (bob in world.room.behind)
        while bob.blocked:
            bob.drain(data.draw(st.none() | st.integers(100, 5000), "space"))
            await world.settle()
        await world.settle()
        assert bob.timeline == log
        revs = [message["rev"] for message in bob.of("message")]
        assert revs == sorted(set(revs))
        assert bob in world.room.live
        assert world.room.peers == {ana, bob}

    in_world(tmp_path_factory.mktemp("world"), body)


def test_a_peer_far_behind_reads_the_log_in_bounded_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.CHANGES", 10)

    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        bob.space = 0
        for _ in range(10):
            for n in range(40):
                world.say(ana, f"m{n} " + "x" * 1000)
            await world.settle()
        assert bob.writes == 2  # the welcome, and the write that found the socket full
        assert not bob.owed
        while bob.blocked:
            before = len(bob.got)
            bob.drain(70_000)
            await world.settle()
            assert len(bob.got) - before <= 70_000 + 1_500  # the socket, and the frame owed
        assert bob.timeline == ana.timeline
        assert len(bob.timeline) == 400

    in_world(tmp_path, body)


def test_a_peer_that_is_answered_while_the_log_is_read_for_it_has_one_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.CHANGES", 10)

    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        bob.space = 0
        for n in range(400):
            world.say(ana, f"m{n}")
        await world.settle()
        bob.drain(10)
        bob.reply(Pong())  # finds the socket full while the first read is under way
        bob.drain(None)
        await world.settle()
        revs = [message["rev"] for message in bob.of("message")]
        assert revs == list(range(1, 401))
        assert bob in world.room.live

    in_world(tmp_path, body)


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
        world.room.leave(ana)
        world.hub.tick()
        assert "lobby" not in world.hub.rooms
        assert world.hub.room("lobby").flushed == 1

    in_world(tmp_path, body)


def test_more_connections_than_one_person_may_have_end_the_oldest(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        peers = [Listener("ana", world.room) for _ in range(3)]
        for peer in peers:
            world.hub.connect(peer, 2)
            if peer.dismissed:
                world.hub.disconnect(peer)
        assert [peer.dismissed for peer in peers] == [[(4010, "replaced")], [], []]

    in_world(tmp_path, body)


def test_the_newest_connection_is_known_also_when_it_replaces_the_only_one(
    tmp_path: Path,
) -> None:
    async def body(world: World) -> None:
        class Leaving(Listener):
            def dismiss(self, code: int, reason: str, after: int) -> None:
                world.hub.disconnect(self)

        first, second = Leaving("ana", world.room), Leaving("ana", world.room)
        world.hub.connect(first, 1)
        world.hub.connect(second, 1)
        assert world.hub.connections == {"ana": {second: None}}

    in_world(tmp_path, body)


def test_a_form_post_is_stored_and_published_like_any_message(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        message = await world.room.post(Person("bob", "Bob", 2), "by form", None)
        await world.settle()
        assert ana.timeline == {message.id: "by form"}
        with pytest.raises(Refusal, match="empty"):
            await world.room.post(Person("bob", "Bob", 2), "  ", None)

    in_world(tmp_path, body)


def test_a_refused_frame_carries_only_what_is_known() -> None:
    event = module.refused(Refusal("slow_down", 1500), cid="cid00001")
    assert msgspec.json.decode(encode(event)) == {
        "type": "refused",
        "code": "slow_down",
        "detail": "Slow down a little.",
        "cid": "cid00001",
        "retry": 1500,
    }
