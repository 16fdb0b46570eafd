"""Storage: what the files take of what they may, whose they are, and what was cleaned up."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from chat.datafolder import beside
from chat.log.backup_files import FOLDER, KEEP_DAYS, counted
from chat.log.blobs import blobs_in
from chat.log.copying import at_rest, reason
from chat.log.database import JOURNALS, UNUSABLE, StoreError
from chat.log.sweep import note_of
from chat.rules.quota import PERSON, server_limit, spare, told

WIDTH = 24  # characters of a bar
LARGEST = 5  # rooms and people named


def storage(data: Path, limit: int | None) -> str:
    """What `run.py storage` says of this data folder, also while a server runs; `limit` as of
    Quota. Raises StoreError."""
    try:
        if not (data / "chat.db").exists():
            raise sqlite3.DatabaseError("there is no history yet")
        with closing(at_rest(data / "chat.db")) as db:
            return "\n".join([*_taken(db, data, limit), *_largest(db), *_going(db, data)])
    except UNUSABLE as error:
        raise StoreError(f"cannot look into {data}: {reason(error)}") from error


def _taken(db: sqlite3.Connection, data: Path, limit: int | None) -> Iterator[str]:
    disk = shutil.disk_usage(data)
    most = server_limit(limit, disk.total)
    count, size = db.execute("SELECT count(*), total(size) FROM files").fetchone()
    history = [beside(data / "chat.db", ending) for ending in ("", *JOURNALS)]
    yield f"Files    {_bar(size, most)}  {told(size)} of {told(most)}, in {counted(count)}"
    yield (
        f"Disk     {_bar(disk.total - disk.free, disk.total)}  {told(disk.free)} free of"
        f" {told(disk.total)}; below {told(spare(disk.total))} no file is taken"
    )
    yield f"History  {told(_size(path for path in history if path.exists()))}"
    backups = list((data / "backups").glob("*.db"))
    if backups:
        yield f"Backups  {told(_size(backups))} of history, in {len(backups)}"


def _largest(db: sqlite3.Connection) -> Iterator[str]:
    rooms = db.execute(
        "SELECT total(size), count(*), coalesce(nullif(title, ''), room) FROM files"
        " LEFT JOIN rooms ON name = room GROUP BY room ORDER BY 1 DESC, 3 LIMIT ?",
        (LARGEST,),
    ).fetchall()
    people = db.execute(
        "SELECT total(files.size), count(*), coalesce(name, 'somebody who is gone') FROM files"
        " LEFT JOIN users ON users.id = person GROUP BY person ORDER BY 1 DESC, 3 LIMIT ?",
        (LARGEST,),
    ).fetchall()
    if rooms:
        yield "\nLargest rooms"
        yield from _rows(rooms)
        yield f"\nLargest people (each may have {told(PERSON)})"
        yield from _rows(people)


def _rows(found: Iterable[tuple[float, int, str]]) -> Iterator[str]:
    for size, count, name in found:
        yield f"{told(int(size)):>10}  {name}, {counted(count)}"


def _going(db: sqlite3.Connection, data: Path) -> Iterator[str]:
    """What is there and belongs to no message."""
    count, size = db.execute(
        "SELECT count(*), total(size) FROM files WHERE message IS NULL"
    ).fetchone()
    yield f"\nNot sent yet: {_some(count, size)}; what is not sent within a day goes"
    folders = sorted((data / "backups").glob(f"*{FOLDER}"))
    until, kept = _only_in(folders, data)
    if kept:
        day = time.strftime("%Y-%m-%d", time.gmtime(until + KEEP_DAYS * 86_400))
        yield (
            f"Deleted, and still in backups: {_some(len(kept), sum(kept.values()))},"
            f" until the first backup after {day}"
        )
    _, aside = _only_in(data.glob("files.before-restore-*"), data)
    if before := _size(data.glob("chat.db.before-restore-*")):
        yield (
            f"Kept from before a restore: {told(before)} of history,"
            f" {_some(len(aside), sum(aside.values()))}; until you remove it"
        )
    note = note_of(data / "files")
    if note.exists() and (last := note.read_text().split()):  # it is empty after a full disk
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(note.stat().st_mtime))
        yield f"Cleaned up last: {_some(*map(int, last))}, at {when} UTC"


def _only_in(folders: Iterable[Path], data: Path) -> tuple[float, dict[str, int]]:
    """When the newest folder that has files of its own was made, and these, with their bytes."""
    there = {path.name for path in blobs_in(data / "files")}
    newest = 0.0
    found: dict[str, int] = {}
    for folder in folders:
        own = {
            path.name: path.stat().st_size for path in blobs_in(folder) if path.name not in there
        }
        if own:
            newest = max(newest, folder.stat().st_mtime)
            found |= own
    return newest, found


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _some(count: int, size: float) -> str:
    return f"{counted(count)} ({told(int(size))})" if count else "no file"


def _bar(part: float, whole: float) -> str:
    full = min(WIDTH, round(WIDTH * part / whole)) if whole else WIDTH
    return f"[{'#' * full}{'-' * (WIDTH - full)}]"
