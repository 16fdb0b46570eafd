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


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of a film or an AVIF."""
    body = b"".join(parts)
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def track(
    handler: bytes, width: int = 0, height: int = 0, *more: bytes, turned: bool = False
) -> bytes:
    """A track of a film: vide, soun or meta."""
    one, nothing = (1 << 16).to_bytes(4, "big"), b"\0" * 4
    across = [nothing, one, nothing, one, nothing] if turned else [one, *[nothing] * 3, one]
    size = (width << 16).to_bytes(4, "big") + (height << 16).to_bytes(4, "big")
    head = b"\0" * 40 + b"".join(across) + b"\0" * 16 + size
    return box(b"trak", box(b"tkhd", head), box(b"mdia", box(b"hdlr", b"\0" * 8 + handler)), *more)


def film(*tracks: bytes, brand: bytes = b"isom") -> bytes:
    """An MP4."""
    return box(b"ftyp", brand, b"\0\0\2\0") + box(b"moov", *tracks) + box(b"mdat", b"pictures")


def avif(*secrets: bytes, kind: bytes = b"Exif", turned: int = 0, method: int = 0) -> bytes:
    """An AVIF of 40 x 30 with a preview; `secrets` are extents of an item of this kind."""

    def n(value: int, size: int) -> bytes:
        return value.to_bytes(size, "big")

    def size(width: int, height: int) -> bytes:
        return box(b"ispe", n(0, 4), n(width, 4), n(height, 4))

    def item(id: int, kind: bytes) -> bytes:
        return box(b"infe", b"\2\0\0\0", n(id, 2), n(0, 2), kind, b"\0")

    def meta(start: int) -> bytes:
        places = [(start + 10 + 10 * at, len(secret)) for at, secret in enumerate(secrets)]
        if method:
            places = [(0, len(b"".join(secrets)))]
        exif = n(2, 2) + n(method, 2) + n(0, 2) + n(len(places), 2)
        return box(
            b"meta",
            n(0, 4),
            box(b"hdlr", n(0, 8), b"pict"),
            box(b"iinf", n(0, 4), n(2, 2), item(1, b"av01"), item(2, kind)),
            box(
                b"iloc", b"\1\0\0\0\x44\0", n(2, 2),
                n(1, 2), n(0, 4), n(1, 2), n(start, 4), n(10, 4),
                exif, *(n(at, 4) + n(length, 4) for at, length in places),
            ),
            box(
                b"iprp",
                box(b"ipco", size(8, 6), size(40, 30), box(b"irot", n(turned, 1))),
                box(b"ipma", n(0, 8)),
            ),
            *([box(b"idat", *secrets)] if method else []),
        )  # fmt: skip

    head = box(b"ftyp", b"avif\0\0\0\0mif1")
    start = len(head) + len(meta(0)) + 8
    data = b"AV1 data.." + b"".join(secret.ljust(10, b".") for secret in secrets if not method)
    return head + meta(start) + box(b"mdat", data)


def element(id: bytes, data: bytes, *, open: bool = False) -> bytes:
    """An element of a WebM; `open`: of a length that is not known yet."""
    return id + (b"\x01" + b"\xff" * 7 if open else bytes([0x80 | len(data)])) + data


def webm(*tracks: bytes) -> bytes:
    """A WebM as it is recorded."""
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"webm"))
    told = element(b"\x16\x54\xae\x6b", b"".join(element(b"\xae", track) for track in tracks))
    return head + element(
        b"\x18\x53\x80\x67", told + element(b"\x1f\x43\xb6\x75", b"sound", open=True), open=True
    )


SOUND = element(b"\x83", b"\2")
SCENE = element(b"\x83", b"\1") + element(
    b"\xe0", element(b"\xb0", b"\2\x80") + element(b"\xba", b"\1\xe0")
)  # 640 x 480
