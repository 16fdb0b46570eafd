"""What a delivery costs, counted and not timed: this fails when somebody makes it linear again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import pytest
from client import frame
from serving import Site

from chat.line.sockets import ChatSocket
from chat.log import things
from chat.room.room import Room
from chat.wire import frames
from chat.wire.protocol import Message

PEERS = 40


@pytest.fixture
def count(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Counts encodings of messages, writes of them to sockets, tasks, and callbacks of the loop.

    A heartbeat may fall into the time of a test: it is not of the delivery, and not counted.
    """
    counted: Counter[str] = Counter()
    take_socket, encode, loop = ChatSocket._take_socket, things.encode, site._loop
    call_soon, create_task = loop.call_soon, loop.create_task

    def counting_take(self: ChatSocket, room: Room) -> bool:
        taken = take_socket(self, room)
        send = self._send

        def counting_send(data: bytes) -> int:
            counted["writes"] += b'"message"' in data
            return send(data)

        self._send = counting_send
        return taken

    def counting_encode(event: object) -> bytes:
        counted["encodings"] += isinstance(event, Message)
        return encode(event)

    def counting_call_soon(*args: object, **kwargs: object) -> asyncio.Handle:
        counted["callbacks"] += 1
        return call_soon(*args, **kwargs)  # type: ignore[arg-type]

    def counting_task(*args: object, **kwargs: object) -> asyncio.Task[object]:
        counted["tasks"] += 1
        return create_task(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ChatSocket, "_take_socket", counting_take)
    for module in (things, frames):
        monkeypatch.setattr(module, "encode", counting_encode)
    monkeypatch.setattr(loop, "call_soon", counting_call_soon)
    monkeypatch.setattr(loop, "create_task", counting_task)
    yield counted
    monkeypatch.undo()


def say(number: int) -> bytes:
    text = json.dumps({"type": "say", "cid": f"cost-{number:05}", "text": f"message {number}"})
    return frame(text)


def delivered(site: Site, count: Counter[str], messages: int) -> Counter[str]:
    """What it cost to deliver so many messages, sent in one segment, to all peers."""
    cookie = site.join()
    peers = [site.wire(cookie=cookie) for _ in range(PEERS)]
    try:
        site.call(lambda: site.app.site.hub.tick())  # presence is told before the count begins
        site.call(asyncio.sleep, 0.05)
        before = count.copy()
        peers[0].sock.sendall(b"".join(say(number) for number in range(messages)))
        for peer in peers:
            for _ in range(messages):
                peer.hear("message")
        return count - before
    finally:
        for peer in peers:
            peer.close()


def test_a_message_is_encoded_once_and_written_once_to_each_peer(
    site: Site, count: Counter[str]
) -> None:
    cost = delivered(site, count, 1)
    assert cost["encodings"] == 1
    assert cost["writes"] == PEERS
    assert cost["tasks"] == 0
    assert cost["callbacks"] < 15  # of the turn, and not of its deliveries


def test_messages_of_one_turn_are_one_write_to_each_peer(site: Site, count: Counter[str]) -> None:
    cost = delivered(site, count, 30)
    assert cost["encodings"] == 30
    assert cost["writes"] == PEERS
    assert cost["tasks"] == 0
    assert cost["callbacks"] < 15


def test_peers_share_the_bytes_of_a_turn(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[bytes] = []
    write = ChatSocket.write_message

    def remember(self: ChatSocket, frame: frames.Frame) -> None:
        if len(frame.parts) == 3 and all(part.saved for part in frame.parts):
            given.append(frame.data)
        write(self, frame)

    monkeypatch.setattr(ChatSocket, "write_message", remember)
    cookie = site.join()
    peers = [site.wire(cookie=cookie) for _ in range(5)]
    peers[0].sock.sendall(say(1) + say(2) + say(3))
    for peer in peers:
        peer.hear("message")
        peer.close()
    assert len(given) == 5
    assert all(data is given[0] for data in given)


def test_an_idle_connection_holds_no_task_and_no_timer(site: Site) -> None:
    cookie = site.join()
    peers = [site.wire(cookie=cookie) for _ in range(10)]

    def tasks_and_timers() -> tuple[int, int]:
        timers = site._loop._scheduled  # type: ignore[attr-defined]
        return len(asyncio.all_tasks()), sum(not timer.cancelled() for timer in timers)

    tasks, timers = site.call(tasks_and_timers)
    assert tasks <= 4  # the server, its tick, this call
    assert timers <= 3
    for peer in peers:
        peer.close()


def test_nothing_of_the_handshake_is_kept(site: Site) -> None:
    wire = site.wire()
    peer = site.call(lambda: next(iter(ChatSocket.live)))
    for name in ("request", "_headers", "ui", "path_args", "_transforms", "ws_connection"):
        assert getattr(peer, name) is None
    wire.close()
