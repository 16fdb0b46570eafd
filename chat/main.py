"""main: what `run.py` and the `chat` command do, from the command line to the last connection."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

from chat.app import make_app
from chat.config import Config, parse
from chat.database import StoreError
from chat.faults import OncePerMinute
from chat.folder import FolderError


def addresses(config: Config, port: int) -> list[str]:
    """What to type into a browser, here and on another machine of the same network."""
    hosts = [config.address if config.loopback else "localhost"]
    if config.address in ("", "0.0.0.0"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))  # sends nothing: it only picks our own address
                hosts.append(probe.getsockname()[0])
            except OSError:
                pass
    elif not config.loopback:
        hosts = [config.address]
    return [f"http://{f'[{host}]' if ':' in host else host}:{port}/" for host in hosts]


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then let everybody go in order."""
    app = make_app(config)
    app.start()
    port = app.listen_on(config.port, config.address)
    print("The chat is open at", "  ".join(addresses(config, port)), flush=True)
    if not config.loopback:
        print(
            "Plain http can be read on the way: outside your own network put it behind https "
            "(README: On a server).",
            flush=True,
        )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await app.stop()


def main() -> int:
    """Serve until a signal; the exit code. A start that fails says why in one line."""
    config = parse(sys.argv[1:], os.environ)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerMinute())
    try:
        asyncio.run(serve(config))
    except (FolderError, StoreError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        where = f"port {config.port}" + (f" of {config.address}" if config.address else "")
        print(f"chat: cannot listen on {where}: {reason}", file=sys.stderr)
        return 1
    return 0
