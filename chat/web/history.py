"""MessagesPage: history as JSON, a page at a time."""

from __future__ import annotations

import re

import msgspec

from chat.log.store import Store
from chat.log.things import PAGE
from chat.room.room import Room
from chat.rules.names import valid_room
from chat.rules.pace import LOOK
from chat.web.site import Visitor
from chat.wire.protocol import PAGE_LIMIT, Message, Refusal


class History(msgspec.Struct, frozen=True):
    """A page of history: messages, the rev the room stood at, and whether there are more."""

    room: str
    epoch: str
    rev: int
    messages: list[Message]
    more: bool


class MessagesPage(Visitor):
    """History as JSON, a page at a time."""

    async def get(self, name: str) -> None:
        self.pay(LOOK)
        room = self.site.hub.look(valid_room(name))
        kinds = [k for k in ("before", "after", "around", "since") if k in self.request.arguments]
        limit = self._number("limit", 50)
        if len(kinds) > 1 or not 1 <= limit <= PAGE_LIMIT:
            raise Refusal("bad_page")
        kind = kinds[0] if kinds else "before"
        rev = room.flushed
        at = self._number(kind, 2**53 - 1)
        with self.site.hub.asking(self.known_person().user):
            messages, more = await _page(self.site.store, room, kind, at, limit)
            await self.answer_taken(History(room.name, self.site.store.epoch, rev, messages, more))

    def _number(self, name: str, default: int) -> int:
        text = self.get_query_argument(name, str(default))
        if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) >= 2**53:
            raise Refusal("bad_page")
        return int(text)


async def _page(
    store: Store, room: Room, kind: str, at: int, limit: int
) -> tuple[list[Message], bool]:
    """A page of the log, and whether there is more of it: `before`, `after` or `around` an id by
    growing id without deleted ones, or `since` a rev by growing rev with them."""
    name = room.name
    if kind == "around":
        later = await store.after(name, at - 1, limit // 2, PAGE // 2)
        rows = await store.before(name, at, limit - len(later), PAGE // 2)
        return [*rows, *later], rows.more
    if kind == "since":
        rows = await store.changes(name, at, room.flushed, limit)
    else:
        rows = await (store.after if kind == "after" else store.before)(name, at, limit)
    return rows, rows.more
