"""The options: one field is one option is one line of help.

A flag wins over the environment (CHAT_PORT), the environment over the default.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NoReturn


def option(default: Any, help: str) -> Any:
    """A field of Config and the sentence that `--help` and docs/configuration.md say about it."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a person can set. Parsed once in run.py and passed down."""

    port: int = option(8000, "port to listen on")
    address: str = option("", "address to listen on; 127.0.0.1 behind a proxy (default: all)")
    data: Path = option(Path("data"), "folder for the history and the secrets, made if missing")
    host: str = option("", "names this server answers to, with commas, when bound to 127.0.0.1")
    rate: float = option(10.0, "messages a second one person may send for long; 0 lifts the limit")
    connections_per_user: int = option(20, "open tabs one person may have; 0 lifts the limit")
    rooms: int = option(1000, "rooms this server may have")
    restore: str = option("", "replace the history by this backup, then start")
    debug: bool = option(False, "reload when a file changes and show errors in the browser")

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
        allow_abbrev=False,
        description="A group chat for everyone who has the link.",
        epilog="Each option can be set in the environment: CHAT_PORT=8000 is --port=8000.",
    )
    for item in fields(Config):
        name, default, help = item.name, item.default, item.metadata["help"]
        flag, variable = "--" + name.replace("_", "-"), "CHAT_" + name.upper()
        given = environment.get(variable)
        kind = _check(flag if given is None else variable, type(default))
        if given is not None:
            try:
                default = kind(given)
            except argparse.ArgumentTypeError as error:
                parser.error(str(error))
        if isinstance(item.default, bool):
            parser.add_argument(flag, nargs="?", const=True, default=default, type=kind, help=help)
        else:
            shown = help if "default" in help or default == "" else f"{help} (default: {default})"
            parser.add_argument(
                flag,
                default=default,
                type=_check(flag, type(item.default)),
                metavar="…",
                help=shown,
            )
    return Config(**vars(parser.parse_args(arguments)))


def _check(name: str, kind: type) -> Any:
    def convert(text: str) -> Any:
        wrong = argparse.ArgumentTypeError(f"{name} cannot be {text!r}")
        if kind is bool:
            if text.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
                raise wrong
            return text.lower() in ("1", "true", "yes", "on")
        try:
            value = kind(text)
        except ValueError:
            raise wrong from None
        if kind in (int, float) and not 0 <= value < 10_000_000:  # NaN compares false too
            raise wrong
        if name in ("--port", "CHAT_PORT") and value > 65535:
            raise wrong
        return value

    return convert
