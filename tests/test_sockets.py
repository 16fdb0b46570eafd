"""line/sockets.py: who is live, the plain dialect, the heartbeat, and the end of a connection."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from client import frame
from serving import Site
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from chat.line import sockets as module
from chat.line.sockets import ChatSocket

Line = Callable[..., ClientConnection]


@pytest.fixture
def line(site: Site) -> Iterator[Line]:
    """Opens connections with an independent client; closes them at the end."""
    with ExitStack() as opened:

        def open_line(path: str = "/r/lobby/ws", cookie: str | None = None) -> ClientConnection:
            headers = {} if path.startswith("/ws/") else {"Cookie": cookie or site.join()}
            url = f"ws://127.0.0.1:{site.port}{path}"
            return opened.enter_context(
                connect(url, additional_headers=headers, ping_interval=None)
            )

        yield open_line


def hear(client: ClientConnection, kind: str) -> dict[str, object]:
    """The next frame of this kind."""
    while True:
        frame: dict[str, object] = json.loads(client.recv(timeout=5))
        if frame["type"] == kind:
            return frame


def ask(client: ClientConnection, kind: str, cid: str = "cid-00001", **fields: object) -> None:
    client.send(json.dumps({"type": kind, "cid": cid, **fields}))


def say(client: ClientConnection, text: str, cid: str = "cid-00001") -> None:
    ask(client, "say", cid, text=text)


def unions(site: Site) -> tuple[set[ChatSocket], int]:
    """The peers of all rooms, and how many there are when counted room by room."""
    seats = [seat for room in site.app.site.hub.rooms.values() for seat in room.seats]
    return {seat.peer for seat in seats}, len(seats)  # type: ignore[misc]


def wait_for(site: Site, condition: Callable[[], object]) -> None:
    end = time.monotonic() + 5
    while not site.call(condition):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_live_is_the_disjoint_union_of_the_peers_of_all_rooms(site: Site, line: Line) -> None:
    clients = [line("/r/lobby/ws"), line("/r/other/ws"), line("/ws/7"), line("/r/lobby/ws")]
    for client in (clients[0], clients[1], clients[3]):
        hear(client, "live")
    wait_for(site, lambda: len(ChatSocket.live) == 4)
    assert site.call(lambda: unions(site)) == (ChatSocket.live, 4)
    clients[0].close()
    clients[2].close()
    wait_for(site, lambda: len(ChatSocket.live) == 2)
    assert site.call(lambda: unions(site)) == (ChatSocket.live, 2)
    clients[1].close()
    clients[3].close()
    wait_for(site, lambda: not ChatSocket.live)
    assert site.call(lambda: list(site.app.site.hub.tabs)) == []


def test_the_plain_dialect_shows_each_message_of_the_others_once(site: Site, line: Line) -> None:
    one, two, same = line("/ws/1"), line("/ws/2"), line("/ws/1")
    page = line()
    hear(page, "live")
    one.send("hello")
    assert two.recv(timeout=5) == same.recv(timeout=5) == "Client 1: hello"
    assert hear(page, "message")["name"] == "Client 1"
    say(page, "hi there")
    heard = {client.recv(timeout=5) for client in (one, two, same)}
    assert len(heard) == 1
    assert heard.pop().endswith(": hi there")
    two.send("bye")
    assert one.recv(timeout=5) == "Client 2: bye"


def test_plain_peers_hear_new_messages_and_nothing_else(site: Site, line: Line) -> None:
    plain, page = line("/ws/5"), line()
    hear(page, "live")
    say(page, "first")
    id = hear(page, "message")["id"]
    ask(page, "edit", "cid-00002", id=id, text="better")
    page.send(json.dumps({"type": "typing"}))
    hear(page, "message")
    ask(page, "react", "cid-00003", id=id, emoji="👍", on=True)
    hear(page, "reaction")
    ask(page, "room", "cid-00004", topic="tides")
    hear(page, "settings")
    ask(page, "delete", "cid-00005", id=id)
    hear(page, "gone")
    say(page, "second", "cid-00006")
    assert plain.recv(timeout=5).endswith(": first")
    assert plain.recv(timeout=5).endswith(": second")


def test_a_plain_peer_is_told_in_words_why_something_was_refused(site: Site, line: Line) -> None:
    plain = line("/ws/5")
    plain.send(" ")
    assert plain.recv(timeout=5) == "There is nothing to send."
    plain.send("x" * 4001)
    assert plain.recv(timeout=5) == "That is longer than 4,000 characters."
    plain.send(b"bytes")
    assert plain.recv(timeout=5) == "The server did not understand that."


@pytest.mark.parametrize("path", ["/ws/abc", "/ws/-1", "/ws/" + "9" * 21])
def test_a_client_id_is_a_number(site: Site, line: Line, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        line(path)
    assert refused.value.response.status_code == 404


def test_a_stranger_and_a_room_that_cannot_be_are_refused_in_the_handshake(
    site: Site, line: Line
) -> None:
    for path, cookie, status in [("/r/lobby/ws", "device=x", 403), ("/r/a.b/ws", None, 404)]:
        with pytest.raises(InvalidStatus) as refused:
            line(path, cookie)
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body)["code"] in ("sign_in", "bad_room")


def test_a_bad_frame_is_answered_and_the_connection_stays(site: Site, line: Line) -> None:
    page = line()
    hear(page, "live")
    page.send("not json")
    assert hear(page, "refused")["code"] == "bad_frame"
    page.send(b"{}")
    assert hear(page, "refused")["code"] == "bad_frame"
    say(page, "still here")
    assert hear(page, "message")["text"] == "still here"


def test_a_live_page_hears_a_beat_and_answers_pings(
    site: Site, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICES", 1)
    page = line()
    hear(page, "live")
    assert hear(page, "beat") == {"type": "beat", "head": 0, "rev": 0}
    before = site.call(lambda: next(iter(ChatSocket.live)).connection.heard)
    page.recv(timeout=5)  # reading on answers the ping
    wait_for(site, lambda: next(iter(ChatSocket.live)).connection.heard > before)


def test_a_silent_peer_is_cut(site: Site, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    page = line()
    hear(page, "live")
    monkeypatch.setattr(module, "SILENT", -1.0)
    with pytest.raises(ConnectionClosed):
        hear(page, "something that never comes")
    wait_for(site, lambda: not ChatSocket.live)


def test_signing_out_closes_every_tab_of_that_person_and_nobody_elses(
    site: Site, line: Line
) -> None:
    cookie = site.join()
    tabs, other = [line(cookie=cookie), line("/r/other/ws", cookie)], line()
    for client in (*tabs, other):
        hear(client, "live")
    site.http("POST", "/signout", headers={"Cookie": cookie}, form={"room": "lobby"})
    for tab in tabs:
        assert hear(tab, "bye") == {"type": "bye", "reason": "signed_out", "after": -1}
        with pytest.raises(ConnectionClosed) as closed:
            tab.recv(timeout=5)
        assert closed.value.rcvd.code == 4002
    say(other, "still here")
    hear(other, "message")


def test_a_new_name_is_used_from_the_next_message_on(site: Site, line: Line) -> None:
    cookie = site.join(name="Zoe")
    page = line(cookie=cookie)
    hear(page, "live")
    say(page, "one")
    assert hear(page, "message")["name"] == "Zoe"
    site.http("POST", "/name", headers={"Cookie": cookie}, form={"name": "Zoe Q"})
    say(page, "two", "cid-00002")
    assert hear(page, "message")["name"] == "Zoe Q"
    ask(page, "edit", "cid-00003", id=1, text="one, better")
    edited = hear(page, "message")
    assert (edited["text"], edited["name"]) == ("one, better", "Zoe")


def test_a_peer_that_always_has_half_a_message_under_way_is_not_parked(site: Site) -> None:
    """Somebody who sends without a pause is busy; only one unfinished message is counted."""
    wire = site.wire()
    data = frame(json.dumps({"type": "ping"}))

    def parked() -> float:
        return next(iter(ChatSocket.live)).connection.parked

    wire.raw(data[:9])
    wait_for(site, parked)
    first = site.call(parked)
    wire.raw(data[9:] + data[:9])
    wire.hear("pong")
    assert site.call(parked) > first
    wire.raw(data[9:])
    wire.hear("pong")
    assert site.call(parked) == 0.0
    wire.close()
