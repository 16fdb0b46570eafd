"""What a first visit costs: requests, bytes, shifts; and what happens when part of it fails."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

from playwright.sync_api import Response, expect

from .conftest import People
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
    sizes = {"document": 0, "stylesheet": 0, "script": 0}
    for answer in answers:
        kind = answer.request.resource_type
        if kind in sizes:
            sizes[kind] += len(gzip.compress(answer.body()))
    assert 0 < len(before_the_line) <= 24, before_the_line
    assert sizes["document"] <= 14_000
    assert sizes["stylesheet"] <= 12_000
    assert sizes["script"] <= 35_000
    assert sum(sizes.values()) <= 65_000


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
    ana.ready()
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
    link = ana.page.get_by_role("link")
    link.click()
    expect(ana.page.get_by_role("button", name=re.compile("^Join #"))).to_be_visible()
