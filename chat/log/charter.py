"""Charter: what the chat is called and who comes in at its door, as the owner said last."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from chat.log.operations import Ordered, Told
from chat.rules.access import Verb

KEYS = ("name", "door")


@dataclass(frozen=True, slots=True)
class Amend(Ordered):
    """Another name or door; None: as it is."""

    verb: ClassVar = Verb.MANAGE
    name: str | None
    door: str | None

    @property
    def told(self) -> tuple[Told, ...]:
        said = {key: value for key in KEYS if (value := getattr(self, key)) is not None}
        return tuple(Told("chat", detail=f"{key} {value}") for key, value in said.items())


def charter(db: sqlite3.Connection) -> dict[str, str]:
    """What was said of each; nothing of what was not."""
    rows = db.execute(
        "SELECT substr(key, 6), value FROM meta WHERE key IN ('chat_name', 'chat_door')"
    )
    return dict(rows.fetchall())


class Charter:
    """Rows of `meta`, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def orders(self) -> dict[type[Ordered], Callable[[Any], None]]:
        """Which method carries out which order."""
        return {Amend: self._amend}

    def _amend(self, op: Amend) -> None:
        said = {"chat_name": op.name, "chat_door": op.door}
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(key, value) for key, value in said.items() if value is not None],
        )
