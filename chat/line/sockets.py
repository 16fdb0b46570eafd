"""ChatSocket: one open connection of a page. The only place that writes to a socket."""

from __future__ import annotations

import asyncio
from asyncio import Future
from time import monotonic
from typing import Any, ClassVar

from tornado.iostream import IOStream
from tornado.log import app_log
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol

from chat.line.connection import Connection
from chat.line.handshake import Handshake, at_once
from chat.room.room import PING_FRAME, Room
from chat.room.seat import Seat
from chat.rules.names import valid_room
from chat.rules.pace import SOCKET, too_fast
from chat.web.site import SCARCE, Visitor
from chat.wire.codes import Close, Refusal
from chat.wire.frames import Frame, frame_bytes
from chat.wire.orders import Order
from chat.wire.passing import Bye, Refused, refused
from chat.wire.protocol import Event, decode, encode

SILENT = 45.0  # seconds without a byte from a peer: two heartbeats and a bit
STUCK = 120.0  # seconds without a byte drained by a full socket
PARKED = 10.0  # seconds for a message that was begun to be finished
SLICES = 20  # a sweep each second serves one slice: each peer is pinged every 20 s
REFUSALS = 200  # refusals, less one a second, after which a peer is a flood and not a person
COMEBACK = 3_000  # milliseconds within which everyone should be back after a restart
SHOWN = 100  # characters of an address or a header in the log

_HANDSHAKE = (  # what Tornado would keep of the request that became a connection
    *("request", "ui", "_headers", "_write_buffer", "_transforms", "_current_user", "_reason"),
    *("path_args", "path_kwargs", "open_args", "open_kwargs", "ws_connection"),
)


class ChatSocket(Visitor, WebSocketHandler):
    """A page in a room."""

    live: ClassVar[set[ChatSocket]] = set()
    greets: ClassVar[bool] = True  # it writes a frame as soon as it is open

    __slots__ = (
        *("_send", "blocked", "connection", "fd", "frames", "person"),
        *("refusals", "refused_at", "room", "seat", "slot"),
    )

    seat: Seat

    @property
    def payer(self) -> str:
        """Whose bucket pays for what it says."""
        return self.person.user

    # -- the life of a connection

    def open(self, *args: str, **kwargs: str) -> None:
        """Register, and be brought up to date from the cursor in the address."""
        after, epoch = self.get_query_argument("after", ""), self.get_query_argument("epoch", "")
        if self.directory.devices.find(self.device) is None:  # signed out during the handshake
            self.close(Close.SIGNED_OUT, "signed_out")
            return
        room = self.site.hub.enter(self.person, valid_room(self.path_args[0]))
        if self._take_socket(room):
            known = after.isascii() and after.isdigit() and len(after) < 17
            first = self.directory.first_time(self.person.user)
            room.enter(self, int(after) if known else None, epoch, first)
            self.connection.listen()

    def _take_socket(self, room: Room) -> bool:
        """Be one of those who are connected; False if the peer is gone already."""
        assert isinstance(self.ws_connection, Handshake)
        taken = self.ws_connection.take_socket()
        if taken is None:
            return False
        self.connection = Connection(self, *taken)
        self._send = self.connection.send
        self.fd = self.connection.fd
        self.room = room
        self.blocked = False
        self.frames = self.site.pace.connection()
        self.refusals = self.refused_at = 0.0
        self.site.places.take(self.address)
        self._forget_handshake()
        ChatSocket.live.add(self)
        number = self.site.hub.tabs.open(self, self.site.config.connections_per_user)
        self.slot = number % SLICES
        self.directory.seen(self.person.user, self.device)
        self.site.origins.note(self.person.user, self.address)
        return True

    def _forget_handshake(self) -> None:
        """Keep what a live connection needs; the request alone is worth several kilobytes.

        Set to None and not deleted: CPython then finds methods without looking into a dict.
        """
        for name in _HANDSHAKE:
            setattr(self, name, None)

    def on_message(self, message: str | bytes) -> None:
        """One command: decoded, and served by the room; an order by the office."""
        cid = None
        try:
            command = decode(message)
            cid = getattr(command, "cid", None)
            self._count_frame()
            if isinstance(command, Order):
                self.site.hub.shared.tasks.start(self._carry_out(command))
            else:
                self.room.serve(self.seat, command)
        except Refusal as refusal:
            self.refuse(refused(refusal, cid))

    async def _carry_out(self, order: Order) -> None:
        """An order: what became of it is told to this peer alone."""
        try:
            self.reply(await self.site.office.serve(self.person, order, self.address))
        except Refusal as refusal:
            self.refuse(refused(refusal, order.cid))

    def _count_frame(self) -> None:
        """Whatever is said, only so much is. Raises Refusal slow_down."""
        if wait := self.frames.take(monotonic()):
            raise too_fast(wait)

    def on_binary(self) -> None:
        """Nothing is said in binary frames."""
        self.refuse(refused(Refusal("bad_frame")))

    def refuse(self, event: Refused) -> None:
        """Answer; whoever goes on all the same is a flood and not a person."""
        now = monotonic()
        self.refusals = max(0.0, self.refusals - (now - self.refused_at)) + 1
        self.refused_at = now
        if self.refusals >= REFUSALS:
            self.connection.close(Close.POLICY, event.code)
        else:
            self.reply(event)

    def on_close(self) -> None:
        """Drop the closed peer from everywhere."""
        if self in ChatSocket.live:
            ChatSocket.live.discard(self)
            self.blocked = True  # nothing is given to it any more
            self.room.leave(self.seat)
            self.site.hub.tabs.close(self)
            self.directory.seen(self.person.user, self.device)

    def on_cut(self) -> None:
        """The descriptor is free, some time after the end."""
        self.site.places.leave(self.address)

    # -- writing

    def write_message(self, frame: Frame) -> None:  # type: ignore[override]
        """Give the socket a prebuilt frame; what it does not take is read from the log later."""
        send = self._send  # a plain attribute, then a call: a method call would search the class
        try:
            sent = send(frame.data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.connection.cut()
            return
        if sent != frame.size:
            self.lag(*frame.split(sent))

    def lag(self, owed: bytes, rev: int = 0) -> None:
        """The socket is full: it gets what it is owed when it drains, then catches up."""
        self.blocked = True
        self.seat.fall_behind(rev)
        self.connection.owe(owed)

    def on_drain(self) -> None:
        """The socket has taken all it was owed."""
        self.blocked = False
        self.seat.drained()

    def reply(self, *events: Event) -> None:
        """Tell this peer alone, in one write; kept until its socket takes it."""
        self._keep(*map(encode, events))

    def _keep(self, *payloads: bytes) -> None:
        """Write text frames that must arrive as long as the connection lives."""
        frame = Frame(b"".join(map(frame_bytes, payloads)))
        if self.blocked:
            self.connection.owe(frame.data)
        else:
            ChatSocket.write_message(self, Frame.together([frame], kept=1))

    def dismiss(self, code: int, reason: str, after: int) -> None:
        """Say `bye` and close."""
        self.reply(Bye(reason, after))
        self.connection.close(code, reason)

    # -- heartbeat

    def beat(self) -> None:
        """Ping, and tell a live page where its room stands."""
        self.write_message(self.room.beat() if self.seat.live else PING_FRAME)

    @classmethod
    def sweep(cls, now: float, turn: int) -> None:
        """Once a second: cut who is silent or stuck, and ping one slice of the others."""
        for peer in tuple(cls.live):
            connection = peer.connection
            if peer.blocked:
                if now - connection.drained > STUCK:
                    connection.cut()
            elif now - connection.heard > SILENT:
                connection.cut()
            elif connection.parked and now - connection.parked > PARKED:
                connection.close(Close.POLICY, "an unfinished message")
            elif peer.slot == turn % SLICES:
                connection.parser.junk = 0
                peer.beat()

    @classmethod
    async def drain(cls, patience: float) -> None:
        """Ask everyone to come back soon, and wait `patience` seconds at most for them to go."""
        peers = tuple(cls.live)
        for peer in peers:
            peer.dismiss(Close.RESTART, "restart", COMEBACK)
        end = asyncio.get_running_loop().time() + patience
        while any(peer.connection.sock for peer in peers):
            if asyncio.get_running_loop().time() > end:
                for peer in peers:
                    peer.connection.cut()
            await asyncio.sleep(0.02)

    # -- the handshake

    def prepare(self) -> None:
        """Everything that can be refused is refused before the connection is open."""
        super().prepare()
        self.person = self.known_person()
        self.site.hub.enter(self.person, valid_room(self.path_args[0]))
        self._find_place(SOCKET)

    def _find_place(self, what: str) -> None:
        """Pay for the handshake, and be one of not too many. Raises Refusal."""
        self.pay(what)
        peer = self.request.connection.context.remote_ip  # type: ignore[union-attr]
        # Without a proxy the connection was counted when it was accepted.
        if self.site.proxies.trusts(peer) and self.site.places.crowded(self.address):
            raise Refusal("crowded", SCARCE)

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """The handshake. What a proxy in front took out of it is told, or nobody would find out."""
        headers = self.request.headers
        if "upgrade" not in headers.get("Connection", "").lower() or "Upgrade" not in headers:
            self._told("%r came without Upgrade", self.request.path[:SHOWN])
            raise HTTPError(426)
        await super().get(*args, **kwargs)

    def check_origin(self, origin: str) -> bool:
        """Whether the page is ours. Only asked if its Origin is not the Host of the request."""
        if super().check_origin(origin):
            return True
        self._told("Origin %r is not Host %r", origin[:SHOWN], self.request.host[:SHOWN])
        raise Refusal("cross_origin")

    def _told(self, what: str, *foreign: str) -> None:
        if not self.public:  # strangers do not make the log grow
            app_log.warning(
                f"{what}: the proxy in front must pass WebSockets (docs/deploy.md)", *foreign
            )

    def set_default_headers(self) -> None:
        """Not yet: the one answer of a handshake that is no refusal has none of them."""

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """An answer after all, with the headers of every answer."""
        super().set_default_headers()
        return super().finish(chunk)

    def _execute(self, *args: Any, **kwargs: Any) -> Any:
        return at_once(super()._execute(*args, **kwargs))

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """The handshake of the one version of the protocol there is."""
        version = self.request.headers.get("Sec-WebSocket-Version")
        return Handshake(self, self.greets) if version == "13" else None

    def _detach_stream(self) -> IOStream:
        return self.detach()

    def log_exception(self, *exc_info: Any) -> None:
        """A bug: loud, also when the request it could name is long over."""
        if self.request is not None:
            super().log_exception(*exc_info)
        else:
            app_log.error("a connection in %s failed", self.room.name, exc_info=exc_info)
