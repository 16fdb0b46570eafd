"""run.py before the chat itself: what an unsuitable Python is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def told(version: tuple[int, ...], *flags: str) -> tuple[int, str]:
    """What run.py says to a Python of this version: its exit code and its text."""
    script = f"import runpy, sys; sys.version_info = {version}; runpy.run_path('run.py')"
    command = [sys.executable, *flags, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout + done.stderr


def test_an_old_python_is_told_what_is_needed() -> None:
    assert told((3, 10, 12)) == (1, "chat: needs Python 3.11 or newer, this is 3.10\n")


def test_a_python_without_the_libraries_is_told_how_to_get_them() -> None:
    code, text = told((3, 11, 0), "-S")  # -S: without the folder that libraries are installed in
    assert code == 1
    assert text.startswith("chat: this Python has no ")
    assert "make run" in text
    assert text.count("\n") == 1
