"""WebM (RFC 8794, RFC 9559): whether it has pictures, and of which size. It is kept as it is."""

from __future__ import annotations

import os
from typing import BinaryIO

from chat.rules.walks import Malformed, Walk, take

_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_ENTERED = {_SEGMENT, _TRACKS, _TRACK, _VIDEO}
_CLUSTER = 0x1F43B675  # what is played; what comes before it says what that is
_TYPE, _WIDTH, _HEIGHT = 0x83, 0xB0, 0xBA
_PICTURES = 1  # a type of tracks


def webm(file: BinaryIO) -> Walk:
    """Its type by its tracks. Raises Malformed."""
    walk, end = Walk(), os.fstat(file.fileno()).st_size
    walk.keep(0, end)
    at = 0
    while at < end:
        walk.step()
        file.seek(at)
        id, _ = _variable(file, marker=True)
        length, unknown = _variable(file)
        if id == _CLUSTER:
            break
        at = file.tell()
        if at + (0 if unknown else length) > end or (unknown and id != _SEGMENT):
            raise Malformed
        if id in _ENTERED:
            continue
        if id in (_TYPE, _WIDTH, _HEIGHT):
            value = int.from_bytes(take(file, min(length, 8)), "big")
            if id == _TYPE:
                film = walk.type == "video/webm" or value == _PICTURES
                walk.type = "video/webm" if film else "audio/webm"
            elif id == _WIDTH:
                walk.width = value
            elif id == _HEIGHT:
                walk.height = value
        at += length
    if not walk.type:
        raise Malformed
    return walk


def _variable(file: BinaryIO, *, marker: bool = False) -> tuple[int, bool]:
    """A number of variable length, with its marker or without, and whether it says "unknown"."""
    first = take(file, 1)
    length = 9 - first[0].bit_length()
    if length > 8:
        raise Malformed
    value = int.from_bytes(first + take(file, length - 1), "big")
    bare = value & ((1 << 7 * length) - 1)
    return (value if marker else bare), bare == (1 << 7 * length) - 1
