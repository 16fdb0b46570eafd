"""static/js/shrink.js: which pictures are made smaller, and which stay as they are."""

from __future__ import annotations

import base64
from typing import Any

from .conftest import People
from .giving import File, attach, chip, drawn, staged
from .people import Visitor

SHRUNK = """async ([text, type, name]) => {
  const { href } = document.querySelector('link[rel=modulepreload]');
  const { shrink } = await import(new URL('shrink.js', href));
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const file = new File([bytes], name, { type });
  const made = await shrink(file);
  if (!made) return null;
  const bitmap = await createImageBitmap(made.blob);
  const really = { width: bitmap.width, height: bitmap.height };
  const context = Object.assign(document.createElement('canvas'), really).getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const red = (x) => context.getImageData(x, 5, 1, 1).data[0] > 128;
  const corner = [red(5), red(bitmap.width - 6)];
  const { width, height, blob, original, preview } = made;
  return { size: [width, height], really: [bitmap.width, bitmap.height], same: blob === file,
           type: blob.type, original: original?.blob === file, preview: Boolean(preview), corner };
}"""


def shrunk(visitor: Visitor, file: File) -> Any:
    """What becomes of a picture; `corner`: is the red spot top left, or top right."""
    text = base64.b64encode(file["buffer"]).decode()
    return visitor.page.evaluate(SHRUNK, [text, file["mimeType"], file["name"]])


def turned(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG as a camera that was held so would have written it."""
    exif = (
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"
        + bytes([orientation])
        + b"\0\0"
        + bytes(4)
    )
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def test_which_pictures_are_made_smaller(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    large = shrunk(ana, drawn(ana, "a.jpg", 3200, 2400))
    assert large["size"] == large["really"] == [2560, 1920]
    assert large["original"]
    assert large["preview"]
    assert large["type"] == "image/jpeg"
    assert large["corner"] == [True, False]
    small = shrunk(ana, drawn(ana, "a.png", 400, 300, "image/png"))
    assert small["same"]
    assert small["size"] == [400, 300]
    assert not small["preview"]
    middle = shrunk(ana, drawn(ana, "a.webp", 2560, 1000, "image/webp"))
    assert middle["same"]
    assert middle["preview"]
    scrolled = shrunk(ana, drawn(ana, "a.png", 800, 6000, "image/png"))
    assert scrolled["same"]
    assert scrolled["size"] == [800, 6000]
    assert shrunk(ana, {"name": "a.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}) is None
    assert shrunk(ana, {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}) is None


def test_a_picture_is_turned_the_way_the_camera_was_held(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    picture = drawn(ana, "a.jpg", 3200, 2400)
    made = shrunk(
        ana, {**picture, "buffer": turned(picture["buffer"], 6)}
    )  # a quarter to the right
    assert made["size"] == made["really"] == [1920, 2560]
    assert made["corner"] == [False, True]


def test_what_moves_stays_as_it_is(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    still = drawn(ana, "a.png", 3000, 2000, "image/png")["buffer"]
    assert not shrunk(ana, {"name": "a.png", "mimeType": "image/png", "buffer": still})["same"]
    control = b"\0\0\0\x08acTL\0\0\0\x01\0\0\0\0\0\0\0\0"  # a browser checks no sum to draw it
    moves = still[:33] + control + still[33:]
    made = shrunk(ana, {"name": "a.png", "mimeType": "image/png", "buffer": moves})
    assert made["same"]
    assert made["size"] == [3000, 2000]


def test_a_browser_that_scrambles_what_is_drawn_sends_the_original(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    picture = drawn(ana, "a.jpg", 3000, 2000)
    ana.page.evaluate(
        """() => { const get = CanvasRenderingContext2D.prototype.getImageData;
        CanvasRenderingContext2D.prototype.getImageData = function (...area) {
          const image = get.apply(this, area);
          image.data[0] ^= 1;
          return image;
        }; }"""
    )
    made = shrunk(ana, picture)
    assert made["same"]
    assert made["size"] == [3000, 2000]
    assert not made["preview"]


def test_where_the_shrinking_cannot_be_fetched_the_picture_goes_as_it_is(
    people: People, room: str
) -> None:
    ana = people("Ana")
    ana.page.route("**/shrink.js*", lambda route: route.abort())
    ana.enter(room)
    picture = drawn(ana, "a.jpg", 3000, 2000)
    attach(ana, picture)
    chip(ana, "a.jpg")
    assert staged(ana, room)[0]["size"] == len(picture["buffer"])
