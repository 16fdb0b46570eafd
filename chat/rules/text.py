"""What people type, as it is stored."""

from __future__ import annotations

from chat.rules.unseen import draws_something
from chat.wire.protocol import TEXT_LIMIT, Refusal

# Invisible controls other than newline and tab are dropped: a terminal would obey them.
_CONTROLS = {c: None for c in [*range(0x20), *range(0x7F, 0xA0)] if chr(c) not in "\n\t"}


def clean(text: str) -> str:
    """The text as it is stored: as typed, with LF line ends and without controls.

    Raises Refusal("empty") for text that draws nothing and Refusal("too_long") beyond TEXT_LIMIT
    characters.
    """
    if len(text) > 2 * TEXT_LIMIT:
        raise Refusal("too_long")
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    if not draws_something(text):
        raise Refusal("empty")
    if len(text) > TEXT_LIMIT:
        raise Refusal("too_long")
    return text
