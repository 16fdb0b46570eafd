"""Office: where orders are carried out. One place, for both ways in: the socket and POST /orders.

Each family of orders is a class of its own that says which of its methods serves which kind, as
`orders`: a table of coroutine functions (person, order) -> Event. app.py hands them in by `take`.
What is served for nobody is refused as bad_order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from chat.room.authority import Authority
from chat.room.people import now_ms
from chat.rules.access import Verb, demand
from chat.rules.pace import SAY, Pace
from chat.wire.codes import Refusal
from chat.wire.orders import (
    Admit,
    Appoint,
    Ban,
    Chat,
    Hook,
    Invite,
    Mute,
    Order,
    Readmit,
    RemoveRoom,
    Revoke,
    Unban,
    Wipe,
)
from chat.wire.protocol import Event, Person

Orders = Mapping[type[Order], Callable[[Person, Any], Awaitable[Event]]]

VERBS: Mapping[type[Order], Verb] = {
    Mute: Verb.MODERATE,
    Ban: Verb.MODERATE,
    Unban: Verb.MODERATE,
    Wipe: Verb.MODERATE,
    Readmit: Verb.MODERATE,
    Appoint: Verb.MANAGE,
    Admit: Verb.GOVERN,
    Chat: Verb.MANAGE,
    Invite: Verb.INVITE,
    Revoke: Verb.INVITE,
    Hook: Verb.MANAGE,
    RemoveRoom: Verb.MANAGE,
}


class Office:
    """Owns the table of who serves which order."""

    def __init__(self, authority: Authority, pace: Pace) -> None:
        self._authority = authority
        self._pace = pace
        self._orders: dict[type[Order], Callable[[Person, Any], Awaitable[Event]]] = {}

    def take(self, orders: Orders) -> None:
        """These are served from now on."""
        self._orders.update(orders)

    async def serve(self, person: Person, order: Order, address: str = "") -> Event:
        """Carry out an order: paid for, allowed, done. Raises Refusal.

        The writer asks once more whether it is allowed, in the transaction that carries it out.
        """
        self._pace.pay(SAY, address, person.user, monotonic())
        demand(self._authority.facts(person.user), VERBS[type(order)], now_ms())
        if (served := self._orders.get(type(order))) is None:
            raise Refusal("bad_order")
        return await served(person, order)
