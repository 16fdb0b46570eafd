"""Upkeep: what the server does for itself: forget what is old, and try the disk."""

from __future__ import annotations

import sqlite3

from chat.log.audit import Audit
from chat.log.cids import Cids
from chat.log.operations import Found, Probe, Raise, Tidy
from chat.log.things import Things

SOME = 500  # rows forgotten in one transaction


class Upkeep:
    """Several tables, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection, things: Things, cids: Cids, audit: Audit) -> None:
        self._db = db
        self._things = things
        self._cids = cids
        self._audit = audit

    def raise_floors(self, op: Raise) -> dict[str, int]:
        """The floors that have risen. A damaged rev is in no room, and raises none."""
        rows = self._db.execute(
            "UPDATE rooms SET floor = old.rev FROM (SELECT room, max(things.rev) AS rev FROM things"
            " JOIN rooms ON rooms.id = room WHERE tomb AND at < ? AND things.rev <= rooms.rev"
            " GROUP BY room) AS old WHERE rooms.id = old.room AND old.rev > floor"
            " RETURNING name, floor",
            (op.tombs,),
        )
        return dict(rows.fetchall())

    def tidy(self, op: Tidy) -> bool:
        """Forget what is old; whether there may be more."""
        self._db.execute("DELETE FROM bans WHERE until < ?", (op.deeds,))
        cids = self._cids.forget(op.cids, SOME)
        tombs = self._things.forget(op.tombs, SOME)
        return SOME in (cids, tombs, self._audit.forget(op.deeds, SOME))

    def found(self, op: Found) -> None:
        """Make this the house room; it has its place whatever the others take."""
        self._db.executemany(
            "UPDATE meta SET value = ? WHERE key = ?",
            [(op.name, "house"), (op.title, "house_title")],
        )

    def probe(self, op: Probe) -> None:
        """Write something, if asked to: whether the disk takes it is what a monitor asks."""
        if op.write:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('health', strftime('%s', 'now'))")
