"""Tokens: what lets somebody in who has nothing else. 128 random bits in the fragment of a link,
and a code of eight characters to type; kept are only their hashes. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import NamedTuple

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without 0 O 1 I L U: 39 bits in eight of them
SIZE = 22  # characters of a token
LENGTH = 8  # of a code
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{SIZE}}}")


class Secret(NamedTuple):
    """A token and its code, as they are told once and kept nowhere."""

    token: str
    code: str

    @property
    def hashes(self) -> tuple[bytes, bytes]:
        """What is kept of them."""
        return hashed(self.token), hashed(self.code.replace("-", ""))


def new_secret() -> Secret:
    """One that nobody can guess; the code in two halves, as it is shown."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return Secret(token, f"{code[:4]}-{code[4:]}")


def key_of(text: str) -> bytes | None:
    """The hash of what was typed: a token, the link it came in, or a code in any case, with or
    without its hyphen. None if it is none of these.
    """
    text = text.strip().rpartition("#")[2]
    if _TOKEN.fullmatch(text):
        return hashed(text)
    code = re.sub(r"[\s\u2010-\u2015-]", "", text).upper()
    return hashed(code) if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def hashed(secret: str) -> bytes:
    """What is kept of a token or a code: it is as random as can be, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()
