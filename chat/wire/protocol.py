"""The wire: every command and every change, and how they are read and written.

JSON text frames, one object each, tagged by "type" (docs/protocol.md). This module knows no
sockets, rooms or storage; static/js/protocol.js is its mirror and a test holds the two equal. What
the server tells and does not keep is in passing.py, the orders are in orders.py.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET as ABSENT
from msgspec import Meta, Struct, UnsetType

from chat.wire.codes import KEEP_LIMIT, SLOW_LEAST, SLOW_LIMIT, Refusal
from chat.wire.orders import Cid, Command, Rev

FileId = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{22}\Z")]


class Lasting(Command):
    """A command that leaves something behind. `cid` is the sender's own id of it: a retry with it
    is carried out once."""

    cid: Cid


class Attachment(Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """An uploaded file as a message names it; `about` is its description."""

    id: FileId
    name: str
    about: str | None = None


class Say(Lasting, tag="say"):
    """Post `text`, in answer to the message `reply`. With files the text may be empty."""

    text: str
    reply: Rev | None = None
    files: tuple[Attachment, ...] = ()


class Edit(Lasting, tag="edit"):
    """Replace the text of my message `id`."""

    id: Rev
    text: str


class Delete(Lasting, tag="delete"):
    """Delete my message `id`; its text is gone for good."""

    id: Rev


class React(Lasting, tag="react"):
    """Put `emoji` below the message `id`, or take mine away."""

    id: Rev
    emoji: str
    on: bool


class Arrange(Lasting, tag="room"):
    """What the room is about, who writes in it, who sees it, and for how many days what is said is
    kept: `keep` null is for ever, 0 not at all (an hour). What is absent stays."""

    topic: str | UnsetType = ABSENT
    mode: Literal["open", "slow", "announce", "locked"] | UnsetType = ABSENT
    slow: Annotated[int, Meta(ge=SLOW_LEAST, le=SLOW_LIMIT)] | UnsetType = ABSENT
    private: bool | UnsetType = ABSENT
    keep: Annotated[int, Meta(ge=0, le=KEEP_LIMIT)] | UnsetType | None = ABSENT


class Typing(Command, tag="typing"):
    """I am writing, or have `stopped` without sending. At most one each 3 s; never stored."""

    stopped: bool = False


class Read(Command, tag="read"):
    """I have seen everything up to `id`; that only goes forward, unless it is to go `back`."""

    id: Rev
    back: bool = False


class ReadAll(Command, tag="read_all"):
    """I have seen everything in `room`; without it, in all my rooms."""

    room: str | None = None


class Leave(Command, tag="leave"):
    """Take `room` off my list of rooms."""

    room: str


class Keep(Command, tag="keep"):
    """A setting of mine, on all my devices; "" forgets it. The last one counts."""

    key: str
    value: str


class Appear(Command, tag="appear"):
    """My tab is visible (`here`) or hidden."""

    here: bool


class Ping(Command, tag="ping"):
    """Is the line alive? Answered by `pong`."""


class Event(Struct, tag_field="type", omit_defaults=True, frozen=True):
    """What the server tells a browser."""


Key = tuple[str, int, str]  # of a thing in its room: kind, id, and what tells several apart


class Change(Event, frozen=True):
    """A thing as it is from this `rev` on. It is kept, under its key; the newest state counts."""

    rev: int

    @property
    def key(self) -> Key:
        """Which thing this is a state of."""
        return str(self.__struct_config__.tag), self.rev, ""


class File(Struct, omit_defaults=True, frozen=True):
    """A file of a message. `type` is what it was found to be, never what a browser called it."""

    id: str
    name: str
    type: str
    size: int
    width: int | None = None
    height: int | None = None
    about: str | None = None


class Message(Change, tag="message", frozen=True):
    """A message as it is now. `id` is the `rev` it was made with; `at` and `edited` are UTC
    milliseconds.

    `cid` is of the command that made this state; `said`, where that is another one, of its `say`.
    `reply` is the message it answers. `mentions` are the people it is meant for, each with the name
    in its text; "" for who is only answered, "here" for who was there. `bot`: a program wrote it. A
    damaged one has nothing but its rev and id.
    """

    id: int
    user: str
    name: str
    color: int
    at: int
    text: str
    cid: str | None = None
    said: str | None = None
    edited: int | None = None
    damaged: bool = False
    reply: int | None = None
    mentions: dict[str, str] = msgspec.field(default_factory=dict)
    files: tuple[File, ...] = ()
    bot: bool = False

    @property
    def key(self) -> Key:
        """A message by its id."""
        return "message", self.id, ""


class Reaction(Change, tag="reaction", frozen=True):
    """Somebody's emoji below the message `id`; not `on`: taken back."""

    id: int
    user: str
    name: str
    emoji: str
    on: bool
    cid: str | None = None

    @property
    def key(self) -> Key:
        """A reaction by message, person and emoji."""
        return "reaction", self.id, f"{self.user} {self.emoji}"


class Gone(Change, tag="gone", rename={"from_": "from"}, frozen=True):
    """The messages (of `user`, if given) with from <= id <= to are no more, nor their reactions."""

    from_: int
    to: int
    user: str | None = None
    cid: str | None = None

    def covers(self, key: Key, author: str) -> bool:
        """Whether this thing, a state of `author`'s making, went with it.

        Of a reaction that is not known where only one person's messages went: its message may be
        another's. One without its message is shown nowhere.
        """
        kind, id, _ = key
        if not self.from_ <= id <= self.to:
            return False
        return (
            kind in ("message", "reaction")
            if self.user is None
            else (kind == "message" and self.user == author)
        )


class Settings(Change, tag="settings", frozen=True):
    """What the room is about, who writes in it (`slow`: once in so many seconds), whether it is for
    those only who were let in, for how many days it keeps what is said, and who said so last."""

    topic: str
    by: str
    cid: str | None = None
    mode: str = "open"
    slow: int = 0
    private: bool = False
    keep: int | None = None

    @property
    def key(self) -> Key:
        """A room has one."""
        return "settings", 0, ""


UNSET = Settings(0, "", "")  # of a room that nobody has arranged
DAMAGED = Settings(0, "", "", mode="locked", private=True)  # of one where they cannot be read


class Person(Struct, frozen=True):
    """Someone in the room. `color` is 0 to 11; `here` is False while every tab is hidden; `role` is
    absent of a member."""

    user: str
    name: str
    color: int
    here: bool = True
    role: str | UnsetType = ABSENT


def kinds(of: type[Struct]) -> list[type[Struct]]:
    """Everything that has a tag of its own: the classes that no other is made from."""
    found: list[type[Struct]] = []
    for kind in of.__subclasses__():
        found += kinds(kind) or [kind]
    return found


encode = msgspec.json.Encoder().encode
_commands = msgspec.json.Decoder(reduce(or_, kinds(Command)))  # none can be forgotten
_changes = msgspec.json.Decoder(reduce(or_, kinds(Change)))


def decode(data: bytes | str) -> Command:
    """The command in a text frame. Raises Refusal("bad_frame") for anything else."""
    try:
        command = _commands.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Refusal("bad_frame") from error
    return cast(Command, command)


def decode_change(body: bytes) -> Change:
    """A change as it was encoded. Raises msgspec.MsgspecError."""
    return cast(Change, _changes.decode(body))
