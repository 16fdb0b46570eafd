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
    Beside,
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
from chat.log.tokens import Tokens
from chat.log.upkeep import Upkeep
from chat.log.users import Users
from chat.log.wiping import Doomed, Wiping
from chat.rules.access import Answer, Mode, Role
from chat.rules.mentions import carried
from chat.rules.text import clean, one_emoji, one_line
from chat.wire.codes import EMOJI_LIMIT, Refusal
from chat.wire.frames import Enclosing, Saved
from chat.wire.passing import Done
from chat.wire.protocol import UNSET, Change, Gone, Message, Reaction

SLOW = 30  # seconds between two messages in a slow room of which only that was said


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
        self._reads = Reads(db)
        devices = Devices(db)
        self._users = Users(db, self._reads, devices)
        self._powers = Powers(db, self.heads, self.things)
        self._meant = Meant(db, self.things, self._powers)
        self._audit = Audit(db)
        self._upkeep = Upkeep(db, self.things, self._cids, self._audit)
        self.wiping = Wiping(db, self.heads, self.things, self.files, self._meant)
        tokens = Tokens(db, self._powers, self._users, devices, self._audit)
        self._orders: dict[type[Ordered], Callable[[Any], Any]] = {
            **Ranks(db, self._powers).orders,
            **Bans(db, self._powers, self.wiping).orders,
            **Charter(db).orders,
            **Hooks(db, self._users).orders,
            **tokens.orders,
        }
        self._entrances = {**devices.entrances, **tokens.entrances}

    def do(self, op: Operation) -> Any:
        """The method of this operation. Raises Refusal."""
        if isinstance(op, Lasting):
            return self._once(op)
        outcome = self._also(op)
        self._powers.clear()  # it may have been about who may do what
        return outcome

    def _also(self, op: Beside) -> Any:
        match op:
            case Mark():
                return self._reads.mark_all(op)
            case Keep():
                return self._reads.keep_all(op)
            case Hold():
                return self._users.hold(op)
            case Saw():
                return self._users.saw(op)
            case Free():
                return self._users.free(op)
            case Forget():
                return self._users.forget(op)
            case Found():
                return self._upkeep.found(op)
            case Raise():
                return self._upkeep.raise_floors(op)
            case Tidy():
                return self._upkeep.tidy(op)
            case Piece():
                return self.wiping.piece(op.at)
            case Expire():
                return self.wiping.expire(op.room, op.at)
            case Probe():
                return self._upkeep.probe(op)
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
        if isinstance(op, Append):
            text = clean(op.text, bool(op.files))
            return self._append(op, head, text, self._powers.ask(op).role is Role.BOT)
        allowed = self._powers.ask(op).answer
        if isinstance(op, Arrange):
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

    def _append(self, op: Append, head: list[int] | None, text: str, bot: bool) -> Saved:
        if op.reply is not None and not (head and 0 < op.reply <= head[1]):
            raise Refusal("not_found")
        head = self.heads.open(op.room, op.title)
        rev = self.heads.next(op.room)
        self._users.speaks(op.author)
        mentions, to = self._meant.whom(op, head[0], op.author, op.reply, op.mentions)
        message = Message(
            rev, rev, op.author, op.name, op.color, op.at, text, op.cid, bot=bot,
            reply=op.reply, mentions=mentions, files=self.files.bind(op, rev) if op.files else (),
        )  # fmt: skip
        return self._put(op, head[0], message, to=to)

    def _arrange(self, op: Arrange, head: list[int] | None) -> Saved | None:
        n = self.things.find(head[0], UNSET.key)[0] if head else 0
        was = self._powers.settings(op.room)
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
        saved = self._put(op, head[0], replace(was, **asked), n)
        self._powers.clear()
        if isinstance(op, Govern) and op.fields.get("private") and not was.private:
            return Enclosing(saved, self._reads.let_in(op.room, [op.author, *op.present]))
        return saved

    def _rewrite(self, op: Rewrite, room: int, n: int, old: Message | None) -> Saved | None:
        text = clean(op.text, bool(old and old.files))
        if old is None:
            raise Refusal("deleted")
        if old.text == text and not old.damaged:
            return None
        self._cids.unread(old)
        rev, said = self.heads.next(op.room), old.said or old.cid
        named = carried(old.mentions, op.mentions, text)
        mentions, to = self._meant.whom(op, room, old.user, old.reply, named)
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

    def undo(self) -> None:
        """The write under way was undone."""
        self._users.undo()
        self._powers.clear()
        self.heads.undo()

    def forget(self) -> None:
        """After a rollback: nothing of the transaction is true."""
        self._users.undo()
        self._powers.forget()
        self.heads.forget()
