"""The host names this server answers to, and what it says to and of others.

A page of a stranger can have its own name lead to this machine (DNS rebinding) and would then read
the chat as its reader. It cannot do that with a name that only the own network can resolve.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import threading
from collections.abc import Callable
from functools import lru_cache
from time import monotonic

from chat.wire.codes import Refusal

log = logging.getLogger("chat")

MINUTE = 60.0  # seconds between two lines of the log: strangers choose the names in them
NAMES = 100  # told once each; then anew
SHOWN = 100  # characters of a foreign name in the log

# No stranger can register a name in these (RFC 6761, 6762, 8375, 9476, and what routers hand out).
_HOME = (".localhost", ".local", ".lan", ".home.arpa", ".internal")
_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class Hosts:
    """Owns which names are ours, and which others have been told of."""

    def __init__(self, given: frozenset[str], clock: Callable[[], float] = monotonic) -> None:
        """`given`: the names of `--host`."""
        own = socket.gethostname().lower()
        self._ours = given | {own}
        self._clock = clock
        self._told: dict[str, float] = {}
        # May ask a name server and wait for it, which must not hold up the start.
        threading.Thread(target=self._learn, args=(own,), name="own name", daemon=True).start()

    def _learn(self, own: str) -> None:
        self._ours |= {socket.getfqdn(own).lower()}

    def check(self, host: str) -> None:
        """Raises Refusal("wrong_host") for a name that a stranger may have made lead to us."""
        host = host.lower().removesuffix(".")
        if (
            (host and "." not in host)
            or host in self._ours
            or host.endswith(_HOME)
            or _in_figures(host)
        ):
            return
        self._tell(host)
        if not _NAME.fullmatch(host):
            raise Refusal("wrong_host")
        detail = (
            f"This server does not answer to {host}. If it is yours, start it with --host={host}"
        )
        raise Refusal("wrong_host", detail=detail)

    def _tell(self, host: str) -> None:
        now, last = self._clock(), max(self._told.values(), default=float("-inf"))
        if host in self._told or now - last < MINUTE:
            return
        if len(self._told) >= NAMES:
            self._told.clear()
        self._told[host] = now
        log.warning(
            "a request for the host %r was refused: if it is ours, start with --host=", host[:SHOWN]
        )


@lru_cache(1024)
def _in_figures(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
