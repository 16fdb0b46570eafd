"""chat/room/origins.py and rules/proxies.py: from which networks people have come."""

import pytest

from chat.room import origins as module
from chat.room.origins import Origins
from chat.rules.proxies import LOCAL_FILE, counted, neighbourhood


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::1", "2001:db8:1::/48"),
        (LOCAL_FILE, ""),
        ("", ""),
        ("somewhere", ""),
    ],
)
def test_a_neighbourhood_is_24_bits_of_an_address_or_48(address: str, network: str) -> None:
    assert neighbourhood(counted(address)) == network


def test_somebody_is_known_by_the_networks_they_came_from_last() -> None:
    origins = Origins()
    for number in range(module.EACH + 2):
        for _ in range(2):
            origins.note("ana", f"203.0.{number}.1")
    assert origins.of("ana") == tuple(f"203.0.{n}.0/24" for n in range(2, module.EACH + 2))
    assert origins.of("ben") == ()


def test_who_was_not_seen_for_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PEOPLE", 2)
    origins = Origins()
    for user in ("ana", "ben", "ana", "cy"):
        origins.note(user, "203.0.113.1")
    assert [bool(origins.of(user)) for user in ("ana", "ben", "cy")] == [True, False, True]


def test_where_there_is_no_network_nothing_is_remembered() -> None:
    origins = Origins()
    origins.note("ana", LOCAL_FILE)
    assert origins.of("ana") == ()
