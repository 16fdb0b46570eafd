"""The real server in this process on a bad day, and what is known of its log past it.

Its loop runs only inside a step. Its disk fails when told, its clock is the one of the pages, and
each command that is carried out is noted by the transaction that keeps it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import json
import os
import secrets
import shutil
import socket
import sqlite3
import tempfile
import termios
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from tornado.web import create_signed_value

import chat.app
import chat.room.hub
import chat.wire.protocol as wire
from chat.app import ChatApp, make_app
from chat.config import Config
from chat.line.sockets import ChatSocket
from chat.log.backup import backup
from chat.log.bans import Ban, Wipe
from chat.log.operations import (
    Arrange,
    Deposit,
    Lastings,
    Operation,
    Ordered,
    Piece,
    Probe,
    React,
    Remove,
    Rewrite,
)
from chat.log.store import Store
from chat.log.writer import Writer
from chat.rules.access import Role
from chat.web.pages import Letter
from chat.wire.codes import Refusal
from chat.wire.orders import Order
from chat.wire.passing import Done
from chat.wire.protocol import Person

ROOM = "den"
BAN = "ban"  # the thing that is done where somebody is kept out
# Nothing here cuts the power, so the files may lie where an fsync costs nothing.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
OUTCOMES = ("busy", "full", "saved, then an error", "an error before it was saved")

Fields = dict[str, Any]
Key = tuple[str, int, str]


class Execution(NamedTuple):
    """A command that was carried out; `rev`: where the room stood after it."""

    cid: str
    thing: str  # that it is about; "say": a new one
    rev: int


class Disk(sqlite3.Connection):
    """A database whose next COMMIT goes wrong in the way that is named; notes what it kept."""

    trouble: ClassVar[str | None] = None
    doing: ClassVar[list[Execution]] = []  # in the transaction under way
    done: ClassVar[list[Execution]] = []

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:  # type: ignore[override]
        """Only a COMMIT of something is special."""
        if sql.startswith("BEGIN"):
            self.before = self.total_changes
            Disk.doing.clear()
        if sql != "COMMIT":
            return super().execute(sql, *parameters)
        trouble = Disk.trouble if self.total_changes != self.before else None
        if trouble is None or trouble == "saved, then an error":
            cursor = super().execute(sql)
            Disk.done += Disk.doing
        Disk.doing.clear()
        if trouble is None:
            return cursor
        Disk.trouble = None
        error = sqlite3.OperationalError(trouble)
        codes = {"busy": sqlite3.SQLITE_BUSY, "full": sqlite3.SQLITE_FULL}
        error.sqlite_errorcode = codes.get(trouble, sqlite3.SQLITE_IOERR)
        raise error


class Noting(Writer):
    """The writer, which notes what it carries out."""

    def do(self, op: Operation) -> Any:
        """As it does; what is undone was not done."""
        self.noted = len(Disk.doing)
        return super().do(op)

    def _change(self, op: Lastings, head: Any) -> Any:
        change = super()._change(op, head)
        after = self.heads.of(op.room)
        assert after is not None
        Disk.doing.append(Execution(op.cid or "", _thing(op), after[1]))
        return change

    def _ordered(self, op: Ordered) -> Any:
        outcome = super()._ordered(op)
        if isinstance(op, Ban):
            Disk.doing.append(Execution(f"ban-{secrets.token_hex(8)}", BAN, 0))
        return outcome

    def undo(self) -> None:
        """It was refused."""
        del Disk.doing[self.noted :]
        super().undo()


def _unsent(fd: int) -> int:
    """Bytes that the kernel still holds."""
    count = bytearray(4)
    fcntl.ioctl(fd, termios.TIOCOUTQ, count)
    return int.from_bytes(count, "little")


def _thing(op: Lastings) -> str:
    match op:
        case Rewrite() | Remove():
            return f"message {op.id}"
        case React():
            return f"reaction {op.id} {op.emoji}"
        case Arrange():
            return "settings"
    return "say"


class Server:
    """The server, with the time of the pages."""

    def __init__(self, store: type[Store], writer: type[Writer]) -> None:
        self.store, self.writer = store, writer
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="recovery-", dir=MEMORY))
        self.data = self.folder / "data"
        self.dead: asyncio.Future[None]
        self.app: ChatApp
        Disk.trouble = None
        Disk.done.clear()
        self.start()

    @property
    def epoch(self) -> str:
        """Of the history it has."""
        return self.app.site.store.epoch

    def start(self) -> None:
        """As run.py does."""
        config = Config(
            port=0, address="127.0.0.1", data=self.data, rate=0, connections_per_user=0
        )  # fmt: skip
        self.dead = self.loop.create_future()

        async def start() -> None:
            store, chat.app.Store = (
                chat.app.Store,
                functools.partial(  # type: ignore[misc]
                    self.store, factory=Disk, die=self.die
                ),
            )
            try:
                self.app = make_app(config)
            finally:
                chat.app.Store = store  # type: ignore[misc]
            self.app.site.store._commits._writer.__class__ = self.writer
            self.app.start()
            self.port = self.app.start_listening()
            assert self.app.server is not None
            for sock in self.app.server._sockets.values():  # its connections inherit this
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        self.loop.run_until_complete(start())

    def die(self, code: int) -> None:
        """Called on the writer's thread instead of os._exit: the process would be gone now."""
        self.loop.call_soon_threadsafe(lambda: self.dead.done() or self.dead.set_result(None))
        raise SystemExit(code)

    def stop(self) -> None:
        """SIGTERM."""
        Disk.trouble = None
        self.loop.run_until_complete(self.app.stop())

    def kill(self) -> None:
        """As close to SIGKILL as one process can come: nobody is told anything any more."""

        async def kill() -> None:
            assert self.app.server is not None
            self.app.server.stop()
            for peer in tuple(ChatSocket.live):
                peer.connection.cut()
            await self.app.site.store.close()
            await self.app.tasks.cancel()
            self.app.folder.close()

        self.loop.run_until_complete(kill())

    def settle(self) -> None:
        """Run until what was sent has been read, saved, told and written to the sockets."""

        async def settle() -> None:
            for _ in range(4):
                for _ in range(6):
                    await asyncio.sleep(0)  # one turn of the loop: sockets are read, frames leave
                if self.dead.done():
                    return
                await self._written(Probe())
                await self.app.site.store.newest(ROOM, 1)  # the reader works in order too
                while self.app.site.hub.chores.running and not self.dead.done():
                    await asyncio.sleep(0)

        self.loop.run_until_complete(settle())

    async def _written(
        self, op: Operation, then: Callable[[Any], object] = lambda outcome: None
    ) -> bool:
        """Whether it was carried out, as far as anybody was told; `then` is told at once."""
        saved = asyncio.get_running_loop().create_future()

        def done(outcome: Any) -> None:
            if not isinstance(outcome, Refusal):
                then(outcome)
            saved.set_result(outcome)

        self.app.site.store.write(op, done)
        await asyncio.wait({saved, self.dead}, return_when=asyncio.FIRST_COMPLETED)
        return saved.done() and not isinstance(saved.result(), Refusal)

    def appoint(self) -> None:
        """Mo is a moderator, who looks at no page."""
        self.mo, _ = self.join("Mo")
        with contextlib.closing(sqlite3.connect(self.data / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = 'moderator' WHERE id = ?", (self.mo,))
        self.app.site.hub.authority.change(self.mo, role=Role.MODERATOR)

    def wipe(self, user: str, since: int, at: int, pieces: int) -> bool:
        """Mo orders that what this person wrote goes; so many pieces of it do. The others do when
        somebody is woken, or at a start. Whether anybody was told that it is so."""

        async def wipe() -> bool:
            begun = await self._written(Wipe(self.mo, at, user, "", since))
            for _ in range(pieces if begun else 0):
                await self._written(Piece(at), self.app.site.hub.chores._tell)
            return begun

        return self.loop.run_until_complete(wipe())

    def keep(self, days: int | None, cid: str) -> None:
        """Mo says for how long the room keeps what is said."""

        async def keep() -> None:
            mo = Person(self.mo, "Mo", 0)
            letter = Letter(mo, "127.0.0.1")
            self.app.site.hub.enter(mo, ROOM).serve(letter, wire.Arrange(cid, keep=days))
            await asyncio.wait({letter.arrived, self.dead}, return_when=asyncio.FIRST_COMPLETED)
            if letter.arrived.done():
                letter.arrived.exception()  # the disk may be in the way

        self.loop.run_until_complete(keep())

    def order(self, order: Order) -> Done:
        """What Mo orders is carried out."""
        mo = Person(self.mo, "Mo", 0)
        told = self.loop.run_until_complete(self.app.site.office.serve(mo, order, "127.0.0.1"))
        assert isinstance(told, Done)
        return told

    def wake(self) -> None:
        """What is left to remove goes."""
        self.loop.call_soon(self.app.site.hub.chores.wake)

    def upload(self, id: str, user: str, at: int, stage: str = "whole") -> bool:
        """Take a file that this person sends to the room, if the disk takes it, or up to a stage:
        "part", "kept"."""
        blobs = self.app.site.blobs
        blobs.part(id).write_text(id)
        if stage == "part":
            return False
        blobs.keep(id)
        if stage == "kept":
            return False
        file = Deposit(id, ROOM, user, "image/png", len(id), 1, 1, b"", at)
        taken = self.loop.run_until_complete(self._written(file))
        if not taken and not self.dead.done():
            blobs.drop([id])
        return taken

    def sweep(self) -> None:
        """What was uploaded more than a day ago and never sent goes, as it does hourly."""
        self.loop.run_until_complete(self._finished(self.app.sweeper.sweep()))

    @property
    def blobs(self) -> set[str]:
        """The files on the disk, also those that are not whole."""
        folder = self.app.site.blobs.folder
        return {path.name for path in folder.glob("??*/*")}

    def forget(self, told: int = chat.room.hub.TOLD) -> None:
        """What is old is forgotten, as it is daily; what only says that something is no more after
        `told` milliseconds."""

        usual, chat.room.hub.TOLD = chat.room.hub.TOLD, told
        self.loop.run_until_complete(self._finished(self.app.site.hub.tidy()))
        chat.room.hub.TOLD = usual

    async def _finished(self, task: Coroutine[Any, Any, None]) -> None:
        """It is done, or the disk is in the way."""
        work = asyncio.ensure_future(task)
        await asyncio.wait({work, self.dead}, return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        with contextlib.suppress(Refusal, asyncio.CancelledError):
            await work

    def beat(self) -> None:
        """Tell everyone where the room stands."""
        for peer in tuple(ChatSocket.live):
            if not peer.blocked:
                peer.beat()

    def tick(self, seconds: float) -> None:
        """So much later: what was read is written, if it is time."""

        async def tick() -> None:
            self.app.site.hub.marks.tick(time.monotonic() + seconds)

        self.loop.run_until_complete(tick())

    def mark(self, user: str) -> int:
        """How far this person has read, as the server knows it."""
        mine = self.app.site.hub.marks._people.get(user)
        known = mine is not None and mine.loaded
        return mine.marks.get(ROOM, 0) if mine is not None and known else self.kept_mark(user)

    def kept_mark(self, user: str) -> int:
        """The same on disk."""
        with self.database() as db:
            row = db.execute("SELECT id FROM reads WHERE person = ? AND room = ?", (user, ROOM))
            return int(next(row, (0,))[0])

    def unread(self, user: str) -> tuple[int, int]:
        """What a page that begins now says is new to this person, and meant for them."""
        look = self.loop.run_until_complete(self.app.site.hub.marks.look(user, ROOM))
        (room,) = (listed for listed in look.rooms if listed.room == ROOM)
        return room.unread, room.mentioned

    def told_all(self, port: int) -> bool:
        """Whether everything that it said to the peer at this port has arrived."""
        for peer in ChatSocket.live:
            with socket.socket(fileno=os.dup(peer.fd)) as sock:
                if sock.getpeername()[1] == port:
                    return not peer.blocked and not _unsent(peer.fd)
        return False

    def blocking(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do this in a thread while the loop runs."""
        return self.loop.run_until_complete(asyncio.to_thread(work, *arguments))

    def join(self, name: str) -> tuple[str, str]:
        """A person and the Cookie header of their device."""
        directory, secret = self.app.site.directory, self.app.settings["cookie_secret"]
        person = self.loop.run_until_complete(directory.join(name))
        (device,) = directory.devices.of(person.user)
        return person.user, f"device={create_signed_value(secret, 'device', device.id).decode()}"

    @contextlib.contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The file, read past the server."""
        db = sqlite3.connect(f"file:{self.data}/chat.db?mode=ro", uri=True)
        with contextlib.closing(db):
            yield db

    def copy(self, path: Path) -> None:
        """A backup of the running server's database."""
        backup(self.data, path)

    def close(self) -> None:
        """End it and remove what it wrote."""
        self.kill()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)


class History:
    """All that ever was in the log of one epoch: the table itself knows only the newest states."""

    def __init__(self, server: Server) -> None:
        self.states: dict[Key, dict[int, Fields]] = {}  # thing -> rev -> what it was from then on
        self.gone: dict[int, Fields] = {}  # by rev
        self.done: list[Execution] = []
        with server.database() as db:
            kept = dict(db.execute("SELECT cid, rev FROM cids").fetchall())
        self.observe(server)
        for fields in self.now.values():  # a cid may be forgotten, and what it did be there
            kept.setdefault(fields.get("cid"), fields["rev"])
            kept.setdefault(fields.get("said"), fields.get("id", 0))
        self.before = [Execution(cid, "", rev) for cid, rev in kept.items() if cid]

    def observe(self, server: Server) -> None:
        """Note what the table has by now, and what was carried out."""
        with server.database() as db:
            rows = db.execute(
                "SELECT kind, t.id, sub, body FROM things t JOIN rooms r ON r.id = t.room"
                " WHERE r.name = ? AND kind IS NOT NULL", (ROOM,),
            ).fetchall()  # fmt: skip
            self.files = dict(db.execute("SELECT id, message FROM files").fetchall())
        self.blobs = server.blobs
        self.now = {(kind, id, sub): json.loads(body) for kind, id, sub, body in rows}
        revs = [fields["rev"] for fields in self.now.values()]
        assert len(set(revs)) == len(revs), "a rev was given twice"
        for key, fields in self.now.items():
            self.states.setdefault(key, {}).setdefault(fields["rev"], fields)
            if key[0] == "gone":
                self.gone[fields["rev"]] = fields
        for kind, id, _ in self.now:
            lives = kind != "message" or self.gone_by(id) is None
            assert lives, f"{id} is there, and is told to be gone"
        self.done += Disk.done
        Disk.done.clear()

    @property
    def everything(self) -> list[Execution]:
        """That was carried out, also before the backup that this history began with."""
        return self.before + self.done

    def tells_of(self, entry: Fields) -> bool:
        """Whether somebody who looks would say that this was done, or cannot tell."""
        if entry.get("old") and entry["command"] != "say":
            return True
        first = (states.get(id) for (_, id, _), states in self.states.items())
        numbers = {state["text"].split()[0] for state in first if state and "text" in state}
        number = entry["fields"].get("text", "-").split()[0]
        return entry["cid"] in {e.cid for e in self.done} or number in numbers

    @property
    def head(self) -> int:
        """The newest rev there ever was."""
        return max((rev for states in self.states.values() for rev in states), default=0)

    def newest(self, kind: str) -> Iterator[tuple[Key, Fields]]:
        """The newest state of each thing of a kind, also of those that are gone."""
        for key, states in self.states.items():
            if key[0] == kind:
                yield key, states[max(states)]

    def gone_by(self, id: int, user: str = "") -> int | None:
        """The rev with which a message went; `user` wrote it, if it was never seen in the log."""
        states = self.states.get(("message", id, ""), {})
        user = next((state["user"] for state in states.values()), user)
        covers = (
            rev
            for rev, gone in self.gone.items()
            if gone["from"] <= id <= gone["to"] and gone.get("user", user) == user
        )
        return min(covers, default=None)
