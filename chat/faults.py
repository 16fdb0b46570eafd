"""Faults: a bug stays where it happened, and a fault is told once, then once a minute with a count.

A server that nobody watches must neither fall silent nor fill its disk with what it says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

log = logging.getLogger("chat")

MINUTE = 60.0  # seconds in which a line is written once
KINDS = 1000  # kinds of lines remembered; then all of them may be told anew


class OncePerMinute(logging.Filter):
    """Lets one line of a kind through a minute, and says in it how many were left out.

    Lines are of one kind when they come from one logger with one unformatted message.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[tuple[str, str], list[float]] = {}  # kind -> [when, left out since]

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to write this one."""
        kind, now = (record.name, str(record.msg)), self._clock()
        told = self._told.get(kind)
        if told is not None and now - told[0] < MINUTE:
            told[1] += 1
            return False
        if told is not None and told[1]:
            record.msg = f"{record.getMessage()} (and {told[1]:.0f} more like it)"
            record.args = ()
        if len(self._told) >= KINDS:
            self._told.clear()
        self._told[kind] = [now, 0]
        return True


def guarded(work: Callable[..., object], *arguments: object) -> None:
    """Do this; a bug in it is logged and keeps nothing else from being done."""
    try:
        work(*arguments)
    except Exception:
        log.exception("%s failed", getattr(work, "__qualname__", work))
