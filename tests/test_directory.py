"""chat/room/people.py: a name is held by one person, for as long as that person comes by."""

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET as ABSENT

from chat.log.operations import Append
from chat.log.store import Outcome, Store
from chat.room import people as module
from chat.room.people import DAY, HELD, MINUTE, SILENT, UNUSED, Directory, NameTaken
from chat.wire.codes import Refusal
from chat.wire.protocol import Person


def with_directory(
    path: Path, body: Callable[[Directory], Awaitable[None]], kind: type[Store] = Store
) -> None:
    async def main() -> None:
        store = kind(path / "chat.db")
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


@pytest.mark.parametrize("role", ["owner", "moderator", "bot"])
def test_nobody_takes_the_name_of_who_looks_after_the_chat(
    tmp_path: Path, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long they were not seen; the writer refuses it too, whose table is the newer one."""
    now = [module.now_ms()]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])

    async def body(directory: Directory) -> None:
        ana, bea = await directory.join("Ana"), await directory.join("Bea")
        now[0] += HELD + DAY
        with closing(sqlite3.connect(tmp_path / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = ? WHERE id = ?", (role, ana.user))
        with pytest.raises(Refusal, match="name_taken"):
            await directory.join("ana")
        with pytest.raises(Refusal, match="name_taken"):
            await directory.rename(bea.user, "Ana")
        directory.badge = lambda user: role if user == ana.user else ABSENT
        with pytest.raises(NameTaken):
            directory.check("Ana")
        assert directory.find(ana.user) is not None
        assert (await directory.join("Bea")).user != bea.user

    with_directory(tmp_path, body)


def test_a_name_that_could_not_be_saved_is_still_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(directory: Directory) -> None:
        monkeypatch.setattr("chat.log.store.QUEUE", 0)
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


def held(path: Path) -> set[tuple[str, str]]:
    """Who holds which name, as the table says."""
    db = sqlite3.connect(path / "chat.db")
    try:
        return set(db.execute("SELECT id, skeleton FROM users WHERE skeleton IS NOT NULL"))
    finally:
        db.close()


def in_memory(directory: Directory) -> set[tuple[str, str]]:
    return {(id, skeleton) for skeleton, id in directory._holders.items()}


class Refusing(Store):
    """A store that refuses a fifth of the writes, as a full queue or a full disk does."""

    dice = random.Random(0)

    def write(self, work: Any, done: Outcome) -> None:
        """Refuse, or save."""
        if self.dice.random() < 0.2:
            asyncio.get_running_loop().call_soon(done, Refusal("full", 2000))
        else:
            super().write(work, done)


@pytest.mark.parametrize("kind", [Store, Refusing])
@pytest.mark.parametrize("seed", range(10))
def test_whatever_people_do_at_once_memory_and_table_agree(
    tmp_path: Path, kind: type[Store], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty joins, renames and sign-outs in flight at once, some of them under an expired name."""
    dice, now, names = random.Random(seed), [module.now_ms()], ["Ana", "ana", "Bo", "Cleo", "Di"]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])
    Refusing.dice = random.Random(seed)

    async def act(directory: Directory, people: list[Person]) -> None:
        await asyncio.sleep(0)
        someone = dice.choice(people).user if people else "nobody"
        kind = dice.random()
        if kind < 0.5:
            people.append(await directory.join(dice.choice(names)))
        elif kind < 0.75:
            await directory.rename(someone, dice.choice(names))
        elif kind < 0.95:
            await directory.leave(someone)
        else:
            now[0] += HELD + DAY

    async def body(directory: Directory) -> None:
        people: list[Person] = []
        acts = [act(directory, people) for _ in range(60)]
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        assert all(isinstance(outcome, Refusal | None) for outcome in outcomes), outcomes
        assert in_memory(directory) == held(tmp_path)
        assert sum(directory._colors) == len(directory)
        codes = {o.code for o in outcomes if isinstance(o, Refusal)}
        assert "failed" not in codes  # no write breaks a rule of the table

    with_directory(tmp_path, body, kind)


def test_a_refused_sign_out_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(directory: Directory) -> None:
        ana = await directory.join("Ana")
        monkeypatch.setattr("chat.log.store.QUEUE", 0)
        with pytest.raises(Refusal, match="busy"):
            await directory.leave(ana.user)
        assert directory.find(ana.user) == ana
        monkeypatch.undo()
        with pytest.raises(NameTaken):
            await directory.join("Ana")
        await directory.leave(ana.user)
        await directory.join("Ana")

    with_directory(tmp_path, body)


def test_rooms_hear_of_a_rename_and_of_a_sign_out_from_the_directory(tmp_path: Path) -> None:
    told: list[object] = []

    async def main() -> None:
        store = Store(tmp_path / "chat.db")
        directory = Directory(store)
        directory.renamed = directory.left = told.append
        store.start()
        ana = await directory.join("Ana")
        bea = await directory.rename(ana.user, "Bea")
        await directory.leave(ana.user)
        await store.close()
        assert told == [bea, ana.user]

    asyncio.run(main())


def test_a_taken_name_is_quoted_as_its_holder_writes_it(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        await directory.join("Ana Ruiz")
        with pytest.raises(NameTaken, match="name_taken") as taken:
            directory.check("ana ruiz")
        assert taken.value.detail == "Someone here is already called Ana Ruiz."

    with_directory(tmp_path, body)


def test_who_made_nothing_of_a_name_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never in a room: after an hour. Never a word: after a week. Else: kept."""
    now = [module.now_ms()]
    monkeypatch.setattr(module, "now_ms", lambda: now[0])

    async def body(directory: Directory) -> None:
        unused, silent, spoke = [await directory.join(name) for name in ("Una", "Sil", "Spo")]
        for person in (silent, spoke):
            assert directory.first_time(person.user)
        draft = Append("lobby", spoke.user, "cid00001", "Spo", 0, 0, "a word")
        await directory._store.wrote(draft)
        now[0] += UNUSED + MINUTE
        await directory.tidy([])
        assert [directory.find(p.user) for p in (unused, silent, spoke)] == [None, silent, spoke]
        now[0] += SILENT
        await directory.tidy([silent.user])  # still here
        assert directory.find(silent.user) == silent
        now[0] += SILENT + DAY
        await directory.tidy([])
        assert [directory.find(p.user) for p in (silent, spoke)] == [None, spoke]
        assert in_memory(directory) == held(tmp_path)

    with_directory(tmp_path, body)


def test_a_name_with_many_like_it_is_offered_a_large_number(tmp_path: Path) -> None:
    async def body(directory: Directory) -> None:
        for name in ["Ana", *(f"Ana {number}" for number in range(2, 53))]:
            await directory.join(name)
        with pytest.raises(NameTaken) as taken:
            await directory.join("Ana")
        assert int(taken.value.suggestion.removeprefix("Ana ")) >= 1000

    with_directory(tmp_path, body)


def test_names_held_under_an_older_rule_are_kept_and_guarded_by_the_new_one(
    tmp_path: Path,
) -> None:
    """Two that look alike by now, and one that nobody could take any more."""
    people = {}

    async def before(directory: Directory) -> None:
        for name in ("Ana", "Bea", "Cleo"):
            people[name] = await directory.join(name)

    async def after(directory: Directory) -> None:
        named = {name: directory.find(person.user) for name, person in people.items()}
        assert [person and person.name for person in named.values()] == ["Ana", "\u0391na", "Ana."]
        for name in ("Ana", "\u0391\u039d\u0391", "An\u00b7a"):
            with pytest.raises(NameTaken):
                await directory.join(name)
        renamed = await directory.rename(people["Bea"].user, "Bea")
        assert renamed.name == "Bea"

    with_directory(tmp_path, before)
    with closing(sqlite3.connect(tmp_path / "chat.db")) as db, db:
        for at, (name, skeleton) in enumerate([("\u0391na", "older"), ("Ana.", "ana.")]):
            id = people[["Bea", "Cleo"][at]].user
            change = "UPDATE users SET name = ?, skeleton = ?, seen = seen + ? WHERE id = ?"
            db.execute(change, (name, skeleton, -1 - at, id))
        db.execute("DELETE FROM meta WHERE key = 'names'")
    with_directory(tmp_path, after)
