"""chat/directory.py: a name is held by one person, for as long as that person comes by."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chat import directory as module
from chat.directory import DAY, Directory, NameTaken
from chat.protocol import Refusal
from chat.store import Store


def with_directory(path: Path, body: Callable[[Directory], Awaitable[None]]) -> None:
    async def main() -> None:
        store = Store(path / "chat.db")
        directory = Directory(store)
        store.start()
        try:
            await body(directory)
        finally:
            await store.close()

    asyncio.run(main())


def test_a_person_is_found_again_after_a_restart(tmp_path: Path) -> None:
    people = []

    async def before(directory: Directory) -> None:
        people.append(await directory.join(" Ana "))

    async def after(directory: Directory) -> None:
        assert directory.find(people[0].user) == people[0]
        assert people[0].name == "Ana"
        assert directory.find("nobody") is None

    with_directory(tmp_path, before)
    with_directory(tmp_path, after)


@pytest.mark.parametrize("other", ["Ana", "ANA", "Ａｎａ", "An a"])
def test_a_name_that_looks_the_same_is_taken_and_a_free_one_is_offered(
    tmp_path: Path, other: str
) -> None:
    async def body(directory: Directory) -> None:
        await directory.join("Ana")
        await directory.join("Ana 2")
        with pytest.raises(NameTaken) as taken:
            await directory.join(other)
        assert taken.value.detail.startswith("Someone here is already called")
        assert (await directory.join(taken.value.suggestion)).name == taken.value.suggestion

    with_directory(tmp_path, body)


def test_two_people_who_ask_at_once_are_not_both_given_the_name(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        outcomes = await asyncio.gather(
            directory.join("Ana"), directory.join("ana"), return_exceptions=True
        )
        assert [isinstance(outcome, NameTaken) for outcome in outcomes] == [False, True]

    with_directory(tmp_path, body)


def test_a_rename_keeps_the_person_and_frees_the_old_name(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        ana = await directory.join("Ana")
        renamed = await directory.rename(ana.user, "Bea")
        assert (renamed.user, renamed.name, renamed.color) == (ana.user, "Bea", ana.color)
        await directory.join("Ana")
        await directory.rename(ana.user, "BEA")
        with pytest.raises(NameTaken):
            await directory.rename(ana.user, "ana")
        with pytest.raises(Refusal, match="sign_in"):
            await directory.rename("nobody", "Cleo")

    with_directory(tmp_path, body)


def test_who_signs_out_is_gone_and_the_name_is_free(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        ana = await directory.join("Ana")
        await directory.leave(ana.user)
        assert directory.find(ana.user) is None
        assert (await directory.join("Ana")).user != ana.user
        await directory.leave("nobody")

    with_directory(tmp_path, body)


def test_a_holder_not_seen_for_ninety_days_gives_the_name_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [module.now_ms()]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])

    async def body(directory: Directory) -> None:
        ana = await directory.join("Ana")
        now[0] += 89 * DAY
        directory.seen(ana.user)
        now[0] += 89 * DAY
        with pytest.raises(NameTaken):
            await directory.join("Ana")
        now[0] += 2 * DAY
        assert (await directory.join("Ana")).user != ana.user
        assert directory.find(ana.user) is None

    with_directory(tmp_path, body)


def test_a_name_that_could_not_be_saved_is_still_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(directory: Directory) -> None:
        monkeypatch.setattr("chat.store.QUEUE", 0)
        with pytest.raises(Refusal, match="busy"):
            await directory.join("Ana")
        monkeypatch.undo()
        await directory.join("Ana")

    with_directory(tmp_path, body)


def test_the_first_time_is_once(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        ana = await directory.join("Ana")
        assert [directory.first_time(ana.user) for _ in range(2)] == [True, False]
        assert not directory.first_time("nobody")

    with_directory(tmp_path, body)
