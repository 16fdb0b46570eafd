"""Tabs: the open connections of each person."""

from __future__ import annotations

from collections.abc import Iterator

from chat.room.seat import Peer
from chat.wire.codes import Close
from chat.wire.protocol import Person


class Tabs:
    """Owns each person's connections, oldest first."""

    def __init__(self) -> None:
        self._peers: dict[str, dict[Peer, None]] = {}
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

    def sign_out(self, user: str, device: str = "") -> None:
        """Close every connection of this person, at once; or those of one device."""
        for peer in self.of(user):
            if device in ("", peer.device):
                peer.dismiss(Close.SIGNED_OUT, "signed_out", -1)
