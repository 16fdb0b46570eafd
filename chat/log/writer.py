"""Writer: what may be done inside a transaction, one method an operation."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, assert_never

from msgspec.structs import replace

from chat.log.audit import Audit
from chat.log.bans import Bans
from chat.log.charter import Charter
from chat.log.cids import Cids
from chat.log.devices import Devices
from chat.log.files import Files
from chat.log.heads import Heads
from chat.log.hooks import Hooks
from chat.log.meant import Meant
from chat.log.operations import (
    Append,
    Arrange,
    Deposit,
    Entrance,
    Expire,
    Forget,
    Found,
    Free,
    Govern,
    Hold,
    Keep,
    Lasting,
    Lastings,
    Mark,
    Operation,
    Ordered,
    Piece,
    Probe,
    Raise,
    React,
    Remove,
    Rewrite,
    Saw,
    Sweep,
    Tidy,
    Told,
)
from chat.log.powers import Powers
from chat.log.ranks import Ranks
from chat.log.reads import Reads
from chat.log.things import Things
from chat.log.users import Users
from chat.log.wiping import Doomed, Wiping
from chat.rules.access import Answer, Mode, Role, may
from chat.rules.mentions import carried
from chat.rules.text import clean, one_emoji, one_line
from chat.wire.codes import EMOJI_LIMIT, Refusal
from chat.wire.frames import Saved
from chat.wire.passing import Done
from chat.wire.protocol import DAMAGED, UNSET, Change, Gone, Message, Reaction, Settings

SLOW = 30  # seconds between two messages in a slow room of which only that was said
SOME = 500  # rows forgotten in one transaction


class Writer:
    """What may be done inside a transaction. Lives on the writer thread.

    What changes something in a room returns the change, or what it came to if there is none.
    """

    def __init__(self, db: sqlite3.Connection, max_rooms: int) -> None:
        self._db = db
        self.heads = Heads(db, max_rooms)
        self.things = Things(db)
        self.files = Files(db)
        self._cids = Cids(db)
        self._meant = Meant(db, self.things)
        self._reads = Reads(db)
        devices = Devices(db)
        self._users = Users(db, self._reads, devices)
        self._powers = Powers(db)
        self._audit = Audit(db)
        self.wiping = Wiping(db, self.heads, self.things, self.files, self._meant)
        self._orders: dict[type[Ordered], Callable[[Any], Any]] = {
            **Ranks(db, self._powers).orders,
            **Bans(db, self._powers, self.wiping).orders,
            **Charter(db).orders,
            **Hooks(db, self._users).orders,
        }
        self._entrances: dict[type[Entrance], Callable[[Any], Any]] = {**devices.entrances}

    def do(self, op: Operation) -> Any:
        """The method of this operation. Raises Refusal."""
        if isinstance(op, Lasting):
            return self._once(op)
        match op:
            case Mark():
                for reached in op.reached:
                    self._reads.mark(reached)
                return None
            case Keep():
                for key, value in op.values.items():
                    self._reads.keep(op.person, key, value)
                return None
            case Hold():
                return self._users.hold(op)
            case Saw():
                return self._users.saw(op)
            case Free():
                return self._users.free(op)
            case Forget():
                return self._users.forget(op)
            case Found():
                return self._found(op)
            case Raise():
                return self._raise(op)
            case Tidy():
                return self._tidy(op)
            case Piece():
                return self.wiping.piece(op.at)
            case Expire():
                return self.wiping.expire(op.room, op.at)
            case Probe():
                return self._probe(op)
            case Deposit():
                return self.files.put(op)
            case Sweep():
                return self.files.sweep(op)
            case Ordered():
                return self._ordered(op)
            case Entrance():
                return self._entrances[type(op)](op)
        assert_never(op)

    def _once(self, op: Lastings) -> Saved | Done:
        """Carry out what changes a room, unless it is known: that comes before all other questions,
        since it may have made itself impossible."""
        head = self.heads.of(op.room)
        rev = self._cids.known(op, head[0] if head else None)
        if rev is not None:
            return Done(op.cid, rev)
        done = self._change(op, head)
        head = self.heads.of(op.room)
        if head is None:  # nothing was changed, and for that no room is made
            return Done(op.cid, 0)
        self._cids.keep(op, head[0], head[1])
        return done or Done(op.cid, head[1])

    def _change(self, op: Lastings, head: list[int] | None) -> Saved | None:
        allowed = may(op.role, op.verb)
        if allowed is Answer.NO:
            raise Refusal("not_allowed")
        match op:
            case Append():
                return self._append(op, head, clean(op.text, bool(op.files)))
            case Arrange():
                return self._arrange(op, head)
        if head is None or op.id > head[1]:
            raise Refusal("not_found")
        n, found = self.things.find(head[0], ("message", op.id, ""))
        old = found if isinstance(found, Message) else None
        if old is not None and allowed is Answer.OWN and old.user != op.author:
            raise Refusal("not_yours")
        match op:
            case Rewrite():
                return self._rewrite(op, head[0], n, old)
            case Remove():
                return self._remove(op, head[0], n, old)
            case React():
                return self._react(op, head[0], old)
        assert_never(op)

    def _ordered(self, op: Ordered) -> Any:
        """Carry out an order, and note who gave it."""
        self._powers.demand(op.author, op.verb, op.at)
        outcome = self._orders[type(op)](op)
        self._audit.note(op.author, op.at, *op.told)
        return outcome

    def _append(self, op: Append, head: list[int] | None, text: str) -> Saved:
        if op.reply is not None and not (head and 0 < op.reply <= head[1]):
            raise Refusal("not_found")
        head = self.heads.open(op.room, op.title)
        rev = self.heads.next(op.room)
        self._users.speaks(op.author)
        mentions, to = self._meant.whom(head[0], op.author, op.reply, op.mentions)
        message = Message(
            rev, rev, op.author, op.name, op.color, op.at, text, op.cid, bot=op.role is Role.BOT,
            reply=op.reply, mentions=mentions, files=self.files.bind(op, rev) if op.files else (),
        )  # fmt: skip
        return self._put(op, head[0], message, to=to)

    def _arrange(self, op: Arrange, head: list[int] | None) -> Saved | None:
        n, found = self.things.find(head[0], UNSET.key) if head else (0, None)
        was = found if isinstance(found, Settings) else DAMAGED if n else UNSET
        asked = dict(op.fields) if isinstance(op, Govern) else {}
        if op.topic is not None:
            asked["topic"] = one_line(op.topic)
        if asked.get("mode") == Mode.SLOW.value and not was.slow:
            asked.setdefault("slow", SLOW)
        if replace(was, **asked) == was:
            return None
        head = self.heads.open(op.room, op.title)
        if isinstance(op, Govern):
            detail = ", ".join(f"{name} {value}" for name, value in op.fields.items())
            self._audit.note(op.author, op.at, Told("room", room=op.room, detail=detail))
        asked |= {"rev": self.heads.next(op.room), "by": op.name, "cid": op.cid}
        return self._put(op, head[0], replace(was, **asked), n)

    def _rewrite(self, op: Rewrite, room: int, n: int, old: Message | None) -> Saved | None:
        text = clean(op.text, bool(old and old.files))
        if old is None:
            raise Refusal("deleted")
        if old.text == text and not old.damaged:
            return None
        self._cids.unread(old)
        rev, said = self.heads.next(op.room), old.said or old.cid
        named = carried(old.mentions, op.mentions, text)
        mentions, to = self._meant.whom(room, old.user, old.reply, named)
        change = Message(
            rev, op.id, old.user, old.name, old.color, old.at, text, op.cid, said, op.at,
            reply=old.reply, mentions=mentions, files=old.files,
        )  # fmt: skip
        return self._put(op, room, change, n, to)

    def _remove(self, op: Remove, room: int, n: int, old: Message | None) -> Saved | None:
        """One change takes the message, its files and all reactions to it. That it is gone already
        is no failure: it is what was asked for."""
        if old is None:
            return None
        self.wiping.erase((room, op.room), [Doomed(n, op.id, old)])
        if old.user != op.author:
            told = Told("delete", old.user, op.room, about=old.name)
            self._audit.note(op.author, op.at, told)
        return self._put(op, room, Gone(self.heads.next(op.room), op.id, op.id, cid=op.cid))

    def _react(self, op: React, room: int, old: Message | None) -> Saved | None:
        emoji = one_emoji(op.emoji)
        if old is None:
            raise Refusal("deleted")
        n, mine = self.things.find(room, ("reaction", op.id, f"{op.author} {emoji}"))
        if op.on == (isinstance(mine, Reaction) and mine.on):
            return None
        if op.on and len(self.things.emoji(room, op.id) | {emoji}) > EMOJI_LIMIT:
            raise Refusal("too_many_reactions")
        rev = self.heads.next(op.room)
        return self._put(
            op, room, Reaction(rev, op.id, op.author, op.name, emoji, op.on, op.cid), n
        )

    def _put(self, op: Lasting, room: int, change: Change, instead: int = 0, to: str = "") -> Saved:
        if instead:
            self.things.shed(instead)
        if isinstance(change, Message):
            self._meant.put(room, change)
            for person in change.mentions:
                self._reads.call(person, op.room, change.id)
        saved = self.things.put(room, change, op.author, op.at)
        saved.to = to
        return saved

    def _raise(self, op: Raise) -> dict[str, int]:
        """The floors that have risen. A damaged rev is in no room, and raises none."""
        rows = self._db.execute(
            "UPDATE rooms SET floor = old.rev FROM (SELECT room, max(things.rev) AS rev FROM things"
            " JOIN rooms ON rooms.id = room WHERE tomb AND at < ? AND things.rev <= rooms.rev"
            " GROUP BY room) AS old WHERE rooms.id = old.room AND old.rev > floor"
            " RETURNING name, floor",
            (op.tombs,),
        )
        return dict(rows.fetchall())

    def _tidy(self, op: Tidy) -> bool:
        """Forget what is old; whether there may be more."""
        cids = self._cids.forget(op.cids, SOME)
        tombs = self.things.forget(op.tombs, SOME)
        return SOME in (cids, tombs, self._audit.forget(op.deeds, SOME))

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

    def undo(self) -> None:
        """The write under way was undone."""
        self._users.undo()
        self.heads.undo()

    def forget(self) -> None:
        """After a rollback: nothing of the transaction is true."""
        self._users.undo()
        self.heads.forget()
