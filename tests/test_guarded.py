"""chat/faults.py: a bug stays where it happened, and a fault is told once a minute."""

import logging

import pytest

from chat.faults import KINDS, OncePerMinute, guarded


class Lines(logging.Handler):
    """Keeps the lines it is given."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.addFilter(OncePerMinute(lambda: now[0]))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it as it would be written."""
        self.lines.append(self.format(record))


def log_to(lines: Lines) -> logging.Logger:
    log = logging.Logger("a logger of this test")
    log.addHandler(lines)
    return log


def test_a_fault_that_goes_on_is_told_once_and_then_once_a_minute_with_a_count() -> None:
    now = [1000.0]
    lines = Lines(now)
    log = log_to(lines)
    for number in range(3600):
        log.warning("a commit failed: %s", f"disk full {number}")
    log.warning("another fault")
    now[0] += 61
    log.warning("a commit failed: %s", "disk full at last")
    now[0] += 61
    log.warning("a commit failed: %s", "once more")
    assert lines.lines == [
        "a commit failed: disk full 0",
        "another fault",
        "a commit failed: disk full at last (and 3599 more like it)",
        "a commit failed: once more",
    ]


def test_what_is_remembered_of_lines_is_bounded() -> None:
    lines = Lines([0.0])
    log = log_to(lines)
    for number in range(2 * KINDS):
        log.warning(f"a line of its own kind {number}")
    assert len(lines.lines) == 2 * KINDS
    (once,) = lines.filters
    assert isinstance(once, OncePerMinute)
    assert len(once._told) <= KINDS


def test_a_bug_in_guarded_work_is_told_and_goes_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(number: int) -> None:
        raise LookupError(number)

    guarded(broken, 7)
    assert "broken failed" in caplog.text
    assert "LookupError: 7" in caplog.text
