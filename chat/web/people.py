"""PersonPage: what those who moderate may know of somebody."""

from __future__ import annotations

import msgspec

from chat.log.overview import Resident
from chat.rules.access import Verb
from chat.rules.pace import LOOK
from chat.web.site import Visitor
from chat.wire.codes import Refusal


class Details(msgspec.Struct, frozen=True):
    """Somebody; times are UTC milliseconds, 0: never, or not. The `role` of who has no name is
    stranger; `rooms` are those they were let into, as far as who asks may know of these."""

    user: str
    name: str
    role: str
    made: int
    seen: int
    muted: int
    banned: int
    messages: int
    rooms: list[str]


class PersonPage(Visitor):
    """One person, as JSON."""

    async def get(self, user: str) -> None:
        self.pay(LOOK)
        authority = self.site.hub.authority
        authority.demand(self.known_person().user, Verb.MODERATE)
        found = await self.site.overview.person(user)
        me = self.still_known()
        authority.demand(me.user, Verb.MODERATE)
        if found is None:
            raise Refusal("no_person")
        rooms = [
            room for room in authority.facts(user).rooms if self.site.hub.admits(me.user, room)
        ]
        self.answer(_details(found, sorted(rooms)))


def _details(found: Resident, rooms: list[str]) -> Details:
    return Details(
        *(found.user, found.name, found.role, found.made, found.seen, found.muted),
        *(found.banned, found.messages, rooms),
    )
