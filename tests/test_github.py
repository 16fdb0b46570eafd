"""chat/rules/github.py: events with the fields that GitHub documents, and with none of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.github import ACTIONS, told
from chat.rules.slack import shortened
from chat.wire.codes import Refusal

IN = {
    "repository": {"id": 1, "full_name": "ana/boat", "html_url": "https://github.com/ana/boat"},
    "sender": {"login": "ben", "id": 2},
}
ISSUE = {"number": 7, "title": "Leaks\nbadly", "html_url": "https://github.com/ana/boat/issues/7"}
PULL = {"number": 8, "title": "Mend it", "html_url": "https://github.com/ana/boat/pull/8"}
COMPARE = "https://github.com/ana/boat/compare/a...b"
COMMENT = "https://github.com/ana/boat/issues/7#issuecomment-1"


def push(commits: int, **more: Any) -> dict[str, Any]:
    """A push of so many commits."""
    made = [{"id": f"{n:x}abcdef0123", "message": f"Change {n}\n\nwhy"} for n in range(commits)]
    pushed = {"ref": "refs/heads/main", "commits": made, "compare": COMPARE, "created": False}
    return {**IN, **pushed, "deleted": False, "pusher": {"name": "ben"}, **more}


def run(**fields: Any) -> dict[str, Any]:
    """A workflow that ended."""
    given = {"name": "CI", "head_branch": "main", "html_url": "https://github.com/ana/boat/runs/1"}
    return {**IN, "action": "completed", "workflow_run": {**given, **fields}}


@pytest.mark.parametrize(
    ("event", "payload", "text"),
    [
        (
            "ping",
            {**IN, "zen": "Design for failure.", "hook_id": 1, "hook": {"type": "Repository"}},
            "**ana/boat** is connected: what happens there is told here.",
        ),
        (
            "push",
            push(1),
            f"**ana/boat** ben pushed 1 commit to main\n`0abcdef` Change 0\n{COMPARE}",
        ),
        (
            "push",
            push(7, ref="refs/heads/fix/leak"),
            "**ana/boat** ben pushed 7 commits to fix/leak\n"
            + "".join(f"`{n}abcdef` Change {n}\n" for n in range(5))
            + f"and 2 more\n{COMPARE}",
        ),
        (
            "push",
            push(0, ref="refs/tags/v1", created=True),
            f"**ana/boat** ben made the tag v1\n{COMPARE}",
        ),
        ("push", push(0, deleted=True), "**ana/boat** ben deleted the branch main"),
        ("push", push(0), f"**ana/boat** ben moved the branch main\n{COMPARE}"),
        (
            "issues",
            {**IN, "action": "opened", "issue": ISSUE},
            f"**ana/boat** ben opened issue #7: Leaks\n{ISSUE['html_url']}",
        ),
        ("issues", {**IN, "action": "labeled", "issue": ISSUE}, ""),
        (
            "pull_request",
            {**IN, "action": "closed", "pull_request": {**PULL, "merged": True}},
            f"**ana/boat** ben merged pull request #8: Mend it\n{PULL['html_url']}",
        ),
        (
            "pull_request",
            {**IN, "action": "closed", "pull_request": {**PULL, "merged": False}},
            f"**ana/boat** ben closed pull request #8: Mend it\n{PULL['html_url']}",
        ),
        ("pull_request", {**IN, "action": "synchronize", "pull_request": PULL}, ""),
        (
            "issue_comment",
            {
                **IN,
                "action": "created",
                "issue": ISSUE,
                "comment": {"body": "I see\r\nwater", "html_url": COMMENT},
            },
            f"**ana/boat** ben on #7: Leaks\n> I see\n> water\n{COMMENT}",
        ),
        ("issue_comment", {**IN, "action": "edited", "issue": ISSUE}, ""),
        (
            "release",
            {
                **IN,
                "action": "published",
                "release": {"tag_name": "v2", "name": "Dry", "html_url": "https://e.org/v2"},
            },
            "**ana/boat** ben published v2: Dry\nhttps://e.org/v2",
        ),
        (
            "workflow_run",
            run(conclusion="failure"),
            "**ana/boat** CI on main: failed\nhttps://github.com/ana/boat/runs/1",
        ),
        (
            "workflow_run",
            run(conclusion="action_required"),
            "**ana/boat** CI on main: action required\nhttps://github.com/ana/boat/runs/1",
        ),
        ("workflow_run", {**run(), "action": "requested"}, ""),
        ("star", {**IN, "action": "created"}, ""),
    ],
)
def test_an_event_is_told_or_not_worth_it(event: str, payload: Any, text: str) -> None:
    assert told(event, payload) == text


def test_a_long_comment_is_told_in_part_and_a_link_only_if_it_is_one() -> None:
    comment = {"body": "x" * 5000, "html_url": "javascript:alert(1)"}
    text = told("issue_comment", {"action": "created", "comment": comment, "issue": ISSUE})
    assert text == f"Somebody on #7: Leaks\n> {'x' * 300}…"


@pytest.mark.parametrize("payload", [None, [], "push", 7])
def test_what_is_no_event_is_refused(payload: object) -> None:
    with pytest.raises(Refusal, match="bad_frame"):
        told("push", payload)


KEYS = st.sampled_from(
    [
        *("action", "repository", "full_name", "sender", "login", "issue", "pull_request"),
        *("number", "title", "html_url", "commits", "id", "message", "ref", "pusher", "name"),
        *("workflow_run", "comment", "body", "release", "tag_name", "merged", "deleted"),
        *("conclusion", "compare"),
    ]
)
KINDS = st.sampled_from([*{action for actions in ACTIONS.values() for action in actions}])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)
EVENTS = st.sampled_from(["ping", "push", "star", *ACTIONS])


@given(EVENTS, st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_event_is_a_text_or_nothing(event: str, payload: dict[str, Any]) -> None:
    assert isinstance(shortened(told(event, payload)), str)
