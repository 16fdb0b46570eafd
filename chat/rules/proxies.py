"""Proxies: whose word about a client is believed, and which address counts as one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import (
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)

LOCAL_FILE = "0.0.0.0"  # Tornado's name for the other end of a socket file: no address at all
SITE = 64  # bits of an IPv6 address that a provider gives to one household: the rest is free

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a list with commas. Raises ValueError."""
    return tuple(ip_network(item.strip()) for item in text.split(",") if item.strip())


class Proxies:
    """The proxies in front of this server."""

    def __init__(self, trusted: tuple[Network, ...]) -> None:
        # Kept by peer alone: networks are slow to hash.
        self._within = lru_cache(4096)(lambda peer: _within(peer, trusted))

    def trusts(self, peer: str) -> bool:
        """Whether this end of a connection is a proxy of ours."""
        return self._within(peer)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """The address that a request came from.

        Of X-Forwarded-For only the last entry is the proxy's own, the others are hearsay; and
        X-Real-Ip is not read at all, since some proxies hand on what a client writes there.
        """
        told = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        if told and self.trusts(peer):
            try:
                return str(ip_address(as_ipv4(told)))
            except ValueError:
                pass
        return peer

    def protocol(self, peer: str, headers: Mapping[str, str], own: str) -> str:
        """What the client's browser spoke to the outermost of us: http or https."""
        told = headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip().lower()
        return told if told in ("http", "https") and self.trusts(peer) else own


def as_ipv4(text: str) -> str:
    """An IPv4 address that is written as an IPv6 one, as IPv4."""
    return text[7:] if text.lower().startswith("::ffff:") and "." in text else text


def _within(peer: str, trusted: tuple[Network, ...]) -> bool:
    if peer == LOCAL_FILE:
        return True  # who may open the file was decided by its mode
    address = ip_address(as_ipv4(peer))
    return any(address in network for network in trusted)


@lru_cache(4096)
def counted(address: str) -> str:
    """What counts as one address: an IPv6 network of 64 bits, or an IPv4 address."""
    try:
        parsed = ip_address(as_ipv4(address))
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ip_network((int(parsed), SITE), strict=False))


def neighbourhood(address: str) -> str:
    """What a ban keeps out with one counted address: an IPv4 network of 24 bits, an IPv6 one of 48;
    "" where there is none, as behind a file of this machine."""
    try:
        around = ip_interface(address).network
    except ValueError:
        return ""
    if address == LOCAL_FILE:
        return ""
    bits = 24 if around.version == 4 else 48
    return str(around.supernet(new_prefix=min(bits, around.prefixlen)))
