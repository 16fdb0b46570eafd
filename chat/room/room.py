"""Room: what is said, in which order, and who gets it. Knows no sockets, SQL or JSON.

Every lasting change is saved by the store first; then it enters the room's outbox, and all that
one turn of the event loop brought leaves as one frame to every live peer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

import msgspec

from chat import __version__
from chat.faults import guarded
from chat.log.operations import Append, Rewrite
from chat.log.store import Store, awaited
from chat.room.people import now_ms
from chat.room.recent import LAST, Memory, Recent, batch, message_in
from chat.room.titles import Titles
from chat.rules.presence import Presence
from chat.rules.text import clean
from chat.tasks import Tasks
from chat.wire.frames import PING, Frame, frame_bytes
from chat.wire.protocol import (
    FRESH,
    GAP,
    PEOPLE_ALL,
    Appear,
    Beat,
    Close,
    Delete,
    Edit,
    Event,
    Gap,
    IsTyping,
    Live,
    Message,
    People,
    Person,
    Ping,
    Pong,
    Read,
    Refusal,
    Say,
    Typing,
    Welcome,
    encode,
    refused,
)

log = logging.getLogger("chat")

ROWS = 50  # rows read from the log at once for a batch
COMEBACK = 3_000  # milliseconds until a peer that could not be served is worth another try
TYPING = 2.5  # seconds between two `typing` of one peer
PING_FRAME = Frame(frame_bytes(b"", PING))


class Peer(Protocol):
    """One open connection as a room sees it."""

    person: Person
    room: Room
    cursor: int | None  # while behind: it has everything up to this rev; None: nothing yet
    blocked: bool  # its socket is full: nothing is given to it until it has drained
    visible: bool
    fd: int  # of its socket
    typed: float  # when it last told that it writes; negative once it told that it stopped

    def write_message(self, frame: Frame) -> None:
        """Give it what the log can give again; if the socket is full, it falls behind."""

    def reply(self, event: Event) -> None:
        """Tell this peer alone; kept until the socket takes it."""

    def dismiss(self, code: int, reason: str, after: int) -> None:
        """Say `bye` and close."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all rooms of a server share, and whom they tell."""

    store: Store
    tasks: Tasks
    titles: Titles
    memory: Memory
    dirty: Callable[[Room], None]  # it has something to flush
    publish: Callable[[str, Message], None]  # a change of the room of this name is on disk
    read: Callable[[Peer, int], None]  # a tab has seen everything up to this id


class Room:
    """One log and its listeners. Owns who is live, who is behind, and the outbox of this turn."""

    def __init__(self, shared: Shared, name: str, rev: int) -> None:
        self.shared = shared
        self.name = name
        self.live: set[Peer] = set()
        self.behind: set[Peer] = set()
        self._order: Sequence[Peer] | None = None  # the live ones, in which they are served
        self.outbox: list[Frame] = []
        self.rev = rev  # published; the outbox holds what is not flushed yet
        self.flushed = rev  # the live peers have everything up to this rev
        self.presence = Presence()
        self.idle_since = monotonic()  # 0.0 while anyone is in
        self.recent = Recent(shared.memory, rev)
        self._reading: set[Peer] = set()  # those the log is read for at this moment
        self._people: People | None = None
        self._beat: tuple[int, Frame] | None = None
        self.begun = False  # somebody has paid for it, and its first message is on the way

    @property
    def peers(self) -> set[Peer]:
        """Everyone who gets this room's frames: those who are live and those catching up."""
        return self.live | self.behind

    @property
    def title(self) -> str:
        """What people call it."""
        return self.shared.titles.of(self.name)

    # -- commands of a peer; each may raise Refusal

    def say(self, peer: Peer, command: Say) -> None:
        """Save a message, then publish it; the sender's own copy is the confirmation."""
        draft = self._draft(peer.person, command.text, command.cid)
        self._save(
            draft,
            lambda outcome: self._answer(peer, outcome, cid=command.cid),
        )

    def edit(self, peer: Peer, command: Edit) -> None:
        """Save another text for my own message, then publish it."""
        self._change(peer, command.id, clean(command.text))

    def delete(self, peer: Peer, command: Delete) -> None:
        """Take the text out of my own message, then publish that."""
        self._change(peer, command.id, None)

    def typing(self, peer: Peer, command: Typing) -> None:
        """Tell the live peers; too often is not an error, it is just not passed on."""
        now, told = monotonic(), abs(peer.typed)
        if peer.typed > 0 if command.stopped else now - told >= TYPING:
            peer.typed = -told if command.stopped else now
            self._emit(Frame.of(IsTyping(peer.person.user, peer.person.name, command.stopped)))

    def read(self, peer: Peer, command: Read) -> None:
        """Tell my own other tabs in this room."""
        self.shared.read(peer, command.id)

    def appear(self, peer: Peer, command: Appear) -> None:
        """My tab is visible or hidden."""
        if command.here != peer.visible:
            peer.visible = command.here
            self.presence.appear(peer.person.user, command.here, monotonic())

    def ping(self, peer: Peer, command: Ping) -> None:
        """Answer."""
        peer.reply(Pong())

    async def post(self, person: Person, text: str, cid: str | None) -> Message:
        """`say` for a form: returns the stored message."""
        draft = self._draft(person, text, cid)
        future, answer = awaited()
        self._save(draft, answer)
        message: Message = await future
        return message

    # -- coming and going

    def join(self, peer: Peer, after: int | None, epoch: str | None, first: bool = False) -> None:
        """Let a peer in: welcome it, and bring it up to date from its cursor if that is valid.

        `first`: this person has never been in any room before.
        """
        self.idle_since = 0.0
        self.behind.add(peer)
        self.presence.arrive(peer.person, monotonic(), first)
        store = self.shared.store
        people = msgspec.Raw(encode(self._known_people()))
        welcome = Welcome(
            peer.person, self.name, self.title, store.epoch, self.flushed, people, __version__
        )
        head = [Frame.of(welcome)]
        peer.cursor = None
        if after is not None and epoch == store.epoch and after <= self.flushed:
            peer.cursor = after
            if self.flushed - after > GAP:
                peer.cursor = self.flushed - FRESH
                head.append(Frame.of(Gap(after, peer.cursor, peer.cursor - after)))
        self._catch_up(peer, head)

    def listen(self, peer: Peer) -> None:
        """Let a peer in that wants only what is said from now on."""
        self.idle_since = 0.0
        self._go_live(peer)
        self.presence.arrive(peer.person, monotonic())

    def leave(self, peer: Peer) -> None:
        """Forget a peer whose connection is over."""
        self.live.discard(peer)
        self.behind.discard(peer)
        self._order = None
        self.presence.depart(peer.person.user, peer.visible, monotonic())
        if not self.live and not self.behind:
            self.idle_since = monotonic()

    def _go_live(self, peer: Peer) -> None:
        self.behind.discard(peer)
        self.live.add(peer)
        self._order = None

    def fall_behind(self, peer: Peer, rev: int) -> None:
        """The peer's socket is full; it was given everything up to `rev` (0: nothing new)."""
        if peer in self.live:
            self.live.discard(peer)
            self.behind.add(peer)
            self._order = None
            peer.cursor = self.flushed
        if rev:
            peer.cursor = rev

    def catch_up(self, peer: Peer) -> None:
        """The peer's socket has drained: go on from its cursor."""
        # Revs may jump from here to `live`, where a changed message has moved to a later one.
        cursor = peer.cursor
        self._catch_up(peer, [] if cursor is None else [Frame.of(Gap(cursor, cursor, 0))])

    def _catch_up(self, peer: Peer, head: list[Frame]) -> None:
        """Give the peer what it lacks, a batch each time its socket drains, until it is level."""
        while peer in self.behind and not peer.blocked:
            missed = self._missed(peer.cursor)
            if missed is None:
                if head:
                    peer.write_message(Frame.join(head, len(head)))
                if peer not in self._reading:
                    self._reading.add(peer)
                    self.shared.tasks.start(self._read(peer))
                return
            self._give(peer, head, *missed)
            head = []

    def _give(self, peer: Peer, head: list[Frame], missed: list[Frame], upto: int) -> None:
        """Write everything up to `upto`; a peer that took it all and lacks nothing is live.

        Only what has been flushed is read, and there is no await between "it has what was
        flushed" and "it is live": nothing is missed and nothing comes twice.
        """
        level = upto == self.flushed
        tail = [Frame.of(Live(upto))] if level else []
        peer.write_message(Frame.join([*head, *missed, *tail], len(head)))
        if not peer.blocked:
            peer.cursor = upto
            if level:
                self._go_live(peer)

    def _missed(self, cursor: int | None) -> tuple[list[Frame], int] | None:
        """The next batch after this cursor and how far it reaches; None if memory lacks it."""
        if cursor is not None:
            return self.recent.after(cursor, self.flushed)
        newest = self.recent.newest(self.flushed)
        return None if newest is None else (newest, self.flushed)

    async def _read(self, peer: Peer) -> None:
        """Bring the peer on from the log; one that cannot be must not stay behind for ever."""
        try:
            try:
                await self._read_on(peer)
            finally:
                self._reading.discard(peer)
            self._catch_up(peer, [])
        except Exception as error:
            self._fail(peer, error)

    def _fail(self, peer: Peer, error: Exception) -> None:
        """A bug or a broken disk kept this peer from what it lacks: it comes back and asks anew."""
        if not isinstance(error, Refusal):  # the store is closing: everybody is told
            log.error("a peer in room %r could not be served", self.name, exc_info=error)
        guarded(peer.dismiss, Close.INTERNAL_ERROR, "error", COMEBACK)

    async def _read_on(self, peer: Peer) -> None:
        """One batch from the log, unless the peer has been brought on meanwhile."""
        cursor, upto = peer.cursor, self.flushed
        if not self.recent.warm:
            await self.recent.read(self.shared.store, self.name)
        if cursor is None or cursor >= self.recent.floor:
            return
        rows = await self.shared.store.changes(self.name, cursor, upto, ROWS)
        if peer in self.behind and not peer.blocked and peer.cursor == cursor:
            upto = rows[-1].rev if rows.more and rows else upto
            self._give(peer, [], *batch([Frame.of(row) for row in rows], upto))

    # -- for pages

    @property
    def people(self) -> People:
        """Who is here."""
        return self.presence.people()

    async def newest(self) -> tuple[list[Message], int, bool]:
        """The newest messages by growing id, the rev that they show the room at, and whether there
        are others before them."""
        rev, frames = self.flushed, self.recent.newest(self.flushed)
        if frames is None:  # nobody is in
            rows = await self.shared.store.before(self.name, LAST, FRESH)
            return rows, rev, rows.more
        newest = sorted(map(message_in, frames), key=lambda message: message.id)
        return newest, rev, self.recent.more

    # -- publishing

    def publish(self, message: Message) -> None:
        """A saved change: into the memory of recent ones, and out with this turn's flush."""
        self.rev = message.rev
        frame = Frame.of(message)
        self.recent.add(frame)
        self._emit(frame)

    def flush(self) -> None:
        """Everything this turn brought leaves as one frame, the same bytes for every live peer."""
        frames, self.outbox = self.outbox, []
        frame = Frame.join(frames)
        if self._order is None:
            # As their sockets lie in the kernel, which is then walked from one end to the other.
            self._order = sorted(self.live, key=lambda peer: peer.fd)
        for peer in self._order:
            try:  # not guarded(): nothing may be added to what a delivery costs
                peer.write_message(frame)
            except Exception as error:
                self._fail(peer, error)
        self.flushed = self.rev

    def tick(self, now: float) -> None:
        """Tell who came and went, at most once a second."""
        self.presence.expire(now)
        if self.presence.dirty:
            self._people = None
            self._emit(Frame.of(self.presence.news()))

    def beat(self) -> Frame:
        """A ping of the protocol and, for the page that cannot see it, where the room stands."""
        if self._beat is None or self._beat[0] != self.flushed:
            self._beat = self.flushed, Frame.join([PING_FRAME, Frame.of(Beat(self.flushed))])
        return self._beat[1]

    def _known_people(self) -> People:
        """For a welcome: true to the moment in a small room, to the second in a large one."""
        small = len(self.presence) <= PEOPLE_ALL
        if self._people is None or (small and self.presence.dirty):
            self._people = self.presence.people()
        return self._people

    def _emit(self, frame: Frame) -> None:
        if not self.outbox:
            self.shared.dirty(self)
        self.outbox.append(frame)

    # -- saving

    def _draft(self, person: Person, text: str, cid: str | None) -> Append:
        text, title = clean(text), "" if self.rev else self.title
        return Append(self.name, person.user, cid, person.name, person.color, now_ms(), text, title)

    def _change(self, peer: Peer, id: int, text: str | None) -> None:
        rewrite = Rewrite(self.name, peer.person.user, id, text, now_ms())
        self._save(rewrite, lambda outcome: self._answer(peer, outcome, id=id))

    def _save(self, op: Append | Rewrite, answer: Callable[[Message | Refusal], None]) -> None:
        """Save, and once it is on disk publish: the only place that does either."""

        def done(outcome: tuple[Message, bool] | Refusal) -> None:
            if isinstance(outcome, Refusal):
                answer(outcome)
                return
            message, new = outcome
            if new:
                self.shared.publish(self.name, message)
            answer(message)

        self.shared.store.write(op, done)

    def _answer(
        self, peer: Peer, outcome: Message | Refusal, cid: str | None = None, id: int | None = None
    ) -> None:
        """Tell the sender what is not told by the flush: a refusal, or a message it already has."""
        if isinstance(outcome, Refusal):
            peer.reply(refused(outcome, cid, id))
        elif outcome.rev <= (self.flushed if peer in self.live else peer.cursor or 0):
            peer.reply(outcome)
