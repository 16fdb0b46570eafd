"""chat/room/recent.py: what rooms remember, in bytes, and that whoever lacks it reads the log."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from client import PATIENCE
from serving import Site
from worlds import HOST, Counted, World, in_world

from chat.app import PAGES
from chat.log.things import PAGE
from chat.rules.pace import AtOnce
from chat.wire.codes import BEHIND, Refusal
from chat.wire.protocol import Delete, Edit, React, Say

LONG = "👍" * 3990  # characters: 16 kB in UTF-8, and again as Python keeps it


def test_a_room_remembers_no_more_than_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.ROOM", 500_000)

    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(60):
            world.say(ana, f"{n} {LONG}")
        await world.settle()
        recent = world.room.recent
        assert 400_000 < recent.size <= 500_000
        assert recent.size == world.hub.shared.memory.size
        assert 0 < recent.floor < 60
        for after in (0, recent.floor - 1, recent.floor, 59):
            bob = world.join("bob", after=after)
            await world.settle()
            assert bob.revs == list(range(after + 1, 61))
            assert bob.seat.live

    in_world(tmp_path, body)


def test_all_rooms_together_remember_no_more_than_theirs_the_least_used_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.ROOMS", 750_000)

    async def body(world: World) -> None:
        people = {name: world.join("ana", room=name) for name in ("one", "two", "three", "four")}
        for name, peer in people.items():
            for n in range(6):
                peer.ask(Say(f"cid-{name}-{n}", LONG))
            await world.settle()
            assert world.hub.shared.memory.size <= 750_000
        rooms = [world.hub.enter(HOST, name) for name in people]
        one, _, three, four = rooms
        assert one.recent.size == 0
        assert three.recent.size > 0
        assert four.recent.size > 0
        assert world.hub.shared.memory.size == sum(room.recent.size for room in rooms)
        for name in people:
            for after in (0, 3, 6):
                bob = world.join("bob", after=after, room=name)
                await world.settle()
                assert bob.revs == list(range(after + 1, 7))
                assert bob.seat.live
        assert world.hub.shared.memory.size <= 750_000

    in_world(tmp_path, body)


def test_a_room_that_is_not_kept_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.hub.IDLE", -1.0)

    async def body(world: World) -> None:
        ana = world.join("ana")
        world.say(ana, LONG)
        await world.settle()
        assert world.hub.shared.memory.size > 2 * 15_960
        world.room.leave(ana.seat)
        world.hub.tick()
        assert world.hub.shared.memory.size == 0

    in_world(tmp_path, body)


def test_many_changes_of_old_messages_cost_nobody_a_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither who comes nor who comes back and lacks them all; after a restart one, for all."""

    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(BEHIND):
            world.say(ana, f"m{n}")
        await world.settle()
        for n in range(BEHIND):
            ana.ask(Edit(f"cid-edit-{n}", n + 1, f"edited {n}"))
        await world.settle()
        queries = Counted(monkeypatch)
        new, back = world.join("bob"), world.join("bob", after=BEHIND)
        await world.settle()
        assert new.seat.live
        assert back.revs == list(range(BEHIND + 1, 2 * BEHIND + 1))
        assert queries.reads == 0

    in_world(tmp_path, body)

    async def again(world: World) -> None:
        queries = Counted(monkeypatch)
        peers = [world.join(user, after=BEHIND) for user in ("bob", "cy")]
        await world.settle()
        for peer in peers:
            assert peer.revs == list(range(BEHIND + 1, 2 * BEHIND + 1))
        assert queries.reads == 1

    in_world(tmp_path, again)


def test_what_is_changed_while_the_log_is_read_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log said before it is not remembered beside what is so by now."""

    async def before(world: World) -> None:
        ana = world.join("ana")
        for n in range(70):
            world.say(ana, f"m{n + 1}.")
        ana.ask(React("cid-react", 35, "👍", True))

    async def after(world: World) -> None:
        ana, queries = world.join("ana"), Counted(monkeypatch)
        first = world.join("bob", after=60)  # the room is being read from here on
        await queries.hold()
        for id in (1, 30, 70):
            ana.ask(Edit(f"cid-edit-{id}", id, "changed"))
        ana.ask(Delete("cid-delete", 35))
        ana.ask(Say("cid-new", "new"))
        await world.flushed()
        queries.go()
        await world.settle()
        second = world.join("cy", after=10)
        await world.settle()
        assert queries.reads == 1
        assert first.revs == [*range(61, 70), *range(72, 77)]
        assert second.revs == [n for n in range(11, 77) if n not in (30, 35, 70, 71)]
        for peer in (first, second):
            assert b"m70." not in peer.got
            assert b"m35." not in peer.got

    in_world(tmp_path, before)
    in_world(tmp_path, after)


def test_what_is_removed_is_not_remembered(tmp_path: Path) -> None:
    """The change that says so takes the message and its reactions out of the memory too."""

    async def body(world: World) -> None:
        ana = world.join("ana")
        for text in ("one", "two"):
            world.say(ana, text)
        ana.ask(React("cid-react-1", 1, "👍", True))
        ana.ask(React("cid-react-2", 2, "👍", True))
        ana.ask(Delete("cid-delete", 1))
        await world.settle()
        recent = world.room.recent
        assert [key[:2] for key in recent._changes] == [
            ("message", 2),
            ("reaction", 2),
            ("gone", 5),
        ]
        assert recent.size == world.hub.shared.memory.size
        world.room.leave(ana.seat)
        recent.forget()
        assert recent.size == world.hub.shared.memory.size == 0

    in_world(tmp_path, body)


# -- pages


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [17, 18, 19, 20]),
        ("before=11", [7, 8, 9, 10]),
        ("after=10", [11, 12, 13, 14]),
        ("around=10&limit=8", [8, 9, 10, 11]),
        ("since=10", [11, 12, 13, 14]),
        ("before=3", [1, 2]),
    ],
)
def test_a_page_of_history_is_bounded_in_bytes_and_goes_on_where_it_ended(
    site: Site, query: str, ids: list[int]
) -> None:
    cookie = site.join()
    for _ in range(20):
        form = {"text": "x" * 200 + "👍" * 3790}
        site.http("POST", "/r/lobby", headers={"Cookie": cookie}, form=form)
    answer = site.http("GET", f"/r/lobby/messages?limit=200&{query}", headers={"Cookie": cookie})
    page = json.loads(answer.body)
    assert [message["id"] for message in page["changes"]] == ids
    assert page["more"] == (query != "before=3")
    assert sum(len(message["text"].encode()) for message in page["changes"]) <= PAGE


def test_the_page_of_a_room_is_bounded_and_offers_what_is_earlier(site: Site) -> None:
    cookie = site.join()
    for _ in range(20):
        site.http("POST", "/r/lobby", headers={"Cookie": cookie}, form={"text": LONG})
    page = site.http("GET", "/", headers={"Cookie": cookie}).body.decode()
    assert page.count('<article class="msg') == 4 + 1  # and the template of one
    assert "Earlier messages" in page


# -- answers nobody reads


def test_an_answer_of_which_nothing_is_taken_is_closed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.line.server.UNREAD", -1.0)
    cookie = site.join()
    for _ in range(4):
        site.http("POST", "/", headers={"Cookie": cookie}, form={"text": LONG})
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.settimeout(PATIENCE)
        slow.connect(("127.0.0.1", site.port))
        request = f"GET /r/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
        slow.sendall(request.encode() * 100)  # more than the kernel keeps for it
        server = site.app.server
        assert server is not None
        while site.call(lambda: len(server._connections)):
            pass


def test_a_person_has_four_pages_of_history_at_once() -> None:
    asking = AtOnce(PAGES)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(asking.one("ana"))
        with pytest.raises(Refusal, match="slow_down") as refused:
            stack.enter_context(asking.one("ana"))
        assert refused.value.retry
        stack.enter_context(asking.one("bob"))
    with asking.one("ana"):
        pass


def test_history_is_not_compressed_and_pages_are(site: Site) -> None:
    headers = {"Cookie": site.join(), "Accept-Encoding": "gzip"}
    page = site.http("GET", "/", headers=headers)
    history = site.http("GET", "/r/lobby/messages", headers=headers)
    assert page.headers.get("Content-Encoding") == "gzip"
    assert history.headers.get("Content-Encoding") is None
