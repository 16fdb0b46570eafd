"""room/marks.py and what belongs to it: what people have read and keep, on all their devices."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Wire, join
from serving import Process, Site
from test_store import in_store
from worlds import World

from chat.log import reads
from chat.log.backup import backup
from chat.log.commits import Outcome
from chat.log.operations import Forget, Keep, Mark, Operation, Reached
from chat.log.reads import TABLES, stored
from chat.log.restore import restore
from chat.log.store import Store
from chat.room import belongings, tidings, unwritten
from chat.rules.kept import KEYS
from chat.wire.codes import BEHIND, Refusal

Told = dict[str, tuple[int, int]]


class Devices:
    """One person's devices: each is a tab in a room, which hears what it is told."""

    def __init__(self, site: Site, name: str | None = None) -> None:
        self.site = site
        self.cookie = site.join(name=name)
        self.tabs: list[Wire] = []

    def wire(self, room: str) -> Wire:
        """One more."""
        tab = self.site.wire(room, self.cookie)
        self.tabs.append(tab)
        return tab

    def open(self, room: str = "lobby") -> Wire:
        """One more; it has been told everything."""
        tab = self.wire(room)
        told(tab, whole=True)
        tab.hear("kept")
        return tab


def told(tab: Wire, **fields: Any) -> Told:
    """What the next `rooms` says: unread and mentioned of each room."""
    return {
        one["room"]: (one["unread"], one["mentioned"])
        for one in tab.hear("rooms", **fields)["rooms"]
    }


def told_until(tab: Wire, expected: Told) -> None:
    """What is told comes to this in the end."""
    known: Told = {}
    while not expected.items() <= known.items():
        known |= told(tab)


def said(tab: Wire, text: str, **fields: Any) -> int:
    """Say this; its id."""
    cid = tab.command("say", text=text, **fields)
    return int(tab.hear("message", cid=cid)["id"])


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def rows(data: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(data / "chat.db")) as db:
        return db.execute(sql).fetchall()


def write(data: Path, sql: str) -> None:
    with closing(sqlite3.connect(data / "chat.db")) as db, db:
        db.execute(sql)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the next second to be told something."""
    monkeypatch.setattr(tidings, "PACE", 0.0)
    monkeypatch.setattr(tidings, "GATHER", 0.0)


@pytest.fixture
def person(site: Site, quick: None) -> Iterator[Callable[..., Devices]]:
    """Makes somebody with devices."""
    made: list[Devices] = []

    def make(name: str | None = None) -> Devices:
        made.append(Devices(site, name))
        return made[-1]

    yield make
    for one in made:
        for tab in one.tabs:
            tab.close()


Person = Callable[..., Devices]


# -- marks and counts


def test_who_comes_in_for_the_first_time_has_read_everything(person: Person) -> None:
    bob, ana = person(), person()
    tab = bob.open()
    for number in range(3):
        said(tab, f"{number}")
    fresh = ana.site.wire("lobby", ana.cookie)
    ana.tabs.append(fresh)
    assert fresh.hear("read") == {"type": "read", "id": 3}
    whole = fresh.hear("rooms")
    assert whole["whole"] is True
    assert whole["rooms"] == [{"room": "lobby", "title": "lobby", "unread": 0, "mentioned": 0}]
    assert fresh.hear("kept") == {"type": "kept", "values": {}}


def test_what_others_say_elsewhere_is_counted_and_what_is_meant_for_me(person: Person) -> None:
    ana, bob = person("Ana"), person("Bob")
    ana.open("den").close()
    tab, other = ana.open(), bob.open("den")
    said(other, "one")
    assert told(tab) == {"den": (1, 0)}
    id = said(other, "hello @Ana")
    assert told(tab) == {"den": (2, 1)}
    other.command("edit", id=id, text="hello")
    assert told(tab) == {"den": (2, 0)}
    other.command("react", id=id, emoji="👍", on=True)
    other.command("delete", id=id)
    assert told(tab) == {"den": (1, 0)}


def test_who_is_meant_hears_of_it_in_a_room_they_have_never_been_in(
    person: Person, site: Site
) -> None:
    ana, ben, cy = person("Ana"), person("Ben"), person("Cy")
    home, there = ana.open("lobby"), ben.open("attic")
    ben.open("lobby")
    said(there, "before")
    said(there, "@Ana and @Cy, come up")
    assert told(home, whole=True) == {"lobby": (0, 0), "attic": (1, 1)}
    said(there, "are you there?")
    told_until(home, {"attic": (2, 1)})
    away = cy.wire("lobby")
    assert told(away, whole=True)["attic"] == (2, 1)


def test_a_list_that_is_full_is_not_touched_by_others(
    person: Person, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (belongings, reads):
        monkeypatch.setattr(module, "ROOMS", 2)
    ana, ben = person("Ana"), person("Ben")
    ana.open("cellar").close()
    home, there = ana.open("lobby"), ben.open("attic")
    said(there, "@Ana come up")
    said(there, "@Ana?")
    assert said(home, "hi")
    assert {*told(ana.wire("lobby"), whole=True)} == {"lobby", "cellar"}


def test_my_own_messages_are_not_counted(person: Person) -> None:
    ana, bob = person(), person()
    ana.open("den").close()
    tab, post = ana.open(), ana.open("den")
    post.close()
    ana.site.http("POST", "/r/den", headers={"Cookie": ana.cookie}, form={"text": "mine"})
    said(bob.open("den"), "not mine")
    told_until(tab, {"den": (1, 0)})


def test_reading_on_one_device_is_known_on_the_others(person: Person) -> None:
    ana, bob = person(), person()
    laptop, phone, beside = ana.open(), ana.open("den"), ana.open("den")
    other = bob.open("den")
    ids = [said(other, f"{number}") for number in range(3)]
    told_until(laptop, {"den": (3, 0)})
    phone.command("read", id=ids[1])
    assert told(laptop) == {"den": (1, 0)}
    assert beside.hear("read") == {"type": "read", "id": ids[1]}
    phone.command("read", id=ids[0])  # that only goes forward
    phone.command("read", id=ids[2] + 50)  # and not beyond what there is
    assert told(laptop) == {"den": (0, 0)}
    assert beside.hear("read") == {"type": "read", "id": ids[2]}


def test_it_can_be_unread_again_which_all_tabs_hear(person: Person) -> None:
    ana, bob = person(), person()
    laptop, phone, beside = ana.open(), ana.open("den"), ana.open("den")
    other = bob.open("den")
    ids = [said(other, f"{number}") for number in range(3)]
    told_until(laptop, {"den": (3, 0)})
    phone.command("read", id=ids[2])
    assert told(laptop) == {"den": (0, 0)}
    phone.command("read", id=ids[1] - 1, back=True)
    assert told(laptop) == {"den": (2, 0)}
    for tab in (phone, beside):
        assert tab.hear("read", back=True) == {"type": "read", "id": ids[1] - 1, "back": True}


def test_everything_is_read_at_once(person: Person) -> None:
    ana, bob = person(), person()
    for room in ("den", "attic"):
        ana.open(room).close()
    tab = ana.open()
    for room in ("den", "attic"):
        said(bob.open(room), "hello")
    told_until(tab, {"den": (1, 0), "attic": (1, 0)})
    tab.command("read_all", room="nowhere")
    tab.command("read_all", room="den")
    assert told(tab) == {"den": (0, 0)}
    tab.command("read_all")
    assert told(tab) == {"attic": (0, 0)}


def test_a_hundred_stand_for_all_that_are_more(person: Person) -> None:
    ana, bob = person(), person()
    ana.open("den").close()
    other = bob.open("den")
    for number in range(120):
        other.say(f"{number}")
    other.hear("message", text="119")
    tab = ana.site.wire("lobby", ana.cookie)
    ana.tabs.append(tab)
    assert told(tab, whole=True)["den"] == (100, 0)


# -- the list


def test_the_list_is_the_persons_in_the_order_of_their_visits_or_their_own(person: Person) -> None:
    ana = person()
    first = ana.open("zoo")
    ana.open("den")
    assert list(told(first, whole=True)) == ["lobby", "zoo", "den"], "the house is always there"
    first.command("keep", key="order", value="den zoo")
    assert list(told(first, whole=True)) == ["den", "zoo", "lobby"]
    first.command("leave", room="den")
    assert list(told(first, whole=True)) == ["zoo", "lobby"]
    ana.open("den")
    assert list(told(first, whole=True)) == ["den", "zoo", "lobby"], "it is back with a visit"
    first.command("leave", room="lobby")
    first.command("leave", room="never-seen")
    first.command("leave", room="den")
    assert list(told(first, whole=True)) == ["zoo", "lobby"], "the house stays"


def test_what_is_read_in_a_room_that_was_left_does_not_bring_it_back(person: Person) -> None:
    ana, bob = person(), person()
    here, there = ana.open(), ana.open("den")
    id = said(bob.open("den"), "hello")
    there.command("leave", room="den")
    there.command("read", id=id)
    ana.open("zoo")
    while "zoo" not in (listed := told(here, whole=True)):
        pass
    assert list(listed) == ["lobby", "zoo"]


def test_a_list_has_a_bound_and_the_oldest_room_gives_way(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "ROOMS", 3)
    ana = person()
    tab = ana.open()
    for room in ("one", "two", "three"):
        ana.open(room).close()
    while (listed := list(told(tab, whole=True))) != ["lobby", "two", "three"]:
        assert len(listed) <= 3


# -- settings


def test_a_setting_is_told_to_all_devices_and_survives(person: Person) -> None:
    ana = person()
    laptop, phone = ana.open(), ana.open("den")
    phone.command("keep", key="theme", value="dark")
    for tab in (laptop, phone):
        assert tab.hear("kept") == {"type": "kept", "values": {"theme": "dark"}}
    laptop.command("keep", key="theme", value="")
    laptop.command("keep", key="level:den", value="none")
    values: dict[str, str] = {}
    while values != {"theme": "", "level:den": "none"}:
        values |= phone.hear("kept")["values"]
    fresh = ana.site.wire("lobby", ana.cookie)
    ana.tabs.append(fresh)
    assert fresh.hear("kept")["values"] == {"level:den": "none"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"), ("colour", "red"), ("size", "99"), ("mute:den", "soon"),
        ("mute:Den!", "ever"), ("level:", "all"), ("quiet", "22:00-24:00"), ("order", "a  b"),
        ("draft:den", "x" * 4001), ("theme:den", "dark"), ("mute", "ever"),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_refused(person: Person, key: str, value: str) -> None:
    tab = person().open()
    tab.command("keep", key=key, value=value)
    assert tab.hear("refused")["code"] == "bad_setting"


def test_so_many_settings_are_kept_and_no_more(person: Person, site: Site) -> None:
    tab = person().open()
    for number in range(KEYS):
        tab.command("keep", key=f"level:r{number}", value="all")
    tab.command("keep", key="level:one-more", value="all")
    refusal = tab.hear("refused")
    assert (refusal["code"], refusal["detail"]) == ("bad_setting", "At most 500 settings are kept.")
    tab.command("keep", key="level:r0", value="")
    tab.command("keep", key="level:one-more", value="all")
    count = "SELECT count(*) FROM kept WHERE key = 'level:one-more'"
    until(lambda: rows(site.config.data, count) == [(1,)])


def test_a_draft_is_on_all_devices_and_on_no_disk(person: Person, site: Site) -> None:
    ana = person()
    laptop, phone = ana.open(), ana.open()
    phone.command("keep", key="draft:lobby", value="a secret half said")
    assert laptop.hear("kept")["values"] == {"draft:lobby": "a secret half said"}
    for tab in (laptop, phone):
        tab.close()
    later = ana.site.wire("lobby", ana.cookie)
    ana.tabs.append(later)
    assert later.hear("kept")["values"] == {"draft:lobby": "a secret half said"}
    files = b"".join(path.read_bytes() for path in site.config.data.iterdir() if path.is_file())
    assert b"half said" not in files


def test_the_oldest_drafts_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "MINE", 1000)
    monkeypatch.setattr(belongings, "DRAFTS", 2000)
    drafts = belongings.Drafts()
    for number in range(9):
        drafts.put("ana", f"draft:{number}", "x" * 90)
    assert list(drafts.of("ana")) == ["draft:6", "draft:7", "draft:8"]
    drafts.put("ana", "draft:6", "newer")
    for user in ("bob", "cy", "dora"):
        drafts.put(user, "draft:den", "x" * 290)
    assert list(drafts.of("ana")) == ["draft:6"], "the one that was written last"
    drafts.put("bob", "draft:den", "")
    drafts.forget("cy")
    assert not drafts.of("bob")
    assert not drafts.of("cy")
    assert drafts._size == sum(
        belongings._size(key, text) for (_, key), text in drafts._texts.items()
    )


# -- how often, and what it costs


def test_the_first_is_told_at_once_and_then_one_a_second(site: Site) -> None:
    """With the pace of a running server."""
    ana, bob = Devices(site), Devices(site)
    ana.open("den").close()
    tab, other = ana.open(), bob.open("den")
    for number in range(10):
        said(other, f"{number}")
    told_until(tab, {"den": (10, 0)})
    began = time.monotonic()
    events = 0
    for number in range(40):
        said(other, f"{number}")
        time.sleep(0.02)
    known: Told = {}
    while known.get("den") != (50, 0):
        known = told(tab)
        events += 1
    assert events <= time.monotonic() - began + 2
    for device in (*ana.tabs, *bob.tabs):
        device.close()


def test_a_room_whose_people_are_nowhere_else_asks_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch, person: Person
) -> None:
    tabs = [person().open() for _ in range(3)]
    asked: list[object] = []
    plain = Store.read

    async def read(self: Store, ask: Callable[..., Any], *about: Any) -> Any:
        asked.append(ask)
        return await plain(self, ask, *about)

    monkeypatch.setattr(Store, "read", read)
    for number in range(5):
        id = said(tabs[0], f"{number}")
        tabs[1].hear("message", id=id)
        tabs[1].command("read", id=id)
    site.call(lambda: None)
    assert asked == []


# -- restarts


def test_marks_and_settings_survive_a_restart(tmp_path: Path) -> None:
    with Process(tmp_path / "data").ready() as server:
        bob, ana = join(server.port), join(server.port, "den")
        other, tab = (Wire(server.port, "/r/den/ws", cookie=c).opened() for c in (bob, ana))
        tab.hear("rooms")
        other.hear("live")
        ids = [said(other, f"{number}") for number in range(3)]
        tab.hear("message", id=ids[2])
        tab.command("read", id=ids[1])
        tab.command("keep", key="size", value="125")
        tab.hear("kept", values={"size": "125"})
        assert server.end() == 0
        tab.close(), other.close()
        server.start()
        server.ready()
        tab = Wire(server.port, cookie=ana).opened()
        assert told(tab, whole=True) == {"lobby": (0, 0), "den": (1, 0)}
        assert tab.hear("kept")["values"] == {"size": "125"}
        tab.close()


def test_a_kill_loses_only_what_was_read_last(tmp_path: Path) -> None:
    """Never that something is to be unread, that a room is in the list, or a setting."""
    with Process(tmp_path / "data").ready() as server:
        bob, ana = join(server.port), join(server.port, "den")
        other = Wire(server.port, "/r/den/ws", cookie=bob).opened()
        other.hear("live")
        ids = [said(other, f"{number}") for number in range(3)]
        tab = Wire(server.port, "/r/den/ws", cookie=ana).opened()
        assert tab.hear("read")["id"] == ids[2]
        marked = f"SELECT id FROM reads WHERE id = {ids[0]}"
        tab.command("read", id=ids[0], back=True)
        until(lambda: rows(server.data, marked))
        tab.command("keep", key="size", value="125")
        tab.hear("kept", values={"size": "125"})
        tab.command("read", id=ids[1])
        server.end(signal.SIGKILL)
        tab.close(), other.close()
        server.start()
        server.ready()
        tab = Wire(server.port, cookie=ana).opened()
        unread, mentioned = told(tab, whole=True)["den"]
        assert unread in (1, 2)
        assert mentioned == 0
        assert tab.hear("kept")["values"] == {"size": "125"}
        tab.close()


def test_what_the_disk_refuses_is_written_later(
    person: Person, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bob = person(), person()
    tab, other = ana.open(), bob.open()
    said(other, "x")
    plain, refused = Store.write, []

    def write(self: Store, op: Operation, done: Outcome) -> None:
        if isinstance(op, Mark | Keep) and len(refused) < 6:
            refused.append(op)
            done(Refusal("full", 2000))
        else:
            plain(self, op, done)

    monkeypatch.setattr(unwritten, "WRITE", 0.0)
    monkeypatch.setattr(Store, "write", write)
    tab.command("read", id=1)
    tab.command("keep", key="theme", value="dark")
    assert tab.hear("kept")["values"] == {"theme": "dark"}, "once it is saved"
    until(lambda: (1,) in rows(site.config.data, "SELECT id FROM reads"))
    assert {type(op) for op in refused} == {Mark, Keep}


# -- who is no more


def test_signing_out_forgets_what_was_read_and_kept(person: Person, site: Site) -> None:
    ana, bob = person("Ana"), person()
    tab = ana.open()
    tab.command("keep", key="theme", value="dark")
    tab.command("keep", key="draft:den", value="half")
    said(bob.open(), "@Ana")
    user = tab_user(site, "Ana")
    kept = [f"SELECT 1 FROM {table} WHERE person = '{user}'" for table in TABLES]
    write(site.config.data, f"INSERT INTO members VALUES ('den', '{user}')")
    until(lambda: all(rows(site.config.data, sql) for sql in kept))
    site.http("POST", "/signout", headers={"Cookie": ana.cookie}, form={"room": "lobby"})
    tab.closed()
    assert [rows(site.config.data, sql) for sql in kept] == [[]] * len(kept)
    marks = site.app.site.hub.marks
    assert user not in marks._people
    assert not marks._drafts.of(user)
    assert not any(user in {mine.user for mine in mines} for mines in watchers(site))


def tab_user(site: Site, name: str) -> str:
    (user,) = {user.id for user in site.app.site.store.users() if user.name == name}
    return user


def watchers(site: Site) -> list[Any]:
    return list(site.app.site.hub.marks._tidings._watchers.values())


def test_who_made_nothing_of_a_name_leaves_nothing(person: Person, site: Site) -> None:
    ana = person("Ana")
    ana.open().close()
    user = tab_user(site, "Ana")
    one = f"SELECT 1 FROM reads WHERE person = '{user}'"
    until(lambda: rows(site.config.data, one))
    until(lambda: not list(site.app.site.hub.tabs))
    until(lambda: rows(site.config.data, f"SELECT 1 FROM users WHERE id = '{user}' AND stage"))
    forget = Forget(0, 2**50)
    assert site.call(lambda: site.app.site.store.wrote(forget)) == [user]
    assert not rows(site.config.data, one)


def test_nothing_is_written_of_who_holds_no_name(tmp_path: Path) -> None:
    """A write that comes behind a signing out would keep it for ever."""

    async def body(store: Store) -> None:
        await store.wrote(Mark((Reached("nobody", "den", 3),)))
        await store.wrote(Keep("nobody", {"theme": "dark"}))
        assert await store.read(stored, ["nobody"]) == [({}, {})]

    in_store(tmp_path, body)


def test_in_memory_is_who_has_a_tab_open(person: Person, site: Site) -> None:
    ana = person()
    tabs = [ana.open(), ana.open("den")]
    marks = site.app.site.hub.marks
    assert len(marks._people) == 1
    for tab in tabs:
        tab.close()
    until(lambda: not marks._people)
    assert not watchers(site)
    assert not marks._unwritten._people


def test_a_restored_backup_forgets_who_has_signed_out_since(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "backup.db"
    site = Site(data)
    ana = Devices(site, "Ana")
    ana.open().close()
    user = tab_user(site, "Ana")
    until(lambda: rows(data, "SELECT 1 FROM reads"))
    backup(data, file)
    site.http("POST", "/signout", headers={"Cookie": ana.cookie}, form={"room": "lobby"})
    site.stop()
    restore(data, file)
    assert not rows(data, f"SELECT 1 FROM reads WHERE person = '{user}'")


def test_a_mark_above_the_head_is_the_head(tmp_path: Path) -> None:
    """What a damaged or foreign row says hides nothing that is said from now on."""
    site = Site(tmp_path / "data")
    ana, bob = Devices(site, "Ana"), Devices(site)
    said(bob.open("den"), "one")
    ana.open("den").close()
    until(lambda: len(rows(site.config.data, "SELECT 1 FROM reads")) == 2)
    for tab in bob.tabs:
        tab.close()
    site.stop()
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db, db:
        db.execute("UPDATE reads SET id = 4000")
    site = Site(tmp_path / "data")
    ana.site = bob.site = site
    tab, other = ana.open(), bob.open("den")
    said(other, "two")
    told_until(tab, {"den": (1, 0)})
    for line in (tab, other):
        line.close()
    site.stop()


def test_who_begins_afresh_on_the_same_line_is_told_everything_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        world = World(tmp_path, tidings=True)
        ana, bob = world.join("ana"), world.join("bob")
        while not bob.of("kept"):
            await asyncio.sleep(0.01)
        bob.space = 0
        for number in range(BEHIND + 2):
            world.say(ana, f"{number}")
        await world.settle()
        bob.drain()
        assert bob.afresh == [True, True]
        while len(bob.of("kept")) < 2:
            await asyncio.sleep(0.01)
        assert [len(bob.of(kind)) for kind in ("read", "rooms", "kept")] == [2, 2, 2]
        await world.close()

    asyncio.run(scenario())


# -- the page


def test_a_page_comes_with_the_list_the_mark_and_the_settings(person: Person, site: Site) -> None:
    ana, bob = person("Ana"), person()
    tab = ana.open("den")
    for key, value in (("theme", "dark"), ("size", "125"), ("draft:attic", "half"), ("enter", "")):
        tab.command("keep", key=key, value=value)
    ana.open("attic").close()
    den = bob.open("den")
    for number in range(120):
        den.say(f"@Ana {number}")
    den.hear("message", text="@Ana 119")
    said(bob.open("attic"), "one")
    for _ in range(2):  # with what is in memory, and with what is on disk
        page = site.http("GET", "/", headers={"Cookie": ana.cookie}).body.decode()
        boot = json.loads(re.search(r'id="boot">(.*?)</script>', page)[1])
        assert boot["read"] == 0
        assert boot["rooms"] == [
            {"room": "lobby", "title": "lobby", "unread": 0, "mentioned": 0},
            {"room": "den", "title": "den", "unread": 100, "mentioned": 100},
            {"room": "attic", "title": "attic", "unread": 1, "mentioned": 0},
        ]
        assert boot["kept"] == {"theme": "dark", "size": "125", "draft:attic": "half"}
        assert '<html lang="en" data-conn="connecting" data-theme="dark" data-size="125">' in page
        assert 'data-scheme="dark" media="all"' in page
        links = dict(re.findall(r'<li><a[^>]*data-room="(\w+)"(.*?)</a>', page))
        assert "data-unread" not in links["lobby"]
        assert 'data-unread="100" data-mentioned' in links["den"]
        assert 'mentioned, </span>@99+<span class="vh"> unread</span>' in links["den"]
        assert 'data-unread="1">' in links["attic"]
        assert '>1<span class="vh"> unread</span>' in links["attic"]
        assert "Draft" in links["attic"]
        for one in ana.tabs:
            one.close()
        until(lambda: len(site.app.site.hub.marks._people) == 1)
    den.command("ping")
    later = ana.open()
    later.command("keep", key="mute:den", value="ever")
    later.hear("kept", values={"mute:den": "ever"})
    page = site.http("GET", "/", headers={"Cookie": ana.cookie}).body.decode()
    assert 'data-unread="100"' not in page, "a room that is muted shows no count"
