"""The real server as a process of its own, and people who speak to it without a page."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parents[2]
PATIENCE = 15.0  # seconds a server may take to start or to stop
LETTERS = "bcdfghkmprst"  # no two of them look alike


def surname(number: int) -> str:
    """A short word of its own for each number, so that a name is taken only once per server."""
    word = "".join(LETTERS[number // 12**place % 12] for place in range(3))
    return word.capitalize()


class Server:
    """One `run.py` on a loopback port and a data folder that outlive a restart."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.options = options
        self.start()

    def start(self) -> None:
        """Starts the process and returns when it answers."""
        command = [sys.executable, "run.py", f"--port={self.port}", f"--data={self.data}"]
        command += ["--address=127.0.0.1", "--host=chat.test"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.options], cwd=ROOT, stdout=log, stderr=log, env={**os.environ}
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self.origin}/healthz", timeout=PATIENCE).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise AssertionError(f"The server did not start:\n{self.said()}") from None
                time.sleep(0.02)

    def said(self) -> str:
        """What the server has logged so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Asks the server to leave (SIGTERM); its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Ends the server without a word (SIGKILL)."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)

    def url(self, room: str) -> str:
        """The address of a room's page."""
        return f"{self.origin}/" if room == "lobby" else f"{self.origin}/r/{room}"

    def join(self, room: str, name: str) -> str:
        """Joins over HTTP as a browser's form would; the Cookie header of that person."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        form = urllib.parse.urlencode({"name": name, "room": room})
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        connection.request("POST", "/join", form, headers)
        answer = connection.getresponse()
        cookies = answer.headers.get_all("Set-Cookie") or []
        connection.close()
        assert answer.status == 303, f"{name} could not join {room}: {answer.status}"
        return "; ".join(cookie.partition(";")[0] for cookie in cookies)


class Voice:
    """Someone in a room without a page, speaking the wire through an independent client."""

    numbers = itertools.count()

    def __init__(self, server: Server, room: str, name: str = "Sam", cookie: str = "") -> None:
        """Somebody new, or who has this cookie already."""
        self.name = f"{name} {surname(next(self.numbers))}"
        cookie = cookie or server.join(room, self.name)
        address = f"ws://127.0.0.1:{server.port}/r/{room}/ws"
        self._until_left = contextlib.ExitStack()
        self.line: ClientConnection = self._until_left.enter_context(
            connect(
                address,
                additional_headers={"Cookie": cookie},
                open_timeout=PATIENCE,
                max_queue=None,
            )
        )
        self.user: str = self.hear("welcome")["you"]["user"]
        self.hear("live")

    def hear(self, kind: str) -> dict[str, Any]:
        """The next event of that kind; others are passed over."""
        while True:
            event: dict[str, Any] = json.loads(self.line.recv(timeout=PATIENCE))
            if event["type"] == kind:
                return event
            assert event["type"] != "refused", event

    def command(self, kind: str, **fields: Any) -> None:
        """Sends one command."""
        self.line.send(json.dumps({"type": kind, **fields}))

    def say(self, *texts: str, reply: int | None = None) -> list[int]:
        """Posts the texts and returns their ids once all of them are confirmed."""
        waiting = {}
        answers = {"reply": reply} if reply else {}
        for text in texts:
            cid = secrets.token_urlsafe(12)
            waiting[cid] = text
            self.command("say", cid=cid, text=text, **answers)
        ids = []
        while waiting:
            message = self.hear("message")
            if waiting.pop(message.get("cid"), None) is not None:
                ids.append(message["id"])
        return ids

    def change(self, kind: str, number: int, **fields: Any) -> None:
        """Edits or deletes the message `number` and returns once that is confirmed."""
        cid = secrets.token_urlsafe(12)
        self.command(kind, cid=cid, id=number, **fields)
        while self.hear("gone" if kind == "delete" else "message").get("cid") != cid:
            pass

    def leave(self) -> None:
        """Closes the connection."""
        self._until_left.close()
