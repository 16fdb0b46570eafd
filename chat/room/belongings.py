"""Belongings: what one person has read and keeps, in memory while they have a tab open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from chat.log.operations import Reached
from chat.log.reads import Count
from chat.room.seat import Seat
from chat.rules.kept import ROOMS, in_order
from chat.wire.protocol import Command

DRAFTS = 8 * 2**20  # bytes of the drafts of everybody; the oldest give way
MINE = 128 * 2**10  # of one person's


class Moved(NamedTuple):
    """A mark that the tabs in its room are to be told, but for the one that moved it on; or it was
    moved back."""

    by: Seat | None
    back: bool = False


@dataclass(slots=True, eq=False)
class Belongings:
    """One person's: the rooms of their list with the mark of each, settings, and open tabs."""

    user: str
    marks: dict[str, int] = field(default_factory=dict)  # by room, in the order of first visits
    kept: dict[str, str] = field(default_factory=dict)
    seats: dict[Seat, bool] = field(default_factory=dict)  # whether it has been told everything
    loaded: bool = False
    waiting: list[tuple[Seat, Command]] = field(default_factory=list)  # until it is loaded
    # What the disk does not know yet.
    moved: set[str] = field(default_factory=set)  # rooms
    changed: set[str] = field(default_factory=set)  # settings
    marking: bool = False  # marks are being written
    keeping: bool = False  # settings are
    # What the tabs have not been told yet, and what they have.
    read: dict[str, Moved] = field(default_factory=dict)  # by room
    asks: set[str] = field(default_factory=set)  # rooms that may have another count
    counts: set[str] = field(default_factory=set)  # rooms that do
    news: set[str] = field(default_factory=set)  # settings
    listed: bool = True  # the list is as they know it
    told: dict[str, Count] = field(default_factory=dict)
    watched: set[str] = field(default_factory=set)  # rooms that a tab shows the count of
    due: float = 0.0  # when there may be told something again

    @property
    def unwritten(self) -> bool:
        """Whether the disk lacks anything."""
        return bool(self.moved or self.changed or self.marking or self.keeping)

    @property
    def open(self) -> set[str]:
        """The rooms that the tabs show."""
        return {seat.room.name for seat in self.seats}

    def counted(self) -> set[str]:
        """The rooms that a tab shows the count of: a page counts the room it shows itself."""
        shown = self.open
        only = shown if len(shown) == 1 else set()
        return self.marks.keys() - only if shown else set()

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
        self.moved.add(room)
        self.asks.add(room)
        self.listed = False
        return True

    def move(self, room: str, id: int, back: bool = False) -> bool:
        """The room is read up to here; whether that is another mark than before."""
        mark = self.marks.get(room)
        if mark is None or id == mark or (id < mark and not back):
            return False
        self.marks[room] = id
        self.moved.add(room)
        return True

    def leave(self, room: str) -> bool:
        """This room leaves the list; whether it was in it."""
        if self.marks.pop(room, None) is None:
            return False
        self.told.pop(room, None)
        self.moved.add(room)
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
