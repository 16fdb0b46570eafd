"""Meant: whom messages are meant for, so that these can be counted for each person."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from chat.log.operations import Lasting
from chat.log.powers import Powers
from chat.log.things import Things
from chat.wire.protocol import Message


class Meant:
    """The table, inside the transaction of the writer: what the living messages say."""

    def __init__(self, db: sqlite3.Connection, things: Things, powers: Powers) -> None:
        self._db = db
        self._things = things
        self._enters = powers.enters

    def whom(
        self, op: Lasting, room: int, author: str, reply: int | None, named: Mapping[str, str]
    ) -> tuple[dict[str, str], str]:
        """Those who are named and who is answered, but not the author, nor who may not enter; and
        the name of who is answered, "" if that is nobody."""
        found = self._things.find(room, ("message", reply, ""))[1] if reply else None
        answered = found if isinstance(found, Message) and not found.damaged else None
        meant = {**({answered.user: ""} if answered else {}), **named}
        meant.pop(author, None)
        meant = {user: name for user, name in meant.items() if self._enters(user, op.room, op.at)}
        return meant, answered.name if answered else ""

    def put(self, room: int, message: Message) -> None:
        """A message as it is from now on."""
        if message.rev != message.id:
            self.drop(room, message.id)
        rows = [(person, room, message.id) for person in message.mentions]
        self._db.executemany("INSERT OR IGNORE INTO meant VALUES (?, ?, ?)", rows)

    def drop(self, room: int, *ids: int) -> None:
        """These messages are no more."""
        self._db.executemany(
            "DELETE FROM meant WHERE room = ? AND id = ?", [(room, id) for id in ids]
        )
