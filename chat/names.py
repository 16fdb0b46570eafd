"""Which names of people and rooms are valid, and which names look alike. Pure."""

from __future__ import annotations

import random
import re
import unicodedata
import zlib
from collections.abc import Callable, Sequence

from chat.protocol import Refusal

NAME_LIMIT = 40  # graphemes
MARKS = 2  # combining marks in a row: Thai and Vietnamese need two, zalgo needs more
COLORS = 12

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # drawn as nothing
_JOINERS = "\u200c\u200d"  # needed inside Persian, Indic and emoji; invisible elsewhere
# Characters drawn like a Latin letter or like each other (after Unicode TR39, the common ones).
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏԛԝвкмнтгѵ" + "αορνικτυχϲγηω" + "01i|!5$" + "ıɑɡⅼǀ",
    "aeopcyxljsdhlqwbkmhtrv" + "aopvlktuxcynw" + "ollllss" + "lagll",
)
_RESERVED = ("you", "server", "system", "admin", "administrator", "moderator", "chat", "deleted")
_ALONE = ("LATIN", "CYRILLIC", "GREEK", "CHEROKEE", "ARMENIAN")  # scripts that pass for each other
_ROOM = re.compile(r"[^\W_][\w-]{0,39}\Z")


def valid_name(text: str) -> str:
    """The name as it is kept: NFC, trimmed, spaces single. Raises Refusal("bad_name")."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or not any(unicodedata.category(c)[0] in "LNS" for c in name):
        raise Refusal("bad_name", detail="Please type a name.")
    if len(name) > 4 * NAME_LIMIT or graphemes(name) > NAME_LIMIT:
        raise Refusal("bad_name", detail=f"A name has at most {NAME_LIMIT} characters.")
    if _hidden(name):
        raise Refusal("bad_name", detail="That name has characters that cannot be seen.")
    scripts = {unicodedata.name(c, "").split(" ")[0] for c in name if c.isalpha()}
    if len(scripts.intersection(_ALONE)) > 1:
        raise Refusal("bad_name", detail="That name mixes letters of different scripts.")
    if skeleton(name) in _reserved_skeletons() or re.fullmatch(r"(?i)client\s*\d+", name):
        raise Refusal("bad_name", detail="That name is kept for the server.")
    return name


def _reserved_skeletons() -> set[str]:
    return {skeleton(name) for name in _RESERVED}


def _hidden(name: str) -> bool:
    marks = 0
    for before, char, after in zip(" " + name, name, name[1:] + " ", strict=False):
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") and char != "\ufe0f" else 0
        joins = char in _JOINERS and not before.isascii() and not after.isascii()
        if (category[0] == "C" and not joins) or char in _BLANK or marks > MARKS:
            return True
        if category in ("Zl", "Zp") or (category == "Mn" and before == " "):
            return True
    return False


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


def skeleton(name: str) -> str:
    """What a name looks like: two names with one skeleton cannot be told apart at a glance."""
    text = unicodedata.normalize("NFKC", name).casefold()
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Zs"))
    text = unicodedata.normalize("NFKC", text.translate(_LOOKALIKES))
    return text.replace("rn", "m").replace("vv", "w").replace("-", "").replace("_", "")


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


def valid_room(text: str) -> str:
    """The room's name as it stands in its address. Raises Refusal("bad_room")."""
    name = "-".join(unicodedata.normalize("NFKC", text).casefold().replace("#", " ").split())
    bare = "".join(c for c in name if unicodedata.category(c) not in ("Mn", "Mc"))
    if len(name) > NAME_LIMIT or not _ROOM.match(bare):
        raise Refusal("bad_room")
    return name
