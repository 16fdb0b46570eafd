"""Counts and marks against a naive model: a random history of people who talk, read and change."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import Listener, World

from chat.room import tidings
from chat.wire.protocol import Delete, Edit, React, Read, ReadAll, Say

PEOPLE = ("ana", "bob")
ROOMS = ("lobby", "den")
TEXTS = ("hi", "@ANA, see", "@bob and @ana", "@here")

Step = tuple[str, str, str, int]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidings, "PACE", 0.0)
    monkeypatch.setattr(tidings, "GATHER", 0.0)


class History:
    """Two people, each with a tab in both rooms, and one who only looks into the lobby."""

    def __init__(self, world: World) -> None:
        self.world = world
        for name in PEOPLE:
            world.names.add(name, name)
        self.tabs = {(user, room): world.join(user, room=room) for user in PEOPLE for room in ROOMS}
        there = world.join("cy", room="den")
        self.cy = world.join("cy")
        self.gone = lambda: world.hub.rooms["den"].leave(there.seat)
        self.living: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}
        self.number = 0

    async def do(self, step: Step) -> None:
        user, room, what, n = step
        tab = self.tabs[user, room]
        ids = [id for where, id in sorted(self.living) if where == room]
        id = ids[n % len(ids)] if ids else n
        own = [id for id in ids if self.living[room, id][0] == user]
        self.number += 1
        cid = f"cid-{self.number:06}"
        match what:
            case "say":
                tab.ask(Say(cid, TEXTS[n % len(TEXTS)]))
            case "edit" if own:
                tab.ask(Edit(cid, own[n % len(own)], f"{TEXTS[n % len(TEXTS)]} {n}"))
            case "delete" if own:
                tab.ask(Delete(cid, own[n % len(own)]))
            case "react" if ids:
                tab.ask(React(cid, id, "👍", bool(n % 2)))
            case "read":
                tab.ask(Read(id))
            case "back":
                tab.ask(Read(id, back=True))
            case "all":
                tab.ask(ReadAll())
        await self.world.flushed()
        self.look(room)

    def look(self, room: str) -> None:
        """What is said in a room by now, as a page that was always there knows it."""
        for change in self.tabs["ana", room].changes:
            if change["type"] == "message":
                key = room, change["id"]
                self.living[key] = change["user"], change.get("mentions", {})
            elif change["type"] == "gone":
                for id in range(change["from"], change["to"] + 1):
                    self.living.pop((room, id), None)

    def naive(self, user: str, room: str, mark: int) -> tuple[int, int]:
        """Messages of others above the mark, and those that are meant for this person."""
        above = [
            mentions
            for (where, id), (author, mentions) in self.living.items()
            if where == room and id > mark and author != user
        ]
        return min(100, len(above)), min(100, sum(user in mentions for mentions in above))


def known(tab: Listener) -> dict[str, tuple[int, int]]:
    """The counts that a tab shows in the end."""
    counts: dict[str, tuple[int, int]] = {}
    for event in tab.of("rooms"):
        if event.get("whole"):
            counts = {}
        counts |= {one["room"]: (one["unread"], one["mentioned"]) for one in event["rooms"]}
    return counts


steps = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(ROOMS),
    st.sampled_from(("say", "say", "say", "edit", "delete", "react", "read", "back", "all")),
    st.integers(0, 20),
)


@settings(max_examples=40)
@given(st.lists(steps, max_size=30))
def test_what_is_told_equals_a_naive_count_of_the_log(history: list[Step]) -> None:
    async def scenario(path: Path) -> None:
        world = World(path, tidings=True)
        told = world.hub.marks._tidings
        try:
            people = History(world)
            await world.settle()
            people.gone()
            for step in history:
                await people.do(step)
            while told._owed or told._changed or told._timer or told._running:
                await asyncio.sleep(0.001)
            for (user, room), tab in people.tabs.items():
                mark = world.hub.marks._people[user].marks[room]
                counts = known(tab)
                for other in ROOMS:
                    there = world.hub.marks._people[user].marks[other]
                    assert counts[other] == people.naive(user, other, there)
                assert mark <= world.hub.rooms[room].standing.rev
            mark = world.hub.marks._people["cy"].marks["den"]
            assert known(people.cy)["den"] == people.naive("cy", "den", mark)
            page = await world.hub.marks.look("cy", "lobby")
            assert {one.room: (one.unread, one.mentioned) for one in page.rooms} == {
                room: people.naive("cy", room, world.hub.marks._people["cy"].marks[room])
                for room in ROOMS
            }
        finally:
            await world.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(scenario(Path(folder)))
