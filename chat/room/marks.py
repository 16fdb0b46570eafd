"""Marks: what everybody has read and keeps, in memory for those who have a tab open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import chat.wire.protocol as wire
from chat.faults import guarded
from chat.log.operations import Reached
from chat.log.reads import counts, stored
from chat.log.store import Store
from chat.room.belongings import EMPTY, NONE, Belongings, Drafts, Moved, listing
from chat.room.seat import Seat
from chat.room.tidings import Tidings, in_room
from chat.room.titles import Titles
from chat.room.unwritten import Unwritten
from chat.rules.kept import KEYS, check_setting, is_draft
from chat.tasks import Tasks
from chat.wire.codes import Refusal
from chat.wire.frames import Saved
from chat.wire.orders import Command
from chat.wire.passing import Unread, refused
from chat.wire.protocol import Leave, Message, Read, ReadAll

TOGETHER = 200  # people who are looked up at once
WAITING = 50  # commands of somebody who is still being looked up
AGAIN = 1_000  # milliseconds until they are found


@dataclass(frozen=True, slots=True)
class Look:
    """What a page begins with: the mark of its room, the list of rooms, and the settings."""

    read: int
    rooms: list[Unread]
    kept: dict[str, str]


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms, as a list of them has to know them."""

    head: Callable[[str], int]  # where a room stands
    admits: Callable[[str, str], bool]  # whether there is such a room for this person


class Marks:
    """Owns the belongings of everybody who is here."""

    def __init__(self, store: Store, tasks: Tasks, titles: Titles, rooms: Rooms) -> None:
        self._store = store
        self._tasks = tasks
        self._titles = titles
        self._head = rooms.head
        self._admits = rooms.admits
        self._drafts = Drafts()
        self._tidings = Tidings(store, tasks, titles, self._drafts.of, rooms.admits)
        self._people: dict[str, Belongings] = {}
        self._new: list[Belongings] = []  # who is to be looked up
        self._loading = False
        self._unwritten = Unwritten(store, tasks, self._tidings.owe, self._settle)

    # -- coming and going

    def enter(self, seat: Seat) -> None:
        """A tab was opened: its room is in the list from now on, and it is told everything."""
        user = seat.person.user
        mine = self._people.get(user)
        if mine is None:
            mine = self._people[user] = Belongings(user)
            self._new.append(mine)
            if not self._loading:
                self._loading = True
                self._tasks.start(self._load())
        mine.seats += (seat,)
        if mine.loaded:
            self._arrived(mine, seat)

    def greeted(self, seat: Seat) -> None:
        """A tab that was here begins afresh: it is told everything once more."""
        mine = self._people.get(seat.person.user)
        if mine is not None and mine.loaded and seat in mine.seats:
            self._arrived(mine, seat)

    def leave(self, seat: Seat) -> None:
        """A tab is closed; whoever has none is forgotten here as soon as all is written."""
        mine = self._people.get(seat.person.user)
        if mine is not None and seat in mine.seats:
            mine.seats = tuple(other for other in mine.seats if other is not seat)
            mine.fresh -= {seat}
            self._tidings.watch(mine)
            self._settle(mine)

    def forget(self, user: str) -> None:
        """This person is no more; the writer has forgotten what was kept of them."""
        self._drafts.forget(user)
        mine = self._people.pop(user, None)
        if mine is not None:
            mine.seats = ()
            self._tidings.watch(mine)
            self._unwritten.forget(mine)

    async def _load(self) -> None:
        """Look up who is new; who comes meanwhile shares the next look."""
        try:
            while self._new:
                new, self._new = self._new[:TOGETHER], self._new[TOGETHER:]
                await self._look_up(new)
        finally:
            self._loading = False

    async def _look_up(self, new: list[Belongings]) -> None:
        try:
            found = await self._store.read(stored, [mine.user for mine in new])
        except Exception as error:
            for mine in new:
                self._people.pop(mine.user, None)  # the next tab tries again
            if isinstance(error, Refusal):  # it is closing
                return
            raise
        for mine, (marks, kept) in zip(new, found, strict=True):
            if self._people.get(mine.user) is mine:  # not signed out meanwhile
                guarded(self._loaded, mine, marks, kept)

    def _loaded(self, mine: Belongings, marks: dict[str, int], kept: dict[str, str]) -> None:
        mine.marks = self._within(marks)
        mine.kept, mine.loaded = kept or EMPTY, True
        for seat in mine.seats:
            self._arrived(mine, seat)
        waited, mine.waiting = mine.waiting, ()
        for seat, command in waited:
            try:
                self._serve(mine, seat, command)
            except Refusal as refusal:
                seat.peer.reply(refused(refusal))
        self._settle(mine)

    def _within(self, marks: dict[str, int]) -> dict[str, int]:
        """Marks as they can be: none is above the head of its room, as after a restored backup."""
        return {room: min(id, self._head(room)) for room, id in marks.items()}

    def _arrived(self, mine: Belongings, seat: Seat) -> None:
        room = seat.room.name
        mine.fresh |= {seat}
        if mine.come(room, self._head(room), self._titles.house):
            self._unwritten.moved(mine, at_once=True)
        mine.asks |= mine.marks.keys()
        mine.due = 0.0
        self._tidings.watch(mine)
        self._tidings.owe(mine)

    # -- what a tab says

    def serve(self, seat: Seat, command: Command) -> None:
        """Carry out one of the commands that are about what a person has read and keeps.

        Raises Refusal.
        """
        if isinstance(command, wire.Keep):
            check_setting(command.key, command.value)
        mine = self._people.get(seat.person.user)
        if mine is None or seat not in mine.seats:
            return  # it could not be looked up
        if mine.loaded:
            self._serve(mine, seat, command)
        elif len(mine.waiting) < WAITING:
            mine.waiting += ((seat, command),)
        else:
            raise Refusal("busy", AGAIN)

    def _serve(self, mine: Belongings, seat: Seat, command: Command) -> None:
        match command:
            case Read():
                self._move(mine, seat.room.name, command.id, seat, command.back)
            case ReadAll():
                one = command.room
                for room in mine.marks if one is None else mine.marks.keys() & {one}:
                    self._move(mine, room, self._head(room), None)
            case Leave():
                if command.room != self._titles.house and mine.leave(command.room):
                    self._unwritten.moved(mine, at_once=True)
                    self._tidings.watch(mine)
                    self._tidings.owe(mine)
            case wire.Keep():
                self._keep(mine, command.key, command.value)
            case _:
                raise TypeError(command)

    def _move(
        self, mine: Belongings, room: str, id: int, by: Seat | None, back: bool = False
    ) -> None:
        """Somebody has read up to here, or wants to read on from here. The tab that says that it
        has read on need not be told; nor is anybody asked for who looks at that room only."""
        if not mine.move(room, min(id, self._head(room)), back):
            return
        self._unwritten.moved(mine, at_once=back)
        knows = None if back else by
        heard = any(seat.room.name == room and seat is not knows for seat in mine.seats)
        if heard:
            before = mine.read.get(room, Moved(knows))
            moved = Moved(knows if before.by is knows else None, back or before.back)
            mine.read = {**mine.read, room: moved}
        if room in mine.watched:
            mine.asks |= {room}
        if heard or room in mine.watched:
            self._tidings.owe(mine)

    def _keep(self, mine: Belongings, key: str, value: str) -> None:
        if is_draft(key):
            self._drafts.put(mine.user, key, value)
            mine.news |= {key}
            self._tidings.owe(mine)
            return
        if value and key not in mine.kept and len(mine.kept) >= KEYS:
            raise Refusal("bad_setting", detail=f"At most {KEYS} settings are kept.")
        others = {name: known for name, known in mine.kept.items() if name != key}
        mine.kept = {**others, key: value} if value else others or EMPTY
        if key == "order":
            mine.listed = False
        self._unwritten.changed(mine, key)

    def drop(self, room: str) -> None:
        """This room is in no list any more, but of those who look at it; on disk it is so."""
        for mine in self._people.values():
            if room in mine.marks and room not in mine.open and mine.leave(room):
                mine.moved -= {room}
                self._tidings.watch(mine)
                self._tidings.owe(mine)

    def changed(self, room: str, saved: Saved) -> None:
        """A change of this room is on disk: there may be more or less to read in it."""
        if saved.key[0] in ("message", "gone"):
            self._tidings.changed(room)
        if isinstance(saved.change, Message):
            for user in saved.change.mentions:
                self._call(user, room, saved.change.id)

    def _call(self, user: str, room: str, id: int) -> None:
        """Whoever is meant hears of it also in a room they have never been in."""
        mine = self._people.get(user)
        if mine is not None and mine.loaded and mine.call(room, id):
            self._tidings.watch(mine)
            self._tidings.owe(mine)

    def relist(self, user: str | None = None) -> None:
        """There are other rooms than before for somebody, or for everybody."""
        for mine in tuple(self._people.values()):
            if user in (None, mine.user) and mine.loaded:
                mine.listed = False
                mine.asks |= mine.marks.keys()
                self._tidings.owe(mine)

    def tick(self, now: float) -> None:
        """Once a second: write what was read, if it is time."""
        self._unwritten.tick(now)

    def close(self) -> None:
        """Write it now: the store is about to close."""
        self._unwritten.close()

    def _settle(self, mine: Belongings) -> None:
        """Whoever has no tab is forgotten here as soon as all is written."""
        known = mine.loaded and self._people.get(mine.user) is mine
        if known and not mine.seats and not mine.unwritten:
            del self._people[mine.user]

    # -- for a page

    async def look(self, user: str, room: str) -> Look:
        """What a page of this room begins with; nothing is changed by it."""
        marks, kept = await self._known(user)
        marks.setdefault(room, self._head(room))
        rooms = listing(marks, self._titles.house, kept.get("order", ""))
        rooms = [name for name in rooms if self._admits(user, name)]
        asked = [Reached(user, name, marks[name]) for name in rooms if name in marks]
        found = await self._store.read(counts, asked)
        known = {mark.room: count for mark, count in zip(asked, found, strict=True)}
        listed = [in_room(name, self._titles, known.get(name, NONE)) for name in rooms]
        return Look(marks[room], listed, {**kept, **self._drafts.of(user)})

    async def settings(self, user: str) -> dict[str, str]:
        """What they keep, for a page that is not of a room."""
        return (await self._known(user))[1]

    async def _known(self, user: str) -> tuple[dict[str, int], dict[str, str]]:
        mine = self._people.get(user)
        if mine is not None and mine.loaded:
            return dict(mine.marks), dict(mine.kept)
        ((marks, kept),) = await self._store.read(stored, [user])
        return self._within(marks), kept
