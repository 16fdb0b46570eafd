"""FilePage: the files of messages, to those who may enter the room, as it was sent or in parts."""

from __future__ import annotations

import asyncio
import logging
from base64 import urlsafe_b64encode
from contextlib import suppress
from pathlib import Path
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from chat.log.files import Held, held
from chat.rules.filenames import disposition
from chat.rules.media import INLINE
from chat.rules.pace import FILE
from chat.rules.ranges import Unsatisfiable, part_of
from chat.web.site import Visitor
from chat.wire.codes import Refusal

log = logging.getLogger("chat.files")

CHUNK = 64 * 1024  # bytes of a file in memory for each who reads it
# Opened alone it runs nothing. The page that a browser makes of a film loads that from its origin.
_POLICY = "sandbox; default-src 'none'"
_PLAYED = "sandbox allow-same-origin; default-src 'none'; media-src 'self'"


class FilePage(Visitor):
    """A file, as long as a message of a room has it that the visitor may enter."""

    linked = True

    async def get(self, id: str) -> None:
        self.pay(FILE)
        found = await self._found(id)
        self._describe(found)
        if self.check_etag_header():
            self.set_status(304)
            return
        with suppress(StreamClosedError, asyncio.CancelledError):  # they leave, or the server does
            await self._send(found)

    head = get

    @property
    def wants_json(self) -> bool:
        """Nobody reads what a picture is refused with; a link that is followed asks for a page."""
        return "text/html" not in self.request.headers.get("Accept", "")

    async def _found(self, id: str) -> Held:
        """The file. Raises Refusal, the same whether there is none or it is not for this person."""
        found = await self.site.store.read(held, id)
        person = self.still_known()
        with suppress(Refusal):
            if found is not None and self.site.hub.enter(person, found.room):
                return found
        raise _gone()

    def _describe(self, found: Held) -> None:
        """What is told of it, also to who has it already. Deleted is gone at the next look."""
        file, whole = found.file, "download" in self.request.query_arguments
        kind = "inline" if file.type in INLINE and not whole else "attachment"
        self.set_header("Content-Type", file.type)
        self.set_header("Content-Disposition", disposition(kind, file.name))
        played = file.type.startswith(("video/", "audio/"))
        self.set_header("Content-Security-Policy", _PLAYED if played else _POLICY)
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Etag", f'"{urlsafe_b64encode(found.sha).decode().rstrip("=")}"')

    def _part(self, size: int) -> range:
        """What is sent of it, and what is said of that. Raises Unsatisfiable."""
        asked = self.request.headers.get("Range", "") if self.request.method == "GET" else ""
        tag = self._headers["Etag"]
        if self.request.headers.get("If-Range", tag) != tag:
            asked = ""  # what they have of it is of another file
        part = part_of(asked, size)
        if part is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}")
        return range(size) if part is None else part

    async def _send(self, found: Held) -> None:
        path, size = self.site.blobs.path(found.file.id), found.file.size
        if await asyncio.to_thread(_size, path) != size:
            log.error("the file %s of a message is not whole on the disk", found.file.id)
            raise _gone()
        try:
            part = self._part(size)
        except Unsatisfiable:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
            return
        self.set_header("Content-Length", str(len(part)))
        if self.request.method == "GET":
            await self._stream(path, part)

    async def _stream(self, path: Path, part: range) -> None:
        """A piece is read when the one before it was taken: who is slow holds no more memory, and
        no open file. What is deleted meanwhile ends with the line."""
        for start in part[::CHUNK]:
            count = min(CHUNK, part.stop - start)
            piece = await asyncio.to_thread(_read, path, start, count)
            if len(piece) < count:
                cast(HTTP1Connection, self.request.connection).close()
                return
            self.write(piece)
            await self.flush()


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _read(path: Path, start: int, count: int) -> bytes:
    """So many bytes, or fewer where the file has gone."""
    try:
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(count)
    except FileNotFoundError:
        return b""


def _gone() -> Refusal:
    return Refusal("not_found", detail="This file does not exist, or was deleted.")
