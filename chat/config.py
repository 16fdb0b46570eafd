"""The options: one field is one option is one line of help.

A flag wins over the environment (CHAT_PORT), the environment over the default.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn

from chat import __version__
from chat.rules.proxies import Network, networks

DOORS = ("open", "invite", "locked")


def option(default: Any, help: str) -> Any:
    """A field of Config and the sentence that `--help` and docs/configuration.md say about it."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a person can set. Parsed once in main.py and passed down."""

    port: int = option(8000, "port to listen on")
    address: str = option("", "127.0.0.1 or unix:/path/to/socket behind a proxy (default: all)")
    data: Path = option(Path("data"), "folder for the history and the secrets, made if missing")
    name: str = option("", "what this chat is called on its cards and in titles (default: Chat)")
    door: str = option(
        "open", "who may come in while no owner says it: open (who has the address), invite, locked"
    )
    host: str = option("", "names of your own domain that this server answers to, with commas")
    trusted_proxies: str = option(
        "127.0.0.0/8,::1", "addresses and networks, with commas, believed about who a client is"
    )
    rate: float = option(10.0, "messages a second one person may send for long; 0: no limits")
    connections_per_user: int = option(20, "open tabs one person may have; 0: also any address")
    rooms: int = option(1000, "rooms this server may have")
    file_mb: int = option(25, "megabytes one file may have")
    files_gb: float = option(
        -1.0, "gigabytes of files; 0: none (default: a tenth of the disk, up to 10)"
    )
    plain: bool = option(True, "the plain dialect at /ws/1, for terminals (default: yes)")
    debug: bool = option(False, "restart when a file changes, for work on the program")

    @property
    def hosts(self) -> frozenset[str]:
        """The names of --host, in lower case."""
        return frozenset(name.strip().lower() for name in self.host.split(",") if name.strip())

    @property
    def proxies(self) -> tuple[Network, ...]:
        """The networks of --trusted-proxies."""
        return networks(self.trusted_proxies)

    @property
    def file_limit(self) -> int:
        """Bytes in one file."""
        return self.file_mb * 10**6

    @property
    def files_limit(self) -> int | None:
        """Bytes in all files; None if that was not said."""
        return int(self.files_gb * 10**9) if self.files_gb >= 0 else None

    @property
    def socket_file(self) -> Path | None:
        """The file of `--address=unix:/path`; None for an address of the network."""
        return Path(self.address[5:]) if self.address.startswith("unix:") else None

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect, as behind a proxy."""
        return self.address in ("localhost", "::1") or self.address.startswith(("127.", "unix:"))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"chat: {message} (--help lists the options)\n")


@dataclass(frozen=True, slots=True)
class Command:
    """`run.py backup`, `restore`, `storage` or `owner-link`: of which data folder, to or from which
    file, and with which options of the server."""

    name: str
    data: Path
    file: Path | None = None
    config: Config | None = None


def parse_command(arguments: Sequence[str], environment: Mapping[str, str]) -> Command | None:
    """The Command that the command line begins with; None to start the server. A wrong one exits 2
    with one line."""
    if arguments and arguments[0] in ("storage", "owner-link"):  # have the options of the server
        config = parse(arguments[1:], environment)
        return Command(arguments[0], config.data, config=config)
    if not arguments or arguments[0] not in _COMMANDS:
        return None
    name, (about, file_help) = arguments[0], _COMMANDS[arguments[0]]
    parser = _Parser(prog=f"run.py {name}", allow_abbrev=False, description=about)
    parser.add_argument(
        "file", nargs="?" if name == "backup" else None, type=Path, metavar="FILE", help=file_help
    )
    data = Path(environment.get("CHAT_DATA", "data"))
    parser.add_argument(
        "--data", type=Path, default=data, metavar="FOLDER", help=f"the data folder (now: {data})"
    )
    given = parser.parse_args(arguments[1:])
    return Command(name, given.data, given.file)


_COMMANDS = {
    "backup": (
        "Save the history and the key that signs cookies in one file, also while a server runs.",
        "where to save it (default: a name with the date in FOLDER/backups, which keeps seven)",
    ),
    "restore": (
        "Put a backup in the place of the history. Not while a server runs.",
        "what `run.py backup` made, or any copy of the database that is whole",
    ),
}


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """The Config from the command line and the environment; a wrong one exits 2 with one line."""
    parser = _Parser(
        prog="run.py",
        usage="python run.py [--port=8000] [--option=value ...]\n"
        "       python run.py backup [FILE] | restore FILE | storage | owner-link [--data=FOLDER]",
        allow_abbrev=False,
        description="A group chat for everyone who has the link.",
        epilog="Example: python run.py --port=8001 --data=/srv/chat --address=127.0.0.1 "
        "--host=chat.example.org. Each option can also be set in the environment: CHAT_PORT=8000 "
        "is --port=8000.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
    )
    if "CHAT_RESTORE" in environment or any(a.split("=")[0] == "--restore" for a in arguments):
        # What stays in a unit would throw away what was written since, at every start.
        parser.error("CHAT_RESTORE and --restore have become a command: run.py restore FILE")
    parser.add_argument("--version", action="version", version=f"chat {__version__}")
    given_names = _told(environment)
    for item in fields(Config):
        help, kind = item.metadata["help"], _reader(item.name, item.default)
        if "default" not in help and item.default not in ("", False):
            help += f" (default: {item.default})"
        given = given_names.get("CHAT_" + item.name.upper())
        try:
            default = item.default if given is None else kind(given)
        except argparse.ArgumentTypeError as error:
            parser.error(f"argument CHAT_{item.name.upper()}: {error}")
        bare: dict[str, Any] = {"nargs": "?", "const": True} if item.default is False else {}
        parser.add_argument(
            "--" + item.name.replace("_", "-"),
            type=kind, default=default, metavar=_KINDS[type(item.default)], help=help, **bare,
        )  # fmt: skip
    return Config(**vars(parser.parse_args(arguments)))


def _told(environment: Mapping[str, str]) -> dict[str, str]:
    """What the environment says to us; a variable that no option has is told, and left out.

    Docker and Kubernetes describe a container or service called "chat" to its neighbours in
    variables that look like ours: CHAT_PORT=tcp://10.0.0.1:8000, CHAT_PORT_8000_TCP, and so on.
    """
    names = {"CHAT_" + item.name.upper() for item in fields(Config)}
    ours = {}
    for name, value in environment.items():
        link = name == "CHAT_PORT" and "://" in value
        if name in names and not link:
            ours[name] = value
        elif name.startswith("CHAT_") and not link and not _LINKED.match(name):
            print(f"chat: {name} is not an option, it changes nothing", file=sys.stderr)
    return ours


_LINKED = re.compile(r"CHAT_(PORT_[0-9]|SERVICE_(HOST|PORT)|ENV_)")
_KINDS = {int: "N", float: "N", str: "TEXT", type(Path()): "FOLDER", bool: "yes|no"}


def _reader(name: str, default: Any) -> Callable[[str], Any]:
    """What turns the text of an option into its value. Raises ArgumentTypeError."""
    most = 65_535 if name == "port" else 10_000_000

    def read(text: str) -> Any:
        range = " (0 to 65535)" if name == "port" else ""
        wrong = argparse.ArgumentTypeError(f"it cannot be {text!r}{range}")
        if isinstance(default, bool):
            if text.lower() not in ("1", "0", "yes", "no", "true", "false", "on", "off"):
                raise wrong
            return text.lower() in ("1", "yes", "true", "on")
        try:
            value = type(default)(text)
            if name == "trusted_proxies":
                networks(text)
            if name == "door" and text not in DOORS:
                raise wrong
        except ValueError:
            raise wrong from None
        if isinstance(default, int | float) and not 0 <= value <= most:  # NaN is neither
            raise wrong
        return value.strip("[]") if name == "address" else value

    return read
