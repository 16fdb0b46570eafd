"""line/listening.py and the start: where the server listens, what it says of it, how it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from client import PATIENCE, request
from serving import ROOT, environment, free_port, run
from websockets.sync.client import unix_connect

from chat.config import Config
from chat.line.listening import links, network_link


def answer(path: Path) -> bytes:
    """What /healthz says through a socket file."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(str(path))
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(4096), b""))


class Started:
    """run.py with its stdout kept, until a signal ends it."""

    running: ClassVar[list[subprocess.Popen[str]]] = []

    def __init__(self, data: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "run.py", f"--data={data}", *options],
            cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True,
        )  # fmt: skip
        self.running.append(self.process)
        assert self.process.stdout is not None
        self.first = self.process.stdout.readline()
        self.second = self.process.stdout.readline()

    def end(self, number: int = signal.SIGTERM) -> str:
        """Send it a signal; the rest of what it says. It must end well."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            rest = stdout.read()  # communicate() would not see what readline() has taken
        assert self.process.wait(PATIENCE) == 0, rest
        return rest


@pytest.fixture(autouse=True)
def none_is_left() -> Iterator[None]:
    """A test that fails leaves no server behind."""
    yield
    for process in Started.running:
        if process.poll() is None:
            process.kill()
            process.communicate()
    Started.running.clear()


def answering(port: int) -> bool:
    """Whether a server is there."""
    try:
        return bool(request(port, "GET", "/healthz").status == 200)
    except OSError:
        return False


@pytest.fixture
def socket_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path short enough for a socket file: 107 bytes are allowed."""
    path = tmp_path_factory.mktemp("s") / "chat.sock"
    return path if len(str(path)) < 100 else Path(os.path.relpath(path, ROOT))


def test_the_start_says_where_and_what_and_the_end_says_so_too(tmp_path: Path) -> None:
    port = free_port()
    server = Started(tmp_path / "data", f"--port={port}", "--address=127.0.0.1")
    assert server.first == f"The chat is open at http://127.0.0.1:{port}/\n"
    what = rf"Version [0-9.]+, 0 people and [01] rooms? in {re.escape(str(tmp_path))}/data\n"
    assert re.fullmatch(what, server.second)
    assert re.search(r"\nStopped by SIGTERM after \d+ s\.\n$", server.end())


def test_while_nobody_is_the_owner_each_start_prints_a_link_that_works_once(tmp_path: Path) -> None:
    """And a command prints another, also while the server runs: it ends the one before it."""
    data, port = tmp_path / "data", free_port()
    options = (f"--port={port}", "--address=127.0.0.1")
    link = rf"http://127\.0\.0\.1:{port}/enter#([A-Za-z0-9_-]{{22}})\n"
    server = Started(data, *options)
    assert server.process.stdout is not None
    assert server.process.stdout.readline() == "Nobody looks after this chat yet.\n"
    (printed,) = re.findall(link, server.process.stdout.readline())
    assert re.search(r"type the code [2-9A-Z]{4}-[2-9A-Z]{4}$", server.process.stdout.readline())
    told = run("owner-link", f"--data={data}", *options)
    (newer,) = re.findall(link, told.stdout)
    named = run("owner-link", f"--data={data}", *options, "--host=chat.example")
    assert "https://chat.example/enter#" in named.stdout
    (newest,) = re.findall(r"enter#([A-Za-z0-9_-]{22})\n", named.stdout)
    for token, status in ((printed, 410), (newer, 410), (newest, 303), (newest, 410)):
        form = {"token": token, "name": "Olga"}
        assert request(port, "POST", "/enter", form=form).status == status
    server.end()
    again = Started(data, *options)
    assert "enter#" not in again.end(), "there is an owner"
    (data / "owner-link.part").mkdir()  # as if the disk took nothing
    with sqlite3.connect(data / "chat.db") as db:
        db.execute("UPDATE users SET role = 'member'")
    db.close()
    assert "There is no link to become the owner: cannot write" in Started(data, *options).end()
    nowhere = run("owner-link", f"--data={tmp_path / 'nothing'}")
    assert (nowhere.returncode, nowhere.stderr.count("\n")) == (1, 1)
    assert "chat: cannot write" in nowhere.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_polite_signal_ends_it_well(tmp_path: Path, number: signal.Signals) -> None:
    """SIGHUP comes when the terminal goes away, as over a broken ssh."""
    server = Started(tmp_path / "data", "--port=0", "--address=127.0.0.1")
    assert f"Stopped by {number.name}" in server.end(number)


def test_a_terminal_that_is_gone_does_not_spoil_the_end(tmp_path: Path) -> None:
    """Its last line goes nowhere, and that is all."""
    server = Started(tmp_path / "data", "--port=0", "--address=127.0.0.1")
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(PATIENCE) == 0


def test_nohup_is_respected(tmp_path: Path) -> None:
    """It ignores SIGHUP for what it starts."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # is inherited
    try:
        server = Started(tmp_path / "data", "--port=0", "--address=127.0.0.1")
    finally:
        signal.signal(signal.SIGHUP, before)
    server.process.send_signal(signal.SIGHUP)
    assert "Stopped by SIGTERM" in server.end()


def test_an_output_that_is_full_does_not_stop_the_start(tmp_path: Path) -> None:
    """As a full disk is that keeps the log."""
    port = free_port()
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            [sys.executable, "run.py", f"--port={port}", f"--data={tmp_path}/data"],
            cwd=ROOT, env=environment(), stdout=full,
        )  # fmt: skip
    deadline = time.monotonic() + PATIENCE
    while not answering(port):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    assert process.wait(PATIENCE) == 0


def test_a_socket_file_is_made_for_the_group_and_removed_at_the_end(
    tmp_path: Path, socket_file: Path
) -> None:
    server = Started(tmp_path / "data", f"--address=unix:{socket_file}")
    assert server.first == f"The chat is open at unix:{socket_file}\n"
    assert stat.S_IMODE(socket_file.stat().st_mode) == 0o660
    assert answer(socket_file).endswith(b"ok\n")
    server.end()
    assert not socket_file.exists()


def test_messages_go_both_ways_through_a_socket_file(tmp_path: Path, socket_file: Path) -> None:
    """What speaks there is a proxy, and what it says of the client is believed."""
    server = Started(tmp_path / "data", f"--address=unix:{socket_file}")
    with (
        unix_connect(str(socket_file), uri="ws://localhost/ws/1", open_timeout=PATIENCE) as one,
        unix_connect(str(socket_file), uri="ws://localhost/ws/2", open_timeout=PATIENCE) as two,
    ):
        one.send("through the file")
        assert two.recv(timeout=PATIENCE) == "Client 1: through the file"
    server.end()


def test_a_socket_file_left_behind_is_replaced_and_one_in_use_is_not(
    tmp_path: Path, socket_file: Path
) -> None:
    server = Started(tmp_path / "one", f"--address=unix:{socket_file}")
    second = run(f"--data={tmp_path}/two", f"--address=unix:{socket_file}")
    assert second.returncode == 1
    assert second.stderr == (
        f"chat: cannot listen on {socket_file}: another server answers there\n"
    )
    assert answer(socket_file).endswith(b"ok\n")
    server.process.kill()
    server.process.communicate()
    assert socket_file.exists()
    third = Started(tmp_path / "one", f"--address=unix:{socket_file}")
    assert answer(socket_file).endswith(b"ok\n")
    third.end()


def test_a_file_that_is_no_socket_is_never_replaced(tmp_path: Path, socket_file: Path) -> None:
    socket_file.write_text("a letter")
    ended = run(f"--data={tmp_path}/data", f"--address=unix:{socket_file}")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert socket_file.read_text() == "a letter"


@pytest.mark.parametrize("address", ["::1", "[::1]"])
def test_an_address_of_ipv6_may_stand_in_brackets(tmp_path: Path, address: str) -> None:
    port = free_port()
    server = Started(tmp_path / "data", f"--address={address}", f"--port={port}")
    assert server.first == f"The chat is open at http://[::1]:{port}/\n"
    with socket.create_connection(("::1", port), PATIENCE):
        pass
    server.end()


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::"])
def test_all_addresses_are_printed_as_ones_that_work(address: str) -> None:
    config = Config(address=address)
    assert links(config, 8000)[0] == "http://localhost:8000/"
    for link in links(config, 8000)[1:]:
        assert link == network_link(config, 8000)
        assert "0.0.0.0" not in link
        assert "[::]" not in link
    assert network_link(Config(address="127.0.0.1"), 8000) == ""


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("no.such.name.invalid", r"of no\.such\.name\.invalid: (?!Unknown)[A-Z].*"),
        ("192.0.2.77", "of 192.0.2.77: Cannot assign requested address"),
        ("unix:/nowhere/at/all", ".*/nowhere/at/all: No such file or directory"),
        ("unix:" + "x" * 200, r"x{200}: .*too long"),
    ],
)
def test_a_place_that_cannot_be_had_is_told_in_one_line(
    tmp_path: Path, address: str, reason: str
) -> None:
    ended = run(f"--data={tmp_path}/data", f"--address={address}", "--port=8000")
    assert ended.returncode == 1
    assert re.fullmatch(rf"chat: cannot listen on .*{reason}\n", ended.stderr)


def test_a_port_in_use_comes_with_the_way_to_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run(f"--data={tmp_path}/data", "--address=127.0.0.1", f"--port={port}")
    other = port + 1 if port < 65535 else 8000
    assert ended.stderr == (
        f"chat: cannot listen on port {port} of 127.0.0.1: Address already in use "
        f"(another one: --port={other}, or make run PORT={other})\n"
    )


def test_a_database_that_cannot_be_opened_is_not_called_a_port(tmp_path: Path) -> None:
    """For root every file is readable, so there is a folder in its place."""
    (tmp_path / "data" / "chat.db").mkdir(parents=True)
    ended = run(f"--data={tmp_path}/data", "--address=127.0.0.1", "--port=0")
    assert ended.returncode == 1
    assert ended.stderr == f"chat: cannot open {tmp_path}/data/chat.db: Is a directory\n"


def test_a_terminal_is_shown_the_address_as_a_picture(tmp_path: Path) -> None:
    """A QR code of the address for other machines, where there is one."""
    if not network_link(Config(), 8000):
        pytest.skip("this machine has no network")
    port, (ours, theirs) = free_port(), os.openpty()
    process = subprocess.Popen(
        [sys.executable, "run.py", f"--port={port}", f"--data={tmp_path}/data"],
        cwd=ROOT, env=environment(), stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    while "█" not in shown:
        shown += os.read(ours, 65_536).decode(errors="replace")
    assert f"{network_link(Config(), port)} (works in your network)" in shown
    process.terminate()
    assert process.wait(PATIENCE) == 0
    os.close(ours)


@pytest.mark.slow
def test_debug_waits_for_the_next_change_when_a_file_is_broken(tmp_path: Path) -> None:
    """A syntax error does not end it, and mending the file brings it back."""
    work = tmp_path / "work"
    for name in ("chat", "static", "templates"):
        shutil.copytree(ROOT / name, work / name)
    shutil.copy(ROOT / "run.py", work)
    port, names = free_port(), work / "chat" / "rules" / "names.py"
    whole = names.read_text()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "run.py", "--debug", f"--port={port}", "--address=127.0.0.1"],
            cwd=work, stdout=log, stderr=log,
        )  # fmt: skip

    def write_until(text: str, answers: bool) -> None:
        """The first look of a reloader, half a second after its start, only takes notes."""
        written, deadline = 0.0, time.monotonic() + PATIENCE
        while answering(port) != answers:
            if time.monotonic() > written + 1.0:
                names.write_text(text)
                written = time.monotonic()
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.02)

    try:
        write_until(whole, answers=True)
        write_until(whole + "\ndef (\n", answers=False)
        write_until(whole, answers=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)
