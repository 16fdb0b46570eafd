"""chat/log/cids.py, and Hub.tidy: a command is done once in seven days, and what is old goes."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from histories import kept
from test_store import append, arrange, in_store, react, remove, rewrite, table

from chat.log import upkeep
from chat.log.operations import Lasting, Operation, Tidy
from chat.log.reader import Asked
from chat.log.store import Store
from chat.room import hub as module
from chat.room.authority import Authority
from chat.room.hub import DAY, KNOWN, TOLD, Hub
from chat.rules.pace import Pace
from chat.tasks import Tasks
from chat.wire.codes import Refusal
from chat.wire.frames import Saved
from chat.wire.passing import Done

COMMANDS: list[Callable[[str], Lasting]] = [
    lambda cid: append(cid),
    lambda cid: replace(append(cid, "an answer"), reply=1),
    lambda cid: rewrite(1, "better", cid=cid),
    lambda cid: remove(1, cid=cid),
    lambda cid: react(1, author="a", cid=cid),
    lambda cid: arrange("Food", cid=cid),
]


def known(path: Path) -> list[str]:
    return [cid for (cid,) in table(path, "SELECT cid FROM cids ORDER BY n")]


def hub_of(store: Store) -> Hub:
    """One that starts now."""
    return Hub(store, Tasks(), Pace(0), Authority(store, lambda user: True))


def with_hub(path: Path, body: Callable[[Store, Hub], Awaitable[None]]) -> None:
    async def run(store: Store) -> None:
        await body(store, hub_of(store))

    in_store(path, run)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_done_once_also_after_a_restart(
    tmp_path: Path, command: Callable[[str], Lasting]
) -> None:
    done: list[Saved] = []

    async def before(store: Store) -> None:
        await store.wrote(append())
        done.append(await store.wrote(command("cid00001")))
        assert await store.wrote(command("cid00001")) == Done("cid00001", done[0].rev)

    async def after(store: Store) -> None:
        await store.wrote(append())
        assert await store.wrote(command("cid00001")) == Done("cid00001", done[0].rev)

    in_store(tmp_path, before)
    in_store(tmp_path, after)


@pytest.mark.parametrize("first", COMMANDS)
def test_a_cid_is_of_one_thing_that_was_asked_for(
    tmp_path: Path, first: Callable[[str], Lasting]
) -> None:
    async def body(store: Store) -> None:
        for _ in range(2):
            await store.wrote(append())
        await store.wrote(append(room="other"))
        await store.wrote(first("cid00001"))
        head = store.standings()["lobby"]
        others = [command("cid00001") for command in COMMANDS if command is not first]
        others += [
            append("cid00001", "hi", room="other"),
            append("cid00001", "hi", room="none"),
            append("cid00001", "hello"),
            rewrite(2, "better", cid="cid00001"),
            rewrite(1, "best", cid="cid00001"),
            remove(2, cid="cid00001"),
            react(1, emoji="🎉", author="a", cid="cid00001"),
            react(1, False, author="a", cid="cid00001"),
            arrange("Drinks", cid="cid00001"),
        ]
        for op in others:
            with pytest.raises(Refusal, match="cid_reused"):
                await store.wrote(op)
        assert store.standings()["lobby"] == head
        assert "none" not in store.standings()

    in_store(tmp_path, body)


def test_what_is_refused_is_not_remembered_and_what_changes_nothing_is(tmp_path: Path) -> None:
    async def body(store: Store) -> None:
        with pytest.raises(Refusal, match="empty"):
            await store.wrote(append("cid00001", " "))
        await store.wrote(append("cid00001"))  # in another form: nothing stands in its way
        with pytest.raises(Refusal, match="not_yours"):
            await store.wrote(remove(1, author="b", cid="cid00002"))
        with pytest.raises(Refusal, match="not_found"):
            await store.wrote(remove(9, cid="cid00002"))
        assert await store.wrote(rewrite(1, "hi", cid="cid00003")) == Done("cid00003", 1)
        await store.wrote(rewrite(1, "better"))
        assert await store.wrote(rewrite(1, "hi", cid="cid00003")) == Done("cid00003", 1), (
            "it is not done now that it would change something"
        )
        await store.wrote(remove(1, cid="cid00004"))
        for op in (rewrite(1, "hi", cid="cid00005"), react(1, cid="cid00006")):
            with pytest.raises(Refusal, match="deleted"):
                await store.wrote(op)

    in_store(tmp_path, body)
    found = known(tmp_path)
    assert [cid for cid in found if cid.startswith("cid")] == ["cid00001", "cid00003", "cid00004"]


def test_nothing_is_left_by_which_an_erased_text_could_be_guessed(tmp_path: Path) -> None:
    def digests() -> dict[str, object]:
        return dict(table(tmp_path, "SELECT cid, digest FROM cids"))

    async def body(store: Store) -> None:
        await store.wrote(append("cid00001", "one"))
        await store.wrote(append("cid00002", "two"))
        await store.wrote(rewrite(1, "better", cid="cid00003"))
        assert {cid: digest is None for cid, digest in digests().items()} == {
            "cid00001": True, "cid00002": False, "cid00003": False
        }  # fmt: skip
        await store.wrote(remove(1, cid="cid00004"))
        assert digests()["cid00003"] is None
        assert digests()["cid00002"] is not None
        again = rewrite(1, "better", cid="cid00003")
        assert await store.wrote(again) == Done("cid00003", 3), "still known, whatever it says"

    in_store(tmp_path, body)


def test_a_command_is_known_for_seven_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100 * DAY]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])

    async def body(store: Store, hub: Hub) -> None:
        await store.wrote(append("cid00001", at=now[0]))
        now[0] += KNOWN - 1
        await hub.tidy()
        assert known(tmp_path) == ["cid00001"]
        now[0] += 2
        await hub.tidy()
        assert known(tmp_path) == []

    assert KNOWN == 7 * 24 * 3600 * 1000
    with_hub(tmp_path, body)


def test_what_is_old_is_forgotten_in_bounded_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "SOME", 7)
    monkeypatch.setattr(module, "now_ms", lambda: 100 * DAY)
    steps: list[tuple[int, int]] = []

    def left() -> tuple[int, int]:
        ((cids,),) = table(tmp_path, "SELECT count(*) FROM cids")
        ((tombs,),) = table(tmp_path, "SELECT count(*) FROM things WHERE tomb")
        return cids, tombs

    async def body(store: Store, _: Hub) -> None:
        for number in range(15):
            await store.wrote(append(at=DAY, room=f"r{number % 2}"))
        for number in range(15):
            await store.wrote(remove(number // 2 + 1, at=DAY, room=f"r{number % 2}"))
        await store.wrote(append(at=99 * DAY))
        wrote = store.wrote

        async def counted(op: Tidy) -> object:
            before = left()
            outcome = await wrote(op)
            steps.append((before[0] - left()[0], before[1] - left()[1]))
            return outcome

        hub = hub_of(store)
        monkeypatch.setattr(store, "wrote", counted)
        await hub.tidy()
        assert left() == (1, 0)

    with_hub(tmp_path, body)
    assert max(max(step) for step in steps) == 7
    assert [sum(counts) for counts in zip(*steps, strict=True)] == [30, 15]


def test_what_is_gone_is_told_for_thirty_days_and_then_raises_the_floor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100 * DAY]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])

    async def body(store: Store, _: Hub) -> None:
        for room in ("lobby", "lobby", "other"):
            await store.wrote(append(room=room, at=now[0]))
        await store.wrote(react(2, at=now[0]))
        await store.wrote(react(2, False, at=now[0]))  # rev 4
        await store.wrote(remove(1, at=now[0]))  # rev 5
        now[0] += DAY
        await store.wrote(react(2, author="c", at=now[0]))  # rev 6
        await store.wrote(remove(2, at=now[0]))  # rev 7
        hub = hub_of(store)
        standings = hub._standings
        now[0] += TOLD - DAY - 1
        await hub.tidy()
        assert table(tmp_path, "SELECT name, floor FROM rooms") == [("lobby", 0), ("other", 0)]
        now[0] += 2
        await hub.tidy()
        assert {name: (s.rev, s.floor) for name, s in standings.items()} == {
            "lobby": (7, 5), "other": (1, 0)
        }  # fmt: skip
        assert [saved.rev for saved in await store.changes("lobby", 0, 99, 99)] == [7]
        page = await store.page("lobby", Asked("since", 0, 99))
        assert [saved.key for saved in page.changes] == [("gone", 7, "")]

    assert TOLD == 30 * 24 * 3600 * 1000
    with_hub(tmp_path, body)
    assert table(tmp_path, "SELECT name, floor FROM rooms") == [("lobby", 5), ("other", 0)]

    async def later(store: Store, hub: Hub) -> None:
        assert (hub._standings["lobby"].floor, hub._standings["lobby"].rev) == (5, 7)
        assert (await store.wrote(append())).rev == 8, "no rev is given twice"
        now[0] += DAY
        await hub.tidy()
        assert hub._standings["lobby"].floor == 7

    with_hub(tmp_path, later)
    assert kept(tmp_path / "chat.db", "gone") == []


def test_the_floor_stands_before_anything_below_it_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or whoever reads in between is not told what went, and does not know it."""
    monkeypatch.setattr(module, "now_ms", lambda: 100 * DAY)
    stood: list[int] = []

    async def body(store: Store, _: Hub) -> None:
        await store.wrote(append(at=DAY))
        await store.wrote(remove(1, at=DAY))
        hub, wrote = hub_of(store), store.wrote

        async def watched(op: Operation) -> object:
            if isinstance(op, Tidy):
                stood.append(hub._standings["lobby"].floor)
            return await wrote(op)

        monkeypatch.setattr(store, "wrote", watched)
        await hub.tidy()

    with_hub(tmp_path, body)
    assert set(stood) == {2}
    assert kept(tmp_path / "chat.db", "gone") == []


@pytest.mark.parametrize("rot", ["rev = 4000000000", "room = 77", "body = x'00'"])
def test_a_damaged_tomb_neither_stops_the_forgetting_nor_shuts_anybody_out(
    tmp_path: Path, rot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "now_ms", lambda: 100 * DAY)

    async def write(store: Store) -> None:
        for _ in range(3):
            await store.wrote(append())
        for id in (1, 2):
            await store.wrote(remove(id, at=DAY))

    async def body(store: Store, hub: Hub) -> None:
        await hub.tidy()
        assert hub._standings["lobby"].floor <= 5
        assert table(tmp_path, "SELECT count(*) FROM things WHERE tomb") == [(0,)]
        await store.wrote(append())

    in_store(tmp_path, write)
    table(tmp_path, f"UPDATE things SET {rot} WHERE kind = 'gone' AND rev = 4")
    with_hub(tmp_path, body)
