"""chat/log/wiping.py: much is removed in pieces, a change for each person, and nothing else."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_store import append, arrange, cid_of, in_store, messages, react, rewrite, table

from chat.log.operations import Deposit, Expire, Govern, Piece
from chat.log.store import Store
from chat.log.wiping import DAY, HOUR, Removed
from chat.wire.frames import Saved
from chat.wire.protocol import Attachment, Gone, Settings

NOW = 5_000_000_000_000  # UTC milliseconds


async def wipe(store: Store, people: Sequence[str], since: int = 0, until: int = NOW) -> list[Gone]:
    """Begin it past the orders, and do all of it; what was told, piece by piece."""
    begin(store, people, since, until)
    return [gone for piece in await pieces(store) for gone in gones(piece)]


def begin(store: Store, people: Sequence[str], since: int = 0, until: int = NOW) -> None:
    store._commits._writer.wiping.wipe(people, since, until)


async def pieces(store: Store) -> list[Removed]:
    """All that are left."""
    done = [await store.wrote(Piece(NOW))]
    while done[-1].more:
        done.append(await store.wrote(Piece(NOW)))
    return done


def gones(removed: Removed) -> list[Gone]:
    changes = [saved.change for _, saved in removed.changes]
    assert all(isinstance(change, Gone) for change in changes)
    return [change for change in changes if isinstance(change, Gone)]


def spans(found: list[Gone]) -> list[tuple[int, int, str | None]]:
    return [(gone.from_, gone.to, gone.user) for gone in found]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of three messages, ten looked at."""
    monkeypatch.setattr("chat.log.wiping.PIECE", 3)
    monkeypatch.setattr("chat.log.wiping.LOOKED_AT", 10)


def test_what_one_person_wrote_goes_and_nothing_else(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for author in "abab":
            await store.wrote(append(author=author))
        await store.wrote(append(author="a", room="other"))
        told = await wipe(store, ["a"])
        assert spans(told) == [(1, 3, "a"), (1, 1, "a")]
        assert [gone.rev for gone in told] == [5, 2]
        assert await messages(store, "before", 99, 9) == [2, 4]
        assert await messages(store, "before", 99, 9, room="other") == []

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT count(*) FROM chores") == [(0,)]
    assert table(tmp_path, "SELECT name, rev FROM rooms ORDER BY name") == [
        ("lobby", 5),
        ("other", 2),
    ]


def test_a_piece_is_bounded_and_the_revs_stay_dense(tmp_path: Path, small: None) -> None:
    async def body(store: Store) -> None:
        for n in range(25):
            await store.wrote(append(author="ab"[n % 5 == 0]))
        begin(store, ["a"])
        done = await pieces(store)
        told = [gone for piece in done for gone in gones(piece)]
        assert [gone.rev for gone in told] == list(range(26, 26 + len(told)))
        assert all(len(piece.changes) <= 3 for piece in done)
        assert len(told) >= 20 // 3
        assert await messages(store, "before", 99, 30) == [1, 6, 11, 16, 21]

    in_store(tmp_path, body)


def test_rooms_in_which_the_person_wrote_nothing_are_looked_through_and_left_as_they_are(
    tmp_path: Path, small: None
) -> None:
    async def body(store: Store) -> None:
        for room in range(30):
            await store.wrote(append(author="a" if room == 29 else "b", room=f"r{room}"))
        begin(store, ["a"])
        done = await pieces(store)
        assert len(done) > 3, "not all in one transaction"
        assert [room for piece in done for room, _ in piece.changes] == ["r29"]

    in_store(tmp_path, body)


def test_many_people_are_wiped_in_one_pass_with_a_change_for_each(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for author in "abcabd":
            await store.wrote(append(author=author))
        told = await wipe(store, ["a", "b", "c"])
        assert sorted(spans(told)) == [(1, 4, "a"), (2, 5, "b"), (3, 3, "c")]
        assert await messages(store, "before", 99, 9) == [6]

    in_store(tmp_path, body)


def test_only_what_was_written_since_then_goes(tmp_path: Path) -> None:
    """Also where a clock went back: no `gone` names a message that stays."""

    async def body(store: Store) -> None:
        for at in (100, 200, 300, 150, 400):
            await store.wrote(append(at=at))
        assert spans(await wipe(store, ["a"], since=200)) == [(5, 5, "a"), (2, 3, "a")]
        assert await messages(store, "before", 99, 9) == [1, 4]

    in_store(tmp_path, body)


def test_when_a_message_was_edited_does_not_matter(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(at=100))
        await store.wrote(rewrite(1, "later"))  # at 2000
        assert await wipe(store, ["a"], since=1000) == []
        assert await messages(store, "before", 99, 9) == [1]

    in_store(tmp_path, body)


def test_what_is_written_after_the_order_stays(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(at=100))
        await store.wrote(append(at=300))
        assert spans(await wipe(store, ["a"], until=200)) == [(1, 1, "a")]

    in_store(tmp_path, body)


def test_reactions_files_and_whom_it_was_meant_for_go_with_a_message(tmp_path: Path) -> None:
    dropped: list[str] = []

    async def body(store: Store) -> None:
        await store.wrote(Deposit("f" * 22, "lobby", "a", "image/png", 1, 1, 1, b"", 1))
        file = Attachment("f" * 22, "x.png")
        await store.wrote(replace(append(), files=[file], mentions={"b": "B"}))
        await store.wrote(append(author="b"))
        await store.wrote(react(1))
        await store.wrote(react(2, author="a"))
        await wipe(store, ["a"])
        await store.wrote(Piece(NOW))

    in_store(tmp_path, body, drop=dropped.extend)
    assert dropped == ["f" * 22]
    assert table(tmp_path, "SELECT count(*) FROM meant") == [(0,)]
    assert table(tmp_path, "SELECT count(*) FROM files") == [(0,)]
    assert table(tmp_path, "SELECT kind, id FROM things WHERE kind IS NOT NULL ORDER BY rev") == [
        ("message", 2),
        ("reaction", 2),  # of the one who was wiped: that is no message
        ("gone", 5),
    ]


def test_a_chore_goes_on_with_the_next_start(tmp_path: Path, small: None) -> None:
    async def before(store: Store) -> None:
        for _ in range(10):
            await store.wrote(append())
        begin(store, ["a"])
        assert (await store.wrote(Piece(NOW))).more

    async def after(store: Store) -> None:
        assert await messages(store, "before", 99, 9) == [1, 2, 3, 4, 5, 6, 7]
        told = [gone for piece in await pieces(store) for gone in gones(piece)]
        assert spans(told) == [(5, 7, "a"), (2, 4, "a"), (1, 1, "a")]
        assert not (await store.wrote(Piece(NOW))).changes

    in_store(tmp_path, before)
    in_store(tmp_path, after)


def test_a_piece_that_is_not_saved_is_done_again(tmp_path: Path, small: None) -> None:
    class Full(sqlite3.Connection):
        full = False

        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "COMMIT" and Full.full:
                Full.full = False
                error = sqlite3.OperationalError("full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(sql, *parameters)  # type: ignore[arg-type]

    async def body(store: Store) -> None:
        for _ in range(4):
            await store.wrote(append())
        begin(store, ["a"])
        Full.full = True
        with pytest.raises(Exception, match="full"):
            await store.wrote(Piece(NOW))
        told = [gone for piece in await pieces(store) for gone in gones(piece)]
        assert spans(told) == [(2, 4, "a"), (1, 1, "a")]
        assert [gone.rev for gone in told] == [5, 6]

    in_store(tmp_path, body, factory=Full)


def test_a_damaged_message_is_nobodys_and_stays(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for _ in range(3):
            await store.wrote(append())

    in_store(tmp_path, body)
    table(tmp_path, "UPDATE things SET sum = 1 WHERE id = 2")

    async def wiped(store: Store) -> None:
        assert spans(await wipe(store, ["a"])) == [(3, 3, "a"), (1, 1, "a")]
        assert await messages(store, "before", 99, 9) == [2]

    in_store(tmp_path, wiped)


# -- what a room does not keep


async def govern(store: Store, room: str, topic: str | None = None, **fields: Any) -> None:
    who = "olga", cid_of(None), "Olga", 2000
    await store.wrote(Govern(room, *who, topic, "", fields))


async def keep(store: Store, days: int | None, room: str = "lobby") -> None:
    await govern(store, room, keep=days)


async def expire(store: Store, at: int, room: str = "lobby") -> Removed:
    removed: Removed = await store.wrote(Expire(room, at))
    return removed


def test_a_room_that_keeps_a_day_loses_what_is_older_as_one_change(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for at in (NOW, NOW + HOUR, NOW + 3 * HOUR):
            await store.wrote(append(at=at, author="ab"[at == NOW]))
        await keep(store, 1)
        removed = await expire(store, NOW + DAY + 2 * HOUR)
        assert spans(gones(removed)) == [(1, 2, None)]
        assert [saved.rev for _, saved in removed.changes] == [5]
        assert not removed.more
        assert await messages(store, "before", 99, 9) == [3]
        assert not (await expire(store, NOW + DAY + 2 * HOUR)).changes

    in_store(tmp_path, body)


def test_a_room_that_keeps_nothing_keeps_it_an_hour(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(at=NOW))
        await keep(store, 0)
        assert not (await expire(store, NOW + HOUR)).changes
        assert spans(gones(await expire(store, NOW + HOUR + 1))) == [(1, 1, None)]

    in_store(tmp_path, body)


def test_a_room_that_says_nothing_keeps_it_for_ever_and_so_does_one_that_took_it_back(
    tmp_path: Path,
) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(at=1))
        assert not (await expire(store, NOW)).changes
        await keep(store, 1)
        await keep(store, None)
        assert not (await expire(store, NOW)).changes
        assert not (await expire(store, NOW, room="nowhere")).changes

    in_store(tmp_path, body)


def test_a_message_of_a_clock_that_was_ahead_goes_with_the_next_one(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for at in (NOW, NOW + 900 * DAY, NOW, NOW + 900 * DAY):
            await store.wrote(append(at=at))
        await keep(store, 1)
        assert spans(gones(await expire(store, NOW + 2 * DAY))) == [(1, 3, None)]
        assert await messages(store, "before", 99, 9) == [4]

    in_store(tmp_path, body)


def test_what_is_not_kept_goes_five_hundred_at_a_time(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await asyncio.gather(*(store.wrote(append(at=NOW)) for _ in range(1_100)))
        await keep(store, 1)
        done = [await expire(store, NOW + 2 * DAY) for _ in range(3)]
        assert [removed.more for removed in done] == [True, True, False]
        told = [gone for removed in done for gone in gones(removed)]
        assert spans(told) == [(1, 500, None), (501, 1000, None), (1001, 1100, None)]

    in_store(tmp_path, body)


# -- rooms that are removed


def clear(store: Store, room: str) -> bool:
    return store._commits._writer.wiping.clear(room)


def test_a_removed_room_is_emptied_and_its_settings_go_with_the_last_piece(
    tmp_path: Path, small: None
) -> None:
    """What is private is so until nothing is left of it."""

    async def body(store: Store) -> None:
        for _ in range(7):
            await store.wrote(append(room="den"))
        await govern(store, "den", "secret", private=True)
        assert clear(store, "den")
        done = await pieces(store)
        assert [piece.emptied for piece in done] == ["", "", "den"]
        changes = [saved.change for piece in done for _, saved in piece.changes]
        assert spans([c for c in changes if isinstance(c, Gone)]) == [
            (5, 7, None), (2, 4, None), (1, 1, None),
        ]  # fmt: skip
        assert isinstance(changes[-1], Settings)
        assert (changes[-1].topic, changes[-1].private) == ("", False)
        assert [change.rev for change in changes] == [9, 10, 11, 12]
        assert not clear(store, "nowhere")

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT count(*) FROM members") == [(0,)]


def test_what_is_said_in_a_removed_room_brings_it_back_where_it_stood(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(room="den"))
        clear(store, "den")
        saved: Saved = await store.wrote(append(room="den"))
        assert saved.rev == 2
        await pieces(store)
        assert await messages(store, "before", 99, 9, room="den") == [2]

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT removed FROM rooms") == [(0,)]


def test_a_removed_room_leaves_its_place_to_another(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(room="one"))
        with pytest.raises(Exception, match="too_many_rooms"):
            await store.wrote(append(room="two"))
        clear(store, "one")
        await store.wrote(append(room="two"))
        with pytest.raises(Exception, match="too_many_rooms"):
            await store.wrote(append(room="one"))
        await store.wrote(append(room="lobby"))  # the house has a place in any case

    in_store(tmp_path, body, max_rooms=1)


def test_arranging_a_removed_room_brings_it_back_too(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(room="den"))
        clear(store, "den")
        await store.wrote(arrange("tea", room="den"))

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT removed FROM rooms") == [(0,)]
