"""What walking a media file by its lengths finds; nothing in it is ever decoded. Pure but for
reading the file it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO

PIECES = 65_536  # of one file: nothing real has more, and each costs time
EXIF = 64 * 1024  # bytes of it that are looked at: JPEG has no more
TURNED = range(5, 9)  # orientations in which width and height change places


class Malformed(ValueError):
    """It is not what its first bytes say."""


@dataclass(slots=True)
class Walk:
    """A file as it is kept: pieces of the original, as (start, end), bytes, and counts of zeros;
    how large the picture is; and its type where only the whole file tells it."""

    pieces: list[tuple[int, int] | bytes | int] = field(default_factory=list)
    type: str = ""
    width: int = 0
    height: int = 0
    orientation: int = 1
    steps: int = 0

    def step(self) -> None:
        """One more part of the file. Raises Malformed if there are too many."""
        self.steps += 1
        if self.steps > PIECES:
            raise Malformed

    def keep(self, start: int, end: int) -> None:
        """This stays as it is."""
        last = self.pieces[-1] if self.pieces else b""
        if isinstance(last, tuple) and last[1] == start:
            self.pieces[-1] = (last[0], end)
        elif start < end:
            self.pieces.append((start, end))

    def put(self, data: bytes) -> None:
        """This comes next."""
        if data:
            self.pieces.append(data)

    def blank(self, count: int) -> None:
        """So many zeros come next."""
        if count:
            self.pieces.append(count)

    @property
    def length(self) -> int:
        """How many bytes are kept."""
        lengths = (
            piece[1] - piece[0]
            if isinstance(piece, tuple)
            else len(piece)
            if isinstance(piece, bytes)
            else piece
            for piece in self.pieces
        )
        return sum(lengths)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as it is shown."""
        if self.orientation in TURNED:
            return self.height, self.width
        return self.width, self.height


def take(file: BinaryIO, count: int) -> bytes:
    """So many bytes. Raises Malformed where there are fewer."""
    data = file.read(count)
    if len(data) != count:
        raise Malformed
    return data


def oriented(exif: bytes) -> int:
    """The orientation that Exif (TIFF) data tells: 1 to 8, 1 also if it tells none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(tiff[:4])
    if order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if order == "little" else "big")

    ifd = number(4, 4)
    for at in range(ifd + 2, min(ifd + 2 + 12 * number(ifd, 2), len(tiff) - 11), 12):
        if number(at, 2) == 0x0112 and number(at + 2, 2) == 3:
            value = number(at + 8, 2)
            return value if 1 <= value <= 8 else 1
    return 1


def exif_of(orientation: int) -> bytes:
    """Exif data that tells this alone."""
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0" % orientation
