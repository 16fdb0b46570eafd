"""One bit of rot anywhere in the file: the rest is served, or one line says what to do."""

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from histories import older, say
from test_store import append, arrange, react, remove, rewrite
from worlds import held

from chat.log.database import StoreError, _in_use
from chat.log.operations import Keep, Mark, Reached
from chat.log.reader import Asked
from chat.log.reads import UNREAD, counts, stored
from chat.log.store import Store
from chat.room.people import Directory
from chat.wire.codes import Refusal
from chat.wire.frames import Saved
from chat.wire.protocol import Change, Message

FLIPS = 500
ROOMS = ("lobby", "other")
MANY = 1_000_000  # more than there is
Found = dict[tuple[str, tuple[str, int, str]], Change]  # by room and key


async def write(path: Path) -> None:
    """Two rooms with history, people, edits, deletions, reactions and topics."""
    store = Store(path)
    directory = Directory(store)
    store.start()
    for name in ("Ana", "Bo", "Cleo"):
        await directory.join(name)
    held(path, "0", "1", "2", "a", "b", "c")
    for number in range(120):
        text = f"message {number} " + "lorem ipsum " * (number % 20)
        await store.wrote(append(text=text, room=ROOMS[number % 2], author=f"{number % 3}"))
    for id in (5, 9, 20):
        await store.wrote(remove(id, author=f"{(id - 1) * 2 % 3}"))
        await store.wrote(rewrite(id + 1, "better", author=f"{id * 2 % 3}"))
        await store.wrote(react(id + 2))
        await store.wrote(react(id + 2, False))
        await store.wrote(react(id + 2, author="c"))
    for room in ROOMS:
        await store.wrote(arrange("Food", room=room))
    await store.close()


def write_older(path: Path) -> None:
    """The same in a file of the version before things."""
    with older(path, 3) as db:
        db.execute(
            "INSERT INTO users (id, name, skeleton, color, seen) VALUES ('a', 'A', 'a', 3, 7)"
        )
        for room, name in enumerate(ROOMS, 1):
            db.execute("INSERT INTO rooms VALUES (?, ?, 63, ?)", (room, name, name))
            for id in range(1, 61):
                say(db, room, id, f"message {id} " + "lorem ipsum " * (id % 20))
            for rev, id in enumerate((5, 9, 20), 61):
                db.execute("DELETE FROM messages WHERE room = ? AND id = ?", (room, id))
                deleted = room == 1
                text = "" if deleted else "better"
                say(db, room, id, text, rev=rev, deleted=int(deleted), edited=7 - 7 * deleted)


async def read(store: Store) -> Found:
    """All there is, by what a page would ask."""
    found: Found = {}
    for room in ROOMS:
        for kind in ("before", "since"):
            at = MANY if kind == "before" else 0
            page = await store.page(room, Asked(kind, at, MANY))
            while page.changes:
                found |= {(room, saved.key): saved.change for saved in page.changes}
                messages = [saved for saved in page.changes if saved.key[0] == "message"]
                at = page.changes[-1].rev if kind == "since" else messages[0].key[1]
                page = await store.page(room, Asked(kind, at, MANY))
    return found


async def served(path: Path, whole: Found) -> str:
    """Start on the damaged file and use it as people would; what became of it."""
    loop, died = asyncio.get_running_loop(), asyncio.Event()
    try:
        store = Store(path, die=lambda status: loop.call_soon_threadsafe(died.set))
        people = Directory(store)
    except StoreError as error:
        assert len(str(error).splitlines()) == 1
        return "refused"
    store.start()
    use, end = loop.create_task(used(store, people)), loop.create_task(died.wait())
    await asyncio.wait([use, end], return_when=asyncio.FIRST_COMPLETED)
    if died.is_set():
        use.cancel()
        await asyncio.gather(use, return_exceptions=True)
        store._commits.finish()
        await store._in_reader(lambda db: db.close())
        store._reader.shutdown()
        store._db.close()  # as the end of the process would: nothing is marked as closed
        return "ended"
    end.cancel()
    await store.close()
    return compared(await use, whole)


async def used(store: Store, people: Directory) -> Found:
    """Read everything in each way there is, and write in each way there is."""
    found = await read(store)
    for room in ROOMS:
        assert len(await store.newest(room, 500)) <= 500
        head = (await store.page(room, Asked("before", MANY, 1))).head
        for saved in await store.changes(room, 0, head, MANY):
            assert 0 <= saved.rev <= head
            other = found.get((room, saved.key), saved.change)
            assert other == saved.change or is_damaged(other) or is_damaged(saved.change)
        try:
            await changed(store, room, head)
        except Refusal as refusal:  # what is known of its author, or of the room, is damaged
            assert refusal.code in ("not_allowed", "bad_room")
    for user in tuple(people._users):
        marks = [Reached(user, room, 30) for room in ROOMS]
        assert all(0 <= count.unread <= UNREAD for count in await store.read(counts, marks))
        ((_, settings),) = await store.read(stored, [user])
        assert len(settings) <= 2
        try:
            await store.wrote(Mark((Reached(user, "lobby", 40), Reached(user, "other", None))))
            await store.wrote(Keep(user, {"theme": "light", "order": ""}))
        except Refusal as refusal:
            assert refusal.code == "failed"
    try:
        await people.join("Somebody")
    except Refusal as refusal:
        assert refusal.code == "failed"
    return found


async def changed(store: Store, room: str, head: int) -> None:
    """Say something, and change it, and what the room is about."""
    new: Saved = await store.wrote(append(text="and on", room=room))
    assert new.rev > head
    for op in (
        rewrite(new.rev, "and so on", room=room),
        remove(new.rev, room=room),
        arrange("Drinks", room=room),
    ):
        assert (await store.wrote(op)).rev > head


def is_damaged(change: Change) -> bool:
    return isinstance(change, Message) and change.damaged


def compared(found: Found, whole: Found) -> str:
    other = {key for key, change in whole.items() if found.get(key) != change}
    for key in other:
        got = found.get(key)
        assert got is None or is_damaged(got), f"{whole[key]} is shown as {got}"
    if len(other) > 1:
        return "hidden"
    return "damaged" if other else "as it was"


def ended_badly(path: Path) -> None:
    """As a file is left by a server that was killed: the next start checks all indexes."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'state'", (_in_use(path),))


async def whole(path: Path) -> Found:
    """All there is before anything is damaged."""
    store = Store(path)
    store.start()
    try:
        return await read(store)
    finally:
        await store.close()


@pytest.mark.slow
@pytest.mark.parametrize("version", [3, 4])
def test_one_flipped_bit_takes_nothing_else_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    """Also where the file is brought up to date by that start."""
    path = tmp_path / "chat.db"
    asyncio.run(write(path)) if version == 4 else write_older(path)
    data = path.read_bytes()
    before = asyncio.run(whole(path))
    assert sum(key[0] == "message" for _, key in before) == 117
    dice, became, again, hidden = random.Random(7), [], 0, 0
    for number in range(FLIPS // (5 - version)):
        spot, bit = dice.randrange(len(data)), dice.randrange(8)
        copy = tmp_path / f"{number}.db"
        rotten = data[:spot] + bytes([data[spot] ^ 1 << bit]) + data[spot + 1 :]
        copy.write_bytes(rotten)
        try:
            outcome = asyncio.run(served(copy, before))
            if outcome == "hidden":  # by an index, which is believed after a clean end
                copy.write_bytes(rotten)
                ended_badly(copy)
                assert asyncio.run(served(copy, before)) == "as it was"
                hidden += 1
                outcome = "as it was"
            if outcome == "ended":  # and starts again, as systemd would have it
                outcome = asyncio.run(served(copy, before))
                assert outcome != "ended"
                again += 1
            became.append(outcome)
        except BaseException as error:
            error.add_note(f"flip {number}: bit {bit} of byte {spot}")
            raise
        for leftover in tmp_path.glob(f"{number}.db*"):
            leftover.unlink()
        caplog.clear()
    print({kind: became.count(kind) for kind in ("as it was", "damaged", "refused")})
    print(f"{again} of them after the process had ended and started again")
    assert set(became) == {"as it was", "damaged", "refused"}
    assert hidden <= 5


async def mark(path: Path) -> None:
    """What the people in it have read and keep."""
    store = Store(path)
    store.start()
    for user in store.users():
        await store.wrote(Mark(tuple(Reached(user.id, room, 30) for room in ROOMS)))
        await store.wrote(Keep(user.id, {"theme": "dark", "order": " ".join(ROOMS)}))
    await store.close()


@pytest.mark.slow
def test_rot_in_what_people_have_read_harms_no_message(tmp_path: Path) -> None:
    """Each of these tables and indexes is one page in so small a file."""
    path = tmp_path / "chat.db"
    asyncio.run(write(path))
    asyncio.run(mark(path))
    data, dice = path.read_bytes(), random.Random(7)
    before = asyncio.run(whole(path))
    with closing(sqlite3.connect(path)) as db:
        roots = "SELECT rootpage FROM sqlite_schema WHERE name IN (?, ?, ?, ?)"
        pages = db.execute(roots, ("reads", "reads_room", "kept", "kept_key")).fetchall()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    became = []
    for (page,) in pages:
        filled = [n for n in range((page - 1) * size, page * size) if data[n]]
        for spot in dice.sample(filled, 12):
            copy = tmp_path / f"{spot}.db"
            rotten = bytes([data[spot] ^ 1 << dice.randrange(8)])
            copy.write_bytes(data[:spot] + rotten + data[spot + 1 :])
            outcome = asyncio.run(served(copy, before))
            if outcome == "ended":
                outcome = asyncio.run(served(copy, before))
            became.append(outcome)
    assert set(became) <= {"as it was", "refused"}
    print({kind: became.count(kind) for kind in set(became)})
    assert became.count("as it was") > len(became) / 2


def test_a_file_in_which_a_column_has_another_name_is_refused(tmp_path: Path) -> None:
    """SQLite itself sees nothing wrong in that."""
    path = tmp_path / "chat.db"
    asyncio.run(write(path))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("ALTER TABLE kept RENAME COLUMN value TO valuf")
    with pytest.raises(StoreError, match=r"it is damaged \(kept\.value is missing\)"):
        Store(path)
