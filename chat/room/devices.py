"""Devices: in which browsers each person is signed in, in memory as in the table."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from chat.log.devices import Noticed, devices
from chat.log.store import Store, nobody_waits
from chat.log.things import Device

DAY = 24 * 60 * 60 * 1000  # milliseconds


class Devices:
    """Owns the devices in memory: exactly those of the table. Each is one person's for good."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """`clock` tells UTC milliseconds."""
        self._store = store
        self._clock = clock
        self._all: dict[str, Device] = {}
        self._of: dict[str, tuple[str, ...]] = {}  # person -> ids
        for device in store.at_start(devices):
            self.add(device)

    def __len__(self) -> int:
        return len(self._all)

    def new(self, person: str, label: str) -> Device:
        """One under an id that nobody has had before: what was planted in a browser before somebody
        signs in there is worth nothing after it. Not kept yet."""
        at = self._clock()
        return Device(secrets.token_urlsafe(12), person, label, at, at)

    def find(self, id: str) -> Device | None:
        """The device with this id, unless signed out."""
        return self._all.get(id)

    def of(self, person: str) -> tuple[Device, ...]:
        """Those of a person, the oldest first."""
        return tuple(self._all[id] for id in self._of.get(person, ()))

    def add(self, device: Device) -> None:
        """It is on disk."""
        self._all[device.id] = device
        self._of[device.person] = (*self._of.get(device.person, ()), device.id)

    def drop(self, device: Device) -> None:
        """It is signed out."""
        if self._all.pop(device.id, None) is not None:
            left = tuple(id for id in self._of[device.person] if id != device.id)
            self._of[device.person] = left
            if not left:
                del self._of[device.person]

    def drop_all(self, person: str) -> None:
        """Those of a person are."""
        for id in self._of.pop(person, ()):
            del self._all[id]

    def seen(self, id: str, label: str = "") -> None:
        """It is used; noted at most once a day, and when it is called something else by now."""
        device, at = self._all.get(id), self._clock()
        if device is not None and (at - device.seen > DAY or label not in ("", device.label)):
            label = label or device.label
            self._all[id] = replace(device, seen=at, label=label)
            self._store.write(Noticed(at, id, label), nobody_waits)
