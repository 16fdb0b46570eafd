"""The data folder: made on first start, closed to others, used by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from pathlib import Path
from typing import IO

# How the names here begin.
OURS = ("chat.db", "files", "secret", "lock", "backups", "owner-link", "lost+found")


class FolderError(Exception):
    """The folder cannot be used; the text is one line for the person who started the program."""


class Folder:
    """Owns the lock, and the paths of what is kept: the database, the files and the secret."""

    def __init__(self, path: Path) -> None:
        """Make and lock the folder, and the secret on first start. Raises FolderError."""
        self.path = path
        self.database = path / "chat.db"
        self.files = path / "files"
        self._lock = lock_folder(path)
        try:
            if not (path / "secret").exists():
                write_secret(path / "secret", secrets.token_hex(32).encode())
            self.secret = read_secret(path)
            finish_files(self.files)
        except (OSError, FolderError) as error:
            self.close()
            if isinstance(error, FolderError):
                raise
            raise FolderError(f"cannot use {path / 'secret'}: {error.strerror}") from error

    def close(self) -> None:
        """Let another process use the folder."""
        self._lock.close()


def lock_folder(path: Path) -> IO[bytes]:
    """Make the folder if it is missing (mode 0700) and keep others out until this is closed.

    Raises FolderError.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _close_to_others(path)
        return _locked(path / "lock")
    except OSError as error:
        raise FolderError(f"cannot use the data folder {path}: {error.strerror}") from error


def read_secret(folder: Path) -> bytes:
    """The key that signs cookies. Raises OSError, or FolderError if it must not be used."""
    path = folder / "secret"
    if path.is_file() and path.stat().st_mode & 0o077:
        raise FolderError(f"others can read {path}: chmod 600 {path}")
    secret = path.read_bytes().strip()
    if len(secret) < 32 or not (secret.isascii() and secret.decode().isprintable()):
        raise FolderError(f"{path} is damaged: remove it (everyone will have to join again)")
    return secret


def write_secret(path: Path, secret: bytes) -> None:
    """Write it under another name first: a power cut must not leave half a secret."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    give(part, path.parent.stat())
    part.replace(path)
    sync(path.parent)


def finish_files(files: Path) -> None:
    """The files of a restore that was cut short when the history had its place already."""
    part = beside(files, ".part")
    if part.exists() and not files.exists():
        part.rename(files)
        sync(files.parent)


def beside(path: Path, ending: str) -> Path:
    """The file that belongs to this one by its name: `chat.db-wal` beside `chat.db`."""
    return path.with_name(path.name + ending)


def sync(path: Path) -> None:
    """What was written to this file, or renamed in this folder, so far survives a power cut."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def give(path: Path, owner: os.stat_result) -> None:
    """What root makes here belongs to the one who runs the server."""
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
        os.chown(path, owner.st_uid, owner.st_gid)


def _close_to_others(path: Path) -> None:
    """A folder that only holds what is ours is closed; a shared one is refused, never changed."""
    if not stat.S_IMODE(path.stat().st_mode) & 0o077:
        return
    foreign = [name for name in os.listdir(path) if not name.startswith(OURS)]
    if foreign:
        raise FolderError(
            f"others can look into {path}, and more is in it than the chat ({foreign[0]}):"
            " give --data a folder of its own, or close this one (chmod 700)"
        )
    try:
        path.chmod(0o700)
    except PermissionError:
        raise FolderError(
            f"others can look into {path}, and it belongs to somebody else: chown or chmod 700 it"
        ) from None


def _locked(path: Path) -> IO[bytes]:
    lock = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)  # noqa: SIM115
    try:
        give(path, path.parent.stat())
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise FolderError(f"another server is using the data folder {path.parent}") from None
    return lock
