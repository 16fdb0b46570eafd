"""Joining: the card with one field, another name, and signing out."""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from chat.room.people import NameTaken
from chat.rules.names import valid_room
from chat.rules.pace import JOIN
from chat.web.cards import REFUSED
from chat.web.site import Visitor
from chat.web.status import STATUS
from chat.wire.codes import Refusal
from chat.wire.protocol import Person

JOINED = "joined"  # the query of the address somebody comes to who has just joined


class Cards(Visitor):
    """What shows strangers how they come in."""

    public = True

    def admit(self) -> None:
        """Whether whoever asks may be here, or come in. Raises Refusal, which shows no room."""
        if self.current_user is None:
            self.authority.newcomer(self.address)
        else:
            self.known_person()

    def show_join(
        self,
        room: str,
        name: str = "",
        error: Refusal | None = None,
        title: str | None = None,
        cookieless: bool = False,
    ) -> None:
        """The card with one field; on a server that nobody uses yet, with one for its room too."""
        if error is not None:
            self.set_status(STATUS.get(error.code, 400))
        looked = self.site.hub.enter(self.current_user, room)
        title = looked.title if title is None else title
        self.show(
            "join.html",
            room=room,
            title=title,
            inside=[person for person in looked.presence.people().people if person.here],
            name=name,
            cookieless=cookieless,
            error=error,
            fresh=self.is_fresh,
        )

    @property
    def is_fresh(self) -> bool:
        """Whether nobody uses this server yet: who comes first says what its room is called."""
        return self.site.hub.fresh and not len(self.directory)


class JoinPage(Cards):
    """A name, and you are in."""

    def get(self) -> None:
        self.to_room(self.site.hub.titles.house)

    async def post(self) -> None:
        text, room = self.get_body_argument("name", ""), self.get_body_argument("room", "")
        titles = self.site.hub.titles
        title = room if self.current_user is None and self.is_fresh else None  # of the house
        room = valid_room(room or titles.house) if title is None else ""
        try:
            person = await self._enter(text, title)
        except Refusal as refusal:
            if refusal.code in REFUSED:
                raise  # another name would change nothing
            name = refusal.suggestion if isinstance(refusal, NameTaken) else text
            self.show_join(room or titles.house, name, refusal, title=title)
            return
        self.remember(person, None if self.device else self.directory.devices.of(person.user)[0])
        # Told in the address: a browser that keeps no cookie comes back without one.
        self.to_room(room or titles.house, f"?{JOINED}={quote(person.name)}")

    async def _enter(self, name: str, title: str | None) -> Person:
        """Somebody new, or somebody known under this name. The first one gives the house its title.

        Raises Refusal.
        """
        self.admit()
        directory, before = self.directory, self.current_user
        still = partial(self.authority.newcomer, self.address)
        directory.check(name, before.user if before else None)  # a wrong name costs nothing
        self.pay(JOIN)
        if title is None:
            if before is not None:
                return await directory.rename(before.user, name)
            return await directory.join(name, self.label, still=still)
        titles = self.site.hub.titles
        async with titles.founding:  # of two who come first at once, one is in and the other late
            if self.is_fresh:
                await titles.found(title or titles.house)
            return await directory.join(name, self.label, still=still)


class NamePage(Visitor):
    """Another name for the same person."""

    public = True

    async def post(self) -> None:
        before, text = self.known_person(), self.get_body_argument("name", "")
        self.directory.check(text, before.user)
        self.pay(JOIN)
        person = await self.directory.rename(before.user, text)
        if self.wants_json:
            self.answer(person)
        else:
            self.to_room(self.room_field())


class SignOutPage(Visitor):
    """Sign out here: the cookie is worth nothing any more; with the last one the name is free."""

    public = True

    async def post(self) -> None:
        room = self.room_field()
        if self.current_user is not None:
            self.known_person()  # not one who is banned
            await self.directory.sign_out(self.device)
        self.forget()
        self.to_room(room)
