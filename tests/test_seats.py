"""chat/room/seat.py: whatever a socket takes and when, a cursor only grows and nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Counted, Listener, World, in_world, shut_out

from chat.wire.codes import BEHIND
from chat.wire.protocol import Delete, Edit, Ping, React

Body = Callable[[World, Listener, Listener, Counted], Awaitable[None]]


@settings(max_examples=60)
@given(data=st.data())
def test_a_peer_with_any_socket_ends_up_with_the_log(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the socket takes and when, revs grow, nothing is lost, nothing comes twice."""

    async def body(world: World) -> None:
        ana = world.join("ana")
        bob = Listener("bob", after=0)
        bob.space = data.draw(st.none() | st.integers(0, 3000), "space")
        world.seat(bob)
        kinds = ["say", "long", "edit", "delete", "react", "drain", "ping", "many"]
        for step in range(data.draw(st.integers(1, 12), "steps")):
            what = data.draw(st.sampled_from(kinds), "what")
            known = sorted(ana.timeline)
            if what in ("edit", "delete", "react") and known:
                id = data.draw(st.sampled_from(known), "id")
                asked = {
                    "edit": Edit(f"cid-edit-{step}", id, f"edited {step}"),
                    "delete": Delete(f"cid-delete-{step}", id),
                    "react": React(f"cid-react-{step}", id, "👍", bool(step % 2)),
                }
                ana.ask(asked[what])
            elif what == "drain":
                bob.drain(data.draw(st.none() | st.integers(0, 5000), "space"))
            elif what == "ping":
                bob.ask(Ping())
            else:
                for n in range(30 if what == "many" else 1):
                    world.say(ana, f"{step}.{n} " + "x" * (3000 if what == "long" else 0))
            await world.settle()
        while bob.blocked:
            bob.drain(data.draw(st.none() | st.integers(100, 5000), "space"))
            await world.settle()
        assert bob.timeline == ana.timeline
        assert bob.afresh == [False]
        assert bob.seat.live
        assert world.room.seats == {ana.seat, bob.seat}

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
        assert bob.revs == ana.revs == list(range(1, 401))
        assert bob.of("jump")

    in_world(tmp_path, body)


def test_a_peer_that_falls_more_than_that_behind_starts_afresh_when_it_drains(
    tmp_path: Path,
) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        bob.space = 0
        for n in range(BEHIND + 1):
            world.say(ana, f"m{n}")
        await world.settle()
        bob.drain()
        await world.settle()
        assert [frame["type"] for frame in bob.frames[-3:]] == ["jump", "welcome", "live"]
        assert (bob.afresh, bob.revs) == ([True, True], [])
        world.say(ana, "next")
        await world.settle()
        assert bob.revs == [BEHIND + 2]

    in_world(tmp_path, body)


# -- while the log is read for it


def while_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: Body) -> None:
    """Ana has said 400 messages; Bob comes from 20 and the log is being read for him."""
    monkeypatch.setattr("chat.room.recent.CHANGES", 10)

    async def all(world: World) -> None:
        ana = world.join("ana")
        for n in range(400):
            world.say(ana, f"text {n + 1}.")
        ana.ask(React("cid-react", 30, "👍", True))
        await world.settle()
        counted = Counted(monkeypatch)
        bob = world.join("bob", after=20)
        await counted.hold()
        try:
            await body(world, ana, bob, counted)
        finally:
            counted.go()

    in_world(tmp_path, all)


def test_a_seat_has_one_reader_however_often_it_is_answered_and_drains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer may find the socket full, and each time it drains the seat would go on."""

    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        for _ in range(20):
            bob.space = 0
            bob.ask(Ping())
            bob.drain(None)
        assert sum("Seat._read" in repr(task) for task in world.tasks._running) == 1
        counted.go()
        await world.settle()
        assert bob.revs == list(range(21, 402))
        assert bob.seat.live

    while_read(tmp_path, monkeypatch, body)


def test_a_batch_is_not_given_to_a_socket_that_has_become_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        bob.space = 0
        bob.ask(Ping())
        counted.go()
        await world.settle()
        assert bob.revs == []
        bob.drain()
        await world.settle()
        assert bob.revs == list(range(21, 402))
        assert not bob.dismissed

    while_read(tmp_path, monkeypatch, body)


def test_a_batch_that_comes_when_its_seat_has_gone_on_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take the cursor back: somebody else made the room remember what was missed."""

    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        monkeypatch.setattr("chat.room.recent.CHANGES", BEHIND)
        world.room.recent.forget()
        cy = world.join("cy", after=20)
        while not cy.seat.live:
            await asyncio.sleep(0.001)
        bob.space = 0
        bob.ask(Ping())
        bob.drain()
        assert bob.seat.live
        counted.go()
        await world.settle()
        assert bob.revs == cy.revs == list(range(21, 402))
        assert not bob.dismissed

    while_read(tmp_path, monkeypatch, body)


def test_a_batch_that_comes_when_its_seat_has_started_afresh_is_not_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        for n in range(BEHIND):
            world.say(ana, f"more {n}")
        await world.flushed()
        bob.space = 0
        bob.ask(Ping())
        bob.drain()
        assert bob.seat.live
        counted.go()
        await world.settle()
        world.say(ana, "next")
        await world.settle()
        assert bob.afresh == [False, True]
        assert bob.revs == [402 + BEHIND]

    while_read(tmp_path, monkeypatch, body)


def test_who_is_too_far_behind_when_the_log_is_read_starts_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        for n in range(BEHIND):
            world.say(ana, f"more {n}")
        await world.flushed()
        counted.go()
        await world.settle()
        assert bob.afresh == [False, True]
        assert (bob.revs, bob.seat.live) == ([], True)

    while_read(tmp_path, monkeypatch, body)


def test_the_floor_is_asked_again_when_the_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was removed may have been forgotten meanwhile: nobody would be told of it."""
    monkeypatch.setattr("chat.room.hub.TOLD", -1000)  # whatever is gone is forgotten at once

    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        ana.ask(Delete("cid-delete", 5))
        await world.flushed()
        await world.hub.tidy()
        assert world.room.standing.floor == 402
        counted.go()
        await world.settle()
        assert bob.afresh == [False, True]
        assert bob.revs == []

    while_read(tmp_path, monkeypatch, body)


def test_access_is_asked_again_when_the_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        shut_out(monkeypatch, world, "bob")
        counted.go()
        await world.settle()
        assert bob.dismissed
        assert bob.revs == []

    while_read(tmp_path, monkeypatch, body)


def test_a_state_that_is_superseded_when_it_is_read_does_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        ana.ask(Edit("cid-edit", 25, "another"))
        await world.flushed()
        counted.go()
        await world.settle()
        assert bob.revs == [rev for rev in range(21, 403) if rev != 25]
        assert b"text 25." not in bob.got
        assert bob.timeline[25] == "another"

    while_read(tmp_path, monkeypatch, body)


def test_what_is_removed_when_it_is_read_does_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the message nor what was put below it."""

    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        ana.ask(Delete("cid-delete", 30))
        await world.flushed()
        counted.go()
        await world.settle()
        assert b"text 30." not in bob.got
        assert not bob.of("reaction")
        assert bob.revs == [rev for rev in range(21, 403) if rev not in (30, 401)]

    while_read(tmp_path, monkeypatch, body)


def test_it_does_not_leave_either_where_the_memory_has_forgotten_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So much has been said since that nobody can say what became of what was read."""

    async def body(world: World, ana: Listener, bob: Listener, counted: Counted) -> None:
        ana.ask(Delete("cid-delete", 30))
        for n in range(20):
            world.say(ana, f"more {n}")
        await world.flushed()
        counted.go()
        await world.settle()
        assert b"text 30." not in bob.got
        assert bob.revs == [rev for rev in range(21, 423) if rev not in (30, 401)]

    while_read(tmp_path, monkeypatch, body)
