"""What a file is called: safe in a folder, in a header and to the eye."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.filenames import NAME_BYTES, NAME_POINTS, NAMELESS, clean, disposition


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\x", "x"),
        ("C:\\Users\\ana\\a.png", "a.png"),
        ("..", NAMELESS),
        ("", NAMELESS),
        (" \u200d ", NAMELESS),
        ("a\0b.png", "ab.png"),
        ("a\r\nSet-Cookie: b.png", "a Set-Cookie: b.png"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("a\u2066b\u200f.png", "ab.png"),
        ("  two   spaces .txt ", "two spaces.txt"),
        (".gitignore", ".gitignore"),
        ("dots...", "dots"),
        ("a . .", "a"),
        ("u\u0308ber.pdf", "über.pdf"),
        ("نام‌ها.pdf", "نام‌ها.pdf"),
        ("\ud800.png", ".png"),
        ("a" * 300 + ".jpeg", "a" * 115 + ".jpeg"),
        ("漢" * 150 + ".png", "漢" * 83 + ".png"),
        ("x." + "y" * 300, "x." + "y" * 118),
    ],
)
def test_a_name_is_kept_without_what_it_must_not_have(name: str, kept: str) -> None:
    assert clean(name) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_is_safe_and_stays_as_it_is(name: str) -> None:
    kept = clean(name)
    assert 0 < len(kept) <= NAME_POINTS
    assert len(kept.encode()) <= NAME_BYTES
    assert not re.search(r"[/\\\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", kept)
    assert clean(kept) == kept


@given(st.text(max_size=100).map(clean))
def test_a_header_says_any_name_and_nothing_else(name: str) -> None:
    value = disposition("attachment", name)
    assert re.fullmatch(r"attachment; filename=\"[ -~]*\"(; filename\*=UTF-8''[!-~]+)?", value)
    told = re.search(r"UTF-8''(.+)", value) or re.search(r'"(.+)"', value)
    assert told is not None
    assert unquote(told[1]) == name


def test_a_plain_name_is_said_once() -> None:
    assert disposition("inline", "a b.png") == 'inline; filename="a b.png"'
    assert disposition("inline", "a\\b") == "inline; filename=\"a_b\"; filename*=UTF-8''a%5Cb"
    assert disposition("inline", 'a"b.png').startswith('inline; filename="a_b.png"; filename*=')
