"""What lasts is done once and answered: retries, refusals, reactions, topics and what is gone."""

import sqlite3
from pathlib import Path

import pytest
from worlds import Listener, World, in_world

from chat.rules.access import TABLE, Answer, Role, Verb
from chat.wire.codes import EMOJI_LIMIT, TOPIC_LIMIT
from chat.wire.protocol import Arrange, Delete, Edit, Gone, Lasting, React, Say

RETRIES: list[Lasting] = [
    Say("cid-retry", "another"),
    Say("cid-retry", "an answer", 1),
    Say("cid-retry", "an answer to what is gone", 2),
    Edit("cid-retry", 1, "better"),
    Edit("cid-retry", 1, "hi"),  # it is so already
    Delete("cid-retry", 1),
    Delete("cid-retry", 2),  # it is gone already
    React("cid-retry", 1, "👍", True),
    React("cid-retry", 1, "👍", False),  # it was never there
    React("cid-retry", 1, "🎉", True),  # it is there already
    Arrange("cid-retry", "tides"),
    Arrange("cid-retry", "winds"),  # it is so already
]


def answers(peer: Listener) -> list[tuple[str, object]]:
    """What the peer alone was told of its commands: the rev of what is done, codes of refusals."""
    told = [frame for frame in peer.frames if frame["type"] in ("done", "refused")]
    return [(frame["cid"], frame.get("code", frame.get("rev"))) for frame in told]


async def begin(world: World) -> Listener:
    """A room with a message, one that is gone, a reaction and a topic: five changes."""
    ana = world.join("ana")
    ana.ask(Say("cid-first", "hi"))
    ana.ask(Say("cid-second", "ho"))
    ana.ask(Delete("cid-third", 2))
    ana.ask(React("cid-fourth", 1, "🎉", True))
    ana.ask(Arrange("cid-fifth", "winds"))
    await world.settle()
    return ana


# -- once


@pytest.mark.parametrize("command", RETRIES, ids=repr)
def test_what_is_asked_for_again_is_not_done_again_and_answered_to_its_sender_only(
    tmp_path: Path, command: Lasting
) -> None:
    """Also what changed nothing, when it would change something by now; also after a restart."""

    async def body(world: World) -> None:
        ana, bob = await begin(world), world.join("bob")
        ana.ask(command)
        await world.settle()
        rev = world.room.flushed
        told = [("cid-retry", rev)] if rev == 5 else []  # else its change says it
        assert answers(ana) == told
        assert ana.revs == list(range(1, rev + 1))
        assert [change.get("cid") for change in ana.changes[5:]] == ["cid-retry"] * (rev - 5)
        ana.ask(Say("cid-other-1", "another thing"))
        ana.ask(Arrange("cid-other-2", "another topic"))
        ana.ask(Edit("cid-other-3", 1, "another text"))
        ana.ask(React("cid-other-4", 1, "🎉", False))
        ana.ask(React("cid-other-5", 1, "👍", True))
        await world.settle()
        head = world.room.flushed
        before = [answer for answer in answers(ana) if answer[0] == "cid-retry"]
        ana.ask(command)
        await world.settle()
        after = [answer for answer in answers(ana) if answer[0] == "cid-retry"]
        assert after == [*before, ("cid-retry", rev)]
        assert not answers(bob)
        assert world.room.flushed == head

    in_world(tmp_path, body)

    async def again(world: World) -> None:
        ana, head = world.join("ana"), world.room.flushed
        ana.ask(command)
        await world.settle()
        assert [cid for cid, _ in answers(ana)] == ["cid-retry"]
        assert not ana.of("refused")
        assert world.room.flushed == head

    in_world(tmp_path, again)


def test_the_same_command_twice_in_one_commit_is_done_once(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for _ in range(3):
            ana.ask(Say("cid-of-it", "hi"))
        await world.settle()
        assert ana.timeline == {1: "hi"}
        assert answers(ana) == [("cid-of-it", 1)] * 2

    in_world(tmp_path, body)


@pytest.mark.parametrize(
    ("command", "room"),
    [
        (Say("cid-first", "hello"), "lobby"),
        (Say("cid-first", "hi"), "other"),
        (Edit("cid-first", 1, "hi"), "lobby"),
        (Delete("cid-third", 1), "lobby"),
        (React("cid-fourth", 1, "🎉", False), "lobby"),
        (React("cid-fourth", 1, "👍", True), "lobby"),
        (Arrange("cid-fifth", "tides"), "lobby"),
    ],
    ids=repr,
)
def test_a_cid_that_stood_for_something_else_is_refused_and_nothing_is_done(
    tmp_path: Path, command: Lasting, room: str
) -> None:
    async def body(world: World) -> None:
        await begin(world)
        again = world.join("ana", room=room)
        again.ask(command)
        await world.settle()
        assert answers(again) == [(command.cid, "cid_reused")]
        assert "retry" not in again.of("refused")[0]
        assert world.room.flushed == 5
        assert not again.changes

    in_world(tmp_path, body)


def test_two_people_may_have_the_same_cid(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        ana.ask(Say("cid-of-it", "hi"))
        bob.ask(Say("cid-of-it", "ho"))
        await world.settle()
        assert ana.timeline == {1: "hi", 2: "ho"}

    in_world(tmp_path, body)


def test_what_was_refused_is_not_remembered(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        ana.ask(Edit("cid-edit", 1, "better"))
        await world.settle()
        assert answers(ana) == [("cid-edit", "not_found")]
        ana.ask(Say("cid-first", "hi"))
        ana.ask(Edit("cid-edit", 1, "better"))
        await world.settle()
        assert ana.timeline == {1: "better"}

    in_world(tmp_path, body)


def test_what_was_done_is_done_also_when_it_could_not_be_asked_for_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is known comes first: before its length, before who may, and before what it is of.

    Only the writer can know, so nobody else refuses it for good.
    """
    done = [
        Say("cid-say", "a text"),
        Edit("cid-edit", 1, "a better text"),
        Arrange("cid-topic", "a topic"),
        React("cid-react", 1, "👍", True),
    ]
    new = [
        Say("cid-say-2", "a text"),
        Edit("cid-edit-2", 1, "a text"),
        Arrange("cid-topic-2", "another"),
        React("cid-react-2", 1, "🎉", True),
    ]

    async def answered(ana: Listener, world: World) -> list[object]:
        before = len(answers(ana))
        for command in (*done, *new):
            ana.ask(command)
        await world.settle()
        return [answer for _, answer in answers(ana)[before:]]

    async def body(world: World) -> None:
        ana = world.join("ana")
        for command in done:
            ana.ask(command)
        await world.settle()
        with monkeypatch.context() as shorter:
            shorter.setattr("chat.rules.text.TEXT_LIMIT", 3)
            shorter.setattr("chat.rules.text.TOPIC_LIMIT", 3)
            shorter.setattr("chat.rules.text.EMOJI", 0)
            told = ["too_long", "too_long", "bad_topic", "bad_emoji"]
            assert await answered(ana, world) == [1, 2, 3, 4, *told]
        with monkeypatch.context() as stricter:
            for verb in (Verb.SAY, Verb.EDIT, Verb.ARRANGE, Verb.REACT):
                stricter.setitem(TABLE[Role.MEMBER], verb, Answer.NO)
            assert await answered(ana, world) == [1, 2, 3, 4, *["not_allowed"] * 4]
        assert all("retry" not in refusal for refusal in ana.of("refused"))
        ana.ask(Delete("cid-delete", 1))
        await world.settle()
        for command in (*done, Delete("cid-delete", 1)):
            ana.ask(command)
        ana.ask(Edit("cid-edit-3", 1, "too late"))
        await world.settle()
        assert [answer for _, answer in answers(ana)[-6:]] == [1, 2, 3, 4, 5, "deleted"]

    in_world(tmp_path, body)


def test_a_change_says_which_command_made_it_and_which_said_the_message(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        ana.ask(Say("cid-say-1", "one"))
        ana.ask(Edit("cid-edit-1", 1, "two"))
        ana.ask(Edit("cid-edit-2", 1, "three"))
        ana.ask(Delete("cid-delete", 1))
        await world.settle()
        assert [(c["cid"], c.get("said")) for c in ana.changes] == [
            ("cid-say-1", None), ("cid-edit-1", "cid-say-1"), ("cid-edit-2", "cid-say-1"),
            ("cid-delete", None),
        ]  # fmt: skip

    in_world(tmp_path, body)


# -- reactions


def reactions(peer: Listener) -> list[tuple[str, str, bool]]:
    return [(r["user"], r["emoji"], r["on"]) for r in peer.of("reaction")]


def test_a_reaction_is_put_below_a_message_and_taken_back(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        await world.settle()
        for number, on in enumerate((True, True, False, False, True)):
            bob.ask(React(f"cid-react-{number}", 1, "👍", on))
        ana.ask(React("cid-of-ana", 1, "👍", True))
        await world.settle()
        assert reactions(ana) == [
            ("bob", "👍", True), ("bob", "👍", False), ("bob", "👍", True), ("ana", "👍", True),
        ]  # fmt: skip
        assert answers(bob) == [("cid-react-1", 2), ("cid-react-3", 3)]
        late = world.join("cy", after=1)
        assert reactions(late) == [("bob", "👍", True), ("ana", "👍", True)]

    in_world(tmp_path, body)


def test_a_message_has_at_most_twenty_different_reactions(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        emoji = [chr(0x1F600 + number) for number in range(EMOJI_LIMIT + 1)]
        for number, one in enumerate(emoji):
            ana.ask(React(f"cid-{number:04}", 1, one, True))
        bob.ask(React("cid-same", 1, emoji[0], True))
        bob.ask(React("cid-more", 1, emoji[-1], True))
        await world.settle()
        assert answers(ana) == [(f"cid-{EMOJI_LIMIT:04}", "too_many_reactions")]
        assert answers(bob) == [("cid-more", "too_many_reactions")]
        ana.ask(React("cid-back", 1, emoji[1], False))
        bob.ask(React("cid-again", 1, emoji[-1], True))
        await world.settle()
        assert reactions(ana)[-2:] == [("ana", emoji[1], False), ("bob", emoji[-1], True)]

    in_world(tmp_path, body)


def test_nothing_but_one_emoji_is_a_reaction_and_only_to_what_is_there(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = await begin(world)
        bad = ["", "a", "👍👍", "👍 ", "\u200d", "👩‍👩‍👧‍👦" * 9]
        for number, text in enumerate(bad):
            ana.ask(React(f"cid-bad-{number}", 1, text, True))
        ana.ask(React("cid-of-gone", 2, "👍", True))
        ana.ask(React("cid-of-none", 99, "👍", True))
        ana.ask(React("cid-of-topic", 5, "👍", True))
        await world.settle()
        told = [*["bad_emoji"] * len(bad), "deleted", "not_found", "deleted"]
        assert [code for _, code in answers(ana)] == told
        for number, text in enumerate(("👩‍👩‍👧‍👦", "👍🏽", "🇵🇹", "1️⃣")):
            ana.ask(React(f"cid-good-{number}", 1, text, True))
        await world.settle()
        assert len(ana.of("reaction")) == 1 + 4

    in_world(tmp_path, body)


def test_reactions_go_with_their_message_without_changes_of_their_own(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        for text in ("one", "two"):
            world.say(ana, text)
        for id in (1, 2):
            bob.ask(React(f"cid-react-{id}", id, "👍", True))
        ana.ask(Delete("cid-delete", 1))
        await world.settle()
        assert ana.changes[-1]["type"] == "gone"
        assert (ana.revs[-1], ana.changes[-1]["from"], ana.changes[-1]["to"]) == (5, 1, 1)
        late = world.join("cy", after=0)
        assert [(r["rev"], r["id"]) for r in late.of("reaction")] == [(4, 2)]
        assert [message["id"] for message in late.of("message")] == [2]

    in_world(tmp_path, body)
    with sqlite3.connect(tmp_path / "chat.db") as db:
        kinds = db.execute("SELECT kind, id FROM things WHERE kind NOT NULL ORDER BY rev")
        assert kinds.fetchall() == [("message", 2), ("reaction", 2), ("gone", 5)]
    db.close()


# -- the topic, and what is gone


def test_a_topic_is_told_and_begins_a_room(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        ana.ask(Arrange("cid-topic-1", "  high\n and  low "))
        ana.ask(Arrange("cid-topic-2", "high and low"))
        ana.ask(Arrange("cid-topic-3", "x" * (TOPIC_LIMIT + 1)))
        ana.ask(Arrange("cid-topic-4", ""))
        await world.settle()
        assert [(s["rev"], s["topic"], s["by"]) for s in ana.of("settings")] == [
            (1, "high and low", "ANA"), (2, "", "ANA"),
        ]  # fmt: skip
        assert answers(ana) == [("cid-topic-2", 1), ("cid-topic-3", "bad_topic")]

    in_world(tmp_path, body)


def test_only_who_wrote_a_message_changes_or_deletes_it(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana, bob = world.join("ana"), world.join("bob")
        world.say(ana, "hi")
        bob.ask(Edit("cid-edit", 1, "ha"))
        bob.ask(Delete("cid-delete", 1))
        await world.settle()
        assert [code for _, code in answers(bob)] == ["not_yours", "not_yours"]
        assert bob.timeline == {1: "hi"}

    in_world(tmp_path, body)


def test_what_is_gone_is_messages_and_reactions_of_a_stretch_and_perhaps_of_one_person() -> None:
    all, of_ana = Gone(9, 3, 5), Gone(9, 3, 5, user="ana")
    assert [all.covers(("message", id, ""), "bob") for id in (2, 3, 5, 6)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert all.covers(("reaction", 4, "bob 👍"), "bob")
    assert not all.covers(("settings", 4, ""), "bob")
    assert not all.covers(("gone", 4, ""), "bob")
    assert of_ana.covers(("message", 4, ""), "ana")
    assert not of_ana.covers(("message", 4, ""), "bob")
