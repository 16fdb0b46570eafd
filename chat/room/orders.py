"""What a command of the wire asks of the writer."""

from __future__ import annotations

from msgspec import UNSET as ABSENT

import chat.wire.protocol as wire
from chat.log.operations import Append, Arrange, Govern, Lastings, React, Remove, Rewrite
from chat.wire.protocol import Delete, Edit, Lasting, Person, Say

GOVERNED = ("mode", "slow", "private", "keep")  # what is for who governs a room


def operation(command: Lasting, person: Person, room: tuple[str, str], at: int) -> Lastings:
    """The record of it. `room`: its name, and its title if this is what begins it; `at` is in UTC
    milliseconds."""
    name, title = room
    who = name, person.user, command.cid, person.name, at
    match command:
        case Say():
            return Append(
                *who, person.color, command.text, title, command.reply, files=command.files
            )
        case Edit():
            return Rewrite(*who, command.id, command.text)
        case Delete():
            return Remove(*who, command.id)
        case wire.React():
            return React(*who, command.id, command.emoji, command.on)
        case wire.Arrange():
            given = {name: getattr(command, name) for name in ("topic", *GOVERNED)}
            asked = {name: value for name, value in given.items() if value is not ABSENT}
            topic = asked.pop("topic", None)
            return Govern(*who, topic, title, asked) if asked else Arrange(*who, topic, title)
    raise TypeError(command)
