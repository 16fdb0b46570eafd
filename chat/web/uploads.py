"""UploadPage: a file on its way in, a piece at a time, from its first byte to its row."""

from __future__ import annotations

import asyncio
import re
import shutil
from asyncio import Future
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import Any, ParamSpec, TypeVar, cast

import msgspec
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, stream_request_body

from chat.log.arrivals import Arrival
from chat.log.files import used
from chat.room.people import now_ms
from chat.rules.access import Mode, Verb, demand
from chat.rules.filenames import clean
from chat.rules.names import valid_room
from chat.rules.pace import UPLOAD
from chat.rules.quota import Used
from chat.web.site import Site, Visitor
from chat.wire.codes import Refusal
from chat.wire.protocol import File, Person

T = TypeVar("T")
P = ParamSpec("P")

AT_ONCE = 2  # uploads of one person under way
SILENT = 5.0  # seconds without a byte after which one of these gives way to a new one
WINDOW = 60.0  # seconds in which bytes are counted
SLOWEST = 1024  # bytes a second; what comes slower for a WINDOW is ended
LATER = 10_000  # milliseconds until the line may be better
LINGER = 10.0  # seconds that are listened to somebody who has been refused and goes on sending
ENDLESS = 2**62  # bytes


class Uploaded(msgspec.Struct, frozen=True):
    """The answer."""

    file: File


@stream_request_body
class UploadPage(Visitor):
    """The bytes of a file that a message is going to name.

    Tornado calls `prepare` before it reads of the body, `data_received` for each piece, and `post`
    after the last one. If the line breaks it only calls `on_connection_close`.
    """

    def initialize(self, site: Site) -> None:
        super().initialize(site)
        self._left = body_of(self.request.headers) or 0  # bytes that are still to come
        self._answered = False
        self._held = ExitStack()  # what this upload takes up while it is under way
        self._arrival: Arrival | None = None
        self._writes = True  # the disk is waited for, not the line
        self._whole = False
        self._seen = 0  # what was left when it was last looked whether anything comes
        self._heard = monotonic()
        self._timer: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        """Everything there is to refuse is refused before a byte is read."""
        super().prepare()
        person, room = self._sender()
        if self.request.method != "POST":
            raise HTTPError(405)
        size = self._size()
        self._held.enter_context(self.site.uploading.one(person.user, self._give_way))
        self.pay(UPLOAD)
        there = await self._there(person)
        self._sender()
        self._held.enter_context(self.site.quota.coming(person.user, size, there))
        self._arrival = await self._on_disk(Arrival, self.site.blobs, room, person.user)
        self._http.set_max_body_size(size)
        self._http.set_body_timeout(size / SLOWEST + WINDOW)
        self._watch()

    async def data_received(self, chunk: bytes) -> None:
        """The next piece is not read before this one is written."""
        self._left -= len(chunk)
        self._heard = monotonic()
        if self._answered:
            if not self._left:
                self._end()
        elif self._arrival:
            try:
                await self._on_disk(self._arrival.write, chunk)
            except Refusal as refusal:
                self._refuse(refusal)

    async def post(self, _: str) -> None:
        assert self._arrival
        self._whole = True
        self._set_timer()
        op = await self._on_disk(self._arrival.keep)
        self._sender()
        await self.site.store.wrote(op)
        self._arrival = None  # what has a row stays
        called = self.request.query_arguments.get("name", [b""])[-1].decode(errors="replace")
        name = clean(called)
        self.answer(Uploaded(File(op.id, name, op.type, op.size, op.width, op.height)))

    # -- whether it may come

    def _sender(self) -> tuple[Person, str]:
        """Who sends it into which room; asked again after anything was waited for."""
        person, room = self.still_known(), valid_room(self.path_args[0])
        mode = Mode(self.site.hub.enter(person, room).standing.settings.mode)
        demand(self.site.hub.authority.facts(person.user), Verb.SAY, now_ms(), mode)
        return person, room

    def _size(self) -> int:
        size = body_of(self.request.headers)
        if size is None or size == ENDLESS:
            raise Refusal("no_length")
        self.site.quota.check(size)
        return size

    async def _there(self, person: Person) -> Used:
        """What there is beside what is on its way. Of a file that came to its end while it was read
        nobody knows on which side it is: then it is read again."""
        quota, ended = self.site.quota, -1
        while ended != quota.ended:
            ended = quota.ended
            everybody = await self.site.store.read(used)
            disk = await asyncio.to_thread(shutil.disk_usage, self.site.blobs.folder)
        return Used(everybody.get(person.user, 0), sum(everybody.values()), disk.free, disk.total)

    # -- while it comes

    async def _on_disk(self, work: Callable[P, T], *about: P.args, **more: P.kwargs) -> T:
        self._writes = True
        try:
            return await asyncio.to_thread(work, *about, **more)
        finally:
            self._writes = False

    def _watch(self) -> None:
        """Once a WINDOW: what comes too slowly is ended."""
        slow = self._seen - self._left < SLOWEST * WINDOW
        if self._seen and self._left and slow and not self._writes:
            self._refuse(Refusal("too_slow", LATER))
            return
        self._seen = self._left
        self._set_timer(WINDOW, self._watch)

    def _give_way(self) -> bool:
        """A phone that changes its network leaves a line on which nothing ends, and comes back."""
        if self._writes or not self._left or monotonic() - self._heard < SILENT:
            return False
        self._refuse(Refusal("too_slow", LATER))
        return True

    def _set_timer(self, wait: float = 0, work: Callable[[], None] | None = None) -> None:
        """Do this later, in place of what was to be done before."""
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait, work) if work else None

    @property
    def _http(self) -> HTTP1Connection:
        return cast(HTTP1Connection, self.request.connection)

    # -- how it ends

    def _refuse(self, refusal: Refusal) -> None:
        self.send_error(exc_info=(Refusal, refusal, None))

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Answer. Whoever is still sending is listened to for a while: if we closed at once, the
        kernel would reset the connection because of what is unread, and the answer be lost."""
        if self._answered:
            return self.flush()
        self._release()
        if not self._whole:
            self.set_header("Connection", "close")  # Tornado does so, and tells nobody
        # Whoever expects a word before sending has sent nothing.
        if not self._left or "Expect" in self.request.headers:
            return super().finish(chunk)
        self._answered = True
        self._http.set_max_body_size(ENDLESS)
        self._set_timer(LINGER, self._end)
        self.set_header("Content-Length", str(len(chunk or b"")))
        self.write(chunk or b"")
        return self.flush()

    def _end(self) -> None:
        if not self._finished:
            super().finish()

    def on_connection_close(self) -> None:
        """The line broke. If everything had arrived by then it goes on without it."""
        super().on_connection_close()
        if not self._whole:
            self._release()

    def _release(self) -> None:
        self._set_timer()
        self._held.close()
        if self._arrival:
            asyncio.get_running_loop().run_in_executor(None, self._arrival.drop)
            self._arrival = None


def body_of(headers: HTTPHeaders) -> int | None:
    """The bytes of a body that a request announces, ENDLESS if it does not say how many; None if
    it announces none."""
    if "Transfer-Encoding" in headers:
        return ENDLESS
    size = headers.get("Content-Length", "")
    return int(size) if re.fullmatch(r"[0-9]{1,15}", size) else None
