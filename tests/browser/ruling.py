"""A server that has an owner, and how people become something else there."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import time
import urllib.request
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from .people import Visitor
from .server import PATIENCE, Server

ME = "JSON.parse(document.querySelector('#boot').textContent).you.user"
ORDER = """async (order) => {
  const answer = await fetch('/orders', {method: 'POST', body: JSON.stringify(order)});
  return {status: answer.status, ...await answer.json()}; }"""

WRITE = """async (text) => {
  const headers = {Accept: 'application/json'}, body = new URLSearchParams({text});
  return (await fetch(location.href, {method: 'POST', headers, body})).json(); }"""

ARRANGE = """(fields) => new Promise((done) => {
  const socket = new WebSocket(location.href.replace('http', 'ws') + '/ws');
  socket.onmessage = ({data}) => {
    if (JSON.parse(data).cid === 'arranged-1') done(socket.close());
    if (JSON.parse(data).type === 'live') socket.send(JSON.stringify(
      {type: 'room', cid: 'arranged-1', ...fields})); }; })"""


class RuledServer(Server):
    """Its owner, Olga, has no page: what she orders goes by HTTP."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(folder, *options)
        self.cookie = self.join("lobby", "Olga")
        self.stop()
        with contextlib.closing(sqlite3.connect(self.data / "chat.db")) as db, db:
            db.execute("UPDATE users SET role = 'owner'")
        self.start()

    def order(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Gives an order as the owner; the answer."""
        order = {"type": kind, "cid": "an-order", **fields}
        headers = {"Cookie": self.cookie, "Origin": self.origin, "Accept": "application/json"}
        request = urllib.request.Request(
            f"{self.origin}/orders", json.dumps(order).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            said: dict[str, Any] = json.load(answer)
        return said

    def appoint(self, visitor: Visitor, role: str) -> Visitor:
        """Somebody whose page is open is this from now on, and the page knows it."""
        self.order("role", user=me(visitor), role=role)
        return visitor

    def settle(self, room: str, **settings: Any) -> None:
        """Sets this in a room as the owner; it is done when this returns."""
        address = f"ws://127.0.0.1:{self.port}/r/{room}/ws"
        cid = secrets.token_urlsafe(12)
        with connect(address, additional_headers={"Cookie": self.cookie}) as line:
            line.send(json.dumps({"type": "room", "cid": cid, **settings}))
            while json.loads(line.recv(timeout=PATIENCE)).get("cid") != cid:
                pass

    def until(self, at: float) -> int:
        """So many seconds from now, as orders say it."""
        return round((time.time() + at) * 1000)


def me(visitor: Visitor) -> str:
    """Who the person of a page is."""
    user: str = visitor.page.evaluate(ME)
    return user


def by_hand(visitor: Visitor, kind: str, **fields: Any) -> dict[str, Any]:
    """Gives an order that the page does not offer: the answer, with its status."""
    order = {"type": kind, "cid": "by-hand-1", **fields}
    said: dict[str, Any] = visitor.page.evaluate(ORDER, order)
    return said


def writes(visitor: Visitor, text: str) -> dict[str, Any]:
    """Posts a message without the message box: the answer."""
    said: dict[str, Any] = visitor.page.evaluate(WRITE, text)
    return said


def arrange(visitor: Visitor, **fields: Any) -> None:
    """The room of this page has these settings."""
    visitor.page.evaluate(ARRANGE, fields)
