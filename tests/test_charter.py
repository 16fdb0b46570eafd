"""chat/log/charter.py and chat/room/charter.py: what the chat is called."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from serving import Site


def owner(site: Site) -> str:
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    return cookie


def page(site: Site, cookie: str) -> str:
    return str(site.http("GET", "/", headers={"Cookie": cookie}).body.decode())


def told(site: Site, cookie: str, **fields: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(site.order(cookie, "chat", **fields).body)
    return answer


def test_the_owner_calls_the_chat_something_and_every_page_says_so(site: Site) -> None:
    cookie = owner(site)
    assert "den - Chat</title>" in page(site, cookie)
    assert told(site, cookie, name="  Tidemark  ")["type"] == "done"
    body = page(site, cookie)
    assert "den - Tidemark</title>" in body
    assert '"app.name":"Tidemark"' in body, "scripts say it too, whatever they have kept"
    assert json.loads(site.http("GET", "/manifest.json").body)["name"] == "Tidemark"


def test_its_name_outlives_a_restart_and_comes_before_the_option(tmp_path: Path) -> None:
    site = Site(tmp_path / "data", name="Given")
    cookie = owner(site)
    assert "den - Given</title>" in page(site, cookie)
    told(site, cookie, name="Tidemark", door="invite")
    site.stop()
    site = Site(tmp_path / "data", name="Given")
    try:
        assert "den - Tidemark</title>" in page(site, cookie)
        told(site, cookie, name="")
        assert "den - Given</title>" in page(site, cookie)
    finally:
        site.stop()
    with closing(sqlite3.connect(tmp_path / "data" / "chat.db")) as db:
        rows = db.execute("SELECT what, detail FROM audit ORDER BY n").fetchall()
    assert rows == [("chat", "name Tidemark"), ("chat", "door invite"), ("chat", "name ")]


def test_only_an_owner_does_that_and_a_name_can_be_seen(site: Site) -> None:
    cookie, other = owner(site), site.join("den", "Mona")
    site.promote("Mona", "moderator")
    assert told(site, other, name="Mine")["code"] == "not_allowed"
    for name in ("x" * 61, "a\u200bb"):
        assert told(site, cookie, name=name)["code"] == "bad_order"
    assert "den - Chat</title>" in page(site, cookie)
