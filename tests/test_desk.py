"""chat/web/desk.py and phrases.py: the rows of the page for looking after the chat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chat.log.overview import Done, KeptOut, Place, Resident
from chat.rules.access import Role
from chat.web.desk import Desk
from chat.web.devices import Invited
from chat.web.phrases import At, Phrases, Said, Strong
from chat.wire.orders import FOREVER
from chat.wire.protocol import Person, Settings, decode

NOW = 1_790_000_000_000  # UTC milliseconds
HOUR = 3_600_000
WORDS: dict[str, str] = json.loads(Path("templates/en.json").read_text())


def desk(role: Role = Role.OWNER, user: str = "olga") -> Desk:
    """As Olga sees it, or as somebody else."""
    return Desk(Phrases(WORDS), Person(user, user.title(), 1), role, NOW)


def resident(user: str, role: str = "member", **more: Any) -> Resident:
    """Somebody with a name, who has not been here for an hour."""
    fields: dict[str, Any] = {"made": NOW - 99 * HOUR, "seen": NOW - HOUR, "muted": 0, "banned": 0}
    return Resident(user, user.title(), role, **{**fields, "messages": 3, "size": 0, **more})


def place(room: str = "den", **settings: Any) -> Place:
    """A room with ten people."""
    return Place(room, room.title(), Settings(1, "", "", **settings), 7, 900, 10, 0)


def deed(what: str, number: int = 1, **more: Any) -> Done:
    """Something that Mira did to Tom."""
    fields: dict[str, Any] = {
        "user": "tom",
        "about": "Tom",
        "room": "",
        "detail": f"{FOREVER}",
        **more,
    }
    return Done(number, NOW - HOUR, "mira", "Mira", what, **fields)


def ban(user: str = "tom", **more: Any) -> KeptOut:
    """Somebody is kept out."""
    fields: dict[str, Any] = {"networks": (), "until": FOREVER, "reason": "", **more}
    return KeptOut(4, user, user.title(), by="Mira", at=NOW - HOUR, **fields)


def fields(order: str) -> dict[str, Any]:
    """What a button asks for: a command that the wire knows, without what it leaves out."""
    decode(order)
    said: dict[str, Any] = json.loads(order)
    return {key: value for key, value in said.items() if key != "cid" and value is not None}


def invited(**more: Any) -> Invited:
    """A link that Mira made."""
    fields: dict[str, Any] = {"role": "member", "until": FOREVER, "uses": 0, "used": 0}
    return Invited(**{"id": 3, "by": "Mira", "people": [], **fields, **more})


@pytest.mark.parametrize(
    ("link", "name", "sentence"),
    [
        (invited(), "Members, for ever", "By <bdi>Mira</bdi>, 0 used"),
        (
            invited(role="guest", room="den", title="The den", uses=10, used=3),
            "Guests of #<bdi>The den</bdi>, for ever",
            "By <bdi>Mira</bdi>, 3 of 10 used",
        ),
        (
            invited(role="moderator", used=2, people=["Tom", "<b>"]),
            "Moderators, for ever",
            "By <bdi>Mira</bdi>, 2 used: <bdi>Tom</bdi>, <bdi>&lt;b&gt;</bdi>",
        ),
    ],
)
def test_a_link_says_for_whom_it_is_and_who_came_by_it(
    link: Invited, name: str, sentence: str
) -> None:
    (line,) = desk().invites([link])
    assert (line.name, line.sentence) == (name, sentence)
    assert fields(line.order) == {"type": "revoke", "id": 3}


def test_the_door_is_what_it_is_and_leads_back_to_it() -> None:
    doors = {choice.key: choice for choice in desk().doors("invite")}
    assert [key for key, choice in doors.items() if choice.now] == ["invite"]
    assert fields(doors["locked"].order) == {"type": "chat", "door": "locked"}
    assert fields(doors["locked"].undo) == {"type": "chat", "door": "invite"}


def test_what_people_chose_stands_in_a_sentence_as_they_wrote_it_and_is_no_html() -> None:
    say = Phrases({"x": "<{by}> & {name}, {n} at {at}: {reason}"})
    said = say.phrase("x", by=Strong("<b>"), name="{by}", n=1204, at=At(0), reason=Said("<i>"))
    assert said == (
        "&lt;<b><bdi>&lt;b&gt;</bdi></b>&gt; &amp; <bdi>{by}</bdi>, 1,204 at"
        ' <time datetime="1970-01-01T00:00:00Z">1 January 1970, 00:00 UTC</time>: <i>'
    )


def test_owners_come_first_and_then_who_is_here() -> None:
    known = [
        resident("tom"),
        resident("ben"),
        resident("mira", "moderator"),
        resident("olga", "owner"),
    ]
    shown = desk().people(known, {"ben"}, "", False).shown
    assert [row.of.user for row in shown] == ["olga", "mira", "ben", "tom"]
    assert [row.here for row in shown] == [False, False, True, False]


def test_of_many_people_some_are_shown_and_a_link_shows_all() -> None:
    known = [resident(f"p{number}") for number in range(20)]
    part = desk().people(known, (), "", False)
    assert (part.total, len(part.shown), part.more) == (20, 8, "all=1")
    part = desk().people(known, (), "", True)
    assert (len(part.shown), part.more) == (20, "")


def test_a_person_is_found_by_a_part_of_the_name_however_it_is_written() -> None:
    known = [resident("zoë"), resident("zora"), resident("bot zo", "bot")]
    assert [row.of.user for row in desk().people(known, (), "ZOË", False).shown] == ["zoë"]
    assert not desk().people(known, (), "nobody", False).shown


def test_an_owner_chooses_what_others_are_and_nobody_what_they_are_themselves() -> None:
    olga, tom = desk().people([resident("olga", "owner"), resident("tom")], (), "", False).shown
    assert (olga.you, olga.below, list(olga.roles)) == (True, False, [])
    chosen = {choice.key: choice for choice in tom.roles}
    assert [key for key, choice in chosen.items() if choice.now] == ["member"]
    assert fields(chosen["guest"].order) == {"type": "role", "user": "tom", "role": "guest"}
    assert fields(chosen["guest"].undo) == {"type": "role", "user": "tom", "role": "member"}


def test_a_moderator_acts_on_those_below_and_appoints_nobody() -> None:
    known = [resident("olga", "owner"), resident("mira", "moderator"), resident("tom", "guest")]
    rows = desk(Role.MODERATOR, "jun").people(known, (), "", False).shown
    assert [(row.of.user, row.below, list(row.roles)) for row in rows] == [
        ("olga", False, []),
        ("mira", False, []),
        ("tom", True, []),
    ]


def test_a_mute_that_is_over_is_none() -> None:
    known = [resident("tom", muted=NOW + 1), resident("ben", muted=NOW)]
    rows = desk().people(known, (), "", False).shown
    assert [row.muted for row in rows] == [NOW + 1, 0]
    assert json.loads(rows[0].about)["muted"] is True


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "10 people"),
        ({"mode": "slow", "slow": 30}, "10 people, slow: a message each 30 seconds"),
        ({"mode": "announce"}, "10 people, announcements"),
        ({"mode": "locked", "private": True}, "Private, 10 people, locked"),
        ({"keep": 90}, "10 people, kept for 90 days"),
        ({"keep": 0}, "10 people, kept for an hour"),
    ],
)
def test_a_room_says_who_may_write_and_how_long_it_is_kept(
    settings: dict[str, Any], sentence: str
) -> None:
    (row,) = desk().rooms([place(**settings)], "", "lobby")
    assert (row.href, row.sentence) == ("r/den", sentence)


def test_the_house_is_at_the_base() -> None:
    (row,) = desk().rooms([place("lobby")], "../", "lobby")
    assert row.href == "../"


def test_a_ban_says_by_whom_until_when_from_where_and_why() -> None:
    (line,) = desk().bans([ban(networks=("192.0.2.0/24",), reason="adverts")])
    assert "By <bdi>Mira</bdi>" in line.sentence
    assert line.sentence.endswith(
        "for ever, with newcomers from the same network: “<bdi>adverts</bdi>”"
    )
    assert fields(line.order) == {"type": "unban", "id": 4}


@pytest.mark.parametrize(
    ("done", "sentence"),
    [
        (deed("mute", detail=f"{FOREVER} caps"), "muted <bdi>Tom</bdi>: “<bdi>caps</bdi>”"),
        (deed("mute", detail="0"), "let <bdi>Tom</bdi> write again"),
        (deed("ban", detail=f"{FOREVER} adverts"), "removed <bdi>Tom</bdi>: “<bdi>adverts</bdi>”"),
        (deed("member", room="den", detail="on"), "let <bdi>Tom</bdi> into #<bdi>den</bdi>"),
        (deed("unban"), "let <bdi>Tom</bdi> back in"),
        (deed("role", detail="moderator"), "made <bdi>Tom</bdi> a moderator"),
        (
            deed("room", room="den", detail="mode slow, slow 30, private True, keep None, keep 1"),
            "set #<bdi>den</bdi>: everyone writes slowly, a message each 30 seconds, private,"
            " kept for ever, kept for 1 day",
        ),
        (deed("chat", detail="name <Us>"), "called the chat <bdi>&lt;Us&gt;</bdi>"),
        (deed("chat", detail="door locked"), "locked the door"),
        (deed("something new"), "changed something"),
    ],
)
def test_what_was_done_is_a_sentence(done: Done, sentence: str) -> None:
    (line,) = desk().deeds([done], [], [])
    assert (line.sentence, line.order) == (f"<b><bdi>Mira</bdi></b> {sentence}", "")


def test_what_still_holds_can_be_taken_back_once() -> None:
    known = [resident("tom", muted=NOW + HOUR), resident("ben")]
    done = [
        *(
            deed("mute", 5),
            deed("ban", 4, user="jun"),
            deed("mute", 3),
            deed("mute", 2, user="ben"),
        ),
        deed("ban", 1, user="zoe"),
    ]
    undone = [line.order for line in desk().deeds(done, [ban("jun")], known)]
    assert fields(undone[0]) == {"type": "mute", "user": "tom", "until": 0}
    assert fields(undone[1]) == {"type": "unban", "id": 4}
    assert undone[2:] == ["", "", ""]


def test_many_who_were_removed_at_once_are_one_sentence() -> None:
    done = [deed("ban", number, user=f"p{number}") for number in range(50, 0, -1)]
    (line,) = desk().deeds(done, [ban("p3")], [])
    assert line.sentence == "<b><bdi>Mira</bdi></b> removed 50 people"


def test_every_deed_and_role_has_its_words() -> None:
    for role in ("owner", "moderator", "member", "guest"):
        assert {f"owner.role.{role}", f"owner.role.done.{role}", f"owner.deed.role.{role}"} <= set(
            WORDS
        )
