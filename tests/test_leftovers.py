"""A start over what a kill, a copy or a half restore has left: the whole history, or one line."""

import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from client import join
from histories import killed, post, texts, write
from serving import Process

from chat.datafolder import Folder, FolderError
from chat.log.backup import backup
from chat.log.database import StoreError
from chat.log.store import Store


def start(data: Path) -> Store:
    """As a server does."""
    Folder(data).close()
    return Store(data / "chat.db")


def refused(data: Path) -> str:
    """Start; the one line that is said instead."""
    with pytest.raises(StoreError) as error:
        Store(data / "chat.db")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_killed_server_starts_again_with_its_journal(tmp_path: Path) -> None:
    killed(tmp_path / "data", "one")
    killed(tmp_path / "data", "two")
    write(tmp_path / "data")
    assert texts(tmp_path / "data" / "chat.db") == ["one", "two"]


def test_a_killed_server_starts_again_after_somebody_looked_with_another_program(
    tmp_path: Path,
) -> None:
    """SQLite's shell takes the journal in when it is the last to close."""
    data = tmp_path / "data"
    killed(data, "one")
    assert texts(data / "chat.db") == ["one"]
    assert not (data / "chat.db-wal").exists()
    write(data, "two")
    assert texts(data / "chat.db") == ["one", "two"]


@pytest.mark.parametrize("gone", [["-wal"], ["-wal", "-shm"]])
def test_a_journal_that_was_removed_is_missed(tmp_path: Path, gone: list[str]) -> None:
    data = tmp_path / "data"
    killed(data, "one")
    for ending in gone:
        (data / f"chat.db{ending}").unlink()
    assert "its journal chat.db-wal with the newest messages is missing" in refused(data)
    assert not (data / "chat.db-wal").exists()
    assert "its journal" in refused(data), "looking must not make one"


def test_a_journal_that_was_removed_after_a_checkpoint_is_missed_too(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Process(data) as server:
        cookie = join(server.ready().port)
        assert post(server.port, cookie, "one") == 303
        with closing(sqlite3.connect(data / "chat.db")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert post(server.port, cookie, "two") == 303
        server.end(signal.SIGKILL)
    (data / "chat.db-wal").unlink()
    assert "its journal" in refused(data)


@pytest.mark.parametrize("checkpoint", ["none", "PASSIVE", "TRUNCATE"])
def test_a_copy_of_the_main_file_of_a_running_server_is_refused(
    tmp_path: Path, checkpoint: str
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    Folder(copy).close()
    Folder(data).close()
    store = Store(data / "chat.db")
    with closing(sqlite3.connect(data / "chat.db")) as db:
        if checkpoint != "none":
            db.execute(f"PRAGMA wal_checkpoint({checkpoint})").fetchall()
    shutil.copy(data / "chat.db", copy / "chat.db")
    store._db.close()
    assert "is missing" in refused(copy)


def test_a_copy_of_a_stopped_server_and_a_copy_by_sqlite_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data, "one")
    for number, copy in enumerate((tmp_path / "a", tmp_path / "b", tmp_path / "c")):
        Folder(copy).close()
        if number == 0:
            shutil.copy(data / "chat.db", copy / "chat.db")
        elif number == 1:
            store = Store(data / "chat.db")
            with closing(sqlite3.connect(data / "chat.db")) as db:
                db.execute("VACUUM INTO ?", (str(copy / "chat.db"),))
            store._db.close()
        else:
            backup(data, copy.parent / "saved")
            shutil.copy(copy.parent / "saved", copy / "chat.db")
        write(copy, "two")
        assert texts(copy / "chat.db") == ["one", "two"]


def test_a_database_of_the_version_before_this_mark_starts(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data, "one")
    with closing(sqlite3.connect(data / "chat.db", isolation_level=None)) as db:
        db.execute("DELETE FROM meta WHERE key = 'state'")
    write(data, "two")
    assert texts(data / "chat.db") == ["one", "two"]


@pytest.mark.parametrize(
    "left", ["chat.db-wal", "chat.db.part", "chat.db.before-restore", "chat.db.before-restore-3"]
)
def test_no_empty_history_begins_beside_what_is_left_of_another(tmp_path: Path, left: str) -> None:
    (tmp_path / left).touch()
    assert f"it is missing, but {left} is there" in refused(tmp_path)
    assert not (tmp_path / "chat.db").exists()


def test_the_history_before_a_restore_that_never_got_far_is_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "one")
    (tmp_path / "chat.db.part").touch()
    write(tmp_path, "two")
    assert texts(tmp_path / "chat.db") == ["one", "two"]
    assert "a restore was cut short" in caplog.text


def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    killed(tmp_path / "data", "one")
    files = [tmp_path / "data" / f"chat.db{ending}" for ending in ("", "-wal", "-shm")]
    for file in files:
        file.chmod(0o644)
    store = Store(tmp_path / "data" / "chat.db")
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    store._db.close()


def test_what_is_no_file_or_belongs_to_somebody_else_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "chat.db").mkdir()
    assert refused(tmp_path) == f"cannot open {tmp_path}/chat.db: Is a directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("name", ["chat.db", "secret", "lock"])
def test_a_file_of_another_owner_is_named(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    write(data, "one")
    for path in (data, *data.iterdir()):
        os.chown(path, 65534, 65534)
    os.chown(data / name, 0, 0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises((FolderError, StoreError)) as error:
            start(data)
    finally:
        os.seteuid(0)
    assert re.fullmatch(rf"cannot (use|open) .*{tmp_path}.*: Permission denied", str(error.value))
