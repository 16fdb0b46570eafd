"""A hub over a real store without sockets, and peers that take what the test lets them take."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat.log.reader import changed, changed_last, page
from chat.log.store import Store
from chat.room.authority import Authority
from chat.room.hub import Hub
from chat.room.room import Room
from chat.room.seat import Seat
from chat.rules.access import TABLE, Answer, Role, Verb
from chat.rules.mentions import Names
from chat.rules.pace import Pace
from chat.tasks import Tasks
from chat.wire.frames import Frame
from chat.wire.orders import Command
from chat.wire.protocol import Event, Person, Say

# Events that leave nothing behind, whatever they carry.
PASSING = {"welcome", "live", "jump", "beat", "people", "typing", "read", "rooms", "kept", "done"}
PASSING |= {"refused", "pong", "bye"}
HOST = Person("host", "Host", 0)  # looks into rooms for the test


class Listener:
    """A page of the test: it keeps to the cursor rule and holds what it was told."""

    seat: Seat

    def __init__(self, user: str, after: int | None = None) -> None:
        self.person = Person(user, user.upper(), 1)
        self.after = after
        self.address = "127.0.0.1"
        self.payer = user
        self.blocked = False
        self.fd = 0
        self.space: int | None = None  # bytes its socket takes until it drains; None: all
        self.owed = b""
        self.got = b""
        self.writes = 0
        self.dismissed: list[tuple[int, str]] = []

    # -- as the server sees it

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
            self.seat.fall_behind(rev)

    def reply(self, *events: Event) -> None:
        frame = Frame.together([Frame.of(event) for event in events], kept=len(events))
        if self.blocked:
            self.owed += frame.data
        else:
            self.write_message(frame)

    def dismiss(self, code: int, reason: str, after: int) -> None:
        self.dismissed.append((code, reason))

    # -- as the test sees it

    def ask(self, command: Command) -> None:
        """Say something in its room."""
        room = self.seat.room
        assert isinstance(room, Room)
        room.serve(self.seat, command)

    def drain(self, space: int | None = None) -> None:
        """The socket has room again."""
        self.got, self.owed, self.space = self.got + self.owed, b"", space
        if self.blocked:
            self.blocked = False
            self.seat.drained()

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
        """The events of this type."""
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def changes(self) -> list[dict[str, Any]]:
        """The lasting ones, of every kind; that they keep to the cursor rule is checked."""
        cursor, live, found = self.after or 0, False, []
        for frame in self.frames:
            kind = frame["type"]
            if kind not in PASSING:
                fresh = frame["rev"] == cursor + 1 if live else frame["rev"] > cursor
                assert fresh, f"{frame} after {cursor}, live: {live}"
                cursor = frame["rev"]
                found.append(frame)
            elif kind == "live":
                assert frame["head"] >= cursor, "live goes back"
                cursor, live = frame["head"], True
            elif kind == "jump":
                live = False
            elif kind == "welcome" and frame["afresh"]:
                cursor, live = frame["head"], False
        return found

    @property
    def revs(self) -> list[int]:
        """Of the changes, as they came."""
        return [change["rev"] for change in self.changes]

    @property
    def timeline(self) -> dict[int, str]:
        """The messages as a page would show them: the last state of each that is not gone."""
        shown: dict[int, str] = {}
        for change in self.changes:
            if change["type"] == "message":
                shown[change["id"]] = change["text"]
            elif change["type"] == "gone":
                for id in [id for id in shown if change["from"] <= id <= change["to"]]:
                    del shown[id]
        return shown

    @property
    def afresh(self) -> list[bool]:
        """Of each welcome, whether it said so."""
        return [welcome["afresh"] for welcome in self.of("welcome")]


def held(database: Path, *people: str, role: str = "member") -> None:
    """These hold a name here, as who has joined does."""
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("PRAGMA synchronous = OFF")
        db.executemany(
            "INSERT OR IGNORE INTO users (id, name, skeleton, color, seen, stage, role)"
            " VALUES (?1, ?1, ?1, 0, 0, 2, ?2)",
            [(user, role) for user in people],
        )


class World:
    """A hub over a real store."""

    def __init__(self, path: Path, tidings: bool = False) -> None:
        """`tidings`: people are told of their rooms and settings, some time after they come."""
        self.path = path / "chat.db"
        self.store = Store(self.path)
        self.store.start()
        self.tasks = Tasks()
        self.strangers: set[str] = set()  # everybody else has a name here
        self.names = Names()  # that can be mentioned
        self.hub = Hub(
            self.store, self.tasks, Pace(0.0), Authority(self.store, self.knows), self.names
        )
        if not tidings:
            self.hub.marks._tidings.owe = lambda mine: None  # type: ignore[method-assign]
        self.number = 0

    def knows(self, user: str) -> bool:
        """Whether this person has a name here."""
        return user not in self.strangers

    @property
    def room(self) -> Room:
        """The lobby, as it is in memory."""
        return self.hub.enter(HOST, "lobby")

    def join(
        self, user: str, after: int | None = None, epoch: str | None = None, room: str = "lobby"
    ) -> Listener:
        """Somebody comes in, with a cursor or without."""
        return self.seat(Listener(user, after), epoch, room)

    def seat(self, peer: Listener, epoch: str | None = None, room: str = "lobby") -> Listener:
        """This peer comes in."""
        if self.knows(peer.person.user):
            held(self.path, peer.person.user)
        self.hub.tabs.open(peer, 0)
        self.hub.enter(HOST, room).enter(peer, peer.after, epoch or self.store.epoch, False)
        return peer

    def say(self, peer: Listener, text: str) -> str:
        """A message; returns its cid."""
        self.number += 1
        cid = f"cid{self.number:05}"
        peer.ask(Say(cid, text))
        return cid

    async def settle(self) -> None:
        """Wait until everything said is saved and flushed."""
        while self.store._unsettled or self.hub._dirty or self.tasks._running:
            await asyncio.sleep(0.001)

    async def flushed(self) -> None:
        """Wait for the same while somebody is being brought on."""
        while self.store._unsettled or self.hub._dirty:
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        await self.settle()
        await self.store.close()


def in_world(path: Path, body: Callable[[World], Awaitable[None]]) -> None:
    """Run this in a world over that folder."""

    async def main() -> None:
        world = World(path)
        try:
            await body(world)
        finally:
            await world.close()

    asyncio.run(main())


class Counted:
    """Counts the reads of the log; `hold` holds up what the next one has found, until `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        self._begun: asyncio.Event | None = None  # set when there is something to hold up
        self._go = asyncio.Event()
        plain, told = Store.read, self

        async def counted(self: Store, ask: Callable[..., Any], *about: Any) -> Any:
            if ask not in (changed, changed_last, page):
                return await plain(self, ask, *about)
            told.reads += 1
            begun, told._begun = told._begun, None
            found = await plain(self, ask, *about)
            if begun is not None:
                begun.set()
                await told._go.wait()
            return found

        monkeypatch.setattr(Store, "read", counted)

    async def hold(self) -> None:
        """Hold up the next one; wait for it."""
        self._begun = begun = asyncio.Event()
        await begun.wait()

    def go(self) -> None:
        """What was read is given now."""
        self._go.set()


def shut_out(monkeypatch: pytest.MonkeyPatch, world: World, user: str) -> None:
    """This person may not be in any room from now on."""
    monkeypatch.setitem(TABLE[Role.STRANGER], Verb.ENTER, Answer.NO)
    world.strangers.add(user)
