"""docs/owner.md says what the table of access says."""

from __future__ import annotations

from pathlib import Path

from chat.rules.access import TABLE, Answer, Role, Verb

TOLD = {Answer.YES: "yes", Answer.OWN: "own", Answer.NO: ""}


def test_who_may_do_what_is_told_as_it_is() -> None:
    """A row for each verb and a column for each role, in their order."""
    lines = Path("docs/owner.md").read_text().splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    head, *table = [[cell.strip() for cell in row] for row in rows]
    assert (len(head), len(table)) == (1 + len(Role), len(Verb))
    for verb, (_, *cells) in zip(Verb, table, strict=True):
        assert cells == [TOLD[TABLE[role][verb]] for role in Role], verb
