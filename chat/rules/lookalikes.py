"""Which names look alike: the skeleton of a name, and the scripts it is written in. Pure.

After Unicode TR39, with the letters that matter in names: a table of 6,000 lines would be most of
this program. Two names with one skeleton cannot be told apart at a glance.
"""

from __future__ import annotations

import unicodedata

from chat.rules.unseen import without_unseen

RULE = 2  # grows when skeletons come out otherwise; those in the database are then made again


def _table(*pairs: str) -> dict[int, str]:
    table: dict[int, str] = {}
    for pair in pairs:
        letters, like = pair.split()
        table.update(zip(map(ord, letters), like, strict=True))
    return table


# Drawn like a Latin letter: in Latin itself, Cyrillic, Coptic, Cherokee (whose small letters fold
# to capitals) and Lisu.
_LETTERS = _table(
    "ıɩɪɑɡǀǃƅƿʋ iiiagllbpu",
    "ᴀʙᴄᴅᴇꜰɢʜᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ abcdefghjklmnoprstuvwyz",
    "аеорсухіјѕԁһӏԛԝвкмнтгѵү aeopcyxijsdhlqwbkmhtrvy",
    "ⲁⲃⲉⲍⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭⲱ abezhikmnopctyxw",
    "ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᏒᎡᏚᏕᎢᏙᎳᏔᎩᎽᏃᏏᏂ abcdeghijklmprrsstvwwyyzbh",
    "ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ bpdtgkjczfmnlsrvhwxyaeiou",
)
# Scripts of which a capital and its small letter pass for different ones (Ν for N, ν for v). They
# are folded if the whole name passes for Latin; any other name is the same in both cases.
_CASED = _table(
    "αγικνοσρτυχωηϲ ayikvooptuxwnc",
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ abezhikmnoptyxc",
    "օսոհցզռյ ounhgqnj",
    "ՕՍՏԼ ousl",
)
_SIGNS = _table("01i|!5$ ollllss", "ニハカエトロタへー〇丨ᅵᄋ 二八力工卜口夕ヘ一ollo")
_TICKS = frozenset("ꓸꓹꓺꓻꓼꓽꞌـ").union(map(chr, range(0x2B0, 0x300)))  # letters drawn like them
_EAST = frozenset(("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL", "LATIN"))
_ANY = frozenset(("COMBINING", "MODIFIER", "VEDIC", "VARIATION", ""))  # marks of several scripts


def skeleton(name: str) -> str:
    """What a name looks like. Folding it again changes nothing."""
    while (folded := _fold(name)) != name:
        name = folded
    return name


def _fold(name: str) -> str:
    text = unicodedata.normalize("NFKD", without_unseen(name))
    if all(ord(c) in _CASED or not c.isalpha() for c in text):
        text = text.translate(_CASED)
    text = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    text = _inner(unicodedata.normalize("NFKC", text)).translate(_SIGNS)  # `Ann!e`, but not `Bob!`
    text = "".join(c for c in text if not _drops(c))
    return text.replace("rn", "m").replace("vv", "w")


def _inner(text: str) -> str:
    kept = [at for at, char in enumerate(text) if not _drops(char)]
    return text[kept[0] : kept[-1] + 1] if kept else ""


def _drops(char: str) -> bool:
    """Punctuation, spaces and ticks: too small to tell two names apart."""
    category = unicodedata.category(char)
    return category[0] in "PZ" or category in ("Cf", "Sk") or char in _TICKS


def one_script(name: str) -> bool:
    """Whether it is written in one script, or in those that belong together in the East."""
    scripts = set()
    for char in unicodedata.normalize("NFKC", name):
        category = unicodedata.category(char)
        if category[0] in "LM" or (category == "Nd" and not char.isascii()):
            words = unicodedata.name(char, "").removeprefix("EXTENDED ").replace("-", " ")
            scripts.add(words.split(" ")[0])
    scripts -= _ANY
    return len(scripts) < 2 or scripts <= _EAST
