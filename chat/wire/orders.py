"""Command, and the orders: commands that concern people and the chat, not the log of one room.

An order is absolute: to carry it out twice is to carry it out once. So its `cid` is not remembered;
it only says which answer belongs to it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Cid = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{8,64}\Z")]
Rev = Annotated[int, Meta(ge=0, lt=2**53)]  # 2^53: a JavaScript number holds no more
FOREVER = 253_402_300_800_000  # UTC milliseconds: the year 10000
Time = Annotated[int, Meta(ge=0, le=FOREVER)]  # UTC milliseconds
Id = Annotated[str, Meta(min_length=1, max_length=64)]  # of a person
Reason = Annotated[str, Meta(max_length=200)]  # for those who may read what moderators did


class Command(Struct, tag_field="type", forbid_unknown_fields=True):
    """What a browser may say."""


class Order(Command):
    """A command that is answered by `done`, `link` or `refused`, and is no change of a room."""

    cid: Cid


class Mute(Order, tag="mute"):
    """`user` may not write anywhere `until` then; 0 lifts it."""

    user: Id
    until: Time
    reason: Reason | None = None


class Ban(Order, tag="ban"):
    """These people may not come in `until` then, nor anybody new from their `network`s; with
    `since` what they wrote since then is removed too (0: ever)."""

    users: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=500)]
    until: Time
    network: bool = False
    since: Time | None = None
    reason: Reason | None = None


class Unban(Order, tag="unban"):
    """The ban with this `id` is lifted."""

    id: Rev


class Wipe(Order, tag="wipe"):
    """Remove what `user` wrote, in all rooms, `since` then (0: ever)."""

    user: Id
    since: Time


class Appoint(Order, tag="role"):
    """`user` is this from now on."""

    user: Id
    role: Literal["owner", "moderator", "member", "guest"]


class Admit(Order, tag="member"):
    """`user` is let into `room`, or not any more."""

    room: str
    user: Id
    on: bool


class Chat(Order, tag="chat"):
    """What the chat is called, and who comes in at its door; what is absent stays."""

    name: str | None = None
    door: Literal["open", "invite", "locked"] | None = None


class Invite(Order, tag="invite"):
    """A link that lets `uses` people in (0: any number) `until` then, as this; a guest into `room`
    only."""

    role: Literal["moderator", "member", "guest"]
    until: Time
    uses: Annotated[int, Meta(ge=0, le=10_000)]
    room: str | None = None


class Revoke(Order, tag="revoke"):
    """The invite or hook with this `id` is worth nothing any more."""

    id: Rev


class Hook(Order, tag="hook"):
    """A bot of this name, and the key by which programs write as it in these rooms."""

    name: str
    rooms: Annotated[tuple[str, ...], Meta(min_length=1, max_length=50)]


class Readmit(Order, tag="readmit"):
    """A device link for `user`, who has lost every device."""

    user: Id


class RemoveRoom(Order, tag="remove_room"):
    """`room` goes, with everything that was said in it."""

    room: str
