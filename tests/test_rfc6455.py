"""chat/wire/rfc6455.py against RFC 6455, byte by byte: the cases of Autobahn that matter here.

They go through a socket, because closing is half of them: a message that arrives is answered,
`ping` by `pong`, and a text that is no command by `refused`. At the end the Parser alone.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import pytest
from client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, frame
from hypothesis import given
from hypothesis import strategies as st
from serving import Site
from tornado.util import _websocket_mask

from chat.wire.rfc6455 import JUNK, TURN, Binary, Broken, Closed, Parser, Ping, Said

ASK = '{"type":"ping"}'  # the shortest command that is answered


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all these cases; none of them may make it log anything."""
    site = Site(tmp_path_factory.mktemp("rfc6455") / "data")
    yield site
    site.stop()
    assert site.log == []


@pytest.fixture(scope="module")
def cookie(shared: Site) -> str:
    """The one person who makes all these connections."""
    return str(shared.join())


@pytest.fixture
def wire(shared: Site, cookie: str) -> Iterator[Wire]:
    """An open connection, level with its room."""
    wire = shared.wire(cookie=cookie)
    yield wire
    wire.close()


def padded(size: int) -> str:
    """A valid command of exactly `size` bytes."""
    return ASK[:-1] + " " * (size - len(ASK)) + "}"


def alive(wire: Wire) -> bool:
    """Whether a command is still answered."""
    wire.send(ASK)
    return wire.hear("pong") == {"type": "pong"}


def failed(wire: Wire) -> int | None:
    """The code the server fails the connection with; it must close the socket as well."""
    code, _ = wire.closed()
    assert wire.gone()
    return code


@pytest.mark.parametrize("size", [125, 126, 127, 128, 65535, 65536])
def test_a_message_of_every_kind_of_length_field_arrives(wire: Wire, size: int) -> None:
    """1.1: lengths of 7 bits, 16 bits and 64 bits, at their edges."""
    wire.send(padded(size))
    assert wire.hear("pong")


def test_an_empty_message_arrives(wire: Wire) -> None:
    """1.1.1: a text frame without payload is a message, though not a command."""
    wire.send("")
    assert wire.hear("refused")["code"] == "bad_frame"
    assert alive(wire)


def test_a_short_length_in_a_long_field_is_understood(wire: Wire) -> None:
    """Not minimal lengths are a fault of the sender (5.2), but harmless and unambiguous."""
    head = bytes([0x81, 0x80 | 126]) + len(ASK).to_bytes(2, "big") + bytes(4)
    wire.raw(head + ASK.encode())
    assert wire.hear("pong")


def test_a_binary_message_is_refused_and_the_connection_lives(wire: Wire) -> None:
    """1.2: nothing is said in binary frames."""
    wire.send(b"\x00\xff", BINARY)
    assert wire.hear("refused")["code"] == "bad_frame"
    assert alive(wire)


@pytest.mark.parametrize("payload", [b"", b"hello", b"\x00\xff\xfe\xfd", b"x" * 125])
def test_a_ping_comes_back_as_a_pong_with_its_payload(wire: Wire, payload: bytes) -> None:
    """2.1 to 2.4."""
    wire.send(payload, PING)
    assert wire.read() == (PONG, payload)


def test_a_ping_of_126_bytes_is_a_protocol_error(wire: Wire) -> None:
    """2.5: control frames are at most 125 bytes."""
    wire.send(b"x" * 126, PING)
    assert failed(wire) == 1002


def test_pings_in_octets_of_their_own_are_answered(wire: Wire) -> None:
    """2.6: the frame arrives one byte at a time."""
    for byte in frame(b"x" * 125, PING):
        wire.raw(bytes([byte]))
    assert wire.read() == (PONG, b"x" * 125)


def test_pongs_nobody_asked_for_are_ignored(wire: Wire) -> None:
    """2.7 to 2.9."""
    wire.send(b"unsolicited", PONG)
    wire.send(b"then a ping", PING)
    assert wire.read() == (PONG, b"then a ping")


def test_ten_pings_are_answered_in_their_order(wire: Wire) -> None:
    """2.10."""
    wire.raw(b"".join(frame(f"{n}", PING) for n in range(10)))
    assert [wire.read() for _ in range(10)] == [(PONG, f"{n}".encode()) for n in range(10)]


@pytest.mark.parametrize("bit", [0x40, 0x20, 0x10])
@pytest.mark.parametrize("opcode", [TEXT, PING, CLOSE])
def test_a_reserved_bit_is_a_protocol_error(wire: Wire, bit: int, opcode: int) -> None:
    """3.x: no extension was negotiated."""
    wire.send(ASK if opcode == TEXT else b"", opcode, reserved=bit)
    assert failed(wire) == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_an_unknown_opcode_is_a_protocol_error(wire: Wire, opcode: int) -> None:
    """4.1 and 4.2, and what came before it is still served."""
    wire.raw(frame(ASK) + frame(b"", opcode))
    assert wire.hear("pong")
    assert failed(wire) == 1002


@pytest.mark.parametrize("opcode", [PING, PONG, CLOSE])
def test_a_fragmented_control_frame_is_a_protocol_error(wire: Wire, opcode: int) -> None:
    """5.1, 5.2."""
    wire.send(b"half", opcode, final=False)
    assert failed(wire) == 1002


def test_a_message_in_two_fragments_arrives(wire: Wire) -> None:
    """5.3."""
    wire.send(ASK[:5], final=False)
    wire.send(ASK[5:], CONTINUATION)
    assert wire.hear("pong")


def test_a_ping_between_two_fragments_is_answered_at_once(wire: Wire) -> None:
    """5.6: control frames may stand inside a message."""
    wire.send(ASK[:5], final=False)
    wire.send(b"now", PING)
    assert wire.read() == (PONG, b"now")
    wire.send(ASK[5:], CONTINUATION)
    assert wire.hear("pong")


def test_a_message_of_many_fragments_in_single_bytes_arrives(wire: Wire) -> None:
    """5.8: pings between all of them, every byte in a segment of its own."""
    data = frame(ASK[:1], final=False)
    for char in ASK[1:-1]:
        data += frame(b"p", PING) + frame(char, CONTINUATION, final=False)
    for byte in data + frame(ASK[-1:], CONTINUATION):
        wire.raw(bytes([byte]))
    pongs = [wire.read() for _ in ASK[1:-1]]
    assert pongs == [(PONG, b"p")] * len(pongs)
    assert wire.hear("pong")


def test_empty_fragments_make_a_message_too(wire: Wire) -> None:
    """6.1.2: three frames without payload are an empty text."""
    wire.send("", final=False)
    wire.send("", CONTINUATION, final=False)
    wire.send("", CONTINUATION)
    assert wire.hear("refused")["code"] == "bad_frame"
    assert alive(wire)


def test_a_continuation_of_nothing_is_a_protocol_error(wire: Wire) -> None:
    """5.9 to 5.14."""
    wire.send(ASK, CONTINUATION)
    assert failed(wire) == 1002


def test_a_continuation_after_a_whole_message_is_a_protocol_error(wire: Wire) -> None:
    """5.12."""
    wire.raw(frame(ASK) + frame(ASK, CONTINUATION))
    assert wire.hear("pong")
    assert failed(wire) == 1002


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_new_message_inside_a_fragmented_one_is_a_protocol_error(wire: Wire, opcode: int) -> None:
    """5.18."""
    wire.send(ASK[:5], final=False)
    wire.send(ASK, opcode)
    assert failed(wire) == 1002


def test_a_character_may_be_split_over_fragments(wire: Wire) -> None:
    """6.2: UTF-8 is a matter of the message and not of its frames."""
    text = json.dumps(
        {"type": "say", "cid": "split-character", "text": "κόσμε 🚀"}, ensure_ascii=False
    )
    data = text.encode()
    wire.send(data[:1], final=False)
    for at in range(1, len(data) - 1):
        wire.send(data[at : at + 1], CONTINUATION, final=False)
    wire.send(data[-1:], CONTINUATION)
    assert wire.hear("message", cid="split-character")["text"] == "κόσμε 🚀"


BAD_UTF8 = {
    "a lone continuation byte": b"\x80",
    "a sequence cut short": b"\xce\xba\xe1",
    "an overlong slash": b"\xc0\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "a byte that never occurs": b"\xff",
}


@pytest.mark.parametrize("bad", BAD_UTF8.values(), ids=BAD_UTF8)
def test_a_text_that_is_not_utf8_ends_with_1007(wire: Wire, bad: bytes) -> None:
    """6.3 to 6.23."""
    wire.send(b"hello " + bad)
    assert failed(wire) == 1007


def test_a_fragmented_text_that_is_not_utf8_ends_with_1007(wire: Wire) -> None:
    """6.4: at the latest when the message is whole."""
    wire.send(b"hello \xff", final=False)
    wire.send(b" world", CONTINUATION)
    assert failed(wire) == 1007


def test_valid_but_unusual_characters_are_no_error(wire: Wire) -> None:
    """6.22: noncharacters, the highest code point and a zero byte are UTF-8."""
    wire.send("\ufffe\uffff\U0010ffff\x00")
    assert wire.hear("refused")["code"] == "bad_frame"
    assert alive(wire)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
def test_a_legal_close_is_answered_with_its_own_code(wire: Wire, code: int) -> None:
    """7.7."""
    wire.send(code.to_bytes(2, "big") + b"bye", CLOSE)
    assert failed(wire) == code


def test_a_close_without_a_code_is_answered_without_one(wire: Wire) -> None:
    """7.3.1."""
    wire.send(b"", CLOSE)
    assert wire.read() == (CLOSE, b"")
    assert wire.gone()


def test_a_close_with_the_longest_reason_is_legal(wire: Wire) -> None:
    """7.3.5: 2 bytes of code and 123 of reason."""
    wire.send((1000).to_bytes(2, "big") + b"x" * 123, CLOSE)
    assert failed(wire) == 1000


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535]
)
def test_an_illegal_close_code_is_a_protocol_error(wire: Wire, code: int) -> None:
    """7.9 and 7.13."""
    wire.send(code.to_bytes(2, "big"), CLOSE)
    assert failed(wire) == 1002


def test_a_close_of_one_byte_is_a_protocol_error(wire: Wire) -> None:
    """7.3.2."""
    wire.send(b"\x03", CLOSE)
    assert failed(wire) == 1002


def test_a_close_of_126_bytes_is_a_protocol_error(wire: Wire) -> None:
    """7.3.6."""
    wire.send((1000).to_bytes(2, "big") + b"x" * 124, CLOSE)
    assert failed(wire) == 1002


def test_a_close_reason_that_is_not_utf8_ends_with_1007(wire: Wire) -> None:
    """7.5.1."""
    wire.send(
        (1000).to_bytes(2, "big") + b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80",
        CLOSE,
    )
    assert failed(wire) == 1007


def test_nothing_is_served_after_a_close(wire: Wire) -> None:
    """7.1.2 to 7.1.4: neither a message nor a ping nor a second close."""
    wire.raw(frame((1000).to_bytes(2, "big"), CLOSE) + frame(ASK) + frame(b"", PING))
    assert wire.read()[0] == CLOSE
    assert wire.gone()
    assert wire.arrived() == []


def test_a_close_inside_a_fragmented_message_is_answered(wire: Wire) -> None:
    """7.1.5."""
    wire.send(ASK[:5], final=False)
    wire.send((1000).to_bytes(2, "big"), CLOSE)
    assert failed(wire) == 1000


@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, CLOSE])
def test_an_unmasked_frame_is_a_protocol_error(wire: Wire, opcode: int) -> None:
    """5.1 of the RFC: a server must close; Tornado itself does not."""
    wire.send(ASK if opcode == TEXT else b"", opcode, masked=False)
    assert failed(wire) == 1002


def test_an_unmasked_frame_is_refused_before_its_payload_is_here(wire: Wire) -> None:
    """Two bytes are enough to know."""
    wire.raw(frame(ASK, masked=False)[:2])
    assert failed(wire) == 1002


def test_a_frame_split_at_every_byte_arrives(wire: Wire) -> None:
    """TCP knows no frames: a long header in pieces is still one."""
    for byte in frame(padded(300)):
        wire.raw(bytes([byte]))
    assert wire.hear("pong")


def test_many_frames_in_one_segment_are_all_served(wire: Wire) -> None:
    """And in their order: nothing is left lying in a buffer."""
    wire.raw(b"".join(frame(ASK) + frame(f"{n}", PING) for n in range(100)))
    for n in range(100):
        assert wire.read() == (TEXT, b'{"type":"pong"}')
        assert wire.read() == (PONG, f"{n}".encode())


def test_frames_that_come_with_the_handshake_are_served(shared: Site, cookie: str) -> None:
    """A client that does not wait for the 101: the bytes are in Tornado's buffer by then."""
    wire = Wire(shared.port, cookie=cookie, early=frame(ASK))
    assert wire.opened().hear("pong")
    wire.close()


def test_a_message_over_the_limit_ends_with_1009_at_its_header(wire: Wire) -> None:
    """Not one byte of it is waited for."""
    wire.raw(frame("", claim=64 * 1024 + 1)[:14])
    assert failed(wire) == 1009


def test_fragments_over_the_limit_together_end_with_1009(wire: Wire) -> None:
    """The limit is one of messages and not of frames."""
    wire.send("x" * 40_000, final=False)
    wire.send("x" * 40_000, CONTINUATION)
    assert failed(wire) == 1009


def heard(parser: Parser, *pieces: bytes) -> list[Said]:
    """All that is said by the bytes that arrive in these pieces, turn by turn."""
    said: list[Said] = []
    for piece in pieces:
        said += parser.feed(piece)
        while parser.more:
            said += parser.feed(b"")
    return said


def fresh() -> Parser:
    return Parser(_websocket_mask)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes in pieces; the places may be anywhere, also beyond the end."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


PLACES = st.lists(st.integers(0, 10_000), max_size=8)
CODES = st.sampled_from([1000, 1001, 1015, 3000, 4999, 999])
FRAMES = st.one_of(
    st.builds(frame, st.text(max_size=200)),
    st.builds(frame, st.binary(max_size=4), final=st.booleans()),
    st.builds(frame, st.binary(max_size=4), st.just(CONTINUATION), final=st.booleans()),
    st.builds(frame, st.binary(max_size=130), st.sampled_from([BINARY, PING, PONG])),
    st.builds(lambda code: frame(code.to_bytes(2, "big"), CLOSE), CODES),
    st.builds(frame, st.just(b"?"), st.integers(0, 15), masked=st.booleans()),
    st.builds(lambda bit: frame(b"", reserved=bit), st.sampled_from([0x40, 0x20, 0x10])),
    st.builds(lambda size: frame("x", claim=size), st.sampled_from([200, 65_536, 65_537, 2**62])),
    st.binary(max_size=20),
)


@given(st.lists(FRAMES, max_size=100), PLACES)
def test_any_split_of_any_bytes_says_the_same(frames: list[bytes], places: list[int]) -> None:
    """Legal and illegal ones: TCP may cut the stream where it likes."""
    data = b"".join(frames)
    whole, split = fresh(), fresh()
    assert heard(whole, data) == heard(split, *cut(data, places))
    assert (whole.unfinished, whole.junk) == (split.unfinished, split.junk)


@given(st.lists(st.tuples(st.text(max_size=30), PLACES), max_size=20), PLACES)
def test_texts_come_out_as_they_went_in(
    texts: list[tuple[str, list[int]]], places: list[int]
) -> None:
    """However they are fragmented, with a ping before each fragment."""
    data, expected = b"", list[Said]()
    for text, cuts in texts:
        parts = cut(text.encode(), cuts)
        for n, part in enumerate(parts):
            ping = f"{n}".encode()
            data += frame(ping, PING)
            data += frame(part, CONTINUATION if n else TEXT, final=n == len(parts) - 1)
            expected.append(Ping(ping))
        expected.append(text)
    assert heard(fresh(), *cut(data, places)) == expected


@given(st.lists(FRAMES, max_size=30), st.sampled_from([CLOSE, 3]), st.binary(max_size=100))
def test_nothing_is_said_after_the_last(frames: list[bytes], opcode: int, more: bytes) -> None:
    """A close or a broken rule is the end, whatever comes behind it."""
    parser = fresh()
    data = frame("before") + frame(b"", opcode)
    assert isinstance(heard(parser, data + b"".join(frames))[-1], Closed | Broken)
    assert heard(parser, more, frame("after")) == []
    assert not parser.unfinished


def test_a_turn_is_a_number_of_frames_and_the_rest_is_kept() -> None:
    parser = fresh()
    data = b"".join(frame(f"{n}") for n in range(TURN + 2))
    assert parser.feed(data) == [f"{n}" for n in range(TURN)]
    assert parser.more
    assert parser.feed(b"") == [f"{TURN}", f"{TURN + 1}"]
    assert not parser.more
    assert not parser.unfinished
    assert len(parser.feed(frame("") * TURN)) == TURN
    assert not parser.more


def test_what_says_nothing_is_counted_until_a_sweep() -> None:
    """Control frames, fragments and empty binaries; a text costs the sender enough elsewhere."""
    parser = fresh()
    data = frame(b"", PONG) + frame(b"", BINARY) + frame("a", final=False) + frame("", CONTINUATION)
    for _ in range(2):
        assert heard(parser, data * (JUNK // 4)) == [Binary(), "a"] * (JUNK // 4)
        parser.junk = 0
    assert heard(parser, data * (JUNK // 4), frame("") * 1000, frame(b"", PONG))[-1] == Broken(
        1008, "too many control frames or fragments"
    )


def test_a_frame_that_was_begun_is_unfinished_and_so_is_a_message() -> None:
    for begun in (b"\x81", frame("hello")[:-1], frame("hello", final=False)):
        parser = fresh()
        assert heard(parser, begun) == []
        assert parser.unfinished
