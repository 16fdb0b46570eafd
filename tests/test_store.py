"""chat/log/store.py: one log a room, each thing stored once, in order, and read back whole."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from worlds import held

from chat.log import store as module
from chat.log.database import StoreError
from chat.log.migrations import MIGRATIONS
from chat.log.operations import Append, Arrange, Free, Govern, Hold, React, Remove, Rewrite
from chat.log.reader import Asked
from chat.log.store import Store
from chat.log.things import User
from chat.wire.codes import EMOJI_LIMIT, Refusal
from chat.wire.frames import Saved
from chat.wire.passing import Done
from chat.wire.protocol import DAMAGED, UNSET, Gone, Message, Reaction, Settings

_cids = itertools.count()


def cid_of(cid: str | None) -> str:
    """The one given, or one that no other command has."""
    return cid or f"a-cid-{next(_cids):06}"


def append(
    cid: str | None = None, text: str = "hi", room: str = "lobby", author: str = "a", at: int = 1000
) -> Append:
    return Append(room, author, cid_of(cid), author.upper(), at, 3, text)


def rewrite(
    id: int, text: str, *, room: str = "lobby", author: str = "a", cid: str = ""
) -> Rewrite:
    return Rewrite(room, author, cid_of(cid), author.upper(), 2000, id, text)


def remove(
    id: int, *, room: str = "lobby", author: str = "a", cid: str = "", at: int = 2000
) -> Remove:
    return Remove(room, author, cid_of(cid), author.upper(), at, id)


def react(
    id: int, on: bool = True, *, emoji: str = "👍", author: str = "b", cid: str = "",
    room: str = "lobby", at: int = 2000,
) -> React:  # fmt: skip
    return React(room, author, cid_of(cid), author.upper(), at, id, emoji, on)


def arrange(topic: str, *, room: str = "lobby", cid: str = "", at: int = 2000) -> Arrange:
    return Arrange(room, "a", cid_of(cid), "A", at, topic)


async def said(store: Store, op: Any) -> Message:
    """Save it; the message it made."""
    change = (await store.wrote(op)).change
    assert isinstance(change, Message)
    return change


async def messages(store: Store, kind: str, at: int, limit: int, room: str = "lobby") -> list[int]:
    """The ids of a page of history."""
    page = await store.page(room, Asked(kind, at, limit))
    return [saved.key[1] for saved in page.changes if saved.key[0] == "message"]


@asynccontextmanager
async def opened(path: Path, **options: Any) -> AsyncIterator[Store]:
    store = Store(path / "chat.db", **options)
    store.start()
    held(path / "chat.db", "a", "b", "c", "aa")
    held(path / "chat.db", "olga", role="owner")
    try:
        yield store
    finally:
        await store.close()


def in_store(path: Path, body: Callable[[Store], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        async with opened(path, **options) as store:
            await body(store)

    asyncio.run(main())


def table(path: Path, sql: str) -> list[Any]:
    """What this statement finds or does in the file, past the store."""
    db = sqlite3.connect(path / "chat.db", isolation_level=None)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_revs_of_a_room_are_one_two_three_whatever_happens_elsewhere(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        writes = [store.wrote(append(room=["lobby", "other"][n % 2])) for n in range(20)]
        revs = [(await write).rev for write in writes]
        assert revs == [n // 2 + 1 for n in range(20)]

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT name, rev FROM rooms ORDER BY name") == [
        ("lobby", 10),
        ("other", 10),
    ]


def test_a_retried_message_is_stored_once_and_answered_with_where_it_stands(
    tmp_path: Path,
) -> None:
    async def body(store: Store) -> None:
        first = store.wrote(append("cid00001"))
        again = store.wrote(append("cid00001"))  # in the same commit
        assert (await first).rev == 1
        assert await again == Done("cid00001", 1)
        assert (await store.wrote(append("cid00001", author="b"))).rev == 2  # another's
        assert await store.wrote(append("cid00001")) == Done("cid00001", 1)

    in_store(tmp_path, body)


def test_a_refused_write_takes_nothing_from_the_others_of_its_commit(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        writes = [
            store.wrote(append("cid00001")),
            store.wrote(append("cid00001", "other")),
            store.wrote(append("cid00002")),
        ]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert isinstance(outcomes[1], Refusal)
        assert [outcomes[0].rev, outcomes[2].rev] == [1, 2]

    in_store(tmp_path, body)


def test_an_edit_moves_the_message_to_the_next_rev(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001"))
        await store.wrote(append("cid00002"))
        changed = await said(store, rewrite(1, "better", cid="cid00003"))
        assert changed == Message(
            3, 1, "a", "A", 3, 1000, "better", "cid00003", "cid00001", 2000
        )  # fmt: skip
        again = await said(store, rewrite(1, "best", cid="cid00004"))
        assert (again.rev, again.cid, again.said) == (4, "cid00004", "cid00001")
        assert await store.wrote(rewrite(1, "best", cid="cid00005")) == Done("cid00005", 4)
        found = await store.changes("lobby", 0, 99, 99)
        assert [saved.rev for saved in found] == [2, 4]
        assert [saved.change for saved in found][1] == again, "read back as it was said"
        assert await messages(store, "before", 99, 99) == [1, 2]

    in_store(tmp_path, body)


def test_a_deleted_message_goes_with_its_reactions_and_one_change_tells_it(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001", "a secret that was a mistake"))
        await store.wrote(append("cid00002"))
        await store.wrote(react(1))
        await store.wrote(react(2))
        gone: Saved = await store.wrote(remove(1, cid="cid00003"))
        assert gone.change == Gone(5, 1, 1, cid="cid00003")
        assert await store.wrote(remove(1, cid="cid00004")) == Done("cid00004", 5), "done already"
        for op in (rewrite(1, "back"), react(1)):
            with pytest.raises(Refusal, match="deleted"):
                await store.wrote(op)
        again = append("cid00001", "a secret that was a mistake")
        assert await store.wrote(again) == Done("cid00001", 1), "it does not come back"
        kinds = [saved.key for saved in await store.changes("lobby", 0, 99, 99)]
        assert kinds == [("message", 2, ""), ("reaction", 2, "b 👍"), ("gone", 5, "")]
        for kind, at in (("before", 99), ("after", 0), ("around", 1)):
            assert await messages(store, kind, at, 99) == [2]

    in_store(tmp_path, body)
    assert b"mistake" not in (tmp_path / "chat.db").read_bytes()


@pytest.mark.parametrize(
    ("room", "author", "id", "code"),
    [
        ("lobby", "a", 7, "not_found"),
        ("other", "a", 1, "not_found"),
        ("lobby", "b", 1, "not_yours"),
    ],
)
def test_only_the_author_changes_a_message_that_exists(
    tmp_path: Path, room: str, author: str, id: int, code: str
) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append())
        for op in (
            rewrite(id, "mine now", room=room, author=author),
            remove(id, room=room, author=author),
        ):
            with pytest.raises(Refusal, match=code):
                await store.wrote(op)
        assert [saved.rev for saved in await store.newest("lobby", 9)] == [1]

    in_store(tmp_path, body)


def test_a_reaction_is_put_and_taken_back_by_whoever_likes(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append())
        put: Saved = await store.wrote(react(1, cid="cid00001"))
        assert put.change == Reaction(2, 1, "b", "B", "👍", True, "cid00001")
        assert await store.wrote(react(1, cid="cid00002")) == Done("cid00002", 2), "it is there"
        await store.wrote(react(1, author="c"))
        page = await store.page("lobby", Asked("before", 99, 9))
        assert [saved.rev for saved in page.changes] == [1, 2, 3]
        back: Saved = await store.wrote(react(1, False, cid="cid00003"))
        assert back.change == Reaction(4, 1, "b", "B", "👍", False, "cid00003")
        page = await store.page("lobby", Asked("before", 99, 9))
        assert [saved.rev for saved in page.changes] == [1, 3], "a page has those that are on"
        assert [saved.rev for saved in await store.changes("lobby", 0, 9, 9)] == [1, 3, 4]
        assert (await store.wrote(react(1))).rev == 5

    in_store(tmp_path, body)


def test_a_message_has_a_bounded_number_of_different_reactions(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append())
        emoji = [chr(0x1F600 + n) for n in range(EMOJI_LIMIT + 1)]
        for one in emoji[:EMOJI_LIMIT]:
            await store.wrote(react(1, emoji=one))
        with pytest.raises(Refusal, match="too_many_reactions"):
            await store.wrote(react(1, emoji=emoji[-1]))
        await store.wrote(react(1, emoji=emoji[0], author="c"))  # one that is there
        await store.wrote(react(1, False, emoji=emoji[1]))
        await store.wrote(react(1, emoji=emoji[-1]))

    in_store(tmp_path, body)


def test_a_room_has_one_topic_and_setting_none_makes_no_room(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        assert await store.wrote(arrange(" ", cid="cid00001")) == Done("cid00001", 0)
        assert table(tmp_path, "SELECT name FROM rooms") == []
        first: Saved = await store.wrote(arrange("Food", cid="cid00002"))
        assert first.change == Settings(1, "Food", "A", "cid00002")
        await store.wrote(arrange("Drinks"))
        again = await store.wrote(arrange(" Drinks  ", cid="cid00003"))
        assert again == Done("cid00003", 2)

    in_store(tmp_path, body)
    assert b"Food" not in (tmp_path / "chat.db").read_bytes()

    async def later(store: Store) -> None:
        rev, floor, settings = store.standings()["lobby"]
        assert (rev, floor, settings.topic, settings.by) == (2, 0, "Drinks", "A")

    in_store(tmp_path, later)


def test_pages_of_history_hold_together(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for write in [store.wrote(append()) for n in range(1, 21)]:
            await write
        assert [saved.rev for saved in await store.newest("lobby", 3)] == [18, 19, 20]
        assert await messages(store, "before", 18, 3) == [15, 16, 17]
        assert await messages(store, "after", 18, 9) == [19, 20]
        assert await messages(store, "around", 10, 4) == [8, 9, 10, 11]
        assert [saved.rev for saved in await store.changes("lobby", 5, 8, 99)] == [6, 7, 8]
        page = await store.page("lobby", Asked("ids", 0, 9, (3, 99, 7)))
        assert [saved.key[1] for saved in page.changes] == [3, 7]
        for kind, at, more in (("before", 18, True), ("before", 3, False), ("after", 19, False)):
            page = await store.page("lobby", Asked(kind, at, 3))
            assert (page.head, page.more) == (20, more)
        assert await store.newest("nowhere", 3) == []
        assert (await store.page("nowhere", Asked("before", 9, 3))).changes == []

    in_store(tmp_path, body)


def test_a_room_that_nobody_spoke_in_leaves_no_trace_and_the_cap_is_told(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append(room="one"))
        for op in (append(room="two"), arrange("A topic", room="two")):
            with pytest.raises(Refusal, match="too_many_rooms"):
                await store.wrote(op)
        await store.wrote(append(room="one"))

    in_store(tmp_path, body, max_rooms=1)
    assert table(tmp_path, "SELECT name, rev FROM rooms") == [("one", 2)]


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    ana = User("ana", "Ana", "ana", 3, 1000)

    async def before(store: Store) -> None:
        await store.wrote(append())
        await store.wrote(Hold(ana, None))
        await store.wrote(Hold(User("bob", "Bob", "bob", 4, 1000), None))
        await store.wrote(Free("bob", 2000))

    epochs = []
    in_store(tmp_path, before)

    async def after(store: Store) -> None:
        epochs.append(store.epoch)
        assert store.standings() == {"lobby": (1, 0, UNSET)}
        assert [user for user in store.users() if user.name == "Ana"] == [ana]
        assert "Bob" not in {user.name for user in store.users()}
        assert (await store.wrote(append())).rev == 2

    in_store(tmp_path, after)
    in_store(tmp_path, lambda store: asyncio.sleep(0, epochs.append(store.epoch)))  # type: ignore[arg-type]
    assert epochs[0] == epochs[1]


def test_writes_that_wait_together_share_one_commit(tmp_path: Path) -> None:
    commits = []

    class Counting(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                commits.append(sql)
            return super().execute(sql, *args)

    async def body(store: Store) -> None:
        commits.clear()  # those of making the file
        await asyncio.gather(*[store.wrote(append()) for n in range(200)])

    in_store(tmp_path, body, factory=Counting)
    assert len(commits) == 1


class Failing(sqlite3.Connection):
    """A disk that fails: the next commits raise what is in `errors`, done or not done."""

    errors: list[tuple[str, int, bool]]

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        if sql == "COMMIT" and self.errors:
            text, code, kept = self.errors.pop(0)
            if kept:
                super().execute(sql)
            error = sqlite3.OperationalError(text)
            error.sqlite_errorcode = code
            raise error
        return super().execute(sql, *args)


@pytest.mark.parametrize(
    ("code", "told"), [(sqlite3.SQLITE_FULL, "full"), (sqlite3.SQLITE_BUSY, "busy")]
)
def test_a_failed_commit_refuses_its_messages_and_the_next_one_leaves_no_hole(
    tmp_path: Path, code: int, told: str
) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001"))
        Failing.errors = [("no", code, False)]
        with pytest.raises(Refusal, match=told) as refused:
            await store.wrote(append("cid00002"))
        assert refused.value.retry
        assert [saved.rev for saved in await store.newest("lobby", 9)] == [1]
        assert (await store.wrote(append("cid00002"))).rev == 2

    Failing.errors = []
    in_store(tmp_path, body, factory=Failing)


def test_a_commit_whose_outcome_is_unknown_ends_the_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ended: list[int] = []

    async def body() -> None:
        store = Store(tmp_path / "chat.db", factory=Failing, die=ended.append)
        store.start()
        told: list[object] = []
        Failing.errors = [("disk I/O error", sqlite3.SQLITE_IOERR, True)]
        store.write(append("cid00001"), told.append)
        await asyncio.to_thread(store._commits._thread.join)
        assert ended == [3]
        assert told == []
        await store.close()

    Failing.errors = []
    asyncio.run(body())
    assert "outcome of a commit is unknown" in caplog.text


def test_too_many_waiting_writes_are_refused_as_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE", 5)

    async def body(store: Store) -> None:
        writes = [store.wrote(append()) for n in range(6)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert [str(o) for o in outcomes if isinstance(o, Refusal)] == ["busy"]
        assert (await store.wrote(append("cid00005"))).rev == 6

    in_store(tmp_path, body)


def test_closing_finishes_what_was_accepted_and_refuses_the_rest(tmp_path: Path) -> None:
    async def body() -> None:
        store = Store(tmp_path / "chat.db")
        store.start()
        write = store.wrote(append("cid00001"))
        await store.close()
        assert write.done()
        assert write.result().rev == 1
        with pytest.raises(Refusal, match="closing"):
            await store.wrote(append("cid00002"))

    asyncio.run(body())


def test_a_row_altered_on_disk_comes_back_as_damaged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def write(store: Store) -> None:
        await store.wrote(append("cid00001", "the truth"))
        await store.wrote(append("cid00002", "another"))

    in_store(tmp_path, write)
    table(
        tmp_path,
        "UPDATE things SET body = CAST(replace(body, 'truth', 'a lie') AS BLOB) WHERE id = 1",
    )

    async def read(store: Store) -> None:
        damaged, sound = [saved.change for saved in await store.newest("lobby", 9)]
        assert damaged == Message(1, 1, "", "", 0, 1000, "", damaged=True)
        assert isinstance(sound, Message)
        assert (sound.damaged, sound.text) == (False, "another")

    in_store(tmp_path, read)
    assert "damaged on disk" in caplog.text


def test_a_damaged_file_is_refused_with_one_line(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for n in range(200):
            store.write(append(f"cid{n:05}", "x" * 500), lambda outcome: None)

    in_store(tmp_path, body)
    path = tmp_path / "chat.db"
    data = bytearray(path.read_bytes())
    data[5000:30_000] = b"\x55" * 25_000
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"cannot open .*damaged.* run.py restore FILE"):
        Store(path)
    path.write_text("this is not a database, but some text that is long enough" * 50)
    with pytest.raises(StoreError, match=r"cannot open .*damaged.* run.py restore FILE"):
        Store(path)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    in_store(tmp_path, lambda store: asyncio.sleep(0))
    table(tmp_path, f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path / "chat.db")


def test_the_database_is_durable_and_closed_to_others(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        pragma = {
            name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "secure_delete",
                "temp_store",
            )
        }
        assert pragma == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1,
            "temp_store": 2,  # in memory: what a savepoint would bring back is in no file
        }  # fmt: skip
        assert (tmp_path / "chat.db").stat().st_mode & 0o777 == 0o600

    in_store(tmp_path, body)


ROT = "UPDATE things SET body = CAST(replace(body, 'a', 'b') AS BLOB) WHERE kind = '{}'"


def test_a_damaged_reaction_is_not_shown_and_can_be_put_anew_or_go_with_its_message(
    tmp_path: Path,
) -> None:
    async def write(store: Store) -> None:
        for id in (1, 2):
            await store.wrote(append())
            await store.wrote(react(2 * id - 1, author="aa"))

    async def read(store: Store) -> None:
        page = await store.page("lobby", Asked("before", 99, 9))
        assert [saved.key for saved in page.changes] == [("message", 1, ""), ("message", 3, "")]
        assert [saved.rev for saved in await store.changes("lobby", 0, 99, 99)] == [1, 3]
        put: Saved = await store.wrote(react(1, author="aa"))
        assert put.rev == 5
        await store.wrote(remove(3))
        page = await store.page("lobby", Asked("before", 99, 9))
        assert [saved.rev for saved in page.changes] == [1, 5]

    in_store(tmp_path, write)
    table(tmp_path, ROT.format("reaction"))
    in_store(tmp_path, read)
    left = table(tmp_path, "SELECT rev FROM things WHERE kind = 'reaction'")
    assert left == [(5,)], "of the damaged ones nothing is left"


def test_a_room_with_damaged_settings_is_shut_until_they_are_set_anew(tmp_path: Path) -> None:
    async def read(store: Store) -> None:
        assert store.standings() == {"lobby": (1, 0, DAMAGED)}
        assert await store.changes("lobby", 0, 99, 99) == []
        with pytest.raises(Refusal, match="bad_room"):
            await store.wrote(append())
        who = "lobby", "olga", cid_of(None), "Olga", 3000
        with pytest.raises(Refusal, match="room_locked"):
            await store.wrote(Append(*who, 3, "hi"))
        opens = Govern(*who, "a topic", "", {"mode": "open", "private": False})
        assert (await store.wrote(opens)).rev == 2
        settings = store.standings()["lobby"][2]
        assert (settings.topic, settings.mode, settings.private) == ("a topic", "open", False)
        assert (await store.wrote(append())).rev == 3

    in_store(tmp_path, lambda store: store.wrote(arrange("a topic")))
    table(tmp_path, ROT.format("settings"))
    in_store(tmp_path, read)


def test_a_damaged_deletion_brings_nothing_back(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        await store.wrote(append())
        await store.wrote(append())
        await store.wrote(remove(1, cid="cid00001"))

    async def read(store: Store) -> None:
        assert [saved.rev for saved in await store.changes("lobby", 0, 99, 99)] == [2]
        assert await store.wrote(remove(1, cid="cid00001")) == Done("cid00001", 3)
        assert await store.wrote(remove(1, cid="cid00002")) == Done("cid00002", 3)
        with pytest.raises(Refusal, match="deleted"):
            await store.wrote(rewrite(1, "back"))
        assert (await store.wrote(append())).rev == 4

    in_store(tmp_path, write)
    table(tmp_path, ROT.format("gone").replace("'a', 'b'", "'1', '2'"))
    in_store(tmp_path, read)


def test_a_damaged_message_takes_nothing_with_it_and_is_nobodys(tmp_path: Path) -> None:
    """Also one that is not UTF-8: an exception would take the whole page with it."""

    async def write(store: Store) -> None:
        for number in range(3):
            await store.wrote(append(f"cid0000{number}", f"text {number}"))

    async def read(store: Store) -> None:
        found = [saved.change for saved in await store.newest("lobby", 9)]
        assert [(m.rev, getattr(m, "damaged", None), getattr(m, "text", None)) for m in found] == [
            (1, False, "text 0"), (2, True, ""), (3, False, "text 2")
        ]  # fmt: skip
        assert await store.wrote(append("cid00001", "text 1")) == Done("cid00001", 2)
        for op in (rewrite(2, "again"), remove(2)):
            with pytest.raises(Refusal, match="not_yours"):
                await store.wrote(op)
        assert (await store.wrote(react(2))).rev == 4

    in_store(tmp_path, write)
    rot = "UPDATE things SET body = x'746578f420', author = CAST(x'f4' AS TEXT) WHERE id = 2"
    table(tmp_path, rot)
    in_store(tmp_path, read)
