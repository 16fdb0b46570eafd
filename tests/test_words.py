"""chat/web/words.py: what is said before the line is there stands in the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chat.web.words import call, early, moment, read_words

ROOT = Path(__file__).parents[1]
WORDS = read_words(ROOT / "templates" / "en.json")
PRELOADED = re.search(r"for module in \[(.+?)\]", (ROOT / "templates" / "room.html").read_text())
FIRST = re.findall(r'"(\w+)"', PRELOADED[1] if PRELOADED else "")


@pytest.mark.parametrize("module", FIRST)
def test_a_script_that_comes_first_says_only_what_is_there(module: str) -> None:
    script = (ROOT / "static" / "js" / f"{module}.js").read_text()
    known = {key.removesuffix(".one").removesuffix(".other") for key in WORDS}
    there = {key.removesuffix(".one").removesuffix(".other") for key in early(WORDS)}
    said = known.intersection(re.findall(r'"([a-z_]+\.[a-z_.]+)"', script))
    assert said <= there


def test_the_chat_has_its_own_name() -> None:
    """The page says it itself: the others are fetched once and kept."""
    words = dict(WORDS)
    said = early(words)
    assert words["app.name"] == "Chat"
    call("Tidemark", words, said)
    assert words["app.name"] == said["app.name"] == "Tidemark"


def test_a_moment_is_told_to_machines_and_to_people() -> None:
    assert moment(1_796_307_180_000) == ("2026-12-03T14:13Z", "3 December 2026, 14:13 UTC")
