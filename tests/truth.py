"""What must be true of a page, whatever happened: held against all that ever was in the log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bad_server import Execution, Fields, History
from visitors import Browser, Visitor

SHOWN = 40  # characters of a text that a tab reports
MOST = 100  # messages that are counted


def compare(visitor: Visitor, history: History, now: bool) -> None:
    """What a page shows is the log up to its cursor, as far as it is loaded. `now`: the server has
    this history still."""
    look = visitor.tab.look
    cursor = look["cursor"]["rev"] if look["cursor"]["epoch"] == look["epoch"] else 0
    visitor.reached[look["epoch"]] = max(cursor, visitor.reached.get(look["epoch"], 0))
    shown = {message["id"]: message for message in look["messages"]}
    for id, message in shown.items():
        was_so("message", message, ("message", id, ""), history)
        gone = history.gone_by(id)
        reached = visitor.reached[look["epoch"]]
        assert gone is None or gone > reached, f"{id} is gone since {gone}, and is shown"
    if not look["level"]:
        return
    for (_, id, _), newest in history.newest("message"):
        to = look["to"] or newest["id"]
        if look["from"] <= id <= to and newest["rev"] <= cursor and not history.gone_by(id):
            assert id in shown, f"{id} (rev {newest['rev']}) is missing at {cursor}"
            assert shown[id]["rev"] == newest["rev"], f"{id} is not the newest at {cursor}"
        if now and id in shown and cursor >= history.head:
            assert ("message", id, "") in history.now, f"{id} is no more, and nobody was told"
    if not visitor.old:
        compare_reactions(shown, history, cursor)
    compare_quotes(look, history, visitor.reached[look["epoch"]])
    compare_settings(look, history, cursor)


def compare_quotes(look: Fields, history: History, reached: int) -> None:
    """What a message answers, as it is by now: loaded, or asked for by itself, or not known."""
    answers = {
        message["id"]: message["reply"] for message in look["messages"] if "reply" in message
    }
    assert dict(look["quoted"]).keys() == answers.keys()
    for id, quoted in look["quoted"]:
        if quoted is None:
            continue
        key = ("message", answers[id], "")
        was_so("message", quoted, key, history)
        gone = history.gone_by(answers[id])
        assert gone is None or gone > reached, f"{answers[id]} is gone, and {id} quotes it"
        told = max((rev for rev in history.states.get(key, {}) if rev <= reached), default=0)
        assert quoted["rev"] >= told, f"{id} quotes what {answers[id]} was before {told}"


def compare_reactions(shown: dict[int, Fields], history: History, cursor: int) -> None:
    """Those that are on, below each message."""
    on = {}
    for id, message in shown.items():
        for reaction in message["reactions"]:
            key = ("reaction", id, f"{reaction['user']} {reaction['emoji']}")
            was_so("reaction", reaction, key, history)
            on[key] = reaction["rev"]
    for key, newest in history.newest("reaction"):
        if newest["rev"] <= cursor and key[1] in shown:
            want = newest["rev"] if newest["on"] else None
            assert on.get(key) == want, f"{key} is {on.get(key)} and not {want} at {cursor}"


def compare_settings(look: Fields, history: History, cursor: int) -> None:
    """The topic."""
    for _, newest in history.newest("settings"):
        if newest["rev"] <= cursor and look["settings"]:
            assert look["settings"]["topic"] == newest["topic"], f"another topic at {cursor}"
    assert look["settings"] or look["state"] != "online", "it knows nothing of the room"


def was_so(kind: str, shown: Fields, key: tuple[str, int, str], history: History) -> None:
    """What is shown was a state of that thing."""
    states = history.states.get(key, {})
    state = states.get(shown["rev"])
    if state is None:  # another took its place, or it went, within the step that it was made in
        user = shown["user"] if kind == "message" else ""
        last = max([history.gone_by(key[1], user) or 0, *states])
        assert shown["rev"] < last, f"{kind} {key} at {shown['rev']} never was"
        return
    for name in ("user", "edited", "on", "emoji", "cid", "said", "reply", "mentions", "files"):
        assert shown.get(name) == state.get(name), f"{kind} {key}: {name}"
    assert shown.get("text", "")[:SHOWN] == state.get("text", "")[:SHOWN]


def unread(history: History, user: str, mark: int) -> tuple[int, int]:
    """What is new to this person, and what of it is meant for them: counted one by one."""
    messages = [fields for (kind, _, _), fields in history.now.items() if kind == "message"]
    new = [m for m in messages if m["id"] > mark and m["user"] != user]
    meant = [m for m in new if user in m.get("mentions", {})]
    return min(len(new), MOST), min(len(meant), MOST)


def compare_entries(visitor: Visitor, histories: dict[str, History]) -> set[str]:
    """What has left the outbox was done, and is shown; what is in it is not shown beside it. The
    cids that the page says to be done."""
    look, browser = visitor.tab.look, visitor.browser
    history = histories[look["epoch"]]
    now = {entry["cid"]: entry for entry in look["entries"]}
    shown = {message["id"]: message["rev"] for message in look["messages"]}
    cursor = look["cursor"]["rev"]
    done = {execution.cid: execution for execution in history.everything}
    for cid, entry in now.items():
        said = entry["command"] == "say" and cid in done and done[cid].rev in shown
        assert not said or entry.get("failed"), f"{cid} is shown as sent and as waiting"
        if entry.get("failed"):
            browser.failed.add(cid)
    promised = set()
    for cid, entry in browser.entries.items():
        if cid in now or left_otherwise(entry, browser):
            continue
        if (
            cid not in done and len(browser.tabs) > 1
        ):  # the other tab may be in another history already
            assert any(cid == e.cid for h in histories.values() for e in h.everything), cid
            continue
        assert cid in done, f"{entry['command']} {cid} was said to be done, and was not"
        promised.add(cid)
        rev = done[cid].rev
        id = entry["fields"].get("id", rev)
        loaded = look["level"] and look["from"] <= id <= (look["to"] or id)
        if loaded and len(browser.tabs) == 1:
            known = max(cursor, shown.get(id, 0))
            assert known >= rev, f"{cid} was done, and is not shown"
    browser.entries = now
    return promised


def left_otherwise(entry: Fields, browser: Browser) -> bool:
    """Whether an entry is no more for another reason than that it was done."""
    epochs = {tab.look["epoch"] for tab in browser.tabs}
    foreign = entry["command"] != "say" and epochs != {browser.epochs[entry["cid"]]}
    unsent = entry["cid"] not in browser.sent and entry["command"] != "say"  # replaced
    return foreign or unsent or entry["cid"] in browser.given_back


def files_of(message: Fields) -> list[str]:
    """The ids."""
    return [file["id"] for file in message.get("files", ())]


def names_of(message: Fields) -> list[str]:
    """Of the files: they may be uploaded anew, and have other ids then."""
    return [file["name"] for file in message.get("files", ())]


def files_agree(history: History) -> None:
    """A file is of the message that says so, and goes with it, also from the disk."""
    told = {id: m["id"] for m in history.now.values() if m.get("files") for id in files_of(m)}
    bound = {id: message for id, message in history.files.items() if message}
    assert bound == told, f"files are of {bound}, and messages have {told}"
    rows = set(history.files)
    assert history.blobs == rows, f"there are {history.blobs} on the disk, and rows of {rows}"


def says_what_was_meant(history: History, browsers: Iterable[Browser], epoch: str) -> None:
    """A message answers what its writer saw and has the files it was sent with, in every state of
    it; an id of another history would mean another message."""
    before = {execution.cid for execution in history.before}
    for (kind, id, _), states in history.states.items():
        if kind != "message":
            continue
        replies = {state.get("reply") for state in states.values() if not state.get("damaged")}
        assert len(replies) == 1, f"{id} answers one after the other: {replies}"
        files = [files_of(state) for state in states.values() if not state.get("damaged")]
        assert files == files[:1] * len(files), f"{id} has one file after the other: {files}"
        names = [names_of(state) for state in states.values() if not state.get("damaged")][:1]
        cids = {cid for state in states.values() if (cid := state.get("said") or state.get("cid"))}
        for browser in browsers:
            for cid in cids & browser.made.keys() - before:
                meant = browser.replies.get(cid) if browser.epochs[cid] == epoch else None
                assert replies == {meant}, f"{id} answers {replies} and not {meant}"
                sent = browser.files.get(cid, [])
                assert names == [sent], f"{id} has {names} and was sent with {sent}"


def done_once_and_in_order(history: History, browsers: Iterable[Browser], epoch: str) -> None:
    """No command is carried out twice or in another history, nor an older one after a newer."""
    cids = [execution.cid for execution in history.everything]
    twice = {cid for cid in cids if cids.count(cid) > 1} if len(set(cids)) < len(cids) else set()
    assert not twice, f"carried out twice: {twice}"
    said: dict[str, Any] = {}
    for (_, id, _), states in history.states.items():
        first = states.get(id)
        if first and "text" in first:
            number = first["text"].split()[0]
            assert said.setdefault(number, id) == id, f"said twice: {number}"
    for browser in browsers:
        in_order(history.done, browser, epoch)


def in_order(done: list[Execution], browser: Browser, epoch: str) -> None:
    """Of one browser: messages among each other, and what is done to one thing."""
    last: dict[Any, int] = {}
    for cid, thing, names_an_id in ((e.cid, e.thing, e.thing != "say") for e in done):
        if cid not in browser.made:
            continue
        assert not names_an_id or browser.epochs[cid] == epoch, f"{cid} is of another history"
        # What failed, or has to bring its files first, holds up nothing.
        late = cid in browser.failed or browser.files.get(cid)
        if cid in browser.given_back or (thing == "say" and late):
            continue
        made = browser.made[cid]
        assert made > last.get(thing, 0), f"{cid} came after a newer one"
        last[thing] = made
