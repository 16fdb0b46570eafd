"""log/backup.py: a backup holds everything, and a restore loses nothing, wherever it is cut."""

import fcntl
import itertools
import os
import re
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from client import Wire, join
from cutting import cuts
from filing import in_place, in_rows, nothing, on_disk, send
from histories import kept, killed, meta, older, post, say, texts, write
from serving import Process, Site, run

from chat.datafolder import Folder, FolderError
from chat.log.backup import backup
from chat.log.database import StoreError
from chat.log.migrations import MIGRATIONS
from chat.log.restore import restore
from chat.log.store import Store


def plain(data: Path, file: Path) -> Path:
    """A backup as people made it by hand: without the key."""
    with closing(sqlite3.connect(data / "chat.db")) as db:
        db.execute("VACUUM INTO ?", (str(file),))
    return file


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


# -- backup


def test_a_backup_of_a_running_server_is_one_closed_file_with_history_and_key(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    with Process(data) as server:
        assert post(server.ready().port, join(server.port), "hello") == 303
        done = run("backup", str(file), f"--data={data}")
        assert done.returncode == 0
        assert server.end() == 0
    size = f"{file.stat().st_size:,}"
    assert done.stdout == (
        f"saved 1 room, 1 message, {size} bytes, in {file}; what is deleted from now on lives in it"
        " until you remove it\n"
    )
    assert done.stderr == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert meta(file, "secret") == (data / "secret").read_text()
    assert texts(file) == ["hello"]
    assert names(tmp_path) == {"data", "data.log", "saved"}


def test_a_second_backup_of_the_same_name_takes_its_place(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, "one")
    backup(data, file)
    write(data, "two")
    assert backup(data, file).startswith("saved 1 room, 2 messages, ")
    assert texts(file) == ["one", "two"]


def test_backups_with_a_date_are_seven_and_none_is_older_than_seven_days(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "data" / "backups"
    write(data, "one")
    folder.mkdir()
    now = time.time()
    recent = [
        time.strftime("chat-%Y-%m-%d-%H%M%S.db", time.gmtime(now - hours * 3600))
        for hours in range(1, 10)
    ]
    (folder / "chat-2020-01-01-000000.db").touch()
    (folder / "mine.db").touch()
    for name in recent:
        (folder / name).touch()
    said = backup(data, None)
    (made,) = names(folder) - {*recent, "mine.db"}
    assert names(folder) == {"mine.db", made, *recent[:6]}
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 7 * 86_400))
    assert f"in {folder / made}; " in said
    assert said.endswith(f"what is deleted from now on lives in it until the first after {day}")
    for path in folder.glob("chat-*"):
        path.unlink()
    (folder / "chat-2020-01-01-000000.db").touch()
    backup(data, None)
    assert "chat-2020-01-01-000000.db" not in names(folder)


def test_backups_made_while_people_write_are_whole(tmp_path: Path) -> None:
    """Each holds at least what was confirmed before it began, without a hole."""
    data, file = tmp_path / "data", tmp_path / "saved"
    with Process(data, "--rate=0") as server:
        wire = Wire(server.ready().port, "/r/lobby/ws", cookie=join(server.port)).opened()
        for _ in range(10):
            sent = [wire.say(f"{number}") for number in range(200)]
            for cid in sent[:20]:
                wire.hear("message", cid=cid)
            backup(data, file)  # while the rest is being saved
            saved = kept(file, "message")
            assert [message["rev"] for message in saved] == list(range(1, len(saved) + 1))
            assert {message["cid"] for message in saved} >= set(sent[:20])
        wire.close()
        assert server.end() == 0


def test_a_backup_holds_up_nothing_and_leaves_the_journal_alone(tmp_path: Path) -> None:
    """Nobody else has the lock of the database while it runs, and none is left behind."""
    data = tmp_path / "data"
    with Process(data) as server:
        cookie = join(server.ready().port)
        assert post(server.port, cookie, "one") == 303
        backup(data, tmp_path / "saved")
        with closing(sqlite3.connect(data / "chat.db", timeout=0)) as db:
            (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
        assert server.end() == 0


def test_a_damaged_history_takes_no_backups_place(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, *("x" * 500 for _ in range(200)))
    backup(data, file)
    before = file.read_bytes()
    damage(data / "chat.db", 5000, 25_000)
    with pytest.raises(StoreError, match=r"cannot back up .*damaged"):
        backup(data, file)
    assert file.read_bytes() == before
    assert not file.with_name("saved.part").exists()


def test_a_backup_never_takes_the_place_of_the_history_itself(tmp_path: Path) -> None:
    write(tmp_path / "data", "one")
    for target in (tmp_path / "data" / "chat.db", tmp_path):
        with pytest.raises(StoreError, match="no place for a backup"):
            backup(tmp_path / "data", target)
    assert texts(tmp_path / "data" / "chat.db") == ["one"]


def test_two_backups_at_once_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "data", "one")
    part = tmp_path / "saved.part"
    with part.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreError, match="another backup is being made"):
            backup(tmp_path / "data", tmp_path / "saved")
    backup(tmp_path / "data", tmp_path / "saved")  # that one was killed: its part is used again
    assert names(tmp_path) == {"data", "saved"}


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path: Path) -> None:
    write(tmp_path / "data", "one")
    with pytest.raises(StoreError, match=r"nothing has changed: .*/saved: No such file"):
        restore(tmp_path / "data", tmp_path / "saved")
    with pytest.raises(StoreError, match=r"nothing has changed: .*: Is a directory"):
        restore(tmp_path / "data", tmp_path)
    with pytest.raises(StoreError, match=r"cannot back up .*/none/saved.part: No such file"):
        backup(tmp_path / "data", tmp_path / "none" / "saved")


def test_without_a_history_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    done = run("backup", f"--data={tmp_path / 'none'}")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"chat: cannot back up .*: there is no history yet\n", done.stderr)
    assert not (tmp_path / "none").exists()


def test_a_history_of_an_older_version_is_backed_up_and_restored_as_it_is(tmp_path: Path) -> None:
    """The first start after that brings it up to date."""
    data, file = tmp_path / "data", tmp_path / "saved"
    Folder(data).close()
    with older(data / "chat.db", 3) as db:
        db.execute("INSERT INTO rooms VALUES (1, 'lobby', 2, 'Lobby')")
        say(db, 1, 1, "one")
        say(db, 1, 2, "", deleted=1)
    assert backup(data, file).startswith("saved 1 room, 1 message, ")
    assert restore(data, file).startswith("restored 1 room, 1 message from")
    write(data, "two")
    assert texts(data / "chat.db") == ["one", "two"]


# -- restore


def test_a_backup_moves_to_another_machine_with_everyones_name(tmp_path: Path) -> None:
    old = Site(tmp_path / "old")
    cookie = old.join(name="Ana")
    assert post(old.port, cookie, "hello") == 303
    backup(tmp_path / "old", tmp_path / "saved")
    old.stop()
    done = run("restore", str(tmp_path / "saved"), f"--data={tmp_path / 'new'}")
    assert done.stdout == (
        f"restored 1 room, 1 message from {tmp_path / 'saved'}; there was none before it\n"
    )
    assert meta(tmp_path / "new" / "chat.db", "secret") is None
    new = Site(tmp_path / "new")
    assert post(new.port, cookie, "still Ana") == 303
    new.stop()
    assert texts(tmp_path / "new" / "chat.db") == ["hello", "still Ana"]


def test_a_restored_history_has_another_epoch_and_the_one_before_is_kept_and_numbered(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    epochs = {write(data, "one")}
    backup(data, file)
    write(data, "two")
    (data / "chat.db.before-restore").write_text("of version 0.1.0")
    for number, before in ((1, ["one", "two"]), (2, ["one", "three"])):
        kept = data / f"chat.db.before-restore-{number}"
        assert restore(data, file) == (
            f"restored 1 room, 1 message from {file}; the one before is in {kept}"
        )
        assert texts(kept) == before
        epochs.add(write(data, "three"))
    assert len(epochs) == 3
    assert (data / "chat.db.before-restore").read_text() == "of version 0.1.0"


def test_the_history_before_it_keeps_its_journal_byte_for_byte(tmp_path: Path) -> None:
    """Also while another program reads there: it is renamed, never opened for writing."""
    data, file = tmp_path / "data", tmp_path / "saved"
    write(tmp_path / "other", "restored")
    backup(tmp_path / "other", file)
    killed(data, "one", "two")
    before = [(data / name).read_bytes() for name in ("chat.db", "chat.db-wal")]
    reader = sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM things").fetchone() == (2,)
    restore(data, file)
    kept = data / "chat.db.before-restore-1"
    assert [kept.read_bytes(), Path(f"{kept}-wal").read_bytes()] == before
    reader.close()
    assert texts(kept) == ["one", "two"]
    assert texts(data / "chat.db") == ["restored"]
    restore(data, kept)
    assert texts(data / "chat.db") == ["one", "two"]


def damage(path: Path, start: int, count: int) -> None:
    """Overwrite these bytes."""
    data = bytearray(path.read_bytes())
    data[start : start + count] = b"\x55" * len(data[start : start + count])
    path.write_bytes(data)


PLACES = [
    (0, 100), (0, 16), (16, 2), (100, 3996), (0, 4096), (4096, 4096), (8192, 8192),
    (20_000, 30_000), (0, 10**9),
]  # fmt: skip


@pytest.mark.parametrize(("start", "count"), PLACES)
def test_whatever_is_damaged_is_replaced_and_kept(tmp_path: Path, start: int, count: int) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, *(f"{number}" * 100 for number in range(350)))
    backup(data, file)
    damage(data / "chat.db", start, count)
    damaged = (data / "chat.db").read_bytes()
    restore(data, file)
    assert len(texts(data / "chat.db")) == 350
    assert (data / "chat.db.before-restore-1").read_bytes() == damaged


def test_nothing_is_restored_while_a_server_runs(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, "one")
    backup(data, file)
    folder = Folder(data)
    before = names(data)
    with pytest.raises(FolderError, match="another server is using"):
        restore(data, file)
    assert names(data) == before
    folder.close()


@pytest.mark.parametrize(
    "content", [None, b"", b"nonsense" * 1000, "another program", "a newer version", "damaged"]
)
def test_a_backup_that_is_none_changes_nothing(tmp_path: Path, content: bytes | str | None) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, *("x" * 500 for _ in range(200)))
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        backup(data, file)
        version = {"another program": 0}.get(content, len(MIGRATIONS) + (content[0] == "a"))
        with closing(sqlite3.connect(file)) as db:
            db.execute(f"PRAGMA user_version = {version}")
        if content == "damaged":
            damage(file, 5000, 25_000)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    with pytest.raises(StoreError, match=r"cannot restore .*nothing has changed") as refused:
        restore(data, file)
    assert "\n" not in str(refused.value)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_a_backup_without_a_key_keeps_the_present_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data, "one")
    file = plain(data, tmp_path / "saved")
    secret = (data / "secret").read_text()
    said = restore(data, file)
    assert "it has no key for the cookies: the present one stays" in said
    assert (data / "secret").read_text() == secret
    assert texts(data / "chat.db") == ["one"]


def test_where_no_key_is_left_everyone_joins_again_under_their_own_name(tmp_path: Path) -> None:
    old = Site(tmp_path / "old")
    old.join(name="Ana")
    old.stop()
    file = plain(tmp_path / "old", tmp_path / "saved")
    assert "everyone joins again" in restore(tmp_path / "new", file)
    new = Site(tmp_path / "new")
    assert new.join(name="Ana")
    new.stop()


def test_another_key_takes_the_place_of_the_present_one_which_is_kept(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(tmp_path / "other", "one")
    backup(tmp_path / "other", file)
    write(data, "two")
    secret = (data / "secret").read_text()
    restore(data, file)
    assert (data / "secret").read_text() == (tmp_path / "other" / "secret").read_text()
    assert (data / "secret.before-restore-1").read_text() == secret
    assert {path.stat().st_mode & 0o777 for path in data.glob("secret*")} == {0o600}


def test_a_damaged_key_is_replaced_and_a_folder_in_its_place_is_told_first(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, "one")
    backup(data, file)
    (data / "secret").write_bytes(b"\xff" * 10)
    restore(data, file)
    assert (data / "secret").read_text() == meta(file, "secret")
    assert (data / "secret.before-restore-1").read_bytes() == b"\xff" * 10
    (data / "secret").unlink()
    (data / "secret").mkdir()
    before = names(data)
    with pytest.raises(StoreError, match=r"nothing has changed: .*secret: Is a directory"):
        restore(data, file)
    assert names(data) == before


@pytest.mark.parametrize("cut_short", [False, True])
def test_who_has_signed_out_since_the_backup_stays_signed_out(
    tmp_path: Path, cut_short: bool
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    site = Site(data)
    cookie = site.join(name="Ana")
    assert post(site.port, cookie, "hello") == 303
    backup(data, file)
    assert site.http("POST", "/signout", headers={"Cookie": cookie}).status == 303
    site.stop()
    if cut_short:
        (data / "chat.db").rename(data / "chat.db.before-restore-1")
        (data / "chat.db.part").touch()
    restore(data, file)
    site = Site(data)
    assert post(site.port, cookie, "once more") != 303
    site.stop()
    assert texts(data / "chat.db") == ["hello"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_what_root_restores_belongs_to_the_one_who_runs_the_server(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, "one")
    backup(data, None)
    write(tmp_path / "other", "two")
    backup(tmp_path / "other", file)
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    restore(data, file)
    backup(data, None)
    owners = {path.name: path.stat().st_uid for path in (data, *data.rglob("*"))}
    assert set(owners.values()) == {65534}, owners
    assert {path.stat().st_mode & 0o077 for path in data.rglob("*")} == {0}


# Too much for its journal to hold every page: that one beside another database is a mixture.
OLD = ("", *(f"{number}" * 300 for number in range(99)))


def test_a_restore_killed_before_any_of_its_steps_leaves_one_history_or_the_other(
    tmp_path: Path,
) -> None:
    """What a start does then, and what another restore does, with everything kept."""
    file, begin = tmp_path / "saved", tmp_path / "begin"
    write(tmp_path / "other", "new")
    send(tmp_path / "other", b"new")
    backup(tmp_path / "other", file)
    send(begin, b"old")
    write(begin, *OLD[1:-2])
    killed(begin, *OLD[-2:])
    outcomes = []
    for data in cuts(begin, lambda data: restore(data, file)):
        again = data.with_name(f"{data.name}-again")
        shutil.copytree(data, again)
        outcomes.append(started(data))
        restore(again, file)
        assert started(again) == "new"
        kept = {tuple(texts(path)) for path in again.glob("chat.db.before-restore-?")}
        assert OLD in kept
        secrets = {path.read_text() for path in again.glob("secret*")}
        assert (begin / "secret").read_text() in secrets
        assert not list(again.glob("*.part*"))
        files = [on_disk(path) for path in again.glob("files.before-restore-?")]
        assert on_disk(begin / "files") in files
    assert outcomes[0] == "old"
    assert outcomes[-1] == "new"
    assert "refused" in outcomes
    assert outcomes == sorted(outcomes, key=["old", "refused", "new"].index)


def started(data: Path) -> str:
    """Which history a start over this folder serves, with its files, if it does; never one mixed
    of both."""
    try:
        in_place(data, nothing)
    except StoreError as error:
        assert re.search(r"is missing, but .* is there: do the restore again", str(error))
        return "refused"
    found = texts(data / "chat.db")
    assert on_disk(data / "files") == in_rows(data / "chat.db")
    return {OLD: "old", ("new", ""): "new"}[tuple(found)]


def test_a_power_cut_that_loses_any_of_the_unsynced_renames_leaves_one_or_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's changes are on the disk once it is synced; before that, any of them may be."""
    data, file, synced = tmp_path / "data", tmp_path / "saved", tmp_path / "synced"
    send(data, b"old")
    write(data, *OLD[1:-2])
    killed(data, *OLD[-2:])
    write(tmp_path / "other", "new")
    send(tmp_path / "other", b"new")
    shutil.copy(data / "secret", tmp_path / "other" / "secret")  # so that no key's sync helps
    backup(tmp_path / "other", file)
    pending: list[tuple[Path, Path]] = []
    cuts: list[Path] = []

    def snapshot() -> None:
        shutil.rmtree(synced, ignore_errors=True)
        shutil.copytree(data, synced)
        pending.clear()

    def changing(change: Callable[..., None]) -> Callable[..., None]:
        def renamed(source: Path, target: Path) -> None:
            change(source, target)
            pending.append((synced / Path(source).name, synced / Path(target).name))
            for synced_too in itertools.product((False, True), repeat=len(pending)):
                cuts.append(tmp_path / f"cut{len(cuts)}")
                shutil.copytree(synced, cuts[-1])
                for (old, new), landed in zip(pending, synced_too, strict=True):
                    if landed and (cuts[-1] / old.name).exists():
                        change(cuts[-1] / old.name, cuts[-1] / new.name)

        return renamed

    def fsync(opened: int) -> None:
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            snapshot()

    snapshot()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        for name in ("rename", "replace"):
            patch.setattr(os, name, changing(getattr(os, name)))
        restore(data, file)
    assert len(cuts) > 7
    assert not pending, "the last change is synced too"
    outcomes = set()
    for cut in cuts:
        again = cut.with_name(f"{cut.name}-again")
        shutil.copytree(cut, again)
        outcomes.add(started(cut))
        restore(again, file)
        assert started(again) == "new"
        assert OLD in {tuple(texts(path)) for path in again.glob("chat.db.before-restore-?")}
    assert outcomes == {"old", "refused", "new"}


def test_a_history_goes_on_without_its_lost_journal_when_that_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data"
    killed(data, "one")
    (data / "chat.db-wal").unlink()
    with pytest.raises(StoreError, match="go on without it"):
        Store(data / "chat.db")
    assert restore(data, data / "chat.db").startswith("restored 0 rooms, 0 messages from")
    write(data, "two")
    assert texts(data / "chat.db") == ["two"]
