"""log/sweep.py and log/commits.py: no file without its message for ever, none of a deleted one."""

import asyncio
import errno
import secrets
import sqlite3
import time
from pathlib import Path

import pytest
from client import PATIENCE
from filing import NOW, Place, in_place, message_of, nothing, on_disk, send
from serving import Site
from test_blobs import new
from test_store import Failing

import chat.app
import chat.log.files
import chat.log.sweep
from chat.datafolder import FolderError
from chat.log.blobs import blobs_in
from chat.log.files import ids
from chat.log.operations import Remove
from chat.log.sweep import UNSENT, note_of
from chat.wire.codes import Refusal


def test_the_files_of_a_deleted_message_are_unlinked_and_no_others(tmp_path: Path) -> None:
    async def body(place: Place) -> None:
        one, two, other = [await place.upload() for _ in range(3)]
        gone = await place.say(one, two)
        await place.say(other)
        await place.remove(gone)
        await place.dropped()
        assert place.there() == {other}

    in_place(tmp_path, body)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY])
def test_a_deletion_that_was_not_committed_takes_no_file(tmp_path: Path, code: int) -> None:
    async def body(place: Place) -> None:
        id = await place.upload()
        said = await place.say(id)
        Failing.errors = [("no", code, False)]
        with pytest.raises(Refusal):
            await place.remove(said)
        await place.dropped()
        assert place.there() == {id}
        await place.remove(said)

    Failing.errors = []
    in_place(tmp_path, body, factory=Failing)
    assert not list(blobs_in(tmp_path / "files"))


def test_what_was_uploaded_and_never_sent_goes_after_a_day(tmp_path: Path) -> None:
    async def body(place: Place) -> None:
        old, sent = (
            await place.upload(b"12345", NOW - UNSENT - 1),
            await place.upload(at=NOW - UNSENT - 1),
        )
        young = await place.upload(at=NOW - UNSENT + 3_600_000)
        await place.say(sent)
        assert not note_of(place.blobs.folder).exists()
        await place.sweeper.sweep()
        await place.dropped()
        assert place.there() == {sent, young}
        assert place.store.at_start(ids) == {sent, young}
        assert note_of(place.blobs.folder).read_text() == "1 5"
        await place.sweeper.sweep()
        assert note_of(place.blobs.folder).read_text() == "1 5", (
            "nothing went: the last time counts"
        )
        with pytest.raises(Refusal, match="no_file"):
            await place.say(old)

    in_place(tmp_path, body)


def test_a_sweep_goes_on_until_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(place: Place) -> None:
        for _ in range(5):
            await place.upload(b"1", 1)
        await place.sweeper.sweep()
        await place.dropped()
        assert not place.there()
        assert note_of(place.blobs.folder).read_text() == "5 5"

    for module in (chat.log.files, chat.log.sweep):
        monkeypatch.setattr(module, "SWEPT", 2)
    in_place(tmp_path, body)


def test_bytes_without_a_row_are_left_alone_for_an_hour_and_go_at_a_start(tmp_path: Path) -> None:
    """Their row may be about to come; but not before anybody can upload."""
    found = set()

    async def body(place: Place) -> None:
        kept = await place.upload()
        young, ahead, old = place.bytes(), place.bytes(age=-9000), place.bytes(age=3700)
        await place.sweeper.sweep()
        assert place.there() == {kept, young, ahead}
        assert old not in place.there()
        found.add(kept)

    async def after(place: Place) -> None:
        assert place.there() == found

    in_place(tmp_path, body)
    in_place(tmp_path, after)
    assert note_of(tmp_path / "files").read_text() == "2 14"


def test_a_sweep_that_is_refused_is_no_failure(tmp_path: Path) -> None:
    async def main() -> None:
        place = Place(tmp_path)
        place.store.start()
        await place.store.close()
        await place.sweeper.sweep()

    asyncio.run(main())


def test_a_start_on_a_full_disk_sweeps_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def body(place: Place) -> None:
        place.bytes()

    in_place(tmp_path, body)
    monkeypatch.setattr(Path, "write_text", full)
    in_place(tmp_path, nothing)
    assert not on_disk(tmp_path / "files")


def test_a_row_whose_bytes_are_missing_is_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(place: Place) -> None:
        ids = [await place.upload() for _ in range(3)]
        await place.say(*ids)
        place.blobs.drop(ids[:2])

    async def after(place: Place) -> None:
        assert len(place.there()) == 1

    in_place(tmp_path, body)
    assert "missing" not in caplog.text
    in_place(tmp_path, after)
    assert f"2 files are missing from {tmp_path / 'files'}, as " in caplog.text


def test_a_folder_that_cannot_be_looked_through_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path)

    def denied(self: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(FolderError, match=r"cannot use .*/files: Permission denied"):
        place.sweeper.reconcile()
    place.store._db.close()


def test_nobody_waits_for_the_bytes_of_what_they_deleted(
    tmp_path: Path,
) -> None:
    """What was deleted is told before its bytes are unlinked: that may take a while."""
    told: list[bool] = []

    async def body(place: Place) -> None:
        id = await place.upload()
        said = await place.say(id)
        drop = place.store._commits._drop

        def slow(ids: list[str]) -> None:
            asyncio.run_coroutine_threadsafe(heard.wait(), loop).result(10)
            told.append(place.blobs.path(id).exists())
            drop(ids)

        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        place.store._commits._drop = slow
        await place.remove(said)
        heard.set()

    in_place(tmp_path, body)
    assert told == [True]
    assert not list(blobs_in(tmp_path / "files"))


def test_the_server_unlinks_what_is_deleted_and_sweeps_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.app, "SWEEP", 2)  # seconds
    data = tmp_path / "data"
    (gone,) = send(data, b"gone")
    site = Site(data)
    try:
        blobs = site.app.site.blobs
        stray = new(blobs, age=4000)
        assert on_disk(data / "files") == {gone, stray}
        cid = secrets.token_hex(8)
        message = message_of(data / "chat.db", gone)
        remove = Remove("lobby", "ana", cid, "Ana", NOW, message)
        site.call(site.app.site.store.wrote, remove)
        deadline = time.monotonic() + PATIENCE
        while left := on_disk(data / "files"):
            assert time.monotonic() < deadline, left
            time.sleep(0.02)
    finally:
        site.stop()
