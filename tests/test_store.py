"""chat/log/store.py: one log a room, stored once, in order, and read back whole."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chat.log import store as module
from chat.log.database import MIGRATIONS, StoreError
from chat.log.operations import Append, Free, Hold, Rewrite
from chat.log.store import Store
from chat.log.things import User
from chat.wire.codes import Refusal


def append(cid: str | None, text: str = "hi", room: str = "lobby", author: str = "a") -> Append:
    return Append(room, author, cid, author.upper(), 3, 1000, text)


@asynccontextmanager
async def opened(path: Path, **options: Any) -> AsyncIterator[Store]:
    store = Store(path / "chat.db", **options)
    store.start()
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
    db = sqlite3.connect(path / "chat.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_revs_of_a_room_are_one_two_three_whatever_happens_elsewhere(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        writes = [
            store.wrote(append(f"cid{n:05}", room=["lobby", "other"][n % 2])) for n in range(20)
        ]
        revs = [(await write)[0].rev for write in writes]
        assert revs == [n // 2 + 1 for n in range(20)]

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT name, rev FROM rooms ORDER BY name") == [
        ("lobby", 10),
        ("other", 10),
    ]


def test_a_retried_message_is_stored_once_and_answered_with_the_one_that_is_there(
    tmp_path: Path,
) -> None:
    async def body(store: Store) -> None:
        first = store.wrote(append("cid00001"))
        again = store.wrote(append("cid00001"))  # in the same commit
        assert (await first)[1] is True
        assert await again == ((await first)[0], False)
        assert await store.wrote(append("cid00001")) == ((await first)[0], False)
        assert (await store.wrote(append("cid00001", author="b")))[1] is True

    in_store(tmp_path, body)


def test_a_cid_used_for_another_text_is_refused(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001"))
        for other in (append("cid00001", "other"), append("cid00001", room="other")):
            with pytest.raises(Refusal, match="cid_reused"):
                await store.wrote(other)
        assert len(await store.newest("lobby", 10)) == 1

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
        assert [outcomes[0][0].rev, outcomes[2][0].rev] == [1, 2]  # type: ignore[index]

    in_store(tmp_path, body)


def test_an_edit_moves_the_message_to_the_next_rev(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001"))
        await store.wrote(append("cid00002"))
        changed, new = await store.wrote(Rewrite("lobby", "a", 1, "better", 2000))
        assert new
        assert (changed.rev, changed.id, changed.text, changed.edited) == (3, 1, "better", 2000)
        again, new = await store.wrote(Rewrite("lobby", "a", 1, "better", 3000))
        assert (again, new) == (changed, False)
        assert [m.rev for m in await store.changes("lobby", 0, 99, 99)] == [2, 3]
        assert [m.id for m in await store.before("lobby", 99, 99)] == [1, 2]

    in_store(tmp_path, body)


def test_a_deleted_text_is_gone_from_the_rows_of_the_file(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001", "a secret that was a mistake"))
        await store.wrote(append("cid00002"))
        gone, new = await store.wrote(Rewrite("lobby", "a", 1, None, 2000))
        assert (gone.deleted, gone.text, gone.rev, new) == (True, "", 3, True)
        assert await store.wrote(Rewrite("lobby", "a", 1, None, 9)) == (gone, False)
        with pytest.raises(Refusal, match="deleted"):
            await store.wrote(Rewrite("lobby", "a", 1, "back", 9))
        assert await store.wrote(append("cid00001", "a secret that was a mistake")) == (gone, False)
        assert [m.id for m in await store.before("lobby", 99, 99)] == [2]
        assert [m.id for m in await store.after("lobby", 0, 99)] == [2]

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
        await store.wrote(append("cid00001"))
        for text in ("mine now", None):
            with pytest.raises(Refusal, match=code):
                await store.wrote(Rewrite(room, author, id, text, 9))

    in_store(tmp_path, body)


def test_pages_of_history_hold_together(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for write in [store.wrote(append(f"cid{n:05}")) for n in range(1, 21)]:
            await write
        assert [m.id for m in await store.newest("lobby", 3)] == [18, 19, 20]
        assert [m.id for m in await store.before("lobby", 18, 3)] == [15, 16, 17]
        assert [m.id for m in await store.after("lobby", 18, 9)] == [19, 20]
        assert [m.id for m in await store.changes("lobby", 5, 8, 99)] == [6, 7, 8]
        assert await store.newest("nowhere", 3) == []

    in_store(tmp_path, body)


def test_a_room_that_nobody_spoke_in_leaves_no_trace_and_the_cap_is_told(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001", room="one"))
        with pytest.raises(Refusal, match="too_many_rooms"):
            await store.wrote(append("cid00002", room="two"))
        await store.wrote(append("cid00003", room="one"))

    in_store(tmp_path, body, max_rooms=1)
    assert table(tmp_path, "SELECT name, rev FROM rooms") == [("one", 2)]


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    ana = User("a", "Ana", "ana", 3, 1000)

    async def before(store: Store) -> None:
        await store.wrote(append("cid00001"))
        await store.wrote(Hold(ana, None))
        await store.wrote(Hold(User("b", "Bob", "bob", 4, 1000), None))
        await store.wrote(Free("b", 2000))

    epochs = []
    in_store(tmp_path, before)

    async def after(store: Store) -> None:
        epochs.append(store.epoch)
        assert store.heads() == {"lobby": 1}
        assert store.users() == [ana]
        assert (await store.wrote(append("cid00002")))[0].rev == 2

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
        await asyncio.gather(*[store.wrote(append(f"cid{n:05}")) for n in range(200)])

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
        assert [m.id for m in await store.newest("lobby", 9)] == [1]
        assert (await store.wrote(append("cid00002")))[0].rev == 2

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
        writes = [store.wrote(append(f"cid{n:05}")) for n in range(6)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert [str(o) for o in outcomes if isinstance(o, Refusal)] == ["busy"]
        assert (await store.wrote(append("cid00005")))[0].rev == 6

    in_store(tmp_path, body)


def test_closing_finishes_what_was_accepted_and_refuses_the_rest(tmp_path: Path) -> None:
    async def body() -> None:
        store = Store(tmp_path / "chat.db")
        store.start()
        write = store.wrote(append("cid00001"))
        await store.close()
        assert write.done()
        assert write.result()[0].rev == 1
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
    db = sqlite3.connect(tmp_path / "chat.db")
    db.execute("UPDATE messages SET text = 'a lie' WHERE id = 1")
    db.commit()
    db.close()

    async def read(store: Store) -> None:
        damaged, sound = await store.newest("lobby", 9)
        assert (damaged.damaged, damaged.text) == (True, "")
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


@pytest.mark.parametrize("version", range(len(MIGRATIONS)))
def test_a_database_of_every_earlier_version_is_brought_up_to_date(
    tmp_path: Path, version: int
) -> None:
    db = sqlite3.connect(tmp_path / "chat.db")
    for script in MIGRATIONS[:version]:
        db.executescript(script)
    db.execute(f"PRAGMA user_version = {version}")
    db.close()
    in_store(tmp_path, lambda store: store.wrote(append("cid00001")))  # type: ignore[arg-type]
    assert table(tmp_path, "PRAGMA user_version") == [(len(MIGRATIONS),)]


def test_the_database_is_durable_and_closed_to_others(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        pragma = {
            name: store._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
        assert pragma == {
            "journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1
        }  # fmt: skip
        assert (tmp_path / "chat.db").stat().st_mode & 0o777 == 0o600

    in_store(tmp_path, body)
