"""MembersPage: who was let into a room, and who could be; for those who govern it."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from chat.room.people import now_ms
from chat.rules.access import Role, Verb, demand
from chat.rules.names import valid_room
from chat.rules.pace import LOOK
from chat.web.site import Visitor
from chat.wire.protocol import Person

FOUND = 8  # people found by a few letters


class Members(msgspec.Struct, frozen=True):
    """Some people, by their names."""

    people: list[Person]


class MembersPage(Visitor):
    """Who is in, or with `find` people of the whole chat, by how a word of their name begins."""

    def get(self, name: str) -> None:
        self.pay(LOOK)
        person, authority = self.known_person(), self.site.hub.authority
        room = self.site.hub.enter(person, valid_room(name)).name
        demand(authority.facts(person.user), Verb.GOVERN, now_ms())
        sought = _plain(self.get_query_argument("find", ""))
        people = sorted(self.site.directory, key=lambda one: _plain(one.name))
        if sought:
            begins = re.compile(rf"(?<!\w){re.escape(sought)}")
            found = [one for one in people if begins.search(_plain(one.name))][:FOUND]
        else:
            facts = [(one, authority.facts(one.user)) for one in people]
            found = [one for one, is_ in facts if is_.role is Role.OWNER or room in is_.rooms]
        self.answer(Members(found))


def _plain(name: str) -> str:
    """Without marks and capitals."""
    letters = unicodedata.normalize("NFKD", name)
    return "".join(c for c in letters if not unicodedata.category(c).startswith("M")).casefold()
