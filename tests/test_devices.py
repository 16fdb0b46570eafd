"""Devices: where one is signed in, each on its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from client import Declined, Wire
from histories import later, older
from serving import Site
from tornado.web import create_signed_value, decode_signed_value

from chat.datafolder import Folder
from chat.log.backup import backup
from chat.log.migrations import MIGRATIONS
from chat.log.restore import restore
from chat.room import devices as module

BEFORE = 9  # the version of a history in which a cookie named a person
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def post(site: Site, path: str, cookie: str = "", **form: str) -> Any:
    return site.http("POST", path, headers={"Cookie": cookie}, form=form)


def device_of(site: Site, cookie: str) -> str:
    """What the cookie says."""
    value = cookie.partition("=")[2].strip('"')
    id = decode_signed_value(site.app.settings["cookie_secret"], "device", value)
    assert id is not None
    return id.decode()


def rows(site: Site, sql: str) -> list[Any]:
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db:
        return db.execute(sql).fetchall()


def test_who_was_signed_in_before_devices_stays_signed_in(tmp_path: Path) -> None:
    """The cookie named the person; by now it names their first device."""
    data = tmp_path / "data"
    Folder(data).close()
    with older(data / "chat.db", 3) as db:
        later(db, 3, BEFORE)
        db.executemany(
            "INSERT INTO users (id, name, skeleton, color, seen, gone, stage)"
            " VALUES (?, ?, ?, 1, 7, ?, 2)",
            [("a-person", "Ana", "ana", 0), ("who-left", "Bo", None, 9)],
        )
    site = Site(data)
    try:
        secret = site.app.settings["cookie_secret"]
        old = f"device={create_signed_value(secret, 'device', 'a-person').decode()}"
        assert b'"name":"Ana"' in site.http("GET", "/", headers={"Cookie": old}).body
        gone = f"device={create_signed_value(secret, 'device', 'who-left').decode()}"
        assert site.http("GET", "/r/lobby/messages", headers={"Cookie": gone}).status == 403
        found = rows(site, "SELECT id, person, made, gone FROM devices")
        assert found == [("a-person", "a-person", 7, 0)]
        assert post(site, "/signout", old).status == 303
        assert site.http("GET", "/r/lobby/messages", headers={"Cookie": old}).status == 403
    finally:
        site.stop()
    assert len(MIGRATIONS) > BEFORE


def test_a_cookie_names_a_device_and_not_a_person(site: Site) -> None:
    """It cannot be planted: what a browser brings before somebody joins is worth nothing after."""
    secret = site.app.settings["cookie_secret"]
    planted = f"device={create_signed_value(secret, 'device', 'planted').decode()}"
    answer = post(site, "/join", planted, name="Ana", room="lobby")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert device_of(site, cookie) not in ("planted", site.user("Ana"))
    ana = f"device={create_signed_value(secret, 'device', site.user('Ana')).decode()}"
    for worth_nothing in (planted, ana):
        headers = {"Cookie": worth_nothing}
        assert site.http("GET", "/r/lobby/messages", headers=headers).status == 403
    assert site.http("GET", "/r/lobby/messages", headers={"Cookie": cookie}).status == 200


def test_a_device_is_called_by_its_browser_and_seen_once_a_day(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = site.join(name="Ana")
    found = "SELECT label, made = seen, seen - made FROM devices"
    assert rows(site, found) == [("A browser", 1, 0)]
    devices = site.app.site.directory.devices
    now = devices._clock()

    def visit(days: float) -> None:
        at = now + int(days * module.DAY)
        monkeypatch.setattr(devices, "_clock", lambda: at)
        assert site.http("GET", "/", headers={"Cookie": cookie, "User-Agent": LINUX}).status == 200
        site.call(site.app.site.store.wrote, module.Noticed(0, "nobody", ""))  # in its turn

    visit(0.1)
    ((label, fresh, _),) = rows(site, found)
    assert (label, fresh) == ("Firefox on Linux", 0)
    before = rows(site, found)
    visit(0.9)
    assert rows(site, found) == before
    visit(1.2)
    assert rows(site, found) > before


def another(site: Site, cookie: str) -> str:
    """The cookie of one more device of this person."""
    devices = site.app.site.directory.devices
    person = devices.find(device_of(site, cookie)).person
    device = devices.new(person, "Safari on iPhone")
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db, db:
        db.execute(
            "INSERT INTO devices (id, person, label, made, seen) VALUES (?, ?, ?, ?, ?)",
            (device.id, person, device.label, device.made, device.seen),
        )
    site.call(devices.add, device)
    signed = create_signed_value(site.app.settings["cookie_secret"], "device", device.id)
    return f"device={signed.decode()}"


def test_signing_out_ends_one_device_and_the_last_one_the_person(
    site: Site, wires: list[Wire]
) -> None:
    first = site.join(name="Ana")
    second = another(site, first)
    wires += [site.wire(cookie=first), site.wire(cookie=first), site.wire(cookie=second)]
    assert post(site, "/signout", first).status == 303
    assert [wire.closed()[0] for wire in wires[:2]] == [4002, 4002]
    wires[2].hear("message", cid=wires[2].say("still here"))
    with pytest.raises(Declined):
        Wire(site.port, cookie=first).opened()
    assert site.http("GET", "/r/lobby/messages", headers={"Cookie": first}).status == 403
    assert post(site, "/join", name="ana").status == 409
    assert post(site, "/signout", second).status == 303
    assert wires[2].closed()[0] == 4002
    assert post(site, "/join", name="ana").status == 303
    assert len(site.app.site.directory.devices) == 1
    assert rows(site, "SELECT count(*), count(nullif(label, '')) FROM devices") == [(3, 1)]


def test_devices_are_known_after_a_restart_but_for_those_signed_out(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    first = site.join(name="Ana")
    second, third = another(site, first), another(site, first)
    assert post(site, "/signout", second).status == 303
    site.stop()
    site = Site(tmp_path / "data")
    try:
        for cookie, status in ((first, 200), (second, 403), (third, 200)):
            headers = {"Cookie": cookie}
            assert site.http("GET", "/r/lobby/messages", headers=headers).status == status
        (device, other) = site.app.site.directory.devices.of(site.user("Ana"))
        assert (device.id, other.id) == (device_of(site, first), device_of(site, third))
    finally:
        site.stop()


def test_who_is_forgotten_leaves_no_device(site: Site) -> None:
    site.join(name="Ana")
    directory = site.app.site.directory
    with closing(sqlite3.connect(site.config.data / "chat.db")) as db, db:
        db.execute("UPDATE users SET seen = 0")
    site.call(directory.tidy, [])
    assert (len(directory), len(directory.devices)) == (0, 0)
    assert rows(site, "SELECT count(*) FROM devices") == [(0,)]


def test_a_restored_backup_signs_no_device_in_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    site = Site(data)
    first = site.join(name="Ana")
    second = another(site, first)
    backup(data, tmp_path / "copy")
    assert post(site, "/signout", second).status == 303
    site.stop()
    restore(data, tmp_path / "copy")
    site = Site(data)
    try:
        for cookie, status in ((first, 200), (second, 403)):
            headers = {"Cookie": cookie}
            assert site.http("GET", "/r/lobby/messages", headers=headers).status == status
    finally:
        site.stop()
