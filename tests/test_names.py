"""chat/names.py: which names are valid, and which look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.names import (
    color_for,
    free_variant,
    graphemes,
    initials,
    skeleton,
    valid_name,
    valid_room,
)
from chat.protocol import Refusal


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ana", "Ana"),
        ("  Ana   Ruiz ", "Ana Ruiz"),
        ("Ame\u0301lie", "Amélie"),
        ("نور حداد", "نور حداد"),
        ("Kofi 👩‍👩‍👧", "Kofi 👩‍👩‍👧"),
        ("می‌خواهم", "می‌خواهم"),
        ("क्षत्रिय", "क्षत्रिय"),
        ("ที่รัก", "ที่รัก"),
        ("日本 Tom", "日本 Tom"),
        ("O'Neill-Smith", "O'Neill-Smith"),
        ("x" * 40, "x" * 40),
    ],
)
def test_names_in_any_script_are_valid(typed: str, kept: str) -> None:
    assert valid_name(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "!!!",
        "x" * 41,
        "a\u202eb",  # right-to-left override
        "a\u200bb",  # zero-width space
        "An\u200da",  # a joiner between Latin letters
        "\u3164",  # a blank letter
        "Ana\u2800",
        "a\x00b",
        "z" + "\u0301" * 5,  # zalgo
        " \u0301a",
        "\U000e0041na",
        "\u0410na",  # Cyrillic A among Latin letters
        "αna",
        "Adm1n",
        "SYSTEM",
        "You",
        "Client 42",
        "client7",
    ],
)
def test_hidden_mixed_and_reserved_names_are_refused(typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        valid_name(typed)
    assert refused.value.code == "bad_name"
    assert refused.value.detail.endswith(".")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana", "ana"),
        ("Ana", "Ａｎａ"),
        ("Ana", "А\u043f\u0430".replace("\u043f", "n")),
        ("Bob", "B0b"),
        ("Paul", "Pau1"),
        ("Ana Ruiz", "AnaRuiz"),
        ("Arnold", "Amold"),
        ("сор", "cop"),
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@given(st.text(max_size=60))
def test_any_text_is_a_valid_name_or_a_refusal(text: str) -> None:
    try:
        name = valid_name(text)
    except Refusal:
        return
    assert valid_name(name) == name
    assert 1 <= graphemes(name) <= 40
    assert initials(name)


def test_a_free_variant_is_the_first_number_that_nobody_has() -> None:
    taken = {skeleton("Ana"), skeleton("Ana 2")}
    assert free_variant("Ana", taken.__contains__) == "Ana 3"


def test_a_flag_and_a_family_are_one_character_each() -> None:
    assert graphemes("🇫🇷🇩🇪👩‍👩‍👧👍🏽é") == 5


def test_the_colour_comes_from_the_name_and_then_from_what_is_least_used() -> None:
    counts = [0] * 12
    first = color_for("Ana", counts)
    assert color_for("ANA", counts) == first
    assert color_for("Ana", [1] * 12) == first
    counts[first] = 1
    assert color_for("Ana", counts) == (first + 1) % 12


def test_initials_are_of_the_first_and_the_last_word() -> None:
    assert [initials("Ana"), initials("ana de ruiz"), initials("نور حداد")] == ["A", "AR", "نح"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [("General", "general"), (" My  room ", "my-room"), ("#ideas", "ideas"), ("日本", "日本")],
)
def test_a_room_name_becomes_what_stands_in_its_address(typed: str, name: str) -> None:
    assert valid_room(typed) == name


@pytest.mark.parametrize("typed", ["", "..", "a/b", "-x", "a.b", "x" * 41, "a\x00", "<b>", "%2e"])
def test_a_room_name_that_could_confuse_an_address_is_refused(typed: str) -> None:
    with pytest.raises(Refusal, match="bad_room"):
        valid_room(typed)
