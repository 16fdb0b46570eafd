"""static/js/outbox.js: its rules, one by one. They stand in page/outbox.test.mjs, in the language
of what they test, and every one of them is a test here.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parent / "page" / "outbox.test.mjs"


@pytest.fixture(scope="module")
def report() -> str:
    """What node says of all of them, as TAP."""
    command = ["node", "--test", "--test-reporter=tap", str(RULES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def names() -> list[str]:
    """The rules by their sentences, those that come from a table too."""
    text = RULES.read_text()
    plain = re.findall(r'^test\("([^"]+)"', text, re.M)
    table = re.findall(r'^  "([^"]+)": \[\[', text, re.M)
    return [*plain, *(f"{name}, also behind one that failed" for name in table)]


@pytest.mark.parametrize("name", names())
def test_the_outbox_keeps_the_rule(report: str, name: str) -> None:
    assert re.search(rf"^\s*ok \d+ - {re.escape(name)}$", report, re.M), report


def test_every_rule_that_node_knows_is_one_of_these(report: str) -> None:
    assert f"# tests {len(names())}\n" in report, report
