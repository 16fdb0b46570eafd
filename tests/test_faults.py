"""The faults of docs/design.md, one by one: what a bad peer, line, disk or day may cost."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import re
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client import CLOSE, CONTINUATION, PATIENCE, PING, PONG, Declined, Wire, frame, join, request
from serving import Process, Site, free_port, run

import chat.app
import chat.line.connection
import chat.line.server
import chat.line.sockets
import chat.room.seat
from chat.line.sockets import ChatSocket
from chat.log.store import Store

ASK = '{"type":"ping"}'
FULL_DESCRIPTORS = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
runpy.run_path("run.py", run_name="__main__")
"""


def until(condition: Callable[[], Any]) -> None:
    """Ask again until it holds; for what nothing tells us of."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happens"
        time.sleep(0.005)


def sweep(site: Site, ahead: float, turn: int = 0) -> None:
    """The once-a-second look at everybody, as if `ahead` seconds had passed."""
    site.call(lambda: ChatSocket.sweep(asyncio.get_running_loop().time() + ahead, turn))


def alive(wire: Wire) -> bool:
    """Whether a command is still answered."""
    wire.send(ASK)
    return bool(wire.hear("pong"))


# -- peers


def test_peers_that_vanish_in_a_burst_harm_nobody(site: Site, wires: list[Wire]) -> None:
    """A plain broadcast would cut the speaker, and the rest would not get the message."""
    speaker, witness = site.wire(), site.wire()
    wires += [speaker, witness]
    cookie = site.join()
    said = []
    for turn in range(5):
        crowd = [site.wire(cookie=cookie) for _ in range(30)]
        for number, peer in enumerate(crowd):
            said.append(speaker.say(f"turn {turn}, {number}"))
            peer.reset()
    for wire in (speaker, witness):
        assert [wire.hear("message")["cid"] for _ in said] == said
    until(lambda: len(ChatSocket.live) == 2)


def test_a_peer_that_does_not_finish_closing_harms_nobody(
    site: Site, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is out of the room when the server decides to close, and its socket goes soon after."""
    monkeypatch.setattr(chat.line.connection, "LINGER", 0.2)
    speaker, closing = site.wire(), site.wire()
    wires += [speaker, closing]
    closing.send(ASK, masked=False)
    assert closing.closed()[0] == 1002
    until(lambda: len(ChatSocket.live) == 1)
    for number in range(20):
        cid = speaker.say(f"{number}")
        assert speaker.hear("message", cid=cid)
    closing.send(ASK)
    assert closing.gone()


def test_a_peer_that_announces_its_end_is_gone_at_once(site: Site, wires: list[Wire]) -> None:
    """Whether it closes its socket or not."""
    speaker, leaving = site.wire(), site.wire()
    wires += [speaker, leaving]
    leaving.send((1001).to_bytes(2, "big"), CLOSE)
    assert leaving.closed()[0] == 1001
    assert leaving.gone()
    until(lambda: len(ChatSocket.live) == 1)
    assert speaker.hear("message", cid=speaker.say("still here"))


def test_silence_of_two_heartbeats_ends_a_connection_and_not_less(
    site: Site, wires: list[Wire]
) -> None:
    """A half-open line: nothing comes, and nothing tells."""
    wires.append(site.wire())
    sweep(site, 44)
    assert alive(wires[0])
    sweep(site, 46)
    assert wires[0].gone()
    assert not ChatSocket.live


def test_a_peer_that_answers_pings_is_kept_and_a_dumb_one_is_not(
    site: Site, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pong of any WebSocket client is a sign of life."""
    monkeypatch.setattr(chat.line.sockets, "SLICES", 1)  # each sweep pings everybody
    dumb, polite = site.wire(), site.wire()
    wires += [dumb, polite]
    peers = tuple(ChatSocket.live)
    for peer in peers:
        peer.connection.heard -= 40
    old = {peer.connection.heard for peer in peers}
    sweep(site, 0)
    while polite.read()[0] != PING:
        pass
    polite.send(b"", PONG)
    until(lambda: {peer.connection.heard for peer in peers} != old)
    sweep(site, 10)
    assert dumb.gone()
    assert alive(polite)


def test_a_heartbeat_tells_a_page_where_its_room_stands(site: Site, wires: list[Wire]) -> None:
    """A page cannot see pings; `beat` is what it can see."""
    wire = site.wire()
    wires.append(wire)
    rev = wire.hear("message", cid=wire.say("one"))["rev"]
    for turn in range(chat.line.sockets.SLICES):
        sweep(site, 0, turn)
    assert wire.hear("beat") == {"type": "beat", "head": rev, "rev": rev}


def flooded(site: Site, wires: list[Wire]) -> tuple[Wire, Wire, int]:
    """A speaker, a peer whose line is full, and how many messages were said."""
    speaker, slow = site.wire(), site.wire(receive_buffer=4096)
    wires += [speaker, slow]
    number = 0
    while not any(peer.blocked for peer in tuple(ChatSocket.live)):
        for _ in range(20):
            number += 1
            speaker.say(f"{number} " + "x" * 3900)
        speaker.hear("message", text=f"{number} " + "x" * 3900)
    return speaker, slow, number


def test_a_peer_that_reads_byte_by_byte_costs_one_frame_and_is_kept(
    site: Site, wires: list[Wire]
) -> None:
    """A slow line is not thrown out, and nothing is queued for it."""
    speaker, slow, _ = flooded(site, wires)
    peer = next(peer for peer in ChatSocket.live if peer.blocked)
    for number in range(300):
        speaker.say(f"more {number} " + "x" * 3900)
    speaker.hear("message", text="more 299 " + "x" * 3900)
    assert len(slow.sock.recv(1)) == 1
    sweep(site, 100)
    assert len(peer.connection.owed) < 2 * 4096
    assert peer in ChatSocket.live


def test_a_peer_that_drains_nothing_for_two_minutes_is_cut(site: Site, wires: list[Wire]) -> None:
    """By then it is not slow, it is gone."""
    flooded(site, wires)
    stuck = [peer for peer in ChatSocket.live if peer.blocked]
    sweep(site, 119)
    assert stuck[0] in ChatSocket.live
    sweep(site, 121)
    assert stuck[0] not in ChatSocket.live


def test_a_peer_whose_line_was_full_has_every_change_once(
    site: Site, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It catches up from the log when it reads again, edits and deletions too."""
    monkeypatch.setattr(chat.room.seat, "BEHIND", 1_000_000)  # what fills a line may be more
    speaker, slow, count = flooded(site, wires)
    speaker.command("edit", id=count, text="edited")
    speaker.command("react", id=count, emoji="👍", on=True)
    speaker.command("delete", id=count - 1)
    speaker.hear("gone")
    changes = []
    while not changes or changes[-1]["type"] != "gone":
        event = slow.event()
        if event["type"] in ("message", "reaction", "gone"):
            changes.append(event)
    assert slow.hear("live")["head"] == count + 3
    assert [change["rev"] for change in changes] == [
        *range(1, count - 1),
        *range(count + 1, count + 4),
    ]
    assert [change.get("text") for change in changes[-3:]] == ["edited", None, None]


def test_a_peer_whose_line_was_full_for_too_long_starts_afresh(
    site: Site, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it was given before is in order; what it missed comes by page."""
    monkeypatch.setattr(chat.room.seat, "BEHIND", 10)
    speaker, slow, count = flooded(site, wires)
    for number in range(20):
        speaker.say(f"more {number}")
    speaker.hear("message", id=count + 20)
    slow.hear("jump")
    assert slow.hear("welcome", afresh=True)["head"] == count + 20
    assert slow.hear("live")["head"] == count + 20
    speaker.say("next")
    assert slow.hear("message")["rev"] == count + 21


# -- requests


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """run.py as it is, with the log as a person would see it."""
    with Process(tmp_path_factory.mktemp("quiet") / "data").ready() as server:
        yield server


@pytest.mark.parametrize("shape", ["silent", "header drip", "body drip", "idle"])
def test_a_request_that_never_ends_is_cut_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    """Slowloris, in its four shapes."""
    monkeypatch.setattr(chat.line.server, "PATIENCE", 0.4)
    site = Site(tmp_path / "data")
    starts = {
        "silent": b"",
        "header drip": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
        "body drip": b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n",
        "idle": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    }
    try:
        with socket.create_connection(("127.0.0.1", site.port), timeout=0.05) as sock:
            sock.sendall(starts[shape])
            began = time.monotonic()
            while time.monotonic() - began < PATIENCE:
                try:
                    if not sock.recv(4096):
                        break
                except TimeoutError:
                    if "drip" in shape:
                        sock.sendall(b"x")
                except ConnectionError:
                    break
            assert 0.2 < time.monotonic() - began < PATIENCE / 2
    finally:
        site.stop()
    assert site.log == []


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /nothing/here HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: device=forged\r\n\r\n",
        b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nname=%ff%",
    ],
    ids=["TLS", "two hosts", "bad length", "long", "nowhere", "forged cookie", "bad form"],
)
def test_what_strangers_send_leaves_no_line_in_the_log(quiet: Process, noise: bytes) -> None:
    """Whoever can reach the port could fill the disk with them."""
    with socket.create_connection(("127.0.0.1", quiet.port), PATIENCE) as sock:
        before = quiet.said()
        with contextlib.suppress(OSError):  # it may hang up before it has read everything
            sock.sendall(noise)
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                pass
    assert request(quiet.port, "GET", "/healthz").status == 200
    assert quiet.said() == before


def test_a_handshake_of_a_stranger_is_refused_before_anything_is_open(site: Site) -> None:
    """There is no connection that has not proved who it is."""
    answer = request(site.port, "GET", "/r/lobby/ws", headers={"Upgrade": "websocket"})
    assert answer.status in (400, 403)
    with pytest.raises(Declined) as declined:
        Wire(site.port).opened()
    assert declined.value.status == 403
    assert not ChatSocket.live


def test_compression_is_offered_and_not_taken(site: Site, wires: list[Wire]) -> None:
    """So one frame serves everybody, and 300 KB of wire cannot cost seconds."""
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    wire = site.wire(headers=offer)
    wires.append(wire)
    assert "sec-websocket-extensions" not in wire.head.lower()


# -- floods


@pytest.mark.parametrize("claim", [64 * 1024 + 1, 1 << 30, (1 << 63) - 1])
def test_a_claim_of_a_huge_message_is_refused_at_its_header(
    site: Site, wires: list[Wire], claim: int
) -> None:
    """1009 for the claim alone: nothing is kept for the bytes to come."""
    wire = site.wire()
    wires.append(wire)
    wire.raw(frame("", claim=claim))
    assert wire.closed() == (1009, "message too big")


def test_a_message_that_is_begun_and_not_finished_is_given_ten_seconds(
    site: Site, wires: list[Wire]
) -> None:
    """Parked fragments hold memory; a slow line gets its time all the same."""
    wire = site.wire()
    wires.append(wire)
    wire.send("x" * 60_000, final=False)
    wire.send(b"seen", PING)
    assert wire.read() == (PONG, b"seen")
    sweep(site, 9)
    assert ChatSocket.live
    sweep(site, 11)
    assert wire.closed()[0] == 1008


@pytest.mark.parametrize(
    "junk",
    [frame(b"", PING), frame(b"", PONG), frame("", CONTINUATION, final=False)],
    ids=["pings", "pongs", "empty fragments"],
)
def test_a_flood_of_frames_that_say_nothing_ends_with_1008(
    site: Site, wires: list[Wire], junk: bytes
) -> None:
    """Each costs the server work and the sender nothing."""
    wire, other = site.wire(), site.wire()
    wires += [wire, other]
    wire.raw(frame("", final=False) + junk * 1000)
    assert wire.closed()[0] == 1008
    assert alive(other)


def test_a_few_pings_between_two_sweeps_are_no_flood(site: Site, wires: list[Wire]) -> None:
    """A client that pings each second lives for ever."""
    wire = site.wire()
    wires.append(wire)
    for _ in range(3):
        wire.raw(frame(b"", PING) * 300)
        wire.send(ASK)
        assert wire.hear("pong")
        for turn in range(chat.line.sockets.SLICES):
            sweep(site, 0, turn)


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Site]:
    """A server with limits. A message a second: no machine is so busy that it keeps to that."""
    site = Site(tmp_path / "data", rate=1.0, connections_per_user=20)
    yield site
    site.stop()
    assert site.log == []


def test_a_page_that_posts_too_fast_is_told_how_long_to_wait(strict: Site) -> None:
    """What waited in another room is posted like a form, as fast as the server takes it."""
    headers = {"Cookie": strict.join(), "Accept": "application/json"}
    for number in range(60):
        answer = strict.http("POST", "/r/den", headers=headers, form={"text": f"{number}"})
        if answer.status == 429:
            break
    refused = json.loads(answer.body)
    assert refused["code"] == "slow_down"
    assert 0 < refused["retry"] <= 1000


def test_a_flood_of_messages_is_slowed_down_and_then_ended(strict: Site, wires: list[Wire]) -> None:
    """First each is told when to try again; who goes on all the same is not a person."""
    flood, other = strict.wire(), strict.wire()
    wires += [flood, other]
    for number in range(60):
        flood.say(f"{number}")
    refusal = flood.hear("refused")
    assert refusal["code"] == "slow_down"
    assert 0 < refusal["retry"] <= 1000
    assert alive(other)
    flood.raw(
        b"".join(frame('{"type":"say","cid":"again-and-again","text":"!"}') for _ in range(400))
    )
    assert flood.closed()[0] == 1008
    assert alive(other)
    assert len(strict.call(strict.app.site.store.newest, "lobby", 500)) < 60


def test_more_tabs_than_allowed_close_the_oldest(strict: Site, wires: list[Wire]) -> None:
    """4010: it stops and offers a button, or two tabs would push each other out for ever."""
    cookie = strict.join()
    for _ in range(21):
        wires.append(strict.wire(cookie=cookie))
    assert wires[0].hear("bye")["reason"] == "replaced"
    assert wires[0].closed()[0] == 4010
    assert alive(wires[1])
    assert len(ChatSocket.live) == 20


@pytest.mark.parametrize(
    ("bad", "code"),
    [(frame(b"\xff\xfe"), 1007), (frame('{"type":"ping"}', masked=False), 1002)],
    ids=["not UTF-8", "unmasked"],
)
def test_what_breaks_the_protocol_reaches_nobody(
    site: Site, wires: list[Wire], bad: bytes, code: int
) -> None:
    """It ends its own connection and no other."""
    rude, other = site.wire(), site.wire()
    wires += [rude, other]
    rude.raw(bad)
    assert rude.closed()[0] == code
    other.send(ASK)
    assert other.event()["type"] in ("pong", "people")


def cpu(pid: int) -> float:
    """Seconds of processor time this process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_more_connections_than_descriptors_are_told_so_and_cost_nothing(
    tmp_path: Path, wires: list[Wire]
) -> None:
    """Without a cap Tornado's accept loop spins: all of one CPU and megabytes of log a second."""
    socks: list[socket.socket] = []
    with Process(tmp_path / "data", script=("-c", FULL_DESCRIPTORS)).ready() as server:
        old = Wire(server.port, cookie=join(server.port)).opened()
        wires.append(old)
        try:
            for _ in range(200):
                socks.append(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
            answer = b""
            while data := socks[-1].recv(4096):
                answer += data
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 ")
            length = re.search(rb"Content-Length: (\d+)", head)
            assert length
            assert int(length[1]) == len(body)
            before, began = cpu(server.process.pid), time.monotonic()
            rounds = 0
            while time.monotonic() - began < 1.0:
                assert alive(old)
                rounds += 1
                time.sleep(0.1)  # the time in which it could spin
            assert cpu(server.process.pid) - before < 0.5
            assert rounds
        finally:
            for sock in socks:
                sock.close()
        until(lambda: request(server.port, "GET", "/").status == 200)
        assert server.said() == ""


# -- the disk


def fill(wire: Wire) -> int:
    """Take what space there is left; the rev up to which there was some."""
    rev = 0
    while True:
        wire.say("x" * 4000)
        event = wire.event()
        while event["type"] not in ("message", "refused"):
            event = wire.event()
        if event["type"] == "refused":
            return rev
        rev = int(event["rev"])


def test_a_full_disk_refuses_for_now_and_recovers_by_itself(
    tmp_path: Path, wires: list[Wire]
) -> None:
    """Nothing is confirmed, reading goes on, and the same message is saved when there is space."""
    site = Site(tmp_path / "data")
    try:
        cookie, db = site.join(), site.app.site.store._db
        wire = site.wire(cookie=cookie)
        wires.append(wire)
        before = wire.hear("message", cid=wire.say("before"))
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages}").fetchall()
        rev = fill(wire) or before["rev"]
        cids = [wire.say("x" * 4000) for _ in range(3)]
        refusals = [wire.hear("refused") for _ in cids]
        assert [(r["cid"], r["code"]) for r in refusals] == [(cid, "full") for cid in cids]
        assert all(refusal["retry"] > 0 for refusal in refusals)
        page = site.http("GET", "/r/lobby/messages", headers={"Cookie": cookie})
        assert b'"before"' in page.body
        db.execute("PRAGMA max_page_count = 1073741823").fetchall()
        for cid in cids:
            wire.say("x" * 4000, cid)
        assert [wire.hear("message")["rev"] for _ in cids] == [rev + 1, rev + 2, rev + 3]
    finally:
        site.stop()
    assert site.log
    assert all("nothing was confirmed: database or disk is full" in line for line in site.log)


class Impatient(sqlite3.Connection):
    """A database that waits a fifth of a second for a lock instead of five."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "timeout": 0.2})


def test_a_database_locked_by_another_program_refuses_for_now(
    tmp_path: Path, wires: list[Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup tool that holds the lock for too long: `busy`, and the writer lives."""
    monkeypatch.setattr(chat.app, "Store", functools.partial(Store, factory=Impatient))
    site = Site(tmp_path / "data")
    tool = sqlite3.connect(tmp_path / "data" / "chat.db", isolation_level=None)
    try:
        wires.append(wire := site.wire())
        tool.execute("BEGIN IMMEDIATE")
        cid = wire.say("now?")
        refusal = wire.hear("refused", cid=cid)
        assert (refusal["code"], refusal["retry"] > 0) == ("busy", True)
        assert alive(wire)
        tool.execute("ROLLBACK")
        assert wire.hear("message", cid=wire.say("now?", cid))["rev"] == 1
    finally:
        tool.close()
        site.stop()
    assert site.log
    assert all("nothing was confirmed: database is locked" in line for line in site.log)


def test_a_row_that_rots_is_shown_as_damaged_and_the_rest_as_it_was(tmp_path: Path) -> None:
    """SQLite does not notice altered bytes inside a row; the checksum does."""
    site = Site(tmp_path / "data")
    wire = site.wire()
    for text in ("one", "two", "three"):
        wire.hear("message", cid=wire.say(text))
    wire.close()
    site.stop()
    db = sqlite3.connect(tmp_path / "data" / "chat.db")
    rotten = "CAST(replace(CAST(body AS TEXT), 'two', 'tvo') AS BLOB)"
    db.execute(f"UPDATE things SET body = {rotten} WHERE id = 2")
    db.commit()
    db.close()
    site = Site(tmp_path / "data")
    try:
        answer = site.http("GET", "/r/lobby/messages", headers={"Cookie": site.join()})
        changes = json.loads(answer.body)["changes"]
        assert [(m["text"], m.get("damaged", False)) for m in changes] == [
            ("one", False), ("", True), ("three", False),
        ]  # fmt: skip
    finally:
        site.stop()
    assert site.log == ["ERROR chat.store message 2 of room 1 is damaged on disk"]


# -- starting and stopping


def refused_start(*options: str) -> str:
    """Start it; it must exit with 1 and say why in one line."""
    ended = run("--address=127.0.0.1", *options)
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    return lines[0]


def test_a_second_server_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    """Two writers would be two orders."""
    with Process(tmp_path / "data").ready():
        line = refused_start(f"--data={tmp_path}/data", f"--port={free_port()}")
    assert line == f"chat: another server is using the data folder {tmp_path}/data"


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    """And no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused_start(f"--data={tmp_path}/data", f"--port={port}")
    assert line.startswith(f"chat: cannot listen on port {port} of 127.0.0.1: Address already in")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """For root every folder is writable, so there is a file in the way."""
    (tmp_path / "file").write_text("")
    line = refused_start(f"--data={tmp_path}/file/data", "--port=0")
    assert line == f"chat: cannot use the data folder {tmp_path}/file/data: Not a directory"


@pytest.mark.parametrize("damage", ["no database at all", "torn pages"])
def test_a_damaged_database_is_one_line(tmp_path: Path, damage: str) -> None:
    """It is not served and not overwritten."""
    data = tmp_path / "data"
    with Process(data, "--rate=0").ready() as server:
        wire = Wire(server.port, cookie=join(server.port)).opened()
        for number in range(50):
            wire.say(f"{number} " + "x" * 3900)
        wire.hear("message", id=50)
        wire.close()
        assert server.end() == 0
    path = data / "chat.db"
    whole = path.read_bytes()
    torn = b"no database " * 1000 if damage == "no database at all" else whole[:8192]
    if damage == "torn pages":
        torn += b"\xa5" * 40_000 + whole[48_192:]
    path.write_bytes(torn)
    line = refused_start(f"--data={data}", "--port=0")
    assert line.startswith(f"chat: cannot open {path}: ")
    assert path.read_bytes() == torn


def test_a_wrong_option_exits_with_2_and_one_line() -> None:
    """As every program does."""
    ended = run("--prot=8000")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "--prot" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_confirms_what_is_being_saved_and_asks_everyone_back(
    tmp_path: Path, wires: list[Wire], number: int
) -> None:
    """The commit is held up until the signal has been sent."""
    with Process(tmp_path / "data").ready() as server:
        speaker, other = (Wire(server.port, cookie=join(server.port)).opened() for _ in range(2))
        wires += [speaker, other]
        speaker.hear("live")
        other.hear("live")
        lock = sqlite3.connect(tmp_path / "data" / "chat.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        cid = speaker.say("the last words")
        assert alive(speaker)
        began = time.monotonic()
        server.process.send_signal(number)
        until(lambda: refuses(server.port))
        lock.execute("ROLLBACK")
        lock.close()
        for wire in (speaker, other):
            assert wire.hear("message", cid=cid)["text"] == "the last words"
            assert wire.hear("bye") == {"type": "bye", "reason": "restart", "after": 3000}
            assert wire.closed()[0] == 1012
            wire.close()
        assert server.process.wait(PATIENCE) == 0
        assert time.monotonic() - began < 3
        assert server.said() == ""


def refuses(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it came between the end of listening and of the socket
        return False
    return False


def test_a_stop_does_not_wait_for_peers_that_do_not_answer(
    tmp_path: Path, wires: list[Wire]
) -> None:
    """Three seconds for everything, whoever is asleep."""
    with Process(tmp_path / "data").ready() as server:
        wires.append(Wire(server.port, cookie=join(server.port)).opened())
        began = time.monotonic()
        assert server.end() == 0
        assert time.monotonic() - began < 3
        assert server.said() == ""


def test_a_message_said_while_the_server_stops_is_kept_for_the_next(
    tmp_path: Path, wires: list[Wire]
) -> None:
    """`closing` with `retry`: it stays in the outbox."""
    with Process(tmp_path / "data").ready() as server:
        wire = Wire(server.port, cookie=join(server.port)).opened()
        wires.append(wire)
        wire.hear("live")
        lock = sqlite3.connect(tmp_path / "data" / "chat.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        first = wire.say("first")
        assert alive(wire)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: refuses(server.port))
        second = wire.say("second")
        refusal = wire.hear("refused", cid=second)
        assert (refusal["code"], refusal["retry"] > 0) == ("closing", True)
        lock.execute("ROLLBACK")
        lock.close()
        assert wire.hear("message", cid=first)
        assert wire.closed()[0] == 1012
        wire.close()
        assert server.process.wait(PATIENCE) == 0
