"""What can be written: one small record an operation, and one method of Writer for each.

All times are in UTC milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

from chat.log.things import User


@dataclass(frozen=True, slots=True)
class Append:
    """A message that has no id yet."""

    room: str
    author: str
    cid: str | None
    name: str
    color: int
    at: int
    text: str
    title: str = ""  # what the room is to be called if this is the first message in it


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Another text for a message, or None: it is deleted."""

    room: str
    author: str
    id: int
    text: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A new person, or a new name; `instead_of` somebody who loses it."""

    user: User
    instead_of: str | None = None


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
class Probe:
    """Nothing: whether a transaction begins; or a row of no meaning, if it is to `write`."""

    write: bool = False


Operation = Append | Rewrite | Hold | Saw | Free | Forget | Found | Probe
