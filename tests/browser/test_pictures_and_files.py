"""A screenshot, three photos and a PDF from a laptop, and one taken with a phone that loses its
line in the middle of it: everybody sees them once, and what is deleted is gone from the disk."""

from __future__ import annotations

import base64
import random
import re
import struct
import zlib
from pathlib import Path

from playwright.sync_api import Locator, expect

from .conftest import People
from .line import wait_until
from .people import Visitor
from .server import Server
from .test_access import PHONE

DROP = """([target, files, kind]) => {
    const data = new DataTransfer();
    for (const [name, type, text] of files) {
        const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
        data.items.add(new File([bytes], name, { type }));
    }
    const options = { bubbles: true, cancelable: true, composed: true };
    const on = document.querySelector(target);
    const paste = () => new ClipboardEvent("paste", { ...options, clipboardData: data });
    if (kind === "paste") return on.dispatchEvent(paste());
    for (const type of ["dragenter", "dragover", "drop"]) {
        on.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: data }));
    }
}"""
SHOWN = """(([...all], place) => {
    all[place]?.scrollIntoView({ block: "nearest" });
    return all[place]?.naturalWidth > 0;
})(document.querySelectorAll(".files img"), %d)"""
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
File = tuple[str, str, bytes]


def picture(width: int, height: int, seed: int = 0) -> bytes:
    """A PNG of noise: as large on the wire as it looks."""
    noise = random.Random(seed)
    rows = b"".join(b"\0" + noise.randbytes(3 * width) for _ in range(height))

    def part(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows, 1)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", packed) + part(b"IEND", b"")


def give(visitor: Visitor, kind: str, *files: File) -> None:
    """Pastes files into the box, or drops them onto the list."""
    told = [(name, type, base64.b64encode(body).decode()) for name, type, body in files]
    target = "textarea" if kind == "paste" else ".log"
    visitor.page.evaluate(DROP, [target, told, kind])


def staged(visitor: Visitor) -> Locator:
    """The files that go with the next message."""
    return visitor.page.get_by_role("list", name="Files to send").get_by_role("listitem")


def blobs(server: Server) -> list[Path]:
    """What lies on the server's disk."""
    return [path for path in (server.data / "files").glob("??/*") if path.is_file()]


def whole(visitor: Visitor, count: int) -> None:
    """All pictures are there once, confirmed, and show something."""
    expect(visitor.log.locator(".files img")).to_have_count(count)
    expect(visitor.log.locator('.msg:not([data-state="sent"])')).to_have_count(0)
    for place in range(count):
        visitor.until(SHOWN % place)


def test_files_of_a_laptop_and_of_a_phone_that_loses_its_line(
    people: People, own_server: Server
) -> None:
    laptop = people("Ana", own_server).enter("lobby")
    phone = people("Ben", own_server, **PHONE).enter("lobby")
    laptop.whole()
    phone.whole()

    # A screenshot, pasted: Enter is all it takes.
    give(laptop, "paste", ("image.png", "image/png", picture(320, 200)))
    expect(staged(laptop)).to_have_count(1)
    laptop.composer.press("Enter")
    whole(laptop, 1)
    whole(phone, 1)

    # Three photos and a document, dropped together, with a line of text.
    photos = [(f"photo-{n}.png", "image/png", picture(300 + n, 200, n)) for n in range(3)]
    give(laptop, "drop", *photos, ("tides.pdf", "application/pdf", PDF))
    expect(staged(laptop)).to_have_count(4)
    laptop.says("from the harbour")
    for visitor in (laptop, phone):
        whole(visitor, 4)
        expect(visitor.row("from the harbour").locator("a.file")).to_contain_text("tides.pdf")

    # The phone takes one and loses its line in the middle: the server is killed, and comes back.
    slow = phone.context.new_cdp_session(phone.page)
    slow.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 60_000}
    slow.send("Network.emulateNetworkConditions", limits)
    with phone.page.expect_file_chooser() as chooser:
        phone.page.get_by_role("button", name="Attach a file").click()
    taken = {"name": "taken.png", "mimeType": "image/png", "buffer": picture(500, 300, 9)}
    with phone.page.expect_request(re.compile(r"/files\?name=")):
        chooser.value.set_files(taken)  # type: ignore[arg-type]
        expect(staged(phone)).to_have_count(1)
        phone.send.click()
    own_server.kill()
    slow.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": -1})
    own_server.start()
    for visitor in (laptop, phone):
        visitor.online()
        whole(visitor, 5)
        visitor.open("lobby")
        visitor.ready().whole()
        whole(visitor, 5)
    assert len(blobs(own_server)) == 6

    # Deleted, it is gone: from every page, and from the disk once nothing can be undone.
    laptop.act(laptop.row("from the harbour"), "Delete")
    for visitor in (laptop, phone):
        whole(visitor, 2)
    wait_until(laptop.page, lambda: len(blobs(own_server)) == 2, "they leave the disk", 20)
    assert "Traceback" not in own_server.said()
