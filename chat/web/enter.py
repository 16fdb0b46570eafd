"""Entering: the card of a link, which says what it does before it does it."""

from __future__ import annotations

from urllib.parse import quote

from chat.room.links import Caller
from chat.room.people import NameTaken, now_ms
from chat.rules.pace import LOOK
from chat.rules.tokens import SIZE
from chat.web.cards import Card
from chat.web.joining import JOINED, Cards
from chat.web.status import STATUS
from chat.wire.codes import Refusal

MINUTE = 60 * 1000  # milliseconds
KEPT = ("bad_name", "name_taken", "bad_title")  # refusals after which the card is shown again


class EnterPage(Cards):
    """The card of a link. What the link says is in its fragment, which no request and no log has; a
    script puts it into the form. Without one the code is typed."""

    def get(self) -> None:
        self.pay(LOOK)
        self.show("enter.html", card=Card("code"))

    async def post(self) -> None:
        """Use the link up, and come in."""
        self.pay(LOOK)
        links, name = self.site.links, self.get_body_argument("name", "")
        caller = Caller(self.address, self.label, self.current_user, self.device)
        try:
            await self._found()
            entry = await links.enter(self.token, caller, name)
        except Refusal as refusal:
            if refusal.code not in KEPT:
                raise
            await self.show_link(refusal)
            return
        if entry.device is not None:
            self.remember(entry.person, entry.device)
        # Told in the address: a browser that keeps no cookie comes back without one.
        self.to_room(entry.room, f"?{JOINED}={quote(entry.person.name)}")

    async def _found(self) -> None:
        """Who comes first says what the first room is called, if their link works."""
        titles = self.site.hub.titles
        async with titles.founding:
            if self.is_fresh:
                await self.site.links.look(self.token, self.address)
                await titles.found(self.get_body_argument("room", "") or titles.house)

    @property
    def token(self) -> str:
        """What the link says, or the code that was typed."""
        return self.get_body_argument("token", "") or self.get_body_argument("code", "")

    @property
    def _last(self) -> bool:
        """Whether somebody is signed in here, and nowhere else."""
        user = self.current_user
        return user is not None and len(self.directory.devices.of(user.user)) == 1

    async def show_link(self, error: Refusal | None = None) -> None:
        """What the link does, and what was wrong with the name."""
        offer = await self.site.links.look(self.token, self.address)
        name = self.get_body_argument("name", "")
        if error is not None:
            self.set_status(STATUS.get(error.code, 400))
        titles, fresh = self.site.hub.titles, self.is_fresh
        typed = self.get_body_argument("room", titles.of(titles.house)) if fresh else ""
        where = offer.where or typed or self.site.words["app.name"]
        card = Card(
            *(offer.kind, self.token, offer.who, where, offer.role or "member"),
            *(offer.until, offer.left),
            minutes=max(1, -(-(offer.until - now_ms()) // MINUTE)),
            name=error.suggestion if isinstance(error, NameTaken) else name,
            error=error,
            last=self._last,
            fresh=fresh,
        )
        self.show("enter.html", card=card)


class LookPage(EnterPage):
    """What a link does, and uses nothing up."""

    def get(self) -> None:
        self.redirect("../enter", status=303)

    async def post(self) -> None:
        self.pay(LOOK)
        try:
            await self.show_link()
        except Refusal as refusal:
            if refusal.code != "bad_link" or len(self.token.rpartition("#")[2].strip()) == SIZE:
                raise
            self.set_status(STATUS[refusal.code])
            self.show("enter.html", card=Card("code", error=refusal))  # typed, and perhaps mistyped
