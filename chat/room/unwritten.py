"""Unwritten: what the disk lacks of what people have read and keep.

A kill loses what was read in the last seconds and nothing else: what moves a mark back, adds a room
or takes one away is written at once, and a setting is told when it is on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import monotonic

from chat.log.operations import Keep, Mark
from chat.log.store import Store, nobody_waits
from chat.room.belongings import NO, Belongings
from chat.tasks import Tasks
from chat.wire.codes import Refusal

WRITE = 5.0  # seconds between two writes of what was read
ROWS = 500  # marks in one commit

Told = Callable[[Belongings], None]


class Unwritten:
    """Owns who has something that is not on disk, and the one write of marks at a time."""

    def __init__(self, store: Store, tasks: Tasks, saved: Told, settled: Told) -> None:
        """`saved`: settings of this person are on disk; `settled`: everything may be."""
        self._store = store
        self._tasks = tasks
        self._saved = saved
        self._settled = settled
        self._people: dict[Belongings, None] = {}
        self._lock = asyncio.Lock()
        self._asked = False  # a write is about to begin
        self._began = 0.0  # when the last one did

    def moved(self, mine: Belongings, at_once: bool) -> None:
        """A mark of theirs is another than on disk."""
        self._people[mine] = None
        if at_once:
            self._ask()

    def changed(self, mine: Belongings, key: str) -> None:
        """So is a setting."""
        mine.changed |= {key}
        self._people[mine] = None
        self._save(mine)

    def tick(self, now: float) -> None:
        """Once a second: write, if it is time."""
        if self._people and now - self._began >= WRITE:
            self._ask()

    def forget(self, mine: Belongings) -> None:
        """This person is no more."""
        self._people.pop(mine, None)

    def close(self) -> None:
        """Hand everything over: the store is about to finish what it was given."""
        for mark in _marks(self._people):
            self._store.write(mark, nobody_waits)
        for mine in tuple(self._people):
            self._save(mine)

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            self._tasks.start(self._write())

    async def _write(self) -> None:
        """Give the disk what it lacks. What it refuses it is given again the next time."""
        async with self._lock:
            self._asked, self._began = False, monotonic()
            behind = {mine.user: mine for mine in self._people}
            marks = _marks(behind.values())
            for mine in behind.values():
                mine.marking = True
                self._save(mine)
            for mark in marks:
                try:
                    await self._store.wrote(mark)
                except Refusal as refusal:
                    for person, room, _ in mark.reached if refusal.retry else ():
                        behind[person].moved |= {room}
            for mine in behind.values():
                mine.marking = False
                self._settle(mine)

    def _save(self, mine: Belongings) -> None:
        """Write the settings that have changed, those of one person one after the other."""
        if mine.keeping or not mine.changed:
            return
        keys, mine.changed, mine.keeping = mine.changed, NO, True

        def done(outcome: object) -> None:
            mine.keeping = False
            if not isinstance(outcome, Refusal):
                mine.news |= keys
                self._saved(mine)
                self._save(mine)
            elif outcome.retry:
                mine.changed |= keys  # with the next write
            self._settle(mine)

        self._store.write(Keep(mine.user, {key: mine.kept.get(key, "") for key in keys}), done)

    def _settle(self, mine: Belongings) -> None:
        if not mine.unwritten:
            self._people.pop(mine, None)
            self._settled(mine)


def _marks(people: Iterable[Belongings]) -> list[Mark]:
    """Those of these people that the disk does not know, in as many commits as they take."""
    reached = []
    for mine in people:
        reached += mine.reached()
        mine.moved = NO
    return [Mark(tuple(reached[at : at + ROWS])) for at in range(0, len(reached), ROWS)]
