"""Devices and invites: where one is signed in, and the links that let somebody in, as JSON."""

from __future__ import annotations

import msgspec

from chat.rules.pace import JOIN, LOOK
from chat.web.site import Site, Visitor
from chat.wire.protocol import Person


class Listed(msgspec.Struct, frozen=True):
    """A device of the person who asks; `here`: the one that asks. Times are UTC milliseconds."""

    id: str
    label: str
    made: int
    seen: int
    here: bool


class Handover(msgspec.Struct, frozen=True):
    """What makes another device one's own, told this once."""

    token: str
    code: str
    until: int


class Invited(msgspec.Struct, omit_defaults=True, frozen=True):
    """A link that works; `uses` 0: any number; `people` are the names of who came by it."""

    id: int
    role: str
    until: int
    uses: int
    used: int
    by: str
    people: list[str]
    room: str | None = None
    title: str | None = None


class DevicesPage(Visitor):
    """Where one is signed in; and a link for another device."""

    def get(self) -> None:
        self.pay(LOOK)
        mine = self.directory.devices.of(self.known_person().user)
        self.answer([Listed(d.id, d.label, d.made, d.seen, d.id == self.device) for d in mine])

    async def post(self) -> None:
        self.pay(JOIN)
        secret, until = await self.site.links.hand_over(self.known_person())
        self.answer(Handover(*secret, until))


class DevicePage(Visitor):
    """Sign out one of one's own devices. That it is no more is what was asked for."""

    async def post(self, id: str) -> None:
        found = self.directory.devices.find(id)
        if found is not None and found.person == self.known_person().user:
            await self.directory.sign_out(id)
        if id == self.device:
            self.forget()
        self.answer({})


class InvitesPage(Visitor):
    """The links that work, for those who may make some."""

    async def get(self) -> None:
        self.pay(LOOK)
        self.answer(await invited(self.site, self.known_person()))


async def invited(site: Site, person: Person) -> list[Invited]:
    """The links that work, as far as this person may know of them. Raises Refusal."""
    titles = site.hub.titles
    return [
        Invited(
            *(token.id, token.role, token.until, token.uses, token.used),
            *(site.directory.called(token.by), people),
            *((token.room, titles.of(token.room)) if token.room else ()),
        )
        for token, people in await site.links.invites(person)
    ]
