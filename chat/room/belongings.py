"""Belongings: what one person has read and keeps, in memory while they have a tab open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from chat.log.operations import Reached
from chat.log.reads import Count
from chat.room.seat import Seat
from chat.rules.kept import ROOMS, in_order
from chat.wire.orders import Command

DRAFTS = 8 * 2**20  # bytes of the drafts of everybody; the oldest give way
MINE = 128 * 2**10  # of one person's
NONE = Count()
EMPTY: Mapping[str, Any] = MappingProxyType({})
Names = frozenset[str]
NO: Names = frozenset()


class Moved(NamedTuple):
    """A mark that the tabs in its room are to be told, but for the one that moved it on; or it was
    moved back."""

    by: Seat | None
    back: bool = False


@dataclass(slots=True, eq=False)
class Belongings:
    """One person's: the rooms of their list with the mark of each, settings, and open tabs.

    Most people have nothing on the way: what is empty is shared, and replaced when it is not.
    """

    user: str
    marks: dict[str, int] = field(default_factory=dict)  # by room, in the order of first visits
    kept: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    seats: tuple[Seat, ...] = ()
    loaded: bool = False
    waiting: tuple[tuple[Seat, Command], ...] = ()  # until it is loaded
    # What the disk does not know yet.
    moved: Names = NO  # rooms
    changed: Names = NO  # settings
    marking: bool = False  # marks are being written
    keeping: bool = False  # settings are
    # What the tabs have not been told yet, and what they have.
    fresh: frozenset[Seat] = frozenset()  # tabs that were told nothing
    read: Mapping[str, Moved] = field(default_factory=lambda: EMPTY)  # by room
    asks: Names = NO  # rooms that may have another count
    counts: Names = NO  # rooms that do
    news: Names = NO  # settings
    listed: bool = True  # the list is as they know it
    told: Mapping[str, Count] = field(default_factory=lambda: EMPTY)  # if not nothing
    watched: Names = NO  # rooms that a tab shows the count of
    due: float = 0.0  # when there may be told something again

    @property
    def unwritten(self) -> bool:
        """Whether the disk lacks anything."""
        return bool(self.moved or self.changed or self.marking or self.keeping)

    @property
    def open(self) -> set[str]:
        """The rooms that the tabs show."""
        return {seat.room.name for seat in self.seats}

    def counted(self) -> Names:
        """The rooms that a tab shows the count of: a page counts the room it shows itself."""
        shown = self.open
        only = shown if len(shown) == 1 else NO
        return frozenset(self.marks.keys() - only) if shown else NO

    def count(self, room: str, count: Count) -> None:
        """So much there is to read in it."""
        if room in self.marks and count != self.told.get(room, NONE):
            others = {name: known for name, known in self.told.items() if name != room}
            self.told = others if count == NONE else {**others, room: count}
            self.counts |= {room}

    def come(self, room: str, head: int, house: str) -> bool:
        """This room is in the list, read to its head if it was not; whether it is new there.

        A list has a bound: the room that came first gives way, if it is not open.
        """
        if room in self.marks:
            return False
        if len(self.marks) >= ROOMS:
            spare = [name for name in self.marks if name != house and name not in self.open]
            for name in spare[:1]:
                self.leave(name)
        self.marks[room] = head
        self.moved |= {room}
        self.asks |= {room}
        self.listed = False
        return True

    def call(self, room: str, id: int) -> bool:
        """This message there is meant for them: the room is in the list, if there is space, from
        there on; whether it is new there. The writer has done the same."""
        if room in self.marks or len(self.marks) >= ROOMS:
            return False
        self.marks[room] = id - 1
        self.asks |= {room}
        self.listed = False
        return True

    def move(self, room: str, id: int, back: bool = False) -> bool:
        """The room is read up to here; whether that is another mark than before."""
        mark = self.marks.get(room)
        if mark is None or id == mark or (id < mark and not back):
            return False
        self.marks[room] = id
        self.moved |= {room}
        return True

    def leave(self, room: str) -> bool:
        """This room leaves the list; whether it was in it."""
        if self.marks.pop(room, None) is None:
            return False
        self.told = {name: known for name, known in self.told.items() if name != room}
        self.moved |= {room}
        self.listed = False
        return True

    def reached(self) -> list[Reached]:
        """The marks that the disk does not know."""
        return [Reached(self.user, room, self.marks.get(room)) for room in self.moved]


def listing(marks: Iterable[str], house: str, order: str) -> list[str]:
    """The rooms in the order in which a person sees them: the house is always there."""
    return in_order([house, *(room for room in marks if room != house)], order)


class Drafts:
    """Owns the texts that were written and not sent. On no disk: a start forgets them."""

    def __init__(self) -> None:
        self._texts: OrderedDict[tuple[str, str], str] = OrderedDict()  # the oldest first
        self._mine: dict[str, dict[str, None]] = {}  # the keys of each person, the oldest first
        self._size = 0

    def of(self, user: str) -> dict[str, str]:
        """Those of a person, by the key of the setting."""
        return {key: self._texts[user, key] for key in self._mine.get(user, ())}

    def put(self, user: str, key: str, text: str) -> None:
        """Another text, or none. Where there are too many the oldest give way."""
        self._drop(user, key)
        if not text:
            return
        self._texts[user, key] = text
        self._mine.setdefault(user, {})[key] = None
        self._size += _size(key, text)
        while sum(_size(key, text) for key, text in self.of(user).items()) > MINE:
            self._drop(user, next(iter(self._mine[user])))
        while self._size > DRAFTS:
            self._drop(*next(iter(self._texts)))

    def forget(self, user: str) -> None:
        """This person is no more."""
        for key in tuple(self._mine.get(user, ())):
            self._drop(user, key)

    def _drop(self, user: str, key: str) -> None:
        text = self._texts.pop((user, key), None)
        if text is not None:
            self._size -= _size(key, text)
            del self._mine[user][key]
            if not self._mine[user]:
                del self._mine[user]


def _size(key: str, text: str) -> int:
    """About the memory that it takes, in bytes."""
    return 200 + len(key) + len(text.encode("utf-8", "surrogatepass"))
