"""static/js/ranks.js: the page offers what rules/access.py allows."""

from __future__ import annotations

import json
import subprocess
from itertools import product
from pathlib import Path

from chat.rules.access import Answer, Facts, Role, Verb, effective, may, outranks

RANKS = Path(__file__).parents[1] / "static" / "js" / "ranks.js"
KEPT = [Role.OWNER, Role.MODERATOR, Role.MEMBER, Role.GUEST, Role.BOT]
NOW = 1_000
MUTED = [0, NOW, NOW + 1]  # until when
SCRIPT = f"""
import {{ moderates, nextRole, outranks }} from "{RANKS.as_uri()}";
const roles = {json.dumps([role.value for role in KEPT])};
console.log(JSON.stringify({{
  outranks: roles.map((role) => roles.map((other) => outranks(role, other))),
  moderates: roles.map((role) => {MUTED}.map((muted) => moderates({{ role, muted }}, {NOW}))),
  next: roles.map(nextRole),
}}));
"""


def test_the_page_knows_who_may_act_on_whom() -> None:
    command = ["node", "--input-type=module", "--eval", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    page = json.loads(done.stdout)
    for (row, role), (column, other) in product(enumerate(KEPT), enumerate(KEPT)):
        assert page["outranks"][row][column] == outranks(role, other), (role, other)
    for (row, role), (column, muted) in product(enumerate(KEPT), enumerate(MUTED)):
        now = effective(Facts(role, muted), NOW)
        assert page["moderates"][row][column] == (may(now, Verb.MODERATE) is Answer.YES)
    assert page["next"] == ["member", "member", "moderator", "member", ""]
