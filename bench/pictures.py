"""What a page does in a room with 500 pictures that is scrolled from its end to its start: the
frames, the longest task, and what shifts.

Shifts are told apart. In the frame after older messages were put in above, Chromium reports as
shifted what the page has moved back to where it was; what shifts in any other frame, as while a
picture comes, is seen. Everything stays on 127.0.0.1; needs Chromium and playwright.

    python bench/pictures.py               one picture a message, then ten; two minutes
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import statistics
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from files import ROOT, serving
from playwright.sync_api import APIRequestContext, Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
WIDE, HIGH, BLOCK = 600, 450, 30  # px
SPEED = 4000  # px a second
STRETCH = 4000  # px of a gesture
LONG = 600  # seconds in which the start is reached

WATCH = """() => {
  const seen = window.seen = {frames: [], tasks: [], shifts: [], inserts: []};
  const look = (type, take) =>
    new PerformanceObserver(list => list.getEntries().forEach(take)).observe({type});
  look('longtask', ({duration}) => seen.tasks.push(duration));
  look('layout-shift', ({startTime, value}) => seen.shifts.push([startTime, value]));
  const count = () => { seen.frames.push(performance.now()); requestAnimationFrame(count); };
  requestAnimationFrame(count);
  new MutationObserver(all => all.some(({addedNodes}) => addedNodes.length) &&
    seen.inserts.push(performance.now())
  ).observe(document.querySelector('.log').firstElementChild, {childList: true});
}"""
LOADED = """() => performance.getEntriesByType('resource')
  .filter(({initiatorType}) => initiatorType === 'img').length"""
START = """() => document.querySelector('.log').scrollTop <= 0 &&
  !document.querySelector('.log .edge button')"""


def picture(number: int) -> bytes:
    """A PNG of coloured blocks, each another."""
    dice = random.Random(number)
    rows = b""
    for _ in range(HIGH // BLOCK):
        row = b"".join(dice.randbytes(3) * BLOCK for _ in range(WIDE // BLOCK))
        rows += (b"\0" + row) * BLOCK

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        )

    head = WIDE.to_bytes(4, "big") + HIGH.to_bytes(4, "big") + b"\x08\2\0\0\0"
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def fill(request: APIRequestContext, room: str, pictures: int, each: int) -> None:
    """Send so many pictures, `each` of them a message."""
    named: list[dict[str, str]] = []
    for number in range(pictures):
        name = f"{number}.png"
        answer = request.post(f"{room}/files", params={"name": name}, data=picture(number))
        if not answer.ok:
            raise SystemExit(answer.text())
        named.append({"id": answer.json()["file"]["id"], "name": name})
        if len(named) == each or number == pictures - 1:
            form = {"text": "", "files": json.dumps(named)}
            if not request.post(room, form=form).ok:
                raise SystemExit("a message was refused")
            named = []


def scroll(page: Page) -> dict[str, Any]:
    """What was seen on the way from the end to the start."""
    page.evaluate(WATCH)
    line = page.context.new_cdp_session(page)
    box = page.locator(".log").bounding_box()
    assert box
    gesture = {
        **{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2},
        **{"yDistance": STRETCH, "speed": SPEED, "gestureSourceType": "mouse"},
    }
    end = time.monotonic() + LONG
    while not page.evaluate(START):
        if time.monotonic() > end:
            raise SystemExit("the start was not reached")
        line.send("Input.synthesizeScrollGesture", gesture)
    seen: dict[str, Any] = page.evaluate("() => new Promise(r => setTimeout(() => r(seen), 500))")
    return seen


def told(seen: dict[str, Any]) -> list[str]:
    """The figures."""
    frames = seen["frames"]
    gaps = sorted(after - before for before, after in itertools.pairwise(frames))
    moved, apart = 0.0, 0.0
    for at, value in seen["shifts"]:
        before = [frame for frame in frames if frame <= at][-2:]
        if any(before[0] <= insert <= at for insert in seen["inserts"] if before):
            moved += value
        else:
            apart += value
    late = sum(gap > 50 for gap in gaps)
    return [
        f"frames: {len(gaps)}; ms between two: median {statistics.median(gaps):.1f},"
        f" p95 {gaps[int(len(gaps) * 0.95)]:.1f}, longest {gaps[-1]:.0f}; {late} over 50",
        f"longest task: {max(seen['tasks'], default=0):.0f} ms (0: none over 50)",
        f"shifts: {apart:.4f}; reported in the frame of an insert above: {moved:.4f}",
    ]


def measure(browser: Browser, origin: str, pictures: int, each: int) -> list[str]:
    """Fill a room and scroll it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    name = f"each-{each}"
    room = f"{origin}/r/{name}"
    headers = {"Origin": origin, "Accept": "application/json"}
    joined = context.request.post(
        f"{origin}/join", form={"name": f"Ana {'x' * each}", "room": name}, headers=headers
    )
    if not joined.ok:
        raise SystemExit(joined.text())
    fill(context.request, room, pictures, each)
    page = context.new_page()
    page.goto(room)
    page.wait_for_load_state("networkidle")
    first = page.evaluate(LOADED)
    lines = told(scroll(page))
    rows, images = (page.locator(what).count() for what in (".msg", ".pic img"))
    context.close()
    return [f"at first: {first} pictures; in the end: {images} in {rows} messages", *lines]


def main() -> None:
    """Print the figures of both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pictures", type=int, default=500)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="pictures-", dir=ROOT / "bench") as temporary,
        serving(Path(temporary) / "data", 25) as (port, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for each in (1, 10):
            print(f"{options.pictures} pictures, {each} a message")
            for line in measure(browser, f"http://127.0.0.1:{port}", options.pictures, each):
                print(f"  {line}")
        browser.close()


if __name__ == "__main__":
    main()
