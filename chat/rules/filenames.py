"""What a file is called, and how an answer says so. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from chat.rules.unseen import draws_something

NAME_POINTS = 120  # code points
NAME_BYTES = 255  # of UTF-8: no file system of today takes a longer name
NAMELESS = "file"

_EXTENSION = re.compile(r"\.[^.\s]{1,15}\Z")
_JOINERS = "\u200c\u200d"  # needed inside words and emoji; every other unseen character goes
_ATTR_CHAR = "!#$&+-.^_`|~"  # RFC 5987, beside letters and digits


def clean(name: str) -> str:
    """The name as it is kept: the last part of a path, without what is not seen, short enough.

    An override of the direction of writing would let `exe.gpj` be read as `jpg.exe`.
    """
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(" " if char.isspace() else char for char in name if _seen(char))
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    name = _shortened(name).rstrip(". ")  # Windows drops these, and `..` is a folder
    return name if draws_something(name) else NAMELESS


def disposition(kind: str, name: str) -> str:
    """The Content-Disposition of RFC 6266: `kind` is inline or attachment."""
    plain = re.sub(r'[^ -~]|["\\%]', "_", name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"


def _seen(char: str) -> bool:
    category = unicodedata.category(char)
    return char.isspace() or char in _JOINERS or category not in ("Cc", "Cf", "Cs", "Cn")


def _shortened(name: str) -> str:
    """What fits of the name before its extension, and the extension."""
    found = _EXTENSION.search(name)
    end = found[0] if found else ""
    stem = name[: len(name) - len(end)][: NAME_POINTS - len(end)]
    room = NAME_BYTES - len(end.encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip() + end
