"""Kept: the settings of a person that all their devices share, and what each may hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from chat.rules.names import valid_room
from chat.wire.codes import TEXT_LIMIT, Refusal

KEYS = 500  # settings of one person that are kept
ROOMS = 200  # rooms in the list of one person

Allows = Callable[[str], bool]


def _one_of(*values: str) -> Allows:
    return values.__contains__


def _matches(pattern: str) -> Allows:
    whole = re.compile(pattern, re.ASCII)
    return lambda value: whole.fullmatch(value) is not None


def _rooms(value: str) -> bool:
    names = value.split(" ")
    return len(names) <= ROOMS and all(map(_is_room, names))


def _is_room(name: str) -> bool:
    with suppress(Refusal):
        return valid_room(name) == name
    return False


_LEVEL = _one_of("all", "mentions", "none")
_SWITCH = _one_of("on", "off")
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"

TABLE: dict[str, Allows] = {  # key -> what it may hold; "" forgets it
    "theme": _one_of("system", "light", "dark"),
    "size": _one_of("87", "100", "112", "125", "150"),  # percent
    "enter": _one_of("send", "line"),
    "sound": _SWITCH,
    "announce": _LEVEL,
    "typing": _SWITCH,
    "notify": _LEVEL,  # of rooms that say nothing themselves
    "quiet": _matches(f"{_CLOCK}-{_CLOCK}"),  # by the clock of the device
    "order": _rooms,  # of the list of rooms
}
OF_A_ROOM: dict[str, Allows] = {  # the same for keys that end in : and a room
    "level": _LEVEL,
    "mute": _matches(r"ever|[1-9]\d{0,15}"),  # UTC milliseconds until which
    "draft": lambda value: len(value) <= TEXT_LIMIT,
}


def check_setting(key: str, value: str) -> None:
    """Whether this key may hold this. Raises Refusal bad_setting."""
    kind, colon, room = key.partition(":")
    allows = OF_A_ROOM.get(kind) if colon and _is_room(room) else TABLE.get(key)
    if allows is None or (value and not allows(value)):
        raise Refusal("bad_setting")


def is_draft(key: str) -> bool:
    """Whether it is a text that was not sent: it is kept on no disk but the writer's own."""
    return key.startswith("draft:")


def is_muted(value: str, now: int) -> bool:
    """What a `mute` means at this time."""
    return value == "ever" or (value.isdecimal() and int(value) > now)


def in_order(rooms: list[str], order: str) -> list[str]:
    """The rooms of a list as the person put them; those they did not put anywhere come last."""
    place = {room: number for number, room in enumerate(order.split(" "))}
    return sorted(rooms, key=lambda room: place.get(room, len(place)))
