"""picows on uvloop: one send for each peer from the frame's callback."""

import sys

import picows
import uvloop

live: set[picows.WSTransport] = set()


class Chat(picows.WSListener):
    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        live.add(transport)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        live.discard(transport)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        if frame.msg_type == picows.WSMsgType.TEXT:
            message = frame.get_payload_as_bytes()
            for peer in live:
                peer.send(picows.WSMsgType.TEXT, message)
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()


async def main() -> None:
    server = await picows.ws_create_server(
        lambda request: Chat(), "127.0.0.1", int(sys.argv[1]), backlog=1024
    )
    await server.serve_forever()


uvloop.run(main())
