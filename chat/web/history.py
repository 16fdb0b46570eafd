"""MessagesPage: history as JSON, a page at a time."""

from __future__ import annotations

import re

import msgspec

from chat.log.reader import Asked
from chat.rules.names import valid_room
from chat.rules.pace import LOOK
from chat.web.hooks import Keyed
from chat.wire.codes import PAGE_LIMIT, Refusal

LAST = 2**53 - 1  # beyond every id
KINDS = ("before", "after", "around", "since")
IDS = 100  # messages asked for by their ids
WAIT = 25  # seconds in which something may come; a proxy gives up after 60


class History(msgspec.Struct, frozen=True):
    """A page of history: its changes as the socket would bring them, the rev at which they are so,
    and whether there are more."""

    room: str
    epoch: str
    head: int
    changes: list[msgspec.Raw]
    more: bool


class MessagesPage(Keyed):
    """Messages by growing id with the reactions to them, or all that changed since a rev; with
    `wait` not before there is something, or so many seconds have passed."""

    async def get(self, name: str) -> None:
        self.pay(LOOK)
        person, name, asked, wait = self.known_person(), valid_room(name), *self._asked()
        level = self.site.hub.enter(person, name).standing.rev == asked.at
        if wait and level:
            await self.site.hub.polls.next(name, (self.address, person.user), wait)
        with self.site.reading.one(person.user):
            room, page = await self.look(name, asked)
            if asked.kind == "since" and 0 < asked.at < room.standing.floor:
                raise Refusal("bad_page")  # what was removed since then may be forgotten
            changes = [msgspec.Raw(change.body) for change in page.changes]
            epoch = self.site.store.epoch
            await self.answer_taken(History(name, epoch, page.head, changes, page.more))

    def _asked(self) -> tuple[Asked, int]:
        given = [kind for kind in (*KINDS, "ids") if kind in self.request.arguments]
        limit, wait = self._number("limit", 50), self._number("wait", 0)
        kind, files = given[0] if given else "before", "files" in self.request.arguments
        if len(given) > 1 or not 1 <= limit <= PAGE_LIMIT or (files and kind != "before"):
            raise Refusal("bad_page")
        if kind == "ids":
            return Asked("ids", 0, IDS, self._ids()), 0
        asked = Asked(kind, self._number(kind, LAST), limit, files=files)
        return asked, min(wait, WAIT) if kind == "since" else 0

    def _ids(self) -> list[int]:
        ids = self.get_query_argument("ids").split(",")
        if len(ids) > IDS:
            raise Refusal("bad_page")
        return [_number(id) for id in ids]

    def _number(self, name: str, default: int) -> int:
        return _number(self.get_query_argument(name, str(default)))


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > LAST:
        raise Refusal("bad_page")
    return int(text)
