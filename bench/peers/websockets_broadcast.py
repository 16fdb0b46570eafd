"""The `websockets` library as its own guide has it: a set, and broadcast()."""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

live: set[ServerConnection] = set()


async def chat(peer: ServerConnection) -> None:
    live.add(peer)
    try:
        async for message in peer:
            broadcast(live, message)
    finally:
        live.discard(peer)


async def main() -> None:
    async with serve(chat, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())
