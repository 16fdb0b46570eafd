"""Mentions: who is meant by `@Ana Ruiz` in a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Mapping

HERE = "here"  # the name of everybody who is in the room
MANY = 50  # signs looked at in a text; people in a room in which there is @here
LONGEST = 160  # characters of a name (names.valid_name)

_SIGN = re.compile(r"(?<![^\W_])@(?=\S)")  # in an e-mail address a letter stands before it
_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_WITHIN = re.compile(r"`[^`\n]+`|https?://\S+", re.IGNORECASE)  # code and addresses in a line


class Names:
    """Who is called what, sorted: so a name is found by how it begins, among any number."""

    def __init__(self, held: Iterable[tuple[str, str]] = ()) -> None:
        """`held`: each name with its person."""
        self._held = sorted((_folded(name), user) for name, user in held)

    def add(self, name: str, user: str) -> None:
        """This person is called so now."""
        held = _folded(name), user
        self._held.insert(bisect_left(self._held, held), held)

    def drop(self, name: str, user: str) -> None:
        """This person is not called so any more."""
        held = _folded(name), user
        at = bisect_left(self._held, held)
        if self._held[at : at + 1] == [held]:
            del self._held[at]

    def find(self, text: str, present: Iterable[str]) -> dict[str, str]:
        """The people named in a text, each with the name as it stands there; the longest counts.

        `present` are those that `@here` means; none in a room of more than MANY.
        """
        found: dict[str, str] = {}
        text = _speech(text)
        end = 0
        for _, sign in zip(range(MANY), _SIGN.finditer(text), strict=False):
            if sign.start() < end:
                continue  # within the name before it
            user, end = self._longest(text, sign.end())
            if user == HERE:
                found = dict.fromkeys(present, HERE) | found
            elif user:
                found[user] = text[sign.end() : end]
        return found

    def _longest(self, text: str, start: int) -> tuple[str, int]:
        """Who is called by what stands here, and where the name ends; "" if nobody is."""
        found = "", start
        for end in range(start + 1, min(start + LONGEST, len(text)) + 1):
            if not _ends(text, end):
                continue
            name = _folded(text[start:end])
            at = bisect_left(self._held, (name, ""))
            held, user = self._held[at] if at < len(self._held) else ("", "")
            if name in (held, HERE):
                found = user if name == held else HERE, end
            if not held.startswith(name):
                break
        return found


def carried(before: Mapping[str, str], found: Mapping[str, str], text: str) -> dict[str, str]:
    """Who is meant after an edit: by a name that still stands there the same people as before,
    whatever they are called by now; and who is answered."""
    signs = {part.casefold() for part in parted(_speech(text), before.values())[1::2]}
    stay = {name for name in before.values() if not name or f"@{name.casefold()}" in signs}
    return {user: name for user, name in before.items() if name in stay} | {
        user: name for user, name in found.items() if name not in stay
    }


def parted(text: str, names: Iterable[str]) -> list[str]:
    """The text in parts, of which each second one is a sign with one of these names."""
    known = sorted({name for name in names if name}, key=len, reverse=True)
    if not known:
        return [text]
    either = "|".join(map(re.escape, known))
    return re.split(rf"((?<![^\W_])@(?:{either})(?![^\W_]))", text, flags=re.IGNORECASE)


def _speech(text: str) -> str:
    """The text with blanks for what means nobody: code, and addresses of pages."""
    fences = [fence.span() for fence in _FENCE.finditer(text)]
    for (start, _), (_, end) in zip(fences[::2], fences[1::2], strict=False):
        text = text[:start] + " " * (end - start) + text[end:]
    return _WITHIN.sub(lambda part: " " * len(part[0]), text)


def _ends(text: str, at: int) -> bool:
    """Whether a word may end here: no letter, digit or mark follows."""
    after = text[at : at + 1]
    return not (after.isalnum() or unicodedata.category(after or " ")[0] == "M")


def _folded(name: str) -> str:
    """Names that are typed alike."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
