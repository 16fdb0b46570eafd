"""Recent: the newest changes and the newest messages of a room, encoded, so that joining and
returning cost no query. Bounded in bytes, each room and all of them; the log has the rest.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from sys import getsizeof

from chat.log.store import Store
from chat.log.things import PAGE, Rows
from chat.wire.frames import Frame
from chat.wire.protocol import FRESH, Message

CHANGES = 500  # of one room
ROOM = 1024 * 1024  # bytes of one room
ROOMS = 64 * 1024 * 1024  # bytes of all rooms together
LAST = 2**53  # beyond every id
EACH = 600  # bytes that a change takes beside its frame and its text (measured)
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
    """Owns what one room remembers: every change above `floor`, and what a newcomer gets.

    Until it is warm it knows only what was published since it was made.
    """

    def __init__(self, memory: Memory, rev: int) -> None:
        self.floor = rev
        self.warm = rev == 0
        self.more = False  # there are messages before the newest
        self.size = 0  # bytes of all it remembers
        self.counted = 0  # of them, what the memory of all rooms knows
        self._memory = memory
        self._reading = asyncio.Lock()
        self._changes: OrderedDict[int, Frame] = OrderedDict()  # by id, in rev order
        self._newest: OrderedDict[int, Frame] = OrderedDict()  # messages by growing id
        self._length = 0  # bytes of frames in the newest
        self._fresh: tuple[int, list[Frame]] | None = None  # what a newcomer gets, at which rev

    def add(self, frame: Frame) -> None:
        """A change was published: it is the newest."""
        message = message_in(frame)
        old = self._changes.pop(message.id, None)
        if old is not None:
            self.size -= _cost(old)
        self._keep(frame)
        if self.warm and (message.id == message.rev or message.id in self._newest):
            self._renew(message.id, frame)
        self._fit()

    async def read(self, store: Store, room: str) -> None:
        """Take in what the log holds, once: it is warm from then on."""
        async with self._reading:
            while not self.warm:
                floor = self.floor
                changes = await store.newest(room, CHANGES, ROOM)
                newest = _newest_in(changes)
                if newest is None:  # most of the newest changes are of old messages
                    newest = await store.before(room, LAST, FRESH)
                if self.floor == floor:  # else so much was said that there is a hole
                    self._fill(changes, newest)

    def _fill(self, changes: Rows, newest: Rows) -> None:
        """The changes up to the floor, and the newest messages by growing id, without a hole."""
        later, floor = self._changes, self.floor
        self._changes, self.size = OrderedDict(), 0
        for message in changes:
            if message.rev <= floor and message.id not in later:
                self._keep(Frame.of(message))
        for frame in later.values():
            self._keep(frame)
        if changes:
            self.floor = min(floor, changes[0].rev - 1)
        # What is on disk and not published yet is there already: no hole where it will come.
        found = {m.id: self._changes.get(m.id) or Frame.of(m) for m in newest}
        lowest = newest[0].id if newest.more else 0
        found |= {id: frame for id, frame in later.items() if id >= lowest}
        self.warm, self.more = True, newest.more
        for id in sorted(found):
            self._renew(id, found[id])
        self._fit()

    def forget_oldest(self) -> None:
        """Let the oldest change go; who lacks it reads the log. The last one takes all with it."""
        _, frame = self._changes.popitem(last=False)
        self.floor = message_in(frame).rev
        self.size -= _cost(frame)
        if not self._changes:
            self._newest.clear()
            self.size = self._length = 0
            self._fresh = None
            self.warm = False

    def forget(self) -> None:
        """Let everything go: the room is not kept."""
        while self._changes:
            self.forget_oldest()
        self._memory.used(self)

    def newest(self, upto: int) -> list[Frame] | None:
        """The newest messages as they were at `upto`, in rev order; None until it is warm."""
        if not self.warm:
            return None
        if self._fresh is None or self._fresh[0] != upto:
            newest = [frame for frame in self._newest.values() if message_in(frame).rev <= upto]
            newest.sort(key=lambda frame: message_in(frame).rev)
            self._fresh = upto, newest
        self._memory.used(self)
        return self._fresh[1]

    def after(self, cursor: int, upto: int) -> tuple[list[Frame], int] | None:
        """A batch of what came after the cursor, and how far it reaches; None if it is not here."""
        if cursor < self.floor:
            return None
        missed: list[Frame] = []
        for frame in reversed(self._changes.values()):
            rev = message_in(frame).rev
            if rev <= cursor:
                break
            if rev <= upto:
                missed.append(frame)
        return batch(missed[::-1], upto)

    def _keep(self, frame: Frame) -> None:
        self._changes[message_in(frame).id] = frame
        self.size += _cost(frame)

    def _renew(self, id: int, frame: Frame) -> None:
        """The newest messages have a new one, or one of them is another now."""
        old = self._newest.get(id)
        if old is not None:
            self._length -= old.size
            self.size -= _cost(old)
        self._newest[id] = frame
        self._length += frame.size
        self.size += _cost(frame)
        while len(self._newest) > FRESH or (self._length > PAGE and len(self._newest) > 1):
            _, gone = self._newest.popitem(last=False)
            self._length -= gone.size
            self.size -= _cost(gone)
            self.more = True

    def _fit(self) -> None:
        while len(self._changes) > 1 and (self.size > ROOM or len(self._changes) > CHANGES):
            self.forget_oldest()
        self._memory.used(self)


def message_in(frame: Frame) -> Message:
    """The message of a frame that is known to carry one."""
    assert frame.message is not None
    return frame.message


def _newest_in(changes: Rows) -> Rows | None:
    """The newest messages, if they are all among the newest changes: by growing id."""
    newest = sorted(changes, key=lambda message: message.id)[-FRESH:]
    if not changes.more:
        return Rows(newest, len(changes) > len(newest))
    whole = len(newest) == FRESH and newest[0].id >= changes[0].rev
    return Rows(newest, more=True) if whole else None


def _cost(frame: Frame) -> int:
    """Bytes of memory: the frame, and the text with the UTF-8 that Python keeps of it."""
    return frame.size + getsizeof(message_in(frame).text) + EACH


def batch(frames: list[Frame], upto: int) -> tuple[list[Frame], int]:
    """As many of the frames as fit a batch, at least one, and the rev they reach."""
    size = 0
    for index, frame in enumerate(frames):
        size += frame.size
        if size > BATCH and index:
            return frames[:index], message_in(frames[index - 1]).rev
    return frames, upto
