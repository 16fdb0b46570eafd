"""What a hostile page, person or program may try, and what it gets."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Answer, Declined, Wire, request
from serving import Log, Process, Site
from tornado.web import create_signed_value

from chat.line.sockets import ChatSocket
from chat.rules.hosts import Hosts
from chat.web.pages import RoomPage
from chat.web.site import Visitor
from chat.wire.codes import Refusal

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Routes for those who have not joined: what makes them safe is in the sentence beside each.
PUBLIC = {
    "/": "shows a stranger only the card to join",
    "/r/": "leads to a room's address",
    "/r/([^/]+)": "shows a stranger only the card to join; its POST asks who it is",
    "/ws/([0-9]{1,20})": "the plain dialect: whoever can open the page can open it",
    "/join": "makes a stranger somebody",
    "/enter": "asks for a code; its POST makes a stranger somebody, by a link",
    "/i": "the same",
    "/enter/look": "says what a link does to who has it",
    "/i/look": "the same",
    "/name": "its POST asks who it is",
    "/signout": "does nothing for a stranger",
    "/healthz": "for monitors",
    "/manifest.json": "what the server is called, which its join card says too",
    "/sw.js": "a file of the page",
    "/static/*/(.*)": "files of the page",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all these cases; none of them may be an error of the server."""
    site = Site(tmp_path_factory.mktemp("security") / "data", host="chat.example")
    yield site
    site.stop()
    assert not [line for line in site.log if line.startswith("ERROR")]


@pytest.fixture(scope="module")
def cookie(shared: Site) -> str:
    """Somebody who has joined."""
    return str(shared.join())


@pytest.fixture
def wire(shared: Site, cookie: str) -> Iterator[Wire]:
    """An open connection of somebody, in a room nobody else uses."""
    wire = shared.wire(f"room-{time.monotonic_ns()}", cookie)
    yield wire
    wire.close()


def routes(site: Site) -> dict[str, type[Visitor]]:
    """Every address the server knows, the build's hash as `*`, and its handler."""
    found = {}
    for host in site.app.default_router.rules:
        for rule in getattr(host.target, "rules", []):
            pattern = rule.matcher.regex.pattern.rstrip("$").replace(site.app.site.build, "*")
            found[pattern.replace("\\.", ".")] = rule.target
    return {path: target for path, target in found.items() if path != ".*"}


def example(site: Site, pattern: str) -> str:
    """An address that this route answers."""
    path = pattern.replace("([0-9]{1,20})", "7").replace("([^/]+)", "den")
    path = path.replace("([A-Za-z0-9_-]{1,64})", "someone")
    path = path.replace("([A-Za-z0-9_-]{22})/[^/]*", f"{'x' * 22}/a.png")
    return path.replace("(.*)", "js/main.js").replace("*", site.app.site.build)


# -- where a request comes from


def hostile(port: int) -> dict[str, str]:
    """Origins that are not ours, however much they look like it."""
    return {
        "foreign": "https://evil.example",
        "null": "null",
        "prefix": f"http://127.0.0.1.evil.example:{port}",
        "suffix": f"http://evil127.0.0.1:{port}",
        "other port": f"http://127.0.0.1:{port + 1}",
        "no port": "http://127.0.0.1",
        "name and address": f"http://localhost:{port}",
        "user part": f"http://127.0.0.1:{port}@evil.example",
        "file": "file://",
        "nonsense": "http://[",
    }


@pytest.mark.parametrize("case", hostile(0))
def test_a_socket_from_a_foreign_page_is_refused(shared: Site, cookie: str, case: str) -> None:
    """The browser sends the cookie along; only the Origin tells."""
    for path in ("/r/lobby/ws", "/ws/7"):
        origin = hostile(shared.port)[case]
        with pytest.raises(Declined) as declined:
            Wire(shared.port, path, cookie=cookie, headers={"Origin": origin}).opened()
        assert declined.value.status == 403


@pytest.mark.parametrize("host", ["127.0.0.1:{}", "localhost:{}", "[::1]:{}", "chat.example"])
def test_a_socket_from_our_own_page_is_open(shared: Site, cookie: str, host: str) -> None:
    """The same host and port as the request itself, under every name that is ours."""
    own = host.format(shared.port)
    headers = {"Host": own, "Origin": f"http://{own}"}
    wire = Wire(shared.port, cookie=cookie, headers=headers).opened()
    assert wire.hear("welcome")
    wire.close()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", ""])
def test_a_foreign_host_name_is_refused_on_every_route(shared: Site, host: str) -> None:
    """DNS rebinding: the evil page's own name leads to us, so its Origin is its Host."""
    for pattern in [*routes(shared), "/nothing"]:
        headers = {"Host": host, "Origin": f"http://{host}", "Cookie": "device=x"}
        answer = request(shared.port, "GET", example(shared, pattern), headers)
        assert answer.status == 403 or (not host and answer.status == 400), (pattern, answer)
        assert f"does not answer to {host}.".encode() in answer.body or not host


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "[::1]", "192.168.1.20", "localhost", "a.localhost", "CHAT.example"),
        *("chat.example.", "nas", "nas.local", "nas.lan", "chat.home.arpa", "chat.internal"),
        socket.gethostname(),
    ],
)
def test_a_name_that_no_stranger_can_have_lead_here_passes(shared: Site, host: str) -> None:
    answer = request(shared.port, "GET", "/healthz", {"Host": f"{host}:{shared.port}"})
    assert answer.status == 200


@pytest.mark.parametrize("address", ["127.0.0.1", ""])
def test_a_foreign_name_is_refused_whatever_the_server_listens_on(
    tmp_path: Path, address: str
) -> None:
    """Without any option; and the way out is said in the page and in the log, once a name."""
    site = Site(tmp_path / "data", address=address)
    for _ in range(3):
        for host in ("chat.example.org", "other.example.org"):
            headers = {"Host": host, "Origin": f"http://{host}"}
            answer = request(site.port, "POST", "/join", headers, {"name": "Eve"})
            assert answer.status == 403
            assert f"start it with --host={host}".encode() in answer.body
    with pytest.raises(Declined):
        Wire(
            site.port, "/ws/7", headers={"Host": "a.example", "Origin": "http://a.example"}
        ).opened()
    site.stop()
    assert site.log == [
        "WARNING chat a request for the host 'chat.example.org' was refused: "
        "if it is ours, start with --host="
    ]


def test_strangers_cannot_fill_the_log_with_names() -> None:
    """A line a minute, each name once, and no more of it than can be read."""
    now = 0.0
    hosts = Hosts(frozenset(), clock=lambda: now)
    with Log() as log:
        for turn in range(1000):
            now = turn * 6.0
            with pytest.raises(Refusal):
                hosts.check(f"{turn % 500}.{'x' * 5000}\n.example")
        assert len(log.lines) == 100
        assert max(map(len, log.lines)) < 250
        assert "\n" not in "".join(log.lines)


def test_a_proxy_that_does_not_pass_sockets_is_told_of_in_the_log(tmp_path: Path) -> None:
    """By those who have joined: a stranger is refused before."""
    site = Site(tmp_path / "data")
    cookie = site.join()
    answer = site.http("GET", "/r/den/ws", headers={"Cookie": cookie})
    assert answer.status == 426
    assert b"must pass WebSockets" in answer.body
    for who in (cookie, "device=x"):
        headers = {"Origin": "https://a.example:9445"}
        with pytest.raises(Declined) as declined:
            Wire(site.port, "/r/den/ws", cookie=who, headers=headers).opened()
        assert declined.value.status == 403
    assert site.http("GET", "/r/den/ws").status == 403
    assert site.http("GET", "/ws/7").status == 426
    site.stop()
    end = "the proxy in front must pass WebSockets (docs/deploy.md)"
    assert site.log == [
        f"WARNING tornado.application '/r/den/ws' came without Upgrade: {end}",
        "WARNING tornado.application Origin 'https://a.example:9445' is not Host "
        f"'127.0.0.1:{site.port}': {end}",
    ]


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ODD_COOKIES = [
    "device=%FF",
    'device="\\377"; ;;=',
    "device=2|1:0|10:9999999999|6:device|0:|x",
    "\xff",
]
FIELDS = ("name", "room", "text", "cid", "before", "after", "around", "since", "limit", "epoch")


def test_nothing_a_stranger_asks_for_makes_the_log_grow_or_fails(shared: Site) -> None:
    """Each route with text that is none in each field, with each method, range and cookie."""
    before = list(shared.log)
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=PATIENCE)
    for pattern, member in itertools.product([*routes(shared), "/nothing"], ("", shared.join())):
        path = example(shared, pattern)
        asked = [
            *(("GET", f"{path}?{field}=%FF", {}, b"") for field in FIELDS),
            *(("POST", path, FORM, f"{field}=%FF&name=&text=x".encode()) for field in FIELDS),
            *(("POST", path, {**FORM, "Accept": "application/json"}, b"text=%FF"),),
            *((method, path, {}, b"") for method in ("HEAD", "PUT", "OPTIONS", "FOO", "CONNECT")),
            *(("GET", path, {"Range": value}, b"") for value in ("bytes=9-1", "bytes=-", "x")),
            ("GET", path, {"If-None-Match": "\xff", "If-Modified-Since": "never"}, b""),
            ("POST", path, {"Content-Type": "multipart/form-data; boundary="}, b"--\r\n"),
            *(("GET", path, {"Cookie": cookie}, b"") for cookie in ODD_COOKIES),
            *(
                ("GET", f"{path}{tail}", {}, b"")
                for tail in ("%FF", "%00", "/..%2f", "?%", "?=&%FF=1")
            ),
        ]
        for method, address, headers, body in asked:
            if member and path == "/signout" and method == "POST":
                continue
            headers = {"Cookie": member, **headers} if member else headers
            connection.putrequest(method, address)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status < 500, (method, address, headers, answer.status)
            if answer.status >= 400 and method != "HEAD":
                assert re.search(rb"[A-Z][a-z]+ [a-z' ]+.*\.", said), (method, address, said)
    connection.close()
    shared.call(lambda: None)
    log = [line for line in shared.log[len(before) :] if "came without Upgrade" not in line]
    assert log == []


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_a_form_on_a_foreign_page_is_refused_on_every_route(
    shared: Site, cookie: str, foreign: dict[str, str]
) -> None:
    """Whatever the route would do with it, also those that know no POST; and it is not logged."""
    before = list(shared.log)
    form = {"name": "Mallory", "room": "lobby", "text": "from afar"}
    for pattern in routes(shared):
        headers = {**foreign, "Cookie": cookie}
        answer = request(shared.port, "POST", example(shared, pattern), headers, form)
        assert answer.status in (403, 405), (pattern, answer)
        if "post" in vars(routes(shared)[pattern]):
            assert answer.status == 403, pattern
    assert shared.http("GET", "/r/lobby/messages", headers={"Cookie": cookie}).status == 200
    assert shared.log == before


def test_a_get_changes_nothing(shared: Site, cookie: str) -> None:
    """A link or an image on a foreign page is a GET with the cookie."""
    query = "?name=Mallory&room=lobby&text=from+afar&cid=12345678"
    for path in ("/r/get-only", "/join", "/name", "/signout", "/enter", "/devices", "/devices/x"):
        shared.http("GET", path + query, headers={"Cookie": cookie})
    page = shared.http("GET", "/r/get-only/messages", headers={"Cookie": cookie})
    assert json.loads(page.body)["changes"] == []
    assert b"Mallory" not in shared.http("GET", "/", headers={"Cookie": cookie}).body


# -- what every answer carries


def hardened(answer: Answer) -> bool:
    """Whether it has the headers that keep a browser on the safe side."""
    policy = answer.headers["Content-Security-Policy"] or ""
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Server"] is None
    return True


def test_every_route_carries_the_security_headers(shared: Site, cookie: str) -> None:
    """Pages, forms, JSON, static files, refusals: with a cookie and without one."""
    seen = set()
    for pattern, who, method in itertools.product(
        [*routes(shared), "/nothing", "/static/old/js/main.js"], (cookie, ""), ("GET", "POST")
    ):
        if pattern == "/signout" and method == "POST" and who:
            continue
        headers = {"Cookie": who} if who else {}
        answer = request(shared.port, method, example(shared, pattern), headers)
        assert hardened(answer), pattern
        assert answer.status < 500, (pattern, method, answer)
        seen.add(answer.status)
    assert {200, 303, 400, 403, 404, 405} <= seen


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Cookie": ""}], ids=str)
def test_a_refused_handshake_carries_them_too(shared: Site, headers: dict[str, str]) -> None:
    """A browser may be made to show that answer."""
    answer = request(shared.port, "GET", "/r/lobby/ws", headers)
    assert answer.status in (400, 403)
    assert hardened(answer)


def test_a_bug_shows_a_number_and_no_traceback(
    shared: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the server goes on; the log has the same number."""

    def broken(self: RoomPage, *arguments: Any, **more: Any) -> None:
        raise RuntimeError("a secret detail")

    before = len(shared.log)
    monkeypatch.setattr(RoomPage, "get", broken)
    answer = request(shared.port, "GET", "/")
    shared.call(lambda: None)  # the line about the status comes after the answer
    log = "\n".join(shared.log[before:])
    del shared.log[before:]
    assert answer.status == 500
    assert hardened(answer)
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    numbers = re.findall(r"has the number ([0-9a-f]{8})", log)
    assert len(numbers) == 1
    assert numbers[0].encode() in answer.body
    assert "a secret detail" in log
    assert request(shared.port, "GET", "/healthz").status == 200


def test_a_static_file_may_be_kept_and_nothing_else(shared: Site, cookie: str) -> None:
    """What is personal stays out of every cache."""
    for pattern in routes(shared):
        headers = {"Cookie": cookie}
        answer = request(shared.port, "GET", example(shared, pattern), headers)
        cached = "immutable" in answer.headers["Cache-Control"]
        assert cached == pattern.startswith("/static/"), (pattern, answer.headers["Cache-Control"])


# -- who is asking


def test_every_route_requires_a_user_or_is_listed_as_public(shared: Site) -> None:
    """A new route has to be thought about."""
    public = {path for path, handler in routes(shared).items() if handler.public}
    assert public == set(PUBLIC)


def test_a_route_that_requires_a_user_refuses_a_stranger(shared: Site) -> None:
    """With a code that a page understands."""
    for pattern, handler in routes(shared).items():
        if not handler.public:
            headers = {"Accept": "application/json"} if handler.linked else {}
            answer = request(shared.port, "GET", example(shared, pattern), headers)
            code = (401, "bad_key") if pattern.startswith("/hook") else (403, "sign_in")
            assert (answer.status, json.loads(answer.body)["code"]) == code, pattern


@pytest.mark.parametrize("path", ["/r/den", "/name"])
def test_a_stranger_cannot_post(shared: Site, path: str) -> None:
    """The form of a public page still asks who it is."""
    answer = request(shared.port, "POST", path, form={"text": "hello", "name": "Nobody"})
    assert answer.status == 403


def test_the_cookie_is_kept_from_scripts_and_from_foreign_forms(shared: Site) -> None:
    """HttpOnly, SameSite=Lax, for this server only, for 400 days."""
    answer = request(shared.port, "POST", "/join", form={"name": "Cookie Flags", "room": "lobby"})
    flags = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags
    assert not any(flag.startswith("domain") for flag in flags)


def test_behind_https_the_cookie_is_bound_to_it(shared: Site) -> None:
    """No plain page and no subdomain can plant or read it."""
    headers = {"X-Forwarded-Proto": "https"}
    form = {"name": "Cookie Secure", "room": "lobby"}
    answer = request(shared.port, "POST", "/join", headers, form)
    assert answer.headers["Set-Cookie"].startswith("__Host-device=")
    assert "secure" in answer.headers["Set-Cookie"].lower()
    assert answer.headers["Strict-Transport-Security"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("change", ["the id", "the signature", "another key", "unsigned"])
def test_a_forged_cookie_is_worth_nothing(shared: Site, cookie: str, change: str) -> None:
    """Only what this server has signed counts."""
    good = cookie.removeprefix("device=").strip('"')
    forged = {
        "the id": good.replace("|6:device|", "|6:device|1"),
        "the signature": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "another key": create_signed_value("k" * 64, "device", "someone").decode(),
        "unsigned": "someone",
    }[change]
    assert forged != good
    with pytest.raises(Declined) as declined:
        Wire(shared.port, cookie=f"device={forged}").opened()
    assert declined.value.status == 403
    wire = Wire(shared.port, cookie=f'device="{good}"').opened()
    assert wire.hear("welcome")
    wire.close()


def test_signing_out_ends_every_connection_and_the_cookie(site: Site) -> None:
    """A copy of the cookie is worth nothing afterwards, and the tabs close with 4002."""
    cookie, other = site.join(name="Leaving"), site.wire()
    tabs = [site.wire(room, cookie) for room in ("lobby", "den", "den")]
    assert site.http("POST", "/signout", headers={"Cookie": cookie}).status == 303
    for tab in tabs:
        assert tab.hear("bye") == {"type": "bye", "reason": "signed_out", "after": -1}
        assert tab.closed()[0] == 4002
        tab.close()
    with pytest.raises(Declined) as declined:
        Wire(site.port, cookie=cookie).opened()
    assert declined.value.status == 403
    assert site.http("GET", "/r/lobby/messages", headers={"Cookie": cookie}).status == 403
    assert site.http("POST", "/r/den", headers={"Cookie": cookie}, form={"text": "x"}).status == 403
    assert other.hear("message", cid=other.say("still here"))
    other.close()
    site.join(name="Leaving")


def test_a_signed_out_cookie_stays_worthless_after_a_restart(tmp_path: Path) -> None:
    """It is noted on disk and not only in memory."""
    site = Site(tmp_path / "data")
    cookie = site.join()
    site.http("POST", "/signout", headers={"Cookie": cookie})
    site.stop()
    site = Site(tmp_path / "data")
    answer = site.http("GET", "/r/lobby/messages", headers={"Cookie": cookie})
    site.stop()
    assert answer.status == 403


# -- paths and logs

TRAVERSALS = ["../run.py", "../../run.py", "%2e%2e/run.py", "..%2frun.py", "..%5crun.py",
              "js/../../run.py", "/etc/passwd", "%2fetc%2fpasswd", "js", "js/", "",
              "js/main.js%00.png"]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_nothing_outside_the_static_folder_is_served(shared: Site, path: str) -> None:
    """And no folder is listed."""
    for prefix in (f"/static/{shared.app.site.build}/", "/static/"):
        answer = request(shared.port, "GET", prefix + path)
        assert answer.status in (400, 403, 404), answer
        assert b"make_app" not in answer.body
        assert b"root:" not in answer.body


def test_a_static_file_is_the_one_of_the_start_plain_and_packed(shared: Site) -> None:
    """And a HEAD says the same without it."""
    prefix = f"/static/{shared.app.site.build}/"
    for path, kind in (("js/main.js", "text/javascript"), ("css/app.css", "text/css")):
        plain = request(shared.port, "GET", prefix + path)
        packed = request(shared.port, "GET", prefix + path, {"Accept-Encoding": "br, gzip"})
        head = request(shared.port, "HEAD", prefix + path)
        assert plain.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(plain.body))
        assert "Accept-Encoding" in packed.headers["Vary"]


def test_foreign_text_makes_no_lines_in_the_log(tmp_path: Path) -> None:
    """CR, LF and escape sequences in a path, a header or a name: nothing of it is logged."""
    with Process(tmp_path / "data").ready() as server:
        for path in ("/%0d%0aERROR%20forged", "/r/%1b[31mred", "/r/lobby/ws?after=%0aERROR"):
            request(server.port, "GET", path, {"User-Agent": "\x1b[2J ERROR forged"})
        form = {"name": "Ana\r\nERROR forged", "room": "x\nERROR"}
        request(server.port, "POST", "/join", form=form)
        request(server.port, "POST", "/join", {"Cookie": "device=\x1bERROR"}, form)
        assert server.end() == 0
        assert server.said() == ""


def test_a_redirect_never_leads_to_a_foreign_site(shared: Site) -> None:
    """No text of a visitor decides where the browser goes."""
    for path in ("/r/?name=//evil.example", "/r/?name=%0d%0aSet-Cookie:x", "//evil.example/%2e%2e"):
        answer = request(shared.port, "GET", path)
        target = answer.headers["Location"] or ""
        assert not re.match(r"[a-z]+:|//|\\|/\\", target), target
        assert answer.headers["Set-Cookie"] is None


# -- what is said

BOMBS = {
    "deep lists": "[" * 30_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "a deep field": '{"type":"ping","x":' + "[" * 20_000 + "]" * 20_000 + "}",
    "a huge number": '{"type":"delete","cid":"abcdefgh","id":' + "9" * 5_000 + "}",
    "a number over 2^53": '{"type":"delete","cid":"abcdefgh","id":9007199254740992}',
    "a negative number": '{"type":"delete","cid":"abcdefgh","id":-1}',
    "a fraction": '{"type":"delete","cid":"abcdefgh","id":1.5}',
    "NaN": '{"type":"delete","cid":"abcdefgh","id":NaN}',
    "infinity": '{"type":"delete","cid":"abcdefgh","id":1e999}',
    "a lone surrogate": '{"type":"say","cid":"12345678","text":"\\ud800"}',
    "a lone surrogate in a key": '{"type":"ping","\\udfff":1}',
    "a list": '[{"type":"ping"}]',
    "a text": '"ping"',
    "a number": "1",
    "null": "null",
    "nothing": "",
    "blanks": "   ",
    "an unknown type": '{"type":"shutdown"}',
    "no type": '{"text":"hello"}',
    "a type that is no text": '{"type":{"$gt":""}}',
    "an event of the server": '{"type":"bye","reason":"restart","after":1}',
    "a method of Python": '{"type":"__class__"}',
    "an unknown field": '{"type":"ping","admin":true}',
    "a field twice with another type": '{"type":"read","id":1,"id":"x"}',
    "a missing field": '{"type":"say","text":"no cid"}',
    "a text that is a number": '{"type":"say","cid":"12345678","text":1}',
    "a cid that is too short": '{"type":"say","cid":"x","text":"hello"}',
    "a cid with a line end": '{"type":"say","cid":"12345678\\n","text":"hello"}',
    "a cid with a quote": '{"type":"say","cid":"1234567\'","text":"hello"}',
    "half an object": '{"type":"ping"',
    "two objects": '{"type":"ping"}{"type":"ping"}',
    "a byte order mark": '\ufeff{"type":"ping"}',
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_what_is_no_command_is_answered_and_the_connection_lives(wire: Wire, bomb: str) -> None:
    """One `refused`, no traceback, nothing saved."""
    wire.send(bomb)
    assert wire.hear("refused")["code"] == "bad_frame"
    assert wire.hear("message", cid=wire.say("after it"))["rev"] == 1


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\x00\x07", "\u2003"])
def test_a_text_of_nothing_is_refused(wire: Wire, text: str) -> None:
    """Controls are dropped first; what is left is nothing."""
    cid = wire.say(text)
    assert wire.hear("refused") == {
        "type": "refused", "code": "empty", "detail": "There is nothing to send.", "cid": cid,
    }  # fmt: skip


def test_markup_and_sql_are_text(wire: Wire) -> None:
    """Stored and sent as typed; nothing on the way takes them for anything else."""
    for text in (
        "<script>alert(1)</script>",
        "'; DROP TABLE messages; --",
        "{{ 1 + 1 }}",
        "%s\\u0000",
    ):
        assert wire.hear("message", cid=wire.say(text))["text"] == text


def test_markup_is_escaped_in_the_page_of_the_server(shared: Site, cookie: str) -> None:
    """In the timeline, in the boot data and in an error page."""
    attack = '</script><img src=x onerror="alert(1)"><!--'
    headers = {"Cookie": cookie}
    shared.http("POST", "/r/markup", headers=headers, form={"text": attack})
    page = shared.http("GET", "/r/markup", headers=headers)
    assert page.status == 200
    assert b"<img src=x" not in page.body
    refused = shared.http("POST", "/r/markup", headers=headers, form={"text": attack + "x" * 4000})
    assert refused.status == 413
    assert b"<img src=x" not in refused.body


def test_a_cid_of_somebody_else_is_my_own(shared: Site) -> None:
    """Only author and cid together name a message: nobody can block or read another's."""
    ana, bo = shared.wire("cids"), shared.wire("cids")
    for wire, text in ((ana, "from Ana"), (bo, "from Bo")):
        wire.say(text, "the-same-cid")
        wire.hear("message", cid="the-same-cid", text=text)
        wire.close()


# -- who may do what


def attempts(id: int) -> dict[str, dict[str, Any]]:
    """What somebody could do to a message."""
    return {"edit": {"id": id, "text": "not what was said"}, "delete": {"id": id}}


@pytest.mark.parametrize("what", ["edit", "delete"])
@pytest.mark.parametrize(
    ("who", "code"),
    [("another person", "not_yours"), ("the author in another room", "not_found")],
)
def test_a_message_is_changed_only_by_its_author_in_its_room(
    shared: Site, cookie: str, what: str, who: str, code: str
) -> None:
    """Ids are no secrets and give no rights."""
    room = f"rights-{time.monotonic_ns()}"
    author = shared.wire(room, cookie)
    id = author.hear("message", cid=author.say("what was said"))["id"]
    other = shared.wire(room) if who == "another person" else shared.wire(f"{room}-2", cookie)
    cid = other.command(what, **attempts(id)[what])
    refusal = other.hear("refused")
    assert (refusal["code"], refusal["cid"], "retry" in refusal) == (code, cid, False)
    page = shared.http("GET", f"/r/{room}/messages", headers={"Cookie": cookie})
    assert [m["text"] for m in json.loads(page.body)["changes"]] == ["what was said"]
    author.close()
    other.close()


@pytest.mark.parametrize("what", ["edit", "delete"])
def test_a_message_is_changed_by_its_author(shared: Site, cookie: str, what: str) -> None:
    """The other side of the table."""
    author = shared.wire(f"rights-{time.monotonic_ns()}", cookie)
    id = author.hear("message", cid=author.say("what was said"))["id"]
    cid = author.command(what, **attempts(id)[what])
    made = {"edit": "message", "delete": "gone"}
    while (event := author.event()).get("cid") != cid:
        pass
    assert (event["type"], event["rev"]) == (made[what], 2)
    author.close()


def test_a_deleted_text_is_gone_from_every_answer_and_from_the_file(tmp_path: Path) -> None:
    """Nobody can edit it back, and it is not in the database any more."""
    site, secret = Site(tmp_path / "data"), "a-text-that-must-go-" * 3
    cookie = site.join()
    wire = site.wire(cookie=cookie)
    id = wire.hear("message", cid=wire.say(secret))["id"]
    wire.command("delete", id=id)
    assert wire.hear("gone", to=id)["from"] == id
    wire.command("edit", id=id, text="back again")
    assert wire.hear("refused")["code"] == "deleted"
    pages = [
        site.http("GET", f"/r/lobby/messages?since={n}", headers={"Cookie": cookie}) for n in (0, 1)
    ]
    wire.close()
    site.stop()
    assert all(secret.encode() not in page.body for page in pages)
    for file in (path for path in (tmp_path / "data").rglob("*") if path.is_file()):
        assert secret.encode() not in file.read_bytes(), file.name


def test_what_i_read_and_set_reaches_nobody_else(shared: Site) -> None:
    """It is a matter of my own tabs."""
    cookie = shared.join("marks")
    first, second, other = (shared.wire("marks", c) for c in (cookie, cookie, None))
    try:
        first.hear("message", cid=first.say("something"))
        first.command("read", id=1)
        first.command("keep", key="theme", value="dark")
        second.hear("read", id=1)
        second.hear("kept", values={"theme": "dark"})
        cid = second.say("after it")
        while (event := other.event()).get("cid") != cid:
            assert event["type"] != "read" or event["id"] == 0
            assert event["type"] != "kept" or event["values"] == {}
    finally:
        for wire in (first, second, other):
            wire.close()


def test_the_plain_dialect_cannot_speak_for_a_person(site: Site) -> None:
    """`Client 7` is never somebody who joined, and each connection is somebody else."""
    person, plain = site.wire(), Wire(site.port, "/ws/7").opened()
    plain.send("hello")
    message = person.hear("message")
    assert message["name"] == "Client 7"
    assert message["user"].startswith("client-7-")
    user = {peer.person.user for peer in ChatSocket.live}
    assert len(user) == 2
    person.close()
    plain.close()


def test_the_data_folder_is_closed_to_others(site: Site) -> None:
    """The folder 0700, the secret and the database 0600."""
    data = site.config.data
    assert data.stat().st_mode & 0o777 == 0o700
    for file in (path for path in data.rglob("*") if path.is_file()):
        assert file.stat().st_mode & 0o077 == 0, file.name


def test_smuggled_requests_are_refused(shared: Site) -> None:
    """Two lengths, a length and chunks, a folded header: 400 and the end of the connection."""
    shapes = [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\n X: folded",
        "Transfer-Encoding: chunked, identity",
    ]
    for shape in shapes:
        with socket.create_connection(("127.0.0.1", shared.port), PATIENCE) as sock:
            head = f"POST /join HTTP/1.1\r\nHost: 127.0.0.1:{shared.port}\r\n{shape}\r\n\r\n"
            sock.sendall(
                head.encode() + b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            )
            answer = b""
            while data := sock.recv(4096):
                answer += data
        assert answer.startswith(b"HTTP/1.1 400"), (shape, answer)
        assert b"ok\n" not in answer
