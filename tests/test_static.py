"""chat/web/static.py: the files of the page are those of the start."""

from pathlib import Path

import pytest

from chat.web.static import STYLES, Files

WORDS = {"you": "You"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page's files, small."""
    for name in STYLES:
        (tmp_path / "css").mkdir(exist_ok=True)
        (tmp_path / "css" / f"{name}.css").write_text(f".{name} {{}}")
    (tmp_path / "main.js").write_text("old")
    (tmp_path / "notes.md").write_text("for nobody")
    return tmp_path


def test_a_file_changed_after_the_start_is_not_served(folder: Path) -> None:
    """Half of a new version under the address of the old one, to be kept for a year."""
    files = Files(folder, WORDS)
    (folder / "main.js").write_text("new")
    file = files.get("main.js")
    assert file is not None
    assert file.plain == b"old"


def test_another_content_has_another_address(folder: Path) -> None:
    before = Files(folder, WORDS).build
    assert Files(folder, WORDS).build == before
    (folder / "main.js").write_text("new")
    assert Files(folder, WORDS).build != before


def test_only_files_of_a_page_are_served(folder: Path) -> None:
    files = Files(folder, WORDS)
    assert files.get("css/app.css") is not None
    for path in ("notes.md", "css", "", "../main.js", "/main.js", "main.js\0"):
        assert files.get(path) is None
