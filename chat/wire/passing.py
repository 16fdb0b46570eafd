"""The events that are not kept: how things are at this moment, and answers to one peer alone."""

from __future__ import annotations

import msgspec
from msgspec import UNSET as ABSENT
from msgspec import Struct, UnsetType

from chat.wire.codes import (
    FILE_LIMIT,
    FILES_LIMIT,
    FRAME_LIMIT,
    TEXT_LIMIT,
    TOPIC_LIMIT,
    Refusal,
)
from chat.wire.protocol import Event, Person, Settings


class People(Event, tag="people", frozen=True):
    """Who is in the room: `total` people, `here` of them looking; the most recent are named.

    `joined`: the names of those who came for the first time since the last of these.
    """

    total: int
    here: int
    people: list[Person]
    joined: list[str] = msgspec.field(default_factory=list)


class Limits(Struct, frozen=True):
    """What the server accepts: characters in a text and in a topic, bytes in a frame and in a
    file, files of a message."""

    text: int = TEXT_LIMIT
    frame: int = FRAME_LIMIT
    topic: int = TOPIC_LIMIT
    file: int = FILE_LIMIT
    files: int = FILES_LIMIT


class YouAre(Event, tag="standing", frozen=True):
    """What you are here, and until when you are `muted`."""

    role: str
    muted: int | None = None


class Welcome(Event, tag="welcome", omit_defaults=False, frozen=True):
    """First on every connection. `afresh`: nothing comes after your cursor; you are level at
    `head`, and what you hold is worth nothing any more."""

    you: Person
    room: str
    title: str
    epoch: str
    head: int
    afresh: bool
    settings: Settings
    people: msgspec.Raw
    standing: YouAre
    version: str
    rev: int  # the head, for pages of 0.1.0 that are still open
    limits: Limits = Limits()


class Live(Event, tag="live", frozen=True):
    """You have everything up to `head`; from here changes come one by one."""

    head: int
    rev: int  # the same, for pages of 0.1.0 that are still open


class Jump(Event, tag="jump", frozen=True):
    """You fell behind: revs may jump until the next `live`."""


class IsTyping(Event, tag="typing", frozen=True):
    """`user` is writing, forget it after 5 s; or has `stopped`."""

    user: str
    name: str
    stopped: bool = False


class HasRead(Event, tag="read", frozen=True):
    """You have seen everything up to `id` in this room; `back`: you wanted it to be less."""

    id: int
    back: bool = False


class Unread(Struct, omit_defaults=True, frozen=True):
    """What is new to you in a room, and of that what is meant for you; at most 100. `private`: not
    everybody sees it."""

    room: str
    title: str
    unread: int
    mentioned: int
    private: bool = False


class Rooms(Event, tag="rooms", frozen=True):
    """What is new in your rooms: in all, as you have them in order; or not `whole`, in some."""

    rooms: list[Unread]
    whole: bool = False


class Kept(Event, tag="kept", frozen=True):
    """Settings of yours that have changed, by their keys; "": forgotten."""

    values: dict[str, str]


class Refused(Event, tag="refused", frozen=True):
    """The command with this `cid` was not done. `retry`: milliseconds; absent = never. `until`: the
    time from which it is allowed again."""

    code: str
    detail: str
    cid: str | None = None
    retry: int | None = None
    until: int | None = None


class Done(Event, tag="done", omit_defaults=False, frozen=True):
    """The command with this `cid` is carried out, and no change that carries it is to come: at the
    latest with `rev` you know what became of it. `id`: of what an order made."""

    cid: str
    rev: int = 0
    id: int | UnsetType = ABSENT


class Link(Event, tag="link", frozen=True):
    """What an order made: its `token`, told this once, and the `code` that may be typed instead."""

    cid: str
    id: int
    token: str
    code: str
    until: int


class Device(Event, tag="device", frozen=True):
    """A new device of yours is in since `made`."""

    id: str
    label: str
    made: int


class Beat(Event, tag="beat", frozen=True):
    """Each 20 s: the room stands at `head`."""

    head: int
    rev: int  # the same, for pages of 0.1.0 that are still open


class Pong(Event, tag="pong", frozen=True):
    """The answer to `ping`."""


class Bye(Event, tag="bye", frozen=True):
    """The server closes this connection; come back within `after` milliseconds (-1: do not)."""

    reason: str
    after: int


def refused(refusal: Refusal, cid: str | None = None) -> Refused:
    """The event that tells a peer of a refusal."""
    return Refused(refusal.code, refusal.detail, cid, refusal.retry, refusal.until)
