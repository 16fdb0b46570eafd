"""What people type, as it is stored."""

from __future__ import annotations

from chat.rules.names import graphemes
from chat.rules.unseen import draws_something, without_emoji
from chat.wire.codes import ABOUT_LIMIT, TEXT_LIMIT, TOPIC_LIMIT, Refusal

EMOJI = 40  # code points: a family with skin tones has 20

# Invisible controls other than newline and tab are dropped: a terminal would obey them.
_CONTROLS = {c: None for c in [*range(0x20), *range(0x7F, 0xA0)] if chr(c) not in "\n\t"}


def clean(text: str, may_be_empty: bool = False) -> str:
    """The text as it is stored: as typed, with LF line ends and without controls.

    Text that draws nothing is none: Refusal("empty"), unless it `may_be_empty`. Raises
    Refusal("too_long") beyond TEXT_LIMIT characters.
    """
    if len(text) > 2 * TEXT_LIMIT:
        raise Refusal("too_long")
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    if not draws_something(text):
        if not may_be_empty:
            raise Refusal("empty")
        return ""
    if len(text) > TEXT_LIMIT:
        raise Refusal("too_long")
    return text


def one_line(text: str) -> str:
    """A topic as it is stored: spaces single, at most TOPIC_LIMIT characters; it may be empty.

    Raises Refusal bad_topic.
    """
    topic = " ".join(text.translate(_CONTROLS).split())
    if len(topic) > TOPIC_LIMIT:
        raise Refusal("bad_topic")
    return topic if draws_something(topic) else ""


def description(text: str | None) -> str | None:
    """The description of a file as it is stored, in one line; None if there is none.

    Raises Refusal bad_file.
    """
    line = " ".join((text or "").translate(_CONTROLS).split())
    if len(line) > ABOUT_LIMIT:
        raise Refusal("bad_file")
    return line if draws_something(line) else None


def one_emoji(text: str) -> str:
    """An emoji as it is stored: as it came. Raises Refusal bad_emoji for anything else."""
    if len(text) > EMOJI or not draws_something(text) or without_emoji(text) or graphemes(text) > 1:
        raise Refusal("bad_emoji")
    return text
