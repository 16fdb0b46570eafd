"""Files as the server has them, rows and bytes, without a server."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

from worlds import held

from chat.datafolder import Folder
from chat.log.blobs import Blobs, blobs_in
from chat.log.files import ids
from chat.log.operations import Append, Deposit, Probe, Remove
from chat.log.store import Store
from chat.log.sweep import Sweeper
from chat.wire.protocol import Attachment

NOW = int(time.time() * 1000)


class Place:
    """A store and its blobs, wired as in the server."""

    def __init__(self, data: Path, **options: Any) -> None:
        self.blobs = Blobs(data / "files")
        self.store = Store(data / "chat.db", drop=self.blobs.drop, **options)
        held(data / "chat.db", "ana")
        self.sweeper = Sweeper(self.store, self.blobs)
        self.sweeper.reconcile()

    async def upload(self, content: bytes = b"content", at: int = NOW) -> str:
        """A file that is on the disk and has its row, but no message; its id."""
        id = self.bytes(content)
        await self.store.wrote(
            Deposit(
                id, "lobby", "ana", "image/png", len(content), 20, 10, sha256(content).digest(), at
            )
        )
        return id

    def bytes(self, content: bytes = b"content", age: float = 0) -> str:
        """A file that is on the disk and nowhere else."""
        id = secrets.token_urlsafe(16)
        self.blobs.part(id).write_bytes(content)
        self.blobs.keep(id)
        os.utime(self.blobs.path(id), (time.time() - age,) * 2)
        return id

    async def say(self, *files: str) -> int:
        """A message with these; its id."""
        saved = await self.store.wrote(
            Append(
                *("lobby", "ana", secrets.token_hex(8), "Ana", NOW, 3, ""),
                files=[Attachment(id, "a.png") for id in files],
            )
        )
        return int(saved.rev)

    async def remove(self, message: int) -> None:
        """Delete this one."""
        cid = secrets.token_hex(8)
        await self.store.wrote(Remove("lobby", "ana", cid, "Ana", NOW, message))

    async def dropped(self) -> None:
        """Wait until the writer's thread has come past what it was told to unlink."""
        await self.store.wrote(Probe())

    def there(self) -> set[str]:
        """The files on the disk."""
        return on_disk(self.blobs.folder)


def in_place(data: Path, body: Callable[[Place], Awaitable[None]], **options: Any) -> None:
    """Do this between a start and an end in order."""

    async def main() -> None:
        place = Place(data, **options)
        place.store.start()
        await body(place)
        await place.store.close()

    Folder(data).close()
    asyncio.run(main())


async def nothing(place: Place) -> None:
    """Only a start and an end."""


def send(data: Path, *contents: bytes) -> list[str]:
    """A message with a file for each of these; the ids of the files."""
    files: list[str] = []

    async def body(place: Place) -> None:
        for content in contents:
            files.append(await place.upload(content))
            await place.say(files[-1])

    in_place(data, body)
    return files


def delete(data: Path, file: str) -> None:
    """Delete the message of this file."""

    async def body(place: Place) -> None:
        await place.remove(message_of(data / "chat.db", file))

    in_place(data, body)


def message_of(database: Path, file: str) -> int:
    """The message that a file is of."""
    with closing(sqlite3.connect(database)) as db:
        (message,) = db.execute("SELECT message FROM files WHERE id = ?", (file,)).fetchone()
        return int(message)


def in_rows(database: Path) -> set[str]:
    """The files that a history knows."""
    with closing(sqlite3.connect(database)) as db:
        return ids(db)


def on_disk(folder: Path) -> set[str]:
    """The files in a folder of them."""
    return {path.name for path in blobs_in(folder)}


def content(folder: Path, file: str) -> bytes:
    """What is in one of them."""
    return (folder / file[:2] / file).read_bytes()
