"""Everything that survives a restart: one SQLite file, one writer thread, one reader.

Writes that arrive while a commit is under way share the next one (group commit) and are answered
only after it is on disk (WAL, synchronous=FULL). Knows no sockets and no rooms in memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from chat.log.commits import RETRY, Commits, Job, Outcome, Settled, code_of
from chat.log.database import StoreError, close_database, open_database, open_for_reading
from chat.log.operations import Operation
from chat.log.reader import Asked, Page, changed, changed_last, page, standings, users
from chat.log.things import PAGE, Rows, User
from chat.turn import QuietTurn
from chat.wire.codes import Refusal
from chat.wire.protocol import Settings

T = TypeVar("T")
P = ParamSpec("P")
log = logging.getLogger("chat.store")

QUEUE = 4096  # writes waiting; beyond it they are refused as `busy`
CROWDED = 500  # milliseconds until the queue has shrunk


def awaited() -> tuple[asyncio.Future[Any], Outcome]:
    """A future, and the Outcome that settles it."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def done(outcome: Any) -> None:
        if future.cancelled():
            return
        if isinstance(outcome, Refusal):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    return future, done


def nobody_waits(outcome: object) -> None:
    """The outcome of what is done again the next time, if it was refused now."""


class Store:
    """The database. Writes go through `write`, reads are awaited; neither holds up the loop."""

    def __init__(
        self,
        path: Path,
        *,
        max_rooms: int = 1000,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        die: Callable[[int], Any] = os._exit,
        drop: Callable[[Sequence[str]], object] = lambda ids: None,
    ) -> None:
        """Open or create the database. Raises StoreError. `die` ends the process; `drop` is told on
        the writer's thread which files are no more."""
        self._path = path
        try:
            self._db = open_database(path, factory)
            meta = dict(self._db.execute("SELECT key, value FROM meta"))
        except OSError as error:
            raise StoreError(f"cannot open {error.filename}: {error.strerror}") from error
        except sqlite3.Error as error:
            raise StoreError(f"cannot open {path}: {error}") from error
        self.epoch = str(meta["epoch"])
        # The room at `/`, and what it is called while nobody has spoken in it; as of the start.
        self.house = meta.get("house", "lobby"), meta.get("house_title", "lobby")
        self._commits = Commits(self._db, max_rooms, die, drop)
        self._waiting: list[Job] = []
        self._turn = QuietTurn(lambda: len(self._waiting), self._hand_over)
        self._unsettled = 0
        self.settled: Callable[[], None] = lambda: None  # called after the outcomes of a commit
        self._closed = False
        self._reader = ThreadPoolExecutor(1, "reader")
        self._read_db: sqlite3.Connection | None = None

    # -- reading at start, before the event loop runs

    def standings(self) -> dict[str, tuple[int, int, Settings]]:
        """Every room: its rev, its floor and its settings."""
        return self.at_start(standings)

    def users(self) -> list[User]:
        """Everyone who holds a name."""
        return self.at_start(users)

    def at_start(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Read over a connection of its own: the other one is the writer's."""
        with closing(open_for_reading(self._path)) as db:
            return work(db)

    @property
    def busy(self) -> bool:
        """Whether anything is being saved."""
        return self._unsettled > 0

    # -- writing

    def start(self) -> None:
        """Start the writer. Call it on the event loop that is to be told the outcomes."""
        loop = asyncio.get_running_loop()
        self._commits.start(lambda settled: loop.call_soon_threadsafe(self._settle, settled))

    def write(self, op: Operation, done: Outcome) -> None:
        """Do this in the next transaction; after its commit call `done` with what the Writer
        returned.

        `done` is given a Refusal if it was one, or if nothing could be saved.
        """
        if self._closed or self._unsettled >= QUEUE:
            done(Refusal("closing", RETRY) if self._closed else Refusal("busy", CROWDED))
            return
        self._unsettled += 1
        self._waiting.append((op, done))
        if len(self._waiting) == 1:
            self._turn.begin()

    def wrote(
        self, op: Operation, then: Callable[[Any], object] = lambda outcome: None
    ) -> asyncio.Future[Any]:
        """`write` for a coroutine: the future holds the result or raises the Refusal. `then` is
        given the result at once, before anything else is told, whether or not anybody waits."""
        future, answer = awaited()

        def done(outcome: Any) -> None:
            if not isinstance(outcome, Refusal):
                then(outcome)
            answer(outcome)

        self.write(op, done)
        return future

    async def close(self) -> None:
        """Finish every write that was accepted, tell its outcome, and close the database.

        Whoever still reads is answered; whoever asks from now on is refused as `closing`.
        """
        self._closed = True
        self._hand_over()
        await asyncio.to_thread(
            self._commits.finish
        )  # its last outcomes are told before this returns
        await self._in_reader(lambda db: db.close())
        self._reader.shutdown()
        close_database(self._db)

    def _hand_over(self) -> None:
        if self._waiting:
            self._commits.put(self._waiting)
            self._waiting = []

    def _settle(self, settled: Settled) -> None:
        self._unsettled -= len(settled)
        for done, outcome in settled:
            try:
                done(outcome)
            except Exception:  # one peer's bug must not keep the others from their confirmation
                log.exception("telling the outcome of a write failed")
        self.settled()

    # -- reading, off the event loop

    # A page has at most `count` rows and `size` bytes, and at least one row.

    async def newest(self, room: str, count: int, size: int = PAGE) -> Rows:
        """What changed last, by growing rev."""
        return await self.read(changed_last, room, count, size)

    async def changes(self, room: str, after: int, upto: int, count: int) -> Rows:
        """What has after < rev <= upto, by growing rev: what was missed."""
        return await self.read(changed, room, after, upto, count)

    async def page(self, room: str, asked: Asked) -> Page:
        """A part of the history, and where the room stood in the same moment."""
        return await self.read(page, room, asked)

    async def read(
        self, ask: Callable[Concatenate[sqlite3.Connection, P], T], *about: P.args, **more: P.kwargs
    ) -> T:
        """What this query finds beside the log."""
        if self._closed:
            raise Refusal("closing", RETRY)
        return await self._in_reader(lambda db: ask(db, *about, **more))

    async def _in_reader(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            if self._read_db is None:
                self._read_db = open_for_reading(self._path)
            try:
                return work(self._read_db)
            except sqlite3.DatabaseError as error:
                if code_of(error) == sqlite3.SQLITE_CORRUPT:
                    self._commits.end("the database is damaged, the next start checks it", error)
                raise

        return await asyncio.get_running_loop().run_in_executor(self._reader, run)
