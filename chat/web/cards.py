"""Card: what a link does, or why somebody does not come in, for templates/enter.html."""

from __future__ import annotations

from dataclasses import dataclass

from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER
from chat.wire.protocol import Person

# Refusals that are a card of their own, with what to do instead.
REFUSED = frozenset({"banned", "invitation", "door_locked", "bad_link", "no_cookies"})


@dataclass(frozen=True, slots=True)
class Card:
    """`kind` is "code", where one is typed, what a link does ("owner", "invite", "device"), or the
    code of a refusal."""

    kind: str
    token: str = ""  # what the button of the card uses up: a link's, or the code that was typed
    who: Person | None = None  # who invites, or who this device becomes
    where: str = ""  # the title of the room, or the chat's name
    role: str = "member"  # as what one is invited
    until: int | None = None  # UTC milliseconds; FOREVER is none
    left: int = 0  # people an invitation is still for; 0: any number
    minutes: int = 0  # a device link still works
    name: str = ""  # that was typed, or is free instead
    last: bool = False  # this browser is somebody else, who is signed in nowhere else
    fresh: bool = False  # nobody uses this server yet: who comes says what its room is called
    error: Refusal | None = None  # what is wrong with the name or with the code

    @property
    def acts(self) -> bool:
        """Whether it has a button that uses something up."""
        return self.kind in ("owner", "invite", "device")

    @property
    def end(self) -> int | None:
        """Until when, if there is an end."""
        return None if self.until is None or self.until >= FOREVER else self.until
