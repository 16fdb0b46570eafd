"""Everything that survives a restart: one SQLite file, one writer thread, one reader.

Writes that arrive while a commit is under way share the next one (group commit) and are answered
only after it is on disk (WAL, synchronous=FULL). Knows no sockets and no rooms in memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import sqlite3
import threading
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from chat.database import StoreError, open_database
from chat.protocol import Message, Refusal

T = TypeVar("T")
log = logging.getLogger("chat.store")

QUEUE = 4096  # writes waiting; beyond it they are refused as `busy`
HOPS = 3  # turns of the loop a commit waits at most for more to join it
BATCH = 512  # writes in one transaction
RETRY = 2_000  # milliseconds until a write refused by the disk is worth trying again
CROWDED = 500  # milliseconds until the queue has shrunk

_ROW = "id, rev, author, cid, name, color, at, text, edited, deleted, sum, room"
_ROOM = "room = (SELECT id FROM rooms WHERE name = ?)"


class _Ended(Exception):
    """The process is over; only where a test has it live on is this ever caught."""


@dataclass(frozen=True, slots=True)
class User:
    """A person with a name. `seen` is in UTC milliseconds."""

    id: str
    name: str
    skeleton: str
    color: int
    seen: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that has no id yet. `at` is in UTC milliseconds."""

    room: str
    author: str
    cid: str | None
    name: str
    color: int
    at: int
    text: str


Outcome = Callable[[Any], None]  # is given what the write returned, or the Refusal


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


class Store:
    """The database. Writes go through `write`, reads are awaited; neither holds up the loop."""

    def __init__(
        self,
        path: Path,
        *,
        max_rooms: int = 1000,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        die: Callable[[int], Any] = os._exit,
    ) -> None:
        """Open or create the database. Raises StoreError. `die` ends the process."""
        self._path = path
        self._die = die
        self._max_rooms = max_rooms
        try:
            self._db = open_database(path, factory)
            self.epoch = str(
                self._db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0]
            )
        except sqlite3.Error as error:
            raise StoreError(f"cannot open {path}: {error}") from error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[Callable[[Writer], Any], Outcome]] = []
        self._unsettled = 0
        self.settled: Callable[[], None] = lambda: None  # called after the outcomes of a commit
        self._closed = False
        self._queue: queue.SimpleQueue[list[tuple[Callable[[Writer], Any], Outcome]] | None]
        self._queue = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._reader = ThreadPoolExecutor(1, "reader")
        self._read_db: sqlite3.Connection | None = None

    # -- reading at start, before the event loop runs

    def heads(self) -> dict[str, int]:
        """Every room and its rev."""
        return dict(self._db.execute("SELECT name, rev FROM rooms"))

    def users(self) -> list[User]:
        """Everyone who holds a name."""
        rows = self._db.execute(
            "SELECT id, name, skeleton, color, seen FROM users WHERE skeleton IS NOT NULL"
        )
        return [User(*row) for row in rows]

    @property
    def busy(self) -> bool:
        """Whether anything is being saved."""
        return self._unsettled > 0

    # -- writing

    def start(self) -> None:
        """Start the writer. Call it on the event loop that is to be told the outcomes."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def write(self, work: Callable[[Writer], Any], done: Outcome) -> None:
        """Do `work` in the next transaction; after its commit call `done` with what it returned.

        `done` is given a Refusal if the work raised one, or if nothing could be saved.
        """
        if self._closed or self._unsettled >= QUEUE:
            done(Refusal("closing", RETRY) if self._closed else Refusal("busy", CROWDED))
            return
        self._unsettled += 1
        self._waiting.append((work, done))
        if len(self._waiting) == 1:
            assert self._loop is not None
            self._loop.call_soon(self._hop, 1, 0)

    def wrote(self, work: Callable[[Writer], T]) -> asyncio.Future[T]:
        """`write` for a coroutine: the future holds the result or raises the Refusal."""
        future, done = awaited()
        self.write(work, done)
        return future

    async def close(self) -> None:
        """Finish every write that was accepted, tell its outcome, and close the database."""
        self._closed = True
        self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)  # its last outcomes are told before this returns
        await self._read(lambda db: db.close())
        self._reader.shutdown()
        self._db.close()

    def _hop(self, count: int, hops: int) -> None:
        """Wait for a turn of the loop that brings nothing new, then start the commit."""
        waiting = len(self._waiting)
        if waiting > count and hops < HOPS:
            assert self._loop is not None
            self._loop.call_soon(self._hop, waiting, hops + 1)
        else:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    def _run(self) -> None:
        assert self._loop is not None
        writer = Writer(self._db, self._max_rooms)
        closing_down = False
        while not closing_down:
            jobs = self._queue.get()
            if jobs is None:
                return
            while len(jobs) < BATCH:
                try:
                    more = self._queue.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    closing_down = True
                    break
                jobs += more
            try:
                settled = self._commit(writer, jobs)
            except _Ended:
                return
            self._loop.call_soon_threadsafe(self._settle, settled)

    def _commit(
        self, writer: Writer, jobs: Sequence[tuple[Callable[[Writer], Any], Outcome]]
    ) -> list[tuple[Outcome, Any]]:
        settled: list[tuple[Outcome, Any]] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for work, done in jobs:
                try:
                    settled.append((done, work(writer)))
                except Refusal as refusal:
                    settled.append((done, refusal))
            writer.save_heads()
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            failure = self._rollback(writer, error)
            settled = [(done, failure) for _, done in jobs]
        except Exception as error:
            self._end(error)
        return settled

    def _rollback(self, writer: Writer, error: sqlite3.OperationalError) -> Refusal:
        """Nothing of the transaction is kept: say so, or end if that cannot be known."""
        codes = {sqlite3.SQLITE_BUSY: "busy", sqlite3.SQLITE_FULL: "full"}
        code = codes.get((error.sqlite_errorcode or 0) & 0xFF)
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            code = None
        if code is None:
            self._end(error)
        writer.forget_heads()
        log.warning("a commit failed, nothing was confirmed: %s", error)
        return Refusal(code, RETRY)

    def _end(self, error: Exception) -> NoReturn:
        # An fsync that failed may have kept or lost the transaction, and asking again does not
        # tell (the kernel forgets the error). A fresh start reads what is there; retries are safe.
        log.critical("the outcome of a commit is unknown, ending: %r", error)
        self._die(3)
        raise _Ended

    def _settle(self, settled: list[tuple[Outcome, Any]]) -> None:
        self._unsettled -= len(settled)
        for done, outcome in settled:
            try:
                done(outcome)
            except Exception:  # one peer's bug must not keep the others from their confirmation
                log.exception("telling the outcome of a write failed")
        self.settled()

    # -- reading, off the event loop

    async def newest(self, room: str, count: int) -> list[Message]:
        """The `count` rows that changed last, by growing rev."""
        rows = await self._rows(
            f"SELECT {_ROW} FROM messages WHERE {_ROOM} ORDER BY rev DESC LIMIT ?", room, count
        )
        return rows[::-1]

    async def changes(self, room: str, after: int, upto: int, count: int) -> list[Message]:
        """Rows with after < rev <= upto by growing rev, at most `count`: what was missed."""
        return await self._rows(
            f"SELECT {_ROW} FROM messages WHERE {_ROOM} AND rev > ? AND rev <= ?"
            " ORDER BY rev LIMIT ?",
            room,
            after,
            upto,
            count,
        )

    async def before(self, room: str, id: int, count: int) -> list[Message]:
        """The `count` messages that stand just before `id`, deleted ones left out."""
        rows = await self._rows(
            f"SELECT {_ROW} FROM messages WHERE {_ROOM} AND id < ? AND NOT deleted"
            " ORDER BY id DESC LIMIT ?",
            room,
            id,
            count,
        )
        return rows[::-1]

    async def after(self, room: str, id: int, count: int) -> list[Message]:
        """The `count` messages that stand just after `id`, deleted ones left out."""
        return await self._rows(
            f"SELECT {_ROW} FROM messages WHERE {_ROOM} AND id > ? AND NOT deleted"
            " ORDER BY id LIMIT ?",
            room,
            id,
            count,
        )

    async def _rows(self, sql: str, *parameters: object) -> list[Message]:
        def read(db: sqlite3.Connection) -> list[Message]:
            return [_message(row) for row in db.execute(sql, parameters)]

        return await self._read(read)

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            if self._read_db is None:
                self._read_db = sqlite3.connect(
                    f"{self._path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
                )
            return work(self._read_db)

        return await asyncio.get_running_loop().run_in_executor(self._reader, run)


class Writer:
    """What may be done inside a transaction. Lives on the writer thread; each method is one change.

    Owns the rooms' revs of the transaction: the next rev is given here and nowhere else.
    """

    def __init__(self, db: sqlite3.Connection, max_rooms: int) -> None:
        self._db = db
        self._max_rooms = max_rooms
        self._heads: dict[str, list[int]] = {}  # room -> [its id, its rev]
        self._moved: set[str] = set()

    def append(self, draft: Draft) -> tuple[Message, bool]:
        """Store a message; a retry (same author and cid) answers with the one that is there.

        The flag says whether it is new. Raises Refusal cid_reused or too_many_rooms.
        """
        if draft.cid is not None and (old := self._find(draft.author, draft.cid)) is not None:
            message, room = old
            said = message.deleted or message.edited or message.text == draft.text
            if room != self._room(draft.room)[0] or not said:
                raise Refusal("cid_reused")
            return message, False
        head = self._room(draft.room)
        rev = head[1] + 1
        message = Message(
            rev, rev, draft.author, draft.name, draft.color, draft.at, draft.text, draft.cid
        )
        self._db.execute(
            "INSERT INTO messages (room, id, rev, author, cid, name, color, at, text, edited,"
            " deleted, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?)",
            (
                head[0], rev, rev, draft.author, draft.cid, draft.name, draft.color, draft.at,
                draft.text, _checksum(head[0], message),
            ),
        )  # fmt: skip
        head[1] = rev
        self._moved.add(draft.room)
        return message, True

    def change(
        self, room: str, author: str, id: int, text: str | None, at: int
    ) -> tuple[Message, bool]:
        """Give a message another text, or none: deleted. Doing it again changes nothing.

        Raises Refusal not_found, not_yours or deleted.
        """
        row = self._db.execute(
            f"SELECT {_ROW} FROM messages WHERE {_ROOM} AND id = ?", (room, id)
        ).fetchone()
        if row is None:
            raise Refusal("not_found")
        old = _message(row)
        if old.user != author:
            raise Refusal("not_yours")
        if old.deleted and text is not None:
            raise Refusal("deleted")
        if old.deleted or (old.text == text and not old.damaged):
            return old, False
        head = self._room(room)
        rev = head[1] + 1
        edited = old.edited if text is None else at
        new = Message(
            rev, id, old.user, old.name, old.color, old.at, text or "", old.cid, edited,
            deleted=text is None,
        )  # fmt: skip
        self._db.execute(
            "UPDATE messages SET rev = ?, text = ?, edited = ?, deleted = ?, sum = ?"
            " WHERE room = ? AND id = ?",
            (rev, new.text, edited, new.deleted, _checksum(head[0], new), head[0], id),
        )
        head[1] = rev
        self._moved.add(room)
        return new, True

    def save_user(self, user: User) -> None:
        """Store a new person, a new name, or when a person was last seen."""
        self._db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, skeleton = excluded.skeleton,"
            " seen = excluded.seen",
            (user.id, user.name, user.skeleton, user.color, user.seen),
        )

    def free_user(self, id: str, at: int) -> None:
        """This person signed out or was away for too long: the name is free again."""
        self._db.execute("UPDATE users SET skeleton = NULL, gone = ? WHERE id = ?", (at, id))

    def save_heads(self) -> None:
        """Write the revs of the rooms that moved, once a transaction."""
        for name in self._moved:
            number, rev = self._heads[name]
            self._db.execute("UPDATE rooms SET rev = ? WHERE id = ?", (rev, number))
        self._moved.clear()

    def forget_heads(self) -> None:
        """After a rollback: read the revs from the table again, so that no hole is left."""
        self._heads.clear()
        self._moved.clear()

    def _find(self, author: str, cid: str) -> tuple[Message, int] | None:
        row = self._db.execute(
            f"SELECT {_ROW} FROM messages WHERE author = ? AND cid = ?", (author, cid)
        ).fetchone()
        return None if row is None else (_message(row), row[11])

    def _room(self, name: str) -> list[int]:
        head = self._heads.get(name)
        if head is None:
            row = self._db.execute("SELECT id, rev FROM rooms WHERE name = ?", (name,)).fetchone()
            if row is None:
                (count,) = self._db.execute("SELECT count(*) FROM rooms").fetchone()
                if count >= self._max_rooms:
                    raise Refusal("too_many_rooms")
                cursor = self._db.execute("INSERT INTO rooms (name, rev) VALUES (?, 0)", (name,))
                row = (cursor.lastrowid, 0)
            head = self._heads[name] = list(row)
        return head


def _checksum(room: int, m: Message) -> int:
    """SQLite does not notice altered bytes inside a row, so each row carries a CRC-32."""
    fields = (m.id, m.rev, m.user, m.cid, m.name, m.color, m.at, m.text, m.edited, m.deleted)
    return zlib.crc32(f"{room} {fields!r}".encode())


def _message(row: Sequence[Any]) -> Message:
    """A row as a message; one whose checksum is wrong comes back as damaged, without text."""
    id, rev, author, cid, name, color, at, text, edited, deleted, sum, room = row
    message = Message(rev, id, author, name, color, at, text, cid, edited, deleted=bool(deleted))
    if _checksum(room, message) == sum:
        return message
    log.error("message %d of room %d is damaged on disk", id, room)
    return Message(
        rev, id, author, name, color, at, "", cid, edited, deleted=bool(deleted), damaged=True
    )
