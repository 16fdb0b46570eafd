"""docs/bots.md: the bot that stands there, as it stands there, and what else the page promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from client import PATIENCE, Wire
from serving import Site
from test_hooks import hire

from chat.wire.codes import REFUSALS

PAGE = (Path(__file__).parent.parent / "docs" / "bots.md").read_text()
(BOT,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def listening(site: Site, tmp_path: Path) -> Iterator[Wire]:
    """The room of the bot, in which it listens."""
    cookie = site.join("den", "Olga")
    site.promote("Olga", "owner")
    hook = hire(site, cookie, "Clock")
    script = tmp_path / "bot.py"
    script.write_text(BOT)
    chat = {"CHAT": f"http://127.0.0.1:{site.port}", "ROOM": "den", "KEY": hook.key}
    bot = subprocess.Popen([sys.executable, str(script)], env={**os.environ, **chat})
    wire = site.wire("den", cookie)
    deadline = time.monotonic() + PATIENCE
    while not site.call(lambda: len(site.app.site.hub.polls)):
        assert bot.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield wire
        assert bot.poll() is None, "it goes on"
    finally:
        bot.kill()
        bot.wait()
        wire.close()


def test_the_bot_of_the_page_has_twenty_lines() -> None:
    assert len([line for line in BOT.splitlines() if line]) <= 20
    assert set(re.findall(r"^import (.*)", BOT)[0].split(", ")) <= set(sys.stdlib_module_names) | {
        "urllib.request"
    }


def test_the_bot_of_the_page_listens_and_answers(site: Site, listening: Wire) -> None:
    listening.say("what?")
    for _ in range(2):
        listening.hear("message", cid=listening.say("!time"))
        answer = listening.hear("message", name="Clock")
        assert re.fullmatch(r"It is \d\d:\d\d\.", answer["text"])
        assert answer["bot"] is True


def test_it_reads_what_was_said_while_it_was_too_much_for_one_page(
    site: Site, listening: Wire
) -> None:
    for number in range(60):
        listening.say(f"{number}")
    listening.say("!time")
    assert listening.hear("message", name="Clock")


def test_every_code_on_the_page_is_one() -> None:
    table = PAGE.partition("| status | code |")[2].partition("\n\n")[0]
    cells = [row.split("|")[2] for row in table.splitlines()[2:]]
    codes = set(re.findall(r"`([a-z_]+)`", " ".join(cells)))
    assert codes <= set(REFUSALS)
    assert "bad_key" in codes
