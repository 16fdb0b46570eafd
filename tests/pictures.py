"""Pictures made by hand for tests. PNGs are whole; of others only what a walk looks at is real."""

from __future__ import annotations

import zlib

PLACE = b"51.5007N 0.1246W"  # what must not be told


def exif(orientation: int = 1, order: str = "big") -> bytes:
    """Exif data (TIFF) with an orientation, and a place."""

    def n(value: int, size: int) -> bytes:
        return value.to_bytes(size, "big" if order == "big" else "little")

    entries = n(0x0110, 2) + n(2, 2) + n(len(PLACE), 4) + n(38, 4)
    entries += n(0x0112, 2) + n(3, 2) + n(1, 4) + n(orientation, 2) + n(0, 2)
    start = (b"MM" if order == "big" else b"II") + n(42, 2) + n(8, 4)
    return start + n(2, 2) + entries + n(0, 4) + PLACE


def segment(marker: int, data: bytes) -> bytes:
    """A segment of a JPEG."""
    return bytes([0xFF, marker]) + (len(data) + 2).to_bytes(2, "big") + data


JFIF = segment(0xE0, b"JFIF\0\1\2\0\0\1\0\1\0\0")
ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0\1")
SCAN = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\xff\x00\x34\xff\xd0\x56\xff\x00"
END = b"\xff\xd9"


def jpeg(width: int = 40, height: int = 30, *said: bytes) -> bytes:
    """A JPEG with these segments before its frame."""
    frame = b"\x08" + height.to_bytes(2, "big") + width.to_bytes(2, "big") + b"\1\1\x11\0"
    return b"\xff\xd8" + b"".join(said) + segment(0xC0, frame) + SCAN + END


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(width: int = 4, height: int = 3, *said: bytes, after: bytes = b"") -> bytes:
    """A red PNG with these chunks before its data, and what follows its end."""
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\2\0\0\0"
    rows = (b"\0" + b"\xff\0\0" * width) * height if width * height < 10**6 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + b"".join(said)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
        + after
    )


def riff(kind: bytes, data: bytes) -> bytes:
    """A chunk of a WebP."""
    return kind + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


LOSSLESS = riff(b"VP8L", b"\x2f" + (39 | 29 << 14).to_bytes(4, "little") + b"data")  # 40 x 30
LOSSY = riff(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + b"\x28\0\x1e\0" + b"data!")  # 40 x 30


def extended(flags: int = 0, width: int = 40, height: int = 30) -> bytes:
    """The VP8X chunk."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def webp(*chunks: bytes) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
