"""Hub: every room that someone is in, each person's connections, and the flush of a turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from chat.faults import guarded
from chat.log.store import Store
from chat.room.recent import Memory
from chat.room.room import Peer, Room, Shared
from chat.room.titles import Titles
from chat.tasks import Tasks
from chat.wire.frames import Frame
from chat.wire.protocol import Close, HasRead, Message, Person, Refusal

HOPS = 3  # turns of the loop a flush waits at most for more to join it
# So many live peers take longer to write to than a commit takes: a flush to them waits for the one
# that is under way, and its messages leave in the same writes.
CROWD = 250
PATIENCE = 0.02  # seconds such a flush waits at most
READS = 0.5  # seconds in which what a tab has read is told once
AT_ONCE = 4  # pages of history of one person under way
AGAIN = 1_000  # milliseconds until one of them may be over
IDLE = 60.0  # seconds a room without peers is kept in memory


class Hub:
    """Owns the rooms in memory, each person's connections, and the turn's flush."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self.store = store
        self.tasks = tasks
        self.rooms: dict[str, Room] = {}
        self.connections: dict[str, dict[Peer, None]] = {}  # user -> their peers, oldest first
        self.titles = Titles(store)
        self.shared = Shared(
            store, tasks, self.titles, Memory(), self.dirty, self.publish, self.read
        )
        self._asking: dict[str, int] = {}  # user -> answers of history under way
        self._heads = store.heads()
        self._reads: dict[Peer, int] = {}  # what is told next
        self._connected = 0
        self._dirty: list[Room] = []
        self._waits = False
        store.settled = self.settled

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def fresh(self) -> bool:
        """Whether nothing has ever been said here."""
        return not self._heads

    def room(self, name: str) -> Room:
        """The room of this name, to come in; it stays in memory while anyone is there."""
        room = self.rooms[name] = self.look(name)
        return room

    def look(self, name: str) -> Room:
        """The room of this name, for whoever only looks; if nobody is there it is not kept."""
        return self.rooms.get(name) or Room(self.shared, name, self._heads.get(name, 0))

    @contextmanager
    def asking(self, user: str) -> Iterator[None]:
        """While an answer of history is made and taken. Raises Refusal slow_down beyond a few."""
        count = self._asking.get(user, 0)
        if count >= AT_ONCE:
            raise Refusal("slow_down", AGAIN)
        self._asking[user] = count + 1
        try:
            yield
        finally:
            self._asking[user] -= 1
            if not self._asking[user]:
                del self._asking[user]

    def connect(self, peer: Peer, most: int) -> int:
        """A new connection of a person; beyond `most` (0: any number) the oldest gives way.

        Returns its number, counted since the start.
        """
        mine = self.connections.setdefault(peer.person.user, {})
        if most and len(mine) >= most:
            next(iter(mine)).dismiss(Close.REPLACED, "replaced", -1)
        # Asked for again: when the last one has gone, so has its entry.
        self.connections.setdefault(peer.person.user, {})[peer] = None
        self._connected += 1
        return self._connected

    def disconnect(self, peer: Peer) -> None:
        """A connection is over."""
        mine = self.connections.get(peer.person.user, {})
        mine.pop(peer, None)
        if not mine:
            self.connections.pop(peer.person.user, None)

    def rename(self, person: Person) -> None:
        """What this person says from now on is under another name."""
        for peer in self.connections.get(person.user, ()):
            peer.person = person
        for room in self.rooms.values():
            room.presence.rename(person)

    def sign_out(self, user: str) -> None:
        """Close every connection of this person, at once."""
        for peer in list(self.connections.get(user, ())):
            peer.dismiss(Close.SIGNED_OUT, "signed_out", -1)
        for room in self.rooms.values():
            room.presence.forget(user)

    def read(self, peer: Peer, id: int) -> None:
        """Tell a person's other tabs in that room, twice a second at most: they need the newest."""
        if not self._reads:
            asyncio.get_running_loop().call_later(READS, self._tell_reads)
        self._reads[peer] = id

    def _tell_reads(self) -> None:
        reads, self._reads = self._reads, {}
        for peer, id in reads.items():
            frame = Frame.of(HasRead(id))
            mine = tuple(self.connections.get(peer.person.user, ()))  # a write may remove one
            for other in mine:
                if other is not peer and other.room is peer.room and other in other.room.live:
                    guarded(other.write_message, frame)

    def publish(self, name: str, message: Message) -> None:
        """A change is on disk: give it to the room, if anyone is in it. Called in rev order."""
        self._heads[name] = message.rev
        if message.rev == 1:
            self.titles.made(name)
        room = self.rooms.get(name)
        if room is not None:
            room.publish(message)

    def dirty(self, room: Room) -> None:
        """This room has something to flush."""
        self._dirty.append(room)
        if len(self._dirty) == 1:
            self._waits = False
            asyncio.get_running_loop().call_soon(self._hop, 0, 0)

    def _hop(self, count: int, hops: int) -> None:
        """Wait for a turn that brings nothing new: what arrives close together leaves together."""
        now = sum(len(room.outbox) for room in self._dirty)
        if now > count and hops < HOPS:
            asyncio.get_running_loop().call_soon(self._hop, now, hops + 1)
        elif self.store.busy and sum(len(room.live) for room in self._dirty) > CROWD:
            self._waits = True  # for the commit that is under way, but not for a disk that hangs
            asyncio.get_running_loop().call_later(PATIENCE, self.settled)
        else:
            self.flush()

    def settled(self) -> None:
        """A commit is over and what it saved is published, or has taken too long to wait for."""
        if self._waits:
            self.flush()

    def flush(self) -> None:
        """Send what every room has to say."""
        self._waits = False
        rooms, self._dirty = self._dirty, []
        for room in rooms:
            guarded(room.flush)

    def tick(self) -> None:
        """Once a second: who has left, who is here, which rooms nobody needs."""
        now = monotonic()
        for room in list(self.rooms.values()):
            guarded(room.tick, now)
            if room.idle_since and now - room.idle_since > IDLE:
                del self.rooms[room.name]
                room.recent.forget()
