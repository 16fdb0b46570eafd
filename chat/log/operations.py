"""What can be written: one small record an operation, and one method of Writer for each.

All times are in UTC milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from chat.log.things import Device, User
from chat.rules.access import Verb
from chat.wire.protocol import Attachment


@dataclass(frozen=True, slots=True)
class Lasting:
    """What changes something in a room: it is done once, however often it is asked for.

    `name` is what the author is called, `at` is when it was asked for. Texts are as they came: only
    the writer refuses for good, and it looks first whether it is known.
    """

    verb: ClassVar[Verb]
    room: str
    author: str
    cid: str
    name: str
    at: int

    @property
    def asked(self) -> str:
        """What the author asked for: another thing must not come under the same cid."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Append(Lasting):
    """A message that has no id yet; `mentions` are the people named in it, `files` become its."""

    verb: ClassVar = Verb.SAY
    color: int
    text: str
    title: str = ""  # what the room is to be called if this is the first message in it
    reply: int | None = None
    mentions: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Attachment] = ()

    @property
    def asked(self) -> str:
        # Not `reply`: in another epoch it comes again without. Not `files`: they may come again
        # uploaded anew.
        return self.text


@dataclass(frozen=True, slots=True)
class Rewrite(Lasting):
    """Another text for a message."""

    verb: ClassVar = Verb.EDIT
    id: int
    text: str
    mentions: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        return f"{self.id} {self.text}"


@dataclass(frozen=True, slots=True)
class Remove(Lasting):
    """A message goes, and the reactions to it."""

    verb: ClassVar = Verb.DELETE
    id: int

    @property
    def asked(self) -> str:
        return str(self.id)


@dataclass(frozen=True, slots=True)
class React(Lasting):
    """An emoji below a message, or none any more."""

    verb: ClassVar = Verb.REACT
    id: int
    emoji: str
    on: bool

    @property
    def asked(self) -> str:
        return f"{self.id} {self.emoji} {self.on}"


@dataclass(frozen=True, slots=True)
class Arrange(Lasting):
    """What the room is about."""

    verb: ClassVar = Verb.ARRANGE
    topic: str | None
    title: str = ""

    @property
    def asked(self) -> str:
        return self.topic or ""


@dataclass(frozen=True, slots=True)
class Govern(Arrange):
    """Who writes in a room, who sees it, how long it keeps what is said: the fields of Settings
    that are to be others. `present` are those who are in it."""

    verb: ClassVar = Verb.GOVERN
    fields: Mapping[str, Any] = field(default_factory=dict)
    present: Sequence[str] = ()

    @property
    def asked(self) -> str:
        return f"{self.topic} {sorted(self.fields.items())}"


class Told(NamedTuple):
    """What was done, by the tag of its command; to whom, where and how. `about` is what the person
    is called who may hold no name."""

    what: str
    person: str | None = None
    room: str | None = None
    detail: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What somebody orders: of people, or of the chat. `author` gave the order at this time;
    whether they may is asked in the transaction that carries it out. Each family has a module of
    its own, whose class carries it out (Writer._orders)."""

    verb: ClassVar[Verb]
    author: str
    at: int

    @property
    def told(self) -> Sequence[Told]:
        """What is kept of it for those who may see what moderators did."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Entrance:
    """What is about devices and the links that let people in. Each kind stands in the module of the
    class that carries it out (Writer._entrances)."""

    at: int


class Reached(NamedTuple):
    """How far somebody has read a room; without an id it is not in their list."""

    person: str
    room: str
    id: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far some people have read some rooms by now."""

    reached: tuple[Reached, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """Settings of a person; those that are empty are forgotten."""

    person: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Hold:
    """A new person, signed in on a device, or a new name; `instead_of` somebody who loses it."""

    user: User
    instead_of: str | None = None
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class Saw:
    """This person was here, or came into a room (for the first time)."""

    id: str
    at: int
    entered: bool = False


@dataclass(frozen=True, slots=True)
class Free:
    """This person signed out or was away for too long."""

    id: str
    at: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Some of the people who were never in a room and not seen since `unused`, or who never spoke
    and were not seen since `silent`."""

    unused: int
    silent: int


@dataclass(frozen=True, slots=True)
class Found:
    """The house room, at `/`."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Raise:
    """The floors, up to what only says that something is no more and is older than `tombs`: told
    before it is forgotten, or whoever reads in between would miss it and not know."""

    tombs: int


@dataclass(frozen=True, slots=True)
class Tidy:
    """Some of the cids that are older than `cids`, of what lies below a floor, only says that
    something is no more, and is older than `tombs`, and of the deeds older than `deeds`; and the
    bans that were over by then."""

    cids: int
    tombs: int
    deeds: int = 0


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of what is to be removed."""

    at: int


@dataclass(frozen=True, slots=True)
class Expire:
    """Some of what this room does not keep by now."""

    room: str
    at: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Nothing: whether a transaction begins; or a row of no meaning, if it is to `write`."""

    write: bool = False


@dataclass(frozen=True, slots=True)
class Deposit:
    """A file that was uploaded to be sent in a room, and is not of a message yet. Its bytes are on
    the disk by then; `sha` is the SHA-256 of them."""

    id: str
    room: str
    person: str
    type: str
    size: int
    width: int | None
    height: int | None
    sha: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Some of the files that were uploaded before this time and never became a message's."""

    before: int


Lastings = Append | Rewrite | Remove | React | Arrange | Govern
Beside = (  # what changes nothing in a room by itself
    Mark | Keep | Hold | Saw | Free | Forget | Found | Raise | Tidy | Probe
    | Deposit | Sweep | Ordered | Entrance | Piece | Expire
)  # fmt: skip
Operation = Lastings | Beside
