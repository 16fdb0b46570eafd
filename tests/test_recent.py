"""chat/room/recent.py: what rooms remember, in bytes, and that whoever lacks it reads the log."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from client import PATIENCE
from serving import Site
from test_rooms import Listener, World, in_world

from chat.log.store import Store
from chat.log.things import PAGE
from chat.wire.codes import Refusal
from chat.wire.protocol import Delete, Edit, Say

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
            assert list(bob.timeline) == list(range(after + 1, 61))
            assert bob in world.room.live

    in_world(tmp_path, body)


def test_all_rooms_together_remember_no_more_than_theirs_the_least_used_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.ROOMS", 1_100_000)

    async def body(world: World) -> None:
        people = []
        for name in ("one", "two", "three", "four"):
            peer = Listener("ana", world.hub.room(name))
            peer.room.join(peer, None, None)
            people.append(peer)
            for n in range(6):
                peer.room.say(peer, Say(f"cid-{name}-{n}", LONG))
            await world.settle()
            assert world.hub.shared.memory.size <= 1_100_000
        one, two, three, four = (peer.room for peer in people)
        assert one.recent.size == 0
        assert three.recent.size > 0
        assert four.recent.size > 0
        rooms = (one, two, three, four)
        assert world.hub.shared.memory.size == sum(room.recent.size for room in rooms)
        for peer in people:
            assert len(peer.timeline) == 6
            for after in (None, 0, 3):
                bob = Listener("bob", peer.room)
                peer.room.join(bob, after, world.store.epoch)
                await world.settle()
                assert list(bob.timeline) == list(range((after or 0) + 1, 7)) or after is None
                assert max(bob.timeline) == 6
                assert bob in peer.room.live
        assert world.hub.shared.memory.size <= 1_100_000

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
        world.room.leave(ana)
        world.hub.tick()
        assert world.hub.shared.memory.size == 0

    in_world(tmp_path, body)


def test_many_changes_of_old_messages_cost_newcomers_no_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.room.recent.CHANGES", 10)
    queries = []
    plain = Store._rows

    async def counted(self: Store, *values: object, **options: object) -> object:
        queries.append(values)
        return await plain(self, *values, **options)  # type: ignore[arg-type]

    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(70):
            world.say(ana, f"m{n}")
        await world.settle()
        world.room.edit(ana, Edit(70, "the newest, edited"))
        world.room.delete(ana, Delete(69))
        for id in range(1, 13):
            world.room.edit(ana, Edit(id, "edited"))
        await world.settle()
        monkeypatch.setattr(Store, "_rows", counted)
        bob = world.join("bob")
        await world.settle()
        assert sorted(bob.timeline) == list(range(21, 71))
        assert bob.timeline[70] == "the newest, edited"
        assert queries == []
        monkeypatch.setattr(Store, "_rows", plain)

    in_world(tmp_path, body)

    async def again(world: World) -> None:  # after a restart two, for whoever comes first
        monkeypatch.setattr(Store, "_rows", counted)
        for user in ("bob", "cy"):
            peer = world.join(user)
            await world.settle()
            assert sorted(peer.timeline) == [*range(20, 69), 70]
        assert len(queries) == 2

    in_world(tmp_path, again)


def test_what_is_changed_while_the_log_is_read_is_not_missed_by_a_newcomer(tmp_path: Path) -> None:
    async def before(world: World) -> None:
        ana = world.join("ana")
        for n in range(70):
            world.say(ana, f"m{n}")

    async def after(world: World) -> None:
        ana = world.join("ana")  # the room is being read from here on
        for id in (1, 30, 70):
            world.room.edit(ana, Edit(id, "changed"))
        world.room.say(ana, Say("cid-of-new", "new"))
        await world.settle()
        bob = world.join("bob")
        await world.settle()
        assert sorted(bob.timeline) == [*range(22, 71), 74]
        assert [id for id, text in bob.timeline.items() if text == "changed"] == [30, 70]

    in_world(tmp_path, before)
    in_world(tmp_path, after)


def test_a_newcomer_gets_the_newest_messages_that_fit_a_page(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        ana = world.join("ana")
        for n in range(50):
            world.say(ana, f"{n} {LONG}")
        await world.settle()
        bob = world.join("bob")
        await world.settle()
        assert sorted(bob.timeline) == [47, 48, 49, 50]
        _, _, more = await world.room.newest()
        assert more

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
    assert [message["id"] for message in page["messages"]] == ids
    assert page["more"] == (query != "before=3")
    assert sum(len(message["text"].encode()) for message in page["messages"]) <= PAGE


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


def test_a_person_has_four_pages_of_history_at_once(tmp_path: Path) -> None:
    async def body(world: World) -> None:
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(world.hub.asking("ana"))
            with pytest.raises(Refusal, match="slow_down") as refused:
                stack.enter_context(world.hub.asking("ana"))
            assert refused.value.retry
            stack.enter_context(world.hub.asking("bob"))
        with world.hub.asking("ana"):
            pass

    in_world(tmp_path, body)


def test_history_is_not_compressed_and_pages_are(site: Site) -> None:
    headers = {"Cookie": site.join(), "Accept-Encoding": "gzip"}
    page = site.http("GET", "/", headers=headers)
    history = site.http("GET", "/r/lobby/messages", headers=headers)
    assert page.headers.get("Content-Encoding") == "gzip"
    assert history.headers.get("Content-Encoding") is None
