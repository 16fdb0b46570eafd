"""chat/web/uploads.py: files on their way in, over real sockets, from whoever means no good."""

from __future__ import annotations

import errno
import hashlib
import json
import random
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, join, request
from pictures import PLACE, exif, jpeg, png, segment
from serving import Process, Site

import chat.log.arrivals
import chat.rules.quota
import chat.web.uploads
from chat.log.arrivals import Arrival
from chat.log.blobs import Blobs
from chat.log.operations import Deposit
from chat.log.store import Store
from chat.web.uploads import UploadPage
from chat.wire.codes import Refusal

MB = 10**6


class Upload:
    """A POST of a file, sent as wrongly as a test wants it."""

    def __init__(
        self,
        site: Site | Process,
        cookie: str = "",
        size: int | str | None = None,
        *,
        path: str = "/r/lobby/files",
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Connect and send the head of the request."""
        self.sock = socket.create_connection(("127.0.0.1", site.port), PATIENCE)
        fields = {"Host": f"127.0.0.1:{site.port}", "Cookie": cookie, **(headers or {})}
        if size is not None:
            fields["Content-Length"] = str(size)
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v)]
        self.send("\r\n".join([*lines, "", ""]).encode())
        self._file = self.sock.makefile("rb")

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self.sock.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON of the answer."""
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", 0)))
        return status, headers, json.loads(body) if body else None

    def refused(self) -> tuple[int, str]:
        """Status and code of a refusal; it has a sentence."""
        status, _, body = self.answer()
        assert body["detail"].endswith("."), body
        return status, str(body["code"])

    def rest(self) -> bytes:
        """What else comes until the server closes the connection."""
        return self._file.read()

    def ended(self) -> bool:
        """Wait until the server has closed the connection."""
        with suppress(ConnectionResetError):
            self.rest()
        return True

    def vanish(self) -> None:
        """What is closed from now on is reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        """Leave without a word."""
        self._file.close()
        self.sock.close()

    def __enter__(self) -> Upload:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def upload(site: Site, cookie: str, data: bytes = b"hello", **more: Any) -> Any:
    """Upload this; what is said of the file."""
    with Upload(site, cookie, len(data), **more) as upload:
        upload.send(data)
        status, _, body = upload.answer()
    assert status == 200, body
    return body["file"]


def lying(site: Site) -> dict[str, bytes]:
    """What lies in the folder of files, by its path there."""
    files = site.config.data / "files"
    return {str(p.relative_to(files)): p.read_bytes() for p in files.rglob("*") if p.is_file()}


def rows(site: Site) -> list[tuple[Any, ...]]:
    """The table of files."""
    query = "SELECT id, size, sha FROM files ORDER BY at"
    found = site.call(site.app.site.store.read, lambda db: db.execute(query).fetchall())
    return list(found)


def wait_until(true: Any) -> None:
    """Wait for a condition of the server."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if true():
            return
        pause.wait(0.01)
    raise AssertionError("it never came to be")


def idle(site: Site) -> bool:
    """Whether nothing is on its way, and nothing is left of what was."""
    quota, uploading = site.app.site.quota, site.app.site.uploading
    return not (quota._coming or len(uploading) or any("part" in path for path in lying(site)))


def everything_agrees(site: Site) -> bool:
    """Whether each row has its file and each file its row."""
    return sorted(f"{id[:2]}/{id}" for id, _, _ in rows(site)) == sorted(lying(site))


@pytest.fixture
def cookie(site: Site) -> Iterator[str]:
    """Somebody who has joined; when the test is over nothing is left half done."""
    yield site.join()
    wait_until(lambda: idle(site))
    wait_until(lambda: everything_agrees(site))


# -- what is sent well


def test_a_file_is_kept_as_it_is_and_becomes_a_messages(site: Site, cookie: str) -> None:
    file = upload(site, cookie, b"%PDF-1.7 hello", path="/r/lobby/files?name=Plan%20B.pdf")
    told = {"name": "Plan B.pdf", "type": "application/pdf", "size": 14}
    assert file == {"id": file["id"], **told}
    path = site.config.data / "files" / file["id"][:2] / file["id"]
    assert path.read_bytes() == b"%PDF-1.7 hello"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    wire = site.wire(cookie=cookie)
    cid = wire.command("say", text="", files=[{"id": file["id"], "name": "Plan B.pdf"}])
    assert wire.hear("message", cid=cid)["files"] == [file]
    wire.close()


def test_what_a_picture_tells_beside_what_it_shows_is_not_kept(site: Site, cookie: str) -> None:
    sent = jpeg(40, 30, segment(0xE1, b"Exif\0\0" + exif(6)))
    file = upload(site, cookie, sent)
    assert (file["type"], file["width"], file["height"]) == ("image/jpeg", 30, 40)
    ((path, kept),) = lying(site).items()
    assert path == f"{file['id'][:2]}/{file['id']}"
    assert PLACE in sent
    assert PLACE not in kept
    assert file["size"] == len(kept)
    assert rows(site) == [(file["id"], len(kept), hashlib.sha256(kept).digest())]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><script>alert(1)</script>",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"PK\x05\x06" + bytes(18),
    ],
    ids=["empty", "html", "svg", "starts like a png", "zip"],
)
def test_what_is_no_picture_is_kept_byte_for_byte_and_is_none(
    site: Site, cookie: str, data: bytes
) -> None:
    file = upload(site, cookie, data, headers={"Content-Type": "image/png"})
    assert not file["type"].startswith(("image/", "text/"))
    assert list(lying(site).values()) == [data]


def test_what_follows_a_picture_in_its_file_is_left_out(site: Site, cookie: str) -> None:
    file = upload(site, cookie, png(after=b"PK\x03\x04 and a web page: <script>"))
    assert (file["type"], list(lying(site).values())) == ("image/png", [png()])


NAMES = {
    "../../etc/passwd": "passwd",
    "..\\..\\boot.ini": "boot.ini",
    "..": "file",
    "a\0b.txt": "ab.txt",
    "a\r\nSet-Cookie: x.txt": "a Set-Cookie: x.txt",
    "photo\u202egpj.exe": "photogpj.exe",
    "": "file",
    "é" * 300 + ".txt": "é" * 116 + ".txt",
    '"><img src=x>.html': '"><img src=x>.html',
    "bad %FF.txt": "bad \ufffd.txt",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_a_name_that_harms_nobody(site: Site, cookie: str, name: str) -> None:
    asked = urllib.parse.quote(name.replace("%FF", "\udcff"), errors="surrogateescape")
    file = upload(site, cookie, path=f"/r/lobby/files?name={asked}")
    assert file["name"] == NAMES[name]
    assert set(lying(site)) == {f"{file['id'][:2]}/{file['id']}"}


def test_the_largest_file_is_taken_and_the_connection_goes_on(tmp_path: Path) -> None:
    """With its own limits: what an upload may is allowed to nothing else on it."""
    site = Site(tmp_path / "data", file_mb=1)
    cookie, data = site.join(), bytes(range(250)) * (MB // 250)
    with Upload(site, cookie, MB) as upload:
        upload.send(data)
        assert upload.answer()[2]["file"]["size"] == MB
        assert list(lying(site).values()) == [data]
        head = f"POST /join HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nContent-Length: {MB}\r\n\r\n"
        upload.send(head.encode())
        assert upload.ended()
    site.stop()
    assert site.log == []


def test_whoever_waits_for_a_word_before_sending_gets_it(site: Site, cookie: str) -> None:
    expects = {"Expect": "100-continue"}
    with Upload(site, cookie, 5, headers=expects) as upload:
        assert upload.answer()[0] == 100
        upload.send(b"hello")
        assert upload.answer()[0] == 200
    with Upload(site, "", 5, headers=expects) as upload:
        assert upload.refused() == (403, "sign_in")
        assert upload.rest() == b""  # and no word to go on


# -- what is refused before a byte is read


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"cookie": ""}, (403, "sign_in")),
        ({"cookie": "device=x"}, (403, "sign_in")),
        ({"headers": {"Origin": "https://evil.example"}}, (403, "cross_origin")),
        ({"headers": {"Origin": "http://["}}, (403, "cross_origin")),
        ({"headers": {"Sec-Fetch-Site": "cross-site"}}, (403, "cross_origin")),
        ({"path": "/r/-/files"}, (404, "bad_room")),
        ({"method": "PUT"}, (405, "405")),
        ({"size": None}, (411, "no_length")),
        ({"size": None, "headers": {"Transfer-Encoding": "chunked"}}, (411, "no_length")),
        ({"size": "-1"}, (411, "no_length")),
        ({"size": "5, 5"}, (411, "no_length")),
        ({"size": "0x5"}, (411, "no_length")),
        ({"size": 25 * MB + 1}, (413, "too_big")),
        ({"size": 10**14}, (413, "too_big")),
        ({"size": "9" * 40}, (411, "no_length")),
    ],
    ids=str,
)
def test_everything_there_is_to_refuse_is_refused_before_a_byte_is_read(
    site: Site, cookie: str, wrong: dict[str, Any], expected: tuple[int, str]
) -> None:
    with Upload(**{"site": site, "cookie": cookie, "size": 5, **wrong}) as upload:
        status, headers, body = upload.answer()
        assert (status, body["code"], body["detail"][-1:]) == (*expected, ".")
        assert headers["connection"] == "close"
    assert lying(site) == {}


@pytest.mark.parametrize("chunked", [False, True])
def test_whoever_sends_on_after_a_refusal_gets_to_read_it(
    site: Site, cookie: str, chunked: bool
) -> None:
    """More than the kernel holds: a server that closed at once would have it reset."""
    size, more = (None, {"Transfer-Encoding": "chunked"}) if chunked else (30 * MB, {})
    with Upload(site, cookie, size, headers=more) as upload:
        for _ in range(30):
            upload.send((f"{MB:x}\r\n".encode() + bytes(MB) + b"\r\n") if chunked else bytes(MB))
        if chunked:
            upload.send(b"0\r\n\r\n")
        assert upload.refused() == ((411, "no_length") if chunked else (413, "too_big"))
        assert chunked or upload.ended()


def test_nobody_is_listened_to_for_long_after_a_refusal(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.web.uploads, "LINGER", 0.05)
    monkeypatch.setattr(Arrival, "write", refuse)
    for size in (10**14, MB):
        with Upload(site, cookie, size) as upload:
            upload.send(b"x")
            assert upload.answer()[0] in (413, 507)
            assert upload.ended()


def refuse(*_: Any) -> None:
    """What a disk does that is full."""
    raise Refusal("disk_full")


# -- room


def test_a_person_may_have_so_much_and_others_are_not_in_their_way(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.rules.quota, "PERSON", 10)
    file = upload(site, cookie, b"123456")
    with Upload(site, cookie, 5) as refused:
        assert refused.refused() == (413, "quota")
    upload(site, site.join(), b"12345")
    wire = site.wire(cookie=cookie)
    cid = wire.command("say", text="", files=[{"id": file["id"], "name": "a"}])
    wire.command("delete", id=wire.hear("message", cid=cid)["id"])
    wire.hear("gone")
    wire.close()
    upload(site, cookie, b"1234567890")


def test_all_files_may_have_so_much(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", files_gb=10.5 / 10**9)
    upload(site, site.join(), b"123456")
    with Upload(site, site.join(), 5) as refused:
        assert refused.refused() == (507, "files_full")
    upload(site, site.join(), b"1234")
    site.stop()


def test_a_disk_that_is_nearly_full_takes_messages_only(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.rules.quota, "SPARE", 2**62)
    with Upload(site, cookie, 5) as refused:
        assert refused.refused() == (507, "disk_full")
    wire = site.wire(cookie=cookie)
    assert wire.hear("message", cid=wire.say("still here"))
    wire.close()


def test_what_is_under_way_takes_up_room_and_gives_it_back(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.rules.quota, "PERSON", 10)
    with Upload(site, cookie, 6) as first:
        wait_until(lambda: not idle(site))
        with Upload(site, cookie, 5) as refused:
            assert refused.refused() == (413, "quota")
        first.send(b"12")
    wait_until(lambda: idle(site))
    upload(site, cookie, b"1234567890")


def test_what_arrives_while_another_is_let_in_is_counted_once(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no row yet when rows are counted, and is not on its way any more after that."""
    monkeypatch.setattr(chat.rules.quota, "PERSON", 10)
    usage, looking, go_on = shutil.disk_usage, threading.Event(), threading.Event()

    def held_up(path: Path) -> Any:
        looking.set()
        assert go_on.wait(PATIENCE)
        return usage(path)

    with Upload(site, cookie, 6) as first:
        wait_until(lambda: len(lying(site)) == 1)
        monkeypatch.setattr(shutil, "disk_usage", held_up)
        with Upload(site, cookie, 5) as second:
            assert looking.wait(PATIENCE)
            first.send(b"123456")
            assert first.answer()[0] == 200
            go_on.set()
            assert second.refused() == (413, "quota")
        upload(site, cookie, b"1234")


# -- too many, too slow


def test_a_person_has_two_under_way(site: Site, cookie: str) -> None:
    with Upload(site, cookie, 5) as one, Upload(site, cookie, 5) as two:
        wait_until(lambda: len(site.app.site.uploading) == 2)
        with Upload(site, cookie, 5) as third:
            status, headers, body = third.answer()
            assert (status, body["code"], headers["retry-after"]) == (429, "slow_down", "1")
        upload(site, site.join())
        one.send(b"hello")
        assert one.answer()[0] == 200
        two.send(b"hello")
        assert two.answer()[0] == 200
    upload(site, cookie)


def test_an_upload_on_a_dead_line_gives_way_to_its_next_try(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at a time: the other one may be alive."""
    with Upload(site, cookie, 5) as one:
        wait_until(lambda: len(lying(site)) == 1)
        with Upload(site, cookie, 5) as two:
            wait_until(lambda: len(lying(site)) == 2)
            monkeypatch.setattr(chat.web.uploads, "SILENT", 0.0)
            upload(site, cookie)
            assert one.refused() == (408, "too_slow")
            two.send(b"hello")
            assert two.answer()[0] == 200


def test_what_has_arrived_is_not_ended_before_it_is_looked_at(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last piece and `post` there is a turn of the loop."""
    received, gave_way = UploadPage.data_received, []

    async def at_the_worst_moment(page: UploadPage, chunk: bytes) -> None:
        await received(page, chunk)
        gave_way.append(page._give_way())
        page._watch()

    monkeypatch.setattr(chat.web.uploads, "SILENT", 0.0)
    monkeypatch.setattr(UploadPage, "data_received", at_the_worst_moment)
    upload(site, cookie)
    assert gave_way == [False]


def test_of_a_hundred_at_once_each_is_answered_and_the_chat_goes_on(
    site: Site, cookie: str
) -> None:
    """All of one person, then each of somebody else."""
    others = [site.join() for _ in range(50)]
    with ExitStack() as open:
        mine = [open.enter_context(Upload(site, cookie, 100_000)) for _ in range(50)]
        theirs = [open.enter_context(Upload(site, other, 100_000)) for other in others]
        wire = site.wire(cookie=cookie)
        for each in mine + theirs:
            each.send(bytes(100_000))
        assert wire.hear("message", cid=wire.say("still here"))
        assert [each.answer()[0] for each in theirs] == [200] * 50
        answers = [each.answer()[0] for each in mine]
        assert 2 <= answers.count(200) <= 50
        assert answers.count(200) + answers.count(429) == 50
        wire.close()
    assert {len(data) for data in lying(site).values()} == {100_000}


def test_uploads_are_paced(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", rate=10.0)
    cookie, answers = site.join(), []
    while 429 not in answers and len(answers) < 100:
        with Upload(site, cookie, 1) as upload:
            upload.send(b"x")
            answers.append(upload.answer()[0])
    assert 20 <= answers.count(200) < 100
    site.stop()


def test_what_comes_too_slowly_is_ended_in_words(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.web.uploads, "WINDOW", 0.05)
    with Upload(site, cookie, MB) as upload:
        upload.send(b"x")
        status, _, body = upload.answer()
        assert (status, body["code"], body["retry"]) == (408, "too_slow", 10_000)
        wait_until(lambda: idle(site))
        upload.send(bytes(MB - 1))
        assert upload.ended()


class Disk:
    """A disk that takes its time: each write waits until it is let go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
        self.asked, self.goes_on = threading.Event(), threading.Event()
        work = getattr(Arrival, method)

        def slow(arrival: Arrival, *about: Any) -> Any:
            self.asked.set()
            assert self.goes_on.wait(PATIENCE)
            return work(arrival, *about)

        monkeypatch.setattr(Arrival, method, slow)


def test_a_slow_disk_holds_up_the_sender_and_nobody_else(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more is read than the kernel holds."""
    disk, wire = Disk(monkeypatch, "write"), site.wire(cookie=cookie)
    data, sent = bytes(25 * MB), 0
    with Upload(site, cookie, len(data)) as upload:
        upload.sock.settimeout(1)
        with suppress(TimeoutError):
            while sent < len(data):
                sent += upload.sock.send(data[sent : sent + MB])
        assert sent < 15 * MB
        assert wire.hear("message", cid=wire.say("still here"))
        disk.goes_on.set()
        upload.sock.settimeout(PATIENCE)
        upload.send(data[sent:])
        assert upload.answer()[2]["file"]["size"] == 25 * MB
    wire.close()


def test_the_line_is_not_blamed_for_a_slow_disk(
    site: Site, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.web.uploads, "WINDOW", 0.01)
    monkeypatch.setattr(chat.web.uploads, "SLOWEST", 10**6)
    disk, looks, watch = Disk(monkeypatch, "write"), [], UploadPage._watch
    monkeypatch.setattr(UploadPage, "_watch", lambda page: (looks.append(page), watch(page)))
    with Upload(site, cookie, 25 * MB) as upload:
        upload.send(b"x")
        wait_until(lambda: len(looks) > 3)
        disk.goes_on.set()
        assert upload.refused() == (408, "too_slow")


# -- what is cut


@pytest.mark.parametrize("sent", [0, 1, 70_000, 99_999])
@pytest.mark.parametrize("how", ["closed", "reset", "half closed"])
def test_what_breaks_off_leaves_nothing(site: Site, cookie: str, sent: int, how: str) -> None:
    upload = Upload(site, cookie, 100_000)
    wait_until(lambda: not idle(site))
    upload.send(bytes(sent))
    if how == "half closed":
        upload.sock.shutdown(socket.SHUT_WR)
        assert upload.ended()
    if how == "reset":
        upload.vanish()
    upload.close()
    wait_until(lambda: idle(site) and lying(site) == {})


@pytest.mark.parametrize("stage", ["write", "keep"])
def test_who_leaves_while_the_disk_works_leaves_nothing_half_done(
    site: Site, cookie: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had arrived by then is kept, as a file that is not sent yet."""
    disk = Disk(monkeypatch, stage)
    with Upload(site, cookie, 5) as upload:
        upload.send(b"hel" if stage == "write" else b"hello")
        assert disk.asked.wait(PATIENCE)
    disk.goes_on.set()
    wait_until(lambda: idle(site))
    wait_until(lambda: len(rows(site)) == (stage == "keep"))


def test_more_than_was_announced_is_not_of_the_file(site: Site, cookie: str) -> None:
    with Upload(site, cookie, 5) as upload:
        upload.send(b"hello, world\r\n\r\n")
        assert upload.answer()[2]["file"]["size"] == 5
        assert upload.ended()
    assert list(lying(site).values()) == [b"hello"]


def test_who_signs_out_in_the_middle_sends_nothing(site: Site) -> None:
    cookie = site.join()
    with Upload(site, cookie, 5) as upload:
        wait_until(lambda: not idle(site))
        request(site.port, "POST", "/signout", {"Cookie": cookie})
        upload.send(b"hello")
        assert upload.refused() == (403, "sign_in")
    wait_until(lambda: idle(site) and lying(site) == {})
    assert rows(site) == []


@pytest.mark.parametrize("code", ["full", "closing"])
def test_a_file_whose_row_is_not_written_is_not_kept(
    site: Site, cookie: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Store.write

    def fails(store: Store, op: Any, done: Any) -> None:
        if isinstance(op, Deposit):
            done(Refusal(code, 1000))
        else:
            write(store, op, done)

    monkeypatch.setattr(Store, "write", fails)
    with Upload(site, cookie, 5) as upload:
        upload.send(b"hello")
        assert upload.refused() == (503, code)
    wait_until(lambda: lying(site) == {})


# -- the disk says no


@pytest.mark.parametrize("stage", ["strip", "keep"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, (507, "disk_full")),
        (errno.EDQUOT, (507, "disk_full")),
        (errno.EIO, (500, "failed")),
    ],
    ids=["full", "over quota", "broken"],
)
def test_what_the_disk_says_no_to_is_refused_and_told_and_nothing_stays(
    tmp_path: Path,
    stage: str,
    number: int,
    expected: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = jpeg(40, 30, segment(0xE1, b"Exif\0\0" + exif(6)))

    def fails(*_: Any) -> None:
        raise OSError(number, "no")

    if stage == "strip":
        monkeypatch.setattr(chat.log.arrivals, "strip", fails)
    else:
        monkeypatch.setattr(Blobs, "keep", fails)
    site = Site(tmp_path / "data")
    with Upload(site, site.join(), len(data)) as upload:
        upload.send(data)
        assert upload.refused() == expected
    wait_until(lambda: idle(site) and lying(site) == {})
    assert rows(site) == []
    site.stop()
    assert site.log[0] == f"ERROR chat.store a file could not be saved: [Errno {number}] no"


PRIVATE = ("unshare", "--user", "--map-root-user", "--mount")
SMALL_DISK = """
import subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", sys.argv[1]], check=True)
import chat.rules.quota
chat.rules.quota.SPARE, chat.rules.quota.PART = 2**20, 100
from chat.main import run
sys.exit(run(sys.argv[2:], {}))
"""
IN_PRIVATE = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"


def test_on_a_disk_that_fills_up_in_the_middle_nothing_stays(tmp_path: Path) -> None:
    """A real one, of this server alone."""
    if subprocess.run([*PRIVATE, "true"], capture_output=True).returncode:
        pytest.skip("whoever runs this may not mount anything")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = ("-c", IN_PRIVATE, *PRIVATE, sys.executable, "-c", SMALL_DISK, str(disk))
    with Process(disk / "data", "--files-gb=1", script=script) as server:
        server.ready()
        inside = Path(f"/proc/{server.process.pid}/root{disk}")
        cookie, size = join(server.port), 4 * MB
        with Upload(server, cookie, size) as upload:
            upload.send(bytes(MB))
            wait_until(lambda: size_of(inside / "data/files/part") >= MB - 2**16)
            with suppress(OSError), (inside / "filler").open("wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(2**16))
            upload.send(bytes(size - MB))
            assert upload.refused() == (507, "disk_full")
        wait_until(lambda: size_of(inside / "data/files/part") == 0)
        (inside / "filler").unlink()
        with Upload(server, cookie, MB) as upload:
            upload.send(bytes(MB))
            assert upload.answer()[0] == 200
        assert size_of(inside / "data/files") == MB
        assert server.end() == 0
    assert re.fullmatch(r".*a file could not be saved: .*No space left on device\n", server.said())


def size_of(folder: Path) -> int:
    """The bytes of all files below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_server_that_stops_waits_for_no_upload_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    with Process(tmp_path / "data") as server:
        server.ready()
        cookie, parts = join(server.port), tmp_path / "data" / "files" / "part"
        with Upload(server, cookie, 2 * MB) as upload:
            upload.send(bytes(MB))
            wait_until(lambda: size_of(parts) > 0)
            assert server.end() == 0
            assert upload.ended()
        server.start()
        server.ready()
        assert size_of(tmp_path / "data" / "files") == 0
        assert server.end() == 0
    assert server.said() == ""


def nonsense(site: Site, cookies: list[str], chance: random.Random) -> None:
    """An upload that is wrong in any way, and ends in any way."""
    size = chance.choice([0, 1, 65_536, 65_537, 300_000, MB, MB + 1, 10**9])
    length = {"Content-Length": str(size)}
    chunked = {"Transfer-Encoding": "chunked"}
    junk = {"Content-Length": chance.choice(["-3", "x", "5, 6", "5, 5", "+5"])}
    headers = chance.choice([length] * 7 + [chunked, {**length, **chunked}, junk, {}])
    for more in ({"Expect": "100-continue"}, {"Origin": "http://evil"}, {"Connection": "close"}):
        headers = {**headers, **(more if chance.random() < 0.1 else {})}
    room, cookie = chance.choice(["lobby", "den", "-"]), chance.choice([*cookies, "", "device=x"])
    method = chance.choice(["POST"] * 9 + ["GET", "PUT", "HEAD"])
    with Upload(site, cookie, path=f"/r/{room}/files", method=method, headers=headers) as upload:
        left = min(chance.choice([0, size // 2, size, size + 5]), 3 * MB)
        while left > 0 and chance.random() < 0.98:
            piece = chance.choice([1, 1000, 70_000, MB])
            upload.send(bytes(min(piece, left)))
            left -= piece
        end = chance.choice(["read", "read", "leave", "reset", "half"])
        if end == "reset":
            upload.vanish()
        elif end == "half":
            upload.sock.shutdown(socket.SHUT_WR)
        if end in ("read", "half"):
            upload.sock.settimeout(0.5)
            upload.sock.recv(1 << 16)


def test_whatever_comes_nothing_fails_and_nothing_stays_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LINGER": 0.3, "WINDOW": 0.5, "SLOWEST": 20_000, "SILENT": 0.02}.items():
        monkeypatch.setattr(chat.web.uploads, name, value)
    site = Site(tmp_path / "data", file_mb=1)
    cookies = [site.join() for _ in range(4)]

    def some(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(120):
            with suppress(OSError):
                nonsense(site, cookies, chance)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(some, range(8)))
    wait_until(lambda: idle(site))
    wait_until(lambda: everything_agrees(site))
    assert rows(site)
    site.stop()
    assert site.log == []
