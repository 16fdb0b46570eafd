"""One bit of rot anywhere in the file: the rest is served, or one line says what to do."""

import asyncio
import random
from pathlib import Path

import pytest

from chat.log.database import StoreError
from chat.log.operations import Append, Rewrite
from chat.log.store import Store
from chat.room.people import Directory
from chat.wire.codes import Refusal
from chat.wire.protocol import Message

FLIPS = 500
ROOMS = ("lobby", "other")
MANY = 1_000_000  # more than there is


def draft(room: str, number: int, text: str) -> Append:
    return Append(room, f"author{number % 3}", f"cid{number:06}", "Ana", 3, 1000 + number, text)


async def write(path: Path) -> None:
    """Two rooms with history, people, edits and deletions."""
    store = Store(path)
    directory = Directory(store)
    store.start()
    for name in ("Ana", "Bo", "Cleo"):
        await directory.join(name)
    for number in range(120):
        text = f"message {number} " + "lorem ipsum " * (number % 20)
        draft_ = draft(ROOMS[number % 2], number, text)
        await store.wrote(draft_)
    for id in (5, 9, 20):
        await store.wrote(Rewrite("lobby", f"author{(id - 1) * 2 % 3}", id, None, 7))
    await store.close()


async def read(store: Store) -> dict[tuple[str, int], Message]:
    """All there is, by what a page would ask."""
    found: dict[tuple[str, int], Message] = {}
    for room in ROOMS:
        for message in await store.before(room, MANY, MANY):
            found[room, message.id] = message
    return found


async def served(path: Path, whole: dict[tuple[str, int], Message]) -> str:
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


async def used(store: Store, people: Directory) -> dict[tuple[str, int], Message]:
    """Read everything in each way there is, and write in each way there is."""
    found = await read(store)
    for room in ROOMS:
        assert len(await store.newest(room, 500)) <= 500
        head = store.heads().get(room, 0)
        for message in await store.changes(room, 0, head, MANY):
            assert 0 <= message.rev <= head
            assert message.damaged or found.get((room, message.id), message) == message
        (message, _) = await store.wrote(draft(room, 998 + ROOMS.index(room), "and on"))
        assert message.text == "and on"
    try:
        await people.join("Somebody")
    except Refusal as refusal:
        assert refusal.code == "failed"
    return found


def compared(found: dict[tuple[str, int], Message], whole: dict[tuple[str, int], Message]) -> str:
    other = {key for key, message in whole.items() if found.get(key) != message}
    for key in other:
        assert key not in found or found[key].damaged, f"{whole[key]} is shown as {found[key]}"
    assert len(other) <= 1, "one bit took more than one message"
    return "damaged" if other else "as it was"


@pytest.mark.slow
def test_one_flipped_bit_takes_nothing_else_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "chat.db"
    asyncio.run(write(path))
    data = path.read_bytes()

    async def whole() -> dict[tuple[str, int], Message]:
        store = Store(path)
        store.start()
        try:
            return await read(store)
        finally:
            await store.close()

    before = asyncio.run(whole())
    assert len(before) == 117
    dice, became, again = random.Random(7), [], 0
    for number in range(FLIPS):
        spot, bit = dice.randrange(len(data)), dice.randrange(8)
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(data[:spot] + bytes([data[spot] ^ 1 << bit]) + data[spot + 1 :])
        try:
            outcome = asyncio.run(served(copy, before))
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
