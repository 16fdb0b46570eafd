"""Hub: the one door to a room, every room that someone is in, and the flush of a turn."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import cast

from msgspec.structs import replace

from chat.faults import guarded
from chat.log.operations import Raise, Tidy
from chat.log.store import Store
from chat.room.authority import Authority
from chat.room.chores import Chores
from chat.room.marks import Marks, Rooms
from chat.room.people import now_ms
from chat.room.polls import Polls
from chat.room.recent import Memory
from chat.room.room import Room, Shared
from chat.room.seat import Standing, fail
from chat.room.tabs import Tabs
from chat.room.titles import Titles
from chat.rules.access import Role, check_enter
from chat.rules.mentions import Names
from chat.rules.pace import Pace
from chat.tasks import Tasks
from chat.turn import QuietTurn
from chat.wire.codes import Refusal
from chat.wire.frames import Enclosing, Saved
from chat.wire.passing import Limits
from chat.wire.protocol import UNSET, Person, Settings

# So many seats take longer to write to than a commit takes: a flush to them waits for the one
# that is under way, and its messages leave in the same writes.
CROWD = 250
PATIENCE = 0.02  # seconds such a flush waits at most
IDLE = 60.0  # seconds a room without seats is kept in memory
DAY = 24 * 3600 * 1000  # milliseconds
KNOWN = 7 * DAY  # in which a command that comes again is known
TOLD = 30 * DAY  # in which whoever comes back is told what was removed
RECORDED = 365 * DAY  # in which it is known what moderators did


class Hub:
    """Owns the rooms in memory, where each room of the log stands, and the turn's flush."""

    def __init__(
        self,
        store: Store,
        tasks: Tasks,
        pace: Pace,
        authority: Authority,
        names: Names | None = None,
    ) -> None:
        """`names`: those of everybody."""
        self.authority = authority
        authority.changed = self._changed
        self.rooms: dict[str, Room] = {}
        self.tabs = Tabs()
        self.polls = Polls()
        self.titles = Titles(store)
        self._standings = {name: Standing(*as_of) for name, as_of in store.standings().items()}
        self.titles.private = lambda name: self._settings(name).private
        self.marks = Marks(store, tasks, self.titles, Rooms(self._head, self.admits))
        self.shared = Shared(
            store, tasks, self.titles, names or Names(), Memory(), pace, authority, self._keep,
            self.dirty, self.publish, self.marks, lambda: self.limits,
        )  # fmt: skip
        self.chores = Chores(store, tasks, self.publish, authority.empty)
        self.limits = Limits()
        self._dirty: list[Room] = []
        self._turn = QuietTurn(self._count, self._quiet)
        self._waits = False
        store.settled = self.settled

    def __len__(self) -> int:
        return len(self.titles)

    @property
    def fresh(self) -> bool:
        """Whether nothing has ever been said here."""
        return not self._standings

    def enter(self, person: Person | None, name: str) -> Room:
        """The one door to a room. Who only looks leaves nothing in memory.

        Raises Refusal banned, or bad_room for who may not come in: for them there is no such room.
        """
        standing = self._standings.get(name) or Standing()
        user = "" if person is None else person.user
        check_enter(self.authority.facts(user), name, standing.settings, now_ms())
        return self.rooms.get(name) or Room(self.shared, name, standing)

    def _settings(self, name: str) -> Settings:
        standing = self._standings.get(name)
        return standing.settings if standing else UNSET

    def _keep(self, room: Room) -> None:
        """Somebody takes a seat in it: it stays in memory while anyone is there."""
        self.rooms[room.name] = room

    def admits(self, user: str, name: str) -> bool:
        """Whether there is such a room for somebody."""
        return self.authority.admits(user, name, self._settings(name))

    def _head(self, name: str) -> int:
        """Where a room stands."""
        standing = self._standings.get(name)
        return standing.rev if standing else 0

    def rename(self, person: Person) -> None:
        """This person has another name, in every room and in all tabs."""
        self.tabs.rename(person)
        for room in self.rooms.values():
            room.presence.rename(person)

    def _changed(self, user: str) -> None:
        """This person is something else from now on: their tabs are told, or have to go."""
        for room in list(self.rooms.values()):
            self._ask_again(room, user)
            if not self.admits(user, room.name):
                room.presence.forget(user)  # also who has no tab there at the moment
        badge, standing = self.authority.badge(user), self.authority.standing(user)
        for peer in self.tabs.of(user):
            if peer.person.role != badge:
                self.rename(replace(peer.person, role=badge))
            peer.reply(standing)
        self.marks.relist(user)

    def sign_out(self, user: str) -> None:
        """This person is gone, at once."""
        self.tabs.sign_out(user)
        self.marks.forget(user)
        self.authority.forget(user)
        for room in self.rooms.values():
            room.presence.forget(user)

    def publish(self, name: str, saved: Saved) -> None:
        """A change is on disk: give it to the room, if anyone is in it. Called in rev order."""
        room = self.rooms.get(name)
        standing = self._standings.get(name)
        if standing is None or (saved.key[0] == "message" and name not in self.titles):
            self.titles.made(name)
        if standing is None:
            standing = self._standings[name] = room.standing if room else Standing()
        standing.rev = saved.rev
        if isinstance(saved.change, Settings):
            self._arranged(name, standing, saved)
        if room is not None:
            room.publish(saved)
            if saved.key == UNSET.key:
                self._ask_again(room)
        self.marks.changed(name, saved)
        self.polls.told(name)

    def _ask_again(self, room: Room, user: str | None = None) -> None:
        """What is allowed is another, for this person or everybody. Who may not stay is in the room
        no longer, then hears `bye`, and nothing of what is about to be flushed."""
        for seat in tuple(room.seats):
            if user in (None, seat.person.user) and not room.admits(seat.person):
                room.leave(seat)
                room.presence.forget(seat.person.user)
                fail(seat.peer, room.name, Refusal("not_allowed"))

    def _arranged(self, name: str, standing: Standing, saved: Saved) -> None:
        """It may be in other lists than before."""
        was, standing.settings = standing.settings, cast(Settings, saved.change)
        if isinstance(saved, Enclosing):
            self.authority.enclose(name, saved.inside)
        if standing.settings.private != was.private:
            self.marks.relist()

    def dirty(self, room: Room) -> None:
        """This room has something to flush."""
        self._dirty.append(room)
        if len(self._dirty) == 1:
            self._waits = False
            self._turn.begin()

    def _count(self) -> int:
        return sum(len(room.outbox) for room in self._dirty)

    def _quiet(self) -> None:
        """Flush, or wait for the commit that is under way, but not for a disk that hangs."""
        if self.shared.store.busy and sum(len(room.seats) for room in self._dirty) > CROWD:
            self._waits = True
            asyncio.get_running_loop().call_later(PATIENCE, self.settled)
        else:
            self.flush()

    def settled(self) -> None:
        """A commit is over and what it saved is published, or has taken too long to wait for."""
        if self._waits:
            self.flush()

    def flush(self) -> None:
        """Send what every room has to say."""
        self._waits = False
        rooms, self._dirty = self._dirty, []
        for room in rooms:
            guarded(room.flush)

    def tick(self) -> None:
        """Once a second: who has left, who is here, which rooms nobody needs."""
        now = monotonic()
        for room in list(self.rooms.values()):
            guarded(room.tick, now)
            if room.idle_since and now - room.idle_since > IDLE:
                del self.rooms[room.name]
                room.recent.forget()
        guarded(self.marks.tick, now)

    async def tidy(self) -> None:
        """Forget what is old in the log. Raises Refusal."""
        now, store = now_ms(), self.shared.store
        floors = await store.wrote(Raise(now - TOLD))
        for name, floor in floors.items():
            self._standings[name].floor = floor
        while await store.wrote(Tidy(now - KNOWN, now - TOLD, now - RECORDED)):
            pass
        kept = self._standings.items()
        await self.chores.expire(
            [name for name, standing in kept if standing.settings.keep is not None]
        )

    def remove(self, name: str) -> None:
        """This room is in nobody's list any more, and begins anew with what is said in it."""
        self.titles.forget(name)
        self.marks.drop(name)


def home(hub: Hub, user: str) -> str:
    """Where somebody comes to who names no room: who has no place in the house, to the first of
    those they were let into."""
    house: str = hub.titles.house
    if hub.admits(user, house):
        return house
    return min(hub.authority.facts(user).rooms, default=house)


def turn_away(hub: Hub) -> None:
    """The door is another: strangers who could not come in by it do not stay."""
    authority = hub.authority
    for user in hub.tabs:
        if authority.role(user) is Role.STRANGER and authority.door() != "open":
            for peer in hub.tabs.of(user):
                fail(peer, peer.seat.room.name, Refusal("not_allowed"))
