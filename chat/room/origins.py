"""Origins: from which networks people have come since the start. On no disk."""

from __future__ import annotations

from collections import OrderedDict

from chat.rules.proxies import neighbourhood

PEOPLE = 20_000  # who are remembered; the longest unseen is forgotten first
EACH = 8  # networks of one person


class Origins:
    """Owns the networks of everybody who was seen, those without a name too."""

    def __init__(self) -> None:
        self._networks: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def note(self, user: str, address: str) -> None:
        """Somebody comes from there."""
        network, known = neighbourhood(address), self._networks.get(user, ())
        if network and network not in known:
            self._networks[user] = (*known, network)[-EACH:]
            if len(self._networks) > PEOPLE:
                self._networks.popitem(last=False)
        if user in self._networks:
            self._networks.move_to_end(user)

    def of(self, user: str) -> tuple[str, ...]:
        """The networks that somebody came from."""
        return self._networks.get(user, ())
