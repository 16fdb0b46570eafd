"""web/rows.py and templates/message.html: what the page shows before, and without, any script."""

from __future__ import annotations

import html
import json
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from client import Wire
from serving import Site
from test_store import table

from chat.log.operations import Deposit
from chat.room.people import now_ms
from chat.web.rows import size_of


class Talk:
    """Ana and Ben in the house room, and the page as Ana gets it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = site.join(name="Ana")
        self.ana, self.ben = site.wire(cookie=self.cookie), site.wire(cookie=site.join(name="Ben"))
        self.head = 0

    def does(self, who: Wire, command: str, **fields: Any) -> int:
        """Somebody does this; its rev."""
        cid = who.command(command, **fields)
        while (event := who.event()).get("cid") != cid:
            pass
        assert event["type"] != "refused", event
        self.head = event["rev"]
        return self.head

    def row(self, id: int) -> str:
        """A message as it stands in the page."""
        found = re.search(rf'<article [^>]*id="m{id}".*?</article>', self.page(), re.DOTALL)
        assert found, f"no row {id}"
        return found[0]

    def page(self) -> str:
        body: bytes = self.site.http("GET", "/", headers={"Cookie": self.cookie}).body
        return body.decode()

    def boot(self) -> dict[str, Any]:
        """What the scripts are given."""
        found = re.search(r'id="boot">(.*?)</script>', self.page())
        assert found
        boot: dict[str, Any] = json.loads(found[1])
        return boot


@pytest.fixture
def talk(site: Site) -> Iterator[Talk]:
    talk = Talk(site)
    yield talk
    talk.ana.close()
    talk.ben.close()


def quote(row: str) -> str:
    """What a row shows of the message it answers."""
    found = re.search(r'<(?:a|span) class="quote.*?(?=<div class="body")', row, re.DOTALL)
    return found[0] if found else ""


def words(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).strip()


# -- quotes


def test_a_message_shows_what_it_answers_as_it_is_now(talk: Talk) -> None:
    asked = talk.does(talk.ben, "say", text="two\n\n things <left>  ")
    said = talk.does(talk.ana, "say", text="which?", reply=asked)
    row = talk.row(said)
    assert words(quote(row)) == "Ben two things <left>"
    assert re.search(rf'<a class="quote a\d+" id="m{said}q" href="#m{asked}"', row)
    assert f'data-reply="{asked}"' in row
    assert f'aria-labelledby="m{said}w m{said}t m{said}q m{said}b"' in row
    talk.does(talk.ben, "edit", id=asked, text="three things")
    assert words(quote(talk.row(said))) == "Ben three things"
    talk.does(talk.ben, "delete", id=asked)
    assert (
        quote(talk.row(said))
        == f'<span class="quote gone" dir="auto" id="m{said}q">Message deleted</span>'
    )
    assert quote(talk.row(talk.does(talk.ana, "say", text="well"))) == ""


def test_what_is_answered_need_not_be_on_the_page(talk: Talk) -> None:
    asked = talk.does(talk.ana, "say", text="long ago " * 100)
    for number in range(49):
        talk.does(talk.ben, "say", text=f"{number}")
    talk.does(talk.ben, "delete", id=talk.does(talk.ben, "say", text="gone", reply=asked))
    said = talk.does(talk.ben, "say", text="yes", reply=asked)
    assert f'id="m{asked}"' not in talk.page()
    assert words(quote(talk.row(said))) == "You " + ("long ago " * 100)[:200].strip()
    assert "mention" in talk.row(said), "who is answered is meant"


def test_a_damaged_message_is_quoted_as_one(talk: Talk) -> None:
    asked = talk.does(talk.ben, "say", text="sound")
    said = talk.does(talk.ana, "say", text="what?", reply=asked)
    table(talk.site.config.data, "UPDATE things SET sum = 1 WHERE id = 1 AND kind = 'message'")
    site = talk.site.app.site
    talk.site.call(site.hub.rooms["lobby"].recent.forget)
    assert words(quote(talk.row(said))) == "This message was damaged on the server's disk."
    assert "message 1 of room 1 is damaged" in talk.site.log[0]
    talk.site.log.clear()


# -- mentions


def test_names_are_marked_and_a_message_for_me_is_told_by_its_row(talk: Talk) -> None:
    for_me = talk.row(talk.does(talk.ben, "say", text="@ana & @Ben <b>, @Ana!"))
    assert (
        '<mark class="me">@ana</mark> &amp; @Ben &lt;b&gt;, <mark class="me">@Ana</mark>!' in for_me
    )
    assert re.search(r'class="[^"]*\bmention\b', for_me)
    mentions = re.search(r'data-mentions="([^"]*)"', for_me)
    assert mentions
    assert list(json.loads(html.unescape(mentions[1])).values()) == ["Ana"]
    mine = talk.row(talk.does(talk.ana, "say", text="@Ben @Ana"))
    assert '<b class="at">@Ben</b> @Ana' in mine
    assert not re.search(r'class="[^"]*\bmention\b', mine)
    for_all = talk.row(talk.does(talk.ben, "say", text="@here (@HERE)"))
    assert '<mark class="me">@here</mark> (<mark class="me">@HERE</mark>)' in for_all
    assert '<b class="at">@here</b>' in talk.row(talk.does(talk.ana, "say", text="@here"))
    assert "data-mentions" not in talk.row(talk.does(talk.ana, "say", text="nobody"))


def test_the_text_of_a_row_is_what_was_said(talk: Talk) -> None:
    """The page takes it from there."""
    text = " @Ana\n\n @Ben  <mark>@Ana</mark> &amp; "
    row = talk.row(talk.does(talk.ben, "say", text=text))
    body = re.search(r'<div class="body"[^>]*>(.*?)</div>', row, re.DOTALL)
    assert body
    assert (
        html.unescape(re.sub(r'</?(?:mark class="me"|b class="at"|b|mark)>', "", body[1])) == text
    )


# -- reactions


def chips(row: str) -> list[tuple[str, ...]]:
    """Of each: pressed, emoji, label, title, what stands on it."""
    found = re.findall(
        r'<button class="chip" type="button" tabindex="-1" aria-pressed="(\w+)" data-emoji="(.*?)"'
        r' aria-label="(.*?)" title="(.*?)">(.*?)</button>',
        row,
    )
    return [(*chip[:4], words(chip[4])) for chip in found]


def test_reactions_are_counted_and_say_who(talk: Talk) -> None:
    said = talk.does(talk.ben, "say", text="hello")
    assert "chips" not in talk.row(said)
    for who, emoji, on in [
        (talk.ben, "🎉", True), (talk.ben, "👍", True), (talk.ana, "👍", True),
        (talk.ana, "❤️", True), (talk.ana, "❤️", False),
    ]:  # fmt: skip
        talk.does(who, "react", id=said, emoji=emoji, on=on)
    row = talk.row(said)
    assert chips(row) == [
        ("false", "🎉", "🎉 1 reaction", "Ben", "🎉 1"),
        ("true", "👍", "👍 2 reactions, including yours", "Ben, You", "👍 2"),
    ]
    assert '<div class="chips" role="group" aria-label="Reactions">' in row
    assert 'class="chip add"' in row


def test_a_chip_names_some_people_and_counts_the_others(talk: Talk) -> None:
    said = talk.does(talk.ben, "say", text="hello")
    for number in range(22):
        wire = talk.site.wire(cookie=talk.site.join(name=f"Person {number}"))
        talk.does(wire, "react", id=said, emoji="👍", on=True)
        wire.close()
    ((_, _, label, title, _),) = chips(talk.row(said))
    assert label == "👍 22 reactions"
    assert title.startswith("Person 0, Person 1, ")
    assert title.endswith("Person 19, and 2 more")


def test_the_scripts_are_given_the_same_reactions_as_history_has(talk: Talk) -> None:
    first = talk.does(talk.ben, "say", text="too old")
    talk.does(talk.ana, "react", id=first, emoji="👍", on=True)
    for number in range(50):
        said = talk.does(talk.ben, "say", text=f"{number}")
    talk.does(talk.ana, "react", id=said, emoji="👍", on=True)
    path, headers = "/r/lobby/messages", {"Cookie": talk.cookie}
    page = json.loads(talk.site.http("GET", path, headers=headers).body)
    reactions = [change for change in page["changes"] if change["type"] == "reaction"]
    assert [(change["id"], change["emoji"]) for change in reactions] == [(said, "👍")]
    assert talk.boot()["changes"] == reactions


# -- which stand together


def test_an_answer_begins_a_group_of_its_own(talk: Talk) -> None:
    first = talk.does(talk.ana, "say", text="one")
    rows = [
        talk.does(talk.ana, "say", text="two"),
        talk.does(talk.ana, "say", text="three", reply=first),
        talk.does(talk.ana, "say", text="four"),
    ]
    begins = [bool(re.match(r'<article class="[^"]*\bfirst\b', talk.row(id))) for id in rows]
    assert begins == [False, True, False]


# -- files


@pytest.fixture
def send(talk: Talk) -> Callable[..., int]:
    """Has Ben send a message with files, each of this name and kind; its id."""
    me = next(user.id for user in talk.site.app.site.store.users() if user.name == "Ben")

    def send(*files: tuple[str, str, dict[str, Any]], text: str = "", **fields: Any) -> int:
        named = []
        for name, type, more in files:
            about, size = more.get("about"), (more.get("width"), more.get("height"))
            id = secrets.token_urlsafe(16)
            deposit = Deposit(id, "lobby", me, type, more.get("size", 1), *size, b"", now_ms())
            talk.site.call(talk.site.app.site.store.wrote, deposit)
            named.append({"id": id, "name": name} | ({"about": about} if about else {}))
        return talk.does(talk.ben, "say", text=text, files=named, **fields)

    return send


PICTURE = ("a b?.png", "image/png", {"width": 1440, "height": 640, "about": "A <boat>"})
PAPER = ("Tide tables 2027.pdf", "application/pdf", {"size": 2_400_000})


def below(row: str) -> str:
    """The files of a row, without the blanks between them."""
    found = re.search(r'<div class="files".*?</div>', row, re.DOTALL)
    return re.sub(r">\s+<", "><", found[0]) if found else ""


def test_files_stand_below_the_text_and_pictures_come_first(
    talk: Talk, send: Callable[..., int]
) -> None:
    row = talk.row(id := send(PAPER, PICTURE, text="look"))
    paper, picture = json.loads(html.unescape(re.findall(r'data-files="(.*?)"', row)[0]))
    assert (picture["width"], picture["about"], paper["size"]) == (1440, "A <boat>", 2_400_000)
    where = f"files/{picture['id']}/a%20b%3F.png"
    assert below(row) == (
        f'<div class="files" id="m{id}f"><a class="pic" tabindex="-1" href="{where}">'
        f'<img src="{where}" width="360" height="160" loading="lazy" decoding="async"'
        ' alt="A &lt;boat&gt;"></a>'
        f'<a class="file" tabindex="-1" href="files/{paper["id"]}/Tide%20tables%202027.pdf'
        '?download" download><span class="kind" aria-hidden="true">PDF</span><span class="grow">'
        '<span class="fn" dir="auto">Tide tables 2027.pdf</span>'
        '<span class="sub">PDF, 2.4 MB</span></span>'
        '<svg aria-hidden="true"><use href="#i-save"/></svg></a></div>'
    )
    assert re.search(rf'aria-labelledby="[^"]* m{id}b m{id}f"', row)


def test_film_and_sound_have_the_controls_of_the_browser(
    talk: Talk, send: Callable[..., int]
) -> None:
    row = below(talk.row(send(("a.mp4", "video/mp4", {}), ("b.ogg", "audio/ogg", {"about": "Hm"}))))
    assert re.search(
        r'<video [^>]*controls preload="metadata" src="[^"]*" aria-label="a.mp4">', row
    )
    assert re.search(r'<audio [^>]*controls preload="metadata" src="[^"]*" aria-label="Hm">', row)
    row = below(talk.row(send(("c.mp4", "video/mp4", {"width": 1080, "height": 1920}))))
    assert ' width="180" height="320" ' in row, "so that nothing shifts"


@pytest.mark.parametrize("type", ["image/png", "image/svg+xml", "text/html"])
def test_what_is_no_picture_of_a_known_size_is_a_chip(
    talk: Talk, send: Callable[..., int], type: str
) -> None:
    row = below(talk.row(send(("notes", type, {"size": 999}))))
    assert "<img" not in row
    assert words(row) == "FilenotesFile, 999 B"


def test_a_message_without_text_has_an_empty_body(talk: Talk, send: Callable[..., int]) -> None:
    """Which takes no space."""
    assert re.search(r'<div class="body" id="m\d+b"></div>', talk.row(send(PICTURE)))


def test_a_message_without_files_has_nothing_of_them(talk: Talk) -> None:
    row = talk.row(talk.does(talk.ana, "say", text="hello"))
    assert "file" not in row


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([PICTURE], "Picture"),
        ([PICTURE, PICTURE], "2 pictures"),
        ([PAPER], "Tide tables 2027.pdf"),
        ([("Voice message.webm", "audio/webm", {})], "Voice message"),
        ([PAPER, PICTURE, PAPER], "3 files"),
    ],
)
def test_an_answer_to_files_alone_says_what_they_are(
    talk: Talk, send: Callable[..., int], files: list[Any], told: str
) -> None:
    said = talk.does(talk.ana, "say", text="oh", reply=send(*files))
    assert words(quote(talk.row(said))) == f"Ben {told}"
    said = talk.does(talk.ana, "say", text="oh", reply=send(*files, text="look"))
    assert words(quote(talk.row(said))) == "Ben look"


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1149, "1.1 kB"), (1150, "1.1 kB"),
        (2250, "2.3 kB"), (9949, "9.9 kB"), (9950, "10 kB"), (999_499, "999 kB"),
        (999_500, "1 MB"), (26_214_400, "26 MB"), (2**40, "1100 GB"),
    ],
)  # fmt: skip
def test_sizes_are_told_as_the_page_tells_them(size: int, told: str) -> None:
    assert size_of(size) == told
