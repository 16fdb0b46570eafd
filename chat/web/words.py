"""The catalogue of sentences, which of them stand in a room's page itself, and how data does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from chat.wire.protocol import encode

# What scripts say that are there before the line is; rest.js fetches all the others.
EARLY = frozenset({"you", "composer", "log", "message", "text"})


def read_words(path: Path) -> dict[str, str]:
    """The catalogue."""
    words: dict[str, str] = json.loads(path.read_text())
    return words


def call(name: str, *catalogues: dict[str, str]) -> None:
    """The chat has this name from now on."""
    for words in catalogues:
        words["app.name"] = name


def early(words: dict[str, str]) -> dict[str, str]:
    """Those that stand in the page: it is read before anything else can be."""
    return {key: text for key, text in words.items() if key.partition(".")[0] in EARLY}


def script_json(value: object) -> str:
    """JSON that may stand inside a script element."""
    text = encode(value).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def moment(at: int) -> tuple[str, str]:
    """A time (UTC milliseconds) for a `time` element: as machines read it, and as people do until a
    script says it by their own clock.
    """
    time = datetime.fromtimestamp(at / 1000, UTC)
    return time.strftime("%Y-%m-%dT%H:%MZ"), f"{time.day} {time:%B %Y, %H:%M} UTC"
