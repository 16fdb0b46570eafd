"""Quota: how many bytes of files there is room for. Pure.

What is on its way counts as if it were here: of two files that come at once, only one gets the last
of the room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chat.wire.codes import Refusal

MB, GB = 10**6, 10**9  # as people and their devices count
PERSON = 200 * MB  # bytes of files of one person
SERVER = 10 * GB  # bytes of all files, or a tenth of the disk if that is less
SPARE, PART = 2**30, 20  # so much stays free on the disk, or a 20th of it if that is more

_YOURS = "Your files here may have {} in all. Delete a message with files to make room."
_ALL = "All files here may have {} in all. Ask whoever runs this chat to make room."


@dataclass(frozen=True, slots=True)
class Used:
    """Bytes: of one person's files, of everybody's, free on the disk, and of the whole disk."""

    person: int
    server: int
    free: int
    disk: int


class Quota:
    """Owns what is on its way."""

    def __init__(self, file: int, server: int | None) -> None:
        """`file`: bytes in one file; `server`: bytes in all of them, None for what SERVER says."""
        self._file = file
        self._server = server
        self._coming: Counter[str] = Counter()  # person -> bytes
        self.ended = 0  # how many were on their way and are not any more

    def check(self, size: int) -> None:
        """Refuse a file that is too big for anybody: too_big."""
        if size > self._file:
            raise Refusal("too_big", detail=f"A file here may have {told(self._file)} at most.")

    @contextmanager
    def coming(self, person: str, size: int, used: Used) -> Iterator[None]:
        """While this file is on its way. Raises Refusal quota, files_full or disk_full."""
        everybody = self._coming.total() + size
        server = server_limit(self._server, used.disk)
        if used.person + self._coming[person] + size > PERSON:
            raise Refusal("quota", detail=_YOURS.format(told(PERSON)))
        if used.server + everybody > server:
            raise Refusal("files_full", detail=_ALL.format(told(server)))
        if used.free - everybody < spare(used.disk):
            raise Refusal("disk_full")
        self._coming[person] += size
        try:
            yield
        finally:
            self.ended += 1
            self._coming[person] -= size
            if not self._coming[person]:
                del self._coming[person]


def server_limit(said: int | None, disk: int) -> int:
    """Bytes of all files: what was said, or what SERVER says for a disk of this size."""
    return min(SERVER, disk // 10) if said is None else said


def spare(disk: int) -> int:
    """Bytes that stay free on a disk of this size."""
    return max(SPARE, disk // PART)


def told(size: int) -> str:
    """So many bytes, as a person reads it."""
    unit, name = (GB, "GB") if size >= GB else (MB, "MB")
    return f"{size / unit:.1f} {name}".replace(".0 ", " ")
