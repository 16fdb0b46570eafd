"""OrdersPage: an order over HTTP, as it would be given on the socket."""

from __future__ import annotations

from chat.web.site import Visitor
from chat.wire.codes import Refusal
from chat.wire.orders import Order
from chat.wire.protocol import decode


class OrdersPage(Visitor):
    """The body is one command, the answer its event."""

    async def post(self) -> None:
        person, order = self.known_person(), decode(self.request.body)
        if not isinstance(order, Order):
            raise Refusal("bad_order")
        self.answer(await self.site.office.serve(person, order, self.address))
