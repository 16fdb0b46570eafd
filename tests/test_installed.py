"""chat/web/installed.py: what a device is told of the chat as an app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import request
from serving import ROOT, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A server with a name of its own."""
    site = Site(tmp_path / "data", name="Tidemark")
    yield site
    site.stop()


def test_the_manifest_has_the_name_of_the_chat_and_a_picture(site: Site) -> None:
    answer = request(site.port, "GET", "/manifest.json")
    assert answer.headers["Content-Type"] == "application/manifest+json"
    told = json.loads(answer.body)
    assert (told["name"], told["display"]) == ("Tidemark", "standalone")
    picture = request(site.port, "GET", f"/{told['icons'][0]['src']}")
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/svg+xml")


def test_all_its_addresses_stay_below_its_own(site: Site) -> None:
    """The chat may be served below a path of another site."""
    told = json.loads(request(site.port, "GET", "/manifest.json").body)
    addresses = [told[name] for name in ("id", "start_url", "scope")]
    addresses += [told["icons"][0]["src"], told["share_target"]["action"]]
    assert not [one for one in addresses if one.startswith("/") or ":" in one]


def test_the_worker_is_in_charge_of_the_whole_chat_and_never_stale(site: Site) -> None:
    answer = request(site.port, "GET", "/sw.js")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == (ROOT / "static" / "sw.js").read_bytes()
