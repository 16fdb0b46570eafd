"""Token buckets: how often something may happen. Pure; the clock is passed in."""

from __future__ import annotations


class TokenBucket:
    """`rate` tokens a second flow in, up to `burst`. A rate of 0 means no limit."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float, cost: float = 1.0) -> float:
        """Pay the cost: 0.0; or pay nothing, and these are the seconds until it can be paid."""
        if not self.rate:
            return 0.0
        if self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (cost - self._tokens) / self.rate

    def full(self, now: float) -> bool:
        """Whether so much time has passed that a new bucket would be the same."""
        return not self.rate or self._tokens + (now - self._at) * self.rate >= self.burst
