"""chat/rules/proxies.py: who a request comes from, and what counts as one address."""

from pathlib import Path

import pytest
from client import Answer, request
from serving import Site

from chat.rules.proxies import LOCAL_FILE, Proxies, counted, networks

OURS = Proxies(networks("127.0.0.0/8,::1,10.0.0.0/8, fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        ("198.51.100.7", {}, "198.51.100.7"),
        ("198.51.100.7", {"X-Forwarded-For": "1.2.3.4"}, "198.51.100.7"),
        ("198.51.100.7", {"X-Real-Ip": "1.2.3.4"}, "198.51.100.7"),
        ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
        ("127.0.0.1", {"X-Forwarded-For": "9.9.9.9, 1.2.3.4"}, "1.2.3.4"),
        ("127.0.0.1", {"X-Forwarded-For": "9.9.9.9,1.2.3.4 "}, "1.2.3.4"),
        ("127.0.0.1", {"X-Forwarded-For": "9.9.9.9, 127.0.0.1"}, "127.0.0.1"),
        ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4", "X-Real-Ip": "9.9.9.9"}, "1.2.3.4"),
        ("127.0.0.1", {"X-Real-Ip": "9.9.9.9"}, "127.0.0.1"),
        ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4, nonsense"}, "127.0.0.1"),
        ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4,"}, "127.0.0.1"),
        ("127.0.0.1", {"X-Forwarded-For": ""}, "127.0.0.1"),
        ("10.1.2.3", {"X-Forwarded-For": "2001:db8::1"}, "2001:db8::1"),
        ("::ffff:10.1.2.3", {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
        ("127.0.0.1", {"X-Forwarded-For": "::ffff:1.2.3.4"}, "1.2.3.4"),
        ("fd00::5", {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
        ("fe80::1%eth0", {"X-Forwarded-For": "1.2.3.4"}, "fe80::1%eth0"),
        (LOCAL_FILE, {"X-Forwarded-For": "1.2.3.4"}, "1.2.3.4"),
        (LOCAL_FILE, {}, LOCAL_FILE),
    ],
)
def test_only_the_entry_that_a_trusted_proxy_added_is_believed(
    peer: str, headers: dict[str, str], client: str
) -> None:
    assert OURS.client(peer, headers) == client


@pytest.mark.parametrize(
    ("peer", "told", "protocol"),
    [
        ("127.0.0.1", "https", "https"),
        ("127.0.0.1", "http, HTTPS", "https"),
        ("127.0.0.1", "https, http", "http"),
        ("127.0.0.1", "gopher", "http"),
        ("127.0.0.1", "", "http"),
        ("198.51.100.7", "https", "http"),
        (LOCAL_FILE, "https", "https"),
    ],
)
def test_https_is_believed_of_the_same_proxies(peer: str, told: str, protocol: str) -> None:
    assert OURS.protocol(peer, {"X-Forwarded-Proto": told}, "http") == protocol


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:1.2.3.4", "1.2.3.4", True),
        ("::ffff:102:304", "1.2.3.4", True),
        ("1.2.3.4", "1.2.3.5", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_an_ipv6_household_and_an_ipv4_address_count_as_one(
    one: str, other: str, same: bool
) -> None:
    assert (counted(one) == counted(other)) is same


def joined(site: Site, name: str) -> Answer:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7"}
    return request(site.port, "POST", "/join", headers, {"name": name, "room": "lobby"})


def test_a_named_proxy_makes_cookies_secure_and_links_https(tmp_path: Path) -> None:
    """Also one on another machine: what counts is that it is named, not where one listens."""
    site = Site(tmp_path / "data", address="", trusted_proxies="127.0.0.1")
    try:
        answer = joined(site, "Ana")
        assert answer.headers["Set-Cookie"].startswith("__Host-device=")
        assert "secure" in answer.headers["Set-Cookie"].lower()
        assert answer.headers["Strict-Transport-Security"]
    finally:
        site.stop()


def test_anyone_else_says_nothing_about_https(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", trusted_proxies="10.0.0.0/8")
    try:
        answer = joined(site, "Ana")
        assert answer.headers["Set-Cookie"].startswith("device=")
        assert "Strict-Transport-Security" not in answer.headers
    finally:
        site.stop()
