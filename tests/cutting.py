"""A kill before any one step on the disk of what is being done."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

TRANSACTION = ("BEGIN IMMEDIATE", "COMMIT")
STEPS = (
    *("mkdir", "rmdir", "rename", "replace", "link", "unlink"),
    *("fsync", "ftruncate", "chown"),
)


class Disk(sqlite3.Connection):
    """A database whose transactions begin and end in steps of their own."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
        """There is a step before it, and the next one is after it."""
        if sql in TRANSACTION:
            step()
        return super().execute(sql, *parameters)


_left: list[int] = []  # how many steps there are before the kill; empty where there is none


def step() -> None:
    """A moment to be killed at."""
    if _left:
        if not _left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        _left[0] -= 1


def cuts(begin: Path, work: Callable[[Path], object]) -> Iterator[Path]:
    """Do this to copies of a folder, each time killed one step later than the time before, up to
    the time that it comes to its end; the copies as that leaves them."""
    for number in count():
        copy = begin.with_name(f"{begin.name}-{number}")
        shutil.copytree(begin, copy)
        ended = _cut(number, work, copy)
        yield copy
        if ended:
            break


def _cut(number: int, work: Callable[[Path], object], place: Path) -> bool:
    """Do this in a process that is killed just before the step of this number."""
    child = os.fork()
    if not child:
        try:
            _watch(number)
            work(place)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code == 0


def _watch(left: int) -> None:
    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*arguments: Any, **options: Any) -> Any:
            step()
            return call(*arguments, **options)

        return stepped

    _left.append(left)
    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))
