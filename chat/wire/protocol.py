"""The wire: every command, every event, every code and limit, and how they are read and written.

JSON text frames, one object each, tagged by "type" (docs/protocol.md). This module knows no
sockets, rooms or storage; static/js/protocol.js is its mirror and a test holds the two equal.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

TEXT_LIMIT = 4_000  # characters (Unicode code points) in one message
FRAME_LIMIT = 64 * 1024  # bytes in one WebSocket message
PAGE_LIMIT = 200  # messages in one page of history
FRESH = 50  # messages a page without a cursor starts with
GAP = 200  # changes missed beyond which the page loads them on demand
PEOPLE_LIMIT = 50  # people named in one `people` event
PEOPLE_ALL = 200  # up to this many people everyone is named

Cid = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{8,64}\Z")]
Rev = Annotated[int, Meta(ge=0, lt=2**53)]  # 2^53: a JavaScript number holds no more


class Close:
    """WebSocket close codes, each with what the client should do."""

    NORMAL = 1000  # nothing: it was the client that left
    GOING_AWAY = 1001  # come back within 3 s, with jitter
    PROTOCOL_ERROR = 1002  # come back with backoff; the sender has a bug
    BAD_DATA = 1007  # come back with backoff; a text frame was not UTF-8
    POLICY = 1008  # come back after 30 s; the `refused` before it said why
    TOO_BIG = 1009  # come back, but do not send that message again
    INTERNAL_ERROR = 1011  # come back with backoff; the server could not serve this connection
    RESTART = 1012  # come back within 3 s, with jitter
    REMOVED = 4001  # do not come back
    SIGNED_OUT = 4002  # go to the join page
    REPLACED = 4010  # too many tabs: stop, offer a button


class Refusal(Exception):
    """An expected failure: it goes to the peer as `refused`, and the connection stays.

    `retry` is in milliseconds; None means the same request will never succeed.
    """

    def __init__(self, code: str, retry: int | None = None, detail: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or REFUSALS[code]
        self.retry = retry


REFUSALS = {  # code -> the sentence a person reads
    "bad_frame": "The server did not understand that.",
    "empty": "There is nothing to send.",
    "too_long": f"That is longer than {TEXT_LIMIT:,} characters.",
    "slow_down": "Slow down a little.",
    "busy": "The server is busy. Your message will be sent again.",
    "full": "The server's disk is full. Your message is kept here and will be sent again.",
    "failed": "The server could not save that.",
    "not_found": "That message does not exist.",
    "not_yours": "Only the person who wrote a message can change it.",
    "deleted": "That message was deleted.",
    "cid_reused": "That message was already sent with another text.",
    "too_many_rooms": "This server has no space for another room.",
    "crowded": "There are too many connections. Try again in a few minutes.",
    "closing": "The server is restarting. Your message will be sent again.",
    "sign_in": "You are not signed in here. Join again.",
    "bad_name": "That name cannot be used.",
    "name_taken": "Someone here is already called that.",
    "bad_title": "The name of a room needs a letter or a digit.",
    "bad_room": "This room does not exist or was removed.",
    "bad_page": "That part of the history cannot be shown.",
    "wrong_host": "This server does not answer to that address.",
    "cross_origin": "That request came from another site.",
}


class Command(Struct, tag_field="type", forbid_unknown_fields=True):
    """What a browser may say."""

    @property
    def method(self) -> str:
        """The name of the Room method that serves it: its tag."""
        return str(self.__struct_config__.tag)


class Say(Command, tag="say"):
    """Post `text`. `cid` is the sender's own id of the message: a retry with it is stored once."""

    cid: Cid
    text: str


class Edit(Command, tag="edit"):
    """Replace the text of my message `id`."""

    id: Rev
    text: str


class Delete(Command, tag="delete"):
    """Delete my message `id`; its text is gone for good."""

    id: Rev


class Typing(Command, tag="typing"):
    """I am writing, or have `stopped` without sending. At most one each 3 s; never stored."""

    stopped: bool = False


class Read(Command, tag="read"):
    """I have seen everything up to `id`; goes to my other tabs as the same frame."""

    id: Rev


class Appear(Command, tag="appear"):
    """My tab is visible (`here`) or hidden."""

    here: bool


class Ping(Command, tag="ping"):
    """Is the line alive? Answered by `pong`."""


class Event(Struct, tag_field="type", omit_defaults=True, frozen=True):
    """What the server tells a browser."""


class Person(Struct, frozen=True):
    """Someone in the room. `color` is 0 to 11; `here` is False while every tab is hidden."""

    user: str
    name: str
    color: int
    here: bool = True


class People(Event, tag="people", frozen=True):
    """Who is in the room: `total` people, `here` of them looking; the most recent are named.

    `joined`: the names of those who came for the first time since the last of these.
    """

    total: int
    here: int
    people: list[Person]
    joined: list[str] = []


class Limits(Struct, frozen=True):
    """What the server accepts: characters in a text, bytes in a frame."""

    text: int = TEXT_LIMIT
    frame: int = FRAME_LIMIT


class Welcome(Event, tag="welcome", omit_defaults=False, frozen=True):
    """First on every connection. Another `epoch`, or a `rev` below your cursor: start afresh."""

    you: Person
    room: str
    title: str
    epoch: str
    rev: int
    people: msgspec.Raw
    version: str
    limits: Limits = Limits()


class Message(Event, tag="message", frozen=True):
    """A message as it is now. `id` is the `rev` it was made with; `rev` moves when it changes.

    `at` and `edited` are UTC milliseconds. A deleted or damaged message has an empty text.
    """

    rev: int
    id: int
    user: str
    name: str
    color: int
    at: int
    text: str
    cid: str | None = None
    edited: int | None = None
    deleted: bool = False
    damaged: bool = False


class Live(Event, tag="live", frozen=True):
    """You have everything up to `rev`; from here changes come one by one."""

    rev: int


class Gap(Event, tag="gap", rename={"from_": "from"}, frozen=True):
    """`count` changes with `from` < rev <= `to` were left out: load them from the pages."""

    from_: int
    to: int
    count: int


class IsTyping(Event, tag="typing", frozen=True):
    """`user` is writing, forget it after 5 s; or has `stopped`."""

    user: str
    name: str
    stopped: bool = False


class HasRead(Event, tag="read", frozen=True):
    """Another of your own tabs has seen everything up to `id`."""

    id: int


class Refused(Event, tag="refused", frozen=True):
    """The command with this `cid` or `id` was not done. `retry`: milliseconds; absent = never."""

    code: str
    detail: str
    cid: str | None = None
    id: int | None = None
    retry: int | None = None


class Beat(Event, tag="beat", frozen=True):
    """Each 20 s: the room stands at `rev`."""

    rev: int


class Pong(Event, tag="pong", frozen=True):
    """The answer to `ping`."""


class Bye(Event, tag="bye", frozen=True):
    """The server closes this connection; come back within `after` milliseconds (-1: do not)."""

    reason: str
    after: int


encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(reduce(or_, Command.__subclasses__()))  # none can be forgotten


def decode(data: bytes | str) -> Command:
    """The command in a text frame. Raises Refusal("bad_frame") for anything else."""
    try:
        command: Command = _decoder.decode(data)
        return command
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refusal("bad_frame") from error


def refused(refusal: Refusal, cid: str | None = None, id: int | None = None) -> Refused:
    """The event that tells a peer of a refusal."""
    return Refused(refusal.code, refusal.detail, cid, id, refusal.retry)
