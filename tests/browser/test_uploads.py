"""Files on their way to the server: once, whatever happens meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Locator, Route, expect

from .conftest import People
from .giving import PDF, attach, chip, chips, drawn, kept, staged, waiting
from .line import Line, wait_until
from .people import Visitor
from .server import Server
from .test_access import PHONE, violations

UPLOADS = re.compile(r"/files\?name=")
Ends = Callable[[Route], Any]


class Way:
    """The uploads of a browser: held on their way, refused, cut, or let through."""

    def __init__(self, context: BrowserContext) -> None:
        self.begun = 0
        self.held: list[Route] = []
        self.holding = True
        self.end: Ends | None = None  # what becomes of the next one, in place of being held
        context.route(UPLOADS, self._come)

    def _come(self, route: Route) -> None:
        self.begun += 1
        end, self.end = self.end, None
        if end:
            end(route)
        elif self.holding:
            self.held.append(route)
        else:
            route.continue_()

    def release(self) -> None:
        """All that is held goes on, and what comes later is not held."""
        self.holding = False
        for route in self.held:
            route.continue_()
        self.held.clear()

    def wait(self, visitor: Visitor, number: int) -> None:
        """Until so many are under way."""
        wait_until(visitor.page, lambda: len(self.held) == number, f"{number} uploads are held")


def refuse(status: int, code: str, detail: str) -> Ends:
    """As the server refuses, without its having to be full."""
    body = json.dumps({"code": code, "detail": detail})
    return lambda route: route.fulfill(status=status, content_type="application/json", body=body)


def send_files(visitor: Visitor, text: str, *files: dict[str, Any]) -> Locator:
    """A message with files; its row."""
    attach(visitor, *files)
    for file in files:
        chip(visitor, file["name"])
    visitor.composer.fill(text)
    visitor.send.tap() if visitor.touches else visitor.send.click()
    return visitor.row(text)


def note(text: str, name: str = "note.txt") -> dict[str, Any]:
    """A small file."""
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


def brings(visitor: Visitor) -> bool:
    """Whether it is this tab that uploads; another one waits for it."""
    mine = """() => navigator.locks.query().then(({ held }) => {
        const who = (end) => held.find(({ name }) => name.endsWith(end))?.clientId;
        return [who(':uploading'), who(':first')];
    })"""
    uploads, first = visitor.page.evaluate(mine)
    return bool(uploads == first)


def has_once(visitor: Visitor, text: str, *names: str) -> None:
    """One row with this text is there, and the message has these files."""
    visitor.shows_once(text)
    room = visitor.page.evaluate("JSON.parse(document.getElementById('boot').textContent).room")
    address = f"{visitor.server.origin}/r/{room}/messages"
    answer = visitor.context.request.get(address, headers={"Accept": "application/json"})
    said = [change for change in answer.json()["changes"] if change.get("text") == text]
    assert [[file["name"] for file in message["files"]] for message in said] == [list(names)]


def nothing_waits(visitor: Visitor) -> None:
    """No entry is left on the disk."""
    wait_until(visitor.page, lambda: waiting(visitor) == [], "nothing waits")


def test_files_arrive_with_their_message_and_leave_the_browser(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    send_files(ana, "two things", drawn(ana, "boat.png", 64, 48, "image/png"), PDF)
    locals_ = [file["local"] for file in waiting(ana)[0]["files"]] if waiting(ana) else []
    for visitor in (ana, ben):
        has_once(visitor, "two things", "boat.png", "points.pdf")
    assert chips(ana).count() == 0
    nothing_waits(ana)
    for local in locals_:
        wait_until(ana.page, lambda name=local: kept(ana, name) is None, "it has left the shelf")


def test_a_message_waits_for_its_files_and_nothing_waits_for_it(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    row = send_files(ana, "with a note", note("one"))
    way.wait(ana, 1)
    expect(row).to_have_attribute("data-state", "pending")
    ana.says("without")
    ben.shows("without")
    way.release()
    has_once(ben, "with a note", "note.txt")
    ben.shows("without", "with a note")
    ana.shows("without", "with a note")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_the_row_says_how_far_it_is(
    people: People, room: str, options: dict[str, Any], scheme: str
) -> None:
    ana = people("Ana", **options, color_scheme=scheme).enter(room)
    way = Way(ana.context)
    row = send_files(ana, "slowly", note("one", "one.txt"), note("three", "two.txt"))
    way.wait(ana, 2)
    bar = row.get_by_role("progressbar", name="Sending")
    expect(bar).to_be_visible()
    end = row.locator(".file").last.evaluate("chip => chip.getBoundingClientRect().bottom")
    assert row.locator(".st").evaluate("line => line.getBoundingClientRect().top") >= end
    way.held.pop().continue_()
    expect(bar).not_to_have_js_property("value", 0)
    assert violations(ana.page) == []
    way.release()
    has_once(ana, "slowly", "one.txt", "two.txt")
    expect(bar).to_have_count(0)


def test_a_message_is_taken_back_while_its_files_are_on_their_way(
    people: People, room: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    row = send_files(ana, "not yet", note("one"))
    way.wait(ana, 1)
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_have_count(0)
    expect(ana.composer).to_have_value("not yet")
    chip(ana, "note.txt")
    nothing_waits(ana)
    way.release()
    ana.send.click()
    has_once(ben, "not yet", "note.txt")


def test_a_line_that_is_lost_in_the_middle_costs_nothing(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    way = Way(ana.context)
    row = send_files(ana, "through a tunnel", note("one", "1.txt"), note("two", "2.txt"))
    way.wait(ana, 2)
    line.cut(refusing=True)
    expect(row).to_have_attribute("data-state", "queued")
    for route in way.held:
        route.abort()
    way.held.clear()
    line.refusing = False
    way.wait(ana, 2)
    way.release()
    for visitor in (ana, ben):
        has_once(visitor, "through a tunnel", "1.txt", "2.txt")


def test_a_reload_in_the_middle_costs_nothing(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    send_files(ana, "over a reload", PDF)
    way.wait(ana, 1)
    way.held.clear()
    ana.page.reload()
    ana.ready()
    way.wait(ana, 1)
    way.release()
    for visitor in (ana, ben):
        has_once(visitor, "over a reload", "points.pdf")


def test_a_tab_that_is_closed_in_the_middle_leaves_it_to_another(people: People, room: str) -> None:
    one, ben = people("Ana").enter(room), people("Ben").enter(room)
    two = one.tab()
    two.open(room)
    two.ready().whole()
    way = Way(one.context)
    send_files(one, "left behind", PDF)
    way.wait(one, 1)
    expect(two.row("left behind")).to_have_attribute("data-state", "pending")
    assert way.begun == 1
    way.held.clear()
    one, two = (one, two) if brings(one) else (two, one)
    one.page.close()
    way.wait(two, 1)
    way.release()
    for visitor in (two, ben):
        has_once(visitor, "left behind", "points.pdf")


def test_a_server_that_is_killed_in_the_middle_has_it_once_in_the_end(
    people: People, own_server: Server
) -> None:
    ana, ben = (people(name, own_server).enter("den") for name in ("Ana", "Ben"))
    way = Way(ana.context)
    send_files(ana, "through a kill", PDF)
    way.wait(ana, 1)
    own_server.kill()
    way.release()
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    own_server.start()
    for visitor in (ana, ben):
        visitor.online()
        has_once(visitor, "through a kill", "points.pdf")


SLOW = 40_000  # bytes a second: a file takes some seconds, and is cut in its middle


def in_its_middle(visitor: Visitor, text: str) -> CDPSession:
    """A message whose file has gone in part, over a thin line, which is returned."""
    line = visitor.context.new_cdp_session(visitor.page)
    line.send("Network.enable")
    bandwidth(line, SLOW)
    row = send_files(visitor, text, PDF)
    bar = row.get_by_role("progressbar")
    wait_until(
        visitor.page,
        lambda: bar.count() and 0.1 < bar.evaluate("bar => bar.value") < 0.9,
        "a part has gone",
        seconds=20,
    )
    return line


def bandwidth(line: CDPSession, upload: int, *, offline: bool = False) -> None:
    """How much the line takes from now on; -1: all."""
    how = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
    line.send("Network.emulateNetworkConditions", how)


def test_bytes_that_went_before_the_line_was_lost_go_again(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    line = in_its_middle(ana, "half of it")
    bandwidth(line, -1, offline=True)
    expect(ana.row("half of it")).to_have_attribute("data-state", "queued")
    bandwidth(line, -1)
    for visitor in (ana, ben):
        has_once(visitor, "half of it", "points.pdf")


def test_bytes_that_a_killed_server_had_are_nowhere_and_go_again(
    people: People, own_server: Server
) -> None:
    ana, ben = (people(name, own_server).enter("den") for name in ("Ana", "Ben"))
    line = in_its_middle(ana, "half of it")
    own_server.kill()
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    bandwidth(line, -1)
    own_server.start()
    for visitor in (ana, ben):
        visitor.online()
        has_once(visitor, "half of it", "points.pdf")
    files = [path for path in (own_server.data / "files").rglob("*") if path.is_file()]
    assert [path.stat().st_size for path in files] == [len(PDF["buffer"])]


def test_an_answer_that_is_lost_costs_another_upload_and_no_other_message(
    people: People, room: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    way.holding = False
    way.end = lambda route: (route.fetch(), route.abort())
    send_files(ana, "twice there", PDF)
    for visitor in (ana, ben):
        has_once(visitor, "twice there", "points.pdf")
    assert way.begun == 2


def test_what_waits_in_another_room_is_brought_there(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    send_files(ana, "from elsewhere", PDF)
    way.wait(ana, 1)
    way.held.clear()
    ana.open(f"{room}-other")
    ana.ready().whole()
    way.wait(ana, 1)
    way.release()
    has_once(ben, "from elsewhere", "points.pdf")
    nothing_waits(ana)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (refuse(413, "quota", "Your files take 200 MB."), "Your files take 200 MB."),
        (
            lambda route: route.fulfill(status=413, body="<h1>413</h1>"),
            "The proxy in front of this server takes no file that large.",
        ),
    ],
    ids=["the server's", "a proxy's"],
)
def test_a_refusal_for_good_is_told_in_the_row(
    people: People, room: str, end: Ends, sentence: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    way = Way(ana.context)
    way.end = end
    row = send_files(ana, "too much", PDF)
    expect(row).to_contain_text(f"Not sent. {sentence}")
    assert violations(ana.page) == []
    way.holding = False
    row.get_by_role("button", name="Try again").click()
    has_once(ben, "too much", "points.pdf")


def test_what_was_not_sent_goes_back_into_the_box_with_its_files(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    way = Way(ana.context)
    way.end = refuse(413, "quota", "Full.")
    row = send_files(ana, "once more", PDF)
    row.get_by_role("button", name="Edit").click()
    expect(ana.composer).to_have_value("once more")
    chip(ana, "points.pdf")
    local = staged(ana, room)[0]["local"]
    assert kept(ana, local)["bytes"] == len(PDF["buffer"])


def test_what_is_discarded_leaves_the_browser(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    way = Way(ana.context)
    way.end = refuse(413, "quota", "Full.")
    row = send_files(ana, "never mind", PDF)
    expect(row).to_have_attribute("data-state", "failed")
    local = waiting(ana)[0]["files"][0]["local"]
    row.get_by_role("button", name="Discard").click()
    wait_until(ana.page, lambda: kept(ana, local) is None, "it has left the shelf")
    assert chips(ana).count() == 0


def test_a_file_the_server_has_no_more_is_brought_again_once(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    way = Way(ana.context)
    way.holding = False
    told = "A file of this message is not on the server any more."
    no_file = {"type": "refused", "code": "no_file", "detail": told, "to": "say"}
    refusals = [no_file, no_file, no_file]
    line.on_say = lambda frame: (refusals and {**refusals.pop(), "cid": frame["cid"]}) or None
    row = send_files(ana, "swept", PDF)
    expect(row).to_contain_text(told)
    assert way.begun == 2
    row.get_by_role("button", name="Try again").click()
    has_once(ben, "swept", "points.pdf")
    cids = {frame["cid"] for frame in line.says("say")}
    assert len(cids) == 1
