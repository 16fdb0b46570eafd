"""Recent: the newest changes of a room, encoded, so that returning costs no query.

Bounded in bytes, each room and all of them; the log has the rest.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from chat.log.store import Store
from chat.log.things import PAGE
from chat.wire.codes import BEHIND
from chat.wire.frames import Frame, Saved
from chat.wire.protocol import Gone, Key

CHANGES = BEHIND  # of one room: who lacks more starts afresh
ROOM = 1024 * 1024  # bytes of one room
ROOMS = 64 * 1024 * 1024  # bytes of all rooms together
EACH = 1000  # bytes that a change takes beside its frame, its body and its text (measured)
BATCH = PAGE  # bytes of frames given to a peer each time its socket has drained


class Memory:
    """What all rooms remember together: beyond its bound the one used least recently forgets."""

    def __init__(self) -> None:
        self.size = 0  # bytes
        self._used: OrderedDict[Recent, None] = OrderedDict()

    def used(self, recent: Recent) -> None:
        """A room was asked for what it remembers, or remembers more or less now."""
        self._count(recent)
        if recent.size:
            self._used[recent] = None
            self._used.move_to_end(recent)
        while self.size > ROOMS:
            oldest = next(iter(self._used))
            oldest.forget_oldest()
            self._count(oldest)

    def _count(self, recent: Recent) -> None:
        self.size += recent.size - recent.counted
        recent.counted = recent.size
        if not recent.size:
            self._used.pop(recent, None)


class Recent:
    """Owns what one room remembers: the newest state of every thing that changed above `floor`."""

    def __init__(self, memory: Memory, rev: int) -> None:
        self.floor = rev
        self.size = 0  # bytes of all it remembers
        self.counted = 0  # of them, what the memory of all rooms knows
        self._memory = memory
        self._warm = rev == 0
        self._reading = asyncio.Lock()
        self._changes: OrderedDict[Key, Frame] = OrderedDict()  # in rev order

    def add(self, saved: Saved) -> Frame:
        """A change was published: it is the newest. Returns its frame."""
        if saved.key[0] == "gone":
            self._remove(saved)
        self._drop(saved.key)
        frame = Frame.keeping(saved)
        self._keep(frame, saved)
        self._fit()
        return frame

    async def read(self, store: Store, room: str) -> None:
        """Take in what the log holds, once, for all who come back at the same time."""
        async with self._reading:
            if self._warm:
                return
            floor = self.floor
            changes = await store.newest(room, CHANGES, ROOM)
            self._warm = True
            if self.floor == floor and changes:  # else so much was said that there is a hole
                later, self._changes, self.size = self._changes, OrderedDict(), 0
                for saved in changes:
                    if saved.rev <= floor and saved.key not in later and not _covers(later, saved):
                        self._keep(Frame.keeping(saved), saved)
                for frame in later.values():
                    self._keep(frame, saved_in(frame))
                self.floor = min(floor, changes[0].rev - 1)
            self._fit()

    def newest(self, saved: Saved) -> Saved | None:
        """What became of this since it was read: itself, a newer state, or nothing any more."""
        frame = self._changes.get(saved.key)
        if frame is not None:
            known = saved_in(frame)
            return known if known.rev > saved.rev else saved
        return None if _covers(self._changes, saved) else saved

    def after(self, cursor: int, upto: int) -> tuple[list[Frame], int] | None:
        """A batch of what came after the cursor, and how far it reaches; None if it is not here."""
        if cursor < self.floor:
            return None
        missed: list[Frame] = []
        for frame in reversed(self._changes.values()):
            rev = saved_in(frame).rev
            if rev <= cursor:
                break
            if rev <= upto:
                missed.append(frame)
        self._memory.used(self)
        return batch(missed[::-1], upto)

    def forget_oldest(self) -> None:
        """Let the oldest change go; who lacks it reads the log."""
        _, frame = self._changes.popitem(last=False)
        self.floor = saved_in(frame).rev
        self.size -= _cost(frame)
        self._warm = self._warm and bool(self._changes)

    def forget(self) -> None:
        """Let everything go: the room is not kept."""
        while self._changes:
            self.forget_oldest()
        self._memory.used(self)

    def _remove(self, saved: Saved) -> None:
        change = saved.change
        assert isinstance(change, Gone)
        kept = [(key, saved_in(frame)) for key, frame in self._changes.items()]
        for key, old in kept:
            if change.covers(key, old.author):
                self._drop(key)

    def _drop(self, key: Key) -> None:
        old = self._changes.pop(key, None)
        if old is not None:
            self.size -= _cost(old)

    def _keep(self, frame: Frame, saved: Saved) -> None:
        self._changes[saved.key] = frame
        self.size += _cost(frame)

    def _fit(self) -> None:
        while len(self._changes) > 1 and (self.size > ROOM or len(self._changes) > CHANGES):
            self.forget_oldest()
        self._memory.used(self)


def saved_in(frame: Frame) -> Saved:
    """The change of a frame that is known to carry one."""
    assert frame.saved is not None
    return frame.saved


def _covers(changes: OrderedDict[Key, Frame], saved: Saved) -> bool:
    """Whether something that was removed since then took this with it."""
    gone = (saved_in(changes[key]).change for key in changes if key[0] == "gone")
    return any(isinstance(g, Gone) and g.covers(saved.key, saved.author) for g in gone)


def _cost(frame: Frame) -> int:
    """Bytes of memory: the frame, the body it was made from, and the text in it."""
    return frame.size + 2 * len(saved_in(frame).body) + EACH


def batch(frames: Iterable[Frame], upto: int) -> tuple[list[Frame], int]:
    """As many of the frames as fit a batch, at least one, and the rev they reach."""
    fit: list[Frame] = []
    size = 0
    for frame in frames:
        size += frame.size
        if size > BATCH and fit:
            return fit, saved_in(fit[-1]).rev
        fit.append(frame)
    return fit, upto
