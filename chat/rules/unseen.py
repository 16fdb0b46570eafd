"""Which characters draw nothing, alone or where they do not belong. Pure."""

from __future__ import annotations

import re

# Default_Ignorable_Code_Point (Unicode DerivedCoreProperties), and what is drawn as a blank.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
)
_SOMETHING = re.compile(rf"[^\s{_UNSEEN}]")
_NOTHING = re.compile(rf"[{_UNSEEN}]")

# An emoji may be followed by a variation selector and a skin tone, several are joined into one,
# and three kinds are made of more: a key, a region's flag, and what is not yet in our Unicode.
_PICTURE = "[©®‼⁉™ℹ\u2190-\u27ff\u2900-\u2bff〰〽㊗㊙\U0001f000-\U0001faff]"
_EMOJI = re.compile(
    "[0-9#*]\ufe0f\u20e3|\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f|"
    rf"{_PICTURE}(?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?"
    rf"(?:\u200d{_PICTURE}(?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff])?)*"
)


def draws_something(text: str) -> bool:
    """Whether there is anything to see in it."""
    return _SOMETHING.search(text) is not None


def without_unseen(text: str) -> str:
    """The text without the characters that draw nothing, also where they belong to an emoji."""
    return _NOTHING.sub("", text)


def without_emoji(text: str) -> str:
    """The text without its emoji, and what of their parts stands where it does not belong."""
    return _EMOJI.sub("", text)
