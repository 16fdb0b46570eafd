"""Audit: what moderators and owners did, for moderators and owners to read."""

from __future__ import annotations

import sqlite3

from chat.log.operations import Ordered


class Audit:
    """The table, inside the transaction of the writer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def note(self, op: Ordered) -> None:
        """An order is carried out in this transaction."""
