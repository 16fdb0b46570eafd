"""What holds in a room, in words: what the page says of it before any script does."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

from chat.room.people import now_ms
from chat.rules.access import Facts, Mode, Verb, demand
from chat.wire.codes import Refusal
from chat.wire.orders import FOREVER
from chat.wire.protocol import Settings

MINUTE = 60  # seconds
YEAR = 365  # days
DAY = 24 * 3600 * 1000  # milliseconds

Words = Mapping[str, str]


def in_words(settings: Settings, facts: Facts, words: Words) -> dict[str, object]:
    """The settings of a room, and what a page says of them to whom these facts are of."""
    now = now_ms()
    return {
        "settings": settings,
        "rules": rules_of(settings, words),
        "barred": barred(facts, settings.mode, now, words),
    }


def rules_of(settings: Settings, words: Words) -> list[str]:
    """What is not as in other rooms, each in a few words."""
    rules = [words["rules.private"]] if settings.private else []
    if settings.mode == Mode.SLOW.value:
        rules.append(words["rules.slow"].format(time=_wait(settings.slow, words)))
    elif settings.mode in (Mode.ANNOUNCE.value, Mode.LOCKED.value):
        rules.append(words[f"rules.{settings.mode}"])
    if settings.keep is not None:
        rules.append(words["rules.keep"].format(time=_kept(settings.keep, words)))
    return rules


def barred(facts: Facts, mode: str, now: int, words: Words) -> str:
    """Why this person cannot write in a room of this mode at the moment; "" if they can."""
    try:
        demand(facts, Verb.SAY, now, Mode(mode))
    except Refusal as refusal:
        if refusal.until is None:
            return words.get(f"barred.{refusal.code}", refusal.detail)
        if refusal.until >= FOREVER:
            return words["barred.ever"]
        return words["barred.muted"].format(time=_when(refusal.until, now))
    return ""


def _wait(seconds: int, words: Words) -> str:
    if seconds % MINUTE:
        return _counted("rules.seconds", seconds, words)
    return _counted("rules.minutes", seconds // MINUTE, words)


def _kept(days: int, words: Words) -> str:
    if days == 0:
        return words["rules.hour"]
    if days % YEAR:
        return _counted("rules.days", days, words)
    return _counted("rules.years", days // YEAR, words)


def _counted(key: str, n: int, words: Words) -> str:
    return words[f"{key}.{'one' if n == 1 else 'other'}"].format(n=n)


def _when(at: int, now: int) -> str:
    """The time of day, and of another day its date too."""
    time = datetime.datetime.fromtimestamp(at / 1000, datetime.UTC)
    return f"{time:%H:%M} UTC" if at - now < DAY else f"{time:%Y-%m-%d %H:%M} UTC"
