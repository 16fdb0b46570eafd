"""Tidings: what each person's tabs are told of their rooms, at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from chat.faults import guarded
from chat.log.operations import Reached
from chat.log.reads import Count, counts
from chat.log.store import Store
from chat.room.belongings import EMPTY, NO, NONE, Belongings, Moved, listing
from chat.room.titles import Titles
from chat.tasks import Tasks
from chat.wire.codes import Refusal
from chat.wire.passing import HasRead, Kept, Rooms, Unread
from chat.wire.protocol import Event

PACE = 1.0  # seconds between two tidings of one person; the first comes at once
GATHER = 0.05  # seconds in which what is due is gathered
BATCH = 100  # counts that are asked for at once

Drafted = Callable[[str], dict[str, str]]
Admits = Callable[[str, str], bool]


class Tidings:
    """Owns who is told next, and who is told when something is said in a room.

    Nothing is done for each message: it only marks its room, and that only where somebody who is
    elsewhere has it in their list.
    """

    def __init__(
        self, store: Store, tasks: Tasks, titles: Titles, drafts: Drafted, admits: Admits
    ) -> None:
        """`admits`: whether there is this room for that person."""
        self._store = store
        self._tasks = tasks
        self._titles = titles
        self._drafts = drafts
        self._admits = admits
        self._watchers: dict[str, dict[Belongings, None]] = {}
        self._changed: set[str] = set()  # rooms
        self._owed: dict[Belongings, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._running = False

    def changed(self, room: str) -> None:
        """There may be more or less to read in it."""
        if room in self._watchers and room not in self._changed:
            self._changed.add(room)
            self._arrange(0.0)

    def watch(self, mine: Belongings) -> None:
        """Their tabs, or the rooms in their list, are others than before."""
        rooms = mine.counted()
        for room in mine.watched - rooms:
            del self._watchers[room][mine]
            if not self._watchers[room]:
                del self._watchers[room]
        for room in rooms - mine.watched:
            self._watchers.setdefault(room, {})[mine] = None
        mine.watched = rooms

    def owe(self, mine: Belongings) -> None:
        """There is something to tell them."""
        self._owed[mine] = None
        self._arrange(mine.due)

    def _arrange(self, due: float) -> None:
        """See to it that somebody looks at that time, or soon."""
        loop = asyncio.get_running_loop()
        when = max(due, loop.time() + GATHER)
        if self._running or (self._timer is not None and self._timer.when() <= when):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._begin)

    def _begin(self) -> None:
        self._timer, self._running = None, True
        self._tasks.start(self._run())

    async def _run(self) -> None:
        """Tell everybody whose time has come, a batch at a time; then wait for the next."""
        try:
            for room in self._changed:
                for mine in self._watchers.get(room, ()):
                    mine.asks |= {room}
                    self._owed[mine] = None
            self._changed.clear()
            now = asyncio.get_running_loop().time()
            batch: list[Belongings] = []
            for mine in [mine for mine in self._owed if mine.due <= now]:
                batch.append(mine)
                if sum(map(_asked, batch)) >= BATCH:
                    await self._serve(batch)
                    batch = []
            await self._serve(batch)
        finally:
            self._running = False
            if self._changed or self._owed:
                self._arrange(min((mine.due for mine in self._owed), default=0.0))

    async def _serve(self, batch: list[Belongings]) -> None:
        """Count for these, and tell them."""
        asked = [(mine, room) for mine in batch for room in mine.asks if room in mine.marks]
        for mine in batch:
            self._owed.pop(mine, None)
            mine.asks = NO
            mine.due = asyncio.get_running_loop().time() + PACE
        marks = [Reached(mine.user, room, mine.marks[room]) for mine, room in asked]
        try:
            found = await self._store.read(counts, marks)
        except Refusal:
            return  # it is closing: everybody comes back and is told everything
        for (mine, room), count in zip(asked, found, strict=True):
            mine.count(room, count)
        for mine in batch:
            guarded(self._tell, mine)

    def _tell(self, mine: Belongings) -> None:
        """What their tabs do not know; a new one is told everything."""
        settings = {**mine.kept, **self._drafts(mine.user)}
        changed = {key: settings.get(key, "") for key in mine.news}
        for seat in mine.seats:
            knows = seat not in mine.fresh
            mark = mine.marks.get(seat.room.name)
            by, back = mine.read.get(seat.room.name, Moved(seat))
            told: list[Event] = []
            if mark is not None and (not knows or by is not seat):
                told.append(HasRead(mark, back))
            if not knows or not mine.listed:
                rooms = listing(mine.marks, self._titles.house, mine.kept.get("order", ""))
                told.append(Rooms(self._counts(mine, rooms), whole=True))
            elif mine.counts:
                told.append(Rooms(self._counts(mine, mine.counts)))
            if not knows or changed:
                told.append(Kept(changed if knows else settings))
            if told and seat.room.admits(seat.person):
                seat.peer.reply(*told)
        mine.fresh, mine.listed, mine.read = frozenset(), True, EMPTY
        mine.counts = mine.news = NO

    def _counts(self, mine: Belongings, rooms: Iterable[str]) -> list[Unread]:
        return [
            in_room(room, self._titles, mine.told.get(room, NONE))
            for room in rooms
            if self._admits(mine.user, room)
        ]


def in_room(room: str, titles: Titles, count: Count) -> Unread:
    """A room of the list as it is told."""
    return Unread(room, titles.of(room), count.unread, count.mentioned, titles.private(room))


def _asked(mine: Belongings) -> int:
    return max(1, len(mine.asks))
