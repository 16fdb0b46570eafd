"""chat/limits.py: token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from chat.limits import TokenBucket


def test_a_burst_passes_and_then_the_wait_is_told() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [bucket.take(1.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(1.0) == 0.1
    assert bucket.take(1.1) == 0


def test_a_rate_of_zero_is_no_limit() -> None:
    bucket = TokenBucket(rate=0, burst=0)
    assert not any(bucket.take(1.0) for _ in range(1000))


@given(st.lists(st.floats(0, 1), max_size=200))
def test_no_more_passes_than_the_burst_and_the_rate_allow(gaps: list[float]) -> None:
    bucket, now, passed = TokenBucket(rate=5, burst=10), 1.0, 0
    for gap in gaps:
        now += gap
        passed += not bucket.take(now)
    assert passed <= 10 + 5 * (now - 1.0) + 1e-6


def test_a_bucket_is_full_again_after_its_burst_has_flowed_in() -> None:
    bucket = TokenBucket(rate=10, burst=10)
    bucket.take(1.0, cost=10)
    assert not bucket.full(1.5)
    assert bucket.full(2.0)
