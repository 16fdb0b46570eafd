"""chat/line/systemd.py: what the service manager hears, at a socket of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import PATIENCE, request
from serving import Process, Site

from chat.line.systemd import Systemd
from chat.log import health
from chat.log.operations import Probe
from chat.log.upkeep import Upkeep


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Stands for systemd: what it is told can be received."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        yield listening


def nothing(manager: socket.socket) -> bool:
    """Whether it was told nothing more."""
    manager.setblocking(False)
    try:
        manager.recv(100)
    except BlockingIOError:
        return True
    finally:
        manager.settimeout(PATIENCE)
    return False


def test_it_is_ready_once_it_answers_lives_on_and_says_that_it_stops(
    manager: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
    with Process(tmp_path / "data") as server:
        assert manager.recv(100) == b"READY=1"
        assert request(server.port, "GET", "/healthz").status == 200
        assert [manager.recv(100), manager.recv(100)] == [b"WATCHDOG=1"] * 2
        assert server.end() == 0
        said = [manager.recv(100)]
        while said[-1] == b"WATCHDOG=1":
            said.append(manager.recv(100))
        assert said[-1] == b"STOPPING=1"
        assert nothing(manager)


def test_a_name_of_the_abstract_kind_is_a_socket_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # Linux picks a free name
        listening.settimeout(PATIENCE)
        Systemd("@" + listening.getsockname()[1:].decode()).tell("READY=1")
        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize("path", ["", "/nowhere/notify"])
def test_nobody_to_tell_is_no_trouble(path: str) -> None:
    Systemd(path).tell("READY=1")


def test_no_sign_of_life_while_the_writer_does_not_answer(
    site: Site, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    told, well, stuck = Systemd(manager.getsockname()), site.app.site.health, threading.Event()
    monkeypatch.setattr(Upkeep, "probe", lambda writer, op: stuck.wait(PATIENCE))
    site.call(site.app.site.store.write, Probe(), lambda outcome: None)
    site.call(told.beat, well)
    assert nothing(manager)
    stuck.set()
    monkeypatch.undo()
    site.call(told.beat, well)
    assert manager.recv(100) == b"WATCHDOG=1"


def test_no_sign_of_life_while_the_once_a_second_work_is_not_done(
    site: Site, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE", -1.0)
    site.call(Systemd(manager.getsockname()).beat, site.app.site.health)
    assert nothing(manager)
