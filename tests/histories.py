"""What tests of backups and of starts need: a data folder with a history, and looks into one."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from client import join, request
from serving import Process

from chat.datafolder import Folder
from chat.log.migrations import MIGRATIONS
from chat.log.operations import Append
from chat.log.store import Store


def write(data: Path, *texts: str) -> str:
    """Start over this folder, save these messages, stop in order; the epoch."""

    async def main() -> str:
        store = Store(data / "chat.db")
        store.start()
        for text in texts:
            cid = secrets.token_hex(8)
            await store.wrote(Append("lobby", "a", cid, "A", 1000, 3, text))
        await store.close()
        return store.epoch

    Folder(data).close()
    return asyncio.run(main())


def killed(data: Path, *texts: str) -> None:
    """Leave the folder as a server does that was killed after it had confirmed these."""
    with Process(data) as server:
        cookie = join(server.ready().port)
        for text in texts:
            assert post(server.port, cookie, text) == 303
        server.end(signal.SIGKILL)
    assert (data / "chat.db-wal").stat().st_size


def post(port: int, cookie: str, text: str) -> int:
    """Say this by the form, as the person of the cookie; the status of the answer."""
    return request(port, "POST", "/r/lobby", {"Cookie": cookie}, {"text": text}).status


def texts(database: Path) -> list[str]:
    """Every message in a database file, with its journal if it has one."""
    return [message["text"] for message in kept(database, "message")]


def kept(database: Path, kind: str) -> list[dict[str, Any]]:
    """Every thing of this kind in a database file, as it is said."""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = db.execute("SELECT body FROM things WHERE kind = ? ORDER BY room, id, rev", (kind,))
        return [json.loads(body) for (body,) in rows]


def meta(database: Path, key: str) -> str | None:
    """A row of the table `meta`."""
    with closing(sqlite3.connect(database)) as db:
        row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and str(row[0])


# -- files of older versions


@contextmanager
def older(database: Path, version: int) -> Iterator[sqlite3.Connection]:
    """A database as this older version made it; closed in order afterwards."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        for pragma in ("secure_delete = ON", "journal_mode = WAL", "synchronous = OFF"):
            db.execute(f"PRAGMA {pragma}")
        later(db, 0, version)
        yield db


def later(db: sqlite3.Connection, old: int, new: int) -> None:
    """Make of one version a later one."""
    for step in MIGRATIONS[old:new]:
        step(db)
    db.execute(f"PRAGMA user_version = {new}")


def say(db: sqlite3.Connection, room: int, id: int, text: str, **other: Any) -> None:
    """A row of the table of messages of versions 1 to 3, with its checksum, as they wrote it."""
    fields = {
        "id": id, "rev": id, "author": "a", "cid": f"cid-{room}-{id:06}", "name": "Ana", "color": 3,
        "at": 1000 + id, "text": text, "edited": None, "deleted": 0, **other,
    }  # fmt: skip
    values = [*fields.values()]
    summed = zlib.crc32(f"{room} {(*values[:-1], bool(fields['deleted']))!r}".encode())
    db.execute(
        f"INSERT INTO messages (room, {', '.join(fields)}, sum) VALUES (?, {'?, ' * 10} ?)",
        (room, *values, summed),
    )
