"""chat/log/commits.py: the unit of failure is one write, and a dead part ends the process."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from histories import kept
from test_store import (
    Failing,
    append,
    in_store,
    opened,
    react,
    remove,
    rewrite,
    said,
    table,
)

from chat.log.reader import Asked
from chat.log.store import Store
from chat.log.writer import Writer
from chat.wire.codes import Refusal


@dataclass
class Faulty:
    """A write as no operation is: what a bug or a rule that is forgotten would do."""

    do: Callable[[Writer], Any]


@pytest.fixture(autouse=True)
def faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Writer does what it is told by a Faulty one."""
    do = Writer.do
    monkeypatch.setattr(
        Writer, "do", lambda self, op: op.do(self) if isinstance(op, Faulty) else do(self, op)
    )


def breaks_a_rule(writer: Writer) -> None:
    """Writes something, then breaks a rule of the table."""
    writer.do(append("cid-bad-1", "half a write", room="other"))
    writer._db.execute("INSERT INTO meta VALUES ('epoch', 'a second one')")


def has_a_bug(writer: Writer) -> None:
    """Writes something, then fails."""
    writer.do(append("cid-bad-2", "half a write"))
    raise LookupError("a bug")


@pytest.mark.parametrize("bad", [breaks_a_rule, has_a_bug])
def test_a_write_that_breaks_a_rule_is_refused_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: Any
) -> None:
    async def body(store: Store) -> None:
        before, broken, after = (
            store.wrote(append("cid00001")),
            store.wrote(Faulty(bad)),  # type: ignore[arg-type]
            store.wrote(append("cid00002")),
        )
        assert [(await before).rev, (await after).rev] == [1, 2]
        with pytest.raises(Refusal, match="failed"):
            await broken
        assert (await store.wrote(append("cid00003", room="other"))).rev == 1

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT name, rev FROM rooms ORDER BY name") == [
        ("lobby", 2),
        ("other", 1),
    ]
    cids = table(tmp_path, "SELECT cid FROM cids ORDER BY n")
    assert cids == [("cid00001",), ("cid00002",), ("cid00003",)]
    assert [message["text"] for message in kept(tmp_path / "chat.db", "message")] == ["hi"] * 3
    assert "it broke a rule" in caplog.text


def test_a_refused_write_leaves_no_room_behind(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001"))
        with pytest.raises(Refusal, match="cid_reused"):
            await store.wrote(append("cid00001", room="elsewhere"))

    in_store(tmp_path, body)
    assert table(tmp_path, "SELECT name FROM rooms") == [("lobby",)]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_quota_is_a_full_disk(tmp_path: Path, code: int) -> None:
    async def body(store: Store) -> None:
        Failing.errors = [("disk I/O error", code, False)]
        with pytest.raises(Refusal, match="full") as refused:
            await store.wrote(append("cid00001"))
        assert refused.value.retry
        assert (await store.wrote(append("cid00001"))).rev == 1

    Failing.errors = []
    in_store(tmp_path, body, factory=Failing)


@pytest.mark.parametrize(
    "code",
    [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_CORRUPT],
)
def test_a_disk_that_cannot_sync_or_is_damaged_ends_the_process(tmp_path: Path, code: int) -> None:
    ended = threading.Event()

    async def body() -> None:
        store = Store(tmp_path / "chat.db", factory=Failing, die=lambda status: ended.set())
        store.start()
        Failing.errors = [("no", code, True)]
        store.write(append("cid00001"), lambda outcome: None)
        assert await asyncio.to_thread(ended.wait, 10)
        await store.close()

    Failing.errors = []
    asyncio.run(body())


def test_the_writer_cannot_die_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever ends the thread ends the process: a server that saves nothing is no server."""
    ended: list[int] = []
    gone = threading.Event()

    async def body() -> None:
        def die(status: int) -> None:
            ended.append(status)
            gone.set()

        store = Store(tmp_path / "chat.db", die=die)
        store.start()

        def exits(writer: Writer) -> None:
            raise SystemExit(0)

        store.write(
            Faulty(exits),  # type: ignore[arg-type]
            lambda outcome: None,
        )
        assert await asyncio.to_thread(gone.wait, 10)
        await store.close()

    asyncio.run(body())
    assert ended == [3]
    assert "ending" in caplog.text


@pytest.mark.parametrize("rev", [0, 1, -5, 2**60])
def test_a_room_whose_rev_is_damaged_goes_on_behind_its_newest_change(
    tmp_path: Path, rev: int
) -> None:
    async def write(store: Store) -> None:
        for number in range(3):
            await store.wrote(append(f"cid0000{number}"))

    async def read(store: Store) -> None:
        assert store.standings()["lobby"][0] == 3
        assert (await store.page("lobby", Asked("before", 9, 9))).head == 3
        assert (await store.wrote(append("cid00009"))).rev == 4

    in_store(tmp_path, write)
    table(tmp_path, f"UPDATE rooms SET rev = {rev}")
    in_store(tmp_path, read)


def holds(folder: Path, text: bytes) -> set[str]:
    return {path.name for path in folder.iterdir() if text in path.read_bytes()}


async def gone(folder: Path, text: bytes) -> None:
    """Wait until no file of the folder has the text in it."""
    for _ in range(1000):
        if not holds(folder, text):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"it is still in {holds(folder, text)}")


async def delete(store: Store, cid: str, text: str) -> None:
    message = await said(store, append(cid, text))
    assert holds(store._path.parent, text.encode()) == {"chat.db-wal"}
    await store.wrote(remove(message.id))


def test_a_deleted_text_leaves_the_folder_at_once(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        for number in range(3):  # the second and third wait for the next second
            secret = f"the secret number {number}"
            await delete(store, f"cid0000{number}", secret)
            await gone(tmp_path, secret.encode())

    in_store(tmp_path, body)


def test_an_edited_text_leaves_the_folder_too(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        await store.wrote(append("cid00001", "the first wording"))
        await store.wrote(rewrite(1, "the second wording"))
        await gone(tmp_path, b"the first wording")

    in_store(tmp_path, body)


def test_a_reader_in_the_way_of_the_journal_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Messages go on at once, and the journal is emptied when the reader has gone."""

    async def body(store: Store) -> None:
        reader = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
        try:
            await store.wrote(append("cid00001", "something to read"))
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM things").fetchall()
            await delete(store, "cid00002", "the secret")
            clock = asyncio.get_running_loop()
            begun = clock.time()
            while clock.time() - begun < 1.5:  # through at least one try to empty it
                await asyncio.wait_for(store.wrote(append(text="and on")), 4)
            assert "chat.db-wal" in holds(tmp_path, b"the secret")
        finally:
            reader.close()
        await gone(tmp_path, b"the secret")

    in_store(tmp_path, body)


def test_what_was_erased_just_before_a_kill_leaves_the_folder_at_the_next_start(
    tmp_path: Path,
) -> None:
    async def before(store: Store) -> None:
        await store.wrote(append("cid00001", "the secret"))
        store._commits._truncated = monotonic() + 60  # killed before it came to that
        await store.wrote(remove(1))
        for file in ("chat.db", "chat.db-wal"):
            (tmp_path / f"killed-{file}").write_bytes((tmp_path / file).read_bytes())

    async def after(store: Store) -> None:
        assert not holds(tmp_path, b"the secret")

    in_store(tmp_path, before)
    for file in ("chat.db", "chat.db-wal"):
        (tmp_path / f"killed-{file}").rename(tmp_path / file)
    assert holds(tmp_path, b"the secret") == {"chat.db-wal"}
    in_store(tmp_path, after)


def test_the_journal_of_a_day_without_deletions_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as store:
            await store.wrote(append("cid00001"))
            await store.wrote(react(1))
            assert not store._commits._erased

    asyncio.run(main())
