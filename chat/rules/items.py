"""AVIF and HEIC (ISO/IEC 23008-12): a picture is items in a file of boxes; what tells where it was
taken is such an item too, and is made blank where it lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from chat.rules.boxes import Box, Change, boxes, change, enter, number
from chat.rules.walks import Malformed, Walk, exif_of, take

_TELLING = {b"Exif", b"mime", b"uri "}  # types of items; XMP is mime
_EXIF = b"\0\0\0\0" + exif_of(1)  # in an item the place of its start comes first
_FILE, _IDAT = 0, 1  # where an item lies


def picture(file: BinaryIO) -> Walk:
    """The size that the largest of its parts has, and what it tells made blank."""
    walk = Walk()
    found = enter(file, walk, picture=True)
    if found.meta is None:
        raise Malformed
    parts = {box.kind: box for box in boxes(file, walk, found.meta.body + 4, found.meta.end)}
    if not {b"iinf", b"iloc", b"iprp"} <= parts.keys():
        raise Malformed
    walk.width, walk.height, walk.orientation = _size(file, walk, parts[b"iprp"])
    telling = _telling(file, walk, parts[b"iinf"])
    data = [box for box in boxes(file, walk, 0, file.seek(0, 2)) if box.kind == b"mdat"]
    for id, method, start, length in _places(file, walk, parts[b"iloc"]):
        if id not in telling:
            continue
        within = data
        if method == _IDAT and b"idat" in parts:
            within = [parts[b"idat"]]
            start += within[0].body
        end = start + length
        if method not in (_FILE, _IDAT) or not length:
            raise Malformed
        if not any(box.body <= start and end <= box.end for box in within):
            raise Malformed
        exif = telling[id] == b"Exif" and length >= len(_EXIF)
        found.changes.append(Change(start, end, _EXIF if exif else b""))
    change(file, walk, found.changes)
    return walk


def _size(file: BinaryIO, walk: Walk, properties: Box) -> tuple[int, int, int]:
    """Width, height and orientation. Previews and tiles are smaller than the whole."""
    sizes, turned = [], False
    for outer in boxes(file, walk, properties.body, properties.end):
        for box in boxes(file, walk, outer.body, outer.end) if outer.kind == b"ipco" else ():
            file.seek(box.body)
            if box.kind == b"ispe":
                number(file, 4)
                sizes.append((number(file, 4), number(file, 4)))
            elif box.kind == b"irot":
                turned = turned or bool(number(file, 1) & 1)
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    return width, height, 6 if turned else 1


def _telling(file: BinaryIO, walk: Walk, info: Box) -> dict[int, bytes]:
    """The items that tell something: id -> type."""
    file.seek(info.body)
    items = {}
    for box in boxes(file, walk, info.body + (8 if take(file, 1)[0] else 6), info.end):
        file.seek(box.body)
        version, _ = number(file, 1), number(file, 3)
        id, _ = number(file, 4 if version > 2 else 2), number(file, 2)
        if (type := take(file, 4)) in _TELLING:
            items[id] = type
    return items


def _places(file: BinaryIO, walk: Walk, box: Box) -> Iterator[tuple[int, int, int, int]]:
    """Where the items lie: id, method, start, length."""
    file.seek(box.body)
    version, _ = number(file, 1), number(file, 3)
    wide = 4 if version > 1 else 2
    sizes = number(file, 2)
    offset, length, base, index = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(number(file, wide)):
        walk.step()
        id = number(file, wide)
        method = number(file, 2) & 15 if version else 0
        number(file, 2)
        first = number(file, base)
        for _ in range(number(file, 2)):
            walk.step()
            number(file, index if version else 0)
            yield id, method, first + number(file, offset), number(file, length)
