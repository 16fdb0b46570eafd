"""Tabs: the open connections of each person, and what one of them is told of another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from chat.faults import guarded
from chat.room.seat import Peer, Seat
from chat.wire.codes import Close
from chat.wire.frames import Frame
from chat.wire.passing import HasRead
from chat.wire.protocol import Person

READS = 0.5  # seconds in which what a tab has read is told once


class Tabs:
    """Owns each person's connections, oldest first."""

    def __init__(self) -> None:
        self._peers: dict[str, dict[Peer, None]] = {}
        self._reads: dict[Seat, int] = {}  # what is told next
        self._opened = 0

    def __iter__(self) -> Iterator[str]:
        """Everybody who has one."""
        return iter(tuple(self._peers))

    def of(self, user: str) -> tuple[Peer, ...]:
        """Those of one person, as they are now: a write may remove one."""
        return tuple(self._peers.get(user, ()))

    def open(self, peer: Peer, most: int) -> int:
        """A new one; beyond `most` (0: any number) the oldest gives way.

        Returns its number, counted since the start.
        """
        mine = self.of(peer.person.user)
        if most and len(mine) >= most:
            mine[0].dismiss(Close.REPLACED, "replaced", -1)
        # Asked for again: when the last one has gone, so has its entry.
        self._peers.setdefault(peer.person.user, {})[peer] = None
        self._opened += 1
        return self._opened

    def close(self, peer: Peer) -> None:
        """One is over."""
        mine = self._peers.get(peer.person.user, {})
        mine.pop(peer, None)
        if not mine:
            self._peers.pop(peer.person.user, None)

    def rename(self, person: Person) -> None:
        """What this person says from now on is under another name."""
        for peer in self.of(person.user):
            peer.person = person

    def sign_out(self, user: str) -> None:
        """Close every connection of this person, at once."""
        for peer in self.of(user):
            peer.dismiss(Close.SIGNED_OUT, "signed_out", -1)

    def read(self, seat: Seat, id: int) -> None:
        """Tell a person's other tabs in that room, twice a second at most: they need the newest."""
        if not self._reads:
            asyncio.get_running_loop().call_later(READS, self._tell_reads)
        self._reads[seat] = id

    def read_all(self, seat: Seat) -> None:
        """Everything in all rooms of a person is read."""

    def leave(self, seat: Seat, room: str) -> None:
        """A person no longer lists this room."""

    def keep(self, seat: Seat, key: str, value: str) -> None:
        """A setting of a person."""

    def _tell_reads(self) -> None:
        reads, self._reads = self._reads, {}
        for seat, id in reads.items():
            frame = Frame.of(HasRead(id))
            for other in self.of(seat.person.user):
                there = other.seat
                if there is not seat and there.room is seat.room and there.live:
                    guarded(other.write_message, frame)
