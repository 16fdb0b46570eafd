"""Bans: who is kept out, and from where nobody new comes in, in memory as on disk."""

from __future__ import annotations

from collections.abc import Callable

import chat.log.bans as log
from chat.log.bans import Kept, Outcast
from chat.log.store import Store
from chat.room.authority import Authority
from chat.room.office import Orders
from chat.room.origins import Origins
from chat.room.people import now_ms
from chat.rules.proxies import neighbourhood
from chat.rules.text import one_line
from chat.wire.codes import Refusal
from chat.wire.orders import Ban, Unban
from chat.wire.passing import Done
from chat.wire.protocol import Person


class Bans:
    """Owns the bans by their ids; of the people among them Authority knows."""

    def __init__(
        self,
        store: Store,
        authority: Authority,
        origins: Origins,
        named: Callable[[str], str],
        wake: Callable[[], None],
    ) -> None:
        """`named`: what somebody is called; `wake`: there may be something to remove."""
        self._store = store
        self._authority = authority
        self._origins = origins
        self._named = named
        self._wake = wake
        self._bans = {ban.id: ban for ban in store.at_start(log.bans)}
        authority.gates.append(self._gate)

    @property
    def orders(self) -> Orders:
        """Which method serves which order."""
        return {Ban: self._ban, Unban: self._unban}

    def _gate(self, address: str) -> None:
        """Nobody new comes from where somebody was banned. Raises Refusal."""
        network, now = neighbourhood(address), now_ms()
        until = max(
            (ban.until for ban in self._bans.values() if network in ban.networks), default=0
        )
        if until > now:
            raise Refusal("banned", until=until)

    async def _ban(self, person: Person, order: Ban) -> Done:
        """The answer's id is of the first ban, those of the others follow."""
        people = tuple(
            Outcast(user, self._named(user), self._origins.of(user) if order.network else ())
            for user in dict.fromkeys(order.users)
        )
        op = log.Ban(
            person.user, now_ms(), people, order.until, order.since, one_line(order.reason or "")
        )
        made = await self._store.wrote(op, self._banned)
        return Done(order.cid, id=made[0].id)

    def _banned(self, made: list[Kept]) -> None:
        people = {ban.person for ban in made}
        kept = [ban for ban in self._bans.values() if ban.person not in people]
        self._bans = {ban.id: ban for ban in [*kept, *made]}
        for ban in made:
            self._authority.change(ban.person, banned=ban.until)
        self._wake()

    async def _unban(self, person: Person, order: Unban) -> Done:
        ban = self._bans.get(order.id)
        if ban is not None:  # else it is lifted already
            name = self._named(ban.person)
            op = log.Unban(person.user, now_ms(), ban.id, ban.person, name)
            await self._store.wrote(op, lambda _: self._lifted(ban))
        return Done(order.cid)

    def _lifted(self, ban: Kept) -> None:
        if self._bans.pop(ban.id, None):
            self._authority.change(ban.person, banned=0)
