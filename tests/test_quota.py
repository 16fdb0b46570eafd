"""rules/quota.py: whether there is room for a file, also while others are on their way."""

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.quota import GB, MB, PERSON, SERVER, SPARE, Quota, Used, told
from chat.web.rows import size_of
from chat.wire.codes import Refusal

DISK = Used(person=0, server=0, free=400 * GB, disk=1000 * GB)


def used(**figures: int) -> Used:
    return Used(**{"person": 0, "server": 0, "free": 400 * GB, "disk": 1000 * GB, **figures})


def refused(quota: Quota, size: int, used: Used, person: str = "ana") -> str:
    """The code that this file is refused with; "" if it is not."""
    try:
        with quota.coming(person, size, used):
            return ""
    except Refusal as refusal:
        assert refusal.retry is None
        return refusal.code


def test_a_file_may_have_so_many_bytes_and_not_one_more() -> None:
    quota = Quota(25 * MB, None)
    quota.check(25 * MB)
    with pytest.raises(Refusal, match="too_big") as one_more:
        quota.check(25 * MB + 1)
    assert "25 MB" in one_more.value.detail


@pytest.mark.parametrize(
    ("code", "figures", "server"),
    [
        ("quota", {"person": PERSON}, None),
        ("files_full", {"server": SERVER}, None),
        ("files_full", {"server": 9 * GB, "disk": 90 * GB}, None),  # a tenth of a small disk
        ("files_full", {"server": 3 * GB}, 3 * GB),
        ("disk_full", {"free": SPARE, "disk": 15 * GB}, None),
        ("disk_full", {"free": 50 * GB}, None),  # a twentieth of a large disk
    ],
)
def test_the_last_byte_there_is_room_for_is_taken_and_no_more(
    code: str, figures: dict[str, int], server: int | None
) -> None:
    quota, figure = Quota(25 * MB, server), next(iter(figures))
    assert refused(quota, 0, used(**figures)) == ""
    assert refused(quota, 1, used(**figures)) == code
    figures[figure] += 1 if figure == "free" else -1
    assert refused(quota, 1, used(**figures)) == ""


@pytest.mark.parametrize(("code", "limit"), [("quota", "200 MB"), ("files_full", "10 GB")])
def test_the_sentence_tells_the_limit(code: str, limit: str) -> None:
    with (
        pytest.raises(Refusal, match=code) as refused,
        Quota(1, None).coming(
            "ana", 1, used(person=PERSON if code == "quota" else 0, server=SERVER)
        ),
    ):
        pass
    assert limit in refused.value.detail


def test_what_is_on_its_way_takes_up_room_until_it_is_over() -> None:
    quota, nearly = Quota(25 * MB, None), used(person=PERSON - 10)
    with quota.coming("ana", 6, nearly):
        assert refused(quota, 5, nearly) == "quota"
        assert refused(quota, 4, nearly) == ""
        assert refused(quota, 10, nearly, "ben") == ""
        assert refused(quota, 5, used(server=SERVER - 10), "ben") == "files_full"
        assert refused(quota, 5, used(free=50 * GB + 10), "ben") == "disk_full"
    assert refused(quota, 10, nearly) == ""


def test_a_disk_that_is_refused_to_some_is_not_used_up_by_them() -> None:
    quota = Quota(25 * MB, 10)
    assert [refused(quota, 11, DISK) for _ in range(3)] == ["files_full"] * 3
    assert refused(quota, 10, DISK) == ""


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.booleans()), max_size=30))
def test_whatever_comes_and_goes_never_is_more_than_there_is_room_for(
    steps: list[tuple[str, int, bool]],
) -> None:
    quota, there = Quota(100, 100), 20
    coming: list[tuple[int, ExitStack]] = []
    for person, size, ends in steps:
        if ends and coming:
            coming.pop(0)[1].close()
        held = ExitStack()
        try:
            held.enter_context(quota.coming(person, size, used(server=there)))
            coming.append((size, held))
        except Refusal:
            assert there + sum(size for size, _ in coming) + size > 100
        assert there + sum(size for size, _ in coming) <= 100
    for _, held in coming:
        held.close()
    assert refused(quota, 80, used(server=there)) == ""


@pytest.mark.parametrize(
    ("size", "text"),
    [(25 * MB, "25 MB"), (10 * GB, "10 GB"), (GB // 2, "500 MB"), (7 * GB // 2, "3.5 GB")],
)
def test_bytes_read_well_and_as_the_page_tells_them(size: int, text: str) -> None:
    assert told(size) == text
    assert size_of(size) == text
