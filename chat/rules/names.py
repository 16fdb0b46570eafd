"""Which names of people and rooms are valid, and what is made of a name. Pure."""

from __future__ import annotations

import random
import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache

from chat.rules.lookalikes import one_script, skeleton
from chat.rules.unseen import draws_something, without_emoji, without_unseen
from chat.wire.codes import Refusal

PLAIN = "client-"  # what the ids of those begin with who have no name
NAME_LIMIT = 40  # graphemes
MARKS = 2  # marks above or below one letter: Thai and Vietnamese need two, zalgo needs more
STACK = 5  # marks of any kind: a Tibetan letter may carry three, a Hebrew one with vowels four
COLORS = 12

_RESERVED = ("you", "server", "system", "chat", "deleted", "here", "mod", "staff", "robot")
# What somebody is here is said beside a name: in it, the words and signs of that would deceive.
_ROLES = ("owner", "owners", "moderator", "moderators", "admin", "admins", "administrator")
_BOTS = ("bot", "bots")
_SIGNS = frozenset("🔑🗝🔐🛡⛨🔰👑♔♕♚♛🤖✓✔✅☑🗸🗹")
_JOINERS = "\u200c\u200d"  # needed inside Persian and Indic words; they draw nothing elsewhere
_VIRAMA = 9  # the combining class of the mark that a joiner belongs to
_ROOM = re.compile(r"[^\W_][\w-]{0,39}\Z")


def valid_name(text: str, bot: bool = False) -> str:
    """The name as it is kept: NFC, trimmed, spaces single; a bot may say that it is one.

    Raises Refusal("bad_name").
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not draws_something(name):
        raise Refusal("bad_name", detail="Please type a name.")
    if len(name) > 4 * NAME_LIMIT or graphemes(name) > NAME_LIMIT:
        raise Refusal("bad_name", detail=f"A name has at most {NAME_LIMIT} characters.")
    if hides_something(without_emoji(name)):
        raise Refusal("bad_name", detail="That name has characters that cannot be seen.")
    if not any(unicodedata.category(c) == "So" or c.isalnum() for c in name):
        raise Refusal("bad_name", detail="A name has letters in it.")
    if not one_script(name):
        raise Refusal("bad_name", detail="That name mixes letters of different scripts.")
    folded = skeleton(name)
    if not folded or folded in _folded(_RESERVED) or re.fullmatch(r"cllent[\dlos]+", folded):
        raise Refusal("bad_name", detail="That name is kept for the server.")
    words = {folded, *map(skeleton, re.split(r"[\W_]+", name))}
    if not _SIGNS.isdisjoint(name) or words & _folded(_ROLES if bot else _ROLES + _BOTS):
        raise Refusal("bad_name", detail="That name says what only the chat says of somebody.")
    return name


@cache
def _folded(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(skeleton, names))


def hides_something(name: str) -> bool:
    """Whether what is typed holds something that nobody sees, or more marks than a letter has."""
    marks = stack = 0
    for before, char, after in zip(" " + name, name, name[1:] + " ", strict=False):
        category, combining = unicodedata.category(char), unicodedata.combining(char)
        mark = category in ("Mn", "Me")
        stack = stack + 1 if mark else 0
        marks = marks + 1 if mark and combining >= 200 else marks if mark else 0
        unseen = category[0] == "C" or not draws_something(char)
        if unseen and char != " " and not (char in _JOINERS and _joins(before, after)):
            return True
        if marks > MARKS or stack > STACK or (mark and before == " "):
            return True
    return False


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these two changes how they are drawn (RFC 5892, appendix A)."""
    if _VIRAMA in (unicodedata.combining(before), unicodedata.combining(after)):
        return True
    return unicodedata.bidirectional(before) in ("AL", "NSM") and (
        unicodedata.bidirectional(after) == "AL"
    )


def graphemes(text: str) -> int:
    """How many characters a person sees (close to Unicode UAX 29, which the library lacks)."""
    count, joined, flags = 0, False, 0
    for char in text:
        category = unicodedata.category(char)
        flag = "\U0001f1e6" <= char <= "\U0001f1ff"  # two regional indicators are one flag
        flags = flags + 1 if flag else 0
        extends = category[0] == "M" or category == "Cf" or "\U0001f3fb" <= char <= "\U0001f3ff"
        if not extends and not joined and not (flag and flags % 2 == 0):
            count += 1
        joined = char == "\u200d"
    return count


def free_variant(name: str, taken: Callable[[str], bool]) -> str:
    """`Ana 2`, or the first number at which nobody is called that; after fifty any large one."""
    for number in range(2, 52):
        if not taken(skeleton(f"{name} {number}")):
            return f"{name} {number}"
    return f"{name} {random.randrange(1_000, 1_000_000)}"


def color_for(name: str, counts: Sequence[int]) -> int:
    """The colour a new person gets: from the name, then the next that is least used here.

    `counts`: how many people have each of the colours.
    """
    start = zlib.crc32(name.casefold().encode()) % COLORS
    return min(((start + i) % COLORS for i in range(COLORS)), key=counts.__getitem__)


def initials(name: str) -> str:
    """One or two letters for the avatar: of the first and the last word."""
    words = name.split()
    letters = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[:1] for word in letters).upper()


@lru_cache(256)  # asked at each handshake, of few rooms
def valid_room(text: str) -> str:
    """The room's name as it stands in its address. Raises Refusal("bad_room")."""
    text = unicodedata.normalize("NFKC", without_unseen(text)).casefold().replace("#", " ")
    name = unicodedata.normalize("NFKC", "-".join(text.split()))
    bare = "".join(c for c in name if unicodedata.category(c) not in ("Mn", "Mc"))
    if len(name) > NAME_LIMIT or not _ROOM.match(bare) or hides_something(name):
        raise Refusal("bad_room")
    if not all(map(one_script, name.split("-"))):
        raise Refusal("bad_room")
    return name


def plain_id(number: int, rest: str) -> str:
    """Of one connection of the plain dialect."""
    return f"{PLAIN}{number}-{rest}"


def nameless(id: str) -> str:
    """What such a one is called; "" for any other id."""
    return f"Client {id.split('-')[1]}" if id.startswith(PLAIN) else ""
