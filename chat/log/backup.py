"""Backup: the history and the key that signs cookies in one file, and the uploaded files beside it.

A backup is a database like the one it was made of, with the key as a row of `meta`.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from chat.datafolder import beside, give, read_secret, sync
from chat.log.backup_files import DATED, Saving, forget_cut_short, forget_old, lasting
from chat.log.copying import copy_history, counted, only_writer, reason, unsynced
from chat.log.database import UNUSABLE, StoreError, mark, open_for_reading, refuse_leftovers


def backup(data: Path, file: Path | None) -> str:
    """Save history and key of this data folder, also while a server runs; says what was saved.

    Without a file: in `backups` there, where those that are too many or too old are removed.
    Raises StoreError or FolderError; then nothing has changed.
    """
    folder = data / "backups"
    target = file or folder / time.strftime(DATED, time.gmtime())
    part = folder / "part" if file is None else beside(file, ".part")
    try:
        if target.is_dir() or target.resolve().parent == data.resolve():
            raise sqlite3.DatabaseError("that is no place for a backup, give a file elsewhere")
        refuse_leftovers(data / "chat.db")
        if not (data / "chat.db").exists():
            raise sqlite3.DatabaseError("there is no history yet")
        secret = read_secret(data).decode()
        if file is None:
            folder.mkdir(0o700, exist_ok=True)
            give(folder, data.stat())
        with only_writer(part):
            if file is None:
                forget_cut_short(folder)
            with Saving(data / "files", target, None if file else data.stat()) as files:
                files.begin()
                saved = _copied(data / "chat.db", part, secret)
                files_too = files.complete(part)
                if file is None:
                    give(part, data.stat())
                part.replace(target)
            sync(target.parent)
            files.finish()
        if file is None:
            forget_old(folder)
    except UNUSABLE as error:
        raise StoreError(f"cannot back up {data} to {target}: {reason(error)}") from error
    return (
        f"saved {saved}, {target.stat().st_size:,} bytes, in {target}{files_too}; what is deleted"
        f" from now on lives in it {lasting() if file is None else 'until you remove it'}"
    )


def _copied(database: Path, part: Path, secret: str) -> str:
    """Copy, check and complete; says what is in it.

    The copy is one step of SQLite's backup: a third of the time of VACUUM INTO, during which the
    server writes on but cannot shorten its journal. Many small steps would begin again at every
    write of the server. So the copy is synced, checked and counted afterwards.
    """
    with closing(open_for_reading(database)) as source, closing(unsynced(part)) as copy:
        copy_history(source, copy)
        mark(copy, "secret", secret)
        mark(copy, "state", "closed")
        saved = counted(copy)
    sync(part)
    return saved
