"""Tabs of browsers with the page's own scripts, run by node (tests/page/), as a test uses them.

Nothing happens in a tab unless the test says so: its frames, answers and time come from here.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

HOST = Path(__file__).parent / "page" / "host.mjs"
NOW = 1_900_000_000_000  # UTC milliseconds: when a day begins
ABNORMAL = 1006  # how a socket ends that nobody closed


@dataclass(frozen=True)
class Bug:
    """Planted in a script of the page: `old` must stand in it once."""

    file: str
    old: str
    new: str


class Broken(Exception):
    """A script of a page threw something."""


class Host:
    """The node process. Owns the clock that all tabs go by."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", "--no-warnings", "--experimental-vm-modules", str(HOST)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.tabs: dict[str, Tab] = {}
        self.now = NOW

    def begin(self) -> None:
        """Everything is forgotten; a new day."""
        self.tabs.clear()
        self.now = NOW
        self.do({"action": "begin", "now": NOW})

    def do(self, *actions: dict[str, Any]) -> None:
        """Do these, and tell the tabs what came of it. Raises Broken."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(actions) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "node has ended"}')
        if "error" in answer:
            raise Broken(answer["error"])
        for event in answer["events"]:
            tab = self.tabs[event.pop("tab")]
            if event.pop("life", tab.life) == tab.life:
                tab.events.append(event)
        for name, look in answer["looks"].items():
            self.tabs[name].look = look

    def pass_time(self, milliseconds: int, asleep: bool = False) -> None:
        """Time passes; `asleep`: what comes due meanwhile comes at the end."""
        self.do({"action": "sleep" if asleep else "pass", "time": milliseconds})
        self.now += milliseconds

    def close(self) -> None:
        """End the process."""
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@dataclass(eq=False)
class Tab:
    """One tab. `events`: what it did and nobody has looked at yet; `look`: what it has come to."""

    host: Host
    name: str
    user: str
    room: str
    disk: str  # tabs of one browser share theirs
    locks: bool = True
    bugs: tuple[Bug, ...] = ()
    life: int = 0  # counts the reloads
    events: list[dict[str, Any]] = field(default_factory=list)
    look: dict[str, Any] = field(default_factory=dict)

    def do(self, action: str, **fields: Any) -> None:
        """One of the actions of host.mjs."""
        self.host.do({"action": action, "tab": self.name, **fields})

    def open(self, page: str) -> None:
        """Load the page anew; `page`: an answer of /messages, with which it begins."""
        self.life += 1
        self.events.clear()
        self.host.tabs[self.name] = self
        self.do(
            "open", life=self.life, disk=self.disk, user=self.user, room=self.room,
            locks=self.locks, bugs=[asdict(bug) for bug in self.bugs], page=page,
        )  # fmt: skip

    def add(self, command: str, **fields: Any) -> str:
        """Into the outbox; its cid."""
        self.do("add", command=command, fields=fields)
        return next(e["cid"] for e in reversed(self.events) if e["what"] == "added")

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What it shows, oldest first."""
        return list(self.look["messages"])

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What waits."""
        return list(self.look["entries"])
