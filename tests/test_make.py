"""The Makefile: what is missing is said in one line, and nothing half made is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OLD = f"""exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 12); $2" """
WITHOUT_VENV = f"""case "$2" in *ensurepip*) exit 1;; esac
exec {sys.executable} "$@" """
CUT_SHORT = f"""case "$2" in venv) mkdir -p .venv/bin; touch .venv/bin/pip; exit 1;; esac
exec {sys.executable} "$@" """

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is missing")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone, as far as make looks at it."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def make(clone: Path, *words: str, python: str = "") -> tuple[int, list[str]]:
    """The exit code, and what was printed that is not make's own; `python` is a shell script."""
    if python:
        (clone / "python").write_text(f"#!/bin/sh\n{python}\n")
        (clone / "python").chmod(0o755)
        words = (*words, "PYTHON=./python")
    done = subprocess.run(
        ["make", *words],
        cwd=clone, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    lines = (done.stdout + done.stderr).splitlines()
    return done.returncode, [line for line in lines if not line.startswith(("make:", "./python"))]


@pytest.mark.parametrize(
    ("python", "told"),
    [
        (OLD, ["needs Python 3.11 or newer, this is 3.10"]),
        (WITHOUT_VENV, ["Python's venv is missing: sudo apt install python3-venv"]),
        (CUT_SHORT, []),
    ],
    ids=["old", "without venv", "cut short"],
)
def test_a_python_that_will_not_do_leaves_no_half_made_folder(
    clone: Path, python: str, told: list[str]
) -> None:
    code, lines = make(clone, "run", python=python)
    assert code == 2
    assert lines == told
    assert not (clone / ".venv").exists()


def test_a_machine_without_python_is_told_what_to_install(clone: Path) -> None:
    code, lines = make(clone, "run", "PYTHON=no-such-python")
    assert code == 2
    assert lines == ["no-such-python is missing: sudo apt install python3 python3-venv"]


def test_an_environment_whose_python_has_gone_is_made_again(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "run").touch()
    (clone / ".venv" / "bin" / "python").symlink_to("/usr/bin/python-of-the-last-release")
    _, lines = make(clone, "-n", "run")
    assert not (clone / ".venv").exists()
    assert any(line.startswith("python3 -m venv .venv") for line in lines)


def test_the_port_is_a_word_away(clone: Path) -> None:
    assert make(clone, "-n", "run", "PORT=8001")[1][-1].endswith("run.py --port=8001")
