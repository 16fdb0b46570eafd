"""The owner link: the hashes of the one that was printed last, in a file of the data folder.

Whoever can write there may become the owner, and nobody else. So a link can be made also while a
server runs, which reads the file when it is asked. A backup has no copy of it.
"""

from __future__ import annotations

import time
from pathlib import Path

from chat.datafolder import FolderError, write_secret
from chat.log.tokens import Hashes
from chat.rules.tokens import Secret, new_secret

FILE = "owner-link"
LIFE = 7 * 24 * 3600  # seconds


def make_owner_link(data: Path) -> Secret:
    """A new one; the one before it is worth nothing any more. Raises FolderError."""
    secret = new_secret()
    until = int(time.time()) + LIFE
    token, code = secret.hashes
    try:
        write_secret(data / FILE, f"{token.hex()} {code.hex()} {until}\n".encode())
    except OSError as error:
        raise FolderError(f"cannot write {data / FILE}: {error.strerror}") from error
    return secret


def owner_link(data: Path, key: bytes) -> Hashes | None:
    """The hashes of the link, if this is one of them and it has not run out."""
    try:
        token, code, until = (data / FILE).read_text().split()
        found = Hashes(bytes.fromhex(token), bytes.fromhex(code))
        return found if key in found and time.time() < int(until) else None
    except (OSError, ValueError):
        return None


def drop_owner_link(data: Path, hashes: Hashes) -> None:
    """It was used; another one that was made meanwhile stays."""
    if owner_link(data, hashes.token) == hashes:
        (data / FILE).unlink(missing_ok=True)
