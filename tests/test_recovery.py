"""The recovery protocol as a state machine: the real server, the page's own scripts, and what goes
wrong.

Hypothesis cuts lines, loses single frames, lets pages of history wait, restarts and kills the
server, lets commits fail (also after they have saved everything), forgets what is old and restores
backups. After every step each page must show what the log says. Server and pages share one clock
and run only inside a step, so a step is over when nothing is under way any more: there are no races
here, and a failure can be repeated. test_planted.py proves that the machine can fail.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from bad_server import BAN, OUTCOMES, ROOM, Disk, History, Noting, Server
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tabs import Bug, Host, Tab
from truth import (
    compare,
    compare_entries,
    done_once_and_in_order,
    files_agree,
    names_of,
    says_what_was_meant,
    unread,
)
from visitors import Browser, Visitor

import chat.app
import chat.log.sweep
import chat.log.wiping
import chat.room.authority
import chat.room.chores
import chat.room.hub
import chat.room.recent
import chat.room.room
import chat.room.seat
import chat.room.tidings
from chat.log.restore import restore
from chat.log.store import Store
from chat.log.writer import Writer
from chat.wire.orders import FOREVER, Ban, Unban

# `die` ends the process; here only its writer thread, with SystemExit.
pytestmark = pytest.mark.filterwarnings("ignore:Exception in thread writer")

# Who sits where: a person and their device or tab. Ana has two devices, Bo two tabs of which one
# was loaded before there were reactions, and Cy a line that takes a few KB at a time.
SEATS = (("Ana", "phone"), ("Ana", "laptop"), ("Bo", "new"), ("Bo", "old"), ("Cy", "slow"))
BEFORE_REACTIONS = Bug("protocol.js", "  reaction: [", "  unheard_of: [")
SMALL = {"BEHIND": 16}  # chat.room.seat: all paths taken
PIECES = {"PIECE": 3, "LOOKED_AT": 7}  # chat.log.wiping
REMEMBERED = {"CHANGES": 6, "ROOM": 60_000, "BATCH": 400}  # chat.room.recent
LONG = "x" * 2500  # characters; a few of them fill Cy's line
DAY = 24 * 3_600_000  # milliseconds
EMOJI = ("👍", "🎉")
WRITE = 5  # seconds after which what was read is on disk
EVERYDAY = settings(
    max_examples=30,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # shrinking takes minutes: add Phase.shrink to study a failure
    suppress_health_check=list(HealthCheck),
)

seats = st.sampled_from(range(len(SEATS)))
ears = st.integers(0, 2 ** len(SEATS) - 1)  # which pages get their turn: one bit a seat
EVERYONE = 2 ** len(SEATS) - 1


class Recovery(RuleBasedStateMachine):
    """Three people in a room on a bad day."""

    host: ClassVar[Host]
    bugs: ClassVar[tuple[Bug, ...]] = ()
    store: ClassVar[type[Store]] = Store
    writer: ClassVar[type[Writer]] = Noting
    turns: ClassVar[int] = 360  # after which everything must have arrived everywhere

    def __init__(self) -> None:
        super().__init__()
        self.host.begin()
        self.server = Server(self.store, self.writer)
        self.visitors: list[Visitor] = []
        self.number = 0  # of what was said
        self.uploads = 0
        self.kept = 0  # how often somebody said for how long
        self.saved = Path(self.server.folder / "backup.db")
        self.histories: dict[str, History] = {}
        self.promised: dict[str, set[str]] = {}  # epoch -> cids a page said to be done
        self.wiped: dict[str, set[int]] = {}  # epoch -> messages that were ordered to go
        self.marks: dict[str, int] = {}  # user -> how far they had read after the last step
        self.safe: dict[str, int] = {}  # user -> the same on disk
        self.went_back: set[str] = set()  # in this step
        self.died = False  # in this step: what was read in the last seconds may be lost
        self.new_history()

    def new_history(self) -> None:
        """The server has another history than before."""
        self.epoch = self.server.epoch
        assert self.epoch not in self.histories, "a restored database has its old epoch"
        self.histories[self.epoch] = History(self.server)
        self.promised[self.epoch] = set()
        self.wiped[self.epoch] = set()

    @initialize()
    def everyone_comes(self) -> None:
        """The day begins well."""
        people = {name: self.server.join(name) for name in dict(SEATS)}
        self.server.appoint()
        browsers = {where: Browser() for where in ("phone", "laptop", "bo", "slow")}
        for name, where in SEATS:
            user, cookie = people[name]
            disk = where if where in browsers else name.lower()
            tab = Tab(self.host, f"{name}-{where}", user, ROOM, disk, locks=where != "laptop")
            tab.bugs = (*self.bugs, BEFORE_REACTIONS) if where == "old" else self.bugs
            visitor = Visitor(self.server, tab, browsers[disk], cookie)
            visitor.old = where == "old"
            visitor.receive_buffer = 2048 if where == "slow" else 0
            self.visitors.append(visitor)
            visitor.reload()
        for _ in range(2):
            self.step(EVERYONE)

    # -- what people do

    @rule(who=seats, count=st.integers(1, 3), ears=ears)
    def say(self, who: int, count: int, ears: int) -> None:
        """Write a few messages."""
        for _ in range(count):
            self.add(who, "say", text=self.text())
        self.step(ears)

    @rule(who=seats, pick=st.integers(0, 9), ears=ears)
    def answer(self, who: int, pick: int, ears: int) -> None:
        """Answer a message that I see."""
        for id in self.seen(who, pick):
            self.add(who, "say", text=self.text(), reply=id)
        self.step(ears)

    @rule(who=seats, count=st.integers(1, 2), ears=ears, land=st.booleans())
    def send_files(self, who: int, count: int, ears: int, land: bool = True) -> None:
        """Write a message with files; `land`: a good line takes them at once."""
        files = [self.text() for _ in range(count)]
        about = [{"local": name, "name": f"{name}.png", "size": 1} for name in files]
        self.add(who, "say", text=self.text(), files=about)
        self.step(0)
        for _ in files if land else ():
            self.upload(who)
        self.step(ears)

    @rule(who=seats, outcome=st.sampled_from(("done", "done", "not told", "lost")))
    def upload(self, who: int, outcome: str = "done") -> None:
        """A file gets to the server; or the answer is lost on the way back, or all of it before."""
        visitor = self.visitors[who]
        if not visitor.uploads:
            return
        id = None if visitor.tunnel or outcome == "lost" else self.deposit(visitor)
        visitor.land(id if outcome == "done" else None)
        self.step(0)

    @rule(who=seats, name=st.sampled_from(("Ana", "Bo", "here")), ears=ears)
    def call(self, who: int, name: str, ears: int) -> None:
        """Name somebody."""
        self.add(who, "say", text=f"{self.text()} @{name}")
        self.step(ears)

    @rule(who=seats, pick=st.integers(0, 9), back=st.booleans())
    def read(self, who: int, pick: int, back: bool) -> None:
        """Read up to a message that I see, or want to read on from there."""
        visitor = self.visitors[who]
        clear = Disk.trouble is None
        for id in self.seen(who, pick):
            if back:
                self.went_back.add(visitor.tab.user)
            visitor.tab.do("read", id=id - back, back=back)
        self.step(0)
        if back and clear and not self.died:
            self.is_on_disk(visitor.tab.user)

    @rule(who=seats)
    def say_much(self, who: int) -> None:
        """Ten long messages, more than Cy's line takes at once."""
        for _ in range(10):
            self.add(who, "say", text=f"{self.text()} {LONG}")
        for _ in range(10):
            self.step(1 << who)

    @rule(who=seats, pick=st.integers(0, 9), ears=ears)
    def edit(self, who: int, pick: int, ears: int) -> None:
        """Another text for a message of mine that I see."""
        for id in self.seen(who, pick, mine=True):
            self.add(who, "edit", id=id, text=self.text())
        self.step(ears)

    @rule(who=seats, pick=st.integers(0, 9), ears=ears)
    def delete(self, who: int, pick: int, ears: int) -> None:
        """A message of mine that I see goes."""
        for id in self.seen(who, pick, mine=True):
            self.add(who, "delete", id=id)
        self.step(ears)

    @rule(
        who=seats, pick=st.integers(0, 9), emoji=st.sampled_from(EMOJI), on=st.booleans(), ears=ears
    )
    def react(self, who: int, pick: int, emoji: str, on: bool, ears: int) -> None:
        """An emoji below a message that I see, or not any more."""
        for id in self.seen(who, pick):
            self.add(who, "react", id=id, emoji=emoji, on=on)
        self.step(ears)

    @rule(who=seats, topic=st.sampled_from(("tea", "coffee")), ears=ears)
    def arrange(self, who: int, topic: str, ears: int) -> None:
        """What the room is about."""
        self.add(who, "room", topic=topic)
        self.step(ears)

    @rule(
        who=seats, last=st.integers(0, 3), pieces=st.integers(0, 2), dies=st.booleans(), ears=ears
    )
    def wipe(self, who: int, last: int, pieces: int, dies: bool, ears: int) -> None:
        """All that somebody wrote goes, or the last few; it may be killed in the middle."""
        user = self.visitors[who].tab.user
        self.observe()
        theirs = [m for (kind, _, _), m in self.history.now.items() if kind == "message"]
        theirs = sorted((m for m in theirs if m["user"] == user), key=lambda m: int(m["id"]))
        since = theirs[-last]["at"] if 0 < last <= len(theirs) else 0
        if self.server.wipe(user, since, self.host.now, pieces):
            self.wiped[self.epoch] |= {m["id"] for m in theirs if m["at"] >= since}
        self.see_whether_it_died()
        if dies:
            self.begin_again()
        self.server.wake()
        self.step(ears)

    @precondition(lambda self: Disk.trouble is None)
    @rule(who=seats, ears=ears)
    def ban(self, who: int, ears: int) -> None:
        """Somebody is kept out while they say something, and is let in again later."""
        user = self.visitors[who].tab.user
        theirs = [n for n, visitor in enumerate(self.visitors) if visitor.tab.user == user]
        for one in theirs:
            self.add(one, "say", text=self.text())
            self.visitors[one].carry_out()
        told = self.server.order(Ban("ban-the-one", (user,), FOREVER))
        self.step(ears)
        self.observe()
        cids = {cid for one in theirs for cid in self.visitors[one].browser.made}
        done = [execution.cid for execution in self.history.done]
        last = max(n for n, execution in enumerate(self.history.done) if execution.thing == BAN)
        behind = cids.intersection(done[last:])
        assert not behind, f"{behind} were carried out behind a ban"
        assert told.id
        self.server.order(Unban("let-them-in", told.id))
        for one in theirs:
            self.visitors[one].reload()
        self.step(0)

    @rule(days=st.sampled_from((None, 0, 1)), ears=ears)
    def keep(self, days: int | None, ears: int) -> None:
        """For how long the room keeps what is said; what is older goes with what is forgotten."""
        self.kept += 1
        self.server.keep(days, f"keep-{self.kept:08}")
        self.see_whether_it_died()
        self.step(ears)

    @rule(ears=ears)
    def hear(self, ears: int) -> None:
        """Some pages have their turn."""
        self.step(ears)

    @rule(who=seats, count=st.integers(1, 3))
    def hear_some(self, who: int, count: int) -> None:
        """A page gets as far as this."""
        visitor = self.visitors[who]
        self.refused_rightly(visitor, visitor.hear(count))
        self.step(0)

    @rule(who=seats)
    def see_to_what_failed(self, who: int) -> None:
        """What did not arrive is sent again; what did, after all, is not."""
        visitor = self.visitors[who]
        failed = [entry for entry in visitor.tab.entries if entry.get("failed")]
        for entry in failed:
            if self.history.tells_of(entry) or not self.again(visitor, entry):
                visitor.browser.given_back.add(entry["cid"])
                visitor.tab.do("discard", cid=entry["cid"])
        if failed:
            self.step(0)

    @rule(who=seats)
    def reload(self, who: int) -> None:
        """The page is loaded anew."""
        self.visitors[who].reload()
        self.step(0)

    # -- pages of history

    @rule(
        who=seats,
        where=st.sampled_from(("before", "after", "around", "newest", "ids")),
        pick=st.integers(0, 99),
    )
    def ask(self, who: int, where: str, pick: int) -> None:
        """Scroll to what is not loaded."""
        tab = self.visitors[who].tab
        ids = sorted(id for (kind, id, _) in self.history.states if kind == "message")
        query: dict[str, int | str] = {"limit": 3}
        if where == "before" and tab.look["from"]:
            query["before"] = tab.look["from"]
        elif where == "after" and tab.look["to"] is not None:
            query["after"] = tab.look["to"]
        elif where == "around" and ids:
            query["around"] = ids[pick % len(ids)]
        elif where == "ids" and ids:  # what is answered, and anything
            answered = [m["reply"] for m in tab.messages if m.get("reply")]
            query = {"ids": ",".join(map(str, {*answered, ids[pick % len(ids)]}))}
        elif where != "newest":
            return
        tab.do("load", query=query)
        self.step(0)

    @rule(who=seats, last=st.booleans(), lose=st.sampled_from((False, False, False, True)))
    def fly(self, who: int, last: bool, lose: bool) -> None:
        """A request gets to the server, or its answer to the page."""
        self.visitors[who].fly(last, lose)
        self.step(0)

    @rule(who=seats, pick=st.integers(0, 9))
    def drop_rows(self, who: int, pick: int) -> None:
        """There are too many rows: those at the far end go."""
        tab = self.visitors[who].tab
        if tab.look["level"] and tab.messages:
            ids = [message["id"] for message in tab.messages]
            tab.do("trim", **{"from": ids[pick % len(ids)], "to": ids[-1] if pick % 2 else None})
        self.step(0)

    # -- what goes wrong

    @rule(who=seats, noticed=st.booleans())
    def cut(self, who: int, noticed: bool) -> None:
        """A tunnel. What is under way is lost."""
        self.visitors[who].tunnel = True
        self.visitors[who].cut(noticed)
        self.step(0)

    @rule(who=seats)
    def return_(self, who: int) -> None:
        """The end of the tunnel."""
        self.visitors[who].tunnel = False
        self.visitors[who].tab.do("retry")
        self.step(0)

    @rule(who=seats, pick=st.integers(0, 5))
    def lose_a_frame(self, who: int, pick: int) -> None:
        """One change vanishes on its way to a page that is live."""
        self.add((who + 1) % len(SEATS), "say", text=self.text())
        self.step(0)
        self.visitors[who].lose(pick)

    @rule(how=st.sampled_from(OUTCOMES))
    def break_the_disk(self, how: str) -> None:
        """The next commit fails."""
        Disk.trouble = how

    @rule()
    def restart(self) -> None:
        """An update is installed."""
        self.server.stop()
        self.observe()
        self.server.start()
        self.step(0)

    @rule()
    def kill(self) -> None:
        """Out of memory, or the plug."""
        self.begin_again()
        self.step(0)

    @rule(who=seats, stage=st.sampled_from(("part", "kept")))
    def kill_in_an_upload(self, who: int, stage: str) -> None:
        """The same while a file comes in."""
        self.deposit(self.visitors[who], stage)
        self.begin_again()
        self.step(0)

    def begin_again(self) -> None:
        """After a kill."""
        self.server.kill()
        self.died = True
        self.observe()
        self.server.start()

    @rule()
    def back_up(self) -> None:
        """The nightly copy."""
        self.server.copy(self.saved)

    @precondition(lambda self: self.saved.exists())
    @rule()
    def restore(self) -> None:
        """The copy takes the place of the history; everything since then never happened."""
        self.server.stop()
        self.observe()
        restore(self.server.data, self.saved)
        self.server.start()
        self.new_history()
        self.marks.clear()
        self.step(0)

    @rule(seconds=st.sampled_from((1, 4, 20, 60)), ears=ears)
    def wait(self, seconds: int, ears: int) -> None:
        """Time passes: the heartbeat, and what was refused for now is tried again."""
        self.host.pass_time(seconds * 1000)
        self.server.beat()
        clear = Disk.trouble is None
        self.server.tick(seconds)
        self.step(ears)
        if seconds > WRITE and clear and not self.died:
            for user in self.users:
                self.is_on_disk(user)

    @rule(days=st.sampled_from((1, 6, 8)))
    def sleep(self, days: int) -> None:
        """All lids are closed for some days; the server forgets the cids older than seven."""
        for visitor in self.visitors:
            visitor.cut(noticed=False)
        self.host.pass_time(days * DAY, asleep=True)
        self.server.forget()
        self.sweep()
        self.step(0)

    @rule()
    def forget(self) -> None:
        """What only says that something is no more is forgotten, as if it were a month later."""
        self.server.forget(told=-1)
        self.step(0)

    # -- what must hold after every step

    @invariant()
    def every_page_shows_what_the_log_says(self) -> None:
        """Up to its cursor, whole, once, and nothing that never was."""
        self.observe()
        for visitor in self.visitors:
            if history := self.histories.get(visitor.tab.look["epoch"]):
                compare(visitor, history, now=visitor.tab.look["epoch"] == self.epoch)

    @invariant()
    def what_is_done_is_done_once_and_in_order(self) -> None:
        """And what a page says to be done is in the log."""
        for visitor in self.visitors:
            epoch = visitor.tab.look["epoch"]
            if epoch in self.histories:
                self.promised[epoch] |= compare_entries(visitor, self.histories)
        self.nobody_waits_for_nothing()
        browsers = {visitor.browser for visitor in self.visitors}
        done_once_and_in_order(self.history, browsers, self.epoch)
        says_what_was_meant(self.history, browsers, self.epoch)
        files_agree(self.history)
        lost = self.promised[self.epoch] - {e.cid for e in self.history.everything}
        assert not lost, f"said to be done, and is not: {lost}"

    @invariant()
    def what_is_read_stays_read(self) -> None:
        """A mark goes forward, or back where somebody wants it; a kill loses the last seconds, and
        every page that has heard everything knows it exactly."""
        for user in self.users:
            mark = self.server.mark(user)
            least = self.safe if self.died else self.marks
            if user not in self.went_back:
                assert mark >= least.get(user, 0), (
                    f"{user} had read up to {least[user]}, not {mark}"
                )
            self.marks[user], self.safe[user] = mark, self.server.kept_mark(user)
        for visitor in self.visitors:
            mark, knows = self.marks[visitor.tab.user], visitor.tab.look["read"]
            if visitor.idle:
                assert knows == mark, f"{visitor.tab.name} has read up to {mark}, not {knows}"
        self.went_back.clear()
        self.died = False

    def is_on_disk(self, user: str) -> None:
        """How far this person has read."""
        mark, kept = self.server.mark(user), self.server.kept_mark(user)
        assert mark == kept, f"{user} has read up to {mark}, and {kept} is on the disk"

    def counted_rightly(self) -> None:
        """What is new to each: as a page that begins has it, and as it is told."""
        for user in self.users:
            want = unread(self.history, user, self.server.mark(user))
            assert self.server.unread(user) == want, f"{want} are new to {user}"
        for visitor in self.visitors:
            visitor.reload()
        for _ in range(2):
            self.step(EVERYONE)
        for visitor in self.visitors:
            want = unread(self.history, visitor.tab.user, self.server.mark(visitor.tab.user))
            counts = visitor.tab.look["counts"]
            told = counts and (counts["unread"], counts["mentioned"])
            assert told == want, f"{visitor.tab.name} has {want} unread, not {told}"

    @property
    def users(self) -> list[str]:
        """Everybody's id."""
        return sorted({visitor.tab.user for visitor in self.visitors})

    def nobody_waits_for_nothing(self) -> None:
        """Where nothing is under way any more, no page waits for an answer."""
        for visitor in self.visitors:
            if visitor.idle and len(visitor.browser.tabs) == 1 and visitor.tab.locks:
                entries = [e for e in visitor.tab.entries if not (e.get("failed") or e.get("done"))]
                waiting = [entry for entry in entries if "sent" in entry]
                resting = any(entry.get("retryAt", 0) > self.host.now for entry in entries)
                assert resting or not waiting, f"{visitor.tab.name} waits for ever: {waiting}"

    def teardown(self) -> None:
        """The bad day ends: everyone comes back, and everything arrives everywhere."""
        try:
            if self.visitors and self.turns:
                self.come_to_rest()
        finally:
            for visitor in self.visitors:
                visitor.leave()
            self.server.close()

    def come_to_rest(self) -> None:
        """Nothing goes wrong any more."""
        Disk.trouble = None
        self.saved.unlink(missing_ok=True)
        for turn in range(self.turns):
            if turn >= 20:  # small socket buffers fill again by the kernel's timers
                self.visitors[-1].await_bytes(0.05)
            for who, visitor in enumerate(self.visitors):
                if visitor.tunnel:
                    self.return_(who)
                while visitor.flights:
                    visitor.fly()
                    self.step(0)
                while visitor.uploads:
                    self.upload(who)
                self.see_to_what_failed(who)
                if visitor.tab.look["level"] and visitor.tab.look["from"]:
                    self.ask(who, "before", 0)
                if visitor.tab.look["level"] and visitor.tab.look["to"] is not None:
                    self.ask(who, "after", 0)
            self.wait(3, EVERYONE)
            self.hear(EVERYONE)
            self.every_page_shows_what_the_log_says()
            self.what_is_done_is_done_once_and_in_order()
            self.what_is_read_stays_read()
            if all(self.at_rest(visitor) for visitor in self.visitors):
                left = self.wiped[self.epoch] & {id for _, id, _ in self.history.now}
                assert not left, f"{left} were to go, and are there"
                return self.counted_rightly()
        for visitor in self.visitors:
            look = {name: is_ for name, is_ in visitor.tab.look.items() if name != "messages"}
            why = f"{visitor.tab.name} does not come to rest: {look}"
            assert self.at_rest(visitor), f"{why}, head {self.history.head}, {visitor.inbox}"

    # -- the parts

    @property
    def history(self) -> History:
        """The one the server has."""
        return self.histories[self.epoch]

    def at_rest(self, visitor: Visitor) -> bool:
        """Level, everything loaded, and nothing left to send or to read."""
        look = visitor.tab.look
        level = look["state"] == "online" and look["level"] and visitor.live
        whole = look["cursor"] == {"epoch": self.epoch, "rev": self.history.head}
        loaded = look["from"] == 0 and look["to"] is None
        return level and whole and loaded and not (look["entries"] or visitor.inbox)

    def deposit(self, visitor: Visitor, stage: str = "whole") -> str | None:
        """The id of another file; None if the disk did not take it, or it comes to this stage."""
        self.uploads += 1
        id = f"file-{self.uploads:017}"
        taken = self.server.upload(id, visitor.tab.user, self.host.now, stage)
        self.see_whether_it_died()
        return id if taken else None

    def sweep(self) -> None:
        """What was uploaded more than a day ago and never sent goes."""
        self.server.sweep()
        self.see_whether_it_died()

    def see_whether_it_died(self) -> None:
        """A server whose disk fails ends; whoever runs it starts it again."""
        if self.server.dead.done():
            self.begin_again()

    def text(self) -> str:
        """No two are equal."""
        self.number += 1
        return str(self.number)

    def add(self, who: int, command: str, **fields: Any) -> None:
        """Into the outbox of that page, if it has space."""
        visitor = self.visitors[who]
        if len(visitor.tab.entries) < 90:
            cid = visitor.tab.add(command, **fields)
            if "reply" in fields:
                visitor.browser.replies[cid] = fields["reply"]
            visitor.browser.files[cid] = names_of(fields)

    def seen(self, who: int, pick: int, mine: bool = False) -> list[int]:
        """The id of a message that this page shows, if there is one; the newest first."""
        tab = self.visitors[who].tab
        ids = [m["id"] for m in tab.messages if not mine or m["user"] == tab.user]
        return [ids[-1 - pick % len(ids)]] if ids else []

    def again(self, visitor: Visitor, entry: dict[str, Any]) -> bool:
        """Press "again"; False if there is nothing to press."""
        visitor.tab.do("again", cid=entry["cid"])
        now = {e["cid"]: e for e in visitor.tab.entries}
        if entry["cid"] in now:
            return not now[entry["cid"]].get("failed")
        for cid in now.keys() - visitor.browser.made.keys():  # it goes as new
            visitor.browser.made[cid] = visitor.browser.made[entry["cid"]]
            visitor.browser.epochs[cid] = visitor.browser.epochs[entry["cid"]]
            if reply := visitor.browser.replies.get(entry["cid"]):
                visitor.browser.replies[cid] = reply
            visitor.browser.files[cid] = visitor.browser.files[entry["cid"]]
            visitor.browser.failed.add(cid)
        visitor.browser.given_back.add(entry["cid"])
        return True

    def step(self, ears: int) -> None:
        """These pages have their turn; then what they ask for is done, and the server finishes."""
        for who, visitor in enumerate(self.visitors):
            visitor.carry_out()
            if ears >> who & 1:
                self.refused_rightly(visitor, visitor.hear())
        while True:
            for visitor in self.visitors:
                visitor.carry_out()
            self.server.settle()
            self.see_whether_it_died()
            for visitor in self.visitors:
                visitor.take()
            if not any(visitor.tab.events for visitor in self.visitors):
                return

    def refused_rightly(self, visitor: Visitor, events: list[dict[str, Any]]) -> None:
        """What was done is never refused for good."""
        history = self.histories.get(visitor.tab.look["epoch"])
        done = {execution.cid for execution in history.done} if history else set()
        for event in events:
            if event["type"] == "refused" and "retry" not in event:
                assert event.get("cid") not in done, "refused for good, yet it was carried out"

    def observe(self) -> None:
        """Note what the log is by now."""
        self.history.observe(self.server)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small limits, so that a short day takes every path; what a start reads is read once."""
    for name, value in SMALL.items():
        monkeypatch.setattr(chat.room.seat, name, value)
    for name, value in REMEMBERED.items():
        monkeypatch.setattr(chat.room.recent, name, value)
    for name, value in PIECES.items():
        monkeypatch.setattr(chat.log.wiping, name, value)
    for name in ("REST", "AGAIN"):
        monkeypatch.setattr(chat.room.chores, name, 0.0)
    for name in ("PACE", "GATHER"):  # its time is not the pages'
        monkeypatch.setattr(chat.room.tidings, name, 0.0)
    monkeypatch.setattr(chat.app, "DRAIN", 0.0)
    for name in ("Files", "Loader"):
        monkeypatch.setattr(chat.app, name, once(getattr(chat.app, name)))


def once(make: Callable[..., Any]) -> Callable[..., Any]:
    """What is made of a folder, made once."""
    made: dict[Any, Any] = {}

    def of(folder: Any, *about: Any) -> Any:
        if folder not in made:
            made[folder] = make(folder, *about)
        return made[folder]

    return of


def one_clock(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    """The server goes by the clock of the pages."""
    for module in (chat.room.room, chat.room.hub, chat.room.chores, chat.room.authority):
        monkeypatch.setattr(module, "now_ms", lambda: host.now)
    clock = SimpleNamespace(time=lambda: host.now / 1000)
    monkeypatch.setattr(chat.log.sweep, "time", clock)


def test_every_page_shows_the_log_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts, lost frames, restarts, kills, failed commits, retries and restored backups."""
    with Host() as host:
        one_clock(monkeypatch, host)
        machine = type("Everyday", (Recovery,), {"host": host})
        run_state_machine_as_test(machine, settings=EVERYDAY)
