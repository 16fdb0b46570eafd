"""Messages as rows of the page: where a day begins and which ones stand together. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat.rules.names import initials
from chat.wire.protocol import Message

GROUP = 5 * 60 * 1000  # milliseconds within which messages of one person stand as one group


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the template shows it; `day` is set where a new UTC day begins."""

    m: Message
    first: bool
    day: str | None
    time: str
    iso: str
    initials: str


def rows_of(messages: Sequence[Message]) -> list[Row]:
    """The rows of messages that stand in order; a group goes on for five minutes of one name."""
    rows: list[Row] = []
    before: Message | None = None
    day = ""
    for message in messages:
        at = datetime.datetime.fromtimestamp(message.at / 1000, datetime.UTC)
        new_day = at.date().isoformat() != day
        day = at.date().isoformat()
        follows = (
            before is not None
            and not new_day
            and before.user == message.user
            and before.name == message.name
            and message.at - before.at < GROUP
        )
        iso = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        row = Row(message, not follows, None, f"{at:%H:%M} UTC", iso, initials(message.name))
        rows.append(row if not new_day else replace(row, day=day))
        before = message
    return rows
