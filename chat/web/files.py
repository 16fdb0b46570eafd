"""FilePage: the files of messages, to those who may enter the room, as it was sent or in parts."""

from __future__ import annotations

import asyncio
import logging
import os
from base64 import urlsafe_b64encode
from contextlib import suppress

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
        size = found.file.size
        opened = await asyncio.to_thread(self._open, found)
        try:
            part = self._part(size)
            self.set_header("Content-Length", str(len(part)))
            if self.request.method == "GET":
                await self._stream(opened, part)
        except Unsatisfiable:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
        finally:
            os.close(opened)

    async def _stream(self, opened: int, part: range) -> None:
        """A piece is read when the one before it has been taken: who is slow holds no memory."""
        for start in part[::CHUNK]:
            count = min(CHUNK, part.stop - start)
            self.write(await asyncio.to_thread(os.pread, opened, count, start))
            await self.flush()

    def _open(self, found: Held) -> int:
        """Raises Refusal where the disk has lost it."""
        try:
            opened = os.open(self.site.blobs.path(found.file.id), os.O_RDONLY)
        except FileNotFoundError:
            pass
        else:
            if os.fstat(opened).st_size == found.file.size:
                return opened
            os.close(opened)
        log.error("the file %s of a message is not whole on the disk", found.file.id)
        raise _gone()


def _gone() -> Refusal:
    return Refusal("not_found", detail="This file does not exist, or was deleted.")
