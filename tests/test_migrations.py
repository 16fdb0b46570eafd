"""chat/log/migrations.py: a history of every older version is carried over whole, or left alone."""

import asyncio
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from client import PATIENCE
from histories import kept, later, older, say
from serving import ROOT, Site, environment
from test_store import append, in_store, table

from chat.datafolder import Folder
from chat.log.migrations import MIGRATIONS
from chat.log.reader import Asked, titles
from chat.log.reads import stored
from chat.log.restore import restore
from chat.log.store import Store
from chat.wire.passing import Done
from chat.wire.protocol import UNSET, Gone, Message

VERSIONS = range(1, len(MIGRATIONS))
OF_MESSAGES = 3  # the last one with a table of messages in place of the things
COPY = "chat.db.before-upgrade"
DAY = 24 * 3600  # seconds
NOW = int(time.time() * 1000)


def make(data: Path, version: int, more: int = 0) -> None:
    """A data folder with all that an older version can have in it, and so many messages more."""
    Folder(data).close()
    with older(data / "chat.db", min(version, OF_MESSAGES)) as db:
        db.execute("BEGIN")
        for id, name, rev in ((1, "lobby", 12), (2, "other", 1 + more)):
            db.execute("INSERT INTO rooms (id, name, rev) VALUES (?, ?, ?)", (id, name, rev))
        if version >= 3:
            db.execute("UPDATE rooms SET title = iif(id = 1, 'The Lobby', 'other')")
        db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen) VALUES ('a', 'Ana', 'ana', 3, 7)"
        )
        say(db, 1, 1, "one")
        say(db, 1, 2, "two, better", rev=9, edited=5000)
        say(db, 1, 3, "", rev=10, deleted=1)
        say(db, 1, 4, "four")
        say(db, 1, 5, "five 🎉\n\x1b", cid=None, author="b", name="Bo")
        say(db, 1, 6, "six", at=NOW)
        say(db, 1, 7, "", rev=11, at=NOW, deleted=1)
        say(db, 1, 8, "eight, better", rev=12, at=NOW, edited=NOW)
        for number in range(1 + more):
            say(db, 2, number + 1, f"elsewhere {number}" + " and on" * (number % 40))
        db.execute("COMMIT")
        db.execute("UPDATE messages SET text = 'rot' WHERE room = 1 AND id = 4")
        later(db, OF_MESSAGES, version)


def check(data: Path, more: int = 0) -> None:
    """Start over it; everything is there, as it was."""

    async def body(store: Store) -> None:
        assert store.standings() == {"lobby": (12, 0, UNSET), "other": (1 + more, 0, UNSET)}
        people = {user.id: user for user in store.users()}  # others hold names for the test
        assert (people["a"].name, people["a"].entered) == ("Ana", True)
        assert "b" not in people or people["b"].name == "b"
        page = await store.page("lobby", Asked("before", 99, 99))
        assert [saved.change for saved in page.changes] == [
            Message(1, 1, "a", "Ana", 3, 1001, "one", "cid-1-000001"),
            Message(9, 2, "a", "Ana", 3, 1002, "two, better", None, "cid-1-000002", 5000),
            Message(4, 4, "", "", 0, 1004, "", damaged=True),
            Message(5, 5, "b", "Bo", 3, 1005, "five 🎉\n\x1b"),
            Message(6, 6, "a", "Ana", 3, NOW, "six", "cid-1-000006"),
            Message(12, 8, "a", "Ana", 3, NOW, "eight, better", None, "cid-1-000008", NOW),
        ]
        marks = {"lobby": 12, "other": 1 + more}  # who has written in a room has read it
        assert await store.read(stored, ["a", "b"]) == [(marks, {}), ({}, {})]
        missed = await store.changes("lobby", 9, 99, 99)
        assert [saved.change for saved in missed[:2]] == [Gone(10, 3, 3), Gone(11, 7, 7)]

    in_store(data, body)
    assert table(data, "PRAGMA user_version") == [(len(MIGRATIONS),)]
    assert table(data, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'messages%'") == [(0,)]
    found = [m["text"] for m in kept(data / "chat.db", "message") if m["text"][:4] == "else"]
    assert found == [f"elsewhere {n}" + " and on" * (n % 40) for n in range(1 + more)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_history_of_every_older_version_is_carried_over_whole(
    tmp_path: Path, version: int
) -> None:
    make(tmp_path, version)
    check(tmp_path)

    async def body(store: Store) -> None:
        assert store.at_start(titles) == {
            "lobby": "The Lobby" if version >= 3 else "lobby", "other": "other"
        }  # fmt: skip

    in_store(tmp_path, body)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_goes_on_where_it_was_and_knows_what_was_sent_last(tmp_path: Path, version: int) -> None:
    async def body(store: Store) -> None:
        for id, text in ((6, "six"), (7, "it was deleted since"), (8, "eight")):
            again = append(f"cid-1-{id:06}", text)
            assert await store.wrote(again) == Done(again.cid, id), f"{text} was there"
        assert (await store.wrote(append("cid-1-000001", "a week and more ago"))).rev == 13
        assert (await store.wrote(append(room="other"))).rev == 2

    make(tmp_path, version)
    in_store(tmp_path, body)


def test_deletions_are_told_for_another_month(tmp_path: Path) -> None:
    """Who was away over the upgrade must hear of them however old they are."""
    make(tmp_path, 3)
    in_store(tmp_path, lambda store: asyncio.sleep(0))
    (first,) = table(tmp_path, "SELECT min(at) FROM things WHERE tomb")
    assert first[0] >= NOW


@pytest.mark.parametrize("version", VERSIONS)
def test_the_history_before_it_is_kept_whole_and_closed_to_others(
    tmp_path: Path, version: int
) -> None:
    data = tmp_path / "data"
    make(data, version)
    texts = "SELECT * FROM messages" if version <= OF_MESSAGES else "SELECT * FROM things"
    before = table(data, texts)
    in_store(data, lambda store: asyncio.sleep(0))
    copy = data / COPY
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        assert db.execute(texts).fetchall() == before
    assert "restored 2 rooms" in restore(data, copy)  # the way back
    check(data)


def test_the_copy_goes_after_a_week(tmp_path: Path) -> None:
    make(tmp_path, 3)
    copy = tmp_path / COPY
    for age, there in ((0, True), (6.9 * DAY, True), (7.1 * DAY, False)):
        in_store(tmp_path, lambda store: asyncio.sleep(0))
        if age:
            os.utime(copy, (time.time() - age,) * 2)
            in_store(tmp_path, lambda store: asyncio.sleep(0))
        assert copy.exists() == there


def test_the_copy_goes_after_a_week_while_the_server_runs(tmp_path: Path) -> None:
    make(tmp_path / "data", 3)
    copy = tmp_path / "data" / COPY
    site = Site(tmp_path / "data")
    try:
        site.call(site.app._tidy)
        assert copy.exists()
        os.utime(copy, (time.time() - 8 * DAY,) * 2)
        site.call(site.app._tidy)
        assert not copy.exists()
    finally:
        site.stop()


def test_no_copy_is_made_of_a_new_history_or_one_of_this_version(tmp_path: Path) -> None:
    for _ in range(2):
        in_store(tmp_path, lambda store: store.wrote(append()))
        assert not (tmp_path / COPY).exists()


CUT_SHORT = """
import os, resource, signal, sqlite3, sys
from pathlib import Path

from chat.log.database import StoreError
from chat.log.reader import titles
from chat.log.store import Store

path, left, bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Dying(sqlite3.Connection):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.set_progress_handler(self.step, 500)

    def step(self):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0


if bytes:
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, bytes))
try:
    Store(Path(path), factory=Dying)
except StoreError as error:
    sys.exit(str(error))
"""


def start(data: Path, steps: int = 0, largest: int = 0) -> subprocess.CompletedProcess[str]:
    """Open it in a process that is killed after so many steps, or may write no larger file."""
    return subprocess.run(
        [sys.executable, "-c", CUT_SHORT, str(data / "chat.db"), str(steps), str(largest)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def test_one_that_is_killed_at_any_moment_is_begun_again_and_loses_nothing(tmp_path: Path) -> None:
    kills, left = 0, set()
    for step in range(1, 100):
        data = tmp_path / f"{step}"
        make(data, 1, more=800)
        done = start(data, int(1.6**step))
        left |= {path.name for path in data.iterdir()}
        check(data, more=800)
        assert (data / COPY).exists()
        assert not list(data.glob("*.part*"))
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        kills += 1
    assert kills > 5
    assert {COPY, f"{COPY}.part"} <= left, "some came during the copy, and some after it"


def test_a_disk_without_room_for_the_copy_leaves_everything_as_it_was(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make(data, 3, more=800)
    file = data / "chat.db"
    before = file.read_bytes()
    done = start(data, largest=len(before) // 2)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 2, done.stderr  # the warning that it begins, and why it ended
    assert "cannot open" in done.stderr
    assert file.read_bytes() == before
    assert not list(data.glob(f"{COPY}*"))
    check(data, more=800)


def test_a_disk_without_room_for_the_new_history_keeps_the_old_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make(data, 3, more=800)
    size = (data / "chat.db").stat().st_size
    done = start(data, largest=size * 11 // 10)
    assert done.returncode == 1, "there was room after all"
    assert "cannot open" in done.stderr
    assert table(data, "PRAGMA user_version") == [(3,)]
    assert len(table(data, "SELECT id FROM messages")) == 809
    check(data, more=800)


def test_texts_that_the_older_version_left_in_its_pages_are_gone_after_it(tmp_path: Path) -> None:
    """It wrote over messages in place, which leaves up to one in a hundred; the copy goes later."""
    data, chance = tmp_path / "data", random.Random(3)
    Folder(data).close()
    mark = "~{:05}~".format
    living = set(range(1, 4001))
    with older(data / "chat.db", 3) as db:
        db.execute("INSERT INTO rooms (id, name, rev) VALUES (1, 'lobby', 4000)")
        for id in living:
            if id % 64 == 1:
                db.execute("BEGIN")
            say(db, 1, id, mark(id) * (1 + int(100 * chance.random() ** 3)))
            if id % 64 == 0 or id == 4000:
                db.execute("COMMIT")
        for rev, id in enumerate(chance.sample(sorted(living), 3000), 4001):
            living.discard(id)
            db.execute(
                "UPDATE messages SET rev = ?, text = '', deleted = 1 WHERE id = ?", (rev, id)
            )

    def found() -> set[int]:
        files = [path for path in data.iterdir() if path.name != COPY]
        return {int(m) for path in files for m in re.findall(rb"~(\d{5})~", path.read_bytes())}

    assert found() - living, "nothing to find: this would prove nothing"

    async def body(store: Store) -> None:
        assert not found() - living, "also while it runs"

    in_store(data, body)
    assert found() - living == set()
