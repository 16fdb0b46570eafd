"""chat/rules/places.py: how many connections there may be, in all and of one address."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import PATIENCE, Declined, Wire, frame, request
from serving import Site

from chat.line.sockets import SLICES, ChatSocket
from chat.rules.places import Places


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Site]:
    """A server with its ordinary limits, and no proxy: each end of a connection is itself."""
    site = Site(tmp_path / "data", rate=10.0, connections_per_user=20, trusted_proxies="")
    yield site
    site.stop()
    assert site.log == []


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Site]:
    """A server with its ordinary limits, and a proxy on this machine."""
    site = Site(tmp_path / "data", rate=10.0, connections_per_user=20)
    yield site
    site.stop()
    assert site.log == []


def places(site: Site) -> Places:
    return site.app.site.places


def until(condition: object) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_address_that_has_all_its_places_leaves_the_others_theirs() -> None:
    places = Places(1000, each=2)
    for _ in range(2):
        places.take("1.2.3.4")
    assert not places.free("1.2.3.4")
    assert places.free("5.6.7.8")
    places.leave("1.2.3.4")
    assert places.free("1.2.3.4")


def test_the_connections_of_a_proxy_are_counted_in_the_whole_only() -> None:
    places = Places(100, each=2)
    for _ in range(99):
        places.take("")
    assert places.free("")
    places.take("")
    assert not places.free("")
    assert not places.free("1.2.3.4")


def test_the_last_quarter_is_scarce() -> None:
    places = Places(100, each=0)
    for _ in range(75):
        assert not places.scarce
        places.take("1.2.3.4")
    assert places.scarce


def test_nothing_is_kept_of_an_address_without_connections() -> None:
    places = Places(100)
    places.take("1.2.3.4")
    places.leave("1.2.3.4")
    assert (places.taken, places._by_address) == (0, {})


def test_the_fifty_first_connection_of_an_address_is_told_so(strict: Site) -> None:
    """In a short 503; and when one goes, there is a place again."""
    socks = [socket.create_connection(("127.0.0.1", strict.port), PATIENCE) for _ in range(50)]
    try:
        with socket.create_connection(("127.0.0.1", strict.port), PATIENCE) as one_more:
            answer = b""
            while data := one_more.recv(4096):
                answer += data
            assert answer.startswith(b"HTTP/1.1 503 ")
        socks.pop().close()
        until(lambda: places(strict).taken == 49)
        assert request(strict.port, "GET", "/healthz").status == 200
    finally:
        for sock in socks:
            sock.close()


def test_behind_a_proxy_the_client_counts(proxied: Site, wires: list[Wire]) -> None:
    cookies = [proxied.join(), proxied.join(), proxied.join()]
    for number in range(50):
        headers = {"X-Forwarded-For": "198.51.100.7"}
        wires.append(Wire(proxied.port, cookie=cookies[number % 3], headers=headers).opened())
    with pytest.raises(Declined) as declined:
        Wire(proxied.port, "/ws/1", headers={"X-Forwarded-For": "9.9.9.9, 198.51.100.7"}).opened()
    assert declined.value.status == 503
    assert b"too many connections" in declined.value.body
    headers = {"X-Forwarded-For": "198.51.100.8"}
    wires.append(Wire(proxied.port, cookie=cookies[0], headers=headers).opened())


def test_a_socket_counts_until_its_descriptor_is_free(strict: Site, wires: list[Wire]) -> None:
    """One that was told to close and does not answer holds it for two seconds more."""
    wire = strict.wire()
    wires.append(wire)
    until(lambda: places(strict).taken == 1)
    strict.call(lambda: next(iter(ChatSocket.live)).dismiss(4010, "replaced", -1))
    assert not ChatSocket.live
    assert places(strict).taken == 1
    until(lambda: places(strict).taken == 0)


def test_every_way_to_end_gives_the_place_back(strict: Site) -> None:
    cookie = strict.join()
    for end in range(4):
        wire = strict.wire(cookie=cookie)
        if end == 1:
            wire.send(b"\x03\xe8", 8)
        if end == 2:
            wire.raw(frame('{"type":"ping"}', masked=False))
        if end == 3:
            strict.call(lambda: next(iter(ChatSocket.live)).connection.cut())
        wire.close()
    until(lambda: places(strict).taken == 0)


def test_when_places_are_scarce_who_has_joined_comes_in(strict: Site, wires: list[Wire]) -> None:
    cookie = strict.join()
    until(lambda: places(strict).taken == 0)
    strict.call(setattr, places(strict), "most", 4)
    for _ in range(3):
        wires.append(Wire(strict.port, cookie=cookie).opened())
    until(lambda: places(strict).taken == 3)
    stranger = request(strict.port, "GET", "/")
    assert stranger.status == 503
    assert b"too many connections" in stranger.body
    assert stranger.headers["Retry-After"]
    until(lambda: places(strict).taken == 3)
    with pytest.raises(Declined) as declined:
        Wire(strict.port, "/ws/1").opened()
    assert declined.value.status == 503
    until(lambda: places(strict).taken == 3)
    assert request(strict.port, "GET", "/healthz").status == 200
    until(lambda: places(strict).taken == 3)
    assert request(strict.port, "GET", "/", {"Cookie": cookie}).status == 200


def test_zero_connections_a_person_lifts_the_cap_of_an_address(site: Site) -> None:
    assert not places(site).each


def test_peers_that_replace_a_leaver_are_spread_over_the_sweeps(
    site: Site, wires: list[Wire]
) -> None:
    """Else the heartbeat of all who come back would be due in the same second."""
    cookie = site.join()
    for _ in range(SLICES):
        wires.append(site.wire(cookie=cookie))
    for _ in range(SLICES):
        wires.pop(0).close()
        until(lambda: len(ChatSocket.live) == SLICES - 1)
        wires.append(site.wire(cookie=cookie))
    assert len({peer.slot for peer in ChatSocket.live}) == SLICES
