"""Access: who may do what. One table, asked in the same callback in which something is done.

It is asked at the doors (Hub.enter, Room.serve, Office.serve), again after every await, and by the
Writer, which has the last word: nothing is saved behind a ban.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from chat.wire.codes import Refusal
from chat.wire.protocol import Settings


class Role(Enum):
    """What somebody is here. The last two are made of facts, for as long as these last."""

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"  # has a name
    GUEST = "guest"  # is in some rooms only
    BOT = "bot"  # a program that writes in some rooms
    STRANGER = "stranger"  # has no name: the plain dialect
    MUTED = "muted"
    BANNED = "banned"


class Mode(Enum):
    """Who writes in a room."""

    OPEN = "open"
    SLOW = "slow"  # everybody, once in so many seconds
    ANNOUNCE = "announce"  # moderators and bots
    LOCKED = "locked"  # nobody


class Verb(Enum):
    """What somebody wants to do."""

    ENTER = "enter"  # come in, and read what was said
    SAY = "say"
    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    ARRANGE = "arrange"  # say what a room is about
    GOVERN = "govern"  # who writes in a room, who sees it, how long it keeps what is said
    INVITE = "invite"  # make links for members and guests
    MODERATE = "moderate"  # mute, remove people and what they wrote, see who did that
    MANAGE = "manage"  # roles, the door, the chat's name, hooks, the end of a room


class Answer(Enum):
    """OWN: only with what one wrote oneself."""

    YES = "yes"
    OWN = "own"
    NO = "no"


_NOTHING = dict.fromkeys(Verb, Answer.NO)
_READER = _NOTHING | {Verb.ENTER: Answer.YES, Verb.REACT: Answer.YES, Verb.DELETE: Answer.OWN}
_GUEST = _READER | {Verb.SAY: Answer.YES, Verb.EDIT: Answer.OWN}
_MEMBER = _GUEST | {Verb.ARRANGE: Answer.YES}
_MODERATOR = _MEMBER | dict.fromkeys(
    (Verb.DELETE, Verb.GOVERN, Verb.INVITE, Verb.MODERATE), Answer.YES
)
_SPEAKER = _NOTHING | {Verb.ENTER: Answer.YES, Verb.SAY: Answer.YES}
TABLE = {
    Role.OWNER: _MODERATOR | {Verb.MANAGE: Answer.YES},
    Role.MODERATOR: _MODERATOR,
    Role.MEMBER: _MEMBER,
    Role.GUEST: _GUEST,
    Role.BOT: dict(_SPEAKER),
    Role.STRANGER: _SPEAKER,
    Role.MUTED: _READER,
    Role.BANNED: _NOTHING,
}
WRITING = (Verb.SAY, Verb.EDIT, Verb.ARRANGE)  # what depends on the mode of a room
ANNOUNCERS = (Role.OWNER, Role.MODERATOR, Role.BOT)
RANK = {Role.OWNER: 2, Role.MODERATOR: 1}  # the others: 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of somebody. Times are UTC milliseconds, 0: not; `rooms` are those they were
    let into."""

    role: Role = Role.MEMBER
    muted: int = 0
    banned: int = 0
    rooms: frozenset[str] = frozenset()


def effective(facts: Facts, now: int) -> Role:
    """What somebody is at this moment."""
    if facts.banned > now:
        return Role.BANNED
    return Role.MUTED if facts.muted > now else facts.role


def may(role: Role, verb: Verb, mode: Mode = Mode.OPEN) -> Answer:
    """Whether somebody of this role may do this, in a room of this mode."""
    if verb in WRITING and (
        mode is Mode.LOCKED or (mode is Mode.ANNOUNCE and role not in ANNOUNCERS)
    ):
        return Answer.NO
    return TABLE[role][verb]


def demand(facts: Facts, verb: Verb, now: int, mode: Mode = Mode.OPEN) -> Answer:
    """The same for somebody of whom these are the facts. Raises Refusal, which says why not."""
    role = effective(facts, now)
    answer = may(role, verb, mode)
    if answer is not Answer.NO:
        return answer
    if role is Role.BANNED:
        raise Refusal("banned", until=facts.banned)
    if TABLE[role][verb] is not Answer.NO:
        raise Refusal("room_locked" if mode is Mode.LOCKED else "announcements")
    if role is Role.MUTED and TABLE[facts.role][verb] is not Answer.NO:
        raise Refusal("muted", until=facts.muted)
    raise Refusal("not_allowed")


def admitted(facts: Facts, room: str, settings: Settings, now: int) -> bool:
    """Whether somebody may come into this room: for others there is no such room."""
    if may(effective(facts, now), Verb.ENTER) is Answer.NO:
        return False
    if facts.role is Role.OWNER or room in facts.rooms:
        return True
    return not settings.private and facts.role not in (Role.GUEST, Role.BOT)


def greet(facts: Facts, now: int) -> None:
    """Raise Refusal banned for who is kept out at this moment."""
    if effective(facts, now) is Role.BANNED:
        raise Refusal("banned", until=facts.banned)


def check_enter(facts: Facts, room: str, settings: Settings, now: int) -> None:
    """Raise Refusal banned, or bad_room for who is not admitted."""
    greet(facts, now)
    if not admitted(facts, room, settings, now):
        raise Refusal("bad_room")


def outranks(actor: Role, target: Role) -> bool:
    """Whether one may act on the other: on who ranks below; an owner on everybody."""
    return actor is Role.OWNER or RANK.get(actor, 0) > RANK.get(target, 0)
