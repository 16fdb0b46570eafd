"""Files that a person gives to the page, and what the browser has of them."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from playwright.sync_api import Locator, expect

from .line import SWALLOWED, Line
from .people import Visitor

# A picture of this size and type, with a red spot in its first corner.
DRAWN = """async ([width, height, type]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  context.fillStyle = '#2a7';
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#f00';
  context.fillRect(0, 0, width / 4, height / 4);
  const blob = await new Promise((done) => canvas.toBlob(done, type, 0.95));
  let text = '';
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}"""
GIVEN = """async ([how, place, files]) => {
  const data = new DataTransfer();
  for (const { name, mimeType, text } of files) {
    const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    data.items.add(new File([bytes], name, { type: mimeType }));
  }
  const target = document.querySelector(place);
  const event = { clipboardData: data, dataTransfer: data, bubbles: true, cancelable: true };
  if (how === 'paste') target.dispatchEvent(new ClipboardEvent(how, event));
  else for (const name of ['dragover', how]) target.dispatchEvent(new DragEvent(name, event));
}"""
# A server that takes files of one megabyte, as the page is told.
SMALL = """const parse = JSON.parse;
JSON.parse = (text, revive) => {
  const value = parse(text, revive);
  if (value?.limits?.file) value.limits.file = 1_000_000;
  return value;
};"""
KEPT = """async (local) => {
  const { href } = document.querySelector('link[rel=modulepreload]');
  const { Shelf } = await import(new URL('shelf.js', href));
  const { you } = JSON.parse(document.getElementById('boot').textContent);
  const record = await new Shelf('chat:/', you.user).get(local);
  if (!record) return null;
  const { blob, preview, ...rest } = record;
  return { ...rest, bytes: blob.size, preview: Boolean(preview), kind: blob.type };
}"""

File = dict[str, Any]
PDF: File = {
    "name": "points.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.7" + b"." * 240_000,
}


def drawn(visitor: Visitor, name: str, width: int, height: int, kind: str = "image/jpeg") -> File:
    """A picture that the browser has made."""
    text = visitor.page.evaluate(DRAWN, [width, height, kind])
    return {"name": name, "mimeType": kind, "buffer": base64.b64decode(text)}


def attach(visitor: Visitor, *files: File) -> None:
    """Chooses files with the + button."""
    button = visitor.page.get_by_role("button", name="Attach a file")
    with visitor.page.expect_file_chooser() as chooser:
        button.tap() if visitor.touches else button.click()
    assert chooser.value.is_multiple()
    chooser.value.set_files(list(files))  # type: ignore[arg-type]


def give(visitor: Visitor, how: str, *files: File, place: str = ".composer textarea") -> None:
    """Pastes or drops files."""
    told = [{**file, "text": base64.b64encode(file["buffer"]).decode()} for file in files]
    for file in told:
        del file["buffer"]
    visitor.page.evaluate(GIVEN, [how, place, told])


def chips(visitor: Visitor) -> Locator:
    """The staged files."""
    return visitor.page.get_by_role("list", name="Files to send").get_by_role("listitem")


def chip(visitor: Visitor, name: str) -> Locator:
    """The chip of one, made ready or refused."""
    found = chips(visitor).filter(
        has=visitor.page.locator(".fn", has_text=re.compile(f"^{re.escape(name)}$"))
    )
    expect(found).to_have_count(1)
    expect(found).not_to_have_attribute("aria-busy", "true")
    return found


def staged(visitor: Visitor, room: str) -> list[File]:
    """The list of staged files on the browser's disk."""
    of_room = """(room) => Object.entries({...localStorage})
        .find(([key]) => key.endsWith(`:${room}:staged`))?.[1] ?? '[]'"""
    found: list[File] = json.loads(visitor.page.evaluate(of_room, room))
    return found


def kept(visitor: Visitor, local: str) -> Any:
    """What the browser keeps of a file."""
    return visitor.page.evaluate(KEPT, local)


def held(visitor: Visitor) -> Line:
    """A line that carries everything but messages, and tells what was said."""
    line = Line(visitor.page)
    line.on_say = lambda frame: SWALLOWED
    return line


def waiting(visitor: Visitor) -> list[Any]:
    """The messages that wait on the browser's disk."""
    entries = """() => Object.entries({...localStorage})
        .filter(([key]) => /:outbox:/.test(key)).map(([, text]) => JSON.parse(text).fields)"""
    found: list[Any] = visitor.page.evaluate(entries)
    return found
