"""Messages as rows of the page: to whom, what they answer, what is below, which stand together."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from chat.log.reader import Page
from chat.rules.mentions import parted
from chat.rules.names import initials
from chat.wire.frames import Saved
from chat.wire.protocol import Message, Reaction

GROUP = 5 * 60 * 1000  # milliseconds within which messages of one person stand as one group
QUOTED = 200  # characters of a quote
NAMED = 20  # people named on a chip


@dataclass(frozen=True, slots=True)
class Quote:
    """What a message answers, as it is now; without `m` it is gone."""

    m: Message | None
    line: str = ""


@dataclass(slots=True)
class Chip:
    """An emoji below a message. `names` are of the first who put it there; "" for me."""

    emoji: str
    n: int = 0
    mine: bool = False
    names: list[str] = field(default_factory=list)


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
            )
        )
        before = m
    return rows


def _messages(changes: Iterable[Saved]) -> Iterator[Message]:
    for saved in changes:
        if isinstance(change := saved.change, Message):
            yield change


def _parts(m: Message, me: str) -> list[tuple[str, bool]]:
    mine = f"@{m.mentions.get(me, '')}".casefold()
    return [(part, part.casefold() == mine) for part in parted(m.text, m.mentions.values())]


def _quote(m: Message | None) -> Quote:
    return Quote(m, " ".join(m.text.split())[:QUOTED] if m else "")


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
