"""Site and Visitor: what every handler is given, who is asking, and how anything is answered."""

from __future__ import annotations

import uuid
from asyncio import Future
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from tornado.iostream import StreamClosedError
from tornado.log import app_log
from tornado.web import HTTPError

from chat import __version__
from chat.config import Config
from chat.log.blobs import Blobs
from chat.log.health import Health
from chat.log.overview import Overview
from chat.log.reader import Asked, Page
from chat.log.store import Store
from chat.room.hooks import Hooks
from chat.room.hub import Hub
from chat.room.links import Links
from chat.room.office import Office
from chat.room.origins import Origins
from chat.room.people import Directory, NameTaken
from chat.room.room import Room
from chat.room.titles import room_of
from chat.rules.hosts import Hosts
from chat.rules.names import initials, valid_room
from chat.rules.pace import AtOnce, Pace
from chat.rules.places import Places
from chat.rules.proxies import Proxies, counted
from chat.rules.quota import Quota
from chat.web.asking import Asking
from chat.web.cards import REFUSED, Card
from chat.web.status import STATUS
from chat.web.words import moment, script_json
from chat.wire.codes import Refusal
from chat.wire.protocol import encode

SCARCE = 60_000  # milliseconds after which a stranger may try again on a full server
LOOKS = 10  # times a part of the history is read before the server is called too busy for it
AGAIN = 1_000  # milliseconds until it is asked for again

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


@dataclass(frozen=True, slots=True)
class Site:
    """What every handler is given."""

    config: Config
    hub: Hub
    office: Office
    links: Links
    origins: Origins
    overview: Overview
    hooks: Hooks
    directory: Directory
    store: Store
    blobs: Blobs
    health: Health
    pace: Pace
    places: Places
    proxies: Proxies
    words: dict[str, str]  # the catalogue of templates/en.json
    early: dict[str, str]  # those of them that a room's page has in it
    build: str  # a hash of the static files: it stands in their address, so they never go stale
    hosts: Hosts
    reading: AtOnce  # pages of history of one person
    quota: Quota
    uploading: AtOnce  # uploads of one person
    network: Callable[[], str]  # the address for other machines of the same network, or ""
    began: float = field(default_factory=monotonic)  # when the server did, on this clock


class Visitor(Asking):
    """What pages and sockets share: the headers, the host check, and how anything is answered."""

    public: ClassVar[bool] = False  # True: also for those who have not joined
    linked: ClassVar[bool] = False  # True: people follow links to it; a refusal is a page
    vital: ClassVar[bool] = False  # True: answered also when places are scarce

    def initialize(self, site: Site) -> None:
        self.site, self.directory, self.origins = site, site.directory, site.origins
        self.authority = site.hub.authority
        self.address = counted(self.request.remote_ip or "")  # who pays
        try:
            urlsplit(self.request.headers.get("Origin", ""))
        except ValueError:  # Tornado's check would fail on it; what cannot be read is foreign
            self.request.headers["Origin"] = "null"

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", _POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        # Not no-referrer: on plain http a browser would then send its own forms as Origin: null.
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")
        if self.request.protocol == "https":
            self.set_header("Strict-Transport-Security", "max-age=31536000")
            self.set_header("Cross-Origin-Opener-Policy", "same-origin")

    def prepare(self) -> Awaitable[None] | None:
        """Refuse a foreign host name (DNS rebinding), and strangers where joining is needed."""
        self.site.hosts.check(self.request.host_name)
        if not self.public:
            self.known_person()
        if self.site.places.scarce and not self.vital and self.current_user is None:
            raise Refusal("crowded", SCARCE)
        return None

    def pay(self, what: str) -> None:
        """Count one of these for this address and person. Raises Refusal slow_down."""
        person = self.current_user
        self.site.pace.pay(what, self.address, person.user if person else "", monotonic())

    # -- the history

    async def look(self, name: str, asked: Asked) -> tuple[Room, Page]:
        """A part of the history as it is by now, and its room. Raises Refusal.

        What changed while it was read is in the room's memory; where that has forgotten some of it
        already, it is read again.
        """
        for _ in range(LOOKS):
            page = await self.site.store.page(name, asked)
            room = self.site.hub.enter(self.still_known(), name)
            recent = room.recent
            if recent.floor <= page.head:
                now, quoted = (
                    [kept for change in old if (kept := recent.newest(change))]
                    for old in (page.changes, page.quoted)
                )
                return room, replace(page, changes=now, quoted=quoted)
        raise Refusal("busy", AGAIN)

    # -- answers

    def room_field(self) -> str:
        """The room a form came from, to go back to."""
        return valid_room(self.get_body_argument("room", "") or self.site.hub.titles.house)

    def to_room(self, name: str, ending: str = "") -> None:
        """303 to a room, relative to where the request came in, so that a sub-path works."""
        up = "../" * (self.request.path.count("/") - 1)
        here = "" if name == self.site.hub.titles.house else f"r/{quote(name)}"
        self.redirect((up + here or "./") + ending, status=303)

    def answer(self, event: object) -> Future[None]:
        """A JSON answer."""
        self.set_header("Content-Type", "application/json")
        return self.finish(encode(event))

    async def answer_taken(self, event: object) -> None:
        """The same; returns when the client has taken it, or has gone."""
        with suppress(StreamClosedError):
            await self.answer(event)

    @property
    def wants_json(self) -> bool:
        """Whether a program asks, and not a person's form."""
        return "application/json" in self.request.headers.get("Accept", "")

    def show(self, template: str, **values: Any) -> None:
        """A page from its template."""
        base = "../" * (self.request.path.count("/") - 1)
        self.render(
            template,
            base=base,
            static=f"{base}static/{self.site.build}",
            words=self.site.words,
            early=self.site.early,
            version=__version__,
            json=script_json,
            initials=initials,
            moment=moment,
            **{"kept": {}, **values},
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every refusal and every error: a sentence a person understands, never a traceback."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HTTPError) and status_code == 403:
            error = Refusal("cross_origin")  # the one thing that Tornado itself forbids
        words, code = self.site.words, str(status_code)
        title = words.get(f"error.{code}.title", words["error.title"])
        detail = words.get(f"error.{code}.detail", words["error.detail"])
        if isinstance(error, Refusal):
            code, detail = error.code, error.detail
            if error.retry:
                self.set_header("Retry-After", str(-(-error.retry // 1000)))
        elif status_code == 500:
            number = uuid.uuid4().hex[:8]
            app_log.error("the error above has the number %s", number)
            detail = f"{detail} ({number})"
        if self.wants_json or not (self.public or self.linked):
            more: dict[str, object] = (
                {"retry": retry} if (retry := getattr(error, "retry", None)) else {}
            )
            if until := getattr(error, "until", None):
                more["until"] = until
            if isinstance(error, NameTaken):
                more["suggestion"] = error.suggestion
            self.answer({"code": code, "detail": detail, **more})
            return
        if isinstance(error, Refusal) and code in REFUSED:
            self.show("enter.html", card=Card(code, until=error.until))
            return
        instead = _room_instead(self.path_args) if code == "bad_room" else ""
        self.show("error.html", title=title, detail=detail, text=self._typed, instead=instead)

    @property
    def _typed(self) -> str:
        """The message of a form that was refused, to be given back; it may be what was wrong."""
        values = self.request.body_arguments.get("text", [b""])
        return values[-1].decode("utf-8", "replace")

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """A Refusal is an answer with its own status, not a failure of the server."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, Refusal):
            status_code = STATUS.get(error.code, 400)
        super().send_error(status_code, **kwargs)

    def log_exception(self, *exc_info: Any) -> None:
        """Bugs are loud; refusals and wrong addresses are answers, and silent."""
        if not isinstance(exc_info[1], Refusal | HTTPError):
            super().log_exception(*exc_info)


def _room_instead(typed: list[str]) -> str:
    """The room somebody may have meant who came to one that cannot be; "" if none."""
    try:
        meant = room_of(typed[0])
    except (Refusal, IndexError):
        return ""
    return "" if meant == typed[0] else meant
