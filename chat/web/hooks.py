"""HookPage: what programs write. Keyed: who asks with a key instead of a cookie."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from asyncio import Future
from time import monotonic
from typing import Any, cast

from tornado.http1connection import HTTP1Connection
from tornado.web import stream_request_body

from chat.rules.names import valid_room
from chat.rules.pace import LOOK
from chat.rules.posted import posted
from chat.web.pages import Letter
from chat.web.site import Site, Visitor
from chat.wire.codes import Refusal
from chat.wire.protocol import Person, Say

LARGEST = 1_000_000  # bytes: an event of GitHub has everything in it
HEARD = 25_000_000  # bytes that are listened to, so that whoever sends more than LARGEST is told
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{22})")


class Keyed(Visitor):
    """Asked by people, and by programs: `Authorization: Bearer <key>` counts before a cookie. What
    is no key of ours may be a proxy's, and says nothing."""

    key = ""

    def get_current_user(self) -> Person | None:
        given = _BEARER.fullmatch(self.request.headers.get("Authorization", ""))
        if given is None:
            return super().get_current_user()
        self.key = given[1]
        return self._bot()

    def still_known(self) -> Person:
        """The same, after something was waited for."""
        return self._bot() if self.key else super().still_known()

    def _bot(self) -> Person:
        try:
            return self.site.hooks.find(self.key)
        except Refusal:
            self.site.pace.pay(LOOK, self.address, "", monotonic())
            raise


@stream_request_body
class HookPage(Keyed):
    """A message by a key, which stands in the address or as Bearer. A cookie is nothing here.

    Who is refused is answered after their body was read: a connection that is closed with some of
    it unread may be reset, and the answer be lost.
    """

    def initialize(self, site: Site) -> None:
        super().initialize(site)
        self._body = bytearray()
        self._refusal: Refusal | None = None
        self._whole = False  # the body was read

    def get_current_user(self) -> Person:
        given = _BEARER.fullmatch(self.request.headers.get("Authorization", ""))
        self.key = self.path_args[0] if self.path_args else given[1] if given else ""
        return self._bot()

    def prepare(self) -> None:
        try:
            super().prepare()
            cast(HTTP1Connection, self.request.connection).set_max_body_size(HEARD)
        except Refusal as refusal:
            if self.request.method != "POST":
                raise
            self._refusal = refusal

    def data_received(self, chunk: bytes) -> None:
        """Another piece of the body."""
        if len(self._body) <= LARGEST:
            self._body += chunk

    async def post(self, _: str = "") -> None:
        self._whole = True
        if self._refusal:
            raise self._refusal
        try:
            id = await self._say()
        except Refusal as refusal:
            self.site.hooks.turned_away(self.key, refusal.code)
            raise
        if self.wants_json:
            self.answer({"id": id})
        else:
            self.set_header("Content-Type", "text/plain")
            self.finish("ok")  # nothing else: Slack's senders compare

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Answer."""
        if not self._whole:
            self.set_header("Connection", "close")  # Tornado does so, and tells nobody
        return super().finish(chunk)

    async def _say(self) -> int | None:
        """The id of the message; None if there was nothing to tell."""
        headers, person = self.request.headers, self.known_person()
        if len(self._body) > LARGEST:
            raise Refusal("too_big", detail="A hook takes a million bytes at most.")
        event = headers.get("X-GitHub-Event", "")
        text = posted(headers.get("Content-Type", ""), event, bytes(self._body))
        if not text:
            return None
        name = self.get_query_argument("room", "")
        name = valid_room(name) if name else self.site.hooks.room(self.key)
        letter = Letter(person, self.address)
        self.site.hub.enter(person, name).serve(letter, Say(self._cid(), text))
        return await letter.arrived

    def _cid(self) -> str:
        """The same for every try of one request."""
        headers = self.request.headers
        given = headers.get("Idempotency-Key") or headers.get("X-GitHub-Delivery")
        if not given:
            return secrets.token_hex(16)
        hash = hashlib.sha256(given.encode()).digest()
        return base64.urlsafe_b64encode(hash).rstrip(b"=").decode()
