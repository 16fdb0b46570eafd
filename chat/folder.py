"""The data folder: made on first start, closed to others, used by one process at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path
from typing import IO


class FolderError(Exception):
    """The folder cannot be used; the text is one line for the person who started the server."""


class Folder:
    """Owns the lock, and the paths of what is kept: the database and the cookie secret."""

    def __init__(self, path: Path) -> None:
        """Make the folder if it is missing (mode 0700) and lock it. Raises FolderError."""
        self.path = path
        self.database = path / "chat.db"
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._locked(path / "lock")
        except OSError as error:
            raise FolderError(f"cannot use the data folder {path}: {error.strerror}") from error
        try:
            self.secret = self._secret(path / "secret")
        except FolderError:
            self.close()
            raise

    def close(self) -> None:
        """Let another process use the folder."""
        self._lock.close()

    @staticmethod
    def _locked(path: Path) -> IO[bytes]:
        lock = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise FolderError(f"another server is using the data folder {path.parent}") from None
        return lock

    @staticmethod
    def _secret(path: Path) -> bytes:
        """The key that signs cookies: 256 random bits, made on first start, mode 0600."""
        try:
            # Under another name first: a power cut must not leave half a secret.
            part = path.with_suffix(".part")
            if not path.exists():
                part.unlink(missing_ok=True)
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(secrets.token_hex(32).encode())
                    file.flush()
                    os.fsync(file.fileno())
                part.rename(path)
            if path.stat().st_mode & 0o077:
                raise FolderError(f"others can read {path}: chmod 600 {path}")
            secret = path.read_bytes().strip()
        except OSError as error:
            raise FolderError(f"cannot use {path}: {error.strerror}") from error
        if len(secret) < 32:
            raise FolderError(f"{path} is damaged: remove it (everyone will have to join again)")
        return secret
