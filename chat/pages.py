"""The RequestHandlers: page, form, join, name, history, health. They translate; rooms decide."""

from __future__ import annotations

import datetime
import ipaddress
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, cast
from urllib.parse import quote, urlsplit

import msgspec
from tornado.log import app_log
from tornado.web import HTTPError, RequestHandler, StaticFileHandler

from chat import __version__
from chat.config import Config
from chat.directory import Directory, NameTaken
from chat.hub import Hub
from chat.names import initials, valid_room
from chat.protocol import PAGE_LIMIT, Limits, Message, Person, Refusal, encode
from chat.store import Store

HOUSE = "lobby"  # the room at /
KEPT = 400  # days a device stays signed in, renewed with each page (browsers allow no more)
GROUP = 5 * 60 * 1000  # milliseconds within which messages of one person stand as one group

STATUS = {  # refusal -> HTTP status; the others are 400
    "sign_in": 403,
    "wrong_host": 403,
    "cross_origin": 403,
    "bad_room": 404,
    "not_found": 404,
    "name_taken": 409,
    "cid_reused": 409,
    "too_long": 413,
    "slow_down": 429,
    "busy": 503,
    "full": 503,
    "closing": 503,
    "too_many_rooms": 503,
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
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
    directory: Directory
    store: Store
    words: dict[str, str]  # the catalogue of templates/en.json
    build: str  # a hash of the static files: it stands in their address, so they never go stale
    css: bytes
    names: frozenset[str]  # the host names this server answers to; empty: any


class Visitor(RequestHandler):
    """What pages and sockets share: the headers, the host check, and who is asking."""

    public: ClassVar[bool] = False  # True: also for those who have not joined

    def initialize(self, site: Site) -> None:
        self.site = site
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

    def prepare(self) -> None:
        """Refuse a foreign host name (DNS rebinding), and strangers where joining is needed."""
        if self.site.names and not _is_own(self.request.host_name.lower(), self.site.names):
            raise Refusal("wrong_host")
        if not self.public:
            self.known_person()

    # -- who is asking

    def get_current_user(self) -> Person | None:
        """Who the signed cookie of this device belongs to."""
        id = self.get_signed_cookie(self._cookie, max_age_days=KEPT)
        return None if id is None else self.site.directory.find(id.decode())

    def known_person(self) -> Person:
        """The same, for a handler that is not public."""
        if self.current_user is None:
            raise Refusal("sign_in")
        return cast(Person, self.current_user)

    def remember(self, person: Person) -> None:
        """Sign this device in, or renew it."""
        self.set_signed_cookie(
            self._cookie,
            person.user,
            expires_days=KEPT,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )

    def forget(self) -> None:
        """Sign this device out."""
        self.clear_cookie(self._cookie, secure=self.request.protocol == "https")

    @property
    def _cookie(self) -> str:
        # __Host-: no subdomain and no plain http page can plant one of its own.
        return "__Host-device" if self.request.protocol == "https" else "device"

    # -- answers

    def to_room(self, name: str, anchor: str = "") -> None:
        """303 to a room, relative to where the request came in, so that a sub-path works."""
        up = "../" * (self.request.path.count("/") - 1)
        here = "" if name == HOUSE else f"r/{quote(name)}"
        self.redirect((up + here or "./") + anchor, status=303)

    def answer(self, event: object) -> None:
        """A JSON answer."""
        self.set_header("Content-Type", "application/json")
        self.finish(encode(event))

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
            version=__version__,
            json=_script_json,
            initials=initials,
            **values,
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
        if self.wants_json or not self.public:
            suggestion = {"suggestion": error.suggestion} if isinstance(error, NameTaken) else {}
            self.answer({"code": code, "detail": detail, **suggestion})
            return
        text = self.get_body_argument("text", None, strip=False)
        self.show("error.html", status=status_code, title=title, detail=detail, text=text)

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


class RoomPage(Visitor):
    """The room with its newest messages already in it, or the card to join it."""

    public = True

    async def get(self, name: str = HOUSE) -> None:
        room_name = valid_room(name)
        if room_name != name or (name == HOUSE and self.request.path.endswith("/r/" + HOUSE)):
            self.to_room(room_name)
            return
        person, room = self.current_user, self.site.hub.room(room_name)
        if person is None:
            fresh = self.site.hub.fresh and not len(self.site.directory)
            self.show_join(room_name, name="", error=None, fresh=fresh)
            return
        messages, rev = await room.newest()
        self.remember(person)
        self.show(
            "room.html",
            room=room_name,
            you=person,
            you_initials=initials(person.name),
            messages=_rows([message for message in messages if not message.deleted]),
            rev=rev,
            epoch=self.site.store.epoch,
            people=room.people,
            start=room.is_start(messages),
            limits=Limits(),
            invite=f"{self.request.protocol}://{self.request.host}{self.request.path}",
        )

    async def post(self, name: str = HOUSE) -> None:
        """Post without JavaScript."""
        person = self.known_person()
        cid = self.get_body_argument("cid", None)
        if cid is not None and not re.fullmatch(r"[A-Za-z0-9_-]{8,64}", cid):
            raise Refusal("bad_frame")
        self.site.hub.allow(person.user)
        room = self.site.hub.room(valid_room(name))
        text = self.get_body_argument("text", "", strip=False)
        message = await room.post(person, text, cid)
        self.to_room(room.name, f"#m{message.id}")

    def show_join(self, room: str, name: str, error: str | None, fresh: bool) -> None:
        """The card with one field."""
        people = self.site.hub.room(room).people
        self.show("join.html", room=room, people=people, name=name, error=error, fresh=fresh)


class JoinPage(RoomPage):
    """A name, and you are in."""

    def get(self) -> None:  # type: ignore[override]
        self.to_room(HOUSE)

    async def post(self) -> None:  # type: ignore[override]
        text, room = (
            self.get_body_argument("name", ""),
            valid_room(self.get_body_argument("room", HOUSE) or HOUSE),
        )
        directory, before = self.site.directory, self.current_user
        try:
            self.site.hub.allow("")  # one bucket for everyone who joins
            person = await (directory.rename(before.user, text) if before else directory.join(text))
        except Refusal as refusal:
            self.set_status(STATUS.get(refusal.code, 400))
            name = refusal.suggestion if isinstance(refusal, NameTaken) else text
            self.show_join(room, name, refusal.detail, fresh=False)
            return
        self.remember(person)
        self.to_room(room)


class NamePage(Visitor):
    """Another name for the same person."""

    public = True

    async def post(self) -> None:
        before = self.known_person()
        self.site.hub.allow(before.user)
        person = await self.site.directory.rename(before.user, self.get_body_argument("name", ""))
        self.site.hub.rename(person)
        if self.wants_json:
            self.answer(person)
        else:
            self.to_room(valid_room(self.get_body_argument("room", HOUSE)))


class SignOutPage(Visitor):
    """Sign out here: the cookie is worth nothing any more, and the name is free."""

    public = True

    async def post(self) -> None:
        person = self.current_user
        room = valid_room(self.get_body_argument("room", HOUSE))
        if person is not None:
            await self.site.directory.leave(person.user)
            self.site.hub.sign_out(person.user)
        self.forget()
        self.to_room(room)


class RoomFinder(Visitor):
    """`/r/?name=My Room` leads to `/r/my-room`: the form of "New room"."""

    public = True

    def get(self) -> None:
        self.to_room(valid_room(self.get_query_argument("name", HOUSE)))


class MessagesPage(Visitor):
    """History as JSON, a page at a time."""

    async def get(self, name: str) -> None:
        room = self.site.hub.room(valid_room(name))
        kinds = [k for k in ("before", "after", "around", "since") if k in self.request.arguments]
        limit = self._number("limit", 50)
        if len(kinds) > 1 or not 1 <= limit <= PAGE_LIMIT:
            raise Refusal("bad_page")
        kind = kinds[0] if kinds else "before"
        rev = room.flushed
        messages, more = await room.history(kind, self._number(kind, 2**53 - 1), limit)
        self.answer(History(room.name, self.site.store.epoch, rev, messages, more))

    def _number(self, name: str, default: int) -> int:
        text = self.get_query_argument(name, str(default))
        if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) >= 2**53:
            raise Refusal("bad_page")
        return int(text)


class HealthPage(Visitor):
    """For a proxy or a monitor: the event loop runs and the log can be read."""

    public = True

    async def get(self) -> None:
        await self.site.store.changes(HOUSE, 0, 0, 1)
        self.set_header("Content-Type", "text/plain")
        self.finish("ok\n")


class StaticPage(Visitor, StaticFileHandler):
    """The files of the page. Their address holds a hash of them all, so they never go stale."""

    public = True

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        Visitor.initialize(self, site)
        StaticFileHandler.initialize(self, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if "\0" in absolute_path:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")


class StylePage(Visitor):
    """Every style sheet as one, so that a first visit asks once."""

    public = True

    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(self.site.css)


class MissingPage(Visitor):
    """Any other address."""

    public = True

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)


class History(msgspec.Struct, frozen=True):
    """A page of history: messages, the rev the room stood at, and whether there are more."""

    room: str
    epoch: str
    rev: int
    messages: list[Message]
    more: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the template shows it; `day` is set where a new UTC day begins."""

    m: Message
    first: bool
    day: str | None
    time: str
    iso: str
    initials: str


def _rows(messages: Sequence[Message]) -> list[Row]:
    rows: list[Row] = []
    before: Message | None = None
    day = ""
    for message in messages:
        at = datetime.datetime.fromtimestamp(message.at / 1000, datetime.UTC)
        new_day = at.date().isoformat() != day
        day = at.date().isoformat()
        follows = (
            before is not None
            and not new_day
            and before.user == message.user
            and before.name == message.name
            and message.at - before.at < GROUP
        )
        iso = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = Row(message, not follows, None, f"{at:%H:%M} UTC", iso, initials(message.name))
        rows.append(row if not new_day else replace(row, day=day))
        before = message
    return rows


def _script_json(value: object) -> str:
    """JSON that may stand inside a script element."""
    text = encode(value).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


@lru_cache(256)
def _is_own(host: str, names: frozenset[str]) -> bool:
    """An address in figures, localhost, or one of our names: a rebound foreign name is neither."""
    try:
        ipaddress.ip_address(host.strip("[]"))
        return True
    except ValueError:
        return host == "localhost" or host.endswith(".localhost") or host in names
