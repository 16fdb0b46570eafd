"""The plain Tornado shape: a class-level set, and write_message to each in a loop."""

import asyncio
import sys
from typing import ClassVar

import tornado.web
import tornado.websocket


class ChatSocket(tornado.websocket.WebSocketHandler):
    live: ClassVar[set["ChatSocket"]] = set()

    def open(self, room: str) -> None:
        self.live.add(self)

    def on_close(self) -> None:
        self.live.discard(self)

    def on_message(self, message: str | bytes) -> None:
        for peer in list(self.live):
            try:
                peer.write_message(message)
            except tornado.websocket.WebSocketClosedError:
                self.live.discard(peer)


async def main() -> None:
    app = tornado.web.Application([(r"/ws/(\d+)", ChatSocket)])
    app.listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
