"""The RequestHandlers: room, form, health. They translate; rooms decide."""

from __future__ import annotations

import asyncio
import re
import secrets

import msgspec
from tornado.web import HTTPError

from chat.log.reader import Asked
from chat.room.hub import home
from chat.room.people import now_ms
from chat.room.room import Room
from chat.room.titles import room_of, valid_title
from chat.rules.kept import is_muted
from chat.rules.names import initials, valid_room
from chat.rules.pace import LOOK
from chat.web.joining import JOINED, Cards
from chat.web.rows import rows_of
from chat.web.site import Visitor
from chat.web.status import STATUS
from chat.web.wording import in_words
from chat.wire.codes import Refusal
from chat.wire.frames import Saved
from chat.wire.passing import Done
from chat.wire.protocol import Attachment, Person, Say

LAST = 2**53 - 1  # beyond every id
FRESH = 50  # messages a page begins with

_attachments = msgspec.json.Decoder(tuple[Attachment, ...]).decode


class Letter:
    """A message from a form: somebody who asks for one thing and waits for what becomes of it."""

    def __init__(self, person: Person, address: str) -> None:
        self.person = person
        self.address = address
        self.payer = person.user
        self.arrived: asyncio.Future[int] = asyncio.get_running_loop().create_future()  # its id

    def answer(self, cid: str, outcome: Saved | Done | Refusal) -> None:
        """The id of the message, also of one that had arrived already."""
        if self.arrived.cancelled():
            return
        if isinstance(outcome, Refusal):
            self.arrived.set_exception(outcome)
        else:
            self.arrived.set_result(outcome.rev)


class RoomPage(Cards):
    """The room with its newest messages already in it, or the card to join it."""

    async def get(self, name: str | None = None) -> None:
        house, joined = self.site.hub.titles.house, self.get_query_argument(JOINED, None)
        room = self._come_to(name)
        if room.name != (name or house) or name == house:
            self.to_room(room.name)
            return
        self.pay(LOOK)
        if (person := self.current_user) is None:
            self.show_join(room.name, joined or "", cookieless=joined is not None)
            return
        self.remember(person)
        if joined is None:
            await self._show_room(room, person)
        else:
            self.to_room(room.name)

    @property
    def _home(self) -> str:
        return home(self.site.hub, self.current_user.user if self.current_user else "")

    def _come_to(self, name: str | None) -> Room:
        """The room, if whoever asks may know of it. Who is in by a link, but keeps no cookie, is a
        stranger, and told why."""
        try:
            self.admit()
            return self._asked_for(name or self._home)
        except Refusal as refusal:
            came = self.current_user is None and JOINED in self.request.query_arguments
            if came and refusal.code != "banned":
                raise Refusal("no_cookies") from refusal
            raise

    def _asked_for(self, name: str | None) -> Room:
        hub = self.site.hub
        return hub.enter(self.current_user, hub.titles.house if name is None else valid_room(name))

    async def _show_room(self, room: Room, person: Person) -> None:
        hub = self.site.hub
        mine = await hub.marks.look(person.user, room.name)
        room, page = await self.look(room.name, Asked("before", LAST, FRESH, quoted=True))
        self.show(
            "room.html",
            room=room.name,
            title=room.title,
            house=hub.titles.house,
            you=person,
            you_initials=initials(person.name),
            messages=rows_of(page, person.user),
            changes=[msgspec.Raw(on.body) for on in page.changes if on.key[0] == "reaction"],
            head=page.head,
            epoch=self.site.store.epoch,
            people=room.presence.people(),
            standing=hub.authority.standing(person.user),
            door=hub.authority.door(),
            **in_words(room.standing.settings, hub.authority.facts(person.user), self.site.words),
            start=not page.more,
            read=mine.read,
            rooms=mine.rooms,
            kept=mine.kept,
            muted=lambda name: is_muted(mine.kept.get(f"mute:{name}", ""), now_ms()),
            limits=hub.limits,
            network=self.site.network(),
            invite=f"{self.request.protocol}://{self.request.host}{self.request.path}",
        )

    async def post(self, name: str | None = None) -> None:
        """Post without JavaScript, or from a page whose own room is another one.

        `user` is who wrote it: a browser that belongs to somebody else by now must not send it.
        """
        person, cid = self.known_person(), self.get_body_argument("cid", None)
        if self.get_body_argument("user", person.user) != person.user:
            raise Refusal("sign_in")
        if cid is not None and not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", cid):
            raise Refusal("bad_frame")
        room, letter = self._asked_for(name), Letter(person, self.address)
        text = self.get_body_argument("text", "", strip=False)
        room.serve(letter, Say(cid or secrets.token_hex(8), text, self._reply(), self._files()))
        id = await letter.arrived
        if self.wants_json:
            self.answer({"id": id})
        else:
            self.to_room(room.name, f"#m{id}")

    def _reply(self) -> int | None:
        """The message that is answered; none of another epoch, in which its id was another's."""
        reply = self.get_body_argument("reply", None)
        if reply is None or self.get_body_argument("epoch", "") != self.site.store.epoch:
            return None
        if not re.fullmatch(r"[0-9]{1,15}", reply):
            raise Refusal("bad_frame")
        return int(reply)

    def _files(self) -> tuple[Attachment, ...]:
        try:
            return _attachments(self.get_body_argument("files", "[]"))
        except msgspec.MsgspecError as error:
            raise Refusal("bad_frame") from error


class RoomFinder(Cards):
    """`/r/?name=Mum & Dad!` leads to `/r/mum-dad`: the form of "New room"."""

    public = True

    def get(self) -> None:
        self.admit()
        text = self.get_query_argument("name", "")
        try:
            title = valid_title(text) or self.site.hub.titles.house
            room = room_of(title)
        except Refusal as refusal:
            self.set_status(STATUS.get(refusal.code, 400))
            self.show("finder.html", name=text, error=refusal.detail)
            return
        if self.current_user is not None:  # a stranger leaves nothing in memory
            self.site.hub.titles.wish(room, title)
        self.to_room(room)


class HealthPage(Visitor):
    """For a proxy or a monitor: the loop runs, the heartbeat beats, the disk takes a write."""

    public = True
    vital = True

    async def get(self) -> None:
        self.pay(LOOK)
        trouble = await self.site.health.trouble()
        self.set_status(503 if trouble else 200)
        self.set_header("Content-Type", "text/plain")
        self.finish(f"{trouble or 'ok'}\n")

    head = get


class MissingPage(Visitor):
    """Any other address."""

    public = True

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)
