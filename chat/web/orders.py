"""OrdersPage: an order over HTTP, as it would be given on the socket, or the settings of a room."""

from __future__ import annotations

from chat.rules.names import valid_room
from chat.web.pages import Letter
from chat.web.site import Visitor
from chat.wire.codes import Refusal
from chat.wire.orders import Order
from chat.wire.passing import Done
from chat.wire.protocol import Arrange, decode


class OrdersPage(Visitor):
    """The body is one command, the answer its event. `?room=` says which room is to be arranged."""

    async def post(self) -> None:
        person, command = self.known_person(), decode(self.request.body)
        match command:
            case Order():
                self.answer(await self.site.office.serve(person, command, self.address))
            case Arrange():
                room = self.site.hub.enter(person, valid_room(self.get_query_argument("room", "")))
                letter = Letter(person, self.address)
                room.serve(letter, command)
                self.answer(Done(command.cid, await letter.arrived))
            case _:
                raise Refusal("bad_order")
