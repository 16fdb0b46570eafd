"""chat/log/overview.py: what those who look after the chat see of it, counted from the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client import Wire
from serving import Site

from chat.log.backup import backup
from chat.log.overview import Overview
from chat.room.people import now_ms
from chat.wire.orders import FOREVER

LATER = 2**62


class Chat:
    """A server, and the cookies of its people."""

    def __init__(self, site: Site, cookies: dict[str, str]) -> None:
        self.site, self.cookies = site, cookies

    def look(self, what: str, *about: Any) -> Any:
        """What is asked of the overview."""
        overview: Overview = self.site.app.site.overview
        return self.site.call(getattr(overview, what), *about)

    def order(self, who: str, order: str, **fields: Any) -> None:
        """An order of this person is carried out."""
        assert self.site.order(self.cookies[who], order, **fields).status == 200


@pytest.fixture
def chat(site: Site) -> Iterator[Chat]:
    """Olga the owner, Mona a moderator, Ben who wrote twice in the den, and a terminal."""
    people = {name: site.join("den", name) for name in ("Olga", "Mona", "Ben")}
    site.promote("Olga", "owner")
    site.promote("Mona", "moderator")
    wires = [site.wire("den", people["Ben"]), site.wire("plan", people["Olga"])]
    plain = Wire(site.port, "/ws/7").opened()
    for wire, text in ((wires[0], "one"), (wires[0], "two"), (wires[1], "three")):
        wire.hear("message", cid=wire.say(text))
    wires[1].command("room", mode="announce", private=True, keep=30)
    wires[1].hear("settings")
    plain.send("four")
    wires[0].hear("message", text="four")
    yield Chat(site, people)
    for wire in (*wires, plain):
        wire.close()


def test_everybody_is_there_with_what_they_are_and_how_much_they_wrote(chat: Chat) -> None:
    people = {who.name: who for who in chat.look("people")}
    assert {name: (who.role, who.messages) for name, who in people.items()} == {
        "Olga": ("owner", 1),
        "Mona": ("moderator", 0),
        "Ben": ("member", 2),
    }
    assert all(0 < who.made <= who.seen <= now_ms() for who in people.values())
    chat.order("Mona", "ban", users=[people["Ben"].user], until=FOREVER)
    assert chat.look("person", people["Ben"].user).banned == FOREVER


def test_rooms_have_their_size_and_how_they_are(chat: Chat) -> None:
    den, plan = chat.look("rooms")
    assert (den.room, den.messages, den.people, den.members) == ("den", 3, 1, 0)
    assert (plan.room, plan.messages, plan.people) == ("plan", 1, 1)
    assert (plan.settings.mode, plan.settings.private, plan.settings.keep) == ("announce", True, 30)
    assert 0 < plan.size < den.size
    chat.order("Olga", "remove_room", room="plan")
    assert [place.room for place in chat.look("rooms")] == ["den"]


def test_bans_and_what_moderators_did_come_newest_first(chat: Chat) -> None:
    ben = chat.site.user("Ben")
    chat.order("Mona", "mute", user=ben, until=FOREVER)
    chat.order("Mona", "ban", users=[ben], until=FOREVER, network=True, reason="adverts")
    (ban,) = chat.look("bans", now_ms())
    assert (ban.user, ban.name, ban.by, ban.reason) == (ben, "Ben", "Mona", "adverts")
    assert ban.networks == ("127.0.0.0/24",)
    assert chat.look("bans", FOREVER) == [], "what is over is not shown"
    deeds = chat.look("deeds", LATER, 10)
    assert [(deed.name, deed.what, deed.about) for deed in deeds] == [
        ("Mona", "ban", "Ben"),
        ("Mona", "mute", "Ben"),
        ("Olga", "room", ""),
    ]
    assert [deed.what for deed in chat.look("deeds", deeds[0].id, 10)] == ["mute", "room"]
    assert len(chat.look("deeds", LATER, 1)) == 1


def test_newcomers_are_those_who_came_or_wrote_without_a_name_since_then(chat: Chat) -> None:
    found = chat.look("newcomers", 0, now_ms())
    assert [(who.name, who.messages, who.plain) for who in found] == [
        ("Ben", 2, False),
        ("Client 7", 1, True),
    ]
    assert chat.look("newcomers", now_ms() + 1000, now_ms()) == []
    chat.order("Mona", "ban", users=[who.user for who in found], until=FOREVER, since=0)
    assert chat.look("newcomers", 0, now_ms()) == [], "those who are kept out are done with"


def test_space_and_the_last_backup_are_told(chat: Chat) -> None:
    space = chat.look("space")
    assert (space.files, space.backup, space.backup_size) == (0, 0, 0)
    assert min(space.history, space.limit, space.free) > 0
    backup(chat.site.config.data, None)
    after = chat.look("space")
    assert 0 < after.backup <= now_ms()
    assert after.backup_size > 0


def test_who_wrote_something_and_is_gone_is_told_by_their_last_message(chat: Chat) -> None:
    user = chat.site.user("Ben")
    headers = {"Cookie": chat.cookies["Ben"]}
    chat.site.http("POST", "/signout", headers=headers, form={"room": "den"})
    gone = chat.look("person", user)
    assert (gone.name, gone.role, gone.messages) == ("Ben", "stranger", 2)
    assert chat.look("person", "nobody") is None
