"""Which part of a file a Range header asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.ranges import Unsatisfiable, part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-1", range(2)),
        ("bytes=0-", range(10)),
        ("bytes=3-", range(3, 10)),
        ("bytes=9-9", range(9, 10)),
        ("bytes=3-100", range(3, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-100", range(10)),
        ("Bytes= 0-1 ", range(2)),
    ],
)
def test_one_range_is_a_part(header: str, part: range) -> None:
    assert part_of(header, 10) == part


@pytest.mark.parametrize(
    "header",
    [
        *("", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=--1", "bytes=5-4", "bytes=1-2-3"),
        *("items=0-1", "bytes=0-1,3-4", "bytes=0-1, -1", "bytes=0-1;", "bytes=٣-٤"),
        f"bytes=0-{'9' * 5000}",
    ],
)
def test_what_is_no_single_range_counts_as_none(header: str) -> None:
    assert part_of(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-20", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_that_begins_where_nothing_is_cannot_be_had(header: str, size: int) -> None:
    with pytest.raises(Unsatisfiable):
        part_of(header, size)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_a_range_is_what_a_list_would_give(first: int, last: int, size: int) -> None:
    everything = list(range(size))
    try:
        part = part_of(f"bytes={first}-{last}", size)
    except Unsatisfiable:
        assert first >= size
    else:
        assert part is None or list(part) == everything[first : last + 1]
        assert (part is None) == (last < first)
