"""chat/web/uploads.py: files on their way in, over real sockets, from whoever means no good."""

from __future__ import annotations

import hashlib
import json
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from client import PATIENCE
from pictures import PLACE, exif, jpeg, segment
from serving import Site

MB = 2**20


class Upload:
    """A POST of a file, sent as wrongly as a test wants it."""

    def __init__(
        self,
        site: Site,
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

    def ended(self) -> bool:
        """Wait until the server has closed the connection."""
        try:
            while self._file.read(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True

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
    return not (quota._coming or uploading._count or any("part" in path for path in lying(site)))


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
