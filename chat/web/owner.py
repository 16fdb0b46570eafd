"""OwnerPage: the page for looking after the chat, whole, as it is at this moment.

Without scripts it can be read; with them each button gives its order, and the page is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import urlencode

from tornado.web import HTTPError

from chat.log.backup_files import KEEP_DAYS
from chat.log.overview import Done, KeptOut, Newcomer, Place, Resident, Space
from chat.room.people import now_ms
from chat.rules.access import Answer, Role, Verb, may
from chat.rules.names import COLORS, color_for
from chat.rules.pace import LOOK
from chat.rules.quota import told
from chat.web.desk import CID, Desk, ordered
from chat.web.devices import Invited, invited
from chat.web.phrases import Phrases, time
from chat.web.site import Visitor
from chat.wire.orders import (
    Ban,
    Chat,
    Hook,
    Invite,
    Mute,
    Readmit,
    RemoveRoom,
    Wipe,
)
from chat.wire.protocol import Arrange

SPANS = (600, 3600, 86_400)  # seconds in which somebody came
USUAL = 3600  # of these, the one that is shown first
DEEDS = 50  # shown of what moderators did
MINUTE = 60  # seconds
UNITS = (("days", 86_400), ("hours", 3600), ("minutes", MINUTE))
LAST = 2**53 - 1  # beyond every id
NOBODY, NEVER = "nobody", 0  # the scripts put whoever it is, and until when, in their place
PARTS = {  # each with its sign
    "health": "disk",
    "newcomers": "join",
    "people": "people",
    "rooms": "chat",
    "invites": "link",
    "hooks": "hook",
    "bans": "ban",
    "deeds": "deeds",
}
OWNERS = {"health", "hooks"}


# What a form's order begins with; its fields are added by the scripts.
_ORDERS = {
    "name": ordered(Chat(CID)),
    "mute": ordered(Mute(CID, NOBODY, NEVER)),
    "ban": ordered(Ban(CID, (NOBODY,), NEVER)),
    "raid": ordered(Ban(CID, (NOBODY,), NEVER, since=0)),
    "wipe": ordered(Wipe(CID, NOBODY, NEVER)),
    "readmit": ordered(Readmit(CID, NOBODY)),
    "invite": ordered(Invite(CID, "member", NEVER, 0)),
    "hook": ordered(Hook(CID, "", ())),
    "remove_room": ordered(RemoveRoom(CID, "")),
    "room": ordered(Arrange(CID)),
}


@dataclass(frozen=True, slots=True)
class Read:
    """What was read from the log."""

    space: Space
    people: list[Resident]
    rooms: list[Place]
    bans: list[KeptOut]
    deeds: list[Done]
    newcomers: list[Newcomer]
    invites: list[Invited]


@dataclass(frozen=True, slots=True)
class Facts:
    """What only an owner is shown of the server."""

    space: Space
    percent: int
    running: int
    unit: str
    pages: int


class OwnerPage(Visitor):
    """For owners and moderators; for all others there is no such page."""

    linked = True

    async def get(self) -> None:
        self.pay(LOOK)
        self._role()
        now = now_ms()
        read = await self._read(now)
        kept = await self.site.hub.marks.settings(self.still_known().user)
        self.show("owner.html", kept=kept, **self._shown(now, read))

    def _role(self) -> Role:
        """What they are who look. For most there is no such page."""
        role = self.site.hub.authority.role(self.still_known().user)
        if may(role, Verb.MODERATE) is not Answer.YES:
            raise HTTPError(404)
        return role

    async def _read(self, now: int) -> Read:
        overview = self.site.overview
        since = now - self._span * 1000
        return Read(
            space=await overview.space(),
            people=await overview.people(),
            rooms=await overview.rooms(),
            bans=await overview.bans(now),
            deeds=await overview.deeds(LAST, DEEDS),
            newcomers=await overview.newcomers(since, now),
            invites=await invited(self.site, self.still_known()),
        )

    @property
    def _span(self) -> int:
        """The time that newcomers are shown of."""
        asked = self.get_query_argument("came", "")
        return next((span for span in SPANS if asked == str(span)), USUAL)

    def _shown(self, now: int, read: Read) -> dict[str, Any]:
        """What the templates are given: by now they who look may be something else."""
        role, person, hub = self._role(), self.still_known(), self.site.hub
        say = Phrases(self.site.words)
        desk = Desk(say, person, role, now)
        doors = desk.doors(hub.authority.door())
        find = self.get_query_argument("find", "").strip()
        everybody = bool(self.get_query_argument("all", ""))
        rooms = [room for room in read.rooms if hub.admits(person.user, room.room)]
        deeds = [one for one in read.deeds if not one.room or self._knows(one.room)]
        return {
            **{"phrase": say.phrase, "counted": say.counted, "until": say.until},
            **{"time": time, "told": told, "color": self._color},
            **{"order": _ORDERS, "days": KEEP_DAYS},
            **{"network": self.site.network(), "house": hub.titles.house},
            "parts": [part for part in PARTS.items() if desk.manages or part[0] not in OWNERS],
            "facts": self._facts(read.space) if desk.manages else None,
            **{
                "doors": doors if desk.manages else None,
                "shut": doors[1] if desk.manages and doors[0].now else None,
                "closed": next((one.key for one in doors[1:] if one.now), ""),
                "invites": desk.invites(read.invites),
            },
            "hooks": desk.hooks(self.site.hooks.listed(), hub.titles) if desk.manages else None,
            "wrong": self.site.hooks.wrong,
            "spans": self._spans(),
            "newcomers": read.newcomers,
            "people": desk.people(read.people, hub.tabs, find, everybody),
            "rooms": desk.rooms(rooms, self._base, hub.titles.house),
            "bans": desk.bans(read.bans),
            "deeds": desk.deeds(deeds, read.bans, read.people),
        }

    @property
    def _base(self) -> str:
        return "../" * (self.request.path.count("/") - 1)

    def _knows(self, room: str) -> bool:
        """Whether they may read its name. Of a room that was removed nothing tells any more who was
        in it."""
        hub, user = self.site.hub, self.still_known().user
        manages = hub.authority.role(user) is Role.OWNER
        return hub.admits(user, room) and (manages or room in hub.titles)

    def _color(self, user: str, name: str) -> int:
        """As in the rooms; who has no name has the colour of what they are called."""
        known = self.site.directory.find(user)
        return known.color if known else color_for(name, [0] * COLORS)

    def _spans(self) -> list[dict[str, Any]]:
        kept = {key: self.get_query_argument(key, "") for key in ("find", "all")}
        kept = {key: value for key, value in kept.items() if value}
        now = self._span
        return [
            {"seconds": span, "query": urlencode(kept | {"came": span}), "now": span == now}
            for span in SPANS
        ]

    def _facts(self, space: Space) -> Facts:
        seconds = int(monotonic() - self.site.began)
        unit, length = next(one for one in UNITS if seconds >= one[1] or one[1] == MINUTE)
        pages = sum(len(self.site.hub.tabs.of(user)) for user in self.site.hub.tabs)
        percent = min(100, round(100 * space.files / space.limit)) if space.limit else 100
        return Facts(space, percent, seconds // length, unit, pages)
