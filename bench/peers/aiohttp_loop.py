"""aiohttp as its documentation has it: a set, and send_str to each in a loop."""

import sys

from aiohttp import WSMsgType, web

live: set[web.WebSocketResponse] = set()


async def chat(request: web.Request) -> web.WebSocketResponse:
    peer = web.WebSocketResponse()
    await peer.prepare(request)
    live.add(peer)
    try:
        async for message in peer:
            if message.type is WSMsgType.TEXT:
                for other in list(live):
                    try:
                        await other.send_str(message.data)
                    except ConnectionError:
                        live.discard(other)
    finally:
        live.discard(peer)
    return peer


app = web.Application()
app.router.add_get(r"/ws/{room:\d+}", chat)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
