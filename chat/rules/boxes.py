"""Boxes of ISO base media (ISO/IEC 14496-12): films and sound. They are pointed into by place, so
what is left out is made blank and nothing is moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from chat.rules.walks import Malformed, Walk, take

_INSIDE = {b"": b"moov", b"moov": b"trak", b"trak": b"mdia"}  # which box is entered in which
_TELLS = {b"udta", b"meta", b"uuid"}  # where it was filmed, with what; XMP


class Box(NamedTuple):
    """Where one is: `body` is what follows its head."""

    kind: bytes
    start: int
    body: int
    end: int


class Change(NamedTuple):
    """What stands in place of a part of the file; what that does not fill is zeros."""

    start: int
    end: int
    instead: bytes = b""


@dataclass(slots=True)
class Found:
    """What is changed in a file, the kinds of its tracks, and the box that says what a picture is
    made of, if it is one."""

    changes: list[Change] = field(default_factory=list)
    tracks: set[bytes] = field(default_factory=set)
    meta: Box | None = None


def film(file: BinaryIO) -> Walk:
    """MP4 and MOV, or sound alone."""
    walk = Walk()
    found = enter(file, walk, picture=False)
    if not found.tracks:
        raise Malformed
    if b"vide" not in found.tracks:
        walk.type = "audio/mp4"
    change(file, walk, found.changes)
    return walk


def enter(file: BinaryIO, walk: Walk, *, picture: bool) -> Found:
    """Look into the boxes of a file. Raises Malformed."""
    found = Found()
    inside = [Box(b"", 0, 0, os.fstat(file.fileno()).st_size)]
    while inside:
        outer = inside.pop()
        for box in boxes(file, walk, outer.body, outer.end):
            if picture and not outer.kind and box.kind == b"meta" and found.meta is None:
                found.meta = box
            elif box.kind in _TELLS:
                found.changes.append(Change(box.start + 4, box.start + 8, b"free"))
                found.changes.append(Change(box.body, box.end))
            elif box.kind == _INSIDE.get(outer.kind):
                inside.append(box)
            elif box.kind == b"hdlr" and outer.kind == b"mdia":
                file.seek(box.body + 8)
                found.tracks.add(take(file, 4))
            elif box.kind == b"tkhd" and outer.kind == b"trak":
                _track(file, box, walk)
    return found


def boxes(file: BinaryIO, walk: Walk, start: int, end: int) -> Iterator[Box]:
    """The boxes between these places. Raises Malformed."""
    while start < end:
        walk.step()
        file.seek(start)
        size, kind, body = number(file, 4), take(file, 4), start + 8
        if size == 1:
            size, body = number(file, 8), start + 16
        after = start + size if size else end
        if not body <= after <= end:
            raise Malformed
        yield Box(kind, start, body, after)
        start = after


def number(file: BinaryIO, size: int) -> int:
    """The next number of so many bytes."""
    return int.from_bytes(take(file, size), "big")


def _track(file: BinaryIO, box: Box, walk: Walk) -> None:
    """The head of a track ends with a matrix and the size of what is shown, in 1/65536."""
    if box.end - box.body < 84:
        raise Malformed
    file.seek(box.end - 44)
    matrix = [number(file, 4) for _ in range(9)]
    width, height = number(file, 4) >> 16, number(file, 4) >> 16
    if width and height:
        walk.width, walk.height = width, height
        walk.orientation = 1 if matrix[0] or matrix[4] else 6


def change(file: BinaryIO, walk: Walk, changes: Iterable[Change]) -> None:
    """Keep the file but for these parts."""
    at = 0
    for part in sorted(changes):
        start = max(part.start, at)  # they may overlap
        if start < part.end:
            instead = part.instead[start - part.start :]
            walk.keep(at, start)
            walk.put(instead)
            walk.blank(part.end - start - len(instead))
            at = part.end
    walk.keep(at, os.fstat(file.fileno()).st_size)
