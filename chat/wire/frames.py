"""Frame: the RFC 6455 bytes of what the server says, built once and given to everyone."""

from __future__ import annotations

from collections.abc import Sequence

from chat.wire.protocol import Change, Event, Key, Message, decode_change, encode

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA  # opcodes (RFC 6455 section 5.2)


def frame_bytes(payload: bytes, opcode: int = TEXT) -> bytes:
    """One final, unmasked frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


class Saved:
    """A change as it is kept: the bytes of its event, with what must be known of it undecoded.

    `to` is the name of who is answered, of a message that was written just now.
    """

    __slots__ = ("_change", "author", "body", "key", "rev", "to")

    def __init__(
        self, rev: int, key: Key, author: str, body: bytes, change: Change | None = None
    ) -> None:
        self.rev = rev
        self.key = key
        self.author = author
        self.body = body
        self._change = change
        self.to = ""

    @property
    def change(self) -> Change:
        """The event."""
        if self._change is None:
            self._change = decode_change(self.body)
        return self._change


class Enclosing(Saved):
    """Settings that made a room private. `inside`: who was let in with that."""

    __slots__ = ("inside",)

    def __init__(self, saved: Saved, inside: Sequence[str]) -> None:
        super().__init__(saved.rev, saved.key, saved.author, saved.body, saved.change)
        self.inside = inside


class Frame:
    """Bytes for the socket, with what must be known when a socket takes only some of them.

    `saved` is set when the frame carries a change. One that is several together has `parts`, of
    which the first `kept` must arrive; the others are in the log and can be read again.
    """

    __slots__ = ("_parts", "_plain", "data", "kept", "saved", "size")

    def __init__(self, data: bytes, saved: Saved | None = None) -> None:
        self.data = data
        self.size = len(data)
        self.saved = saved
        self._parts: Sequence[Frame] = ()  # not (self,): only the collector would free a cycle
        self.kept = 0
        self._plain: Frame | None = None

    @classmethod
    def of(cls, event: Event) -> Frame:
        """The frame of a passing event."""
        return cls(frame_bytes(encode(event)))

    @classmethod
    def keeping(cls, saved: Saved) -> Frame:
        """The frame of a change."""
        return cls(frame_bytes(saved.body), saved)

    @classmethod
    def together(cls, parts: Sequence[Frame], kept: int = 0) -> Frame:
        """Several frames as one, so that they leave in one write."""
        frame = cls(b"".join([part.data for part in parts]))
        frame._parts = parts
        frame.kept = kept
        return frame

    @property
    def parts(self) -> Sequence[Frame]:
        """What it was joined from; of a single frame, itself."""
        return self._parts or (self,)

    def plain(self, without: str, after: int | None = None) -> Frame:
        """The new messages in it in the plain dialect, `Ana: hello`, without those of one author.

        New is what was never changed; for a peer that missed some, what is younger than `after`.
        Built once for everybody who has said nothing in it.
        """
        said = [part.saved for part in self.parts if part.saved and part.saved.key[0] == "message"]
        if after is not None:
            return _plain([s for s in said if s.key[1] > after and s.author != without])
        if any(s.author == without for s in said):
            return _plain([s for s in said if s.key[1] == s.rev and s.author != without])
        if self._plain is None:
            self._plain = _plain([s for s in said if s.key[1] == s.rev])
        return self._plain

    def split(self, sent: int) -> tuple[bytes, int]:
        """What is still owed when the socket took only `sent` bytes, and the last rev it covers.

        A frame that was begun must be finished; whole ones behind it are read again from the log.
        So a slow peer holds back at most one frame. The rev is 0 if no change was begun.
        """
        parts, index = self.parts, 0
        while sent >= parts[index].size:
            sent -= parts[index].size
            index += 1
        end = max(index + (sent > 0), self.kept)
        owed = b"".join([part.data for part in parts[index:end]])[sent:]
        revs = [part.saved.rev for part in parts[:end] if part.saved is not None]
        return owed, revs[-1] if revs else 0


def _plain(messages: Sequence[Saved]) -> Frame:
    lines = []
    for saved in messages:
        message = saved.change
        if isinstance(message, Message) and not message.damaged:
            name = f"{message.name} (to {saved.to})" if saved.to else message.name
            # With a change, so that a socket that took only some of it knows how far that goes.
            told = Saved(saved.rev, saved.key, saved.author, b"", message)
            files = [f"[{file.name}]" for file in message.files]
            line = " ".join([f"{name}:", *filter(None, [message.text]), *files])
            lines.append(Frame(frame_bytes(line.encode()), told))
    return Frame.together(lines)
