"""main: what `run.py` and the `chat` command do, from the command line to the last connection."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

import segno

from chat import __version__
from chat.app import ROOT, ChatApp, make_app
from chat.config import Command, Config, parse, parse_command
from chat.datafolder import FolderError
from chat.faults import OncePerMinute
from chat.line.listening import ListenError, links, network_link
from chat.line.systemd import Systemd
from chat.log.backup import backup
from chat.log.database import StoreError
from chat.log.ownerlink import make_owner_link
from chat.log.powers import owned
from chat.log.restore import restore
from chat.log.storage import storage

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def serve(config: Config, manager: Systemd) -> None:
    """Serve until a signal, then let everybody go in order."""
    stop: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    for number in SIGNALS:
        # HUP: the terminal went away. Whoever started it with nohup wants it to outlive that.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, _stopped, stop, number)
    began = time.monotonic()
    app = make_app(config)
    app.start()
    try:
        port = app.start_listening()
    except ListenError:
        await app.stop()  # what is being saved by now is told while there is a loop to tell it
        raise
    _greet(app, config, port)
    manager.tell("READY=1")
    app.tasks.start(manager.live(app.site.health))
    number = await stop
    manager.tell("STOPPING=1")
    await app.stop()
    tell(f"Stopped by {number.name} after {_duration(time.monotonic() - began)}.")


def _stopped(stop: asyncio.Future[signal.Signals], number: signal.Signals) -> None:
    if not stop.done():
        stop.set_result(number)


def _greet(app: ChatApp, config: Config, port: int) -> None:
    """Say what is served and where, and what a newcomer to this has to know."""
    here, network = links(config, port), network_link(config, port)
    where = "  ".join(
        f"{link} (works in your network)" if link == network else link for link in here
    )
    people, rooms = len(app.site.directory), len(app.site.hub)
    tell(f"The chat is open at {where or config.address}")
    tell(
        f"Version {__version__}, {people} {'person' if people == 1 else 'people'} and {rooms} "
        f"{'room' if rooms == 1 else 'rooms'} in {config.data.absolute()}"
    )
    if not config.loopback:
        tell(
            "Plain http can be read on the way: outside your own network put it behind https "
            "(docs/deploy.md)."
        )
    if not app.site.store.at_start(owned):
        tell("Nobody looks after this chat yet.")
        try:
            tell_owner_link(config, port)
        except FolderError as error:  # a full disk: who is here can go on reading
            tell(f"There is no link to become the owner: {error}")
    elif network:
        _show_code(network)


def tell_owner_link(config: Config, port: int) -> None:
    """A new link that makes whoever opens it an owner. Raises FolderError."""
    secret = make_owner_link(config.data)
    named = [f"https://{host}/" for host in sorted(config.hosts)]
    here = [*named, *filter(None, [network_link(config, port)]), *links(config, port), "/"]
    link = f"{here[0]}enter#{secret.token}"
    tell(f"Whoever opens this link becomes the owner. It works once, for 7 days: {link}")
    tell(f"Or open {here[0]}enter and type the code {secret.code}")
    _show_code(link)


def _show_code(link: str) -> None:
    """The link as a picture to scan, for a person."""
    if sys.stdout is not None and sys.stdout.isatty():
        picture = io.StringIO()
        segno.make_qr(link).terminal(picture, border=2, compact=True)
        tell(picture.getvalue())


def tell(text: str) -> None:
    """A line for the person or the journal; whoever does not listen must not stop the chat."""
    if sys.stdout is not None:
        # Past Python's buffer, which would fail once more at the end.
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), f"{text}\n".encode(errors="surrogateescape"))


def _duration(seconds: float) -> str:
    minutes = int(seconds) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes else f"{int(seconds)} s"


def obey(command: Command) -> int:
    """Make or bring back a backup, or look what there is, and say so; the exit code."""
    try:
        if command.name == "storage":
            assert command.config is not None
            tell(storage(command.data, command.config.files_limit))
        elif command.name == "owner-link":
            assert command.config is not None
            tell_owner_link(command.config, command.config.port)
        elif command.name == "restore":
            assert command.file is not None
            tell(restore(command.data, command.file))
        else:
            tell(backup(command.data, command.file))
    except (FolderError, StoreError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("chat: stopped before it was done", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def main() -> int:
    """What a process does: the exit code. What fails says why in one line."""
    return run(sys.argv[1:], os.environ)


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do what the command line says; the exit code."""
    command = parse_command(arguments, environment)
    if command is not None:
        return obey(command)
    config = parse(arguments, environment)
    if config.debug and "tornado.autoreload" not in sys.orig_argv:
        _stay_through_mistakes()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(OncePerMinute())
    try:
        asyncio.run(serve(config, Systemd(environment.get("NOTIFY_SOCKET", ""))))
    except (FolderError, StoreError, ListenError) as error:
        print(f"chat: {error}", file=sys.stderr)
        return 1
    return 0


def _stay_through_mistakes() -> None:
    """Start again under Tornado's reloader: it waits for the next change when a file is broken."""
    reloader = [sys.executable, "-m", "tornado.autoreload", "--until-success", *sys.argv]
    os.execve(sys.executable, reloader, {**os.environ, "PYTHONPATH": str(ROOT)})
