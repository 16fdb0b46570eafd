"""What a file is, by its first bytes and never by what somebody claims; which kinds are shown in
the page, and how large."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from chat.rules.metadata import WALKS
from chat.rules.walks import Malformed

UNKNOWN = "application/octet-stream"
MEGAPIXELS = (
    50  # of a picture; a larger one is a file: every reader's browser would have to hold it
)
HEAD = 4096  # bytes in which a file says what it is

# What browsers play or draw and never run. SVG, HTML, XML and PDF may hold scripts.
INLINE = {
    *("image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"),
    *("video/mp4", "video/webm"),
    *("audio/mpeg", "audio/ogg", "audio/mp4", "audio/webm", "audio/wav"),
}

_SIGNATURES = [  # the first that matches
    (rb"\xff\xd8\xff", "image/jpeg"),
    (rb"\x89PNG\r\n\x1a\n", "image/png"),
    (rb"GIF8[79]a", "image/gif"),
    (rb"RIFF.{4}WEBP", "image/webp"),
    (rb"RIFF.{4}WAVE", "audio/wav"),
    (rb".{4}ftypavi[fs]", "image/avif"),
    (rb".{4}ftyp(?:hei[csx]|hevc|mif1|msf1)", "image/heic"),
    (rb".{4}ftyp(?:iso|mp4|avc1|dash|M4[ABV] |MSNV|3gp|3g2|qt  )", "video/mp4"),
    (rb"\x1a\x45\xdf\xa3.{,64}\x42\x82.webm", "video/webm"),
    (rb"OggS.{24}(?:OpusHead|.vorbis|.FLAC|Speex)|OggS.{25}(?:vorbis|FLAC)", "audio/ogg"),
    (rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xeb]", "audio/mpeg"),
    (rb"%PDF-", "application/pdf"),
    (rb"PK\x03\x04", "application/zip"),
]
_TABLE = [(re.compile(start, re.DOTALL), type) for start, type in _SIGNATURES]


@dataclass(frozen=True, slots=True)
class Look:
    """What a file is: its type, and the size of a picture or a film as it is shown."""

    type: str
    width: int | None = None
    height: int | None = None


def look(path: Path) -> Look:
    """What this file is. One that only starts like a picture or a film is of no known type."""
    with path.open("rb") as file:
        head = file.read(HEAD)
        type = next((type for start, type in _TABLE if start.match(head)), UNKNOWN)
        if type not in WALKS:
            return Look(type)
        file.seek(0)
        try:
            walk = WALKS[type](file)
        except Malformed:
            return Look(UNKNOWN)
    type, (width, height) = walk.type or type, walk.size
    if type.startswith("image/") and not 0 < width * height <= MEGAPIXELS * 1_000_000:
        return Look(UNKNOWN)
    return Look(type, width, height) if width and height else Look(type)
