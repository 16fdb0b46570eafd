"""Where the server listens, and how people write that: a port, an address, a socket file."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

from tornado.netutil import bind_sockets, bind_unix_socket

from chat.config import Config

BACKLOG = 4096  # connections that may wait to be accepted: everyone comes back after a restart
GROUP = 0o660  # mode of a socket file: the proxy is in the group of the server
_V4, _V6 = (socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")  # RFC 5737, RFC 3849
_EVERYWHERE = {"": (_V4, _V6), "0.0.0.0": (_V4,), "::": (_V6,)}  # address -> a way out to try


class ListenError(Exception):
    """The place cannot be had; the text is one line for the person who started the server."""


def listen(config: Config) -> list[socket.socket]:
    """The sockets of `--address` and `--port`. Raises ListenError."""
    path = config.socket_file
    try:
        if path is None:
            return bind_sockets(config.port, config.address or None, backlog=BACKLOG)
        _remove_stale(path)
        return [bind_unix_socket(str(path), GROUP, BACKLOG)]
    except (OSError, UnicodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = f"port {config.port}" + (f" of {config.address}" if config.address else "")
        hint = ""
        if getattr(error, "errno", None) == errno.EADDRINUSE and path is None:
            other = config.port + 1 if config.port < 65_535 else 8000
            hint = f" (another one: --port={other}, or make run PORT={other})"
        raise ListenError(f"cannot listen on {path or where}: {reason}{hint}") from error


def _remove_stale(path: Path) -> None:
    """Make way for a new socket file: the old one goes if nobody answers there."""
    if not path.is_socket():
        return  # nothing there, or something that bind refuses to replace
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, "another server answers there")


def leave(config: Config) -> None:
    """Take the socket file away, so that a proxy says at once that nobody is there."""
    if config.socket_file is not None:
        with contextlib.suppress(OSError):
            config.socket_file.unlink()


def links(config: Config, port: int) -> list[str]:
    """What to type into a browser: here, and on another machine of the same network."""
    if config.socket_file is not None:
        return []
    if config.address in _EVERYWHERE:
        return [_link("localhost", port), *filter(None, [network_link(config, port)])]
    return [_link(config.address, port)]


def network_link(config: Config, port: int) -> str:
    """The address for other machines of the same network, as it is now; "" if there is none."""
    for family, nowhere in _EVERYWHERE.get(config.address, ()) if port else ():
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((nowhere, 9))  # sends nothing: it only picks our own address
            host = str(probe.getsockname()[0])
            if not host.startswith("127.") and host != "::1":
                return _link(host, port)
    return ""


def _link(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"
