"""What rooms are called: a title as people typed it, the name that stands in the address for it,
and which of the rooms is the house, at `/`.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from chat.log.operations import Found
from chat.log.reader import titles
from chat.log.store import Store
from chat.rules.names import NAME_LIMIT, graphemes, hides_something, valid_room
from chat.rules.unseen import without_emoji, without_unseen
from chat.wire.codes import Refusal

TITLE_LIMIT = 60  # graphemes
WISHES = 1000  # titles remembered of rooms that nobody has spoken in yet


def valid_title(text: str) -> str:
    """The title as it is kept: as typed, NFC, trimmed, spaces single. Raises Refusal bad_title."""
    title = " ".join(unicodedata.normalize("NFC", text).split())
    if len(title) > 4 * TITLE_LIMIT or graphemes(title) > TITLE_LIMIT:
        raise Refusal("bad_title", detail=f"A room's name has at most {TITLE_LIMIT} characters.")
    if hides_something(without_emoji(title)):
        raise Refusal("bad_title", detail="That name has characters that cannot be seen.")
    return title


def room_of(title: str) -> str:
    """The name in the address: letters and digits, a hyphen for all that stands between them.

    What is an address already stays as it is. Raises Refusal bad_title where nothing is left.
    """
    with suppress(Refusal):
        if (name := valid_room(title)) == title:
            return name
    text = unicodedata.normalize("NFKC", without_unseen(title)).casefold()
    name = ""
    for char in unicodedata.normalize("NFKC", text):
        if char.isalnum() or (name and unicodedata.category(char) in ("Mn", "Mc")):
            name += char
        elif name and not name.endswith("-"):
            name += "-"
    if not name:
        raise Refusal("bad_title")
    try:
        return valid_room(name[:NAME_LIMIT].rstrip("-"))
    except Refusal as refusal:
        detail = "That name mixes letters of different scripts."
        raise Refusal("bad_title", detail=detail) from refusal


class Titles:
    """Owns every room's title in memory, and which room is the house."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._titles = store.at_start(titles)  # name -> title, of the rooms there are
        self._wishes: OrderedDict[str, str] = OrderedDict()  # of those nobody has spoken in
        self.house, self._house_title = store.house
        self.private: Callable[[str], bool] = lambda name: False  # whether not everybody sees it
        self.founding = asyncio.Lock()  # the house is named, and whoever named it is let in

    def __len__(self) -> int:
        return len(self._titles)

    def __contains__(self, name: str) -> bool:
        return name in self._titles

    def of(self, name: str) -> str:
        """The room's title; the name where nobody gave it one."""
        title = self._titles.get(name) or self._wishes.get(name)
        return title or (self._house_title if name == self.house else name)

    def wish(self, name: str, title: str) -> None:
        """Somebody calls a room so: it is its title if it has none when its first message comes."""
        if name not in self._titles and name not in (title, self.house):
            self._wishes[name] = title
            self._wishes.move_to_end(name)
            if len(self._wishes) > WISHES:
                self._wishes.popitem(last=False)

    def made(self, name: str) -> None:
        """The first message of this room is on disk, and its title with it."""
        self._titles[name] = self.of(name)
        self._wishes.pop(name, None)

    def forget(self, name: str) -> None:
        """This room was removed."""
        self._titles.pop(name, None)

    async def found(self, title: str) -> None:
        """The house room, on a server that nobody uses yet. Raises Refusal bad_title."""
        title = valid_title(title)
        name = room_of(title)
        await self._store.wrote(Found(name, title))
        self.house, self._house_title = name, title
