"""A kill before any one step on the disk of what is being done."""

from __future__ import annotations

import os
import shutil
import signal
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

STEPS = (
    *("mkdir", "rmdir", "rename", "replace", "link", "unlink"),
    *("fsync", "ftruncate", "chown"),
)


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
        def step(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return step

    for name in STEPS:
        setattr(os, name, watched(getattr(os, name)))
