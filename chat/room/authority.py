"""Authority: what everybody may do, in memory: the facts that the tables have, as they are now.

Nothing of it is copied to a seat. Whatever changes is written first and changes here in the outcome
of the write; `changed` is told in that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from msgspec import UNSET as ABSENT
from msgspec import UnsetType

from chat.log.powers import STRANGER, everybody
from chat.log.store import Store
from chat.room.people import now_ms
from chat.rules.access import Facts, Role, Verb, admitted, demand, effective
from chat.wire.codes import Refusal
from chat.wire.passing import YouAre
from chat.wire.protocol import Settings

MEMBER = Facts()


class Authority:
    """Owns the facts of everybody.

    `gates` are asked who is new here, by address, and raise Refusal: a ban of the network. `door`
    tells who else may come in: open, invite or locked. What is kept elsewhere than in these facts
    changes them through `change`.
    """

    def __init__(self, store: Store, knows: Callable[[str], bool]) -> None:
        """`knows`: whether somebody of this id has a name here."""
        self._knows = knows
        self._facts: dict[str, Facts] = store.at_start(everybody)  # of who is not just a member
        self.changed: Callable[[str], None] = lambda user: None
        self.gates: list[Callable[[str], None]] = []
        self.door: Callable[[], str] = lambda: "open"

    def facts(self, user: str) -> Facts:
        """What is known of somebody; "": of nobody in particular."""
        known = self._facts.get(user)
        if known is None:
            return MEMBER if user and self._knows(user) else STRANGER
        return known

    def role(self, user: str) -> Role:
        """What somebody is at this moment."""
        return effective(self.facts(user), now_ms())

    def admits(self, user: str, room: str, settings: Settings) -> bool:
        """Whether somebody may be in this room."""
        return admitted(self.facts(user), room, settings, now_ms())

    def demand(self, user: str, verb: Verb) -> None:
        """Whether somebody may do this at this moment. Raises Refusal, which says why not."""
        demand(self.facts(user), verb, now_ms())

    def newcomer(self, address: str, invited: bool = False) -> None:
        """Whether somebody new may come in from there. Raises Refusal, which says why not."""
        for gate in self.gates:
            gate(address)
        door = self.door()
        if door == "locked" or (door == "invite" and not invited):
            raise Refusal("door_locked" if door == "locked" else "invitation")

    def badge(self, user: str) -> str | UnsetType:
        """What others are told that somebody is; nothing of a member."""
        role = self.facts(user).role
        return ABSENT if role in (Role.MEMBER, Role.STRANGER) else role.value

    def standing(self, user: str) -> YouAre:
        """What somebody is told of themselves."""
        facts = self.facts(user)
        return YouAre(facts.role.value, facts.muted if facts.muted > now_ms() else None)

    def change(self, user: str, **what: Any) -> None:
        """Other facts of somebody are on disk: the fields of Facts that are new."""
        self._facts[user] = replace(self.facts(user), **what)
        self.changed(user)

    def let_in(self, user: str, room: str, on: bool) -> None:
        """Somebody was let into a room, or is not any more."""
        rooms = self.facts(user).rooms
        self.change(user, rooms=rooms | {room} if on else rooms - {room})

    def empty(self, room: str) -> None:
        """Nobody is let into this room any more."""
        for user in [user for user, facts in self._facts.items() if room in facts.rooms]:
            self.let_in(user, room, False)

    def enclose(self, room: str, inside: Iterable[str]) -> None:
        """A room is private from now on, and these are let in: nothing they could notice."""
        for user in inside:
            facts = self.facts(user)
            self._facts[user] = replace(facts, rooms=facts.rooms | {room})

    def forget(self, user: str) -> None:
        """This person is no more."""
        self._facts.pop(user, None)
