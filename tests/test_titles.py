"""chat/room/titles.py: what rooms are called, where they stand, and which one is the house."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import Wire
from histories import older, say
from hypothesis import given
from hypothesis import strategies as st
from serving import Site

from chat.log.store import Store
from chat.room.titles import WISHES, Titles, room_of, valid_title
from chat.rules.names import valid_room
from chat.wire.codes import Refusal
from chat.wire.protocol import UNSET


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Mum & Dad!", "mum-dad"),
        ("Family & friends", "family-friends"),
        ("#general", "general"),
        ("  My   Room ", "my-room"),
        ("Ｆｕｌｌ ｗｉｄｔｈ", "full-width"),
        ("Straße 7", "strasse-7"),
        ("日本語", "日本語"),
        ("हिन्दी", "हिन्दी"),
        ("Café 🎉", "café"),
        ("my_room", "my_room"),
        ("a--b", "a--b"),
        ("x" * 60, "x" * 40),
    ],
)
def test_an_address_is_made_of_any_title(title: str, name: str) -> None:
    assert room_of(title) == name


@pytest.mark.parametrize("title", ["", "!!!", "🎉", "- -", "\u0301"])
def test_a_title_without_a_letter_or_a_digit_has_no_address(title: str) -> None:
    with pytest.raises(Refusal, match="bad_title") as refused:
        room_of(title)
    assert refused.value.detail == "The name of a room needs a letter or a digit."


@given(st.text(max_size=80))
def test_an_address_made_of_a_title_is_valid_and_stays_as_it_is(text: str) -> None:
    try:
        name = room_of(text)
    except Refusal as refusal:
        assert refusal.code == "bad_title"
        return
    assert valid_room(name) == name == room_of(name)


def test_a_title_is_kept_as_typed() -> None:
    assert valid_title("  Mum  &\tDad! ") == "Mum & Dad!"
    assert valid_title("Cafe\u0301") == "Café"
    assert valid_title("👩‍👩‍👧 " * 30).count("👩‍👩‍👧") == 30
    assert len(valid_title("x" * 60)) == 60


@pytest.mark.parametrize("title", ["x" * 61, "a\u202eb", "a\u2066b", "a\u200bb", "a\x00b"])
def test_what_is_too_long_or_hides_something_is_no_title(title: str) -> None:
    with pytest.raises(Refusal, match="bad_title"):
        valid_title(title)


def test_titles_asked_for_are_bounded(tmp_path: Path) -> None:
    async def body() -> None:
        store = Store(tmp_path / "chat.db")
        store.start()
        titles = Titles(store)
        for n in range(WISHES + 1):
            titles.wish(f"room-{n}", f"Room {n}")
        assert titles.of("room-0") == "room-0"
        assert titles.of("room-1") == "Room 1"
        await store.close()

    asyncio.run(body())


def test_rooms_of_the_old_version_are_called_by_their_names(tmp_path: Path) -> None:
    with older(tmp_path / "chat.db", 2) as db:
        db.execute("INSERT INTO rooms VALUES (1, 'lobby', 1), (2, 'left-behind', 0)")
        say(db, 1, 1, "hi")

    async def body() -> None:
        store = Store(tmp_path / "chat.db")
        assert store.standings() == {"lobby": (1, 0, UNSET)}
        titles = Titles(store)
        assert (titles.house, titles.of("lobby"), titles.of("other")) == (
            "lobby", "lobby", "other"
        )  # fmt: skip
        store.start()
        await store.close()

    asyncio.run(body())


# -- over real sockets


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Site]:
    """A server with space for one room beside the house."""
    site = Site(tmp_path / "data", rooms=1)
    yield site
    site.stop()
    assert site.log == []


def heads(site: Site) -> dict[str, int]:
    """The rooms that have a log, and how long it is."""
    return {name: rev for name, (rev, _, _) in site.call(site.app.site.store.standings).items()}


def page(site: Site, path: str, cookie: str = "") -> str:
    return str(site.http("GET", path, headers={"Cookie": cookie}).body.decode())


def boot(html: str) -> dict[str, object]:
    found = json.loads(html.split('id="boot">')[1].split("</script>")[0])
    assert isinstance(found, dict)
    return found


def test_who_comes_first_names_the_house(site: Site) -> None:
    assert 'id="room"' in page(site, "/")
    answer = site.http("POST", "/join", form={"name": "Ana", "room": "Family & friends"})
    assert (answer.status, answer.headers["Location"]) == (303, "./?joined=Ana")
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    assert boot(page(site, "/", cookie))["room"] == "family-friends"
    assert "Family &amp; friends" in page(site, "/")
    assert 'id="room"' not in page(site, "/")
    assert boot(page(site, "/r/lobby", cookie))["title"] == "lobby"
    assert site.http("GET", "/r/family-friends").headers["Location"] == "../"
    line = Wire(site.port, "/r/family-friends/ws", cookie=cookie).opened()
    assert line.hear("welcome")["title"] == "Family & friends"
    line.sock.close()


def test_of_several_who_come_first_at_once_the_one_who_is_in_names_the_house(site: Site) -> None:
    def join(title: str) -> int:
        return int(site.http("POST", "/join", form={"name": "Ana", "room": title}).status)

    titles = ["One", "Two", "Three", "Four"]
    with ThreadPoolExecutor(len(titles)) as all_at_once:
        became = dict(zip(titles, all_at_once.map(join, titles), strict=True))
    assert sorted(became.values()) == [303, 409, 409, 409]
    (first,) = [title for title, status in became.items() if status == 303]
    assert site.call(lambda: site.app.site.hub.titles.house) == first.lower()


def test_the_house_and_the_titles_outlive_the_server(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    cookie = site.http("POST", "/join", form={"name": "Ana", "room": "Our house"}).headers[
        "Set-Cookie"
    ].split(";")[0]  # fmt: skip
    site.http("GET", "/r/?name=Mum+%26+Dad!", headers={"Cookie": cookie})
    site.http("POST", "/r/mum-dad", headers={"Cookie": cookie}, form={"text": "hi"})
    site.stop()
    site = Site(tmp_path / "data")
    assert boot(page(site, "/", cookie))["title"] == "Our house"
    assert boot(page(site, "/r/mum-dad", cookie))["title"] == "Mum & Dad!"
    site.stop()


def test_a_wrong_title_keeps_the_card_and_what_was_typed(site: Site) -> None:
    answer = site.http("POST", "/join", form={"name": "Ana", "room": "!!!"})
    text = answer.body.decode()
    assert answer.status == 400
    assert "needs a letter or a digit" in text
    assert 'value="Ana"' in text
    assert 'value="!!!"' in text
    answer = site.http("POST", "/join", form={"name": " ", "room": "Family"})
    assert answer.status == 400
    assert 'value="Family"' in answer.body.decode()


def test_a_room_is_found_by_its_title_and_called_by_it(site: Site) -> None:
    cookie = site.join()
    answer = site.http("GET", "/r/?name=Mum+%26+Dad!", headers={"Cookie": cookie})
    assert (answer.status, answer.headers["Location"]) == (303, "../r/mum-dad")
    assert "<title>#Mum &amp; Dad!" in page(site, "/r/mum-dad", cookie)
    assert boot(page(site, "/r/mum-dad", cookie))["title"] == "Mum & Dad!"
    site.http("POST", "/r/mum-dad", headers={"Cookie": cookie}, form={"text": "hi"})
    site.http("GET", "/r/?name=MUM/DAD", headers={"Cookie": cookie})
    assert boot(page(site, "/r/mum-dad", cookie))["title"] == "Mum & Dad!"


def test_a_title_without_an_address_is_refused_beside_its_field(site: Site) -> None:
    answer = site.http("GET", "/r/?name=!%3C!", headers={"Cookie": site.join()})
    assert answer.status == 400
    assert "needs a letter or a digit" in answer.body.decode()
    assert 'value="!&lt;!"' in answer.body.decode()


def test_a_stranger_leaves_no_title(site: Site) -> None:
    cookie = site.join()
    assert site.http("GET", "/r/?name=Your+%26+Room").status == 303
    assert boot(page(site, "/r/your-room", cookie))["title"] == "your-room"


def test_the_house_has_its_place_when_all_others_are_taken(tight: Site) -> None:
    cookie = tight.join()
    headers = {"Cookie": cookie}
    assert tight.http("POST", "/r/one", headers=headers, form={"text": "x"}).status == 303
    assert tight.http("POST", "/r/two", headers=headers, form={"text": "x"}).status == 503
    assert tight.http("POST", "/", headers=headers, form={"text": "x"}).status == 303
    assert heads(tight) == {"one": 1, "lobby": 1}


def test_a_refused_message_leaves_no_room_behind(site: Site) -> None:
    cookie, said = site.join(), {"text": "x", "cid": "cid-00001"}
    headers = {"Cookie": cookie}
    assert site.http("POST", "/r/one", headers=headers, form=said).status == 303
    assert site.http("POST", "/r/two", headers=headers, form=said).status == 409
    assert heads(site) == {"one": 1}


@pytest.mark.parametrize("path", ["/r/quiet", "/r/quiet/messages"])
def test_looking_makes_no_room(site: Site, path: str) -> None:
    for cookie in ("", site.join("elsewhere")):
        site.http("GET", path, headers={"Cookie": cookie})
    site.http("POST", "/r/quiet", headers={"Cookie": cookie}, form={"text": "said in passing"})
    assert "said in passing" in page(site, "/r/quiet", cookie)
    assert site.app.site.hub.rooms == {}
