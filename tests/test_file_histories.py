"""Whatever is uploaded, said, edited, deleted, swept, refused and killed: the rows of files, their
bytes and the messages agree, and are what this small model of them says."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bad_server import MEMORY
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from test_store import Failing, append, remove, rewrite
from worlds import held

from chat.log.blobs import Blobs, blobs_in
from chat.log.operations import Deposit, Operation, Probe, Sweep
from chat.log.reader import Asked
from chat.log.store import Store
from chat.log.sweep import Sweeper
from chat.wire.codes import FILES_LIMIT, Refusal
from chat.wire.protocol import Attachment, Message

DAY = 1000  # of this model's clock
PEOPLE, ROOMS = ("a", "b"), ("lobby", "den")
people, rooms, picks = st.sampled_from(PEOPLE), st.sampled_from(ROOMS), st.integers(0, 99)
FULL = ("no room", sqlite3.SQLITE_FULL, False)


class Files(RuleBasedStateMachine):
    """Two people in two rooms, and the disk they share."""

    def __init__(self) -> None:
        super().__init__()
        Failing.errors = []
        self.folder = Path(tempfile.mkdtemp(prefix="files-", dir=MEMORY))
        self.loop = asyncio.new_event_loop()
        self.now = 10 * DAY
        self.made = 0
        # What should be: id -> [room, person, at, message], (room, message) -> its author and files
        self.files: dict[str, list[Any]] = {}
        self.messages: dict[tuple[str, int], tuple[str, tuple[str, ...]]] = {}
        self.known: list[str] = []  # every id there ever was
        self.start()

    # -- the server

    def start(self) -> None:
        self.blobs = Blobs(self.folder / "files")
        self.lives = True  # if not, it was killed and drops nothing any more
        self.store = Store(self.folder / "chat.db", drop=self.drop, factory=Failing)
        held(self.folder / "chat.db", *PEOPLE)
        Sweeper(self.store, self.blobs).reconcile()
        self.loop.run_until_complete(self.started())

    async def started(self) -> None:
        self.store.start()

    def drop(self, ids: Any) -> None:
        if self.lives:
            self.blobs.drop(ids)

    def wrote(self, op: Operation) -> Any:
        """What came of it; the Refusal if it is refused."""

        async def write() -> Any:
            try:
                outcome = await self.store.wrote(op)
            except Refusal as refusal:
                outcome = refusal
            await self.store.wrote(Probe())  # by then what was dropped is unlinked
            return outcome

        return self.loop.run_until_complete(write())

    # -- what happens

    @rule(person=people, room=rooms, cut=st.sampled_from((None, None, None, "part", "kept")))
    def upload(self, person: str, room: str, cut: str | None) -> None:
        """A file comes in, or is cut off at some stage by the end of the server."""
        self.made += 1
        id = f"file-{self.made:017}"
        self.known.append(id)
        self.blobs.part(id).write_text(id)
        if cut != "part":
            self.blobs.keep(id)
        if cut:
            return self.kill()
        size = (None, None)
        self.wrote(Deposit(id, room, person, "image/png", 1, *size, b"", self.now))
        self.files[id] = [room, person, self.now, None]

    @rule(
        picked=st.lists(picks, max_size=3, unique=True), text=st.sampled_from(("", "hi")),
        full=st.booleans(), wrong=st.sampled_from((None, None, None, "any", "many")),
    )  # fmt: skip
    def say(self, picked: list[int], text: str, full: bool, wrong: str | None) -> None:
        """A message with files that can be had, or with any; `full`: the first try fails."""
        unbound = [(room, who) for room, who, _, message in self.files.values() if not message]
        room, person = unbound[-1] if unbound else (ROOMS[0], PEOPLE[0])
        mine = [room, person, None]
        usable = [id for id, file in self.files.items() if [*file[:2], file[3]] == mine]
        among = self.known if wrong else usable
        ids = tuple(among[pick % len(among)] for pick in picked if among)
        ids = (
            ids * (FILES_LIMIT + 1)
            if wrong == "many"
            else ids
            if wrong
            else tuple(dict.fromkeys(ids))
        )
        files = [Attachment(id, "cat.png") for id in ids]
        op = replace(append(text=text, room=room, author=person), files=files)
        good = set(ids) <= set(usable) and len(set(ids)) == len(ids)
        if full and good and (text or ids):
            Failing.errors = [FULL]
            assert self.wrote(op).code == "full"
        outcome = self.wrote(op)
        if not (text or ids):
            assert outcome.code == "empty"
        elif len(ids) > FILES_LIMIT:
            assert outcome.code == "too_many_files"
        elif not good:
            assert outcome.code == "no_file"
        else:
            self.messages[room, outcome.rev] = person, ids
            for id in ids:
                self.files[id][3] = outcome.rev
            assert self.wrote(op).rev == outcome.rev, "a retry is known"

    @precondition(lambda self: self.messages)
    @rule(pick=picks, text=st.sampled_from(("", "better")), full=st.booleans())
    def edit(self, pick: int, text: str, full: bool) -> None:
        """Another text, or none, for a message."""
        (room, id), (person, files) = self.one(pick)
        op = rewrite(id, text, room=room, author=person)
        if full:
            Failing.errors = [FULL]
            self.wrote(op)
            Failing.errors = []
        outcome = self.wrote(op)
        assert isinstance(outcome, Refusal) == (not text and not files)

    @precondition(lambda self: self.messages)
    @rule(pick=picks, full=st.booleans(), killed=st.booleans())
    def delete(self, pick: int, full: bool, killed: bool) -> None:
        """A message goes, unless the disk is full; `killed`: before its files could."""
        (room, id), (person, files) = self.one(pick)
        op = remove(id, room=room, author=person)
        if full:
            Failing.errors = [FULL]
            assert self.wrote(op).code == "full"
            return
        self.lives = not killed
        self.wrote(op)
        del self.messages[room, id]
        for file in files:
            del self.files[file]
        if killed:
            self.kill()

    def one(self, pick: int) -> tuple[tuple[str, int], tuple[str, tuple[str, ...]]]:
        return list(self.messages.items())[pick % len(self.messages)]

    @rule(days=st.integers(0, 2))
    def sweep(self, days: int) -> None:
        """So much later what was never sent is swept."""
        self.now += days * DAY
        old = [i for i, (_, _, at, to) in self.files.items() if at < self.now - DAY and to is None]
        assert self.wrote(Sweep(self.now - DAY)) == (len(old), len(old))
        for id in old:
            del self.files[id]

    @rule()
    def kill(self) -> None:
        """The server ends, with what is on the disk, and is started again."""
        self.lives = False
        self.loop.run_until_complete(self.store.close())
        self.start()

    # -- what must hold

    @invariant()
    def rows_bytes_and_messages_agree(self) -> None:
        with sqlite3.connect(self.folder / "chat.db") as db:
            rows = db.execute("SELECT id, room, person, at, message FROM files").fetchall()
        db.close()
        assert {row[0]: [*row[1:]] for row in rows} == self.files
        assert {path.name for path in blobs_in(self.blobs.folder)} == self.files.keys()
        said: dict[tuple[str, int], tuple[str, tuple[str, ...]]] = {}
        for room in ROOMS:
            page = self.loop.run_until_complete(self.store.page(room, Asked("before", 999, 200)))
            for m in (saved.change for saved in page.changes):
                assert isinstance(m, Message)
                assert m.text or m.files
                said[room, m.id] = m.user, tuple(file.id for file in m.files)
        assert said == self.messages

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        assert not list((self.blobs.folder / "part").iterdir())
        shutil.rmtree(self.folder)


TestFiles = Files.TestCase
TestFiles.settings = settings(max_examples=30, stateful_step_count=25)
