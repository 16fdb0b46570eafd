"""Pace: how often something may happen, by address and by person. Pure; the clock is passed in.

Who one is costs nothing, where one comes from does: the bucket of an address stands in front of
every person's, and neither another name nor another connection fills it again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chat.wire.codes import Refusal

MOST = 10_000  # buckets of one kind: far more addresses than come within a burst's time
FEW = 64  # buckets of one kind that are kept without looking whether they are needed

AGAIN = 1_000  # milliseconds until one of the things under way may be over

SAY = "say"  # a message, an edit, a deletion
JOIN = "join"  # a new name, for a new person or the same one
ROOM = "room"  # the first message of a new room
SOCKET = "socket"  # a handshake of a page
PLAIN = "plain"  # a handshake of the plain dialect
LOOK = "look"  # a request that reads the log or renders a page
UPLOAD = "upload"  # a file
TRY = "try"  # a link or a code that lets nobody in
FILE = "file"  # a request for a file of a message: a room has many pictures, a film many parts


@dataclass(frozen=True, slots=True)
class Flow:
    """So many a second for long, so many at once. A rate of 0 is no limit."""

    rate: float
    burst: float


FREE = Flow(0, 0)


def rules(rate: float) -> dict[str, tuple[Flow, Flow]]:
    """What is paced: the flow of an address, and of a person. `rate` is the option --rate."""
    return {
        SAY: (Flow(5 * rate, 20 * rate), Flow(rate, 4 * rate)),
        JOIN: (Flow(0.5, 100), Flow(0.2, 10)),
        ROOM: (Flow(1 / 60, 10), Flow(1 / 60, 3)),
        SOCKET: (Flow(5, 100), FREE),
        PLAIN: (Flow(1, 50), FREE),
        LOOK: (Flow(25, 200), Flow(5, 40)),
        UPLOAD: (Flow(5, 100), Flow(1, 20)),
        TRY: (Flow(10 / 180, 10), FREE),
        FILE: (Flow(200, 4000), Flow(50, 1000)),
    }


def frames(rate: float) -> Flow:
    """What one connection may send, whatever it is."""
    return Flow(max(50, 5 * rate), max(200, 20 * rate)) if rate else FREE


def too_fast(wait: float) -> Refusal:
    """The refusal that says in how many seconds to try again."""
    return Refusal("slow_down", math.ceil(wait * 1000))


class TokenBucket:
    """`rate` tokens a second flow in, up to `burst`. A rate of 0 means no limit."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, flow: Flow) -> None:
        self.rate = flow.rate
        self.burst = max(1.0, flow.burst)  # less could never pay for one
        self._tokens = self.burst
        self._at = 0.0

    def take(self, now: float) -> float:
        """Take a token: 0.0; or take nothing, and these are the seconds until there is one."""
        if not self.rate:
            return 0.0
        if self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self.rate

    def give_back(self) -> None:
        """What was paid for did not happen."""
        self._tokens += 1.0

    def full(self, now: float) -> bool:
        """Whether so much time has passed that a new bucket would be the same."""
        return not self.rate or self._tokens + (now - self._at) * self.rate >= self.burst


class Buckets:
    """A bucket of one flow for each who pays. Full ones are forgotten, and there is a most."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._buckets: dict[str, TokenBucket] = {}
        self._look = FEW  # at this number it is time to look for those that are full

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, payer: str, now: float) -> TokenBucket:
        """The bucket of this one."""
        return self._buckets.get(payer) or self._new(payer, now)

    def _new(self, payer: str, now: float) -> TokenBucket:
        if len(self._buckets) >= self._look:
            self._buckets = {who: b for who, b in self._buckets.items() if not b.full(now)}
            if len(self._buckets) >= MOST:  # the oldest go: the next look is not at once
                kept = list(self._buckets.items())[MOST // 10 :]
                self._buckets = dict(kept)
            self._look = min(MOST, max(FEW, 2 * len(self._buckets)))
        bucket = self._buckets[payer] = TokenBucket(self.flow)
        return bucket


def _stays() -> bool:
    return False


class AtOnce:
    """What is under way of each person: beyond `most` another is refused, or takes the place of one
    that gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._under_way: dict[str, list[Callable[[], bool]]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._under_way.values()))

    @contextmanager
    def one(self, who: str, gives_way: Callable[[], bool] = _stays) -> Iterator[None]:
        """While this one is under way. `gives_way` is asked when there is another one, and is over
        when it returns True. Raises Refusal slow_down.
        """
        others = tuple(self._under_way.get(who, ()))
        if len(others) >= self._most and not any(other() for other in others):
            raise Refusal("slow_down", AGAIN)
        self._under_way.setdefault(who, []).append(gives_way)
        try:
            yield
        finally:
            self._under_way[who].remove(gives_way)
            if not self._under_way[who]:
                del self._under_way[who]


class Pace:
    """Owns every bucket of addresses and people."""

    def __init__(self, rate: float) -> None:
        self._limited = rate > 0
        self._kinds = {
            what: (Buckets(address), Buckets(person))
            for what, (address, person) in rules(rate).items()
        }
        self._frames = frames(rate)

    def pay(self, what: str, address: str, person: str, now: float) -> None:
        """Pay for one of these; `person` is empty where nobody has a name yet.

        Raises Refusal slow_down with the time to wait, and then nothing is paid.
        """
        if not self._limited and what != TRY:  # no option lets anybody guess
            return
        of_address, of_person = self._kinds[what]
        front = of_address.of(address, now)
        wait = front.take(now)
        if not wait and person and of_person.flow.rate:
            wait = of_person.of(person, now).take(now)
            if wait:
                front.give_back()  # one who is refused takes nothing from the neighbours
        if wait:
            raise too_fast(wait)

    def give_back(self, what: str, address: str, now: float) -> None:
        """What this address has just paid for costs nothing after all."""
        self._kinds[what][0].of(address, now).give_back()

    def connection(self) -> TokenBucket:
        """The bucket that every text frame of one new connection pays into."""
        return TokenBucket(self._frames)
