"""chat/web/pages.py: the page, the forms and the history over HTTP."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from chat.app import ChatApp, make_app
from chat.config import Config
from chat.web.pages import Letter
from chat.wire.protocol import Arrange, Delete, Edit, Lasting, Person, React, Say


@pytest.fixture
def app(tmp_path: Path, io_loop: object) -> Iterator[ChatApp]:
    app = make_app(Config(data=tmp_path, rate=0))

    async def start() -> None:
        app.start()

    io_loop.run_sync(start)  # type: ignore[attr-defined]
    yield app
    io_loop.run_sync(app.stop)  # type: ignore[attr-defined]


class Browser:
    """A visitor without JavaScript: keeps the cookie, follows nothing."""

    def __init__(self, client: AsyncHTTPClient, base: str) -> None:
        self.client = client
        self.base = base
        self.cookie = ""

    async def get(self, path: str, **headers: str) -> HTTPResponse:
        return await self._fetch(path, "GET", None, headers)

    async def post(self, path: str, json: bool = False, **form: str) -> HTTPResponse:
        headers = {"Accept": "application/json"} if json else {}
        return await self._fetch(path, "POST", urlencode(form), headers)

    async def _fetch(
        self, path: str, method: str, body: str | None, headers: dict[str, str]
    ) -> HTTPResponse:
        response = await self.client.fetch(
            self.base + path,
            method=method,
            body=body,
            headers={"Cookie": self.cookie, **headers},
            follow_redirects=False,
            raise_error=False,
        )
        for line in response.headers.get_list("Set-Cookie"):
            self.cookie = line.split(";")[0]
        return response

    async def join(self, name: str, room: str = "lobby") -> HTTPResponse:
        return await self.post("/join", name=name, room=room)


@pytest.fixture
def visit(http_client: AsyncHTTPClient, base_url: str, http_server: object) -> type:
    return lambda: Browser(http_client, base_url)  # type: ignore[return-value]


def text(response: HTTPResponse) -> str:
    return response.body.decode()


def said(response: HTTPResponse) -> list[str]:
    changes = json.loads(response.body)["changes"]
    return [change["text"] for change in changes if change["type"] == "message"]


async def say(app: ChatApp, person: Person, text: str) -> int:
    """Somebody says this in the house room; the id of the message."""
    letter = Letter(person, "192.0.2.1")
    app.site.hub.enter(person, "lobby").serve(letter, Say(secrets.token_hex(8), text))
    return await letter.arrived


@pytest.mark.gen_test
async def test_a_visitor_without_a_name_gets_the_card_to_join(visit: type) -> AsyncIterator[None]:
    ana = visit()
    response = await ana.get("/r/general")
    assert response.code == 200
    assert 'name="name"' in text(response)
    assert "Set-Cookie" not in response.headers


@pytest.mark.gen_test
async def test_a_name_is_all_it_takes_to_be_in(visit: type) -> None:
    await visit().join("Somebody")
    ana = visit()
    response = await ana.join("Ana", "general")
    assert (response.code, response.headers["Location"]) == (303, "r/general?joined=Ana")
    cookie = response.headers["Set-Cookie"]
    assert re.search(r"; HttpOnly; Path=/; SameSite=Lax$", cookie)
    assert "Secure" not in cookie
    arrived = await ana.get("/r/general?joined=Ana")
    assert (arrived.code, arrived.headers["Location"]) == (303, "../r/general")
    page = await ana.get("/r/general")
    assert 'role="log"' in text(page)
    assert page.headers["Set-Cookie"].startswith("device=")


@pytest.mark.gen_test
async def test_a_taken_name_is_refused_with_a_free_one_in_the_field(visit: type) -> None:
    await visit().join("Ana")
    bob = visit()
    response = await bob.join(" ana ")
    assert response.code == 409
    assert "Someone here is already called Ana." in text(response)
    assert 'value="ana 2"' in text(response)
    assert not bob.cookie
    assert (await bob.join("")).code == 400


@pytest.mark.gen_test
async def test_posting_and_reading_work_without_javascript(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    response = await ana.post("/r/lobby", text="hello\r\nthere <b>")
    assert (response.code, response.headers["Location"]) == (303, "../#m1")
    page = text(await ana.get("/"))
    assert "hello\nthere &lt;b&gt;" in page
    assert 'id="m1"' in page
    elsewhere = await ana.post("/r/other", text="x")
    assert elsewhere.headers["Location"] == "../r/other#m1"


@pytest.mark.gen_test
async def test_a_refused_post_gives_the_text_back(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    response = await ana.post("/r/lobby", text="z" * 4001)
    assert response.code == 413
    assert "z" * 4001 in text(response)
    assert "longer than 4,000 characters" in text(response)
    stranger = visit()
    response = await stranger.post("/r/lobby", text="keep me")
    assert response.code == 403
    assert "keep me" in text(response)


@pytest.mark.gen_test
async def test_a_form_posted_twice_is_stored_once(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    for _ in range(2):
        response = await ana.post("/r/lobby", text="once", cid="abcdefgh-1")
        assert response.headers["Location"] == "../#m1"
    assert said(await ana.get("/r/lobby/messages")) == ["once"]
    assert (await ana.post("/r/lobby", text="x", cid="a b")).code == 400


@pytest.mark.gen_test
async def test_a_page_posts_into_another_room_and_is_answered_in_json(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    first = json.loads((await ana.post("/r/den", json=True, text="hi", cid="abcdefgh-1")).body)
    again = await ana.post("/r/den", json=True, text="hi", cid="abcdefgh-1")
    assert again.code == 200
    assert json.loads(again.body) == first == {"id": 1}
    refused = await ana.post("/r/den", json=True, text="other", cid="abcdefgh-1")
    assert refused.code == 409
    assert json.loads(refused.body)["code"] == "cid_reused"


@pytest.mark.gen_test
async def test_what_somebody_else_wrote_in_this_browser_is_not_posted(visit: type) -> None:
    ana, bea = visit(), visit()
    await ana.join("Ana")
    await bea.join("Bea")
    mine = json.loads((await ana.post("/name", json=True, name="Ana")).body)["user"]
    refused = await bea.post("/r/den", json=True, text="by Ana", cid="abcdefgh-1", user=mine)
    assert refused.code == 403
    assert json.loads(refused.body)["code"] == "sign_in"
    assert (await ana.post("/r/den", json=True, text="by Ana", user=mine)).code == 200


@pytest.mark.gen_test
async def test_history_comes_in_pages(visit: type, app: ChatApp) -> None:
    ana = visit()
    await ana.join("Ana")
    for n in range(1, 31):
        assert await say(app, Person("u", "U", 1), f"m{n}") == n

    async def page(query: str) -> tuple[list[str], bool]:
        response = await ana.get(f"/r/lobby/messages?{query}")
        return said(response), json.loads(response.body)["more"]

    assert await page("limit=2") == (["m29", "m30"], True)
    assert await page("before=29&limit=28") == ([f"m{n}" for n in range(1, 29)], False)
    assert await page("after=28&limit=5") == (["m29", "m30"], False)
    assert await page("around=15&limit=4") == (["m13", "m14", "m15", "m16"], True)
    assert await page("since=10&limit=2") == (["m11", "m12"], True)
    body = json.loads((await ana.get("/r/lobby/messages?limit=1")).body)
    assert (body["room"], body["head"], body["epoch"]) == ("lobby", 30, app.site.store.epoch)
    assert body["changes"] == [
        {
            "type": "message",
            "rev": 30,
            "id": 30,
            "user": "u",
            "name": "U",
            "color": 1,
            "text": "m30",
        }
        | {"at": body["changes"][0]["at"], "cid": body["changes"][0]["cid"]}
    ]
    assert await page("ids=7,3,31") == (["m3", "m7"], False)


@pytest.mark.gen_test
async def test_history_has_the_reactions_below_its_messages_and_nothing_of_what_is_gone(
    visit: type, app: ChatApp
) -> None:
    """In the newest state each; `since` has all kinds."""
    ana = visit()
    await ana.join("Ana")
    me = json.loads((await ana.post("/name", json=True, name="Ana")).body)["user"]
    person = app.site.directory.find(me)
    assert person is not None

    async def do(make: Callable[[str], Lasting]) -> None:
        letter = Letter(person, "192.0.2.1")
        app.site.hub.enter(person, "lobby").serve(letter, make(secrets.token_hex(8)))
        await letter.arrived

    async def page(query: str) -> list[tuple[str, int, int]]:
        changes = json.loads((await ana.get(f"/r/lobby/messages?{query}")).body)["changes"]
        return [(c["type"], c.get("id", c.get("from", 0)), c["rev"]) for c in changes]

    assert [await say(app, person, text) for text in ("one", "two")] == [1, 2]
    await do(lambda cid: React(cid, 1, "👍", True))  # rev 3
    await do(lambda cid: React(cid, 2, "👍", True))  # rev 4
    await do(lambda cid: React(cid, 2, "🎉", True))  # rev 5
    await do(lambda cid: React(cid, 2, "🎉", False))  # rev 6
    await do(lambda cid: Edit(cid, 1, "one, better"))  # rev 7
    await do(lambda cid: Arrange(cid, "numbers"))  # rev 8
    shown = [("message", 1, 7), ("message", 2, 2), ("reaction", 1, 3), ("reaction", 2, 4)]
    assert await page("limit=50") == shown
    assert await page("before=2") == [("message", 1, 7), ("reaction", 1, 3)]
    assert await page("since=4") == [("reaction", 2, 6), ("message", 1, 7), ("settings", 0, 8)]
    await do(lambda cid: Delete(cid, 2))  # rev 9
    assert await page("limit=50") == [("message", 1, 7), ("reaction", 1, 3)]
    assert await page("since=0") == [
        *[("reaction", 1, 3), ("message", 1, 7), ("settings", 0, 8), ("gone", 2, 9)]
    ]


@pytest.mark.gen_test
async def test_what_came_after_a_rev_is_not_told_where_some_of_it_is_forgotten(
    visit: type, app: ChatApp
) -> None:
    """Or a text that is gone would stay for ever with whoever asks; who has nothing has all."""
    ana = visit()
    await ana.join("Ana")
    for n in range(1, 6):
        await say(app, Person("u", "U", 1), f"m{n}")
    app.site.hub.enter(None, "lobby").standing.floor = 3
    forgotten = await ana.get("/r/lobby/messages?since=2")
    assert (forgotten.code, json.loads(forgotten.body)["code"]) == (400, "bad_page")
    assert said(await ana.get("/r/lobby/messages?since=3")) == ["m4", "m5"]
    assert len(said(await ana.get("/r/lobby/messages?since=0"))) == 5
    assert len(said(await ana.get("/r/lobby/messages?before=2"))) == 1


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=201", "limit=x", "before=-1", "before=1&after=2", "since=1e3"),
        *("ids=x", "ids=", "ids=1,2&before=3", "ids=" + ",".join(["1"] * 101)),
    ],
)
async def test_a_page_of_history_that_makes_no_sense_is_refused(visit: type, query: str) -> None:
    ana = visit()
    await ana.join("Ana")
    response = await ana.get(f"/r/lobby/messages?{query}")
    assert response.code == 400
    assert json.loads(response.body)["code"] == "bad_page"


@pytest.mark.gen_test
async def test_history_is_for_those_who_have_joined(visit: type) -> None:
    response = await visit().get("/r/lobby/messages")
    assert response.code == 403
    assert json.loads(response.body) == {
        "code": "sign_in",
        "detail": "You are not signed in here. Join again.",
    }


@pytest.mark.gen_test
async def test_a_new_name_keeps_the_person(visit: type) -> None:
    ana, bob = visit(), visit()
    await ana.join("Ana")
    await bob.join("Bob")
    before = json.loads((await ana.post("/name", json=True, name="Ana Ruiz")).body)
    assert before["name"] == "Ana Ruiz"
    taken = await ana.post("/name", json=True, name="bob")
    assert taken.code == 409
    assert json.loads(taken.body)["suggestion"] == "bob 2"
    response = await ana.post("/name", name="Ana", room="general")
    assert (response.code, response.headers["Location"]) == (303, "r/general")
    assert (await visit().post("/name", json=True, name="Eve")).code == 403


@pytest.mark.gen_test
async def test_signing_out_makes_the_cookie_worthless_and_frees_the_name(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    stolen = ana.cookie
    response = await ana.post("/signout", room="lobby")
    assert response.code == 303
    thief = visit()
    thief.cookie = stolen
    assert (await thief.get("/r/lobby/messages")).code == 403
    assert (await visit().join("Ana")).code == 303


@pytest.mark.gen_test
async def test_joining_again_with_a_name_already_held_renames(visit: type) -> None:
    ana = visit()
    await ana.join("Ana")
    assert (await ana.join("Bea")).code == 303
    assert "Bea" in text(await ana.get("/"))
    assert (await visit().join("Ana")).code == 303


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/r/?name=My%20Room", "../r/my-room"),
        ("/r/?name=lobby", "../"),
        ("/r/lobby", "../"),
        ("/r/General", "../r/general"),
        ("/r/%E6%97%A5", None),
        ("/join", "./"),
    ],
)
async def test_a_room_has_one_address(visit: type, path: str, location: str | None) -> None:
    response = await visit().get(path)
    assert (response.code, response.headers.get("Location")) == (
        (200, None) if location is None else (303, location)
    )


@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/r/a.b", "/r/-", "/nowhere", "/r/x/y", "/static/x/css/app.css"])
async def test_an_address_that_is_none_says_so_in_words(visit: type, path: str) -> None:
    response = await visit().get(path)
    assert response.code == 404
    assert "<h1" in text(response)
    assert "Traceback" not in text(response)


@pytest.mark.gen_test
async def test_health_is_for_everyone(visit: type) -> None:
    response = await visit().get("/healthz")
    assert (response.code, response.body) == (200, b"ok\n")


@pytest.mark.gen_test
async def test_static_files_never_go_stale(visit: type, app: ChatApp) -> None:
    build = app.site.build
    for path in (f"/static/{build}/css/app.css", f"/static/{build}/js/main.js"):
        response = await visit().get(path)
        assert response.code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert build in text(await visit().get("/"))


@pytest.mark.gen_test
async def test_data_in_the_page_cannot_end_its_script(visit: type) -> None:
    ana = visit()
    await ana.join("</script><b>")
    page = text(await ana.get("/"))
    assert "</script><b>" not in page
    boot = re.search(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert boot
    assert json.loads(boot.group(1))["you"]["name"] == "</script><b>"


@pytest.mark.gen_test
async def test_a_bug_is_a_number_for_the_visitor_and_a_traceback_in_the_log(
    visit: type, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("chat.web.pages.valid_room", lambda name: 1 / 0)
    response = await visit().get("/r/x")
    assert response.code == 500
    assert "ZeroDivisionError" not in text(response)
    number = re.search(r"\(([0-9a-f]{8})\)", text(response))
    assert number
    assert number.group(1) in caplog.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.gen_test
async def test_rows_of_one_person_within_five_minutes_are_a_group(
    visit: type, app: ChatApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = visit()
    await ana.join("Ana")
    now = 1_700_000_000_000
    for minutes, user in [(0, "u"), (4, "u"), (10, "u"), (11, "v"), (60 * 24, "v")]:
        monkeypatch.setattr("chat.room.room.now_ms", lambda at=now + minutes * 60_000: at)
        await say(app, Person(user, user.upper(), 1), "x")
    page = text(await ana.get("/"))
    rows = re.findall(r'<article class="([^"]*)"', page.split("<template")[0])
    assert ["first" in row.split() for row in rows] == [True, False, True, True, True]


@pytest.mark.gen_test
async def test_a_browser_that_keeps_no_cookie_is_told_so(visit: type) -> None:
    await visit().join("Somebody")
    page = await visit().get("/r/general?joined=Tom%20%3CNgo%3E")
    assert "Your browser does not keep cookies" in text(page)
    assert 'value="Tom &lt;Ngo&gt;"' in text(page)
    assert "Your browser does not keep cookies" not in text(await visit().get("/r/general"))


@pytest.mark.gen_test
async def test_an_address_that_no_room_can_have_offers_the_one_that_was_meant(visit: type) -> None:
    page = await visit().get("/r/Mum%20%26%20Dad%21")
    assert page.code == 404
    assert 'href="../r/mum-dad">Open #mum-dad<' in text(page)
    assert "Open #" not in text(await visit().get("/nowhere"))


@pytest.mark.gen_test
async def test_a_link_becomes_a_code_for_members_and_anything_else_does_not(visit: type) -> None:
    ana = visit()
    assert (await ana.get("/qr?link=http%3A%2F%2Fexample.org%2F")).code == 403
    await ana.join("Ana")
    picture = await ana.get("/qr?link=http%3A%2F%2Fexample.org%2Fr%2Fr%25C3%25A4ume")
    assert picture.headers["Content-Type"] == "image/svg+xml"
    assert picture.body.lstrip().startswith((b"<?xml", b"<svg"))
    unlogged = await ana.post("/qr", link="http://example.org/r/r%C3%A4ume")
    assert unlogged.body == picture.body
    assert (await visit().post("/qr", link="http://example.org/")).code == 403
    for wrong in ("", "javascript%3Aalert(1)", "http%3A%2F%2F" + "x" * 600, "%FF"):
        assert (await ana.get(f"/qr?link={wrong}")).code == 400, wrong
