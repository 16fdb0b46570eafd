"""Messages as rows of the page: to whom, what they answer, what is below, which stand together."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from math import floor
from urllib.parse import quote

from chat.log.reader import Page
from chat.rules.mentions import parted
from chat.rules.names import initials
from chat.wire.frames import Saved
from chat.wire.protocol import File, Message, Reaction

GROUP = 5 * 60 * 1000  # milliseconds within which messages of one person stand as one group
QUOTED = 200  # characters of a quote
NAMED = 20  # people named on a chip
BOX = 360, 320  # pixels a picture takes at most


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers, as it is now; without `m` it is gone.

    `line` says it in short; where it has no text, by the name of its file, or by the key of `n`
    pictures or files.
    """

    m: Message | None
    line: str = ""
    key: str = ""
    n: int = 0


@dataclass(slots=True)
class Chip:
    """An emoji below a message. `names` are of the first who put it there; "" for me."""

    emoji: str
    n: int = 0
    mine: bool = False
    names: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """A file below a message: how, where it is, and what a chip says of it.

    `kind` is picture, video, audio or file, `title` what it is called in words; a picture or a
    film has the size it is drawn in.
    `format` is the end of its name, "" if that says nothing.
    """

    kind: str
    title: str
    file: File
    address: str
    format: str
    size: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the template shows it; `day` is set where a new UTC day begins.

    `parts` is its text: every second one is a name after its sign, and whether that means me.
    """

    m: Message
    first: bool
    day: str | None
    time: str
    iso: str
    initials: str
    parts: list[tuple[str, bool]]
    quote: Quote | None
    chips: list[Chip]
    files: list[Shown]


def rows_of(page: Page, me: str) -> list[Row]:
    """The rows of a page, as one person sees them; a group goes on for five minutes of one name."""
    known = {m.id: m for m in _messages([*page.changes, *page.quoted])}
    chips = _chips(page.changes, me)
    rows: list[Row] = []
    before: Message | None = None
    day = ""
    for m in _messages(page.changes):
        at = datetime.datetime.fromtimestamp(m.at / 1000, datetime.UTC)
        new_day = at.date().isoformat() != day
        day = at.date().isoformat()
        follows = (
            before is not None
            and m.reply is None
            and not new_day
            and before.user == m.user
            and before.name == m.name
            and m.at - before.at < GROUP
        )
        rows.append(
            Row(
                m=m,
                first=not follows,
                day=day if new_day else None,
                time=f"{at:%H:%M} UTC",
                iso=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                initials=initials(m.name),
                parts=_parts(m, me),
                quote=None if m.reply is None else _quote(known.get(m.reply)),
                chips=chips.get(m.id, []),
                files=shown(m.files),
            )
        )
        before = m
    return rows


def shown(files: Sequence[File]) -> list[Shown]:
    """The files of a message as they stand below it: pictures first, side by side."""
    return sorted(map(_shown, files), key=lambda shown: shown.kind != "picture")


def _shown(file: File) -> Shown:
    address = f"files/{file.id}/{quote(file.name, safe='')}"
    kind, end = _kind(file), re.search(r"\.([a-z0-9]{1,4})\Z", file.name, re.ASCII | re.IGNORECASE)
    width, height = file.width or 0, file.height or 0
    if width and height:
        scale = min(1.0, BOX[0] / width, BOX[1] / height)
        width, height = (max(1, floor(side * scale + 0.5)) for side in (width, height))
    format = end[1].upper() if end else ""
    return Shown(kind, title_of(file), file, address, format, size_of(file.size), width, height)


def _kind(file: File) -> str:
    family = file.type.split("/")[0]
    if family == "image":
        return "picture" if file.width and file.height else "file"
    return family if family in ("video", "audio") else "file"


def title_of(file: File) -> str:
    """What it is called in words: sound without the end of its name, as "Voice message"."""
    if _kind(file) != "audio":
        return file.name
    return re.sub(r"(?<=.)\.[a-z0-9]{1,4}\Z", "", file.name, flags=re.ASCII | re.IGNORECASE)


def size_of(bytes: int) -> str:
    """So many bytes in short, as the page says it too: "240 kB", "2.4 MB"."""
    if bytes < 1000:
        return f"{bytes} B"
    size, units = bytes / 1000, ["kB", "MB", "GB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1000, units[1:]
    short = Decimal(size).quantize(Decimal("0.1" if size < 9.95 else "1"), ROUND_HALF_UP)
    return f"{str(short).removesuffix('.0')} {units[0]}"


def _messages(changes: Iterable[Saved]) -> Iterator[Message]:
    for saved in changes:
        if isinstance(change := saved.change, Message):
            yield change


def _parts(m: Message, me: str) -> list[tuple[str, bool]]:
    mine = f"@{m.mentions.get(me, '')}".casefold()
    return [(part, part.casefold() == mine) for part in parted(m.text, m.mentions.values())]


def _quote(m: Message | None) -> Quote:
    if m is None or m.text or not m.files:
        return Quote(m, " ".join(m.text.split())[:QUOTED] if m else "")
    pictures, n = all(_kind(file) == "picture" for file in m.files), len(m.files)
    if n > 1:
        return Quote(m, key="file.pictures.other" if pictures else "file.files.other", n=n)
    return Quote(m, key="file.picture") if pictures else Quote(m, title_of(m.files[0]))


def _chips(changes: Sequence[Saved], me: str) -> dict[int, list[Chip]]:
    """By message; the emoji that came first stands first, and so do people."""
    chips: dict[tuple[int, str], Chip] = {}
    for saved in changes:
        if isinstance(reaction := saved.change, Reaction) and reaction.on:
            chip = chips.setdefault((reaction.id, reaction.emoji), Chip(reaction.emoji))
            chip.n += 1
            chip.mine |= reaction.user == me
            if len(chip.names) < NAMED:
                chip.names.append("" if reaction.user == me else reaction.name)
    below: dict[int, list[Chip]] = {}
    for (id, _), chip in chips.items():
        below.setdefault(id, []).append(chip)
    return below
