"""chat/web/files.py over real sockets: who may have a file, and how it is sent."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from client import Answer, Wire
from pictures import chunk, film, png, track
from serving import Site

from chat.line import server
from chat.log.operations import Deposit
from chat.room.people import now_ms
from chat.rules import access
from chat.rules.media import look
from chat.rules.pace import FILE
from chat.web.files import CHUNK
from chat.wire.codes import Refusal

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!doctype html><title>x</title><script>alert(document.domain)</script>"
POLYGLOT = png(4, 3, chunk(b"tEXt", HTML), after=HTML)


class Sender:
    """Somebody who sends files in a room, as they are: nothing is left out of them."""

    def __init__(self, site: Site, room: str = "den", name: str | None = None) -> None:
        self.site, self.room = site, room
        self.cookie = site.join(room, name)
        self.wire = Wire(site.port, f"/r/{room}/ws", cookie=self.cookie).opened()
        self.user = self.wire.hear("welcome")["you"]["user"]

    def deposit(self, content: bytes) -> str:
        """The id of an uploaded file that is of no message yet."""
        id, blobs = secrets.token_urlsafe(16), self.site.app.site.blobs
        blobs.part(id).write_bytes(content)
        found = look(blobs.part(id))
        blobs.keep(id)
        sha = hashlib.sha256(content).digest()
        size = len(content), found.width, found.height
        op = Deposit(id, self.room, self.user, found.type, *size, sha, now_ms())
        self.site.call(self.site.app.site.store.wrote, op)
        return id

    def send(self, content: bytes, name: str) -> str:
        """The address of a file that is in a message; `last` is that message."""
        id = self.deposit(content)
        cid = self.wire.command("say", text="", files=[{"id": id, "name": name}])
        self.last = self.wire.hear("message", cid=cid)
        return f"/files/{id}/{quote(name)}"

    def delete(self) -> None:
        """The last message."""
        cid = self.wire.command("delete", id=self.last["id"])
        self.wire.hear("gone", cid=cid)

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask for it, as this person."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.site.http(method, path, headers={"Cookie": self.cookie, **fields})
        assert isinstance(answer, Answer)
        return answer


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for the tests that leave it in order."""
    site = Site(tmp_path_factory.mktemp("files") / "data")
    yield site
    site.stop()
    assert site.log == []


@pytest.fixture(scope="module")
def ana(shared: Site) -> Iterator[Sender]:
    sender = Sender(shared)
    yield sender
    sender.wire.close()


# -- what it is served as


def test_a_picture_is_shown_in_the_page_and_only_asked_for_anew(ana: Sender) -> None:
    answer = ana.get(ana.send(content := png(40, 30), "ß 1.png"))
    assert (answer.status, answer.body) == (200, content)
    headers = {
        "Content-Type": "image/png",
        "Content-Length": str(len(content)),
        "Content-Disposition": "inline; filename=\"_ 1.png\"; filename*=UTF-8''%C3%9F%201.png",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
    }
    assert {name: answer.headers[name] for name in headers} == headers
    assert answer.headers["Content-Encoding"] is None


@pytest.mark.parametrize(
    ("content", "name", "type"),
    [
        (SVG, "a.svg", "application/octet-stream"),
        (SVG, "a.png", "application/octet-stream"),
        (HTML, "a.html", "application/octet-stream"),
        (HTML, "a.png", "application/octet-stream"),
        (b"<?xml version='1.0'?><x/>", "a.xml", "application/octet-stream"),
        (b"%PDF-1.7", "a.pdf", "application/pdf"),
        (b"", "empty.txt", "application/octet-stream"),
    ],
)
def test_what_could_run_something_is_saved(
    ana: Sender, content: bytes, name: str, type: str
) -> None:
    answer = ana.get(ana.send(content, name), Accept_Encoding="gzip")
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["Content-Type"] == type
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Encoding"] is None


def test_a_polyglot_is_a_picture_and_nothing_else(ana: Sender) -> None:
    answer = ana.get(ana.send(POLYGLOT, "a.html"))
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_film_opened_alone_is_played_and_runs_nothing(ana: Sender) -> None:
    """The page that a browser makes of it loads it once more, from its origin."""
    policy = "sandbox allow-same-origin; default-src 'none'; media-src 'self'"
    for content in (film(track(b"vide", 4, 3)), b"RIFF\x24\0\0\0WAVEfmt "):
        answer = ana.get(ana.send(content, "a"))
        assert answer.headers["Content-Security-Policy"] == policy
        assert answer.headers["Content-Disposition"] == 'inline; filename="a"'


def test_a_picture_is_saved_on_request(ana: Sender) -> None:
    answer = ana.get(ana.send(png(), "a.png") + "?download")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.png"'


@pytest.mark.parametrize("name", ["other.html", "", "%0d%0aSet-Cookie:%20a=b", "%00", "%ff"])
def test_the_name_in_the_address_says_nothing(ana: Sender, name: str) -> None:
    path = ana.send(png(), "a.png").removesuffix("a.png") + name
    answer = ana.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == 'inline; filename="a.png"'


def test_a_name_with_a_line_in_it_makes_no_header(ana: Sender) -> None:
    id = ana.send(png(), "a\r\nSet-Cookie: b=c").split("/")[2]
    answer = ana.get(f"/files/{id}/a")
    assert answer.headers["Set-Cookie"] is None
    assert answer.headers["Content-Disposition"] == 'inline; filename="a Set-Cookie: b=c"'


def test_head_tells_the_same_and_sends_nothing(ana: Sender) -> None:
    path = ana.send(png(40, 30), "a.png")
    told, got = ana.get(path, "HEAD", Range="bytes=0-1"), ana.get(path)
    assert (told.status, told.body) == (200, b"")
    told.headers.replace_header("Date", got.headers["Date"])
    assert told.headers.items() == got.headers.items()


# -- asked for anew, and in parts


def test_who_has_it_gets_it_once(ana: Sender) -> None:
    path = ana.send(png(), "a.png")
    tag = ana.get(path).headers["Etag"]
    for tags in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = ana.get(path, If_None_Match=tags)
        assert (again.status, again.body, again.headers["Etag"]) == (304, b"", tag)
    assert ana.get(path, If_None_Match='"other"').status == 200
    assert ana.get(ana.send(png(5), "a.png")).headers["Etag"] != tag


def test_a_part_of_a_film_is_sent_alone(ana: Sender) -> None:
    content = os.urandom(3 * CHUNK)
    path = ana.send(content, "film")
    for asked, part in (
        ("bytes=0-1", range(2)),
        (f"bytes=5-{2 * CHUNK}", range(5, 2 * CHUNK + 1)),
        ("bytes=-10", range(len(content) - 10, len(content))),
        (f"bytes={CHUNK}-", range(CHUNK, len(content))),
    ):
        answer = ana.get(path, Range=asked)
        assert answer.status == 206
        assert answer.body == content[part.start : part.stop]
        said = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
        assert answer.headers["Content-Range"] == said
        assert answer.headers["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=5-4", "bytes=x", "items=0-1"])
def test_what_is_no_single_range_gets_it_whole(ana: Sender, asked: str) -> None:
    answer = ana.get(ana.send(content := png(), "a.png"), Range=asked)
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["Content-Range"] is None


def test_a_part_that_is_not_there_is_refused(ana: Sender) -> None:
    answer = ana.get(ana.send(b"12345", "a"), Range="bytes=5-")
    assert (answer.status, answer.body) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */5"
    assert ana.get(ana.send(b"", "a"), Range="bytes=0-").status == 416


def test_a_part_is_of_the_file_they_have_begun(ana: Sender) -> None:
    path = ana.send(b"12345", "a")
    tag = ana.get(path).headers["Etag"]
    assert ana.get(path, Range="bytes=0-1", If_Range=tag).status == 206
    date = "Thu, 01 Jan 2026 00:00:00 GMT"
    for other in ('"other"', f"W/{tag}", date):
        assert ana.get(path, Range="bytes=0-1", If_Range=other).status == 200


def test_one_connection_brings_several(shared: Site, ana: Sender) -> None:
    """Whatever was answered, what comes next on the line begins where it should."""
    path = ana.send(b"12345", "a")
    line = http.client.HTTPConnection("127.0.0.1", shared.port)
    for method, headers, status, body in (
        ("GET", {"Range": "bytes=1-2"}, 206, b"23"),
        ("HEAD", {}, 200, b""),
        ("GET", {"Range": "bytes=9-"}, 416, b""),
        ("GET", {"If-None-Match": "*"}, 304, b""),
        ("GET", {}, 200, b"12345"),
    ):
        line.request(method, path, headers={"Cookie": ana.cookie, **headers})
        answer = line.getresponse()
        assert (answer.status, answer.read()) == (status, body)
    line.close()


# -- who may have it


def test_a_stranger_gets_none(shared: Site, ana: Sender) -> None:
    path = ana.send(png(), "a.png")
    answer = shared.http("GET", path)
    assert answer.status == 403
    assert json.loads(answer.body)["code"] == "sign_in"


def test_who_signs_out_meanwhile_gets_none(
    shared: Site, ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, store = ana.send(png(), "a.png"), shared.app.site.store
    ben, read = Sender(shared), store.read

    async def signs_out(*about: Any) -> Any:
        found = await read(*about)
        await shared.app.site.directory.leave(ben.user)
        return found

    monkeypatch.setattr(store, "read", signs_out)
    answer = ben.get(path)
    assert answer.status == 403
    assert json.loads(answer.body)["code"] == "sign_in"
    ben.wire.close()


def test_everybody_who_may_enter_the_room_gets_it(shared: Site, ana: Sender) -> None:
    ben = Sender(shared, "elsewhere")
    assert ben.get(ana.send(png(), "a.png")).status == 200
    ben.wire.close()


def test_what_is_of_no_message_is_nowhere(ana: Sender) -> None:
    for id in (ana.deposit(png()), "x" * 22):
        answer = ana.get(f"/files/{id}/a.png", Accept="*/*")
        assert answer.status == 404
        told = {"code": "not_found", "detail": "This file does not exist, or was deleted."}
        assert json.loads(answer.body) == told


def test_where_the_door_is_shut_there_is_no_file(
    shared: Site, ana: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not told that there is one."""
    path = ana.send(png(), "a.png")
    monkeypatch.setitem(access.TABLE[access.Role.MEMBER], access.Verb.ENTER, access.Answer.NO)
    answer = ana.get(path)
    assert answer.status == 404
    assert json.loads(answer.body)["code"] == "not_found"


def test_deleted_is_gone_at_the_next_look(ana: Sender) -> None:
    path = ana.send(png(), "a.png")
    tag = ana.get(path).headers["Etag"]
    ana.delete()
    assert ana.get(path).status == 404
    assert ana.get(path, If_None_Match=tag).status == 404
    assert ana.get(path, Range="bytes=0-1").status == 404


def test_a_person_who_follows_a_dead_link_reads_a_sentence(ana: Sender) -> None:
    answer = ana.get(f"/files/{'x' * 22}/a.png", Accept="text/html,*/*")
    assert answer.status == 404
    assert "text/html" in answer.headers["Content-Type"]
    assert "This file does not exist, or was deleted." in answer.body.decode()


@pytest.mark.parametrize("path", ["../../chat.db", "..", "x", "x" * 23, "%2e%2e", "é" * 22])
def test_no_other_file_has_an_address(ana: Sender, path: str) -> None:
    assert ana.get(f"/files/{path.replace('é', '%C3%A9')}/a.png").status == 404


@pytest.mark.parametrize("harm", ["gone", "cut"])
def test_a_file_that_the_disk_has_lost_is_told_in_the_log(ana: Sender, harm: str) -> None:
    path = ana.send(png(), "a.png")
    lost = ana.site.app.site.blobs.path(id := path.split("/")[2])
    if harm == "gone":
        lost.unlink()
    else:
        os.truncate(lost, 10)
    assert ana.get(path).status == 404
    said = f"ERROR chat.files the file {id} of a message is not whole on the disk"
    assert ana.site.log == [said]
    ana.site.log.clear()


def test_somebody_who_asks_without_end_is_slowed_down(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", rate=5.0)
    ana = Sender(site)
    path = ana.send(png(), "a.png")

    def ask_often() -> None:
        """So far ahead that nothing flows in meanwhile."""
        pace, later = site.app.site.pace, time.monotonic() + 60
        with suppress(Refusal):
            while True:
                pace.pay(FILE, "127.0.0.1", ana.user, later)

    assert ana.get(path).status == 200
    site.call(ask_often)
    answer = ana.get(path)
    assert answer.status == 429
    assert json.loads(answer.body)["code"] == "slow_down"
    ana.wire.close()
    site.stop()


# -- who reads slowly

FILM = os.urandom(128 * CHUNK)  # more than sockets hold
HEAD = 1024  # bytes that an answer begins with, at most


def begun(site: Site, path: str, cookie: str) -> socket.socket:
    """Somebody who has asked for a file and reads only its head."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.settimeout(40)
    line.connect(("127.0.0.1", site.port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    assert line.recv(12) == b"HTTP/1.1 200"
    return line


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def asked(site: Site, line: socket.socket) -> Any:
    """The server's end of this line."""
    assert site.app.server is not None
    return next(
        connection.stream
        for connection in site.app.server._connections
        if connection.stream.socket.getpeername() == line.getsockname()
    )


@pytest.fixture
def slow(site: Site) -> Iterator[tuple[Sender, socket.socket, Any]]:
    """Somebody who has asked for a film and takes nothing of it, and the server's end of that."""
    ana = Sender(site)
    line = begun(site, ana.send(FILM, "film"), ana.cookie)
    stream = asked(site, line)
    until(lambda: stream.writing())
    yield ana, line, stream
    line.close()
    ana.wire.close()


def test_who_reads_slowly_holds_one_piece_and_no_open_file(
    site: Site, slow: tuple[Sender, socket.socket, Any]
) -> None:
    _, line, stream = slow
    assert stream._total_write_index - stream._total_write_done_index <= CHUNK + HEAD
    folder = str(site.config.data / "files")
    for link in Path("/proc/self/fd").glob("*"):
        with suppress(FileNotFoundError):
            assert not os.readlink(link).startswith(folder)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    rest = b""
    while len(rest) < len(FILM) and (part := line.recv(1 << 20)):
        rest += part
    assert rest.endswith(FILM[-CHUNK:])


def test_who_takes_nothing_is_ended(
    slow: tuple[Sender, socket.socket, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNREAD", 0.0)
    until(slow[2].closed)


@pytest.mark.parametrize("linger", [b"\0" * 8, b"\1" + b"\0" * 7], ids=["leaves", "vanishes"])
def test_who_leaves_in_the_middle_is_no_fault(
    slow: tuple[Sender, socket.socket, Any], linger: bytes
) -> None:
    _, line, stream = slow
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    line.close()
    until(stream.closed)


def test_what_is_deleted_while_it_is_read_ends_there(
    slow: tuple[Sender, socket.socket, Any],
) -> None:
    ana, line, _ = slow
    ana.delete()
    until(lambda: not list((ana.site.config.data / "files").glob("??/*")))
    got = 0
    while part := line.recv(1 << 20):
        got += len(part)
    assert got < len(FILM)


def test_the_server_stops_while_somebody_reads(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    ana = Sender(site)
    line = begun(site, ana.send(FILM, "film"), ana.cookie)
    site.stop()
    assert site.log == []
    line.close()
    ana.wire.close()
