"""MessagesPage: history as JSON, a page at a time."""

from __future__ import annotations

import re

import msgspec

from chat.names import valid_room
from chat.pace import LOOK
from chat.protocol import PAGE_LIMIT, Message, Refusal
from chat.site import Visitor


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
            messages, more = await room.history(kind, at, limit)
            await self.answer_taken(History(room.name, self.site.store.epoch, rev, messages, more))

    def _number(self, name: str, default: int) -> int:
        text = self.get_query_argument(name, str(default))
        if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) >= 2**53:
            raise Refusal("bad_page")
        return int(text)
