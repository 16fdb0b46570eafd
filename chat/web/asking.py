"""Asking: who asks, by the signed cookie of the device they are signed in on."""

from __future__ import annotations

from typing import cast

from tornado.web import RequestHandler

from chat.log.things import Device
from chat.room.authority import Authority
from chat.room.origins import Origins
from chat.room.people import Directory, now_ms
from chat.rules.access import greet
from chat.rules.labels import label_of
from chat.wire.codes import Refusal
from chat.wire.protocol import Person

PLAIN_COOKIE = "device"  # its name where there is no https
KEPT = 400  # days a device stays signed in, renewed with each page (browsers allow no more)


class Asking(RequestHandler):
    """A request of somebody, or of a stranger."""

    directory: Directory
    authority: Authority
    origins: Origins
    address: str
    device = ""  # the id of that of whoever asks

    def get_current_user(self) -> Person | None:
        """Who is signed in on the device of this signed cookie."""
        id = self.get_signed_cookie(self._cookie, max_age_days=KEPT)
        if id is None and self._cookie != PLAIN_COOKIE:
            # Joined before there was https; the answer brings the safer cookie in its place.
            id = self.get_signed_cookie(PLAIN_COOKIE, max_age_days=KEPT)
        device = None if id is None else self.directory.devices.find(id.decode())
        if device is None:
            return None
        self.device = device.id
        return self.directory.find(device.person)

    def known_person(self) -> Person:
        """The same, for a handler that is not public."""
        if self.current_user is None:
            raise Refusal("sign_in")
        person = cast(Person, self.current_user)
        greet(self.authority.facts(person.user), now_ms())
        return person

    def still_known(self) -> Person:
        """The same, after something was waited for."""
        person = self.directory.find(self.known_person().user)
        if person is None or (self.device and self.directory.devices.find(self.device) is None):
            raise Refusal("sign_in")
        return person

    @property
    def label(self) -> str:
        """What this device is called in the list of a person's devices."""
        return label_of(self.request.headers.get("User-Agent", ""))

    def remember(self, person: Person, device: Device | None = None) -> None:
        """Sign this person in on this device, or renew that."""
        if device is not None:
            self.device = device.id
        self.origins.note(person.user, self.address)
        self.directory.devices.seen(self.device, self.label)
        self.set_signed_cookie(
            self._cookie,
            self.device,
            expires_days=KEPT,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        if self._cookie != PLAIN_COOKIE and self.get_cookie(PLAIN_COOKIE):
            self.clear_cookie(PLAIN_COOKIE)

    def forget(self) -> None:
        """Nobody is signed in here any more."""
        self.clear_cookie(self._cookie, secure=self.request.protocol == "https")
        if self._cookie != PLAIN_COOKIE:
            self.clear_cookie(PLAIN_COOKIE)

    @property
    def _cookie(self) -> str:
        # __Host-: no subdomain and no plain http page can plant one of its own.
        return "__Host-device" if self.request.protocol == "https" else PLAIN_COOKIE
