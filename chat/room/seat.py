"""Seat: one connection in one room. It is live, or it is behind and catches up from the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from chat.faults import guarded
from chat.log.store import Store
from chat.room.recent import Recent, batch
from chat.tasks import Tasks
from chat.wire.codes import BEHIND, Close, Refusal
from chat.wire.frames import Frame, Saved
from chat.wire.passing import Done, Jump, Live, refused
from chat.wire.protocol import UNSET, Event, Person, Settings

log = logging.getLogger("chat")

ROWS = 50  # rows read from the log at once for a batch
COMEBACK = 3_000  # milliseconds until a peer that could not be served is worth another try


class Peer(Protocol):
    """One open connection as a room sees it."""

    person: Person
    seat: Seat  # set when it enters
    address: str
    device: str  # the id of that which its person is signed in on; "": of none
    blocked: bool  # its socket is full: nothing is given to it until it has drained
    fd: int  # of its socket

    @property
    def payer(self) -> str:
        """Whose bucket pays, after that of the address."""

    def write_message(self, frame: Frame) -> None:
        """Give it what the log can give again; if the socket is full, its seat falls behind."""

    def reply(self, *events: Event) -> None:
        """Tell this peer alone, in one write; kept until the socket takes it."""

    def dismiss(self, code: int, reason: str, after: int) -> None:
        """Say `bye` and close."""


class Actor(Protocol):
    """Who asks for something in a room: a seat, or a form."""

    @property
    def person(self) -> Person:
        """Who it is."""

    @property
    def address(self) -> str:
        """Where from: that bucket pays first."""

    @property
    def payer(self) -> str:
        """Whose bucket pays then."""

    def answer(self, cid: str, outcome: Saved | Done | Refusal) -> None:
        """What became of a lasting command; called once it is on disk."""


@dataclass(slots=True)
class Standing:
    """How far a room's log is published, what it forgot, and what it is about."""

    rev: int = 0
    floor: int = 0
    settings: Settings = UNSET


class Source(Protocol):
    """The room as a seat sees it: where it stands, and what it remembers."""

    name: str
    standing: Standing
    flushed: int  # the live seats have everything up to this rev
    recent: Recent
    store: Store
    tasks: Tasks

    def greeting(self, seat: Seat, afresh: bool) -> Frame:
        """The welcome; what its person has read and keeps is told after it."""

    def reorder(self) -> None:
        """A seat became live, or is not any more."""

    def admits(self, person: Person) -> bool:
        """Whether this person may be here."""


class Seat:
    """Owns the cursor of one connection, which never goes back, and whether it is live."""

    __slots__ = ("_reading", "cursor", "live", "peer", "room", "typed", "visible")

    def __init__(self, peer: Peer, room: Source, live: bool = False) -> None:
        self.peer = peer
        self.room = room
        self.live = live  # it gets what every flush brings
        self.cursor = room.flushed  # while it is not: it has everything up to this rev
        self.visible = True
        self.typed = 0.0  # when it last told that it writes; negative once it told that it stopped
        self._reading = False  # the log is read for it at this moment: one reader for each seat

    # -- as the one who asks for something

    @property
    def person(self) -> Person:
        """Who sits here."""
        return self.peer.person

    @property
    def address(self) -> str:
        """Where from: that bucket pays first."""
        return self.peer.address

    @property
    def payer(self) -> str:
        """Whose bucket pays then."""
        return self.peer.payer

    def answer(self, cid: str, outcome: Saved | Done | Refusal) -> None:
        """Tell what no change will tell: the change itself comes to everybody."""
        if isinstance(outcome, Refusal):
            self.peer.reply(refused(outcome, cid))
        elif isinstance(outcome, Done):
            self.peer.reply(outcome)

    # -- being brought up to date

    def begin(self, after: int | None, epoch: str | None) -> None:
        """Welcome the peer, and bring it up to date from its cursor if that is worth anything."""
        room = self.room
        if after is None or epoch != room.store.epoch or self._too_far(after):
            self._give([room.greeting(self, afresh=True)], [], room.flushed)
        else:
            self.cursor = after
            self._catch_up([room.greeting(self, afresh=False)])

    def fall_behind(self, rev: int) -> None:
        """The peer's socket is full; it was given everything up to `rev` (0: nothing new)."""
        if self.live:
            self.live = False
            self.cursor = self.room.flushed
            self.room.reorder()
        if rev:
            self.cursor = rev

    def drained(self) -> None:
        """The peer's socket takes something again: go on from the cursor."""
        # Revs may jump from here to `live`, where a thing that changed has moved to a later one.
        self._catch_up([Frame.of(Jump())])

    def _too_far(self, cursor: int) -> bool:
        flushed = self.room.flushed
        return cursor < self.room.standing.floor or not flushed - BEHIND <= cursor <= flushed

    def _catch_up(self, head: list[Frame]) -> None:
        """Give the peer what it lacks, a batch each time its socket drains, until it is level."""
        room = self.room
        while not self.live and not self.peer.blocked:
            if self._too_far(self.cursor):
                head.append(room.greeting(self, afresh=True))
                self.cursor = room.flushed
            missed = room.recent.after(self.cursor, room.flushed)
            if missed is None:
                if head:
                    self.peer.write_message(Frame.together(head, len(head)))
                if not self._reading:
                    self._reading = True
                    room.tasks.start(self._read())
                return
            self._give(head, *missed)
            head = []

    def _give(self, head: list[Frame], missed: list[Frame], upto: int) -> None:
        """Write everything up to `upto`; a seat that was given it all and lacks nothing is live.

        Only what has been flushed is read, and there is no await between "it has what was
        flushed" and "it is live": nothing is missed and nothing comes twice.
        """
        level = upto == self.room.flushed
        tail = [Frame.of(Live(upto, upto))] if level else []
        self.peer.write_message(Frame.together([*head, *missed, *tail], len(head)))
        if not self.peer.blocked:
            self.cursor = upto
            if level:
                self.live = True
                self.room.reorder()

    async def _read(self) -> None:
        """Bring it on from the log; one that cannot be must not stay behind for ever."""
        try:
            try:
                await self._read_on()
            finally:
                self._reading = False
            self._catch_up([])
        except Exception as error:
            fail(self.peer, self.room.name, error)

    async def _read_on(self) -> None:
        """One batch from the log, unless the seat has been brought on meanwhile."""
        room, cursor, upto = self.room, self.cursor, self.room.flushed
        await room.recent.read(room.store, room.name)
        self._still_admitted()
        if cursor >= room.recent.floor:
            return
        rows = await room.store.changes(room.name, cursor, upto, ROWS)
        self._still_admitted()
        moved = self.cursor != cursor or self.live or self.peer.blocked
        # What became of it meanwhile is in the memory, or it is read again.
        known = room.recent.floor <= upto
        if known and not moved and not self._too_far(cursor):
            upto = rows[-1].rev if rows.more and rows else upto
            # What is another by now comes later, as it is then; what was removed never does.
            still = [Frame.keeping(row) for row in rows if room.recent.newest(row) is row]
            self._give([], *batch(still, upto))

    def _still_admitted(self) -> None:
        """Asked again after every wait. Raises Refusal not_allowed."""
        if not self.room.admits(self.person):
            raise Refusal("not_allowed")


def fail(peer: Peer, room: str, error: Exception) -> None:
    """A bug or a broken disk kept this peer from what it lacks: it comes back and asks anew; not so
    one who may not be here any more."""
    if isinstance(error, Refusal) and error.code == "not_allowed":
        guarded(peer.dismiss, Close.REMOVED, "removed", -1)
        return
    if not isinstance(error, Refusal):  # the store is closing: everybody is told
        log.error("a peer in room %r could not be served", room, exc_info=error)
    guarded(peer.dismiss, Close.INTERNAL_ERROR, "error", COMEBACK)
