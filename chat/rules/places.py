"""Places: how many connections there are, in all and by address. Pure."""

from __future__ import annotations

EACH = 50  # connections of one address: the tabs of a household or a class
MEMBERS = 4  # one place in so many is for those who have joined


class Places:
    """Owns the count of what holds a file descriptor: open connections and those still closing."""

    def __init__(self, most: int, each: int = EACH) -> None:
        self.most = most
        self.each = each  # 0: any number
        self.taken = 0
        self._by_address: dict[str, int] = {}

    @property
    def scarce(self) -> bool:
        """Whether only the places of those who have joined are left."""
        return self.taken >= self.most - self.most // MEMBERS

    def free(self, address: str) -> bool:
        """Whether there is a place for one more connection of this address."""
        return self.taken < self.most and not self.crowded(address)

    def crowded(self, address: str) -> bool:
        """Whether this address has all the connections that one may have."""
        return bool(self.each and address) and self._by_address.get(address, 0) >= self.each

    def take(self, address: str) -> None:
        """A connection is there. An empty address (a proxy's own) counts in the whole only."""
        self.taken += 1
        if address:
            self._by_address[address] = self._by_address.get(address, 0) + 1

    def leave(self, address: str) -> None:
        """Its descriptor is free again."""
        self.taken -= 1
        if address:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
