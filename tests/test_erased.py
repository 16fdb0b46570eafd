"""What is edited or deleted is in no file of the data folder once the journal is empty."""

import asyncio
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_store import append, arrange, cid_of, react, remove, rewrite
from worlds import held

from chat.datafolder import Folder
from chat.log.operations import Deposit, Expire, Govern, Piece
from chat.log.store import Store
from chat.wire.protocol import Attachment

MARK = re.compile(rb"~[0-9a-z]{4}")
ROOMS = 12
LATER = 5_000_000_000_000  # UTC milliseconds
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class History:
    """Random commands to many rooms; each text has a mark that stands in it from end to end, so
    that a part of one is found too."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance = store, random.Random(seed)
        self.living: dict[tuple[str, int], str] = {}
        self.topics: dict[str, str] = {}
        self.files: dict[tuple[str, int], str] = {}  # what is said of the file of a message
        self.spam: set[tuple[str, int]] = set()  # messages of somebody whose all goes now and then
        self.erased: set[str] = set()
        self.number = 0

    def text(self, largest: int = 4_000) -> str:
        """5 bytes to the largest, most often few."""
        self.number += 1
        mark = "~" + "".join(DIGITS[self.number // 36**power % 36] for power in (3, 2, 1, 0))
        size = int(5 * (largest // 5) ** self.chance.random())
        return mark + (f"...{mark}" * (size // 8))[: size - 5]

    async def say(self, room: str) -> None:
        """A new message."""
        text, spam = self.text(), self.chance.random() < 0.1
        said = append(text=text, room=room, author="s" if spam else "a")
        answered = self.chance.choice([None, *(id for where, id in self.living if where == room)])
        meant = {"b": text[:5]} if self.chance.random() < 0.5 else {}
        about = self.text(500) if self.chance.random() < 0.3 else ""
        files = [await self.upload(room, about, said.author)] if about else []
        saved = await self.store.wrote(replace(said, reply=answered, mentions=meant, files=files))
        self.living[room, saved.rev] = text[:5]
        if spam:
            self.spam.add((room, saved.rev))
        if about:
            self.files[room, saved.rev] = about[:5]

    async def upload(self, room: str, about: str, author: str) -> Attachment:
        """A file, its name and its description."""
        id = f"file-{self.number:017}"
        await self.store.wrote(Deposit(id, room, author, "image/png", 1, 1, 1, b"sha", 1))
        return Attachment(id, f"{about[:5]}.png", about)

    async def arrange(self, room: str) -> None:
        """Another topic."""
        text = self.text(200)
        self.erased |= {self.topics[room]} if room in self.topics else set()
        self.topics[room] = text[:5]
        await self.store.wrote(arrange(text, room=room))

    async def change(self, room: str, id: int) -> None:
        """Something becomes of a message."""
        kind = self.chance.choice(("edit", "delete", "react"))
        if kind == "react":
            on, who = self.chance.random() < 0.6, self.chance.choice("bc")
            await self.store.wrote(react(id, on, author=who, room=room))
            return
        author = "s" if (room, id) in self.spam else "a"
        if kind == "delete":
            self.goes(room, id)
            await self.store.wrote(remove(id, room=room, author=author))
            return
        self.erased.add(self.living.pop((room, id)))
        text = self.text()
        await self.store.wrote(rewrite(id, text, room=room, author=author))
        self.living[room, id] = text[:5]

    def goes(self, room: str, id: int) -> None:
        """A message is no more."""
        self.spam.discard((room, id))
        self.erased.add(self.living.pop((room, id)))
        self.erased |= {self.files.pop((room, id))} if (room, id) in self.files else set()

    async def wipe(self) -> None:
        """All that one person wrote goes, everywhere."""
        self.store._commits._writer.wiping.wipe(["s"], 0, LATER)
        for place in tuple(self.spam):
            self.goes(*place)
        while (await self.store.wrote(Piece(LATER))).more:
            pass

    async def expire(self, room: str) -> None:
        """Nothing that was said in this room is kept."""
        for place in [place for place in self.living if place[0] == room]:
            self.goes(*place)
        who = "a", cid_of(None), "A", 2000
        await self.store.wrote(Govern(room, *who, None, "", {"keep": self.chance.randrange(9)}))
        while (await self.store.wrote(Expire(room, LATER))).more:
            pass

    async def run(self, texts: int) -> None:
        """In rounds of about 90 commands that share a commit: all rooms at once, or one alone.

        At the end nearly all is erased: what a page kept of a text while it lived is no less wrong.
        """
        for _ in range(texts // 64):
            alone = self.chance.random() < 0.5
            rooms = (
                [f"r{self.chance.randrange(ROOMS)}"] if alone else [f"r{n}" for n in range(ROOMS)]
            )
            doing: list[Any] = [self.say(self.chance.choice(rooms)) for _ in range(64)]
            some = self.chance.sample(sorted(self.living), min(20, len(self.living)))
            doing += [self.change(*place) for place in some]
            if self.chance.random() < 0.3:
                doing.append(self.arrange(self.chance.choice(rooms)))
            self.chance.shuffle(doing)
            await asyncio.gather(*doing)
            if self.chance.random() < 0.2:
                await self.wipe()
            if self.chance.random() < 0.1:
                await self.expire(self.chance.choice(rooms))
        places = self.chance.sample(sorted(self.living), len(self.living) * 9 // 10)
        for first in range(0, len(places), 64):
            await asyncio.gather(*(self.change(*place) for place in places[first : first + 64]))


@pytest.mark.parametrize("seed", range(3))
def test_no_erased_text_is_in_any_file(tmp_path: Path, seed: int) -> None:
    def found() -> set[str]:
        return {m.decode() for file in data.iterdir() for m in MARK.findall(file.read_bytes())}

    async def main() -> History:
        store = Store(data / "chat.db")
        held(data / "chat.db", "a", role="owner")
        held(data / "chat.db", "b", "c", "s")
        assert store._db.execute("PRAGMA temp_store").fetchone() == (2,), "nor in a file elsewhere"
        store.start()
        history = History(store, seed)
        await history.run(6_000)
        while store._commits._erased:  # the journal is not yet empty
            await asyncio.sleep(0.01)
        assert not found() & history.erased, "also while it runs"
        await store.close()
        return history

    data = tmp_path / "data"
    Folder(data).close()
    history = asyncio.run(main())
    living = {*history.living.values(), *history.topics.values(), *history.files.values()}
    assert found() >= living, "what is there is found: looking means something"
    assert len(history.erased) > 1_000
    assert not found() & history.erased
