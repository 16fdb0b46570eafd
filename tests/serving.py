"""The server under test: in this process on a thread of its own, or as the real run.py."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from client import PATIENCE, Wire, join, request

from chat.app import ChatApp, make_app
from chat.config import Config
from chat.rules.access import Role

ROOT = Path(__file__).parent.parent


class Log(logging.Handler):
    """Keeps every warning and error that is logged, of any logger."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it as it would be written."""
        self.lines.append(self.format(record))

    def __enter__(self) -> Log:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        logging.getLogger().removeHandler(self)


class Site:
    """The server in this process. Its constants can be patched and its log is `log`."""

    def __init__(self, data: Path, **options: Any) -> None:
        limits: dict[str, Any] = {"rate": 0.0, "connections_per_user": 0}
        self.config = Config(
            **{**limits, "port": 0, "address": "127.0.0.1", "data": data, **options}
        )
        self.app: ChatApp
        self.port = 0
        self.log: list[str] = []
        self._loop: asyncio.AbstractEventLoop
        self._ready: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._ready.result(PATIENCE)

    async def _serve(self) -> None:
        with Log() as log:
            self.log = log.lines
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            try:
                self.app = make_app(self.config)
                self.app.start()
                self.port = self.app.start_listening()
            except BaseException as error:
                self._ready.set_exception(error)
                raise
            self._ready.set_result(None)
            await self._stop.wait()
            await self.app.stop()

    def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Run this on the server's event loop and return what it returns."""

        async def run() -> Any:
            outcome = work(*arguments)
            return await outcome if inspect.isawaitable(outcome) else outcome

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(PATIENCE)

    def stop(self) -> None:
        """Stop as on SIGTERM, and wait until everything has ended."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server does not stop"

    def join(self, room: str = "lobby", name: str | None = None) -> str:
        """The Cookie header of somebody new."""
        return join(self.port, room, name)

    def wire(self, room: str = "lobby", cookie: str | None = None, **options: Any) -> Wire:
        """An open connection of somebody (new) that is live; `welcome` has been read."""
        path = options.pop("path", f"/r/{room}/ws")
        wire = Wire(self.port, path, cookie=cookie or self.join(room), **options).opened()
        wire.hear("live")
        return wire

    def user(self, name: str) -> str:
        """The id of the person of this name."""
        users = self.app.site.directory._users.values()
        (id,) = self.call(lambda: [user.id for user in users if user.name == name])
        return str(id)

    def promote(self, name: str, role: str) -> str:
        """Make somebody an owner or whatever, as no order could; their id."""
        id = self.user(name)
        with closing(sqlite3.connect(self.config.data / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = ? WHERE id = ?", (role, id))
        self.call(lambda: self.app.site.hub.authority.change(id, role=Role(role)))
        return id

    def order(self, cookie: str, order: str, **fields: Any) -> Any:
        """Give an order over HTTP."""
        body = {"type": order, "cid": "cid-of-the-order", **fields}
        return self.http("POST", "/orders", headers={"Cookie": cookie}, json_body=body)

    def http(self, method: str, path: str, **options: Any) -> Any:
        """One HTTP request."""
        return request(self.port, method, path, **options)


class Process:
    """`run.py` (or another script) as a process of its own on a loopback port."""

    def __init__(
        self, data: Path, *options: str, port: int = 0, script: Sequence[str] = ("run.py",)
    ) -> None:
        self.data = data
        self.port = port or free_port()
        self.log = data.with_name(data.name + ".log")
        self.command = [
            *(sys.executable, *script, f"--port={self.port}", "--address=127.0.0.1"),
            *(f"--data={data}", *options),
        ]
        self.start()

    def start(self) -> None:
        """Start it, without waiting until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log, env=environment()
            )

    def ready(self) -> Process:
        """Wait until it answers."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert request(self.port, "GET", "/healthz").status == 200
                return self
            except OSError:
                alive = self.process.poll() is None and time.monotonic() < deadline
                assert alive, f"it did not start: {self.said()}"
                time.sleep(0.01)

    def said(self) -> str:
        """What it has written to stderr."""
        return self.log.read_text()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end(signal.SIGKILL)


def environment() -> dict[str, str]:
    """Ours, in which the project can be imported whatever the working directory is."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def run(*options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """run.py to its end: for starts that must fail."""
    return subprocess.run(
        [sys.executable, "run.py", *options],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE, **more,
    )  # fmt: skip
