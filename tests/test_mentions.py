"""chat/rules/mentions.py: who is meant by a sign and a name, and which part of the text that is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules import mentions
from chat.rules.mentions import HERE, MANY, Names, carried, parted

PEOPLE = {
    "Ana": "a", "Ana Ruiz": "r", "Ben": "b", "Jo": "j", "Zoë": "z", "O'Neil": "o", "Straße": "s",
    "नूर हद्दाद": "n", "نور حداد": "h", "李小龍": "l", "क": "k", "Müller-Lüdenscheidt": "m",
    "Dr. No": "d",
}  # fmt: skip
NAMES = Names(PEOPLE.items())


def found(text: str, *present: str) -> dict[str, str]:
    return NAMES.find(text, present)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@Ana", {"a": "Ana"}),
        ("hello @Ana, and @Ben!", {"a": "Ana", "b": "Ben"}),
        ("(@ana)", {"a": "ana"}),
        ("@ANA RUIZ?", {"r": "ANA RUIZ"}),
        ("@Ana Ruizo", {"a": "Ana"}),
        ("@Ana  Ruiz", {"a": "Ana"}),
        ("@Ana\u00a0Ruiz", {"r": "Ana\u00a0Ruiz"}),
        ("@Ana Ruiz and @Ana", {"r": "Ana Ruiz", "a": "Ana"}),
        ("@Ana\nRuiz", {"a": "Ana"}),
        ("@Ana@Ben", {"a": "Ana"}),
        ("@Ana.@Ben", {"a": "Ana", "b": "Ben"}),
        ("@Ana's and @Ana_2", {"a": "Ana"}),
        ("@@Ana", {"a": "Ana"}),
        ("@o'neil", {"o": "o'neil"}),
        ("@dr. no.", {"d": "dr. no"}),
        ("@dr.", {}),
        ("@müller-lüdenscheidt", {"m": "müller-lüdenscheidt"}),
        ("@zoe\u0308 typed apart", {"z": "zoe\u0308"}),
        ("@STRASSE", {"s": "STRASSE"}),
        ("@Ａｎａ", {"a": "Ａｎａ"}),
        ("@नूर हद्दाद!", {"n": "नूर हद्दाद"}),
        ("@कि", {}),
        ("مرحبا @نور حداد،", {"h": "نور حداد"}),
        ("@李小龍 你好", {"l": "李小龍"}),
        ("@李小龍你好", {}),
        ("@Anabel @Joe @Benny", {}),
        ("@Ana2", {}),
        ("@ Ana", {}),
        ("@Zoe", {}),
        ("@here is nobody", {}),
        ("Ana", {}),
        ("@", {}),
        ("", {}),
    ],
)
def test_the_longest_name_that_somebody_holds_is_meant(text: str, meant: dict[str, str]) -> None:
    assert found(text) == meant


@pytest.mark.parametrize("text", ["ben@ana.org", "mail x2@ana", "ø@Ana", "mailto:o.k@ben.com"])
def test_an_address_is_no_mention(text: str) -> None:
    assert found(text) == {}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("`@Ana` and @Ben", {"b": "Ben"}),
        ("`one @Ana", {"a": "Ana"}),
        ("```\n@Ana\n```\n@Ben", {"b": "Ben"}),
        ("@Ben\n```py\n@Ana\n@Jo\n```", {"b": "Ben"}),
        ("```\n@Ana", {"a": "Ana"}),
        ("https://example.org/@Ana @Ben", {"b": "Ben"}),
        ("see HTTP://example.org/@ana", {}),
    ],
)
def test_code_and_addresses_of_pages_mean_nobody(text: str, meant: dict[str, str]) -> None:
    assert found(text) == meant


def test_here_is_everybody_who_is_there_and_a_name_says_more() -> None:
    assert found("@here, @Ben?", "a", "b") == {"a": HERE, "b": "Ben"}
    assert found("@Ben, @HERE.", "a", "b") == {"a": HERE, "b": "Ben"}
    assert found("@hereabouts there@here", "a", "b") == {}
    longer = Names([("Here Comes Bo", "c")])
    assert longer.find("@here comes bo @here comes", ["a"]) == {"c": "here comes bo", "a": HERE}


def test_names_come_and_go() -> None:
    names = Names()
    names.add("Ana", "a")
    names.add("ana", "b")  # nobody can be called so as well, but for letters of another script
    names.add("Ana Ruiz", "r")
    assert names.find("@Ana", ()) == {"a": "Ana"}
    names.drop("Ana", "a")
    names.drop("Ana", "a")
    names.drop("Nobody", "x")
    assert names.find("@Ana, @Ana Ruiz", ()) == {"b": "Ana", "r": "Ana Ruiz"}


def test_a_text_means_so_many_people_at_most() -> None:
    names = Names((f"P{n}", f"{n}") for n in range(100))
    assert len(names.find(" ".join(f"@P{n}" for n in range(100)), ())) == MANY


@pytest.mark.parametrize(
    "text", ["@a." * 1333, "@" * 4000, "@a " * 1333, ("@" + "a " * 19 + "c ") * 97]
)
def test_no_text_is_looked_at_for_long(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst are those that nearly name somebody, again and again."""
    names = Names((f"{'a.@' * 13}{n}", f"{n}") for n in range(1_000))
    names.add("a " * 19 + "b", "b")
    folded, looks = mentions._folded, []
    monkeypatch.setattr(mentions, "_folded", lambda name: looks.append(name) or folded(name))
    assert names.find(text, ()) == {}
    assert MANY <= len(looks) <= MANY * len("a " * 19)


@given(st.text(alphabet="@Ana Ruiz.\u0308here", max_size=40))
def test_what_is_found_is_what_is_marked(text: str) -> None:
    """The page, and the page without scripts, mark the same names as the people meant have."""
    meant = found(text, "x")
    parts = parted(text, meant.values())
    assert "".join(parts) == text
    marked = {unicodedata.normalize("NFC", part[1:].casefold()) for part in parts[1::2]}
    assert {unicodedata.normalize("NFC", name.casefold()) for name in meant.values()} <= marked


def test_the_parts_of_a_text() -> None:
    assert parted("hi @Ana Ruiz, @ana@Ben", ["Ana", "Ana Ruiz", ""]) == [
        "hi ", "@Ana Ruiz", ", ", "@ana", "@Ben"
    ]  # fmt: skip
    assert parted("@Anabel x@Ana", ["Ana"]) == ["@Anabel x@Ana"]
    assert parted("(@Dr. No)", ["Dr. No"]) == ["(", "@Dr. No", ")"]
    assert parted("@Ana", [""]) == ["@Ana"]


def test_an_edit_means_the_same_people_by_a_name_that_still_stands_there() -> None:
    """Ana is called Anna by now, and somebody else Ana."""
    before = {"a": "Ana", "b": "Ben", "h": HERE, "r": ""}
    assert carried(before, {"x": "Ana", "c": "Cy", "i": HERE}, "@ana @Cy @Here") == {
        "a": "Ana", "c": "Cy", "h": HERE, "r": ""
    }  # fmt: skip
    assert carried(before, {"x": "Anabel", "r": "Ruth"}, "@Anabel @Ruth") == {
        "x": "Anabel", "r": "Ruth"
    }  # fmt: skip
    assert carried({}, {"x": "Ana"}, "@Ana") == {"x": "Ana"}
