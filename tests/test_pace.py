"""chat/rules/pace.py: what may be done how often, by an address and by a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.pace import (
    FEW,
    JOIN,
    LOOK,
    MOST,
    PLAIN,
    ROOM,
    SAY,
    SOCKET,
    UPLOAD,
    Buckets,
    Flow,
    Pace,
    TokenBucket,
    rules,
)
from chat.wire.codes import Refusal

KINDS = (SAY, JOIN, ROOM, SOCKET, PLAIN, LOOK, UPLOAD)


def passed(pace: Pace, what: str, payers: list[tuple[str, str]], now: float = 1.0) -> int:
    """How many of these (address, person) may do it now."""
    count = 0
    for address, person in payers:
        try:
            pace.pay(what, address, person, now)
        except Refusal as refusal:
            assert refusal.code == "slow_down"
            assert (refusal.retry or 0) >= 1
        else:
            count += 1
    return count


def test_a_burst_passes_and_then_the_wait_is_told() -> None:
    bucket = TokenBucket(Flow(rate=10, burst=3))
    assert [bucket.take(1.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(1.0) == 0.1
    assert bucket.take(1.1) == 0


def test_a_flow_of_less_than_one_still_lets_one_through() -> None:
    bucket = TokenBucket(Flow(rate=0.2, burst=0.8))
    assert bucket.take(1.0) == 0
    assert bucket.take(2.0) == 4.0
    assert bucket.take(6.0) == 0


@given(st.lists(st.floats(0, 1), max_size=200))
def test_no_more_passes_than_the_burst_and_the_rate_allow(gaps: list[float]) -> None:
    bucket, now, through = TokenBucket(Flow(rate=5, burst=10)), 1.0, 0
    for gap in gaps:
        now += gap
        through += not bucket.take(now)
    assert through <= 10 + 5 * (now - 1.0) + 1e-6


def test_a_bucket_is_full_again_after_its_burst_has_flowed_in() -> None:
    bucket = TokenBucket(Flow(rate=10, burst=10))
    for _ in range(10):
        bucket.take(1.0)
    assert not bucket.full(1.5)
    assert bucket.full(2.0)


@pytest.mark.parametrize("what", KINDS)
def test_a_rate_of_zero_lifts_every_limit(what: str) -> None:
    pace = Pace(0)
    assert passed(pace, what, [("1.2.3.4", "ana")] * 1000) == 1000
    assert not any(pace.connection().take(1.0) for _ in range(1000))


@pytest.mark.parametrize("what", KINDS)
def test_a_rate_below_one_lets_everybody_in_and_speak(what: str) -> None:
    assert passed(Pace(0.01), what, [("1.2.3.4", "ana")]) == 1


@pytest.mark.parametrize("what", KINDS)
def test_new_people_of_one_address_get_no_more_than_the_address(what: str) -> None:
    most = rules(10)[what][0].burst
    payers = [("1.2.3.4", f"person {number}") for number in range(1000)]
    assert passed(Pace(10), what, payers) == most


@pytest.mark.parametrize("what", KINDS)
def test_one_address_takes_nothing_from_another(what: str) -> None:
    pace = Pace(10)
    passed(pace, what, [("1.2.3.4", f"person {number}") for number in range(1000)])
    assert passed(pace, what, [("5.6.7.8", "ana")]) == 1


@pytest.mark.parametrize("what", [SAY, JOIN, ROOM, LOOK, UPLOAD])
def test_what_is_refused_to_one_person_takes_nothing_from_the_neighbours(what: str) -> None:
    pace = Pace(10)
    passed(pace, what, [("1.2.3.4", "flood")] * 10_000)
    assert passed(pace, what, [("1.2.3.4", "ana")]) == 1


def test_a_slow_drip_of_identities_ends_where_the_address_ends() -> None:
    pace, count = Pace(10), 0
    for second in range(3600):
        count += passed(pace, JOIN, [("1.2.3.4", "")] * 5, now=1.0 + second)
    assert count <= 100 + 3600 * 0.5


def test_the_wait_that_is_told_is_enough() -> None:
    pace = Pace(10)
    passed(pace, SAY, [("1.2.3.4", "ana")] * 40)
    with pytest.raises(Refusal) as refused:
        pace.pay(SAY, "1.2.3.4", "ana", 1.0)
    assert passed(pace, SAY, [("1.2.3.4", "ana")], 1.0 + (refused.value.retry or 0) / 1000) == 1


def test_idle_buckets_are_forgotten() -> None:
    buckets = Buckets(Flow(rate=1, burst=2))
    for number in range(100_000):
        buckets.of(str(number), float(number)).take(float(number))
    assert len(buckets) <= FEW


def test_there_are_never_more_buckets_than_the_most() -> None:
    buckets = Buckets(Flow(rate=1, burst=100_000))
    for number in range(3 * MOST):
        buckets.of(str(number), 1.0).take(1.0)
        assert len(buckets) <= MOST
    assert buckets.of(str(3 * MOST - 1), 1.0) is buckets.of(str(3 * MOST - 1), 1.0)


def test_a_bucket_in_use_is_kept_while_others_are_forgotten() -> None:
    buckets = Buckets(Flow(rate=1, burst=1000))
    mine = buckets.of("mine", 1.0)
    for number in range(1000):
        mine.take(1.0)
        buckets.of(str(number), 1.0)
    assert buckets.of("mine", 1.0) is mine
