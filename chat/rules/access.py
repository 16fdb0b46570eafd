"""Access: who may do what. One table, asked in the same callback in which something is done.

It is asked at the two doors (Hub.enter, Room.serve), again after every await, and by the Writer,
which has the last word on what one may do only with one's own.
"""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    """What somebody is here."""

    MEMBER = "member"  # has a name
    STRANGER = "stranger"  # has none: the plain dialect


class Verb(Enum):
    """What somebody wants to do in a room."""

    ENTER = "enter"  # come in, and read what was said
    SAY = "say"
    EDIT = "edit"
    DELETE = "delete"
    REACT = "react"
    ARRANGE = "arrange"  # say what the room is about


class Answer(Enum):
    """OWN: only with what one wrote oneself."""

    YES = "yes"
    OWN = "own"
    NO = "no"


_MEMBER = {
    Verb.ENTER: Answer.YES,
    Verb.SAY: Answer.YES,
    Verb.EDIT: Answer.OWN,
    Verb.DELETE: Answer.OWN,
    Verb.REACT: Answer.YES,
    Verb.ARRANGE: Answer.YES,
}
TABLE = {
    Role.MEMBER: _MEMBER,
    Role.STRANGER: dict.fromkeys(Verb, Answer.NO) | {Verb.ENTER: Answer.YES, Verb.SAY: Answer.YES},
}


def may(role: Role, verb: Verb) -> Answer:
    """Whether somebody of this role may do this."""
    return TABLE[role][verb]
