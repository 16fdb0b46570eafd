"""The options: one field is one option is one line of help.

A flag wins over the environment (CHAT_PORT), the environment over the default.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn


def option(default: Any, help: str) -> Any:
    """A field of Config and the sentence that `--help` and docs/configuration.md say about it."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a person can set. Parsed once in main.py and passed down."""

    port: int = option(8000, "port to listen on")
    address: str = option("", "address to listen on; 127.0.0.1 behind a proxy (default: all)")
    data: Path = option(Path("data"), "folder for the history and the secrets, made if missing")
    host: str = option("", "names this server answers to, with commas, when bound to 127.0.0.1")
    rate: float = option(10.0, "messages a second one person may send for long; 0 lifts the limit")
    connections_per_user: int = option(20, "open tabs one person may have; 0 lifts the limit")
    rooms: int = option(1000, "rooms this server may have")
    restore: str = option("", "replace the history by this backup, then start")
    debug: bool = option(False, "restart when a file changes, for work on the program")

    @property
    def hosts(self) -> frozenset[str]:
        """The names of --host, in lower case."""
        return frozenset(name.strip().lower() for name in self.host.split(",") if name.strip())

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect, as behind a proxy."""
        return self.address in ("localhost", "::1") or self.address.startswith("127.")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"chat: {message} (--help lists the options)\n")


def parse(arguments: Sequence[str], environment: Mapping[str, str]) -> Config:
    """The Config from the command line and the environment; a wrong one exits 2 with one line."""
    parser = _Parser(
        prog="run.py",
        usage="python run.py [--port=8000] [--option=value ...]",
        allow_abbrev=False,
        description="A group chat for everyone who has the link.",
        epilog="Each option can also be set in the environment: CHAT_PORT=8000 is --port=8000.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=32, width=100),
    )
    for item in fields(Config):
        help, kind = item.metadata["help"], _reader(item.name, item.default)
        if "default" not in help and item.default not in ("", False):
            help += f" (default: {item.default})"
        given = environment.get("CHAT_" + item.name.upper())
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


_KINDS = {int: "N", float: "N", str: "TEXT", type(Path()): "FOLDER", bool: "yes|no"}


def _reader(name: str, default: Any) -> Callable[[str], Any]:
    """What turns the text of an option into its value. Raises ArgumentTypeError."""
    most = 65_535 if name == "port" else 10_000_000

    def read(text: str) -> Any:
        wrong = argparse.ArgumentTypeError(f"it cannot be {text!r}")
        if isinstance(default, bool):
            if text.lower() not in ("1", "0", "yes", "no", "true", "false", "on", "off"):
                raise wrong
            return text.lower() in ("1", "yes", "true", "on")
        try:
            value = type(default)(text)
        except ValueError:
            raise wrong from None
        if isinstance(default, int | float) and not 0 <= value <= most:  # NaN is neither
            raise wrong
        return value

    return read
