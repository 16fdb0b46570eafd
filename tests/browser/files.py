"""Messages with files, sent by somebody who has no hands on the page."""

from __future__ import annotations

import json
from dataclasses import dataclass

from playwright.sync_api import Locator

from tests.pictures import png

from .people import Visitor

PAPER = b"%PDF-1.7\n" + b"tide " * 100_000


@dataclass(frozen=True)
class Sent:
    """A file to be sent."""

    name: str
    content: bytes
    about: str = ""


SEA = Sent("harbour at dawn.png", png(600, 450), "Sunrise over the sea")
JETTY = Sent("jetty (1).png", png(400, 500))
TABLES = Sent("Tide tables 2027.pdf", PAPER)
NOTE = Sent("note.ogg", b"OggS" + bytes(24) + b"OpusHead" + bytes(400))


def share(visitor: Visitor, room: str, text: str, *files: Sent) -> int:
    """Uploads the files and says so in one message; its id."""
    server, named = visitor.server, []
    headers = {"Origin": server.origin, "Accept": "application/json"}
    post = visitor.context.request.post
    for file in files:
        answer = post(
            f"{server.origin}/r/{room}/files",
            params={"name": file.name},
            data=file.content,
            headers={**headers, "Content-Type": "application/octet-stream"},
        )
        assert answer.ok, answer.text()
        about = {"about": file.about} if file.about else {}
        named.append({"id": answer.json()["file"]["id"], "name": file.name, **about})
    form = {"text": text, "files": json.dumps(named)}
    answer = post(f"{server.origin}/r/{room}", form=form, headers=headers)
    assert answer.ok, answer.text()
    return int(answer.json()["id"])


def row(visitor: Visitor, number: int) -> Locator:
    """The row of a message."""
    return visitor.page.locator(f"#m{number}")
