"""What tests of backups and of starts need: a data folder with a history, and looks into one."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from client import join, request
from serving import Process

from chat.datafolder import Folder
from chat.log.operations import Append
from chat.log.store import Store


def write(data: Path, *texts: str) -> str:
    """Start over this folder, save these messages, stop in order; the epoch."""

    async def main() -> str:
        store = Store(data / "chat.db")
        store.start()
        for text in texts:
            await store.wrote(Append("lobby", "a", None, "A", 3, 1000, text))
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
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [text for (text,) in db.execute("SELECT text FROM messages ORDER BY room, id")]


def meta(database: Path, key: str) -> str | None:
    """A row of the table `meta`."""
    with closing(sqlite3.connect(database)) as db:
        row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and str(row[0])
