"""What a storm of reactions costs: 1,000 people in a room, and 200 of them react to one message
within a second.

Of the server: the CPU time of each turn of its loop, measured in its own thread, so that what else
runs on the machine is no part of it; and, seen from outside, how long somebody in another room
waits for the answer to a `ping`. Of a page in that room: the longest task of its main thread, in
CPU time again, and how often the chip is written. Everything stays on 127.0.0.1.

    python bench/storm.py                  both; the page needs Playwright and Chromium
    python bench/storm.py --no-page        the server alone
    python bench/storm.py --emoji=20       spread over so many different ones
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from abuse import BYSTANDER, PING, START, frame, join, open_socket

ROOT = Path(__file__).resolve().parent.parent
PEOPLE, REACTING, WITHIN = 1_000, 200, 1.0  # seconds
EMOJI = [chr(0x1F600 + n) for n in range(20)]
EVERY = 0.02  # seconds between two pings
PATIENCE = 60.0  # seconds until everybody has to know everything
TAIL = 32  # bytes of a mark that may be cut by the end of what was read
MARK = b'"type":"reaction"'

# How often the number on a chip is written, and in how many frames.
COUNT = """row => { const seen = window.seen = {writes: 0, frames: 0}; let frame = 0, last = -1;
  const tick = () => { frame += 1; requestAnimationFrame(tick); }; tick();
  new MutationObserver(() => { seen.writes += 1;
    if (frame !== last) { seen.frames += 1; last = frame; } }).observe(row,
  {subtree: true, childList: true}); }"""


# -- the server, with its turns measured


def serve(report: Path, options: list[str]) -> None:
    """run.py as it is; at its end the turns of its loop as [when it ended, seconds of CPU]."""
    turns: list[tuple[float, float]] = []
    loop: Any = asyncio.BaseEventLoop
    once = loop._run_once

    def measured(self: Any) -> None:
        before = time.thread_time()
        once(self)
        turns.append((time.time(), time.thread_time() - before))

    loop._run_once = measured
    sys.path.insert(0, str(ROOT))
    sys.argv = ["run.py", *options]
    from chat.main import main

    try:
        main()
    finally:
        report.write_text(json.dumps(turns))


@contextmanager
def serving(folder: Path, report: Path) -> Iterator[int]:
    """A server without limits on what a person may do; its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, __file__, f"--serve={report}", "--", f"--port={port}"]
    options = ["--address=127.0.0.1", "--rate=0", "--connections-per-user=0", f"--data={folder}"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), START):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server does not start")
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(START)


# -- the people in the room


def reaction(number: int, message: int, kinds: int) -> bytes:
    """What the n-th person says about the message."""
    emoji = EMOJI[number % kinds]
    cid = f"storm-{number:06}"
    return frame(
        json.dumps({"type": "react", "cid": cid, "id": message, "emoji": emoji, "on": True})
    )


def storm(lines: list[socket.socket], message: int, kinds: int) -> dict[str, float]:
    """The reactions, evenly over the second, while everybody reads."""
    left = dict.fromkeys(lines, REACTING)
    tails = dict.fromkeys(lines, b"")
    chosen = selectors.DefaultSelector()
    for line in lines:
        line.setblocking(False)
        chosen.register(line, selectors.EVENT_READ)
    began, sent, read = time.time(), 0, 0
    while left and time.time() < began + PATIENCE:
        due = min(REACTING, int((time.time() - began) / WITHIN * REACTING) + 1)
        for number in range(sent, due):
            lines[number].send(reaction(number, message, kinds))
        sent = due
        for key, _ in chosen.select(0.002):
            line: Any = key.fileobj
            data = line.recv(1 << 18)
            read += len(data)
            seen = tails[line] + data
            tails[line] = seen[-min(TAIL, len(MARK) - 1) :]
            if line in left:
                left[line] -= seen.count(MARK)
                if left[line] <= 0:
                    del left[line]
    return {"began": began, "ended": time.time(), "unserved": len(left), "read": read}


def bystander(port: int, cookie: str, until: Any, waits: Any) -> None:
    """Somebody in another room, who measures the way there and back of a `ping`."""
    line = open_socket(port, "/r/elsewhere/ws", cookie, BYSTANDER)
    line.settimeout(START)
    while not until.is_set():
        began = time.perf_counter()
        line.sendall(frame(PING))
        while b'"pong"' not in line.recv(1 << 16):
            pass
        waits.append((time.time(), time.perf_counter() - began))
        time.sleep(EVERY)


def say(line: socket.socket, text: str) -> int:
    """A message; its id."""
    line.sendall(frame(json.dumps({"type": "say", "cid": "the-message", "text": text})))
    seen = b""
    while b'"the-message"' not in seen:
        seen += line.recv(1 << 16)
    part = seen[seen.rindex(b'"type":"message"') :]
    return int(part.split(b'"id":')[1].split(b",")[0])


# -- the page


@contextmanager
def watching(port: int, cookie: str, text: str, found: dict[str, Any]) -> Iterator[Any]:
    """A page in the room; what its main thread did meanwhile goes into `found`."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page()
        name, _, value = cookie.partition("=")
        address = f"http://127.0.0.1:{port}"
        page.context.add_cookies([{"name": name, "value": value, "url": address}])
        page.goto(f"{address}/r/square")
        row = page.locator("article.msg").filter(has_text=text)
        expect(row).to_be_visible(timeout=30_000)
        expect(page.locator(".edge.later")).to_be_attached(timeout=30_000)
        row.evaluate(COUNT)
        chromium.start_tracing(page=page, categories=["toplevel", "disabled-by-default-v8.gc"])
        yield None
        counts = page.locator(".chip[data-emoji] b")
        end = time.monotonic() + PATIENCE
        while sum(map(int, counts.all_text_contents())) < REACTING and time.monotonic() < end:
            page.wait_for_timeout(50)
        found["shown"] = sum(map(int, counts.all_text_contents()))
        found.update(page.evaluate("window.seen"))
        found["longest"] = longest(json.loads(chromium.stop_tracing()))
        chromium.close()


def longest(trace: dict[str, Any]) -> float:
    """Seconds of CPU of the longest task on the page's main thread."""
    events = trace["traceEvents"]
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [e["tdur"] for e in events if (e["pid"], e["tid"]) in mains and "tdur" in e]
    return max(tasks, default=0) / 1e6


# -- one run


def measure(options: argparse.Namespace, folder: Path) -> None:
    """One storm, and what it did."""
    report, text, page = folder / "turns.json", "what do you think?", {}
    with multiprocessing.Manager() as shared, serving(folder / "data", report) as port:
        until, waits = shared.Event(), shared.list()
        with ThreadPoolExecutor(8) as pool:
            names = [f"Sam {n}" for n in range(REACTING + 2)]
            cookies = [c for _, c in pool.map(lambda name: join(port, name, BYSTANDER), names)]
        crowd = cookies[:REACTING]
        lines = [
            open_socket(port, "/r/square/ws", crowd[n % REACTING], BYSTANDER)
            for n in range(PEOPLE - options.page)
        ]
        message = say(lines[0], text)
        other = multiprocessing.Process(
            target=bystander, args=(port, cookies[REACTING], until, waits)
        )
        other.start()
        time.sleep(1.5)  # what their coming costs is no part of it
        with watching(port, cookies[-1], text, page) if options.page else nullcontext():
            done = storm(lines, message, options.emoji)
        until.set()
        other.join(START)
        pings = [took for when, took in waits if done["began"] <= when <= done["ended"]]
    turns = [
        took
        for when, took in json.loads(report.read_text())
        if done["began"] <= when <= done["ended"]
    ]
    show(options, done, turns, pings, page)


def show(
    options: argparse.Namespace,
    done: dict[str, float],
    turns: list[float],
    pings: list[float],
    page: dict[str, Any],
) -> None:
    """The figures, in milliseconds."""
    took = done["ended"] - done["began"]
    print(f"{REACTING} of {PEOPLE} people, {options.emoji} different emoji, {took:.2f} s")
    print(f"  not told everything: {done['unserved']:.0f}; {done['read'] / 1e6:.0f} MB delivered")
    busy = f"longest {max(turns) * 1e3:.1f} ms, median {statistics.median(turns) * 1e3:.1f} ms"
    print(f"  server: {len(turns)} turns, {busy}, {sum(turns):.2f} s in all (CPU)")
    if pings:
        print(f"  a ping in another room: at most {max(pings) * 1e3:.0f} ms (also what others use)")
    if page:
        print(f"  page: longest task {page['longest'] * 1e3:.1f} ms (CPU), {page['shown']} shown,")
        print(f"        the row written {page['writes']} times in {page['frames']} frames")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--no-page", dest="page", action="store_false")
    parser.add_argument("--emoji", type=int, default=3, help="different ones, at most 20")
    parser.add_argument("rest", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.rest)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))


if __name__ == "__main__":
    main()
