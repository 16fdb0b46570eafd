"""chat/rules/tokens.py and labels.py: what is told once, what is kept of it, and what was typed."""

import hashlib
import re

import pytest

from chat.rules.labels import label_of
from chat.rules.tokens import ALPHABET, Secret, hashed, key_of, new_secret


def test_a_token_has_128_bits_and_its_code_no_letters_that_look_alike() -> None:
    made = [new_secret() for _ in range(500)]
    assert len({secret.token for secret in made} | {secret.code for secret in made}) == 1000
    for secret in made:
        assert re.fullmatch(r"[A-Za-z0-9_-]{22}", secret.token)
        assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", secret.code)
    assert len(ALPHABET) == 30
    assert not set("0O1ILU") & set(ALPHABET)
    used = {char for secret in made for char in secret.code}
    assert used == {*ALPHABET, "-"}, "each of them is used"


def test_what_is_kept_is_a_hash_of_each() -> None:
    secret = Secret("x" * 22, "K7QM-4TXD")
    assert secret.hashes == (hashed("x" * 22), hashed("K7QM4TXD"))
    assert hashed("K7QM4TXD") == hashlib.sha256(b"K7QM4TXD").digest()


@pytest.mark.parametrize(
    "typed",
    ["K7QM-4TXD", "k7qm-4txd", "K7QM4TXD", " k7qm 4txd ", "K7QM\u20114TXD", "k7-qm-4t-xd"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert key_of(typed) == hashed("K7QM4TXD")


@pytest.mark.parametrize("around", ["{}", " {}\n", "http://chat.example/enter#{}", "#{}"])
def test_a_token_is_read_also_where_the_whole_link_was_pasted(around: str) -> None:
    secret = new_secret()
    assert key_of(around.format(secret.token)) == secret.hashes[0]


@pytest.mark.parametrize(
    "typed",
    ["", "K7QM-4TX", "K7QM-4TXD2", "K7QM-4TXO", "x" * 21, "x" * 23, "x" * 21 + "=", "ß" * 8],
)
def test_what_is_neither_is_none(typed: str) -> None:
    assert key_of(typed) is None


LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"


@pytest.mark.parametrize(
    ("agent", "label"),
    [
        (LINUX, "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/126.0 Safari/537.36", "Chrome on Windows"),
        (
            f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/126 Safari/537 Edg/126",
            "Edge on Windows",
        ),
        (f"{PHONE} Version/17.5 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        (f"{PHONE} CriOS/126.0 Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        (
            f"Mozilla/5.0 (Linux; Android 14) {WEBKIT} Chrome/126 Mobile Safari/537",
            "Chrome on Android",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17 Safari/605", "Safari on Mac"),
        ("curl/8.5.0", "A browser"),
        ("", "A browser"),
        ("<b>Linux</b> you were removed, sign in at evil.example", "A browser on Linux"),
    ],
)
def test_a_device_is_called_by_what_it_is(agent: str, label: str) -> None:
    assert label_of(agent) == label
