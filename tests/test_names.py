"""chat/rules/names.py, lookalikes.py, unseen.py: which names are valid, and which look alike."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.lookalikes import skeleton
from chat.rules.names import (
    color_for,
    free_variant,
    graphemes,
    initials,
    valid_name,
    valid_room,
)
from chat.rules.unseen import draws_something, without_unseen
from chat.wire.codes import Refusal

PEOPLE = """
Ana Ruiz|O'Brien|O’Brien|Jean-Luc Picard|Anne-Marie d'Été|José Ñuñez|Björk Guðmundsdóttir|Łukasz
Žižek|Nguyễn Thị Bích Ngọc|Trần Đặng|Ðorđe|Şükrü İnönü|Kaʻiulani|D. J. Smith Jr.|Renée 2|X Æ A-12
Иван Петров|Ёлка|Володимир Зеленський|Наталія О'Коннор|Љиљана|Өмүрбек|Елена-Мария
Ελένη|Γιώργος Παπαδόπουλος|ΝΊΚΟΣ|Άννα|Արմեն Սարգսյան|ნინო|Ⲁⲃⲃⲁ|ᏍᏏᏉᏯ
محمد|محمّد علي|نور حداد|می‌خواهم|مهدی رضایی‌نژاد|عبد الرحمٰن|فاطمة ٢|اُردو نام|ئالان|ܐܦܪܝܡ
יוסף כהן|שָׁלוֹם|מרים בת־אל|רחל|ދިވެހި
अमित कुमार|क्षत्रिय|श्री गणेश|ऋषि|স্বাতী চৌধুরী|র‍্যাব|ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ|હર્ષ|ଜଗନ୍ନାଥ|தமிழ்ச்செல்வன்|லட்சுமி
వెంకటేశ్వర్లు|ಶ್ರೀನಿವಾಸ|ശ്രീജിത്ത്|അവന്‍|ශ්‍රී ලාල්|สมชาย|ที่รัก|น้ำผึ้ง|ສົມຊາຍ|ကျော်ဇော|សុខា|སྒྲོལ་མ
ᠪᠠᠲᠤ|አበበ|ꦱꦸꦏꦂꦤꦺꦴ|ᐃᓄᒃ|ⵉⴷⵉⵔ|ꓮꓬꓰ|ꆈꌠ
王小明|李娜|歐陽 修|张一|佐々木|田中太郎|たなか|ヤマダ|山田たろう|マイク・スミス|ひろゆきー|山田ﾀﾛｳ
日本 Tom|김민수|박 지성|남궁민 Kim|陳 David
Kofi 👩‍👩‍👧|Zoe 🏳️‍🌈|Tom 🏴󠁧󠁢󠁥󠁮󠁧󠁿|❤️ Lia|👍🏽|Bea ☀️|🦊|1️⃣ Max|Mo 🇩🇪|👩🏽‍🚀|🏋🏽‍♂️ Jo|Eva ✨|⭐|☕️|🫨 Kim
𝓐𝓷𝓪|Ａｎａ|Ⓐna|x_y|Ana!|@bob|#1 fan|C3PO|42
"""


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ana   Ruiz ", "Ana Ruiz"),
        ("Ame\u0301lie", "Amélie"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_name_is_kept_composed_and_trimmed(typed: str, kept: str) -> None:
    assert valid_name(typed) == kept


@pytest.mark.parametrize("name", PEOPLE.replace("\n", "|").strip("|").split("|"))
def test_the_names_of_real_people_are_valid_in_any_script(name: str) -> None:
    assert valid_name(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "\ufe0f",
        "Bob\ufe0f",
        "B\ufe00ob",
        "Bob\U000e0100",
        "Bob\u180b",
        "Bob\U0001d159",
        "Bob1\ufe0f",
        "Bob\u034f",
        "Bob\ufffc",
        "é\u200cé",
        "Иван\u200d",
        "😀\u200dBob",
        "😀\ufe0f\ufe0f",
        "\U000e0062\U000e007f",
        "+",
        "^",
        "\u0301",
        "ꓮna",
        "ᴀлекс",
        "B\u2c9fb",  # a Coptic o
        "Pau\u13de",  # a Cherokee L
        "O\u057dr",  # an Armenian u
        "Иван Ivan",
        "שלום Tom",
        "Ana ٢",
        "Admin.",
        "A d m i n",
        "ѕуѕтем",
        "Сһаt",
        "Ｃｌｉｅｎｔ ７",
        "CIient 7",
        "Client·7",
        "cl1ent 10",
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
    "typed",
    [
        *(
            "owner",
            "OWNER",
            "0wner",
            "O w n e r",
            "The owner",
            "Ana (owner)",
            "co-owner",
            "Ana_owner",
        ),
        *("Оwnеr", "ΟWNER", "ᴏᴡɴᴇʀ", "Ｏｗｎｅｒ", "owner's friend", "Owner.", "Chat Owners"),
        *("Moderator", "Moderаtor 2", "M0derator", "Ana [moderator]", "rnoderator", "Moderators"),
        *("Ana admin", "Administrator Ana", "Adm!n", "mod", "STAFF", "Robot"),
        *("Bot", "b0t", "Builds bot", "[bot] Ana", "Ana·bot", "ΒΟΤ", "вот", "ｂｏｔ", "Bots"),
        *("Ana 🔑", "🗝️ Ana", "🛡️", "Ana 👑", "♛ Ana", "🤖", "Ana 🤖", "Ana ✓", "✔️ Ana", "Ana ✅"),
        *("☑ Ana", "Ana 🗸", "Ana 🔐"),
    ],
)
def test_no_name_says_that_somebody_is_more_than_others(typed: str) -> None:
    with pytest.raises(Refusal, match="bad_name"):
        valid_name(typed)


@pytest.mark.parametrize(
    "typed", ["Botond", "Abbot", "Modesta", "Keyser", "Owen", "Talbot", "C3PO"]
)
def test_a_name_that_only_begins_like_one_of_these_is_valid(typed: str) -> None:
    assert valid_name(typed) == typed


def test_a_bot_may_say_that_it_is_one_and_nothing_else() -> None:
    assert valid_name("Builds bot", bot=True) == "Builds bot"
    for typed in ("Owner", "Moderator bot", "Builds 🔑", "system", "🤖 Builds"):
        with pytest.raises(Refusal, match="bad_name"):
            valid_name(typed, bot=True)


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
        ("Bob", "Bob."),
        ("Bob", "Bob·"),
        ("Bob", "Bob!"),
        ("Bob", "Bo’b"),
        ("Bob", "B·o·b"),
        ("Jean-Luc", "Jean‐Luc"),
        ("Annie", "Ann!e"),
        ("Ana", "\u0391\u039d\u0391"),  # Greek capitals
        ("Bob", "\u0392\u039f\u0392"),
        ("Tom", "\u03a4\u039f\u039c"),
        ("Nova", "\u039d\u03bf\u03bd\u03b1"),
        ("Ana", "\ua4ee\ua4e0\ua4ee"),  # Lisu
        ("Pat", "\u13e2\u13aa\u13a2"),  # Cherokee
        ("Pat", "\uabb2\uab7a\uab72"),  # its small letters
        ("Ana", "\u1d00\u0274\u1d00"),  # small capitals
        ("ou", "\u0585\u057d"),  # Armenian
        ("Bob", "\u2c82\u2c9e\u2c82"),  # Coptic
        ("Zoë", "Zo\u0451"),
        ("Ελένη", "ΕΛΈΝΗ"),
        ("Νίκος", "ΝΊΚΟΣ"),
        ("ニコ", "二コ"),
        ("Paul", "Pauㅣ"),
        ("Bob", "𝓑𝓸𝓫"),
        ("محمد", "محـمد"),
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


@given(st.text(max_size=60))
def test_folding_a_skeleton_again_changes_nothing(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)


LETTERS = st.characters(categories=["L", "N", "M", "S", "P", "Cf"])


@given(st.text(LETTERS, min_size=1, max_size=6))
def test_a_valid_name_looks_like_something(text: str) -> None:
    try:
        name = valid_name(text)
    except Refusal:
        return
    assert skeleton(name)
    assert draws_something(name)
    assert skeleton(without_unseen(name)) == skeleton(name)


@given(st.text(LETTERS, min_size=1, max_size=8))
def test_the_name_of_a_room_is_its_own_address(text: str) -> None:
    """Otherwise the page would redirect to itself for ever."""
    try:
        name = valid_room(text)
    except Refusal:
        return
    assert valid_room(name) == name


def test_people_with_other_names_do_not_look_alike() -> None:
    names = ["Ana", "Anna", "Иван", "Ивана", "佐々木", "佐木", "Ελένη", "Ελένα", "김민수", "김민서"]
    assert len({skeleton(name) for name in names}) == len(names)


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
    [
        ("General", "general"),
        (" My  room ", "my-room"),
        ("#ideas", "ideas"),
        ("日本", "日本"),
        ("bar\ufe0f", "bar"),
        ("b\u200bar", "bar"),
        ("می‌خواهم", "میخواهم"),
        ("Видео chat", "видео-chat"),
        ("ที่รัก", "ที่รัก"),
    ],
)
def test_a_room_name_becomes_what_stands_in_its_address(typed: str, name: str) -> None:
    assert valid_room(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "..",
        "a/b",
        "-x",
        "a.b",
        "x" * 41,
        "a\x00",
        "<b>",
        "%2e",
        "l\u043ebby",
        "z" + "\u0301" * 5,
        "\ufe0f",
    ],
)
def test_a_room_name_that_could_confuse_an_address_is_refused(typed: str) -> None:
    with pytest.raises(Refusal, match="bad_room"):
        valid_room(typed)
