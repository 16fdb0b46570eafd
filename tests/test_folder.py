"""chat/datafolder.py: the data folder, its lock and its secret."""

from pathlib import Path

import pytest

from chat.datafolder import Folder, FolderError


def test_the_folder_and_the_secret_are_made_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    folder = Folder(path)
    assert path.stat().st_mode & 0o777 == 0o700
    assert (path / "secret").stat().st_mode & 0o777 == 0o600
    assert len(folder.secret) == 64
    folder.close()


def test_the_secret_stays_the_same_and_differs_between_folders(tmp_path: Path) -> None:
    secrets = []
    for name in ("one", "one", "two"):
        folder = Folder(tmp_path / name)
        secrets.append(folder.secret)
        folder.close()
    assert secrets[0] == secrets[1] != secrets[2]


def test_a_second_process_is_told_that_the_folder_is_in_use(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(FolderError, match="another server is using"):
        Folder(tmp_path)
    folder.close()
    Folder(tmp_path).close()


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).close()
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(FolderError, match="others can read"):
        Folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"\0" * 64])
def test_a_damaged_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    Folder(tmp_path).close()
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(FolderError, match="is damaged"):
        Folder(tmp_path)


def test_a_secret_half_written_in_a_power_cut_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret.part").write_bytes(b"abc")
    folder = Folder(tmp_path)
    assert len(folder.secret) == 64
    folder.close()


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderError, match="cannot use the data folder"):
        Folder(tmp_path / "file" / "data")


def test_a_folder_in_the_place_of_the_secret_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(FolderError, match=r"cannot use .*/secret: Is a directory"):
        Folder(tmp_path)


def test_a_folder_that_was_there_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.mkdir(mode=0o755)
    path.chmod(0o755)
    (path / "chat.db").touch()
    Folder(path).close()
    assert path.stat().st_mode & 0o777 == 0o700


def test_an_open_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "srv"
    path.mkdir()
    path.chmod(0o755)
    (path / "www").mkdir()
    with pytest.raises(FolderError, match="give --data a folder of its own"):
        Folder(path)
    assert path.stat().st_mode & 0o777 == 0o755
    assert [found.name for found in path.iterdir()] == ["www"]
