"""log/backup_files.py: a backup has the files of its history and no others, wherever it is cut."""

import errno
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from cutting import cuts
from filing import content, delete, in_place, in_rows, nothing, on_disk, send
from histories import write
from test_backup import damage, names

import chat.log.backup
from chat.log.backup import backup
from chat.log.backup_files import remove
from chat.log.database import StoreError
from chat.log.restore import restore


def whole(data: Path) -> None:
    """The folder has the files that its history knows, and no others."""
    assert on_disk(data / "files") == in_rows(data / "chat.db")


def complete(file: Path) -> set[str]:
    """The files of a backup, of which none is missing."""
    there = on_disk(file.with_name(f"{file.name}.files"))
    assert in_rows(file) <= there
    return there


# -- backup


def test_a_backup_links_the_files_and_says_what_there_is(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    one, two = send(data, b"12345", b"123")
    said = backup(data, file)
    assert f"in {file} and 2 files, 8 bytes, beside it; what is deleted from now on" in said
    for id in (one, two):
        saved, there = (
            folder / id[:2] / id for folder in (tmp_path / "saved.files", data / "files")
        )
        assert saved.samefile(there)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "saved.files").rglob("*")}
    assert modes == {0o700, 0o600}


def test_a_history_without_files_has_no_folder_of_them(tmp_path: Path) -> None:
    write(tmp_path / "data", "one")
    assert " beside it" not in backup(tmp_path / "data", tmp_path / "saved")
    assert names(tmp_path) == {"data", "saved"}


def test_a_file_of_a_deleted_message_lives_on_in_backups_from_before_only(tmp_path: Path) -> None:
    data, first, second = tmp_path / "data", tmp_path / "first", tmp_path / "second"
    gone, stays = send(data, b"gone", b"stays")
    backup(data, first)
    delete(data, gone)
    backup(data, second)
    assert content(tmp_path / "first.files", gone) == b"gone"
    assert complete(second) == {stays}
    backup(data, first)  # takes the place of the first one
    assert complete(first) == {stays}
    assert not list(tmp_path.rglob(gone))


def test_backups_with_a_date_go_with_their_files(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "data" / "backups"
    (id,) = send(data, b"content")
    now = time.time()
    backup(data, None)
    (made,) = folder.glob("*.db")
    for days in range(1, 10):
        name = time.strftime("chat-%Y-%m-%d-%H%M%S.db", time.gmtime(now - days * 86_400))
        shutil.copy(made, folder / name)
        shutil.copytree(folder / f"{made.name}.files", folder / f"{name}.files")
    (folder / "chat-2026-01-01-000000.db.files" / id[:2]).mkdir(parents=True)  # was cut short
    (folder / "mine.files" / id[:2]).mkdir(parents=True)
    (folder / "mine.files" / id[:2] / id).touch()
    backup(data, None)
    left = sorted(path.name for path in folder.glob("*.db"))
    assert len(left) == 7
    assert names(folder) == {*left, *(f"{name}.files" for name in left), "mine.files"}
    for name in left:
        assert complete(folder / name) == {id}
    assert on_disk(folder / "mine.files") == {id}


@pytest.mark.parametrize("why", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_what_cannot_be_linked_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int
) -> None:
    def link(*arguments: Any, **options: Any) -> None:
        raise OSError(why, os.strerror(why))

    data, file, moved = tmp_path / "data", tmp_path / "saved", tmp_path / "moved"
    (id,) = send(data, b"content" * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", link)
        backup(data, file)
        copied = tmp_path / "saved.files" / id[:2] / id
        first = copied.stat().st_ino
        send(data, b"another")
        backup(data, file)
        assert copied.stat().st_ino == first, "what is there already is not copied again"
        restore(moved, file)
    paths = [folder / id[:2] / id for folder in (tmp_path / "saved.files", moved / "files")]
    for path in paths:
        assert path.read_bytes() == b"content" * 1000
        assert not path.samefile(data / "files" / id[:2] / id)
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_comes_and_goes_while_the_history_is_copied_is_in_the_backup_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    gone, stays = send(data, b"gone", b"stays")
    came: list[str] = []
    copied = chat.log.backup._copied

    def slowly(*arguments: Any) -> str:
        came.extend(send(data, b"came"))
        said = copied(*arguments)
        delete(data, gone)
        came.extend(send(data, b"too late"))
        return said

    monkeypatch.setattr(chat.log.backup, "_copied", slowly)
    backup(data, file)
    assert in_rows(file) == complete(file) == {gone, stays, came[0]}
    assert in_rows(data / "chat.db") == {stays, *came}


def test_a_backup_that_fails_leaves_the_files_of_the_one_before_it(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(data, *("x" * 500 for _ in range(200)))
    (old,) = send(data, b"old")
    backup(data, file)
    send(data, b"new")
    damage(data / "chat.db", 5000, 25_000)
    for target in (file, tmp_path / "other"):
        with pytest.raises(StoreError, match="damaged"):
            backup(data, target)
    assert complete(file) == {old}
    assert names(tmp_path) == {"data", "saved", "saved.files"}


def test_nothing_of_others_is_removed_from_a_folder_of_that_name(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "saved.files"
    (folder / "ab").mkdir(parents=True)
    for path in (folder / "notes", folder / "ab" / "notes"):
        path.touch()
    write(data, "one")
    backup(data, tmp_path / "saved")
    assert {path.name for path in folder.rglob("*")} == {"ab", "notes"}
    remove(folder)
    assert {path.name for path in folder.rglob("*")} == {"ab", "notes"}


@pytest.mark.parametrize("dated", [False, True])
def test_a_backup_killed_before_any_of_its_steps_is_the_one_before_or_the_new_one(
    tmp_path: Path, dated: bool
) -> None:
    """And the next one leaves nothing behind of it."""
    begin = tmp_path / "begin"
    gone, stays = send(begin / "data", b"gone", b"stays")
    backup(begin / "data", None if dated else begin / "saved")
    delete(begin / "data", gone)
    (new,) = send(begin / "data", b"new")

    def make(place: Path) -> None:
        backup(place / "data", None if dated else place / "saved")

    seen = set()
    for place in cuts(begin, make):
        folder = place / "data" / "backups" if dated else place
        pattern = "*.db" if dated else "saved"
        for file in folder.glob(pattern):
            complete(file)
            seen.add(frozenset(in_rows(file)))
        make(place)
        files = sorted(folder.glob(pattern))
        assert [complete(file) for file in files] == [in_rows(file) for file in files]
        assert [path.with_suffix("") for path in sorted(folder.glob("*.files"))] == files
        assert not list(place.rglob("*.part"))
    assert seen == {frozenset({gone, stays}), frozenset({stays, new})}


# -- restore


def test_a_backup_moves_to_another_machine_with_its_files(tmp_path: Path) -> None:
    data, file = tmp_path / "new", tmp_path / "saved"
    one, two = send(tmp_path / "old", b"one", b"two")
    backup(tmp_path / "old", file)
    shutil.rmtree(tmp_path / "old")
    assert restore(data, file) == (
        f"restored 1 room, 2 messages, 2 files from {file}; there was none before it"
    )
    assert content(data / "files", one) == b"one"
    in_place(data, nothing)
    whole(data)
    assert names(data) == {"chat.db", "files", "lock", "secret"}
    assert on_disk(data / "files") == {one, two}


def test_a_restore_brings_back_what_was_deleted_and_keeps_what_has_come_since(
    tmp_path: Path,
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    deleted, stays = send(data, b"deleted", b"stays")
    backup(data, file)
    delete(data, deleted)
    (new,) = send(data, b"new")
    assert restore(data, file) == (
        f"restored 1 room, 2 messages, 2 files from {file}; the one before is in"
        f" {data}/chat.db.before-restore-1, its files in {data}/files.before-restore-1"
    )
    in_place(data, nothing)
    whole(data)
    assert content(data / "files", deleted) == b"deleted"
    assert on_disk(data / "files.before-restore-1") == {stays, new}
    assert restore(data, data / "chat.db.before-restore-1").startswith(
        "restored 1 room, 2 messages, 2 files from"
    )
    in_place(data, nothing)
    whole(data)
    assert content(data / "files", new) == b"new"
    assert on_disk(data / "files.before-restore-2") == {deleted, stays}


def test_a_database_alone_finds_its_files_where_they_are_and_says_which_it_lacks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    deleted, stays = send(data, b"deleted", b"stays")
    backup(data, file)
    shutil.rmtree(tmp_path / "saved.files")
    delete(data, deleted)
    assert "2 messages, 1 file (1 more cannot be found) from" in restore(data, file)
    in_place(data, nothing)
    assert on_disk(data / "files") == {stays}
    assert f"1 files are missing from {data / 'files'}, as {deleted}" in caplog.text


def test_a_restore_that_fails_leaves_no_files_behind(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    write(tmp_path / "other", *("x" * 500 for _ in range(200)))
    send(tmp_path / "other", b"other")
    backup(tmp_path / "other", file)
    (id,) = send(data, b"content")
    damage(file, 5000, 25_000)
    before = {path: path.stat().st_ino for path in data.rglob("*")}
    with pytest.raises(StoreError, match="nothing has changed"):
        restore(data, file)
    assert {path: path.stat().st_ino for path in data.rglob("*")} == before
    assert on_disk(data / "files") == {id}


def test_files_on_a_disk_of_their_own_are_told_before_anything_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot be renamed, and half a restore would be no way back."""
    data, file = tmp_path / "data", tmp_path / "saved"
    (id,) = send(data, b"content")
    backup(data, file)
    before = {path: path.stat().st_ino for path in data.rglob("*")}
    monkeypatch.setattr(os.path, "ismount", lambda path: path == data / "files")
    with pytest.raises(StoreError, match=r"nothing has changed: .*/files: .*: unmount it"):
        restore(data, file)
    assert {path: path.stat().st_ino for path in data.rglob("*")} == before
    assert on_disk(data / "files") == {id}


def test_a_restore_after_the_database_was_moved_away_loses_no_file(tmp_path: Path) -> None:
    """Its number is taken by an earlier restore; the files that are there are later ones."""
    data, file = tmp_path / "data", tmp_path / "saved"
    (one,) = send(data, b"one")
    backup(data, file)
    restore(data, file)
    (two,) = send(data, b"two")
    (data / "chat.db").rename(tmp_path / "moved")
    restore(data, file)
    assert on_disk(data / "files.before-restore-1") == {one}
    assert on_disk(data / "files.before-restore-2") == {one, two}
    assert on_disk(data / "files") == {one}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_files_that_root_restores_belong_to_the_one_who_runs_the_server(tmp_path: Path) -> None:
    """Those of the backup stay whose they are."""
    data, file = tmp_path / "data", tmp_path / "saved"
    (old,) = send(data, b"old")
    (new,) = send(tmp_path / "other", b"new")
    backup(tmp_path / "other", file)
    for path in (data, *data.rglob("*")):
        os.chown(path, 65534, 65534)
    restore(data, file)
    backup(data, None)
    owners = {str(path): path.stat().st_uid for path in (data, *data.rglob("*"))}
    assert set(owners.values()) == {65534}, owners
    assert {path.stat().st_uid for path in (tmp_path / "saved.files").rglob("*")} == {0}
    assert on_disk(data / "files") == {new}
    assert on_disk(data / "files.before-restore-1") == {old}


def test_a_copy_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    (id,) = send(data, b"content")
    shelf = tmp_path / "saved.files" / id[:2]
    shelf.mkdir(parents=True)
    for name in (id, secrets.token_urlsafe(16)):
        (shelf / f"{name}.part").write_bytes(b"con")
    backup(data, file)
    assert names(shelf) == {id}
