"""Those of test_raid.py who have no page: newcomers who flood the house room, and regulars.

Each side is a process of its own, so that none measures what another one does: `drill raid PORT`,
or `drill talk PORT COOKIE…`. It says "ready", goes on until its input ends, and says how it went as
one line of JSON.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

ADDRESSES = [f"198.51.{100 + number}.7" for number in range(10)]
NAMED, PLAIN, EACH = 40, 10, 20  # people, plain sockets, messages of each
PATIENCE = 15.0  # seconds in which those who are thrown out have noticed
BETWEEN = 1.0  # seconds between two more, once they have said theirs
PAUSE = 0.05  # seconds between two sentences of a regular
SPAM = "cheap watches"


@dataclass
class Raid:
    """What became of it so far."""

    said: int = 0
    loud: int = 0  # raiders who have said all that they came for
    closed: list[int] = field(default_factory=list)
    cookies: dict[str, str] = field(default_factory=dict)  # name -> Cookie header


def join(port: int, address: str, name: str) -> tuple[int, str]:
    """Take a name; the status, and the Cookie header."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
    form = urllib.parse.urlencode({"name": name})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address}
    connection.request("POST", "/join", form, headers)
    answer = connection.getresponse()
    cookie = (answer.headers.get("Set-Cookie") or "").partition(";")[0]
    connection.close()
    return answer.status, cookie


async def refused(port: int, path: str, address: str, cookie: str = "") -> bool:
    """Whether this handshake is turned away, or its connection ended at once."""
    headers = {"X-Forwarded-For": address, **({"Cookie": cookie} if cookie else {})}
    try:
        async with connect(f"ws://127.0.0.1:{port}{path}", additional_headers=headers) as line:
            async with asyncio.timeout(2):
                while True:
                    await line.recv()
    except (InvalidStatus, ConnectionClosed):
        return True
    except TimeoutError:
        return False


class Raider:
    """One of them; who has no name speaks the plain dialect."""

    def __init__(self, raid: Raid, port: int, number: int) -> None:
        self.raid, self.port, self.number = raid, port, number
        self.address = ADDRESSES[number % len(ADDRESSES)]
        self.name = f"Deals {number}" if number < NAMED else ""

    async def run(self) -> None:
        """Come in and flood, until the door is shut."""
        path, headers = f"/ws/{self.number}", {"X-Forwarded-For": self.address}
        if self.name:
            _, cookie = await asyncio.to_thread(join, self.port, self.address, self.name)
            self.raid.cookies[self.name] = cookie
            path, headers = "/r/lobby/ws", {**headers, "Cookie": cookie}
        address = f"ws://127.0.0.1:{self.port}{path}"
        async with connect(address, additional_headers=headers, max_queue=None) as line:
            flooding = asyncio.create_task(self._flood(line))
            try:
                while True:
                    await line.recv()
            except ConnectionClosed:
                self.raid.closed.append(line.close_code or 0)
            finally:
                flooding.cancel()

    async def _flood(self, line: ClientConnection) -> None:
        count = 0
        while True:
            await line.send(self._frame(f"{SPAM} {self.number}.{count}"))
            count, self.raid.said = count + 1, self.raid.said + 1
            self.raid.loud += count == EACH
            if count >= EACH:
                await asyncio.sleep(BETWEEN)

    def _frame(self, text: str) -> str:
        frame: dict[str, Any] = {"type": "say", "cid": secrets.token_urlsafe(12), "text": text}
        return json.dumps(frame) if self.name else text


async def come_back(raid: Raid, port: int) -> dict[str, list[bool]]:
    """Try every way back in; for each whether it is shut."""
    found: dict[str, list[bool]] = {"joining": [], "plain": [], "cookie": []}
    for number, address in enumerate(ADDRESSES):
        status, _ = await asyncio.to_thread(join, port, address, f"Again {number}")
        found["joining"].append(status == 403)
        found["plain"].append(await refused(port, f"/ws/{900 + number}", address))
    for cookie in raid.cookies.values():
        # From elsewhere: it is they who are out, not only their networks.
        found["cookie"].append(await refused(port, "/r/lobby/ws", "192.0.2.77", cookie))
    return found


async def raid(port: int) -> dict[str, Any]:
    """Fifty come in and flood; once it is enough they try to come back."""
    raid = Raid()
    raiders = [asyncio.create_task(Raider(raid, port, n).run()) for n in range(NAMED + PLAIN)]
    while raid.loud < NAMED + PLAIN:
        await asyncio.sleep(0.02)
    await enough()
    await asyncio.wait(raiders, timeout=PATIENCE)
    for raider in raiders:
        raider.cancel()
    await asyncio.gather(*raiders, return_exceptions=True)
    back = await come_back(raid, port)
    return {"said": raid.said, "closed": raid.closed, "back": back}


async def talk(port: int, cookies: list[str]) -> dict[str, Any]:
    """These people talk on, and measure in seconds how long their own words take to come back."""
    over = asyncio.Event()
    talks = [asyncio.create_task(talk_on(port, cookie, over)) for cookie in cookies]
    await enough()
    over.set()
    return {"trips": [trip for trips in await asyncio.gather(*talks) for trip in trips]}


async def talk_on(port: int, cookie: str, over: asyncio.Event) -> list[float]:
    """One of them."""
    trips, headers = [], {"Cookie": cookie}
    address = f"ws://127.0.0.1:{port}/r/lobby/ws"
    async with connect(address, additional_headers=headers, max_queue=None) as line:
        while not over.is_set():
            cid = secrets.token_urlsafe(12)
            began = time.monotonic()
            await line.send(json.dumps({"type": "say", "cid": cid, "text": f"so I said, {cid}"}))
            while json.loads(await line.recv()).get("cid") != cid:
                pass
            trips.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE)
    return trips


async def enough() -> None:
    """Until whoever started this closes its input."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    port, cookies = int(sys.argv[2]), sys.argv[3:]
    print(json.dumps(asyncio.run(raid(port) if sys.argv[1] == "raid" else talk(port, cookies))))
