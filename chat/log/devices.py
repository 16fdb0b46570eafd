"""Devices: in which browsers each person is signed in. Lives on the writer thread."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chat.log.operations import Entrance
from chat.log.things import Device


@dataclass(frozen=True, slots=True)
class Noticed(Entrance):
    """This device was used, and is called so."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Part(Entrance):
    """This device of a person who has others was signed out."""

    id: str


class Devices:
    """The table of devices. Of one that was signed out its id stays, so that a restored backup does
    not sign it in again."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @property
    def entrances(self) -> dict[type[Entrance], Callable[[Any], Any]]:
        """Which method carries out what."""
        return {Noticed: self.note, Part: lambda op: self.end(op.id, op.at)}

    def add(self, device: Device) -> None:
        """A person is signed in there from now on."""
        self._db.execute(
            "INSERT INTO devices (id, person, label, made, seen) VALUES (?, ?, ?, ?, ?)",
            (device.id, device.person, device.label, device.made, device.seen),
        )

    def note(self, op: Noticed) -> None:
        """It was used."""
        self._db.execute(
            "UPDATE devices SET seen = max(seen, ?), label = ? WHERE id = ? AND NOT gone",
            (op.at, op.label, op.id),
        )

    def end(self, id: str, at: int) -> None:
        """It is signed out."""
        self._db.execute(
            "UPDATE devices SET gone = ?, label = '' WHERE id = ? AND NOT gone", (at, id)
        )

    def end_all(self, person: str, at: int) -> None:
        """Those of a person are."""
        self._db.execute(
            "UPDATE devices SET gone = ?, label = '' WHERE person = ? AND NOT gone", (at, person)
        )

    def forget(self, person: str) -> None:
        """The person is no more."""
        self._db.execute("DELETE FROM devices WHERE person = ?", (person,))


def stay_out(old: sqlite3.Connection, copy: sqlite3.Connection) -> None:
    """What was signed out since this copy was made is so in it too. Raises sqlite3.Error where a
    history is from before devices."""
    gone = old.execute("SELECT gone, id FROM devices WHERE gone").fetchall()
    copy.executemany("UPDATE devices SET gone = ?, label = '' WHERE id = ?", gone)


def devices(db: sqlite3.Connection) -> list[Device]:
    """Every device in which somebody is signed in who holds a name, the oldest first."""
    rows = db.execute(
        "SELECT devices.id, person, label, devices.made, devices.seen FROM devices JOIN users"
        " ON users.id = person AND skeleton IS NOT NULL WHERE NOT devices.gone ORDER BY devices.n"
    )
    return [
        Device(id, person, sys.intern(label), made, seen)  # of labels there are few
        for id, person, label, made, seen in rows
    ]
