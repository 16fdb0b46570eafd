"""wire/frames.py: the bytes of a frame, and what is owed when a socket takes only some of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode
from websockets.streams import StreamReader

from chat.log.things import saved
from chat.wire.frames import PONG, Frame, frame_bytes
from chat.wire.passing import Live
from chat.wire.protocol import Change, Gone, Message, Reaction


def parsed(data: bytes) -> list[tuple[Opcode, bytes]]:
    """What an independent implementation reads out of the bytes."""
    from websockets.frames import Frame as TheirFrame

    reader = StreamReader()
    reader.feed_data(data)
    found = []
    while reader.buffer:
        parser = TheirFrame.parse(reader.read_exact, mask=False, max_size=None)
        with pytest.raises(StopIteration) as done:
            next(parser)
        found.append((done.value.value.opcode, bytes(done.value.value.data)))
    return found


def keeping(change: Change) -> Frame:
    return Frame.keeping(saved(change, getattr(change, "user", None) or ""))


def message(rev: int, text: str = "hi", author: str = "a") -> Frame:
    return keeping(Message(rev, rev, author, author.upper(), 0, 0, text))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 100_000])
def test_an_independent_parser_reads_every_size(size: int) -> None:
    assert parsed(frame_bytes(b"x" * size)) == [(Opcode.TEXT, b"x" * size)]


def test_a_control_frame_has_its_opcode() -> None:
    assert parsed(frame_bytes(b"?", PONG)) == [(Opcode.PONG, b"?")]


@given(st.lists(st.text(max_size=200), min_size=1, max_size=6), st.integers(0, 6), st.data())
def test_what_is_owed_ends_on_a_frame_and_nothing_is_lost(
    texts: list[str], kept: int, data: st.DataObject
) -> None:
    """Sent bytes + owed bytes are whole frames, and the rev says exactly which."""
    parts = [message(rev, text) for rev, text in enumerate(texts, 1)]
    joined = Frame.together(parts, min(kept, len(parts)))
    sent = data.draw(st.integers(0, joined.size - 1))
    owed, rev = joined.split(sent)
    whole = joined.data[:sent] + owed
    assert whole == b"".join(part.data for part in parts[:rev])
    assert rev >= joined.kept
    if not joined.kept:
        assert len(owed) < max(part.size for part in parts)


def test_frames_without_a_message_have_no_rev() -> None:
    joined = Frame.together([Frame.of(Live(3, 3)), message(4)])
    assert joined.split(1) == (joined.parts[0].data[1:], 0)
    assert joined.split(0) == (b"", 0)


def test_the_plain_dialect_has_new_messages_of_the_others_only() -> None:
    edited = keeping(Message(9, 1, "a", "Ana", 0, 0, "new text", edited=5))
    broken = keeping(Message(6, 6, "", "", 0, 0, "", damaged=True))
    gone, reaction = keeping(Gone(8, 4, 4)), keeping(Reaction(10, 4, "b", "B", "👍", True))
    news = [message(4), message(5, "yo", "b"), edited, broken, gone, reaction]
    joined = Frame.together([Frame.of(Live(3, 3)), *news])
    assert parsed(joined.plain("x").data) == [(Opcode.TEXT, b"A: hi"), (Opcode.TEXT, b"B: yo")]
    assert parsed(joined.plain("a").data) == [(Opcode.TEXT, b"B: yo")]
    assert joined.plain("x") is joined.plain("y")


def test_the_plain_dialect_says_who_is_answered_where_that_is_known() -> None:
    """It is, of what was just written; a message read again has no more than its id."""
    answer = Message(4, 4, "b", "Ben", 0, 0, "yes", reply=3, mentions={"a": ""})
    told = saved(answer, "b")
    told.to = "Ana"
    assert parsed(Frame.keeping(told).plain("x").data) == [(Opcode.TEXT, b"Ben (to Ana): yes")]
    assert parsed(keeping(answer).plain("x").data) == [(Opcode.TEXT, b"Ben: yes")]


def test_a_plain_peer_that_missed_an_edited_message_gets_it_once() -> None:
    edited = keeping(Message(9, 3, "a", "Ana", 0, 0, "new text", edited=5))
    assert parsed(Frame.together([edited]).plain("x", after=2).data) == [
        (Opcode.TEXT, b"Ana: new text")
    ]
    assert not Frame.together([edited]).plain("x", after=3).size
