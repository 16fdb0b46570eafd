"""Who is in one room, with a grace period so that reloads and short breaks stay silent. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from chat.wire.codes import PEOPLE_ALL, PEOPLE_LIMIT
from chat.wire.passing import People
from chat.wire.protocol import Person

GONE = 30.0  # seconds without a socket before somebody has left
AWAY = 5.0  # seconds with every tab hidden before somebody is away
JOINED = 3  # newcomers named at once


@dataclass(slots=True)
class _Someone:
    person: Person
    sockets: int = 0
    visible: int = 0
    here: bool = True


class Presence:
    """Counts each person's sockets and visible tabs; `dirty` says that `people` would differ."""

    def __init__(self) -> None:
        self.dirty = False
        self._joined: list[str] = []  # names to be told once
        self._people: dict[str, _Someone] = {}  # the most recent last
        self._due: dict[str, float] = {}  # user -> when to look again

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[str]:
        """Everybody, by their ids."""
        return iter(self._people)

    def arrive(self, person: Person, now: float, first: bool = False) -> None:
        """A socket of this person opened; it counts as visible until told otherwise."""
        if first:
            self._joined.append(person.name)
        someone = self._people.pop(person.user, None)
        self.dirty |= someone is None or someone.person != person
        someone = someone or _Someone(person)
        someone.person = person
        someone.sockets += 1
        self._people[person.user] = someone
        self._look(person.user, +1, now)

    def depart(self, user: str, visible: bool, now: float) -> None:
        """A socket of this person closed."""
        someone = self._people.get(user)
        if someone is None:
            return
        someone.sockets -= 1
        if someone.sockets:
            self._look(user, -1 if visible else 0, now)
        else:
            someone.visible = 0
            self._due[user] = now + GONE

    def appear(self, user: str, here: bool, now: float) -> None:
        """One tab of this person became visible or hidden."""
        if user in self._people:
            self._look(user, 1 if here else -1, now)

    def rename(self, person: Person) -> None:
        """This person has a new name."""
        if person.user in self._people:
            self._people[person.user].person = person
            self.dirty = True

    def forget(self, user: str) -> None:
        """This person signed out: gone without grace."""
        self._due.pop(user, None)
        self.dirty |= self._people.pop(user, None) is not None

    def expire(self, now: float) -> None:
        """Take away who has been gone or hidden for long enough."""
        for user in [user for user, due in self._due.items() if due <= now]:
            del self._due[user]
            someone = self._people[user]
            if not someone.sockets:
                del self._people[user]
                self.dirty = True
            elif not someone.visible and someone.here:
                someone.here = False
                self.dirty = True

    def people(self) -> People:
        """Everyone up to 200 people, above that the 50 who came most recently."""
        everyone = list(self._people.values())
        named = everyone if len(everyone) <= PEOPLE_ALL else everyone[-PEOPLE_LIMIT:]
        return People(
            total=len(everyone),
            here=sum(someone.here for someone in everyone),
            people=[msgspec.structs.replace(p.person, here=p.here) for p in reversed(named)],
        )

    def news(self) -> People:
        """The same, with the names of those who came for the first time ever; told once."""
        people = self.people()
        joined, self._joined, self.dirty = self._joined[-JOINED:], [], False
        return msgspec.structs.replace(people, joined=joined)

    def _look(self, user: str, change: int, now: float) -> None:
        someone = self._people[user]
        someone.visible = max(0, someone.visible + change)
        if someone.visible:
            self._due.pop(user, None)
            self.dirty |= not someone.here
            someone.here = True
        else:
            self._due[user] = now + AWAY
