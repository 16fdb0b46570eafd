"""Room: what is said, in which order, and who gets it. Knows no sockets, SQL or JSON.

Every lasting change is saved by the store first; then it enters the room's outbox, and all that
one turn of the event loop brought leaves as one frame to every live seat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic

import msgspec

from chat import __version__
from chat.log.operations import Append, Govern, Rewrite
from chat.log.store import Store
from chat.room.authority import Authority
from chat.room.marks import Marks
from chat.room.orders import operation
from chat.room.people import now_ms
from chat.room.recent import Memory, Recent
from chat.room.seat import Actor, Peer, Seat, Standing, fail
from chat.room.titles import Titles
from chat.rules.access import Answer, Mode, Role, Verb, may
from chat.rules.mentions import MANY, Names
from chat.rules.pace import ROOM, SAY, Pace
from chat.rules.presence import Presence
from chat.tasks import Tasks
from chat.wire.codes import PEOPLE_ALL, Refusal
from chat.wire.frames import PING, Frame, Saved, frame_bytes
from chat.wire.orders import Command
from chat.wire.passing import Beat, Done, IsTyping, Limits, People, Pong, Welcome
from chat.wire.protocol import (
    Appear,
    Arrange,
    Keep,
    Lasting,
    Leave,
    Person,
    Ping,
    Read,
    ReadAll,
    Say,
    Typing,
    encode,
)

TYPING = 2.5  # seconds between two `typing` of one seat
PING_FRAME = Frame(frame_bytes(b"", PING))


@dataclass(frozen=True, slots=True)
class Shared:
    """What all rooms of a server share, and whom they tell."""

    store: Store
    tasks: Tasks
    titles: Titles
    names: Names  # of everybody
    memory: Memory
    pace: Pace
    authority: Authority
    keep: Callable[[Room], None]  # somebody takes a seat in it
    dirty: Callable[[Room], None]  # it has something to flush
    publish: Callable[[str, Saved], None]  # a change of the room of this name is on disk
    marks: Marks
    limits: Callable[[], Limits]


class Room:
    """One log and its seats. Owns who is live, and the outbox of this turn."""

    def __init__(self, shared: Shared, name: str, standing: Standing) -> None:
        self.shared = shared
        self.store = shared.store
        self.tasks = shared.tasks
        self.name = name
        self.standing = standing
        self.seats: set[Seat] = set()
        self.outbox: list[Frame] = []
        self.flushed = standing.rev  # the live seats have everything up to this rev
        self.presence = Presence()
        self.idle_since = monotonic()  # 0.0 while anyone is in
        self.recent = Recent(shared.memory, standing.rev)
        self._order: Sequence[Peer] | None = None  # the live peers, in which they are served
        self._people: People | None = None
        self._beat: tuple[int, Frame] | None = None
        self._begun = False  # somebody has paid for it, and its first message is on the way

    # -- coming and going

    def enter(self, peer: Peer, after: int | None, epoch: str | None, first: bool) -> None:
        """Let a peer in: welcome it, and bring it up to date from its cursor.

        `first`: this person has never been in any room before.
        """
        self._take(Seat(peer, self), first)
        peer.seat.begin(after, epoch)
        self.shared.marks.enter(peer.seat)

    def enter_plain(self, peer: Peer) -> None:
        """Let a peer in that wants only what is said from now on."""
        self._take(Seat(peer, self, live=True), first=False)
        self.reorder()

    def leave(self, seat: Seat) -> None:
        """Forget a seat whose connection is over, or who may not stay."""
        if seat not in self.seats:
            return
        self.seats.discard(seat)
        seat.live = False
        self.reorder()
        self.presence.depart(seat.person.user, seat.visible, monotonic())
        self.shared.marks.leave(seat)
        if not self.seats:
            self.idle_since = monotonic()

    def _take(self, seat: Seat, first: bool) -> None:
        if not self.seats:
            self.idle_since = 0.0
            self.shared.keep(self)
        self.seats.add(seat)
        seat.peer.seat = seat
        self.presence.arrive(seat.person, monotonic(), first)

    # -- what somebody asks for

    def serve(self, actor: Actor, command: Command) -> None:
        """Do what was asked: paid for, allowed, done. Raises Refusal with the time to try again.

        A lasting command is only refused for good by the Writer, which knows whether it has been
        carried out already; so whether it is allowed is asked there.
        """
        if isinstance(command, Lasting):
            self._pay(actor, begins=isinstance(command, Say | Arrange))
            self._save(actor, command)
        elif isinstance(actor, Seat) and self.admits(actor.person):
            self._pass_on(actor, command)

    def _pay(self, actor: Actor, begins: bool) -> None:
        """A message, and the room that begins with it. The house is begun by whoever is there."""
        pace, now = self.shared.pace, monotonic()
        pace.pay(SAY, actor.address, actor.payer, now)
        if not begins or self.standing.rev or self._begun:
            return
        if self.name != self.shared.titles.house:
            pace.pay(ROOM, actor.address, actor.payer, now)
            self._begun = True

    def _save(self, actor: Actor, command: Lasting) -> None:
        """Save, and once it is on disk publish: the only place that does either."""

        def done(outcome: Saved | Done | Refusal) -> None:
            if isinstance(outcome, Saved):
                self.shared.publish(self.name, outcome)
            actor.answer(command.cid, outcome)

        room = self.name, "" if self.name in self.shared.titles else self.title
        op = operation(command, actor.person, room, now_ms())
        if isinstance(op, Append | Rewrite) and "@" in op.text:
            role = self.shared.authority.role(actor.person.user)
            present = () if role is Role.BOT else self._present()
            op = replace(op, mentions=self.shared.names.find(op.text, present))
        if isinstance(op, Govern):
            op = replace(op, present=tuple(self.presence))
        self.store.write(op, done)

    def _present(self) -> Iterator[str]:
        """Whom `@here` means: in a large room nobody, nor where a bot says it."""
        if len(self.presence) <= MANY:
            role = self.shared.authority.role
            yield from (id for id in self.presence if role(id) is not Role.STRANGER)

    def _pass_on(self, seat: Seat, command: Command) -> None:
        match command:
            case Typing():
                self._typing(seat, command.stopped)
            case Read() | ReadAll() | Leave() | Keep():
                self.shared.marks.serve(seat, command)
            case Appear():
                if command.here != seat.visible:
                    seat.visible = command.here
                    self.presence.appear(seat.person.user, command.here, monotonic())
            case Ping():
                seat.peer.reply(Pong())
            case _:
                raise TypeError(command)

    def _typing(self, seat: Seat, stopped: bool) -> None:
        """Tell the live seats; too often is not an error, it is just not passed on. Nor is it from
        who may not write."""
        if not self._lets_write(seat.person):
            return
        now, told = monotonic(), abs(seat.typed)
        if seat.typed > 0 if stopped else now - told >= TYPING:
            seat.typed = -told if stopped else now
            self._emit(Frame.of(IsTyping(seat.person.user, seat.person.name, stopped)))

    def _lets_write(self, person: Person) -> bool:
        mode = Mode(self.standing.settings.mode)
        return may(self.shared.authority.role(person.user), Verb.SAY, mode) is Answer.YES

    # -- publishing

    def publish(self, saved: Saved) -> None:
        """A saved change: into the memory of recent ones, and out with this turn's flush."""
        self._emit(self.recent.add(saved))

    def flush(self) -> None:
        """Everything this turn brought leaves as one frame, the same bytes for every live peer."""
        frames, self.outbox = self.outbox, []
        frame = Frame.together(frames)
        if self._order is None:
            # As their sockets lie in the kernel, which is then walked from one end to the other.
            live = [seat.peer for seat in self.seats if seat.live]
            self._order = sorted(live, key=lambda peer: peer.fd)
        for peer in self._order:
            try:  # not guarded(): nothing may be added to what a delivery costs
                peer.write_message(frame)
            except Exception as error:
                fail(peer, self.name, error)
        self.flushed = self.standing.rev

    def tick(self, now: float) -> None:
        """Tell who came and went, at most once a second."""
        self.presence.expire(now)
        if self.presence.dirty:
            self._people = None
            self._emit(Frame.of(self.presence.news()))

    def beat(self) -> Frame:
        """A ping of the protocol and, for the page that cannot see it, where the room stands."""
        if self._beat is None or self._beat[0] != self.flushed:
            told = Frame.of(Beat(self.flushed, self.flushed))
            self._beat = self.flushed, Frame.together([PING_FRAME, told])
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

    # -- as a seat sees it

    @property
    def title(self) -> str:
        """What people call it."""
        return self.shared.titles.of(self.name)

    def greeting(self, seat: Seat, afresh: bool) -> Frame:
        """The welcome; what its person has read and keeps is told after it."""
        self.shared.marks.greeted(seat)
        people = msgspec.Raw(encode(self._known_people()))
        settings, epoch, head = self.standing.settings, self.store.epoch, self.flushed
        you_are = self.shared.authority.standing(seat.person.user)
        return Frame.of(
            Welcome(
                seat.person, self.name, self.title, epoch, head, afresh, settings, people, you_are,
                __version__, head, self.shared.limits(),
            )
        )  # fmt: skip

    def reorder(self) -> None:
        """A seat became live, or is not any more."""
        self._order = None

    def admits(self, person: Person) -> bool:
        """Whether this person may be here."""
        return self.shared.authority.admits(person.user, self.name, self.standing.settings)
