"""What GitHub tells of a repository, as texts of ours. Pure.

The events are read as docs.github.com lists them (webhook events and payloads).
"""

from __future__ import annotations

import re
from typing import Any

from chat.wire.codes import Refusal

COMMITS = 5  # of a push that are named
QUOTED = 300  # characters of a comment
TITLE = 200  # characters of a title or of a commit's first line
ACTIONS = {
    "issues": {"opened": "opened", "closed": "closed", "reopened": "reopened"},
    "pull_request": {
        "opened": "opened",
        "closed": "closed",
        "reopened": "reopened",
        "ready_for_review": "asks for a review of",
    },
    "issue_comment": {"created": "wrote"},
    "release": {"published": "published"},
    "workflow_run": {"completed": "ended"},
}
ENDS = {"success": "succeeded", "failure": "failed", "timed_out": "took too long"}

Given = dict[str, Any]


def told(event: str, payload: object) -> str:
    """What is worth telling of this event; "" if nothing is. Raises Refusal("bad_frame") for a
    payload that is no event of a repository."""
    if not isinstance(payload, dict):
        raise Refusal("bad_frame", detail="That is no event of GitHub.")
    action = ACTIONS.get(event, {}).get(_text(payload.get("action")), "")
    match event:
        case "ping":
            return f"{_where(payload)}is connected: what happens there is told here."
        case "push":
            return _push(payload)
        case "issues" if action:
            return _thing(payload, action, "issue")
        case "pull_request" if action:
            merged = action == "closed" and _dict(payload.get("pull_request")).get("merged") is True
            return _thing(payload, "merged" if merged else action, "pull_request")
        case "issue_comment" if action:
            return _comment(payload)
        case "release" if action:
            return _release(payload, action)
        case "workflow_run" if action:
            return _run(payload)
    return ""


def _push(payload: Given) -> str:
    ref = _text(payload.get("ref"))
    what = "tag" if ref.startswith("refs/tags/") else "branch"
    name = re.sub(r"\Arefs/(heads|tags)/", "", ref) or "?"
    commits = [_dict(commit) for commit in _list(payload.get("commits"))]
    who = _dict(payload.get("pusher")).get("name") or _who(payload)
    head = f"{_where(payload)}{_line(who)} "
    if payload.get("deleted") is True:
        return f"{head}deleted the {what} {name}"
    if not commits:
        made = "made" if payload.get("created") is True else "moved"
        return f"{head}{made} the {what} {name}{_to(payload.get('compare'))}"
    number = "1 commit" if len(commits) == 1 else f"{len(commits)} commits"
    lines = [f"{head}pushed {number} to {name}", *map(_commit, commits[:COMMITS])]
    if len(commits) > COMMITS:
        lines.append(f"and {len(commits) - COMMITS} more")
    return "\n".join(lines) + _to(payload.get("compare"))


def _commit(commit: Given) -> str:
    sha = re.sub(r"[^0-9a-f]", "", _text(commit.get("id"))[:7])
    message = _line(commit.get("message")) or "(no message)"
    return f"`{sha}` {message}" if sha else message


def _thing(payload: Given, action: str, key: str) -> str:
    """An issue or a pull request."""
    thing = _dict(payload.get(key))
    what = f"{'issue' if key == 'issue' else 'pull request'} {_numbered(thing)}"
    return f"{_where(payload)}{_who(payload)} {action} {what}{_to(thing.get('html_url'))}"


def _comment(payload: Given) -> str:
    comment, body = _dict(payload.get("comment")), ""
    text = _text(comment.get("body")).strip()
    if text:
        text = text if len(text) <= QUOTED else f"{text[:QUOTED].rstrip()}…"
        body = "\n> " + text.replace("\r", "").replace("\n", "\n> ")
    on = _numbered(_dict(payload.get("issue")))
    return f"{_where(payload)}{_who(payload)} on {on}{body}{_to(comment.get('html_url'))}"


def _release(payload: Given, action: str) -> str:
    release = _dict(payload.get("release"))
    tag, name = _line(release.get("tag_name")), _line(release.get("name"))
    what = f"{tag}: {name}" if name and name != tag else tag or name
    return f"{_where(payload)}{_who(payload)} {action} {what}{_to(release.get('html_url'))}"


def _run(payload: Given) -> str:
    run = _dict(payload.get("workflow_run"))
    name, branch = _line(run.get("name")) or "A workflow", _line(run.get("head_branch"))
    conclusion = _line(run.get("conclusion")) or "ended"
    on = f" on {branch}" if branch else ""
    end = ENDS.get(conclusion, conclusion.replace("_", " "))
    return f"{_where(payload)}{name}{on}: {end}{_to(run.get('html_url'))}"


# -- what is where it should be


def _where(payload: Given) -> str:
    """The repository, or the organization, that it happened in."""
    name = _line(_dict(payload.get("repository")).get("full_name"))
    name = name or _line(_dict(payload.get("organization")).get("login"))
    return f"**{name}** " if name else ""


def _who(payload: Given) -> str:
    return _line(_dict(payload.get("sender")).get("login")) or "Somebody"


def _numbered(thing: Given) -> str:
    number = thing.get("number")
    number = f"#{number}: " if isinstance(number, int) and abs(number) < 2**63 else ""
    return f"{number}{_line(thing.get('title'))}".removesuffix(": ")


def _to(address: object) -> str:
    """A line with the link to it."""
    address = _text(address)
    return f"\n{address}" if re.fullmatch(r"https?://[^\s<>]{1,1000}", address) else ""


def _line(given: object) -> str:
    """The first line of a text."""
    line = _text(given).strip().partition("\n")[0].rstrip()
    return line if len(line) <= TITLE else f"{line[:TITLE].rstrip()}…"


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _dict(given: object) -> Given:
    return given if isinstance(given, dict) else {}


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []
