"""static/js/log.js: whatever comes in whichever order, it holds the newest states."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DRIVER = Path(__file__).parent / "page" / "log.mjs"
FIRST = 5  # messages in what the page begins with
PAGE = 4  # messages in a page of history

pytestmark = pytest.mark.skipif(
    not shutil.which("node") and os.environ.get("CI") != "true", reason="node is not installed"
)

Step = list[Any]
State = dict[str, Any]


class Driver:
    """A node with the log in it, for all tests of this file."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            ["node", str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, steps: list[Step]) -> State:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(steps) + "\n")
        self.process.stdin.flush()
        answer: State = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


def message(rev: int, id: int, user: str = "ana", **fields: Any) -> State:
    return {"rev": rev, "id": id, "user": user, "text": f"text {rev}", **fields}


def page(*messages: State, more: bool = False, epoch: str = "one") -> State:
    changes = [["message", known] for known in messages]
    return {"epoch": epoch, "changes": changes, "more": more}


BEGIN: list[Step] = [
    ["new", {"epoch": "one", "head": 20}],
    ["begin", [message(11, 11), message(12, 12)], False],
]


def texts(state: State) -> list[tuple[int, str]]:
    return [(known["id"], known["text"]) for known in state["messages"]]


# --- rule by rule


def test_an_edit_that_came_while_a_page_was_under_way_is_newer(driver: Driver) -> None:
    state = driver.run(
        [
            *BEGIN,
            ["ask", "page", {"before": 11}],
            ["take", "message", message(21, 3)],
            ["merge", "page", page(message(3, 3), message(4, 4))],
        ]
    )
    assert texts(state) == [(3, "text 21"), (4, "text 4"), (11, "text 11"), (12, "text 12")]
    assert state["said"][-1]["messages"][0]["rev"] == 21
    assert state["from"] == 0


@pytest.mark.parametrize("gone", [{"from": 3, "to": 3}, {"from": 1, "to": 9, "user": "ana"}])
def test_a_page_does_not_bring_back_what_is_gone(driver: Driver, gone: State) -> None:
    state = driver.run(
        [
            *BEGIN,
            ["ask", "page", {"before": 11}],
            ["take", "gone", {"rev": 21, **gone}],
            ["merge", "page", page(message(3, 3), message(4, 4, "ben"))],
            ["message", 3],
        ]
    )
    assert [id for id, _ in texts(state)] == [4, 11, 12]
    assert state["said"][-1] is None


def test_gone_with_a_person_takes_only_theirs(driver: Driver) -> None:
    mine, theirs = message(11, 11), message(12, 12, "ben")
    state = driver.run(
        [
            ["new", {"epoch": "one", "head": 20}],
            ["begin", [mine, theirs], True],
            ["take", "gone", {"rev": 21, "from": 0, "to": 20, "user": "ben"}],
        ]
    )
    assert state["said"][-1] == {"changed": [], "gone": [12]}
    assert texts(state) == [(11, "text 11")]


def test_a_change_that_is_known_is_no_news(driver: Driver) -> None:
    steps = [*BEGIN, ["take", "message", message(21, 11)], ["take", "message", message(21, 11)]]
    assert [said["changed"] for said in driver.run(steps)["said"][-2:]] == [[11], []]


def test_a_damaged_message_never_takes_the_place_of_a_sound_one(driver: Driver) -> None:
    damaged = {**message(90, 11), "text": "", "damaged": True}
    state = driver.run([*BEGIN, ["take", "message", damaged]])
    assert texts(state)[0] == (11, "text 11")
    state = driver.run(
        [*BEGIN[:1], ["begin", [damaged], True], ["take", "message", message(21, 11)]]
    )
    assert texts(state) == [(11, "text 21")]


def test_reactions_show_only_with_their_message_and_stay_taken_back(driver: Driver) -> None:
    heart = {"rev": 8, "id": 3, "user": "ben", "name": "Ben", "emoji": "heart", "on": True}
    old = page(message(3, 3), message(4, 4))
    old["changes"] += [["reaction", heart], ["reaction", {**heart, "rev": 9, "emoji": "star"}]]
    state = driver.run(
        [
            *BEGIN,
            ["ask", "page", {"before": 11}],
            ["take", "reaction", {**heart, "rev": 21, "on": False}],
            ["take", "reaction", {**heart, "rev": 22, "id": 4}],
            ["merge", "page", old],
        ]
    )
    assert [[known["rev"] for known in some] for some in state["reactions"]] == [[9], [22], [], []]
    state = driver.run([*BEGIN, ["take", "reaction", heart]])
    assert state["reactions"] == [[], []]


def test_what_is_dropped_is_kept_while_a_page_is_under_way(driver: Driver) -> None:
    known = {"new": message(21, 11), "old": message(11, 11)}
    state = driver.run(
        [
            *BEGIN,
            ["take", "message", known["new"]],
            ["ask", "page", {"before": 12}],
            ["trim", 12, 99],
            ["message", 11],
            ["merge", "page", page(known["old"])],
        ]
    )
    assert state["said"][-2]["rev"] == 21
    assert texts(state)[0] == (11, "text 21")
    state = driver.run([*BEGIN, ["trim", 12, 99], ["message", 11]])
    assert state["said"][-1] is None


def test_what_is_asked_for_by_id_is_known_and_not_loaded(driver: Driver) -> None:
    asked = ["ask", "page", {"ids": [3, 4, 5]}]
    came = ["merge", "page", page(message(3, 3), message(4, 4), message(5, 5))]
    newer: list[Step] = [
        ["take", "message", message(21, 3)],
        ["take", "gone", {"rev": 22, "from": 4, "to": 4}],
    ]
    known: list[Step] = [["message", id] for id in (3, 4, 5)]
    for steps in ([asked, *newer, came], [asked, came, *newer]):
        state = driver.run([*BEGIN, *steps, *known])
        assert [one and one["rev"] for one in state["said"][-3:]] == [21, None, 5]
        assert [id for id, _ in texts(state)] == [11, 12]
        assert state["from"] == 11


def test_what_is_answered_stays_known_when_it_is_dropped(driver: Driver) -> None:
    answered = [message(11, 11), message(12, 12), message(13, 13, reply=11)]
    steps: list[Step] = [BEGIN[0], ["begin", answered, False], ["trim", 13, 99]]
    edit = ["take", "message", message(21, 11)]
    state = driver.run([*steps, edit, ["message", 11], ["message", 12]])
    assert state["said"][-3:] == [{"changed": [11], "gone": []}, message(21, 11), None]
    assert [id for id, _ in texts(state)] == [13]
    state = driver.run([*steps, ["take", "gone", {"rev": 21, "from": 11, "to": 11}]])
    assert state["said"][-1] == {"changed": [], "gone": [11]}


@pytest.mark.parametrize(
    ("between", "query", "came"),
    [
        (["afresh", "one", 700, {"topic": ""}], {"before": 11}, page(message(3, 3))),
        (["afresh", "one", 700, {"topic": ""}], {}, page(message(3, 3))),
        (["trim", 12, 99], {"before": 11}, page(message(3, 3))),
        (["trim", 0, 11], {"after": 12}, page(message(13, 13))),
        (["message", 11], {"before": 11}, page(message(3, 3), epoch="two")),
        (["message", 11], {"before": 11}, None),
        (["take", "gone", {"rev": 21, "from": 3, "to": 3}], {"around": 3}, page(message(3, 3))),
    ],
    ids=["afresh", "afresh, newest", "above", "below", "restored", "none came", "what it is for"],
)
def test_a_page_that_is_of_no_use_is_thrown_away(
    driver: Driver, between: Step, query: State, came: State | None
) -> None:
    before = driver.run([*BEGIN, between])
    state = driver.run([*BEGIN, ["ask", "page", query], between, ["merge", "page", came]])
    assert state["said"][-1] is None
    assert texts(state) == texts(before)
    assert (state["from"], state["to"]) == (before["from"], before["to"])


def test_after_afresh_only_the_first_page_and_what_came_since_are_there(driver: Driver) -> None:
    state = driver.run(
        [
            *BEGIN,
            ["afresh", "one", 700, {"topic": "tea"}],
            ["ask", "page", {}],
            ["take", "message", message(701, 701)],
            ["merge", "page", page(message(650, 650), message(699, 660), more=True)],
        ]
    )
    assert texts(state) == [(650, "text 650"), (660, "text 699"), (701, "text 701")]
    assert state["said"][-1]["first"]
    assert (state["from"], state["to"], state["level"]) == (650, None, True)
    assert state["settings"]["topic"] == "tea"


def test_every_kind_of_change_has_a_key(driver: Driver) -> None:
    kept, told = driver.run([*BEGIN, ["kinds"]])["said"][-1]
    assert sorted(kept) == sorted(told)


# --- any order


class Server:
    """What the server would say: the newest state of each thing, and pages of them."""

    def __init__(self) -> None:
        self.head = 0
        self.things: dict[tuple[str, Any], State] = {}
        self.told: list[tuple[tuple[str, Any], State]] = []  # by rev

    def change(self, what: int, which: int, user: str) -> None:
        ids = sorted(key for kind, key in self.things if kind == "message")
        id = ids[-1 - which % min(len(ids), 7)] if ids else 0  # among the last
        kind = ["say", "edit", "edit", "react", "react", "react", "delete", "wipe", "topic"][
            what % 9
        ]
        if kind == "topic":
            self._tell("settings", 0, {"topic": f"topic {which}", "by": user})
        elif kind == "say" or not ids:
            self._tell("message", self.head + 1, message(self.head + 1, self.head + 1, user))
        elif kind == "edit":
            author = self.things["message", id]["user"]
            self._tell("message", id, message(self.head + 1, id, author))
        elif kind == "react":
            emoji = "ab"[which % 2]
            on = not self.things.get(("reaction", (id, user, emoji)), {}).get("on", False)
            fields = {"id": id, "user": user, "name": user, "emoji": emoji, "on": on}
            self._tell("reaction", (id, user, emoji), fields)
        elif kind == "delete":
            self._remove({"from": id, "to": id})
        else:
            self._remove({"from": ids[0], "to": id, "user": user})

    def _tell(self, kind: str, key: Any, fields: State) -> None:
        self.head += 1
        self.things[kind, key] = {**fields, "rev": self.head}
        self.told.append(((kind, key), self.things[kind, key]))

    def _remove(self, gone: State) -> None:
        ids = [
            known["id"]
            for (kind, _), known in self.things.items()
            if kind == "message"
            and gone["from"] <= known["id"] <= gone["to"]
            and gone.get("user", known["user"]) == known["user"]
        ]
        for kind, key in list(self.things):
            if (kind == "message" and key in ids) or (kind == "reaction" and key[0] in ids):
                del self.things[kind, key]
        self._tell("gone", self.head + 1, gone)

    @property
    def messages(self) -> list[State]:
        living = [known for (kind, _), known in self.things.items() if kind == "message"]
        return sorted(living, key=lambda known: int(known["id"]))

    def reactions(self, ids: list[int]) -> list[State]:
        all = [known for (kind, _), known in self.things.items() if kind == "reaction"]
        on = [known for known in all if known["on"] and known["id"] in ids]
        return sorted(on, key=lambda known: int(known["rev"]))

    def page(self, query: dict[str, int]) -> State:
        """The messages of a query with their reactions, as one read transaction gives them."""
        all = self.messages
        at = query.get("around", query.get("before", query.get("after", 0)))
        newer = [known for known in all if known["id"] > at]
        older = [known for known in all if known["id"] < at + ("around" in query)]
        if "after" in query:
            some, more = newer[:PAGE], len(newer) > PAGE
        else:
            older = older if query else all
            after = newer[: PAGE // 2] if "around" in query else []
            some, more = older[-PAGE:] + after, len(older) > PAGE
        changes = [["message", known] for known in some]
        changes += [["reaction", known] for known in self.reactions([m["id"] for m in some])]
        return {"epoch": "one", "head": self.head, "changes": changes, "more": more}

    def overtaken(self, number: int) -> bool:
        """Is what was told under this number no more? One who is behind never sees it."""
        key, known = self.told[number]
        return self.things.get(key) is not known


class Reader:
    """Steps for a log: what the line brings, in order, and pages that take their time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.at = server.head  # changes heard
        self.asked: dict[str, tuple[str, dict[str, int]]] = {}
        self.given: dict[str, State] = {}
        first = server.messages[-FIRST:]
        start = len(server.messages) <= FIRST
        self.steps: list[Step] = [["new", {"epoch": "one", "head": server.head}]]
        self.steps.append(["begin", first, start])
        for known in server.reactions([one["id"] for one in first]):
            self.steps.append(["take", "reaction", known])
        topic = server.things.get(("settings", 0))
        if topic:
            self.steps.append(["take", "settings", topic])

    def hear(self, behind: bool) -> None:
        """The next change; to one who is behind nothing that is overtaken is told."""
        while self.at < self.server.head:
            (kind, _), known = self.server.told[self.at]
            over = self.server.overtaken(self.at)
            self.at += 1
            if not (behind and over):
                self.steps.append(["take", kind, known])
                return

    def ask(self, name: str, query: dict[str, int]) -> None:
        if name not in self.asked:
            self.asked[name] = (name, query)
            self.steps.append(["ask", name, query])

    def give(self, name: str) -> None:
        """The server reads the page."""
        if name in self.asked and name not in self.given:
            self.given[name] = self.server.page(self.asked[name][1])

    def merge(self, name: str) -> None:
        if name in self.given:
            self.steps.append(["merge", name, self.given.pop(name)])
            del self.asked[name]

    def afresh(self) -> None:
        topic = self.server.things.get(("settings", 0), {}).get("topic", "")
        self.at = self.server.head
        self.steps.append(["afresh", "one", self.at, {"topic": topic}])

    def finish(self) -> None:
        while self.at < self.server.head:
            self.hear(False)
        for name in list(self.asked):
            self.give(name)
            self.merge(name)


Move = tuple[str, int, int, str]
NUMBERS = st.integers(0, 40)
USERS = st.sampled_from(["ana", "ben"])


def moves(*acts: str) -> st.SearchStrategy[Move]:
    return st.tuples(st.sampled_from(acts), NUMBERS, NUMBERS, USERS)


PAST = st.lists(moves("change"), min_size=15, max_size=40)
# A page is asked for, the server reads it before or after some of what happens, then it comes.
MIDDLE = st.lists(moves("change", "change", "hear", "read", "trim"), min_size=1, max_size=8)
ROUND = st.builds(
    lambda ask, middle, last: [ask, *middle, *last],
    moves("ask"),
    MIDDLE,
    st.sampled_from([[("merge", 0, 0, "ana"), ("merge", 0, 0, "ben")], [("afresh", 0, 0, "")], []]),
)
ROUNDS = st.lists(ROUND, min_size=1, max_size=6).map(lambda rounds: list(chain(*rounds)))


def query(state: State, what: int, which: int) -> dict[str, int]:
    """What a page is asked for: where the run ends, the log alone knows."""
    choices: list[dict[str, int]] = [{}, {"around": which + 1}]
    if state["level"] and state["from"]:
        choices += [{"before": state["from"]}] * 2
    if state["level"] and state["to"]:
        choices += [{"after": state["to"]}] * 2
    return choices[what % len(choices)]


def play(driver: Driver, past: list[Move], moves: list[Move]) -> tuple[Server, State]:
    server = Server()
    for _, what, which, user in past:
        server.change(what if which % 3 else 0, which, user)
    reader = Reader(server)
    for act, what, which, user in moves:
        if act == "change":
            server.change(what, which, user)
        elif act == "hear":
            for _ in range(1 + which % 6):
                reader.hear(bool(what % 2))
        elif act == "ask":
            reader.ask(user, query(driver.run(reader.steps), what, which))
            if which % 2:
                reader.give(user)
        elif act == "read":
            reader.give(user)
        elif act == "merge":
            reader.merge(user)
        elif act == "trim":
            run = driver.run(reader.steps)
            loaded = [known["id"] for known in run["messages"]]
            if run["level"] and len(loaded) > 4:
                edges = [[loaded[which % 4], 2**53], [0, loaded[-1 - which % 4]]]
                reader.steps.append(["trim", *edges[what % 2]])
        else:
            reader.afresh()
    reader.finish()
    if not driver.run(reader.steps)["level"]:
        reader.steps += [["ask", "last", {}], ["merge", "last", server.page({})]]
    return server, driver.run(reader.steps)


@settings(report_multiple_bugs=False, max_examples=int(os.environ.get("EXAMPLES", "300")))
@given(PAST, ROUNDS)
def test_any_order_ends_with_the_newest_states(
    driver: Driver, past: list[Move], moves: list[Move]
) -> None:
    server, state = play(driver, past, moves)
    upto = 2**53 if state["to"] is None else state["to"]
    loaded = [known for known in server.messages if state["from"] <= known["id"] <= upto]
    assert state["messages"] == loaded
    assert state["reactions"] == [server.reactions([known["id"]]) for known in loaded]
    topic = server.things.get(("settings", 0), {}).get("topic", "")
    assert (state["settings"] or {"topic": ""})["topic"] == topic
