"""Writer: what may be done inside a transaction, one method a change."""

from __future__ import annotations

import sqlite3
from typing import Any, assert_never

from chat.log.operations import (
    Append,
    Forget,
    Found,
    Free,
    Hold,
    Operation,
    Probe,
    Rewrite,
    Saw,
)
from chat.log.things import IN_ROOM, ROW, checksum, head_of, message_of
from chat.wire.protocol import Message, Refusal

ENTERED, SPOKE = 1, 2  # stages of a person: was in a room, said something; 0: only took a name
SPEAKERS = 10_000  # authors remembered


class Writer:
    """What may be done inside a transaction. Lives on the writer thread; each method is one change.

    Owns the rooms' revs of the transaction: the next rev is given here and nowhere else.
    """

    def __init__(self, db: sqlite3.Connection, max_rooms: int) -> None:
        self._db = db
        self._max_rooms = max_rooms
        self._heads: dict[str, list[int]] = {}  # room -> [its id, its rev]
        self._moved: set[str] = set()
        self.erased = False  # a text was taken out of the table; the journal may still hold it
        self._spoke: set[str] = set()  # authors whose stage is known to be SPOKE
        self._before: list[tuple[str, int | None]] = []  # revs before the write under way

    def do(self, op: Operation) -> Any:
        """The method of this operation. Raises Refusal."""
        match op:
            case Append():
                return self._append(op)
            case Rewrite():
                return self._rewrite(op)
            case Hold():
                return self._hold(op)
            case Saw():
                return self._saw(op)
            case Free():
                return self._free(op)
            case Forget():
                return self._forget(op)
            case Found():
                return self._found(op)
            case Probe():
                return self._probe(op)
        assert_never(op)

    def _append(self, draft: Append) -> tuple[Message, bool]:
        """Store a message; a retry (same author and cid) answers with the one that is there.

        The flag says whether it is new. Raises Refusal cid_reused or too_many_rooms.
        """
        if draft.cid is not None and (old := self._find(draft.author, draft.cid)) is not None:
            message, room = old
            said = message.deleted or message.edited or message.text == draft.text
            head = self._head(draft.room)
            if head is None or room != head[0] or not said:
                raise Refusal("cid_reused")
            return message, False
        head = self._head(draft.room) or self._make(draft.room, draft.title)
        rev = head[1] + 1
        message = Message(
            rev, rev, draft.author, draft.name, draft.color, draft.at, draft.text, draft.cid
        )
        self._db.execute(
            "INSERT INTO messages (room, id, rev, author, cid, name, color, at, text, edited,"
            " deleted, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 0, ?)",
            (
                head[0], rev, rev, draft.author, draft.cid, draft.name, draft.color, draft.at,
                draft.text, checksum(head[0], message),
            ),
        )  # fmt: skip
        self._advance(draft.room, head)
        if draft.author not in self._spoke:
            self._speaks(draft.author)
        return message, True

    def _rewrite(self, op: Rewrite) -> tuple[Message, bool]:
        """Give a message another text, or none: deleted. Doing it again changes nothing.

        Raises Refusal not_found, not_yours or deleted.
        """
        row = self._db.execute(
            f"SELECT {ROW} FROM messages WHERE {IN_ROOM} AND id = ?", (op.room, op.id)
        ).fetchone()
        if row is None:
            raise Refusal("not_found")
        old = message_of(row)
        if old.user != op.author:
            raise Refusal("not_yours")
        if old.deleted and op.text is not None:
            raise Refusal("deleted")
        if old.deleted or (old.text == op.text and not old.damaged):
            return old, False
        head = self._head(op.room)
        assert head is not None, "a message is in a room"
        rev = head[1] + 1
        edited = old.edited if op.text is None else op.at
        new = Message(
            rev, op.id, old.user, old.name, old.color, old.at, op.text or "", old.cid, edited,
            deleted=op.text is None,
        )  # fmt: skip
        self._db.execute(
            "UPDATE messages SET rev = ?, text = ?, edited = ?, deleted = ?, sum = ?"
            " WHERE room = ? AND id = ?",
            (rev, new.text, edited, new.deleted, checksum(head[0], new), head[0], op.id),
        )
        self._advance(op.room, head)
        self.erased = True
        return new, True

    def _hold(self, op: Hold) -> None:
        """Store a new person or a new name."""
        user = op.user
        if op.instead_of is not None:
            self._free(Free(op.instead_of, user.seen))
        self._db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen, stage) VALUES (?, ?, ?, ?, ?, 0)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, skeleton = excluded.skeleton,"
            " seen = excluded.seen",
            (user.id, user.name, user.skeleton, user.color, user.seen),
        )

    def _saw(self, op: Saw) -> None:
        """Note when a person was here, and that they came in."""
        self._db.execute(
            "UPDATE users SET seen = max(seen, ?), stage = max(stage, ?) WHERE id = ?",
            (op.at, ENTERED if op.entered else 0, op.id),
        )

    def _free(self, op: Free) -> None:
        """The person's name is free again."""
        self._db.execute("UPDATE users SET skeleton = NULL, gone = ? WHERE id = ?", (op.at, op.id))

    def _forget(self, op: Forget) -> list[str]:
        """Delete the people who made nothing of their name, some hundred at a time; their ids."""
        rows = self._db.execute(
            "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE skeleton IS NOT NULL AND"
            " (stage = 0 AND seen < ? OR stage = 1 AND seen < ?) LIMIT 500) RETURNING id",
            (op.unused, op.silent),
        )
        return [id for (id,) in rows]

    def _found(self, op: Found) -> None:
        """Make this the house room; it has its place whatever the others take."""
        self._db.executemany(
            "UPDATE meta SET value = ? WHERE key = ?",
            [(op.name, "house"), (op.title, "house_title")],
        )

    def _probe(self, op: Probe) -> None:
        """Write something, if asked to: whether the disk takes it is what a monitor asks."""
        if op.write:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('health', strftime('%s', 'now'))")

    def save_heads(self) -> None:
        """Write the revs of the rooms that moved, once a transaction."""
        for name in self._moved:
            number, rev = self._heads[name]
            self._db.execute("UPDATE rooms SET rev = ? WHERE id = ?", (rev, number))
        self._moved.clear()

    def forget_heads(self) -> None:
        """After a rollback: read the revs from the table again, so that no hole is left."""
        self._heads.clear()
        self._moved.clear()
        self._spoke.clear()

    def _speaks(self, author: str) -> None:
        """Somebody's first message since the start: a person who spoke is not forgotten."""
        if len(self._spoke) >= SPEAKERS:
            self._spoke.clear()
        self._spoke.add(author)
        self._db.execute("UPDATE users SET stage = ? WHERE id = ?", (SPOKE, author))

    def begin(self) -> None:
        """The next write of the transaction begins."""
        self._before.clear()

    def undo(self) -> None:
        """The write under way was undone: the rooms stand where they stood, or are no more."""
        self._spoke.clear()
        for name, rev in reversed(self._before):
            if rev is None:
                del self._heads[name]
                self._moved.discard(name)
            else:
                self._heads[name][1] = rev

    def _advance(self, name: str, head: list[int]) -> None:
        """The room's next rev was given to what was just written."""
        self._before.append((name, head[1]))
        head[1] += 1
        self._moved.add(name)

    def _find(self, author: str, cid: str) -> tuple[Message, int] | None:
        row = self._db.execute(
            f"SELECT {ROW} FROM messages WHERE author = ? AND cid = ?", (author, cid)
        ).fetchone()
        return None if row is None else (message_of(row), row[11])

    def _head(self, name: str) -> list[int] | None:
        """The id and the rev of a room; None for one that nobody has spoken in."""
        head = self._heads.get(name)
        if head is None:
            row = self._db.execute(
                "SELECT id, rev, (SELECT max(rev) FROM messages WHERE room = rooms.id) FROM rooms"
                " WHERE name = ?",
                (name,),
            ).fetchone()
            if row is not None:
                head = self._heads[name] = [row[0], head_of(row[1], row[2])]
        return head

    def _make(self, name: str, title: str) -> list[int]:
        """A new room. The house has its place, whatever the others take."""
        (house,) = self._db.execute("SELECT value FROM meta WHERE key = 'house'").fetchone()
        (count,) = self._db.execute(
            "SELECT count(*) FROM rooms WHERE name != ?", (house,)
        ).fetchone()
        if count >= self._max_rooms and name != house:
            raise Refusal("too_many_rooms")
        cursor = self._db.execute(
            "INSERT INTO rooms (name, rev, title) VALUES (?, 0, ?)", (name, title or name)
        )
        head = self._heads[name] = [cursor.lastrowid or 0, 0]
        self._before.append((name, None))
        return head
