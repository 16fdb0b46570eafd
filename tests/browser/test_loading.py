"""What a first visit costs: requests, bytes, shifts; and what happens when part of it fails."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Response, Route, expect

from .conftest import People
from .people import Visitor
from .server import Voice

Speak = Callable[..., Voice]

SHIFTS = """() => new Promise(resolve => {
  let sum = 0;
  const add = list => { for (const e of list) if (!e.hadRecentInput) sum += e.value; };
  const observer = new PerformanceObserver(list => add(list.getEntries()));
  observer.observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => {
    add(observer.takeRecords()); resolve(sum);
  }));
})"""


def test_the_first_load_is_small(people: People, voice: Speak, room: str) -> None:
    sentence = "Two things left before we tag: the reconnect test and the empty-room copy. "
    voice().say(*(f"{number}: {sentence}" for number in range(50)))
    ana = people("Ana")
    ana.join(room)
    answers: list[Response] = []
    before_the_line: list[str] = []
    ana.page.on("response", lambda answer: answers.append(answer))
    ana.page.on("websocket", lambda _: before_the_line.extend(answer.url for answer in answers))
    ana.open(room)
    ana.ready()
    ana.page.wait_for_load_state("networkidle")
    sizes = {"document": 0, "stylesheet": 0, "script": 0, "later": 0}
    for answer in answers:
        kind = answer.request.resource_type
        kind = "later" if kind == "script" and answer.url not in before_the_line else kind
        if kind in sizes:
            sizes[kind] += len(gzip.compress(answer.body()))
    assert 0 < len(before_the_line) <= 24, before_the_line
    assert sizes["document"] <= 14_000
    assert sizes["stylesheet"] <= 14_000
    assert sizes["script"] <= 40_000
    assert sizes["later"] <= 76_000
    assert sum(sizes.values()) - sizes["later"] <= 65_000


def test_every_module_the_line_needs_is_preloaded(people: People, room: str) -> None:
    ana = people("Ana")
    requests: list[str] = []
    modules: list[str] = []
    ana.page.on("request", lambda request: requests.append(request.url))
    ana.page.on("websocket", lambda _: modules.extend(requests))
    ana.enter(room)
    preloaded = ana.page.locator("link[rel=modulepreload]").evaluate_all(
        "all => all.map(e => e.href)"
    )
    used = {url for url in modules if url.endswith(".js")}
    assert used
    assert used <= set(preloaded)


def test_a_second_load_transfers_only_the_page(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.open(room)
    ana.ready().whole()
    again = """() => performance.getEntriesByType('resource')
        .filter(entry => entry.transferSize > 0 && entry.name.includes('/static/'))
        .map(entry => entry.name)"""
    assert ana.page.evaluate(again) == []


def test_nothing_shifts_while_loading_and_talking(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    sam.say(*(f"line {number}" for number in range(60)))
    ana = people("Ana").enter(room)
    ana.at_the_end()
    for number in range(20):
        sam.command("typing")
        sam.say(f"live {number}")
    expect(ana.row("live 19")).to_have_count(1)
    assert ana.page.evaluate(SHIFTS) <= 0.02


CODE = "\n".join(f"const line{number} = compute({number}); // and so on" for number in range(12))
MIXED = [
    "**Morning!** The build is *green* again, see https://example.org/a/rather/long/address?x=1",
    f"```\n{CODE}\n```",
    "> what was said\n> on two lines\n\nand the answer to it",
    "🎉",
    "A long one. " + "Two things are left before we tag: the test and the empty copy. " * 12,
    "صباح الخير! سأراجع النصوص الآن.",
    f"```\n{CODE}\n{CODE}\n{CODE}\n```",
    "ok",
    "~~not this~~ `but this`",
    "first\n\n\n\n\n\nlast",
]
SCREENS = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}

# The page as if its messages had come on several days.
DAYS_APART = """new MutationObserver(() => {
  document.querySelectorAll('.log time[datetime]:not([datetime^="2026-10"])').forEach((time) => {
    const number = Number(time.closest('.msg').dataset.id);
    time.dateTime = new Date(Date.UTC(2026, 9, 1 + number / 8, 9, number % 60)).toISOString();
  });
}).observe(document, {childList: true, subtree: true});"""


def wait(route: Route) -> None:
    """A file that is not there at once, as on any line but localhost."""
    route.request.frame.page.wait_for_timeout(300)
    route.continue_()


def settled(visitor: Visitor) -> float:
    """How far things were shifted until the page has all its parts."""
    visitor.ready()
    visitor.page.wait_for_load_state("networkidle")
    shifts: float = visitor.page.evaluate(SHIFTS)
    return shifts


@pytest.mark.parametrize("slow", ["", "modules", "processor"])
@pytest.mark.parametrize("screen", SCREENS)
def test_the_first_paint_of_a_mixed_list_is_the_last(
    people: People, voice: Speak, room: str, screen: str, slow: str
) -> None:
    voice().say(*(MIXED * 5))
    ana = people("Ana", viewport=SCREENS[screen])
    ana.join(room)
    ana.context.add_init_script(DAYS_APART)
    if slow == "modules":
        ana.page.route("**/*.js", wait)
    if slow == "processor":
        line = ana.context.new_cdp_session(ana.page)
        line.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    ana.open(room)
    assert settled(ana) <= 0.02
    ana.at_the_end()
    assert ana.page.locator(".day").count() > 3
    ana.page.reload()
    assert settled(ana) <= 0.02


def test_a_list_whose_scripts_are_late_is_shown_as_it_was_typed(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(MIXED * 5))
    ana = people("Ana")
    ana.join(room)
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    expect(ana.rows.last).to_be_visible()
    expect(ana.rows.last).to_be_in_viewport()


def test_the_page_marks_when_it_is_ready(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    marks = ana.page.evaluate("performance.getEntriesByType('mark').map(mark => mark.name)")
    assert {"composer-ready", "list-ready", "socket-ready"} <= set(marks)


def test_no_permission_is_asked_for(people: People, room: str) -> None:
    ana = people("Ana")
    ana.context.add_init_script(
        """window.asked = 0;
        Notification.requestPermission = async () => { window.asked++; return 'default'; };"""
    )
    ana.enter(room)
    ana.says("hello")
    assert ana.page.evaluate("window.asked") == 0


def test_modules_that_do_not_load_are_owned_up_to(people: People, room: str) -> None:
    ana = people("Ana")
    ana.join(room)
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    line = ana.page.get_by_text("The page did not finish loading.")
    expect(line).to_be_visible()
    expect(ana.page.get_by_role("link", name="Reload")).to_be_visible()


def test_a_page_that_loaded_does_not_claim_otherwise(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.wait_for_timeout(5_500)
    expect(ana.page.get_by_text("The page did not finish loading.")).to_be_hidden()


def test_an_unknown_address_is_answered_in_plain_words(people: People) -> None:
    ana = people("Ana")
    answer = ana.page.goto(f"{ana.server.origin}/r/no%20such%21room")
    assert answer
    assert answer.status == 404
    expect(ana.page.get_by_text("This room does not exist or was removed")).to_be_visible()
    expect(ana.page.get_by_role("link", name="Open #no-such-room")).to_be_visible()
    ana.page.get_by_role("link", name="Go to the first room").click()
    expect(ana.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
