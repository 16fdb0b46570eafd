"""What a picture or a film tells beside what it shows (where and when, by whom, with what) is left
out, without loss: by walking lengths. Only parts that are known to be needed stay."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from chat.rules.boxes import film
from chat.rules.items import picture
from chat.rules.walks import EXIF, Malformed, Walk, exif_of, oriented, take
from chat.rules.webm import webm

CHUNK = 64 * 1024  # bytes read at a time: others get the interpreter in between

# ITU T.81, B.1: in the data of a scan FF is followed by 00 or is a restart; this is neither. It
# begins with one byte, of which `re` is fast to find the next: \xff+ takes 20 times as long.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # start of frame
_ALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_SOI, _EOI, _SOS, _COM = 0xD8, 0xD9, 0xDA, 0xFE
_JFIF = 16  # bytes of its segment without a preview, which may show what was cut off
_APPS = range(0xE0, 0xF0)
_APPS_KEPT = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}  # how colours are meant

_PNG = b"\x89PNG\r\n\x1a\n"
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_CHUNKS_KEPT = {
    *_CRITICAL,
    *(b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI"),
    *(b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"),
}

_WEBP_KEPT = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_VP8X = 10  # bytes of this chunk
_TOLD = 0x08 | 0x04  # flags of it: there is Exif, there is XMP


def strip(source: Path, target: Path, type: str) -> bool:
    """Write the file without its metadata to `target`; False, and nothing written, if it has none.

    `type` is what media.look said. Raises Malformed.
    """
    if type not in WALKS:
        return False
    with source.open("rb") as file:
        walk = WALKS[type](file)
        if walk.pieces == [(0, os.fstat(file.fileno()).st_size)]:
            return False
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(target, flags, 0o600), "wb") as out:
            for piece in walk.pieces:
                if isinstance(piece, bytes):
                    out.write(piece)
                elif isinstance(piece, int):
                    for start in range(0, piece, CHUNK):
                        out.write(bytes(min(CHUNK, piece - start)))
                else:
                    file.seek(piece[0])
                    for start in range(*piece, CHUNK):
                        out.write(take(file, min(CHUNK, piece[1] - start)))
    return True


def jpeg(file: BinaryIO) -> Walk:
    """ITU T.81, annex B. What follows the end of the picture goes: a second one, a film."""
    walk, scanned = Walk(), False
    if take(file, 2) != b"\xff\xd8":
        raise Malformed
    walk.keep(0, 2)
    marker = 0
    while marker != _EOI:
        walk.step()
        start = file.tell()
        marker = _next_marker(file, walk)
        if marker in _ALONE or marker == _EOI:
            walk.keep(start, file.tell())
            continue
        length = int.from_bytes(take(file, 2), "big")
        if marker == _SOI or length < 2:
            raise Malformed
        data = take(file, length - 2)
        if marker in _FRAMES:
            if walk.width or length < 8:
                raise Malformed
            walk.height, walk.width = (int.from_bytes(data[at : at + 2], "big") for at in (1, 3))
        if marker == _SOS:
            scanned = True
            _pass_scan(file)
        if marker == 0xE1 and data.startswith(b"Exif\0\0") and walk.orientation == 1:
            walk.orientation = oriented(data)
            if walk.orientation != 1:
                body = b"Exif\0\0" + exif_of(walk.orientation)
                walk.put(b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)
        elif marker == 0xE0 and data.startswith(b"JFIF\0") and length > _JFIF:
            walk.put(b"\xff\xe0" + _JFIF.to_bytes(2, "big") + data[:12] + b"\0\0")
        elif marker not in (*_APPS, _COM) or data.startswith(_APPS_KEPT.get(marker, (b"\0",))):
            walk.keep(start, file.tell())
    if not scanned:
        raise Malformed
    return walk


def _next_marker(file: BinaryIO, walk: Walk) -> int:
    if take(file, 1) != b"\xff":
        raise Malformed
    while (marker := take(file, 1)[0]) == 0xFF:  # fill bytes
        walk.step()
    return marker


def _pass_scan(file: BinaryIO) -> None:
    """Go to the marker after the data of a scan."""
    rest = b""
    while chunk := file.read(CHUNK):
        chunk = rest + chunk
        if found := _MARKER.search(chunk):
            file.seek(found.start() - len(chunk), os.SEEK_CUR)
            return
        rest = b"\xff" if chunk.endswith(b"\xff") else b""
    raise Malformed


def png(file: BinaryIO) -> Walk:
    """PNG (third edition), 5: chunks. What follows IEND goes."""
    walk, end = Walk(), os.fstat(file.fileno()).st_size
    if take(file, 8) != _PNG:
        raise Malformed
    walk.keep(0, 8)
    kind, drawn = b"", False
    while kind != b"IEND":
        first, start = not kind, file.tell()
        length, kind = int.from_bytes(take(file, 4), "big"), take(file, 4)
        walk.step()
        after = start + 12 + length
        if after > end or first != (kind == b"IHDR") or (first and length != 13):
            raise Malformed
        if first:
            walk.width, walk.height = (int.from_bytes(take(file, 4), "big") for _ in range(2))
        drawn = drawn or kind == b"IDAT"
        if kind == b"eXIf":
            walk.orientation = oriented(file.read(min(length, EXIF)))
            if walk.orientation != 1:
                walk.put(_chunk(kind, exif_of(walk.orientation)))
        elif kind in _CHUNKS_KEPT:
            walk.keep(start, after)
        elif not kind[0] & 0x20:  # critical: who does not know it cannot draw the picture
            raise Malformed
        file.seek(after)
    if not drawn:
        raise Malformed
    return walk


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + crc.to_bytes(4, "big")


def webp(file: BinaryIO) -> Walk:
    """RFC 9649, 2.7. What follows the RIFF goes, and all Exif: Chromium turns no WebP by it."""
    walk, head = Walk(), take(file, 12)
    end = 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WEBP" or end > os.fstat(file.fileno()).st_size:
        raise Malformed
    start = at = 12
    extended = b""
    while at < end:
        walk.step()
        kind, length = take(file, 4), int.from_bytes(take(file, 4), "little")
        after = at + 8 + length + length % 2
        if after > end:
            raise Malformed
        data = file.read(min(length, _VP8X))
        if at == 12:
            walk.width, walk.height = _webp_size(kind, data)
        if at == 12 and kind == b"VP8X":
            extended, start = data, after
        elif kind in _WEBP_KEPT:
            walk.keep(at, after)
        at = after
        file.seek(at)
    if walk.pieces == [(start, end)] and not (extended and extended[0] & _TOLD):
        walk.pieces = [(0, end)]
        return walk
    if extended:
        flags = bytes([extended[0] & ~_TOLD])
        walk.pieces.insert(0, b"VP8X" + _VP8X.to_bytes(4, "little") + flags + extended[1:])
    walk.pieces.insert(0, b"RIFF" + (4 + walk.length).to_bytes(4, "little") + b"WEBP")
    return walk


def _webp_size(kind: bytes, data: bytes) -> tuple[int, int]:
    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "little")

    if len(data) == _VP8X and kind == b"VP8X":
        return number(4, 3) + 1, number(7, 3) + 1
    if len(data) == _VP8X and kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return number(6, 2) & 0x3FFF, number(8, 2) & 0x3FFF
    if len(data) >= 5 and kind == b"VP8L" and data[0] == 0x2F:
        return (number(1, 4) & 0x3FFF) + 1, (number(1, 4) >> 14 & 0x3FFF) + 1
    raise Malformed


def gif(file: BinaryIO) -> Walk:
    """GIF89a, 18: its size. It tells of no camera and no place, and is kept as it is."""
    walk, head = Walk(), take(file, 10)
    walk.width, walk.height = (int.from_bytes(head[at : at + 2], "little") for at in (6, 8))
    walk.keep(0, os.fstat(file.fileno()).st_size)
    return walk


WALKS: dict[str, Callable[[BinaryIO], Walk]] = {
    "image/jpeg": jpeg,
    "image/png": png,
    "image/gif": gif,
    "image/avif": picture,
    "image/heic": picture,
    "video/mp4": film,
    "video/webm": webm,
    "image/webp": webp,
}
