"""chat/log/blobs.py: what is under an id is whole, and what nobody knows goes."""

import os
import secrets
import stat
from pathlib import Path

import pytest

import chat.log.blobs
from chat.datafolder import FolderError
from chat.log.blobs import Blobs, blobs_in


def new(blobs: Blobs, content: bytes = b"content", age: float = 0) -> str:
    """A file that was kept so many seconds ago; its id."""
    id = secrets.token_urlsafe(16)
    blobs.part(id).write_bytes(content)
    blobs.keep(id)
    if age:
        written = blobs.path(id).stat().st_mtime - age
        os.utime(blobs.path(id), (written, written))
    return id


def ids(blobs: Blobs) -> set[str]:
    """What is there."""
    return {path.name for path in blobs_in(blobs.folder)}


def test_the_folder_is_made_closed_to_others_and_so_is_what_is_kept(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "files")
    id = secrets.token_urlsafe(16)
    blobs.part(id).write_bytes(b"content")
    blobs.part(id).chmod(0o644)
    blobs.keep(id)
    assert blobs.path(id) == tmp_path / "files" / id[:2] / id
    assert blobs.path(id).read_bytes() == b"content"
    assert not blobs.part(id).exists()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_a_folder_that_others_could_look_into_is_closed(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files").chmod(0o755)
    Blobs(tmp_path / "files")
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


def test_what_was_being_sent_is_gone_at_the_next_start_and_what_was_kept_is_not(
    tmp_path: Path,
) -> None:
    blobs = Blobs(tmp_path)
    id = new(blobs)
    blobs.part(secrets.token_urlsafe(16)).write_bytes(b"half")
    again = Blobs(tmp_path)
    assert not list((tmp_path / "part").iterdir())
    assert ids(again) == {id}


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "files").touch()
    with pytest.raises(FolderError, match=r"cannot use .*/files: File exists"):
        Blobs(tmp_path / "files")


def test_what_is_kept_is_synced_with_every_folder_that_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each under its last name, before `keep` returns; also in a folder that a kill has left."""
    blobs = Blobs(tmp_path)
    synced: list[Path] = []

    def fsync(opened: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{opened}")))

    monkeypatch.setattr(os, "fsync", fsync)
    id = "ab" + secrets.token_urlsafe(15)
    (tmp_path / "ab").mkdir()
    for wanted in ([blobs.part(id), tmp_path / "ab", tmp_path], [blobs.part(id), tmp_path / "ab"]):
        blobs.part(id).write_bytes(b"content")
        blobs.keep(id)
        assert synced == wanted
        synced.clear()


def test_what_is_dropped_is_gone_and_what_is_gone_can_be_dropped(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    gone, stays = new(blobs), new(blobs)
    blobs.drop([gone, secrets.token_urlsafe(16)])
    blobs.drop([gone])
    assert ids(blobs) == {stays}


def test_what_cannot_be_removed_keeps_nothing_else_from_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = Blobs(tmp_path)
    stuck, gone = new(blobs), new(blobs)
    blobs.path(stuck).unlink()
    blobs.path(stuck).mkdir()
    blobs.drop([stuck, gone])
    assert blobs.sweep({gone}, 0) == (0, 0)
    assert not blobs.path(gone).exists()
    assert "could not be removed" in caplog.text


def test_a_sweep_takes_what_nobody_knows_once_it_is_old_enough(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    known, old, fresh = new(blobs, age=9000), new(blobs, b"12345", age=9000), new(blobs)
    part = blobs.part(secrets.token_urlsafe(16))
    part.write_bytes(b"half")
    assert blobs.sweep({known}, 3600) == (1, 5)
    assert ids(blobs) == {known, fresh}
    assert blobs.sweep({known}, 0) == (1, 7)
    assert ids(blobs) == {known}
    assert part.exists()
    assert not blobs.path(old).exists()


def test_a_sweep_passes_over_what_is_dropped_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path)
    dropped, stray = new(blobs), new(blobs)
    there = [blobs.path(dropped), blobs.path(stray)]
    blobs.drop([dropped])
    monkeypatch.setattr(chat.log.blobs, "blobs_in", lambda folder: iter(there))
    assert blobs.sweep(set(), 0) == (1, 7)


def test_a_sweep_leaves_alone_what_is_not_ours(tmp_path: Path) -> None:
    """On a disk of its own there is a `lost+found`; and people put things in the oddest places."""
    blobs = Blobs(tmp_path)
    others = [tmp_path / "lost+found" / secrets.token_urlsafe(16), tmp_path / "ab" / "notes.txt"]
    for path in others:
        path.parent.mkdir()
        path.touch()
    assert blobs.sweep(set(), 0) == (0, 0)
    assert all(path.exists() for path in others)


@pytest.mark.parametrize("id", ["../../secret", "", "a" * 21, "a" * 23, "/" * 22, "a" * 21 + "\n"])
def test_an_id_is_never_a_way_out_of_the_folder(tmp_path: Path, id: str) -> None:
    blobs = Blobs(tmp_path)
    for ask in (blobs.part, blobs.path):
        with pytest.raises(ValueError, match="no id of a file"):
            ask(id)
