"""Phrases: the sentences of the page for looking after the chat, with names and times in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from chat.wire.orders import FOREVER


@dataclass(frozen=True, slots=True)
class At:
    """A time within a sentence, in UTC milliseconds; the page says it by the reader's clock."""

    ms: int


@dataclass(frozen=True, slots=True)
class Strong:
    """The name of whoever a sentence is about."""

    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that another goes on from; HTML already."""

    html: str


Value = str | int | At | Strong | Said


class Phrases:
    """HTML of the sentences in the catalogue; whatever is put into one is escaped."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words

    def __contains__(self, key: str) -> bool:
        return key in self._words

    def phrase(self, key: str, **values: Value) -> str:
        """A sentence. Names keep their own direction."""
        put = {name: _html(value) for name, value in values.items()}
        return escape(self._words[key]).format(**put)

    def name(self, name: str) -> str:
        """What somebody is called, by itself."""
        return _html(name)

    def counted(self, key: str, n: int, **values: Value) -> str:
        """A sentence with a number, in its form for one or for several."""
        return self.phrase(f"{key}.{'one' if n == 1 else 'other'}", n=n, **values)

    def until(self, key: str, until: int, **values: Value) -> str:
        """A sentence that says until when, or that there is no end."""
        if until >= FOREVER:
            return self.phrase(f"{key}.ever", **values)
        return self.phrase(key, until=At(until), **values)


def time(ms: int) -> str:
    """A time for reading and for the scripts."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%-d %B %Y, %H:%M} UTC</time>'


def _html(value: Value) -> str:
    match value:
        case Strong():
            return f"<b>{_html(value.name)}</b>"
        case At():
            return time(value.ms)
        case Said():
            return value.html
        case int():
            return f"{value:,}"
        case _:
            return f"<bdi>{escape(value)}</bdi>"
