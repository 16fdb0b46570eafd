"""Desk: what the page for looking after the chat shows, row by row: in sentences, and with the
order that each of its buttons stands for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from urllib.parse import quote, urlencode

from chat.log.overview import Done, KeptOut, Place, Resident
from chat.room.hooks import Listed
from chat.room.titles import Titles
from chat.rules.access import RANK, Role, outranks
from chat.rules.lookalikes import skeleton
from chat.web.devices import Invited
from chat.web.phrases import At, Phrases, Said, Strong, Value
from chat.wire.codes import REFUSALS
from chat.wire.orders import Appoint, Chat, Mute, Order, Revoke, Unban
from chat.wire.protocol import Arrange, Person, encode

FEW = 8  # people shown before one asks for all
FOUND = 50  # people shown of those that are asked for
ROLES: tuple[Literal["owner", "moderator", "member", "guest"], ...] = (
    *("owner", "moderator", "member", "guest"),
)
DOORS: tuple[Literal["open", "invite", "locked"], ...] = ("open", "invite", "locked")
CID = "of-the-page"  # the scripts put their own in its place


def ordered(order: Order | Arrange) -> str:
    """An order as a button has it in it."""
    return encode(order).decode()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, and what it takes to have it and to have back what is now."""

    key: str
    now: bool
    order: str
    undo: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who has a name. `below`: whoever looks may act on them."""

    of: Resident
    you: bool
    here: bool
    muted: int
    below: bool
    roles: Sequence[Choice]
    about: str


@dataclass(frozen=True, slots=True)
class PeoplePart:
    """Some of all people, and the query by which more are shown."""

    total: int
    find: str
    shown: Sequence[PersonRow]
    more: str


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room."""

    of: Place
    href: str
    sentence: str
    about: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something with a sentence and one order: a ban, or what a moderator did."""

    id: int
    name: str
    at: int
    sentence: str
    order: str


@dataclass(frozen=True, slots=True)
class HookRow:
    """A bot, and the order that ends it."""

    id: int
    name: str
    color: int
    sentence: str
    order: str


class Desk:
    """Makes the rows for one person who looks, at one moment."""

    def __init__(self, phrases: Phrases, you: Person, role: Role, now: int) -> None:
        self._phrases = phrases
        self._you = you
        self._role = role
        self._now = now

    @property
    def manages(self) -> bool:
        """Whether roles, hooks, the door and the name are theirs to change."""
        return self._role is Role.OWNER

    def people(
        self, known: Sequence[Resident], here: Iterable[str], find: str, everybody: bool
    ) -> PeoplePart:
        """Those who are here come first, and those who look after the chat before the others."""
        present, wanted = set(here), skeleton(find)
        named = [one for one in known if one.role != Role.BOT.value]
        asked = [one for one in named if wanted in skeleton(one.name)]
        asked.sort(key=lambda one: (-RANK.get(Role(one.role), 0), one.user not in present))
        most = len(asked) if everybody else FOUND if find else FEW
        shown = [self._person(one, one.user in present) for one in asked[:most]]
        query = urlencode({"all": 1, **({"find": find} if find else {})})
        return PeoplePart(len(named), find, shown, query if len(asked) > most else "")

    def _person(self, one: Resident, here: bool) -> PersonRow:
        you, role = one.user == self._you.user, Role(one.role)
        muted = one.muted if one.muted > self._now else 0
        about = {"user": one.user, "name": one.name, "muted": muted > 0, "voiced": not muted}
        roles = self._roles(one) if self.manages and not you else ()
        return PersonRow(
            of=one,
            you=you,
            here=here,
            muted=muted,
            below=not you and outranks(self._role, role),
            roles=roles,
            about=encode(about).decode(),
        )

    def _roles(self, one: Resident) -> list[Choice]:
        orders = {role: ordered(Appoint(CID, one.user, role)) for role in ROLES}
        return [
            Choice(role, role == one.role, order, orders.get(one.role, ""))  # type: ignore[call-overload]
            for role, order in orders.items()
        ]

    def rooms(self, places: Iterable[Place], base: str, house: str) -> list[RoomRow]:
        """Every room that the one who looks may enter."""
        rows = []
        for place in places:
            href = base if place.room == house else f"{base}r/{quote(place.room)}"
            settings = place.settings
            about = {
                **{"room": place.room, "title": place.title, "href": href},
                **{"mode": settings.mode, "slow": settings.slow, "private": settings.private},
                **{"keep": settings.keep},
            }
            rows.append(RoomRow(place, href, self._room(place), encode(about).decode()))
        return rows

    def _room(self, place: Place) -> str:
        say, settings = self._phrases, place.settings
        parts = [say.counted("owner.room.people", place.members or place.people)]
        if settings.private:
            parts.insert(0, say.phrase("owner.room.private"))
        if settings.mode != "open":
            parts.append(say.phrase(f"owner.room.{settings.mode}", n=settings.slow))
        if settings.keep is not None:
            kept = "owner.room.keep" if settings.keep else "owner.room.keep.none"
            parts.append(say.phrase(kept, n=settings.keep))
        return ", ".join(parts)

    def bans(self, kept: Iterable[KeptOut]) -> list[Line]:
        """Who is kept out, by whom and why."""
        return [self._ban(one) for one in kept]

    def _ban(self, one: KeptOut) -> Line:
        say = self._phrases
        what = say.until("owner.bans.until", one.until, by=one.by, at=At(one.at))
        if one.networks:
            what = say.phrase("owner.bans.network", what=Said(what))
        what = self._because(what, one.reason)
        return Line(one.id, one.name, one.at, what, ordered(Unban(CID, one.id)))

    def invites(self, links: Iterable[Invited]) -> list[Line]:
        """The links that work, and who came by each."""
        return [self._invite(one) for one in links]

    def _invite(self, one: Invited) -> Line:
        say = self._phrases
        what = say.phrase(f"owner.invites.of.{one.role}")
        if one.role == Role.GUEST.value:
            what = say.phrase("owner.invites.of.room", who=Said(what), room=one.title or "")
        lasts = say.until("owner.invites.until", one.until, what=Said(what))
        used = "owner.invites.used" if one.uses else "owner.invites.used.any"
        how = say.phrase(used, by=one.by, used=one.used, uses=one.uses)
        if one.people:
            people = ", ".join(say.name(name) for name in one.people)
            how = say.phrase("owner.invites.people", what=Said(how), people=Said(people))
        return Line(one.id, lasts, 0, how, ordered(Revoke(CID, one.id)))

    def doors(self, now: str) -> list[Choice]:
        """Who may come in: what is so, and what else could be."""
        orders: dict[str, str] = {door: ordered(Chat(CID, door=door)) for door in DOORS}
        return [Choice(door, door == now, order, orders[now]) for door, order in orders.items()]

    def hooks(self, listed: Iterable[Listed], titles: Titles) -> list[HookRow]:
        """The bots, where each writes, and what came of its key."""
        return [self._hook(one, titles) for one in listed]

    def _hook(self, one: Listed, titles: Titles) -> HookRow:
        say, rooms = self._phrases, ", ".join(f"#{titles.of(room)}" for room in one.rooms)
        what = say.phrase("owner.hooks.in" if rooms else "owner.hooks.nowhere", rooms=rooms)
        used = "owner.hooks.last" if one.used else "owner.hooks.never"
        what = say.phrase(used, what=Said(what), last=At(one.used))
        if one.refused:
            why = REFUSALS[one.code]
            what = say.counted("owner.hooks.refused", one.refused, what=Said(what), why=why)
        order = ordered(Revoke(CID, one.id))
        return HookRow(one.id, one.bot.name, one.bot.color, what, order)

    def deeds(
        self, done: Iterable[Done], kept: Iterable[KeptOut], known: Iterable[Resident]
    ) -> list[Line]:
        """What moderators did, each a sentence; what was done to many at once is one.

        What still holds, and can be taken back, has the order for it.
        """
        holds = {one.user: ordered(Unban(CID, one.id)) for one in kept}
        muted = {one.user for one in known if one.muted > self._now}
        lines: list[Line] = []
        for (_, _, what), same in groupby(done, lambda one: (one.at, one.by, one.what)):
            first, *others = same
            if what == "ban" and others:
                sentence = self._say("owner.deed.ban.many", first, n=len(others) + 1)
                lines.append(Line(first.id, "", first.at, sentence, ""))
                continue
            for one in (first, *others):
                undo = holds.pop(one.user, "") if what == "ban" else ""
                if what == "mute" and one.user in muted:
                    muted.discard(one.user)
                    undo = ordered(Mute(CID, one.user, 0))
                lines.append(Line(one.id, "", one.at, self._deed(one), undo))
        return lines

    def _deed(self, one: Done) -> str:
        """A deed as a sentence. What it is called may differ by how it was done."""
        match one.what:
            case "mute" | "ban":
                until, _, why = one.detail.partition(" ")
                return self._because(self._for_a_time(one, int(until)), why)
            case "chat":
                what, _, value = one.detail.partition(" ")
                key = f"owner.deed.{what}" if what == "name" else f"owner.deed.door.{value}"
                return self._say(key, one, value=value)
            case "room":
                return self._say("owner.deed.room", one, what=Said(self._set(one.detail)))
        for key in (f"owner.deed.{one.what}.{one.detail}", f"owner.deed.{one.what}"):
            if key in self._phrases:
                return self._say(key, one)
        return self._say("owner.deed.other", one)

    def _for_a_time(self, one: Done, until: int) -> str:
        key = f"owner.deed.{one.what}"
        if not until:
            return self._say(f"{key}.0", one)
        return self._phrases.until(key, until, by=Strong(one.name), name=one.about)

    def _set(self, detail: str) -> str:
        """What was set of a room: names of settings, each with its value."""
        parts = []
        for setting in detail.split(", "):
            name, _, value = setting.partition(" ")
            key = f"owner.set.{name}.{value}"
            if key in self._phrases:
                parts.append(self._phrases.phrase(key))
            elif value.isdigit():
                parts.append(self._phrases.counted(f"owner.set.{name}", int(value)))
        return ", ".join(parts)

    def _because(self, what: str, reason: str) -> str:
        say = self._phrases
        return say.phrase("owner.because", what=Said(what), reason=reason) if reason else what

    def _say(self, key: str, one: Done, **values: Value) -> str:
        names: dict[str, Value] = {"by": Strong(one.name), "name": one.about, "room": one.room}
        return self._phrases.phrase(key, **names, **values)
