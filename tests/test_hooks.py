"""chat/web/hooks.py, room/hooks.py, log/hooks.py: programs that write and read by a key."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Answer, Wire
from serving import Site
from test_polls import Poll, waiting
from test_slack import ALERTMANAGER, GRAFANA, kuma

from chat.log.backup import backup
from chat.log.restore import restore
from chat.room.people import DAY, HELD, now_ms
from chat.rules.slack import text_of
from chat.wire.codes import TEXT_LIMIT

JSON = {"Accept": "application/json"}


@dataclass
class Bot:
    """A hook, as whoever has its key uses it."""

    site: Site
    id: int
    key: str

    def post(self, body: str | bytes = "", query: str = "", **headers: str) -> Answer:
        """What `curl` sends."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/hook/{self.key}{query}"
        return self.site.http("POST", path, headers=named, body=body)

    def read(self, path: str, **headers: str) -> tuple[int, Any]:
        """A page of history."""
        answer = self.site.http("GET", path, headers={"Authorization": f"Bearer {self.key}"})
        return answer.status, json.loads(answer.body)


@pytest.fixture
def owner(site: Site) -> str:
    """The cookie of the owner."""
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    return cookie


def hire(site: Site, owner: str, name: str = "Builds", *rooms: str) -> Bot:
    """A bot, made as the owner makes it."""
    answer = json.loads(site.order(owner, "hook", name=name, rooms=rooms or ["den"]).body)
    assert answer["type"] == "link", answer
    return Bot(site, answer["id"], answer["token"])


@pytest.fixture
def bot(site: Site, owner: str) -> Bot:
    return hire(site, owner)


@pytest.fixture
def wire(site: Site, owner: str) -> Iterator[Wire]:
    """The owner, in the room."""
    wire = site.wire("den", owner)
    yield wire
    wire.close()


def said(site: Site, cookie: str, room: str = "den") -> list[dict[str, Any]]:
    """The messages of a room."""
    page = site.http("GET", f"/r/{room}/messages", headers={"Cookie": cookie})
    return list(json.loads(page.body)["changes"])


def refused(answer: Answer) -> tuple[int, str]:
    """Status and code; there is a sentence too."""
    told = json.loads(answer.body)
    assert told["detail"].endswith((".", "}.")), told
    return answer.status, told["code"]


# -- what is written


def test_what_curl_posts_is_said_in_the_room_by_the_bot(bot: Bot, wire: Wire) -> None:
    """`curl -d 'disk full' …/hook/<key>`, as curl sends it."""
    answer = bot.post("disk full", Content_Type="application/x-www-form-urlencoded")
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers["Content-Type"].startswith("text/plain")
    message = wire.hear("message")
    assert (message["text"], message["name"], message["bot"]) == ("disk full", "Builds", True)


def test_what_people_say_has_no_mark_of_a_bot(wire: Wire) -> None:
    assert "bot" not in wire.hear("message", cid=wire.say("by hand"))


FORM, PART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=xx"


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain; charset=utf-8", "5 > 3 & *so* on — é", "5 > 3 & *so* on — é"),
        (FORM, "100% + 1 = 2&3", "100% + 1 = 2&3"),
        (FORM, "text=disk+full%21", "disk full!"),
        (FORM, "payload=%7B%22text%22%3A%22*hi*%22%7D", "**hi**"),
        (FORM, '{"text": "*hi*"}', "**hi**"),
        (FORM, '{"not": "ours"}', '{"not": "ours"}'),
        (FORM, "{x", "{x"),
        ("application/json", '{"text": "<https://e.org|here>"}', "here (https://e.org)"),
        ("application/json; charset=utf-8", '{"msg": "Testing"}', "Testing"),
        ("application/vnd.x+json", '{"text": "hi"}', "hi"),
        ("application/json", json.dumps(ALERTMANAGER), text_of(ALERTMANAGER)),
        ("application/json", json.dumps(GRAFANA), text_of(GRAFANA)),
        ("application/json", json.dumps(kuma("🔴 Down")), text_of(kuma("🔴 Down"))),
        (
            PART,
            '--xx\r\nContent-Disposition: form-data; name="data"\r\n\r\n{"msg": "Up"}\r\n--xx--',
            "Up",
        ),
        ("", "no kind", "no kind"),
    ],
)
def test_every_sender_is_understood(bot: Bot, wire: Wire, kind: str, body: str, text: str) -> None:
    answer = bot.post(body.encode(), Content_Type=kind)
    assert (answer.status, answer.body) == (200, b"ok")
    assert wire.hear("message")["text"] == text


def test_github_tells_of_a_repository_and_is_told_twice_of_nothing(bot: Bot, wire: Wire) -> None:
    event = json.dumps(
        {"action": "opened", "issue": {"number": 1, "title": "Leak"}, "x": "y" * 200_000}
    )
    told = {
        "Content_Type": "application/json",
        "X_GitHub_Event": "issues",
        "X_GitHub_Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    }
    assert bot.post(event, **told).body == b"ok"
    assert wire.hear("message")["text"] == "Somebody opened issue #1: Leak"
    assert bot.post(event, **told).body == b"ok"
    starred = {**told, "X_GitHub_Event": "star", "Accept": "application/json"}
    assert json.loads(bot.post(event, **starred).body) == {"id": None}
    assert bot.post("end").body == b"ok"
    assert wire.hear("message")["text"] == "end"


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("application/json", "{", (400, "bad_frame")),
        ("application/json", "[" * 60_000, (400, "bad_frame")),
        ("application/json", b"\xff\xfe", (400, "bad_frame")),
        ("application/json", '{"nothing": 1}', (400, "empty")),
        (FORM, "payload=nonsense", (400, "bad_frame")),
        (FORM, "text=", (400, "empty")),
        (PART, "--xx\r\n\r\nnothing\r\n--xx--", (400, "empty")),
        ("multipart/form-data", "no boundary", (400, "empty")),
        ("text/plain", " \n", (400, "empty")),
        ("text/plain", "", (400, "empty")),
    ],
)
def test_what_says_nothing_is_refused_in_words(
    bot: Bot, kind: str, body: str | bytes, code: tuple[int, str]
) -> None:
    assert refused(bot.post(body, Content_Type=kind)) == code


def test_a_text_that_is_too_long_is_cut_and_not_lost(bot: Bot, wire: Wire) -> None:
    assert bot.post("x" * 30_000).status == 200
    text = wire.hear("message")["text"]
    assert (len(text), text[-1]) == (TEXT_LIMIT, "…")


def test_a_body_beyond_all_reason_is_refused(bot: Bot) -> None:
    assert refused(bot.post("x" * 3_000_000)) == (413, "too_big")


def test_a_bots_here_calls_nobody_and_a_name_does(bot: Bot, wire: Wire) -> None:
    bot.post(json.dumps({"text": "<!channel> and @Olga"}), Content_Type="application/json")
    message = wire.hear("message")
    assert message["text"] == "@here and @Olga"
    assert list(message["mentions"].values()) == ["Olga"]


# -- again


def test_a_request_that_comes_again_is_carried_out_once_also_after_a_restart(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path / "data")
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    bot = hire(site, cookie)
    again = {**JSON, "Idempotency_Key": "backup 2026-11-30"}
    first = json.loads(bot.post("saved", **again).body)
    assert json.loads(bot.post("saved", **again).body) == first
    assert refused(bot.post("another", **again)) == (409, "cid_reused")
    site.stop()
    site = Site(tmp_path / "data")
    bot = Bot(site, bot.id, bot.key)
    assert json.loads(bot.post("saved", **again).body) == first
    assert [message["text"] for message in said(site, cookie)] == ["saved"]
    assert bot.post("saved").body == b"ok"
    assert len(said(site, cookie)) == 2
    site.stop()


# -- the key


def test_a_wrong_key_is_refused_and_counted(site: Site, bot: Bot) -> None:
    for key in ("x" * 22, bot.key[:-1], bot.key + "x", "%00", "%C3%A4"):
        answer = site.http("POST", f"/hook/{key}", body="hello")
        assert refused(answer) == (401, "bad_key")
    assert refused(site.http("POST", "/hook", body="hello")) == (401, "bad_key")
    bad = {"Authorization": f"Bearer {'x' * 22}"}
    assert refused(site.http("GET", "/r/den/messages", headers=bad)) == (401, "bad_key")
    assert site.app.site.hooks.wrong == 7


def test_the_key_may_stand_in_a_header(site: Site, bot: Bot, wire: Wire) -> None:
    answer = site.http("POST", "/hook", headers={"Authorization": f"Bearer {bot.key}"}, body="hi")
    assert answer.body == b"ok"
    assert wire.hear("message")["text"] == "hi"


def test_a_cookie_is_nothing_to_a_hook(site: Site, owner: str) -> None:
    answer = site.http("POST", f"/hook/{'x' * 22}", headers={"Cookie": owner}, body="hello")
    assert refused(answer) == (401, "bad_key")


@pytest.mark.parametrize(
    "foreign",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}],
    ids=str,
)
def test_a_page_of_another_site_cannot_use_it(bot: Bot, foreign: dict[str, str]) -> None:
    assert refused(bot.post("hello", **foreign))[1] == "cross_origin"


def test_a_get_says_nothing(site: Site, owner: str, bot: Bot) -> None:
    """A link that somebody's mail looks at."""
    assert site.http("GET", f"/hook/{bot.key}?text=hello").status == 405
    assert said(site, owner) == []


def test_what_is_kept_of_a_key_is_a_hash(site: Site, bot: Bot) -> None:
    bot.post("hello")
    found = b"".join(path.read_bytes() for path in site.config.data.rglob("*") if path.is_file())
    assert bot.key.encode() not in found


def test_no_log_tells_a_key(site: Site, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even of a request that met a bug."""

    def broken(*arguments: Any) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr("chat.web.hooks.posted", broken)
    assert bot.post("hello").status == 500
    site.call(lambda: None)
    log = "\n".join(site.log)
    site.log.clear()
    assert "a bug" in log
    assert "/hook/…" in log
    assert bot.key not in log


def test_a_key_is_paced_as_a_person_is_and_that_is_counted(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", rate=0.2)
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    bot = hire(site, cookie, "Builds", "lobby")
    answers = [bot.post(f"{number}") for number in range(30)]
    assert answers[0].status == 200
    answer = next(answer for answer in answers if answer.status != 200)
    assert refused(answer) == (429, "slow_down")
    assert int(answer.headers["Retry-After"]) > 0
    assert site.app.site.hooks.listed()[0].code == "slow_down"
    site.stop()
    assert site.log == []


def test_keys_cannot_be_tried_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.web.hooks.monotonic", lambda: 1.0)  # no time passes, however slow
    site = Site(tmp_path / "data", rate=1.0)
    codes = [
        refused(site.http("POST", f"/hook/{number:022}", body="x"))[1] for number in range(230)
    ]
    assert codes[0] == "bad_key"
    assert codes[-1] == "slow_down"
    site.stop()
    assert site.log == []


# -- rooms


def test_a_bot_is_in_its_rooms_only(site: Site, owner: str, wire: Wire) -> None:
    bot = hire(site, owner, "Weather", "den", "attic")
    wire.hear("message", cid=wire.say("hello"))
    assert bot.post("sun").status == 200
    assert bot.post("rain", query="?room=attic").status == 200
    assert [m["text"] for m in said(site, owner, "attic")] == ["rain"]
    assert [m["text"] for m in said(site, owner)] == ["hello", "sun"]
    assert refused(bot.post("wind", query="?room=lobby")) == (404, "bad_room")
    assert refused(bot.post("wind", query="?room=..")) == (404, "bad_room")
    assert bot.read("/r/den/messages")[0] == 200
    assert bot.read("/r/lobby/messages") == (404, bot.read("/r/nowhere/messages")[1])
    assert site.app.site.hooks.listed()[0].refused == 2


def test_who_is_taken_out_of_a_room_is_out_and_out_of_all_has_nowhere_to_write(
    site: Site, owner: str
) -> None:
    bot = hire(site, owner, "Weather", "den", "attic")
    user = site.user("Weather")
    site.order(owner, "member", user=user, room="den", on=False)
    assert bot.post("sun").status == 200
    assert [m["text"] for m in said(site, owner, "attic")] == ["sun"]
    site.order(owner, "member", user=user, room="attic", on=False)
    assert refused(bot.post("sun")) == (404, "bad_room")
    assert refused(bot.post("sun", query="?room=attic")) == (404, "bad_room")


@pytest.mark.parametrize(
    ("room", "answer"),
    [
        ({"mode": "announce"}, None),
        ({"mode": "slow", "slow": 3600}, (429, "slow_down")),
        ({"mode": "locked"}, (403, "room_locked")),
        ({"private": True}, None),
    ],
    ids=str,
)
def test_a_bot_writes_in_a_room_as_its_mode_lets_it(
    bot: Bot, wire: Wire, room: dict[str, Any], answer: tuple[int, str] | None
) -> None:
    """Announcements are made by moderators and bots; a private room is theirs who were let in."""
    wire.hear("settings", cid=wire.command("room", **room))
    bot.post("first")
    if answer is None:
        assert bot.post("second").body == b"ok"
        assert bot.read("/r/den/messages")[0] == 200
    else:
        assert refused(bot.post("second")) == answer


def test_a_key_opens_nothing_but_messages(site: Site, bot: Bot) -> None:
    headers = {"Authorization": f"Bearer {bot.key}", **JSON}
    for path in ("/r/den/ws", "/qr?link=http://e.org"):
        assert refused(site.http("GET", path, headers=headers)) == (403, "sign_in")
    body = {"type": "mute", "cid": "a-cid-of-mine", "user": "x", "until": 0}
    answer = site.http("POST", "/orders", headers=headers, json_body=body)
    assert refused(answer) == (403, "sign_in")


def test_what_is_no_key_of_ours_is_a_proxys(site: Site, owner: str) -> None:
    headers = {"Authorization": "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", "Cookie": owner}
    assert site.http("GET", "/r/den/messages", headers=headers).status == 200


def test_a_bot_waits_for_what_is_said(bot: Bot, wire: Wire) -> None:
    wire.hear("message", cid=wire.say("one"))
    status, page = bot.read("/r/den/messages?since=0&wait=25")
    assert (status, page["changes"][0]["text"]) == (200, "one")


# -- made and ended


@pytest.mark.parametrize("role", ["moderator", "member", "guest"])
def test_only_an_owner_makes_and_ends_hooks(site: Site, bot: Bot, role: str) -> None:
    cookie = site.join("den", "Mona")
    site.promote("Mona", role)
    assert refused(site.order(cookie, "hook", name="X", rooms=["den"])) == (403, "not_allowed")
    assert refused(site.order(cookie, "revoke", id=bot.id)) == (403, "not_allowed")
    assert bot.post("still here").status == 200


def test_a_hook_that_is_ended_is_ended_for_good(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    bot, other = hire(site, cookie), hire(site, cookie, "Weather")
    bot.post("hello")
    for _ in range(2):
        assert json.loads(site.order(cookie, "revoke", id=bot.id).body)["type"] == "done"
    assert refused(bot.post("again")) == (401, "bad_key")
    assert bot.read("/r/den/messages")[1]["code"] == "bad_key"
    assert other.post("sun").status == 200
    site.stop()
    site = Site(tmp_path / "data")
    assert refused(Bot(site, bot.id, bot.key).post("again")) == (401, "bad_key")
    assert [hook.bot.name for hook in site.app.site.hooks.listed()] == ["Weather"]
    assert site.join("den", "Builds"), "its name is free"
    assert [message["bot"] for message in said(site, cookie)] == [True, True]
    site.stop()
    assert site.log == []


def test_a_restored_backup_has_the_hooks_that_were_not_ended_since(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "saved"
    site = Site(data)
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    bot, other = hire(site, cookie), hire(site, cookie, "Weather")
    backup(data, file)
    site.order(cookie, "revoke", id=bot.id)
    site.stop()
    restore(data, file)
    site = Site(data)
    assert refused(Bot(site, bot.id, bot.key).post("again")) == (401, "bad_key")
    assert Bot(site, other.id, other.key).post("sun").status == 200
    site.stop()


def test_who_waits_when_the_key_is_ended_gets_nothing(
    site: Site, owner: str, bot: Bot, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.web.history.WAIT", 10 * PATIENCE)
    poll = Poll(site, f"Bearer {bot.key}", "/r/den/messages?since=0&wait=1000")
    waiting(site, 1)
    site.order(owner, "revoke", id=bot.id)
    wire.say("a secret")
    status, told = poll.answer()
    assert (status, told["code"]) == (401, "bad_key")


@pytest.mark.parametrize(
    ("name", "rooms", "code"),
    [
        ("Olga", ["den"], "name_taken"),
        ("0lga", ["den"], "name_taken"),
        ("Owner", ["den"], "bad_name"),
        ("🤖", ["den"], "bad_name"),
        ("", ["den"], "bad_name"),
        ("Builds", [], "bad_frame"),
        ("Builds", [".."], "bad_room"),
        ("Builds", "den", "bad_frame"),
    ],
)
def test_a_hook_needs_a_name_and_rooms(
    site: Site, owner: str, name: str, rooms: Any, code: str
) -> None:
    assert refused(site.order(owner, "hook", name=name, rooms=rooms))[1] == code
    assert site.app.site.hooks.listed() == []


def test_nobody_takes_the_name_of_a_bot_however_long_it_is_silent(site: Site, bot: Bot) -> None:
    users, id = site.app.site.directory._users, site.user("Builds")
    site.call(lambda: users.update({id: replace(users[id], seen=now_ms() - HELD - DAY)}))
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db, db:
        db.execute("UPDATE users SET seen = ?, stage = 0 WHERE id = ?", (1, id))
    answer = site.http("POST", "/join", form={"name": "Bui1ds", "room": "den"}, headers=JSON)
    assert b"already called Builds" in answer.body
    site.call(site.app._tidy)
    assert bot.post("still here").status == 200


def test_the_owner_sees_what_came_of_a_hook_also_after_a_restart(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    before = now_ms()
    bot = hire(site, cookie, "Weather", "den", "attic")
    (listed,) = site.app.site.hooks.listed()
    assert (listed.id, listed.bot.name, listed.bot.role) == (bot.id, "Weather", "bot")
    assert (listed.rooms, listed.by, listed.used) == (["attic", "den"], "Olga", 0)
    assert before <= listed.made <= now_ms()
    bot.post("sun")
    used = site.app.site.hooks.listed()[0].used
    assert used >= listed.made
    site.stop()
    site = Site(tmp_path / "data")
    (again,) = site.app.site.hooks.listed()
    assert (again.id, again.rooms, again.made, again.used) == (
        listed.id, listed.rooms, listed.made, used,
    )  # fmt: skip
    assert Bot(site, bot.id, bot.key).post("rain").status == 200
    site.stop()
    assert site.log == []


def test_what_was_made_and_ended_is_told_to_moderators(site: Site, owner: str, bot: Bot) -> None:
    site.order(owner, "revoke", id=bot.id)
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db:
        told = db.execute("SELECT name, what, about, detail FROM audit ORDER BY n").fetchall()
    assert told == [("Olga", "hook", "Builds", "den"), ("Olga", "revoke", "Builds", "hook")]


def test_a_muted_bot_is_told_so(site: Site, owner: str, bot: Bot) -> None:
    site.order(owner, "mute", user=site.user("Builds"), until=now_ms() + DAY)
    assert refused(bot.post("hello"))[0] == 403
    assert re.search("muted|not_allowed", site.app.site.hooks.listed()[0].code)
