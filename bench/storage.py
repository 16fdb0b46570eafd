"""How a log lies in SQLite: what each shape of the table costs, and what it leaves of erased texts.

    python bench/storage.py [--messages 40000] [--texts 10000]

`before` is one row a message, updated in place, without a rowid. `row` appends every state with
its bytes in the row and leaves a replaced one as a shell of zeros without its key. `bodies` keeps
the bytes in a table of their own, zeroed in place. Each is measured as the server has it (its
pragmas, commits of 64, one connection that writes), by the CPU time of the thread that does it.
"""

from __future__ import annotations

import argparse
import random
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from time import thread_time

from shapes import PAGE, Before, Bodies, Message, Row, Shape, row_of

COMMIT = 64  # writes a commit
KEPT = 10  # one in so many commands is young enough that its cid is kept
ROOMS = 12
LONGEST = 4_000  # bytes of a text
MARK = re.compile(rb"~[0-9a-z]{4}")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class RowBlob(Row):
    """The zeros are written through the blob first, then the key is taken away."""

    def erase(self, n: int) -> None:
        self.zero(n)
        self.unkey(n)

    def zero(self, n: int) -> None:
        """Overwrite the bytes where they lie."""
        with self.db.blobopen("things", "body", n) as blob:
            blob.write(bytes(len(blob)))

    def unkey(self, n: int) -> None:
        """Take the key away, which makes the row shorter."""
        self.db.execute(f"UPDATE things SET {self.KEYLESS} WHERE n = ?", (n,))


class RowKeys(RowBlob):
    """The other way round: the key first, then the zeros."""

    def erase(self, n: int) -> None:
        self.unkey(n)
        self.zero(n)


class RowDeleted(RowBlob):
    """No shells: the zeroed row is deleted."""

    def unkey(self, n: int) -> None:
        self.db.execute("DELETE FROM things WHERE n = ?", (n,))


class RowInPlace(Row):
    """No shells: the newer state is written over the older row."""

    def replace(self, n: int, room: int, message: Message) -> None:
        self.db.execute(
            "UPDATE things SET room = ?, kind = ?, id = ?, sub = ?, rev = ?, at = ?, author = ?,"
            " body = ?, sum = ? WHERE n = ?",
            (*row_of(room, message), n),
        )


COMPARED: dict[str, type[Shape]] = {"before": Before, "row": Row, "bodies": Bodies}
VARIANTS: dict[str, type[Shape]] = COMPARED | {
    "row, zeros by blob, then key": RowBlob,
    "row, key, then zeros by blob": RowKeys,
    "row, zeroed and deleted": RowDeleted,
    "row, updated in place": RowInPlace,
}


def commits(shape: Shape, writes: Iterable[Callable[[], object]]) -> float:
    """Do all of them, some a commit; microseconds of CPU for one."""
    todo, begun = list(writes), thread_time()
    for first in range(0, len(todo), COMMIT):
        shape.db.execute("BEGIN IMMEDIATE")
        for write in todo[first : first + COMMIT]:
            write()
        shape.db.execute("COMMIT")
    return (thread_time() - begun) / len(todo) * 1e6


def costs(shape: Shape, path: Path, messages: int) -> list[float]:
    """What is printed of one shape."""
    chance = random.Random(1)
    shape.kept = messages // KEPT
    text = "Is anyone else seeing the build fail? It worked for me an hour ago. " * 2
    rooms = [chance.randrange(ROOMS) for _ in range(messages)]
    said = commits(shape, (lambda room=room: shape.say(room, text) for room in rooms))
    some = [(room, chance.randint(1, shape.revs[room] // 2)) for room in rooms[: messages // 20]]
    some = list(dict.fromkeys(some))
    edited = commits(
        shape, (lambda one=one: shape.edit(*one, text + text[: one[1] % 60]) for one in some)
    )
    read = [times(get, shape, chance) for get in (shape.page, shape.since)]
    shape.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = path.stat().st_size - 4096 * shape.db.execute("PRAGMA freelist_count").fetchone()[0]
    return [said, edited, *read, size / messages]


def times(get: Callable[[int, int], bytes], shape: Shape, chance: random.Random) -> float:
    """Microseconds of CPU of one page or batch, anywhere in the log."""
    took = []
    for _ in range(300):
        room = chance.randrange(ROOMS)
        at = chance.randint(PAGE + 1, shape.revs[room] - PAGE)
        begun = thread_time()
        get(room, at)
        took.append(thread_time() - begun)
    return median(took) * 1e6


class History:
    """A random history, where each text has a mark that no other has."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self.shape, self.chance = shape, random.Random(seed)
        self.living: dict[tuple[int, int], bytes] = {}
        self.places: list[tuple[int, int]] = []
        self.erased: set[bytes] = set()
        self.marks = 0

    def text(self) -> str:
        """Some bytes, most often few; the mark stands in it from end to end."""
        self.marks += 1
        mark = "~" + "".join(DIGITS[self.marks // 36**power % 36] for power in (3, 2, 1, 0))
        size = int(5 * (LONGEST / 5) ** self.chance.random())
        return mark + (f"...{mark}" * (size // 8))[: size - 5]

    def step(self, room: int) -> None:
        """Say something here; and now and then edit or delete, anywhere."""
        text = self.text()
        place = (room, self.shape.say(room, text))
        self.living[place] = text[:5].encode()
        self.places.append(place)
        place = self.chance.choice(self.places)
        if self.chance.random() < 0.2 and place in self.living:
            self.change(*place)

    def run(self, texts: int) -> None:
        """Rooms are written one after the other for a while, and then all at once."""
        rooms: list[int] = []
        while len(rooms) < texts:
            alone = self.chance.random() < 0.5
            some = [self.chance.randrange(ROOMS)] if alone else range(ROOMS)
            rooms += self.chance.choices(some, k=self.chance.randint(1, 500))
        commits(self.shape, (lambda room=room: self.step(room) for room in rooms[:texts]))

    def end(self) -> None:
        """Erase most of what lives: a copy of that is no less wrong, it only was not one so far."""
        some = self.chance.sample(sorted(self.living), len(self.living) * 9 // 10)
        commits(self.shape, (lambda place=place: self.change(*place) for place in some))

    def change(self, room: int, id: int) -> None:
        """Edit or delete a message."""
        self.erased.add(self.living.pop((room, id)))
        if self.chance.random() < 0.5:
            return self.shape.delete(room, id)
        text = self.text()
        self.shape.edit(room, id, text)
        self.living[room, id] = text[:5].encode()


def left(kind: type[Shape], texts: int) -> Iterator[str]:
    """How many erased texts are still in the files, of how many: as it goes, and after its end."""
    with tempfile.TemporaryDirectory() as folder:
        shape = kind(Path(folder) / "chat.db")
        with closing(shape.db):
            history = History(shape, seed=1)
            history.run(texts)
            yield found(history, Path(folder))
            history.end()
            yield found(history, Path(folder))


def found(history: History, folder: Path) -> str:
    """What a search of the files finds when the journal is empty.

    Raises AssertionError if a living text is not found: then looking for them says nothing.
    """
    history.shape.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    marks = {mark for file in folder.iterdir() for mark in MARK.findall(file.read_bytes())}
    assert marks >= set(history.living.values())
    return f"{len(marks & history.erased)} of {len(history.erased)}"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--messages", type=int, default=40_000)
    options.add_argument("--texts", type=int, default=10_000)
    chosen = options.parse_args()
    print(f"SQLite {sqlite3.sqlite_version}, {chosen.messages:,} messages, microseconds of CPU")
    print(f"{'':9}{'insert':>9}{'edit':>9}{'page':>9}{'batch':>9}{'bytes a message':>18}")
    for name, kind in COMPARED.items():
        with tempfile.TemporaryDirectory() as folder:
            shape = kind(path := Path(folder) / "chat.db")
            with closing(shape.db):
                *cpu, size = costs(shape, path, chosen.messages)
        print(f"{name:9}" + "".join(f"{number:9.1f}" for number in cpu) + f"{size:18.0f}")
    print(f"\n{'erased texts still in the files':31}{'a fifth erased':>15}{'nearly all':>18}")
    for name, kind in VARIANTS.items():
        some, most = left(kind, chosen.texts)
        print(f"{name:31}{some:>15}{most:>18}")


if __name__ == "__main__":
    main()
