"""Commits: the writer thread. One transaction for all that waits, told only once it is on disk.

What breaks a rule is refused alone; a commit of which nothing was kept is refused whole; only one
whose outcome is unknown ends the process. So does the thread if it ends unasked.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, NoReturn

from chat.log.database import BUSY
from chat.log.operations import Operation
from chat.log.writer import Writer
from chat.wire.codes import Refusal

log = logging.getLogger("chat.store")

Outcome = Callable[[Any], None]  # is given what the write returned, or the Refusal
Job = tuple[Operation, Outcome]
Settled = list[tuple[Outcome, Any]]

BATCH = 512  # writes in one transaction
RETRY = 2_000  # milliseconds until a write refused by the disk is worth trying again
TRUNCATE = 1.0  # seconds between two tries to empty the journal of what was erased

# What the disk has no room for was not kept (a quota and a limit on file sizes are errors of
# writing); a file that cannot be synced, or a damaged one, may have kept anything.
_KEPT_NOTHING = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_FULL: "full",
    sqlite3.SQLITE_IOERR_WRITE: "full",
    sqlite3.SQLITE_IOERR_SHMSIZE: "full",
}
_OF_THE_COMMIT = {  # primary codes that say nothing of the one write that met them
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PROTOCOL,
}


class _Ended(BaseException):
    """The process is over; only where a test has it live on is this ever caught."""


class Commits:
    """Owns the connection that writes, from `start` to `finish`, on a thread of its own."""

    def __init__(
        self,
        db: sqlite3.Connection,
        max_rooms: int,
        die: Callable[[int], Any],
        drop: Callable[[Sequence[str]], object],
    ) -> None:
        """`die` ends the process; `drop` removes the bytes of files that are no more."""
        self._db = db
        self._writer = Writer(db, max_rooms)
        self._die = die
        self._drop = drop
        self._queue: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._tell: Callable[[Settled], object]
        self._erased = False  # the journal still holds what was deleted
        self._truncated = 0.0  # when it was last tried to empty it

    # -- from the event loop

    def start(self, tell: Callable[[Settled], object]) -> None:
        """Start the thread, which gives the outcomes of each commit to `tell`."""
        self._tell = tell
        self._thread.start()

    def put(self, jobs: list[Job]) -> None:
        """Do these in the next commit."""
        self._queue.put(jobs)

    def finish(self) -> None:
        """Commit what was put, and wait until the thread has ended."""
        self._queue.put(None)
        self._thread.join()

    # -- on the thread

    def _run(self) -> None:
        try:
            while (jobs := self._next()) is not None:
                more = self._gather(jobs)
                self._tell(self._commit(self._writer, jobs))
                self._erased |= self._writer.things.erased
                self._writer.things.erased = False
                if gone := self._writer.files.gone():
                    self._drop(gone)
                if not more:
                    break
                self._truncate()
        except _Ended:
            pass
        except BaseException as error:
            with contextlib.suppress(_Ended):
                self._end(error)

    def _next(self) -> list[Job] | None:
        """The next writes; meanwhile the journal is emptied of what was erased."""
        while self._erased:
            try:
                wait = self._truncated + TRUNCATE - monotonic()
                return self._queue.get(timeout=max(0.0, wait))
            except queue.Empty:
                self._truncate()
        return self._queue.get()

    def _gather(self, jobs: list[Job]) -> bool:
        """Add what waits behind them; False if it is the last there will be."""
        while len(jobs) < BATCH:
            try:
                more = self._queue.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return False
            jobs += more
        return True

    def _truncate(self) -> None:
        """Empty the journal, unless a reader is in the way: that one is not waited for."""
        if not self._erased or monotonic() - self._truncated < TRUNCATE:
            return
        try:
            self._db.execute("PRAGMA busy_timeout = 0")
            (busy, _, _) = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._erased = bool(busy)
        except sqlite3.OperationalError as error:  # tried again: nothing is lost by it
            log.warning("the journal could not be emptied: %s", error)
        finally:
            self._db.execute(f"PRAGMA busy_timeout = {BUSY}")
            self._truncated = monotonic()

    def _commit(self, writer: Writer, jobs: Sequence[Job]) -> Settled:
        """One transaction for all of them: what each returned, or why it was refused."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            settled = [(done, self._do(writer, op)) for op, done in jobs]
            writer.heads.save()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = self._rollback(writer, error)
            settled = [(done, failure) for _, done in jobs]
        return settled

    def _do(self, writer: Writer, op: Operation) -> Any:
        """One write within the transaction. One that is refused or breaks a rule is undone alone.

        Raises sqlite3.Error where the whole transaction is in doubt.
        """
        self._db.execute("SAVEPOINT job")
        writer.heads.begin()
        try:
            outcome = writer.do(op)
        except Refusal as refusal:
            self._undo(writer)
            outcome = refusal
        except Exception as error:
            if code_of(error) in _OF_THE_COMMIT or not self._db.in_transaction:
                raise
            self._undo(writer)
            log.exception("a write was refused, it broke a rule")
            outcome = Refusal("failed")
        self._db.execute("RELEASE job")
        return outcome

    def _undo(self, writer: Writer) -> None:
        self._db.execute("ROLLBACK TO job")
        writer.undo()

    def _rollback(self, writer: Writer, error: sqlite3.Error) -> Refusal:
        """Nothing of the transaction is kept: say so, or end if that cannot be known."""
        code = _KEPT_NOTHING.get(getattr(error, "sqlite_errorcode", 0) or 0)
        code = code or _KEPT_NOTHING.get(code_of(error))
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            code = None
        if code is None:
            self._end(error)
        writer.forget()
        log.warning("a commit failed, nothing was confirmed: %s", error)
        return Refusal(code, RETRY)

    def end(self, reason: str, error: BaseException) -> NoReturn:
        """End the process; from any thread."""
        log.critical("%s, ending: %r", reason, error)
        self._die(3)
        raise _Ended

    def _end(self, error: BaseException) -> NoReturn:
        # An fsync that failed may have kept or lost the transaction, and asking again does not
        # tell (the kernel forgets the error). A fresh start reads what is there; retries are safe.
        self.end("the outcome of a commit is unknown", error)


def code_of(error: BaseException) -> int:
    """SQLite's primary result code; 0 for an error that is not SQLite's (Python's have none)."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
