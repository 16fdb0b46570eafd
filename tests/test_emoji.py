"""The list of emoji that the page offers."""

import gzip
import re

from chat.rules.text import one_emoji
from tests.test_project import ROOT

LIST = ROOT / "static" / "emoji.txt"
ENTRY = re.compile(r"(\S+) [a-z0-9#*' ,.&é\u00c0-\u024f-]+(; [a-z0-9#*'+ .-]+)?")


def entries() -> list[str]:
    """Its lines without the titles of groups."""
    lines = LIST.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def test_each_line_is_an_emoji_a_name_and_other_words() -> None:
    assert [line for line in entries() if not ENTRY.fullmatch(line)] == []


def test_each_emoji_is_there_once_and_can_be_a_reaction() -> None:
    emoji = [line.split(" ")[0] for line in entries()]
    assert len(emoji) > 1_000
    assert len(set(emoji)) == len(emoji)
    assert [one_emoji(one) for one in emoji] == emoji


def test_the_list_is_small() -> None:
    assert len(gzip.compress(LIST.read_bytes(), 9)) <= 25_000
