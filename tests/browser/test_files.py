"""What people send is shown, played or saved, and never run."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pictures import chunk, png
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import expect

from .conftest import People
from .people import Visitor

RAN = "<script>top.ran = 1; document.title = 'ran'; localStorage.ran = 1</script>"
HTML = f"<!doctype html><title>x</title>{RAN}".encode()
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{RAN}</svg>".encode()
SECONDS, RATE = 60, 8_000


def wav() -> bytes:
    """A minute of sound."""
    data = bytes(int(128 + 60 * math.sin(n / 5)) for n in range(RATE)) * SECONDS
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE, 1, 8)
    parts = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data"
    parts += struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(parts)) + parts


def send(visitor: Visitor, room: str, content: bytes, name: str, text: str = "") -> dict[str, Any]:
    """Upload it as it is and send it; the file as it is kept, with its `url`."""
    request, origin = visitor.context.request, visitor.server.origin
    headers = {"Origin": origin, "Accept": "application/json"}
    address = f"{origin}/r/{room}/files?name={quote(name)}"
    answer = request.post(address, data=content, headers=headers)
    assert answer.ok, answer.text()
    file: dict[str, Any] = answer.json()["file"]
    files = json.dumps([{"id": file["id"], "name": name, "about": f"about {name}"}])
    answer = request.post(
        f"{origin}/r/{room}", form={"text": text, "files": files}, headers=headers
    )
    assert answer.ok, answer.text()
    return {**file, "url": f"{origin}/files/{file['id']}/{quote(name)}"}


@pytest.fixture
def ana(people: People, room: str) -> Visitor:
    ana = people("Ana")
    ana.join(room)
    return ana


def test_a_picture_is_shown_and_what_hides_in_it_is_not_kept(ana: Visitor, room: str) -> None:
    """HTML in a PNG, before its picture and after it, under the name of a page."""
    file = send(ana, room, png(30, 20, chunk(b"tEXt", HTML), after=HTML), "a.html")
    assert (file["type"], file["size"]) == ("image/png", len(png(30, 20)))
    ana.open(room)
    picture = ana.page.get_by_role("img", name="about a.html")
    expect(picture).to_be_visible()
    size = "async (i) => (await i.decode(), [i.naturalWidth, i.naturalHeight])"
    assert picture.evaluate(size) == [30, 20]
    ana.page.goto(file["url"])
    assert ana.page.evaluate("[document.contentType, origin]") == ["image/png", "null"]
    # A browser styles the page that it makes of a picture, and is not let.
    assert all("inline style" in line for line in ana.trouble)
    ana.trouble.clear()


@pytest.mark.parametrize(
    ("content", "name"),
    [(SVG, "a.svg"), (HTML, "a.html"), (HTML, "a.png"), (b"%PDF-1.4", "a.pdf")],
    ids=["svg", "html", "html as png", "pdf"],
)
def test_what_could_run_something_is_saved_and_never_run(
    ana: Visitor, room: str, content: bytes, name: str
) -> None:
    file = send(ana, room, content, name)
    ana.open(room)
    with ana.page.expect_download() as saved:
        ana.page.get_by_role("link", name=name).click()
    assert saved.value.suggested_filename == name
    assert Path(saved.value.path()).read_bytes() == content
    tab = ana.tab().page
    with tab.expect_download() as saved, pytest.raises(BrowserError, match="Download is starting"):
        tab.goto(file["url"])
    assert Path(saved.value.path()).read_bytes() == content
    assert tab.url == "about:blank"
    assert ana.page.evaluate("[window.ran, localStorage.ran]") == [None, None]


def test_no_page_of_this_origin_takes_a_file_for_a_part_of_it(ana: Visitor, room: str) -> None:
    """Even where somebody has found a way to put such a part into it."""
    parts = [
        ("script", send(ana, room, b"top.ran = 1", "a.js")["url"]),
        ("link", send(ana, room, b"html{color:red}", "a.css")["url"]),
        ("img", send(ana, room, SVG, "a.svg")["url"]),
    ]
    ana.open(room)
    outcome = ana.page.evaluate(
        """parts => Promise.all(parts.map(([tag, url]) => new Promise(done => {
          const part = document.createElement(tag);
          part.rel = 'stylesheet';
          part[tag === 'link' ? 'href' : 'src'] = url;
          part.onload = () => done('loaded');
          part.onerror = () => done('refused');
          document.body.append(part);
        })))""",
        parts,
    )
    assert outcome == ["refused"] * 3
    assert ana.page.evaluate("window.ran") is None
    ana.trouble.clear()  # the browser says so


def test_sound_is_wound(ana: Visitor, room: str) -> None:
    send(ana, room, wav(), "a.wav")
    ana.open(room)
    wound = ana.page.locator("audio").evaluate(
        """async sound => {
          sound.load();
          await new Promise(done => sound.onloadedmetadata = done);
          sound.currentTime = 50;
          await new Promise(done => sound.onseeked = done);
          return [sound.duration, sound.currentTime];
        }"""
    )
    assert wound == [SECONDS, 50]


def test_a_film_or_sound_is_played_alone(ana: Visitor, room: str) -> None:
    """In the page that a browser makes for it, in which no script runs."""
    ana.page.goto(send(ana, room, wav(), "a.wav")["url"])
    expect(ana.page.locator("video")).to_have_js_property("duration", SECONDS)


def test_a_deleted_picture_is_gone_though_the_browser_has_kept_it(ana: Visitor, room: str) -> None:
    ana.clock()
    ana.enter(room)
    file = send(ana, room, png(30, 20), "a.png")
    expect(ana.rows).to_have_count(1)
    look = "async url => (await fetch(url)).status"
    assert ana.page.evaluate(look, file["url"]) == 200
    ana.act(ana.rows.last, "Delete")
    ana.page.clock.fast_forward(7_000)
    expect(ana.log.get_by_text("Message deleted.")).to_have_count(0)
    ana.until(f"async () => await ({look})('{file['url']}') === 404")
