"""The RequestHandlers: room, form, join, name, health. They translate; rooms decide."""

from __future__ import annotations

import re

from tornado.web import HTTPError

from chat.directory import NameTaken
from chat.names import initials, valid_room
from chat.protocol import Limits, Refusal
from chat.rows import rows_of
from chat.site import HOUSE, STATUS, Visitor


class RoomPage(Visitor):
    """The room with its newest messages already in it, or the card to join it."""

    public = True

    async def get(self, name: str = HOUSE) -> None:
        room_name = valid_room(name)
        if room_name != name or (name == HOUSE and self.request.path.endswith("/r/" + HOUSE)):
            self.to_room(room_name)
            return
        person, room = self.current_user, self.site.hub.room(room_name)
        if person is None:
            fresh = self.site.hub.fresh and not len(self.site.directory)
            self.show_join(room_name, name="", error=None, fresh=fresh)
            return
        messages, rev = await room.newest()
        self.remember(person)
        self.show(
            "room.html",
            room=room_name,
            you=person,
            you_initials=initials(person.name),
            messages=rows_of([message for message in messages if not message.deleted]),
            rev=rev,
            epoch=self.site.store.epoch,
            people=room.people,
            start=room.is_start(messages),
            limits=Limits(),
            network=self.site.network,
            invite=f"{self.request.protocol}://{self.request.host}{self.request.path}",
        )

    async def post(self, name: str = HOUSE) -> None:
        """Post without JavaScript."""
        person = self.known_person()
        cid = self.get_body_argument("cid", None)
        if cid is not None and not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", cid):
            raise Refusal("bad_frame")
        self.site.hub.allow(person.user)
        room = self.site.hub.room(valid_room(name))
        text = self.get_body_argument("text", "", strip=False)
        message = await room.post(person, text, cid)
        self.to_room(room.name, f"#m{message.id}")

    def show_join(self, room: str, name: str, error: str | None, fresh: bool) -> None:
        """The card with one field."""
        people = self.site.hub.room(room).people
        self.show("join.html", room=room, people=people, name=name, error=error, fresh=fresh)


class JoinPage(RoomPage):
    """A name, and you are in."""

    def get(self) -> None:  # type: ignore[override]
        self.to_room(HOUSE)

    async def post(self) -> None:  # type: ignore[override]
        text, room = (
            self.get_body_argument("name", ""),
            valid_room(self.get_body_argument("room", HOUSE) or HOUSE),
        )
        directory, before = self.site.directory, self.current_user
        try:
            directory.check(text, before.user if before else None)  # a wrong name costs nothing
            self.site.hub.allow("")  # one bucket for everyone who joins
            person = await (directory.rename(before.user, text) if before else directory.join(text))
        except Refusal as refusal:
            self.set_status(STATUS.get(refusal.code, 400))
            name = refusal.suggestion if isinstance(refusal, NameTaken) else text
            self.show_join(room, name, refusal.detail, fresh=False)
            return
        self.remember(person)
        self.to_room(room)


class NamePage(Visitor):
    """Another name for the same person."""

    public = True

    async def post(self) -> None:
        before = self.known_person()
        self.site.hub.allow(before.user)
        person = await self.site.directory.rename(before.user, self.get_body_argument("name", ""))
        if self.wants_json:
            self.answer(person)
        else:
            self.to_room(valid_room(self.get_body_argument("room", HOUSE)))


class SignOutPage(Visitor):
    """Sign out here: the cookie is worth nothing any more, and the name is free."""

    public = True

    async def post(self) -> None:
        person = self.current_user
        room = valid_room(self.get_body_argument("room", HOUSE))
        if person is not None:
            await self.site.directory.leave(person.user)
        self.forget()
        self.to_room(room)


class RoomFinder(Visitor):
    """`/r/?name=My Room` leads to `/r/my-room`: the form of "New room"."""

    public = True

    def get(self) -> None:
        self.to_room(valid_room(self.get_query_argument("name", HOUSE)))


class HealthPage(Visitor):
    """For a proxy or a monitor: the loop runs, the heartbeat beats, the disk takes a write."""

    public = True

    async def get(self) -> None:
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
