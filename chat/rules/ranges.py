"""Which part of a file is asked for (RFC 9110, section 14). Pure."""

from __future__ import annotations

import re

# One range. Of several the whole may be sent instead (14.2); longer numbers nobody means.
_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """It begins where nothing is."""


def part_of(header: str, size: int) -> range | None:
    """The bytes that this Range header asks for of so many; None: all, it says nothing that counts.

    Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header)
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size:
        raise Unsatisfiable
    return range(start, stop)
