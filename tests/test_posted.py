"""chat/rules/posted.py: which text is in a body. What senders document is in test_hooks.py."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.posted import posted
from chat.wire.codes import TEXT_LIMIT, Refusal

FORM, PART, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


def part(name: str, value: str) -> bytes:
    """A part of a form, with what stands around it."""
    return f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        (FORM, b"text=a+b%20c%0Ad&other=x", "a b c\nd"),
        (FORM, b"text", "text"),
        (FORM, b"texts=a", "texts=a"),
        (FORM, b"a=b&text=c", "a=b&text=c"),
        (FORM, b"payload=%7B%22text%22%3A+%22a%26amp%3Bb%22%7D&x=y", "a&b"),
        (
            f"{PART}; boundary=xx",
            part("title", "no") + part("text", "a\r\nb") + b"--xx--",
            "a\r\nb",
        ),
        (f'{PART}; charset=utf-8; boundary="xx"', part("payload", '{"text": "*a*"}'), "**a**"),
        ("TEXT/PLAIN", b"\xff a", "\ufffd a"),
        ("text/html", b"<b>a</b>", "<b>a</b>"),
    ],
)
def test_the_text_of_a_body(kind: str, body: bytes, text: str) -> None:
    assert posted(kind, "", body) == text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b"text=" + b"%41&" * 250_000),
        (FORM, b"text=" + b"%41" * 330_000),
        (f"{PART}; boundary=xx", b"--xx\r\n\r\na\r\n" * 100_000),
        (f"{PART}; boundary=xx", b"--xx\r\n" + b"A: b\r\n" * 160_000),
        (f"{PART}; boundary=-", b"-" * 1_000_000),
        (
            JSON,
            json.dumps({"attachments": [{"fields": [{"title": "*a " * 400}] * 50}] * 50}).encode(),
        ),
        (JSON, b"[" * 1_000_000),
        (JSON, b'{"text": ' + b'{"text": ' * 100_000),
        (JSON, b'"' + b"\\u0041" * 160_000 + b'"'),
    ],
    ids=lambda given: str(given)[:20],
)
def test_a_large_hostile_body_is_a_text_or_a_refusal(kind: str, body: bytes) -> None:
    try:
        assert len(posted(kind, "", body)) <= TEXT_LIMIT
    except Refusal as refusal:
        assert refusal.code in ("bad_frame", "empty")


KINDS = st.sampled_from([FORM, JSON, "", "text/plain", f"{PART}; boundary=xx", PART]) | st.text()
BODIES = st.binary(max_size=300) | st.sampled_from(
    [b"text=", b"payload=", b"--xx", part("text", "")]
)
EVENTS = st.sampled_from(["", "push", "issues"])


@given(KINDS, EVENTS, st.lists(BODIES, max_size=3).map(b"".join))
def test_any_body_is_a_text_or_a_refusal(kind: str, event: str, body: bytes) -> None:
    try:
        assert isinstance(posted(kind, event, body), str)
    except Refusal as refusal:
        assert refusal.code in ("bad_frame", "empty")
