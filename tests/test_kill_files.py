"""kill -9 in every stage of a file: no message without its file, no file for ever without one.

`pytest tests/test_kill_files.py --kill-rounds=1000` for a night.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import secrets
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from client import PATIENCE, Declined, Wire, join
from cutting import Disk, cuts, step
from filing import Place, content, in_place, in_rows, nothing, on_disk
from histories import kept
from pictures import exif, jpeg, segment
from serving import Process

from chat.log.arrivals import Arrival
from chat.log.blobs import Blobs
from chat.log.operations import Deposit

pytestmark = pytest.mark.slow

# One that is stored as it came, and one of which something is left out.
FILES = (b"12345" * 1000, jpeg(40, 30, segment(0xE1, b"Exif\0\0" + exif())))


def rows_of(data: Path, which: str = "true") -> dict[str, bytes]:
    """The rows of files as a kill has left them, and the SHA-256 in them; the journal stays."""
    with closing(sqlite3.connect(f"file:{data}/chat.db?mode=ro", uri=True)) as db:
        return dict(db.execute(f"SELECT id, sha FROM files WHERE {which}").fetchall())


def bound(data: Path) -> dict[str, bytes]:
    """Those that are a message's."""
    return rows_of(data, "message IS NOT NULL")


def named(data: Path) -> list[tuple[str, str]]:
    """The files of all messages, each with the cid of its message."""
    messages = kept(data / "chat.db", "message")
    return [(file["id"], said["cid"]) for said in messages for file in said.get("files", [])]


def agree(data: Path) -> None:
    """Each message has its files, each file its row, and each row its message or a day."""
    assert sorted(id for id, _ in named(data)) == sorted(bound(data))
    assert on_disk(data / "files") == in_rows(data / "chat.db")
    for id, sha in bound(data).items():
        assert sha256(content(data / "files", id)).digest() == sha
    assert not list((data / "files" / "part").iterdir())


# -- every step


def story(data: Path) -> None:
    """Two files are uploaded and sent, and their message deleted; each is told once it is so."""
    told = data.with_name(f"{data.name}.told").open("w", buffering=1)

    async def body(place: Place) -> None:
        ids = []
        for file in FILES:
            op = await asyncio.to_thread(arrive, place.blobs, file)
            await place.store.wrote(op)
            ids.append(op.id)
            print("uploaded", op.id, file=told)
        said = await place.say(*ids)
        print("said", said, file=told)
        await place.remove(said)
        print("removed", said, file=told)
        await place.dropped()
        print("unlinked", said, file=told)

    in_place(data, body, factory=Disk)


def arrive(blobs: Blobs, file: bytes) -> Deposit:
    """As a file comes in, a piece at a time."""
    arrival = Arrival(blobs, "lobby", "ana")
    for start in range(0, len(file), 2000):
        step()
        arrival.write(file[start : start + 2000])
    step()
    return arrival.keep()


def test_a_server_killed_before_any_step_of_a_file_has_what_it_told_and_nothing_for_nobody(
    tmp_path: Path,
) -> None:
    begin, left = tmp_path / "data", Counter[str]()

    async def old(place: Place) -> None:
        await place.say(await place.upload(b"before"))

    in_place(begin, old)
    (before,) = on_disk(begin / "files")
    for data in cuts(begin, story):
        lines = data.with_name(f"{data.name}.told").read_text().split("\n")
        told = [line.split() for line in lines if line]
        uploaded = {word for kind, word in told if kind == "uploaded"}
        stages = [kind for kind, _ in told]
        there = on_disk(data / "files") - {before}
        rows = in_rows(data / "chat.db") - {before}
        sent = bound(data).keys() - {before}
        left["a part"] += any((data / "files" / "part").iterdir())
        left["bytes without a row"] += bool(there - rows)
        left["a row without a message"] += bool(rows - sent)
        left["a message"] += bool(sent)
        left["bytes of a deleted message"] += bool(there) and len(uploaded) == 2 and not rows
        assert "unlinked" not in stages or not there
        in_place(data, nothing)
        agree(data)
        assert in_rows(data / "chat.db") == rows | {before}, "a start loses none"
        if "removed" in stages:
            assert not rows
        elif "said" in stages:
            assert sent in (uploaded, set())
        else:
            assert uploaded <= rows
            assert sent in (uploaded, set())
    assert stages == ["uploaded", "uploaded", "said", "removed", "unlinked"]
    assert min(left.values()) > 0, left


# -- a real server, at any moment


class Sender:
    """Somebody who sends files and deletes most of them, on a thread of their own: each step is
    tried again on every line, under its cid, until it is answered."""

    def __init__(self, room: str, cookie: str, port: int) -> None:
        self.room, self.cookie, self.port = room, cookie, port
        self.done = threading.Event()
        self.sent: dict[str, str] = {}  # file -> the cid of its message
        self.deleted: set[str] = set()
        self.trouble: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            for number in count():
                if self.done.is_set():
                    break
                self._send(random.Random(number).randbytes(2**20), delete=number % 8 > 0)
        except BaseException as error:
            self.trouble = error

    def _send(self, file: bytes, delete: bool) -> None:
        id, cid = self._upload(file), secrets.token_urlsafe(12)
        heard = self._ask("say", cid, text="", files=[{"id": id, "name": "a.bin"}])
        self.sent[id] = cid
        if delete:
            self._ask("delete", secrets.token_urlsafe(12), id=heard.get("id", heard["rev"]))
            self.deleted.add(id)

    def _upload(self, file: bytes) -> str:
        while True:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                line.request(
                    "POST", f"/r/{self.room}/files?name=a.bin", file, {"Cookie": self.cookie}
                )
                answer = line.getresponse()
                body = answer.read()
                assert answer.status == 200, body
                return str(json.loads(body)["file"]["id"])
            except (OSError, http.client.HTTPException):
                self.done.wait(0.01)  # nobody listens at this moment
            finally:
                line.close()

    def _ask(self, command: str, cid: str, **fields: Any) -> dict[str, Any]:
        """What the server says to this command."""
        while True:
            try:
                wire = Wire(self.port, f"/r/{self.room}/ws", cookie=self.cookie)
            except OSError:
                self.done.wait(0.01)
                continue
            try:
                wire.opened().command(command, cid=cid, **fields)
                while (heard := wire.event()).get("cid") != cid:
                    pass
                if "retry" not in heard:
                    assert heard["type"] != "refused", heard
                    return heard
            except (EOFError, OSError, Declined):
                pass
            finally:
                wire.close()


def test_kill_minus_nine_leaves_no_message_without_its_file_and_no_file_for_nobody(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    dice, server = random.Random(9), Process(tmp_path / "data", "--rate=0")
    left, rounds = Counter[str](), pytestconfig.getoption("--kill-rounds") // 2
    with server.ready():
        senders = [
            Sender(room, join(server.port, room), server.port)
            for room in ("den", "garden", "kitchen") * 2
        ]
        try:
            for _ in range(rounds):
                server.ready()
                time.sleep(dice.uniform(0.06, 0.4))  # left to chance, as in test_kill.py
                server.end(signal.SIGKILL)
                here, rows = on_disk(server.data / "files"), rows_of(server.data)
                assert rows.keys() <= here
                left["parts"] += any((server.data / "files" / "part").iterdir())
                left["bytes"] += bool(here - rows.keys())
                server.start()
            server.ready()
        finally:
            for sender in senders:
                sender.done.set()
            for sender in senders:
                sender.thread.join(PATIENCE)
        assert not any(sender.thread.is_alive() for sender in senders), "somebody never finishes"
        assert server.end() == 0
    for sender in senders:
        if sender.trouble:
            raise sender.trouble
    in_place(server.data, nothing)
    agree(server.data)
    sent = [file for sender in senders for file in sender.sent.items()]
    deleted = {id for sender in senders for id in sender.deleted}
    assert sorted(named(server.data)) == sorted(file for file in sent if file[0] not in deleted)
    assert "Traceback" not in server.said()
    assert left.total(), "no kill came while a file was on its way"
    with capsys.disabled():
        print(f"\n{rounds} kills, {len(sent)} files, {dict(left)} left, 0 lost, 0 for nobody")
