"""chat/wire: what is said, and that its three descriptions are one."""

import json
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import Site

from chat.rules.text import clean, one_emoji, one_line
from chat.wire.codes import FRAME_LIMIT, REFUSALS, TEXT_LIMIT, TOPIC_LIMIT, Close, Refusal
from chat.wire.orders import Command
from chat.wire.passing import Beat, Done, Live
from chat.wire.protocol import (
    Arrange,
    Change,
    Event,
    Gone,
    Lasting,
    Message,
    Reaction,
    Settings,
    decode,
    decode_change,
    encode,
    kinds,
)

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "protocol.md").read_text()
SCRIPT = "".join(
    (ROOT / "static" / "js" / f"{name}.js").read_text() for name in ("protocol", "orders")
)


def fields(structs: list[type[msgspec.Struct]]) -> dict[str, set[str]]:
    """The frames of one direction and the names of their fields on the wire."""
    return {tag(s): set(s.__struct_encode_fields__) for s in structs}


def tag(kind: type[msgspec.Struct]) -> str:
    """What it is called on the wire."""
    return str(kind.__struct_config__.tag)


def documented(section: str) -> dict[str, set[str]]:
    """The headings of a section of docs/protocol.md, and the fields named under each."""
    text = DOCS.split(f"## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"### (\w+)\n`{(.*?)}`", text)
    return {
        name: set(re.findall(r"(\w+)\??(?:: \[[^]]*\])?(?:, |$)", inner)) for name, inner in found
    }


def scripted(table: str) -> dict[str, set[str]]:
    """A table of static/js/protocol.js, or of orders.js."""
    body = re.search(rf"\bconst {table} = {{(.*?)\n}};", SCRIPT, re.DOTALL)
    assert body, f"the scripts have no {table}"
    rows = re.findall(r"(\w+): \[(.*?)\]", body.group(1), re.DOTALL)
    return {name: set(re.findall(r"['\"](\w+)['\"]", inner)) for name, inner in rows}


CHANGES = kinds(Change)
PASSING = [kind for kind in kinds(Event) if kind not in CHANGES]


def test_python_javascript_and_the_docs_describe_the_same_commands() -> None:
    wire = fields(kinds(Command))
    assert documented("Browser to server") == wire
    assert scripted("COMMANDS") | scripted("ORDERS") == wire


def test_python_javascript_and_the_docs_describe_the_same_events() -> None:
    assert documented("Changes") == fields(CHANGES)
    assert documented("Passing events") == fields(PASSING)
    assert scripted("CHANGES") == fields(CHANGES)
    listed = re.search(r"\bPASSING = new Set\(\[(.*?)\]\)", SCRIPT, re.DOTALL)
    assert listed
    assert sorted(re.findall(r'"(\w+)"', listed.group(1))) == sorted(tag(kind) for kind in PASSING)


def test_the_docs_say_what_lasts_of_what_a_page_says() -> None:
    section = DOCS.split("## Browser to server\n")[1].split("Passing commands")[0]
    assert set(re.findall(r"### (\w+)\n", section)) == {tag(kind) for kind in kinds(Lasting)}


def test_the_docs_tell_the_key_of_every_kind_of_change() -> None:
    """As a client that keeps the newest state of each thing has to build it."""
    table = dict(re.findall(r"^\| `(\w+)` \| \((.*?)\) \|$", DOCS, re.MULTILINE))
    assert set(table) == {tag(kind) for kind in CHANGES}
    samples = [
        Message(7, 2, "u", "Ana", 3, 5, "hi"),
        Reaction(7, 2, "u", "Ana", "👍", True),
        Gone(7, 2, 4),
        Settings(7, "numbers", "Ana"),
    ]
    assert {type(change) for change in samples} == set(CHANGES)
    for change in samples:
        told = {f"`{name}`": str(value) for name, value in json.loads(encode(change)).items()}
        key = [
            "".join(told.get(part, part.strip('"')) for part in term.split(" + "))
            for term in table[tag(type(change))].split(", ")
        ]
        assert key == [str(part) for part in change.key]


def test_every_refusal_is_documented_and_is_a_sentence() -> None:
    section = DOCS.split("## Refusals\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", section)) - {"retry", "suggestion", "until"} == set(REFUSALS)
    for sentence in REFUSALS.values():
        assert re.fullmatch(r"[A-Z].*\.", sentence)


def test_every_close_code_is_documented_and_known_to_the_page() -> None:
    codes = {value for name, value in vars(Close).items() if name.isupper()}
    section = DOCS.split("## Close codes\n")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"\b(\d{4})\b", section)} == codes
    assert {int(code) for code in re.findall(r"\b([14]0\d\d)\b", SCRIPT)} <= codes


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"type":"nope"}',
        '{"type":"say","cid":"abcdefgh"}',
        '{"type":"say","cid":"abcdefgh","text":"x","more":1}',
        '{"type":"say","cid":"short","text":"x"}',
        '{"type":"say","cid":"abcdefgh\\n","text":"x"}',
        '{"type":"say","cid":"abcdefgh","text":7}',
        '{"type":"say","cid":"abcdefgh","text":"\\ud800"}',
        '{"type":"say","text":"x"}',
        '{"type":"say","cid":"abcdefgh","text":"x","reply":-1}',
        '{"type":"say","cid":"abcdefgh","text":"x","reply":"1"}',
        '{"type":"read","id":1,"back":"yes"}',
        '{"type":"read_all","room":7}',
        '{"type":"leave"}',
        '{"type":"keep","key":"theme"}',
        '{"type":"keep","key":"size","value":112}',
        '{"type":"edit","id":1,"text":"x"}',
        '{"type":"delete","id":1}',
        '{"type":"edit","cid":"abcdefgh","id":-1,"text":"x"}',
        '{"type":"edit","cid":"abcdefgh","id":true,"text":"x"}',
        '{"type":"edit","cid":"abcdefgh","id":1e99,"text":"x"}',
        '{"type":"delete","cid":"abcdefgh","id":NaN}',
        '{"type":"delete","cid":"abcdefgh","id":' + "9" * 5000 + "}",
        '{"type":"react","cid":"abcdefgh","id":1,"emoji":"x"}',
        '{"type":"react","cid":"abcdefgh","id":1,"emoji":"x","on":1}',
        '{"type":"room","cid":"abcdefgh","mode":"shut"}',
        '{"type":"room","cid":"abcdefgh","mode":"slow","slow":4}',
        '{"type":"room","cid":"abcdefgh","keep":3651}',
        '{"type":"mute","cid":"abcdefgh","user":"u","until":-1}',
        '{"type":"mute","user":"u","until":0}',
        '{"type":"ban","cid":"abcdefgh","users":[],"until":0}',
        '{"type":"role","cid":"abcdefgh","user":"u","role":"bot"}',
        '{"type":"room","cid":"abcdefgh","topic":null}',
        '{"type":"message","rev":1,"id":1}',
        '{"type":"gone","rev":1,"from":1,"to":1}',
        '{"type":"lasting","cid":"abcdefgh"}',
        "[" * 100_000,
        '{"a":' * 50_000,
    ],
)
def test_anything_else_is_refused(frame: str) -> None:
    with pytest.raises(Refusal, match="bad_frame"):
        decode(frame)


@given(st.text() | st.binary())
def test_no_frame_raises_anything_but_a_refusal(frame: str | bytes) -> None:
    try:
        decode(frame)
    except Refusal as refusal:
        assert refusal.code == "bad_frame"


@given(st.text(max_size=TEXT_LIMIT))
def test_a_text_is_kept_as_typed_but_for_line_ends_and_controls(text: str) -> None:
    try:
        kept = clean(text)
    except Refusal as refusal:
        assert refusal.code == "empty"
        return
    assert clean(kept) == kept
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", kept)
    if not re.search(r"[\x00-\x1f\x7f-\x9f]", text):
        assert kept == text


def test_blank_and_overlong_texts_are_refused() -> None:
    for blank in ("", " \n\t ", "\x00\x1b", "\u200b", "\u3164", " \u2800\ufe0f\u00ad \U000e0041"):
        with pytest.raises(Refusal, match="empty"):
            clean(blank)
    assert clean("👍" * TEXT_LIMIT)
    assert clean("\u200b\u200f.") == "\u200b\u200f."
    for long in ("x" * (TEXT_LIMIT + 1), "x" * FRAME_LIMIT):
        with pytest.raises(Refusal, match="too_long"):
            clean(long)


def test_an_absent_field_is_not_on_the_wire() -> None:
    message = Message(2, 2, "u", "Ana", 3, 5, "hi")
    assert encode(message) == (
        b'{"type":"message","rev":2,"id":2,"user":"u","name":"Ana","color":3,"at":5,"text":"hi"}'
    )


def test_what_only_some_changes_have_is_absent_on_the_others() -> None:
    assert json.loads(encode(Gone(3, 1, 2))) == {"type": "gone", "rev": 3, "from": 1, "to": 2}
    wiped = Gone(3, 1, 2, "u", "abcdefgh")
    assert decode_change(encode(wiped)) == wiped
    off = Reaction(3, 1, "u", "Ana", "👍", False)
    assert json.loads(encode(off))["on"] is False
    assert decode_change(encode(off)) == off


def test_what_is_absent_of_a_rooms_settings_stays_and_null_is_for_ever() -> None:
    topic = decode('{"type":"room","cid":"abcdefgh","topic":"numbers"}')
    assert topic == Arrange("abcdefgh", "numbers")
    kept = decode('{"type":"room","cid":"abcdefgh","keep":null}')
    assert kept == Arrange("abcdefgh", keep=None)
    assert encode(topic) == b'{"type":"room","cid":"abcdefgh","topic":"numbers"}'
    assert encode(kept) == b'{"type":"room","cid":"abcdefgh","keep":null}'


def test_settings_of_the_version_before_are_those_of_an_open_room() -> None:
    old = decode_change(b'{"type":"settings","rev":3,"topic":"numbers","by":"Ana"}')
    assert old == Settings(3, "numbers", "Ana", None, "open", 0, False, None)


def test_where_a_room_stands_is_told_to_pages_of_the_version_before_as_well() -> None:
    """They know it as `rev`; for ours that is the mark of a change, but these are passing."""
    for told in (Live(7, 7), Beat(7, 7)):
        fields = json.loads(encode(told))
        assert fields["head"] == fields["rev"] == 7
    assert json.loads(encode(Done("abcdefgh", 7))) == {"type": "done", "cid": "abcdefgh", "rev": 7}


@pytest.mark.parametrize("emoji", ["👍", "👩‍👩‍👧‍👦", "🇪🇸", "❤️", "👍🏽", "1️⃣"])
def test_an_emoji_is_kept_as_it_came(emoji: str) -> None:
    assert one_emoji(emoji) == emoji


@pytest.mark.parametrize("text", ["", " ", "a", "👍👍", "👍a", "\u200b", "<b>", "👍" * 100, ":-)"])
def test_anything_else_is_no_reaction(text: str) -> None:
    with pytest.raises(Refusal, match="bad_emoji"):
        one_emoji(text)


def test_a_topic_is_one_line_of_so_many_characters_or_none() -> None:
    assert one_line("  about\n\tnumbers \x1b") == "about numbers"
    assert one_line(" \u200b ") == ""
    assert one_line("x" * TOPIC_LIMIT) == "x" * TOPIC_LIMIT
    with pytest.raises(Refusal, match="bad_topic"):
        one_line("x" * (TOPIC_LIMIT + 1))


def test_the_client_in_the_docs_works_as_it_stands(site: Site) -> None:
    """It speaks in the house room and prints what the others say."""
    (client,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    client = client.replace("127.0.0.1:8000", f"127.0.0.1:{site.port}")
    assert str(site.port) in client
    person = site.wire(cookie=site.join(name="Ana"))
    command = [sys.executable, "-u", "-W", "error", "-c", client]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as script:
        try:
            heard = person.hear("message")
            assert (heard["name"], heard["text"]) == ("Client 7", "hello from a script")
            person.say("hello, script")
            assert script.stdout is not None
            assert script.stdout.readline() == "Ana: hello, script\n"
        finally:
            script.kill()
    person.close()
