"""What an upload of 100 MB costs: how much the server's memory grows, its CPU time, and what
somebody in another room notices, who measures the way there and back of a `ping`.

Each upload has the same seconds of nothing beside it. The server has all cores: it writes, hashes
and walks in threads. Everything stays on 127.0.0.1.

    python bench/files.py                  five rounds, half a minute; takes a gigabyte of disk
    chrt -f 1 python bench/files.py        with precedence over what else the machine does
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from abuse import ATTACKER, BYSTANDER, PING, START, frame, join, open_socket

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.005  # seconds between two pings
PIECE = 10**6
TICK = os.sysconf("SC_CLK_TCK")
# A picture whose place and time are left out, so that the server writes it twice. Its data is a
# scan without an end of its own.
HEAD = (
    b"\xff\xd8\xff\xe1\x00\x10Exif\0\0MM\0*\0\0\0\x08"
    b"\xff\xc0\x00\x0b\x08\x10\x00\x10\x00\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
)
END = b"\xff\xd9"
KINDS = {"a file of no known kind": (b"", b""), "a JPEG with metadata": (HEAD, END)}


@dataclass
class Seen:
    """What was measured of one kind, over all rounds."""

    pings: list[float] = field(default_factory=list)  # ms
    grown: list[float] = field(default_factory=list)  # MB
    cpu: list[float] = field(default_factory=list)  # seconds
    took: list[float] = field(default_factory=list)  # seconds


@contextmanager
def serving(folder: Path, mb: int) -> Iterator[tuple[int, int]]:
    """The server; its port and its pid."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    command = [sys.executable, "run.py", f"--port={port}", "--address=127.0.0.1", "--rate=0"]
    more = [f"--file-mb={mb}", f"--data={folder}"]
    process = subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), START):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit("the server does not start")
            time.sleep(0.02)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(START)


def upload(port: int, cookie: str, size: int, ends: tuple[bytes, bytes]) -> None:
    """Send a file as fast as the server takes it. Ends with 0 if it was taken."""
    os.nice(10)  # the one who measures comes first
    head, end = ends
    with socket.create_connection(("127.0.0.1", port), START) as sock:
        sock.sendall(
            f"POST /r/den/files?name=large HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"X-Forwarded-For: {ATTACKER}\r\nCookie: {cookie}\r\n"
            f"Content-Length: {size}\r\n\r\n".encode()
            + head
        )
        left, piece = size - len(head) - len(end), bytes(range(1, 255)) * (PIECE // 254)
        while left:
            left -= sock.send(memoryview(piece)[:left])
        sock.sendall(end)
        answer = sock.recv(1 << 16)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(answer.decode(errors="replace"))


def ping(sock: socket.socket) -> float:
    """The way there and back, in ms."""
    began = time.monotonic()
    sock.sendall(frame(PING))
    seen = b""
    while b'{"type":"pong"}' not in seen:
        seen = seen[-64:] + sock.recv(1 << 16)
    return (time.monotonic() - began) * 1000


def memory(pid: int) -> tuple[float, float]:
    """What it holds now, and the most it has held since `clear`, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if " kB" in line}
    return sizes["VmRSS"], sizes["VmHWM"]


def cpu(pid: int) -> float:
    """The seconds of CPU of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def measure(port: int, pid: int, sock: socket.socket, work: multiprocessing.Process) -> Seen:
    """One upload."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the most it has held is what it holds
    (before, _), spent, began = memory(pid), cpu(pid), time.monotonic()
    seen = Seen()
    work.start()
    while work.is_alive():
        seen.pings.append(ping(sock))
        time.sleep(EVERY)
    if work.exitcode:
        raise SystemExit("the upload was refused")
    seen.took, seen.cpu = [time.monotonic() - began], [cpu(pid) - spent]
    seen.grown = [memory(pid)[1] - before]
    return seen


def told(label: str, seen: Seen) -> str:
    """One line of the table."""
    times = sorted(seen.pings)
    figures = [statistics.median(times), times[int(len(times) * 0.99)], times[-1]]
    more = [statistics.median(seen.grown), max(seen.grown)] if seen.grown else []
    more += [statistics.median(seen.cpu), statistics.median(seen.took)] if seen.cpu else []
    rest = [f"{figure:7.2f}" for figure in more] or ["      -"] * 4
    return " | ".join([f"| {label:26}", *(f"{ms:7.1f}" for ms in figures), *rest]) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--mb", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    alone, kinds = Seen(), {label: Seen() for label in KINDS}
    with (
        tempfile.TemporaryDirectory(prefix="files-", dir=ROOT / "bench") as temporary,
        serving(Path(temporary) / "data", options.mb) as (port, pid),
        open_socket(port, "/r/quiet/ws", join(port, "Ana", BYSTANDER)[1], BYSTANDER) as sock,
    ):
        for number in range(options.rounds):
            for label, ends in KINDS.items():
                name = "Bob " + "bcdfghkmprst"[number] + label[2]
                about = port, join(port, name, ATTACKER)[1], options.mb * PIECE, ends
                work = multiprocessing.Process(target=upload, args=about)
                seen = measure(port, pid, sock, work)
                for key, values in vars(seen).items():
                    getattr(kinds[label], key).extend(values)
                end = time.monotonic() + seen.took[0]
                while time.monotonic() < end:
                    alone.pings.append(ping(sock))
                    time.sleep(EVERY)
    print(f"{options.mb} MB, {options.rounds} rounds; ms of a ping, MB grown, seconds")
    columns = ("p50", "p99", "max", "grown", "most", "CPU", "took")
    print(" | ".join([f"| {'meanwhile':26}", *(f"{name:7}" for name in columns)]) + " |")
    print("|---|---|---|---|---|---|---|---|")
    print(told("nothing", alone))
    for label, seen in kinds.items():
        print(told(label, seen))


if __name__ == "__main__":
    main()
