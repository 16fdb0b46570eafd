"""A server with a bug: each write is confirmed before its COMMIT.

`python tests/early.py` is run.py with it, on a disk that is slow.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import chat.app
from chat.log.commits import Commits, Outcome
from chat.log.operations import Operation
from chat.log.store import Store
from chat.log.writer import Writer
from chat.main import main
from chat.wire.codes import Refusal


class Early(Commits):
    """Tells the outcome of a write as soon as it has been written, before COMMIT."""

    slow = 0.0  # seconds that a write takes

    def _commit(self, writer: Writer, jobs: Any) -> list[tuple[Outcome, Any]]:
        self.told = {id(op): done for op, done in jobs}
        return [(done, o) for done, o in super()._commit(writer, jobs) if isinstance(o, Refusal)]

    def _do(self, writer: Writer, op: Operation) -> Any:
        outcome = super()._do(writer, op)
        if not isinstance(outcome, Refusal):
            self._tell([(self.told[id(op)], outcome)])
        time.sleep(self.slow)
        return outcome


class ConfirmsBeforeCommit(Store):
    """The store with such commits."""

    def start(self) -> None:
        """Start with the other commits."""
        self._commits.__class__ = Early
        super().start()


if __name__ == "__main__":
    Early.slow = 0.02
    chat.app.Store = ConfirmsBeforeCommit  # type: ignore[misc]
    sys.exit(main())
