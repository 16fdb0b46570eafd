"""Wiping: what is removed many at a time, a piece in each commit.

A piece is up to 500 messages of one room, told as one `gone` for each author, or for all of them.
What is left to do stands in `chores`, whose row goes with the last piece: so a start goes on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from chat.log.cids import Cids
from chat.log.files import Files
from chat.log.heads import Heads
from chat.log.meant import Meant
from chat.log.things import MOST, ROW, Things, saved_of
from chat.wire.frames import Saved
from chat.wire.protocol import UNSET, Change, Gone, Message, Settings

PIECE = 500  # messages removed in one transaction
LOOKED_AT = 5_000  # messages that are looked through in one
HOUR = 3_600_000  # milliseconds
DAY = 24 * HOUR


@dataclass(slots=True)
class Removed:
    """What one piece came to: changes with their rooms, in rev order. `more`: it is not the last;
    `emptied`: this room has nothing in it now, and is as if it had never been arranged."""

    changes: list[tuple[str, Saved]] = field(default_factory=list)
    more: bool = False
    emptied: str = ""


class Doomed(NamedTuple):
    """A message that is to go: its row, its id, and what it says, if that can be read."""

    n: int
    id: int
    old: Message | None


class Chore(NamedTuple):
    """A row: what these people wrote from `since` to `until` goes, from `room` to room; or all that
    was said in the one `room`. There, what has this `id` or a higher one is done."""

    n: int
    what: str
    people: str
    since: int
    until: int
    room: int
    id: int


class Wiping:
    """The table of chores and what they remove, inside the transaction of the writer."""

    def __init__(
        self, db: sqlite3.Connection, heads: Heads, things: Things, files: Files, meant: Meant
    ) -> None:
        self._db = db
        self._heads = heads
        self._things = things
        self._files = files
        self._meant = meant
        self._cids = Cids(db)

    def erase(self, room: tuple[int, str], messages: Sequence[Doomed]) -> None:
        """These messages go, their files and all reactions to them."""
        ids = [message.id for message in messages]
        self._cids.unread(*[message.old for message in messages if message.old is not None])
        self._meant.drop(room[0], *ids)
        self._files.drop(room[1], *ids)
        self._things.shed(*self._things.reactions(room[0], *ids))
        self._things.shed(*[message.n for message in messages])

    # -- what is begun by an order

    def wipe(self, people: Sequence[str], since: int, until: int) -> None:
        """What these people wrote in this time is to go, everywhere."""
        self._db.execute(
            "INSERT INTO chores (what, people, since, until, room, id)"
            " VALUES ('wipe', ?, ?, ?, 0, ?)",
            (" ".join(people), since, until, MOST),
        )

    def clear(self, name: str) -> bool:
        """The room is to be emptied: until somebody says something in it, it does not count and is
        in nobody's list. Whether it was there."""
        head = self._heads.of(name)
        if head is None:
            return False
        self._heads.remove(name)
        self._db.execute("DELETE FROM reads WHERE room = ?", (name,))
        self._db.execute(
            "INSERT INTO chores (what, people, since, until, room, id)"
            " VALUES ('remove_room', '', 0, 0, ?, ?)",
            (head[0], head[1] + 1),
        )
        return True

    # -- pieces

    def piece(self, at: int) -> Removed:
        """The next one of the oldest chore."""
        row = self._db.execute(
            "SELECT n, what, people, since, until, room, id FROM chores ORDER BY n LIMIT 1"
        ).fetchone()
        if row is None:
            return Removed()
        chore = Chore(*row)
        removed = self._empty(chore, at) if chore.what == "remove_room" else self._wipe(chore, at)
        (left,) = self._db.execute("SELECT count(*) FROM chores").fetchone()
        removed.more = left > 0
        return removed

    def _wipe(self, chore: Chore, at: int) -> Removed:
        people, looked = set(chore.people.split()), 0
        while looked < LOOKED_AT:
            room = self._db.execute(
                "SELECT id, name FROM rooms WHERE id >= ? ORDER BY id LIMIT 1", (chore.room,)
            ).fetchone()
            if room is None:
                self._end(chore)
                break
            count = LOOKED_AT - looked
            rows = self._before(room[0], chore.id, count)
            theirs = [row for row in rows if row[2] in people][:PIECE]
            if len(theirs) == PIECE:
                chore = chore._replace(room=room[0], id=theirs[-1][1])
            elif len(rows) == count:
                chore = chore._replace(room=room[0], id=rows[-1][1])
            else:
                chore = chore._replace(room=room[0] + 1, id=MOST)
            self._came_to(chore)
            if theirs:
                return Removed(self._take(chore, room, theirs, at))
            looked += len(rows) + 1  # an empty room costs a look too
        return Removed()

    def _take(
        self, chore: Chore, room: tuple[int, str], theirs: list[tuple[int, int, str]], at: int
    ) -> list[tuple[str, Saved]]:
        """Erase those of the right time. No message that stays may lie between two of its author's
        that one `gone` names."""
        doomed: list[Doomed] = []
        spans: list[tuple[str, list[int]]] = []
        open: dict[str, list[int]] = {}  # author -> the last span, if nothing stays below it
        for n, id, author in theirs:
            _, old = self._things.find(room[0], ("message", id, ""))
            if not (
                isinstance(old, Message)  # else it is damaged, and nobody's
                and old.user == author
                and chore.since <= old.at <= chore.until
            ):
                open.pop(author, None)
                continue
            doomed.append(Doomed(n, id, old))
            span = open.get(author)
            if span is None:
                span = open[author] = [id, id]
                spans.append((author, span))
            span[0] = id
        self.erase(room, doomed)
        return [(room[1], self._tell(room, span, author, at)) for author, span in spans]

    def _empty(self, chore: Chore, at: int) -> Removed:
        (name,) = self._db.execute("SELECT name FROM rooms WHERE id = ?", (chore.room,)).fetchone()
        room = chore.room, name
        rows = self._before(chore.room, chore.id, PIECE)
        found = [
            (n, id, self._things.find(chore.room, ("message", id, ""))[1]) for n, id, _ in rows
        ]
        self.erase(room, [Doomed(n, id, _message(old)) for n, id, old in found])
        removed = Removed()
        if rows:
            span = [rows[-1][1], rows[0][1]]
            removed.changes.append((name, self._tell(room, span, None, at)))
            self._came_to(chore._replace(id=span[0]))
        if len(rows) < PIECE:
            self._end(chore)
            self._close(room, at, removed)
        return removed

    def _close(self, room: tuple[int, str], at: int, removed: Removed) -> None:
        """Only now that nothing is left in it may everybody come in."""
        removed.emptied = room[1]
        self._db.execute("DELETE FROM members WHERE room = ?", (room[1],))
        n, was = self._things.find(room[0], UNSET.key)
        if n:
            self._heads.of(room[1])
            change = Settings(
                self._heads.next(room[1]), "", was.by if isinstance(was, Settings) else ""
            )
            self._things.shed(n)
            removed.changes.append((room[1], self._things.put(room[0], change, "", at)))

    def expire(self, name: str, at: int) -> Removed:
        """Some of what the room does not keep by now, the oldest first.

        A message from a clock that was ahead goes with the next one.
        """
        head = self._heads.of(name)
        settings = self._things.find(head[0], UNSET.key)[1] if head else None
        if head is None or not isinstance(settings, Settings) or settings.keep is None:
            return Removed()
        before = at - (settings.keep * DAY or HOUR)
        room, last = (head[0], name), 0
        found: list[Doomed] = []
        sql = f"SELECT {ROW} FROM things WHERE room = ? AND kind = 'message' ORDER BY id LIMIT ?"
        with closing(self._db.execute(sql, (head[0], PIECE))) as rows:
            for row in rows:
                saved = saved_of(row)
                old = saved.change if saved else None
                written = old.at if isinstance(old, Message) else 0
                if before <= written <= at:
                    break
                found.append(Doomed(row[-1], row[2], _message(old)))
                last = len(found) if written < before else last
        del found[last:]
        if not found:
            return Removed()
        self.erase(room, found)
        span = [found[0].id, found[-1].id]
        return Removed([(name, self._tell(room, span, None, at))], len(found) == PIECE)

    # -- the parts

    def _before(self, room: int, id: int, count: int) -> list[tuple[int, int, str]]:
        """Row, id and author of the newest messages below this one."""
        return self._db.execute(
            "SELECT n, id, author FROM things WHERE room = ? AND kind = 'message' AND id < ?"
            " ORDER BY id DESC LIMIT ?",
            (room, id, count),
        ).fetchall()

    def _tell(self, room: tuple[int, str], span: list[int], user: str | None, at: int) -> Saved:
        self._heads.of(room[1])
        gone = Gone(self._heads.next(room[1]), span[0], span[1], user)
        return self._things.put(room[0], gone, "", at)

    def _came_to(self, chore: Chore) -> None:
        self._db.execute(
            "UPDATE chores SET room = ?, id = ? WHERE n = ?", (chore.room, chore.id, chore.n)
        )

    def _end(self, chore: Chore) -> None:
        self._db.execute("DELETE FROM chores WHERE n = ?", (chore.n,))


def _message(change: Change | None) -> Message | None:
    return change if isinstance(change, Message) else None
