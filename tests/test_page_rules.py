"""Modules of static/js that need no page: their rules, one by one. They stand in page/*.test.mjs,
in the language of what they test, and every one of them is a test here.
"""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).parent / "page"
FILES = {path.name.partition(".")[0]: path for path in RULES.glob("*.test.mjs")}


@functools.cache
def report(module: str) -> str:
    """What node says of all of them, as TAP."""
    command = ["node", "--test", "--test-reporter=tap", str(FILES[module])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def names(module: str) -> list[str]:
    """The rules by their sentences, those that come from a table too."""
    text = FILES[module].read_text()
    plain = re.findall(r'^test\("([^"]+)"', text, re.M)
    table = re.findall(r'^  "([^"]+)": \[\[', text, re.M)
    return [*plain, *(f"{name}, also behind one that failed" for name in table)]


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in sorted(FILES) for name in names(module)]
)
def test_a_module_keeps_the_rule(module: str, name: str) -> None:
    said = report(module)
    assert re.search(rf"^\s*ok \d+ - {re.escape(name)}$", said, re.M), said


@pytest.mark.parametrize("module", sorted(FILES))
def test_every_rule_that_node_knows_is_one_of_these(module: str) -> None:
    assert f"# tests {len(names(module))}\n" in report(module), report(module)


def test_no_id_stands_twice_in_the_page_of_a_room() -> None:
    """A script that asks for a row would be given a dialog of the same name."""
    page = (RULES.parents[1] / "templates" / "room.html").read_text()
    page = re.sub("(<template[^>]*>).*?</template>", r"\1", page, flags=re.DOTALL)
    ids = re.findall(r'(?<![\w-])id="([\w-]+)"', page)
    assert [id for id in set(ids) if ids.count(id) > 1] == []
