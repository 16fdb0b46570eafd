"""chat/wire/protocol.py: the wire, and that its three descriptions are one."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.room.room import Room
from chat.rules.text import clean
from chat.wire import protocol
from chat.wire.codes import FRAME_LIMIT, REFUSALS, TEXT_LIMIT, Close, Refusal
from chat.wire.protocol import Command, Event, Message, decode, encode

ROOT = Path(__file__).parent.parent
DOCS = (ROOT / "docs" / "protocol.md").read_text()
SCRIPT = (ROOT / "static" / "js" / "protocol.js").read_text()


def fields(structs: list[type[msgspec.Struct]]) -> dict[str, set[str]]:
    """The frames of one direction and the names of their fields on the wire."""
    return {s.__struct_config__.tag: set(s.__struct_encode_fields__) for s in structs}


def documented(section: str) -> dict[str, set[str]]:
    """The headings of a section of docs/protocol.md, and the fields named under each."""
    text = DOCS.split(f"## {section}\n")[1].split("\n## ")[0]
    found = re.findall(r"### (\w+)\n`{(.*?)}`", text)
    return {
        name: set(re.findall(r"(\w+)\??(?:: \[[^]]*\])?(?:, |$)", inner)) for name, inner in found
    }


def scripted(table: str) -> dict[str, set[str]]:
    """A table of static/js/protocol.js."""
    body = re.search(rf"export const {table} = {{(.*?)\n}};", SCRIPT, re.DOTALL)
    assert body, f"protocol.js has no {table}"
    rows = re.findall(r"(\w+): \[(.*?)\]", body.group(1), re.DOTALL)
    return {name: set(re.findall(r"['\"](\w+)['\"]", inner)) for name, inner in rows}


@pytest.mark.parametrize(
    ("kind", "section", "table"),
    [(Command, "Browser to server", "COMMANDS"), (Event, "Server to browser", "EVENTS")],
)
def test_python_javascript_and_the_docs_describe_the_same_frames(
    kind: type[msgspec.Struct], section: str, table: str
) -> None:
    wire = fields(kind.__subclasses__())
    assert documented(section) == wire
    assert scripted(table) == wire


def test_every_command_has_the_room_method_of_its_name() -> None:
    for name in fields(Command.__subclasses__()):
        assert callable(getattr(Room, name))


def test_every_refusal_is_documented_and_is_a_sentence() -> None:
    section = DOCS.split("## Refusals\n")[1].split("\n## ")[0]
    assert set(re.findall(r"`(\w+)`", section)) - {"retry", "suggestion"} == set(REFUSALS)
    for sentence in REFUSALS.values():
        assert re.fullmatch(r"[A-Z].*\.", sentence)


def test_every_close_code_is_documented_and_known_to_the_page() -> None:
    codes = {value for name, value in vars(Close).items() if name.isupper()}
    section = DOCS.split("## Close codes\n")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"\b(\d{4})\b", section)} == codes
    assert {int(code) for code in re.findall(r"\b([14]0\d\d)\b", SCRIPT)} <= codes


@pytest.mark.parametrize("kind", Command.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_command_is_decoded(kind: type[Command]) -> None:
    values = {"cid": "abcdefgh", "text": "hi", "id": 1, "here": True, "stopped": True}
    command = kind(**{field: values[field] for field in kind.__struct_fields__})
    assert decode(protocol.encode(command)) == command


def test_a_command_is_decoded() -> None:
    command = decode('{"type":"say","cid":"abcdefgh","text":"hi"}')
    assert (command.method, command) == ("say", protocol.Say("abcdefgh", "hi"))


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
        '{"type":"edit","id":-1,"text":"x"}',
        '{"type":"edit","id":true,"text":"x"}',
        '{"type":"edit","id":1e99,"text":"x"}',
        '{"type":"delete","id":NaN}',
        '{"type":"delete","id":' + "9" * 5000 + "}",
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
