"""log/storage.py: what whoever runs the server sees of what its files take."""

import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from client import join
from filing import NOW, Place, delete, in_place, send
from histories import post
from serving import Process, run

from chat.log.backup import backup
from chat.log.database import StoreError
from chat.log.restore import restore
from chat.log.storage import storage
from chat.log.sweep import UNSENT, note_of
from chat.rules.quota import GB, MB

DAY = 86_400


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of 100 GB, a quarter of it free."""
    usage = SimpleNamespace(total=100 * GB, free=25 * GB)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


def told(data: Path, limit: int | None = None) -> dict[str, str]:
    """The lines, by how they begin."""
    lines = storage(data, limit).splitlines()
    return {re.split(r" {2,}|: ", line.strip())[0]: line.strip() for line in lines}


def grown(data: Path, sizes: dict[str, int]) -> None:
    """As if these files had so many bytes."""
    with closing(sqlite3.connect(data / "chat.db")) as db, db:
        db.executemany(
            "UPDATE files SET size = ? WHERE id = ?", [(n, id) for id, n in sizes.items()]
        )


def test_the_bar_shows_what_is_taken_of_what_may_be(tmp_path: Path) -> None:
    one, two = send(tmp_path, b"1", b"2")
    grown(tmp_path, {one: 2 * GB, two: GB // 2})
    lines = told(tmp_path)
    assert lines["Files"] == "Files    [######------------------]  2.5 GB of 10 GB, in 2 files"
    assert lines["Disk"] == (
        "Disk     [##################------]  25 GB free of 100 GB; below 5 GB no file is taken"
    )
    assert "[" + "#" * 24 + "]  2.5 GB of 2 GB" in told(tmp_path, 2 * GB)["Files"]
    assert "[" + "#" * 24 + "]  2.5 GB of 0 MB" in told(tmp_path, 0)["Files"]


def test_the_largest_rooms_and_people_come_first_by_their_names(tmp_path: Path) -> None:
    files = send(tmp_path, *(b"x" for _ in range(8)))
    with closing(sqlite3.connect(tmp_path / "chat.db")) as db, db:
        db.execute("UPDATE users SET name = 'Ana' WHERE id = 'ana'")
        db.execute("INSERT INTO rooms (name, rev, title) VALUES ('den', 1, 'The Den')")
        for number, id in enumerate(files):
            room = "den" if number < 3 else f"room{number}"
            person = "ana" if number < 3 else f"person{number}"
            row = (room, person, (number + 1) * MB, id)
            db.execute("UPDATE files SET room = ?, person = ?, size = ? WHERE id = ?", row)
    shown = storage(tmp_path, None)
    rooms, people = re.findall(r"\nLargest [^\n]*\n((?:  [^\n]*\n)+)", shown)
    assert rooms.split("\n")[:-1] == [
        "      8 MB  room7, 1 file",
        "      7 MB  room6, 1 file",
        "      6 MB  The Den, 3 files",
        "      6 MB  room5, 1 file",
        "      5 MB  room4, 1 file",
    ]
    assert people.splitlines()[0] == "      8 MB  somebody who is gone, 1 file"
    assert people.splitlines()[2] == "      6 MB  Ana, 3 files"
    assert "(each may have 200 MB)" in shown


def test_what_belongs_to_no_message_is_told_and_until_when(tmp_path: Path) -> None:
    gone, stays = send(tmp_path, b"x" * MB, b"x")
    backup(tmp_path, None)
    restore(tmp_path, next((tmp_path / "backups").glob("*.db")))

    async def more(place: Place) -> None:
        await place.upload(b"x" * (2 * MB))
        await place.upload(b"x" * (3 * MB), NOW - UNSENT - 1)
        await place.sweeper.sweep()

    assert told(tmp_path)["Not sent yet"].startswith("Not sent yet: no file; ")
    in_place(tmp_path, more)
    delete(tmp_path, gone)
    os.utime(note_of(tmp_path / "files"), (DAY, DAY))
    for folder in (tmp_path / "backups").glob("*.files"):
        os.utime(folder, (DAY, DAY))
    lines = told(tmp_path)
    assert lines["Not sent yet"] == (
        "Not sent yet: 1 file (2 MB); what is not sent within a day goes"
    )
    assert lines["Deleted, and still in backups"] == (
        "Deleted, and still in backups: 1 file (1 MB), until the first backup after 1970-01-09"
    )
    assert lines["Kept from before a restore"] == (
        "Kept from before a restore: 0.2 MB of history, 1 file (1 MB); until you remove it"
    )
    assert lines["Backups"] == "Backups  0.2 MB of history, in 1"
    assert lines["Cleaned up last"] == "Cleaned up last: 1 file (3 MB), at 1970-01-02 00:00 UTC"
    assert stays in {path.name for path in (tmp_path / "files").rglob("*")}
    note_of(tmp_path / "files").write_text("")  # as a full disk leaves it
    assert "Cleaned up last" not in told(tmp_path)


def test_a_history_without_files_is_told_in_few_lines(tmp_path: Path) -> None:
    send(tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    assert list(told(tmp_path)) == ["Files", "Disk", "History", "", "Not sent yet"]
    assert {path.name for path in tmp_path.iterdir()} == before, "a look leaves no journal"


def test_without_a_history_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot look into .*: there is no history yet"):
        storage(tmp_path, None)
    assert not list(tmp_path.iterdir())


def test_the_command_looks_while_a_server_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with Process(data) as server:
        assert post(server.ready().port, join(server.port), "hello") == 303
        done = run("storage", f"--data={data}", "--files-gb=3")
        assert server.end() == 0
    assert (done.returncode, done.stderr) == (0, "")
    assert "0 MB of 3 GB, in 0 files" in done.stdout
    none = run("storage", f"--data={tmp_path / 'none'}")
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr.startswith("chat: cannot look into")
