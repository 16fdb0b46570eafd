"""PlainSocket: one open connection that speaks bare text."""

from __future__ import annotations

import secrets

from chat.line.sockets import ChatSocket
from chat.room.room import PING_FRAME
from chat.rules.names import COLORS, color_for, nameless, plain_id
from chat.rules.pace import PLAIN
from chat.web.site import Visitor
from chat.wire.codes import Refusal
from chat.wire.frames import Frame
from chat.wire.passing import Refused, refused
from chat.wire.protocol import Event, Person, Say


class PlainSocket(ChatSocket):
    """The plain dialect: bare text for terminals, scripts and thirty-line pages, in one room."""

    __slots__ = ("missed",)  # while behind: the newest message it has been given
    public = True
    greets = False

    def prepare(self) -> None:
        """Nobody has to join: whoever can open the page can open this."""
        Visitor.prepare(self)
        self.site.hub.enter(None, self.site.hub.titles.house)
        self.site.hub.authority.newcomer(self.address)
        self._find_place(PLAIN)
        number = int(self.path_args[0])
        # Each connection is somebody else: what one says reaches the others, whatever their number.
        id = plain_id(number, secrets.token_hex(6))
        name = nameless(id)
        self.person = Person(id, name, color_for(name, [0] * COLORS))

    def open(self, *args: str, **kwargs: str) -> None:
        """Register, and hear what is said from now on."""
        self.missed = 0
        room = self.site.hub.enter(None, self.site.hub.titles.house)
        if self._take_socket(room):
            room.enter_plain(self)
            self.connection.listen()

    @property
    def payer(self) -> str:
        """Who has no name pays as the one person of the address."""
        return self.address

    def on_message(self, message: str | bytes) -> None:
        """One text frame is one message."""
        try:
            self._count_frame()
            self.room.serve(self.seat, Say(secrets.token_hex(8), str(message)))
        except Refusal as refusal:
            self.refuse(refused(refusal))

    def write_message(self, frame: Frame) -> None:  # type: ignore[override]
        """The new messages of the others in it, a text frame each."""
        missed = None if self.seat.live else self.missed
        plain = frame.plain(self.person.user, missed)
        if plain.size:
            super().write_message(plain)

    def lag(self, owed: bytes, rev: int = 0) -> None:
        """While it is behind, edits of what it has are told from what is new to it."""
        if self.seat.live:
            self.missed = rev or self.room.flushed
        super().lag(owed, rev)

    def reply(self, *events: Event) -> None:
        """Only refusals are told, as the sentence."""
        for event in events:
            if isinstance(event, Refused):
                self._keep(event.detail.encode())

    def beat(self) -> None:
        """A ping of the protocol."""
        ChatSocket.write_message(self, PING_FRAME)
