"""Nothing typed is lost: drafts of two tabs, half an edit, other rooms, a disk that refuses."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, expect

from .conftest import People
from .line import SWALLOWED, Line, wait_until
from .people import Visitor
from .server import Server
from .test_editing import editor

KEYS = "() => Object.keys(localStorage)"
FULL = """leave => {
  let size = 1 << 22, n = 0;
  while (size >= 1) {
    try { localStorage.setItem(`other:${n++}`, 'x'.repeat(size)); } catch { size >>= 1; }
  }
  localStorage.setItem('other:0', localStorage.getItem('other:0').slice(leave));
}"""
DEAF = "addEventListener('storage', event => event.stopImmediatePropagation())"  # between tabs
EMPTY = "() => Object.keys(localStorage).filter(k => /^other:/.test(k))\
.forEach(k => localStorage.removeItem(k))"


def kept(visitor: Visitor) -> list[str]:
    """Every key this browser keeps for the chat."""
    keys: list[str] = visitor.page.evaluate(KEYS)
    return [key for key in keys if key.startswith("chat:")]


def put(visitor: Visitor, end: str, value: str) -> None:
    """Writes under the person's own key that ends so, as a torn write would have left it."""
    write = """([end, value]) => {
        const { you } = JSON.parse(document.getElementById("boot").textContent);
        localStorage.setItem(`chat:/:${you.user}:${end}`, value); }"""
    visitor.page.evaluate(write, [end, value])


def second_tab(visitor: Visitor, room: str) -> Visitor:
    """The same person's second tab in a room."""
    other = visitor.tab()
    other.open(room)
    return other.ready()


def entry(visitor: Visitor, room: str) -> Locator:
    """A room's line in the list of rooms."""
    return visitor.page.get_by_role("navigation", name="Rooms").locator(f'a[data-room="{room}"]')


# -- drafts of two tabs


def test_an_empty_second_tab_erases_no_draft(people: People, room: str) -> None:
    one = people("Ana")
    one.context.add_init_script(DEAF)
    one.enter(room)
    two = second_tab(one, room)
    one.composer.fill("written in the first tab")
    one.page.close()
    two.page.reload()
    two.ready()
    expect(two.composer).to_have_value("written in the first tab")
    two.open(f"{room}-b")
    two.ready()
    two.open(room)
    expect(two.composer).to_have_value("written in the first tab")


def test_a_draft_is_taken_over_by_a_tab_nobody_has_typed_in(people: People, room: str) -> None:
    one = people("Ana").enter(room)
    two = second_tab(one, room)
    one.composer.fill("begun in the first tab")
    expect(two.composer).to_have_value("begun in the first tab")
    two.composer.press("Enter")
    expect(one.composer).to_have_value("")
    one.page.reload()
    expect(one.ready().composer).to_have_value("")
    one.shows("begun in the first tab")


def test_two_drafts_of_two_tabs_are_both_kept(people: People, room: str) -> None:
    one = people("Ana")
    one.context.add_init_script(DEAF)
    one.enter(room)
    two = second_tab(one, room)
    one.composer.fill("from the first")
    wait_until(one.page, lambda: [k for k in kept(one) if k.endswith(":draft")], "it is saved")
    two.composer.press_sequentially("from the second")  # behind what has come from the server
    two.page.close(run_before_unload=True)
    wait_until(one.page, lambda: len(one.context.pages) == 1, "the second tab is closed")
    one.open(f"{room}-b")
    one.ready()
    one.open(room)
    expect(one.ready().composer).to_have_value(re.compile("from the first"))
    expect(one.composer).to_have_value(re.compile("from the second"))


# -- half an edit


def test_half_an_edit_survives_a_reload(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("as it was", "another")
    ana.act(ana.row("as it was"), "Edit")
    editor(ana).fill("as it is going to")
    ana.page.reload()
    ana.ready()
    expect(editor(ana)).to_have_value("as it is going to")
    editor(ana).press("Escape")
    ana.page.reload()
    ana.ready()
    ana.act(ana.row("as it was"), "Edit")
    expect(editor(ana)).to_have_value("as it was")
    assert not [key for key in kept(ana) if ":edit:" in key]


def test_half_an_edit_of_a_message_deleted_meanwhile_goes_into_the_composer(
    people: People, room: str
) -> None:
    one = people("Ana")
    one.clock()
    one.enter(room)
    one.says("doomed", "stays")
    two = second_tab(one, room)
    one.act(one.row("doomed"), "Edit")
    editor(one).fill("doomed, but worth keeping")
    two.act(two.row("doomed"), "Delete")
    two.page.clock.fast_forward(7_000)
    expect(one.composer).to_have_value("doomed, but worth keeping")
    expect(one.page.get_by_text("is not here any more")).to_be_visible()
    one.shows("stays")


def test_half_an_edit_of_a_message_that_is_gone_after_a_reload_is_offered(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    ana.says("long ago")
    ana.act(ana.row("long ago"), "Edit")
    editor(ana).fill("long ago, half changed")
    two = second_tab(ana, f"{room}-b")
    ana.page.close()
    number = 1
    answer = two.page.evaluate(
        """async ([room, id]) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/r/${room}/ws`);
        await new Promise(done => socket.onopen = done);
        socket.send(JSON.stringify({type: 'delete', cid: 'another-tab', id}));
        for (;;) {
          const {data} = await new Promise(done => socket.onmessage = done);
          if (JSON.parse(data).cid === 'another-tab') break;
        }
        socket.close();
        return true; }""",
        [room, number],
    )
    assert answer
    two.open(room)
    two.ready()
    expect(two.composer).to_have_value("long ago, half changed")


# -- edits and deletions that wait


def test_an_edit_made_offline_is_still_made_after_a_reload(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("before")
    line.cut(refusing=True)
    ana.composer.press("ArrowUp")
    editor(ana).fill("after")
    editor(ana).press("Enter")
    ana.page.reload()
    expect(ana.html).to_have_attribute("data-ready", "")
    expect(ana.row("after")).to_have_attribute("data-state", "queued")
    line.refusing = False
    ana.online()
    ben.shows("after")
    ana.shows_once("after")


def test_a_deletion_made_offline_is_still_made_after_a_reload(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("keep", "regret")
    line.cut(refusing=True)
    ana.act(ana.row("regret"), "Delete")
    ana.page.reload()
    expect(ana.html).to_have_attribute("data-ready", "")
    expect(ana.page.get_by_text("Message deleted.")).to_be_visible()
    expect(ana.page.get_by_role("button", name="Undo")).to_have_count(0)
    line.refusing = False
    ana.online()
    ben.shows("keep")
    ana.shows("keep")


def test_the_second_of_two_quick_edits_survives_the_echo_of_the_first(
    people: People, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("zero")
    line.hold()
    for text in ("one", "two"):
        ana.composer.press("ArrowUp")
        editor(ana).fill(text)
        editor(ana).press("Enter")
    wait_until(ana.page, lambda: line.says("edit"), "the first is on its way")
    ben.shows("one")
    assert [frame["text"] for frame in line.says("edit")] == ["one"]
    line.on_up = lambda frame: SWALLOWED if frame["type"] == "edit" else None
    line.release()
    wait_until(ana.page, lambda: len(line.says("edit")) == 2, "the echo has let the second out")
    line.on_up = lambda frame: None
    line.cut()
    ana.online()
    ben.shows("two")
    ana.shows_once("two")


def test_of_two_edits_made_offline_only_the_newest_is_sent(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("zero")
    line.cut(refusing=True)
    for text in ("one", "two"):
        ana.composer.press("ArrowUp")
        editor(ana).fill(text)
        editor(ana).press("Enter")
    line.refusing = False
    ana.online()
    ben.shows("two")
    ana.shows_once("two")
    assert [frame["text"] for frame in line.says("edit")] == ["two"]


def test_an_edit_comes_through_the_end_of_a_killed_server(
    people: People, own_server: Server, room: str
) -> None:
    ana, ben = people("Ana", own_server), people("Ben", own_server)
    line = Line(ana.page)
    ana.enter(room)
    ben.enter(room)
    ana.says("before the end")
    ben.shows("before the end")
    line.hold()
    ana.composer.press("ArrowUp")
    editor(ana).fill("after the end")
    editor(ana).press("Enter")
    wait_until(ana.page, lambda: line.says("edit"), "it is on its way")
    own_server.kill()
    line.release()
    own_server.start()
    ana.online()
    ben.online()
    ben.shows("after the end")
    ana.shows_once("after the end")


def test_a_refused_edit_gives_its_text_back(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    ana.says("mine")
    line.on_up = lambda frame: (
        {"type": "refused", "cid": frame["cid"], "code": "deleted", "detail": "It was deleted."}
        if frame["type"] == "edit"
        else None
    )
    ana.composer.press("ArrowUp")
    editor(ana).fill("mine, but better")
    editor(ana).press("Enter")
    expect(ana.composer).to_have_value("mine, but better")
    expect(ana.row("mine")).to_have_attribute("data-state", "sent")
    assert not [key for key in kept(ana) if ":outbox:" in key]


def test_in_another_history_an_edit_gives_its_text_back_and_a_deletion_is_dropped(
    people: People, room: str
) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("one", "two")
    line.cut(refusing=True)
    ana.act(ana.row("one"), "Edit")
    editor(ana).fill("one, changed")
    editor(ana).press("Enter")
    ana.act(ana.row("two"), "Delete")
    ana.page.evaluate("dispatchEvent(new Event('pagehide'))")

    def restored(event: dict[str, Any]) -> dict[str, Any]:
        another = {"epoch": "another", "afresh": True}
        return {**event, **another} if event["type"] == "welcome" else event

    def page_of_it(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "epoch": "another"})

    ana.page.route("**/messages?*", page_of_it)
    line.on_event = restored
    line.refusing = False
    ana.online()
    expect(ana.composer).to_have_value("one, changed")
    expect(ana.page.get_by_role("status").get_by_text("replaced by a backup")).to_be_visible()
    ana.says("three")
    ben.shows("one", "two", "three")
    assert not line.says("edit", "delete")


def wait_with(visitor: Visitor, room: str, cid: str, command: str, **fields: Any) -> None:
    """Puts a command on the page's disk, as a page of the same history would."""
    epoch = visitor.page.evaluate("JSON.parse(document.querySelector('#boot').textContent).epoch")
    at = 1 + len(kept(visitor))  # after what waits already
    entry = {"command": command, "fields": fields, "at": at, "epoch": epoch}
    put(visitor, f"{room}:outbox:{cid}", json.dumps(entry))


def test_a_reaction_and_a_topic_that_wait_are_sent_and_confirmed(
    people: People, room: str, voice: Any
) -> None:
    ana, sam = people("Ana").enter(room), voice()
    (number,) = sam.say("worth it")
    ana.shows("worth it")
    wait_with(ana, room, "reaction", "react", id=number, emoji="👍", on=True)
    wait_with(ana, room, "settings", "room", topic="tea")
    ana.page.reload()
    ana.ready()
    assert sam.hear("reaction")["cid"] == "reaction"
    assert sam.hear("settings")["topic"] == "tea"
    wait_until(
        ana.page, lambda: not [key for key in kept(ana) if ":outbox:" in key], "both are confirmed"
    )


def test_a_refused_reaction_is_told_in_words(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("something")
    wait_with(ana, room, "reaction", "react", id=999, emoji="👍", on=True)
    ana.page.reload()
    ana.ready()
    expect(ana.page.get_by_role("alert")).to_have_text("That message does not exist.")
    assert not [key for key in kept(ana) if ":outbox:" in key]
    expect(ana.composer).to_have_value("")


# -- what waits in a room nobody has open


def test_a_message_waiting_in_another_room_is_sent_from_any_page(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    line.cut(refusing=True)
    ana.say("written offline")
    ana.say("and another")
    expect(ana.rows).to_have_count(2)
    ana.context.route(f"**/r/{room}", lambda route: route.abort())
    ana.open(f"{room}-b")
    expect(ana.html).to_have_attribute("data-ready", "")
    expect(entry(ana, room)).to_contain_text("2 waiting")
    ana.context.unroute(f"**/r/{room}")
    line.refusing = False
    ana.online()
    ben.shows("written offline", "and another")
    expect(entry(ana, room)).not_to_contain_text("waiting")
    assert not line.says("say")
    assert not [key for key in kept(ana) if ":outbox:" in key]


def test_an_answer_waiting_in_another_room_says_what_it_answers(
    people: People, room: str, voice: Any
) -> None:
    ana, sam = people("Ana").enter(room), voice()
    (number,) = sam.say("which?")
    ana.shows("which?")
    ana.open(f"{room}-b")
    ana.ready()
    wait_with(ana, room, "the-answer", "say", text="this one", reply=number)
    ana.page.reload()
    assert sam.hear("message")["reply"] == number
    expect(entry(ana, room)).not_to_contain_text("waiting")


def test_a_message_another_room_refuses_is_marked_and_kept_there(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)
    ana.enter(room)
    line.cut(refusing=True)
    ana.say("not welcome")
    expect(ana.row("not welcome")).to_have_count(1)
    body = json.dumps({"code": "too_long", "detail": "That is too long."})
    refusing = f"**/r/{room}"

    def refuse(route: Any) -> None:
        if route.request.method == "POST":
            route.fulfill(status=413, content_type="application/json", body=body)
        else:
            route.continue_()

    ana.context.route(refusing, refuse)
    ana.open(f"{room}-b")
    line.refusing = False
    ana.online()
    expect(entry(ana, room)).to_contain_text("1 not sent")
    ana.open(room)
    ana.ready()
    expect(ana.row("not welcome")).to_have_attribute("data-state", "failed")
    expect(ana.row("not welcome")).to_contain_text("That is too long.")


def test_an_edit_waiting_in_another_room_waits_for_its_room(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    ana.says("before")
    line.cut(refusing=True)
    ana.composer.press("ArrowUp")
    editor(ana).fill("after")
    editor(ana).press("Enter")
    ana.open(f"{room}-b")
    line.refusing = False
    ana.ready()
    expect(entry(ana, room)).to_contain_text("1 waiting")
    ana.open(room)
    ana.ready()
    ben.shows("after")
    wait_until(
        ana.page, lambda: not [key for key in kept(ana) if ":outbox:" in key], "it is confirmed"
    )


# -- a disk that refuses


def test_with_a_full_disk_a_new_room_still_opens(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(f"{room}-b")
    ana.page.evaluate(FULL, 12)
    ana.open(f"{room}-b")
    ana.ready()
    ana.says("hello")
    ben.shows("hello")


def test_what_a_full_disk_does_not_take_asks_before_it_goes(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.evaluate(FULL, 0)
    ana.composer.press_sequentially("nowhere to put this")
    ana.page.wait_for_timeout(500)
    asked: list[str] = []
    ana.page.remove_listener("dialog", ana._dialog)

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ana.page.on("dialog", stay)
    ana.page.close(run_before_unload=True)
    wait_until(ana.page, lambda: asked, "the browser asks")
    assert asked == ["beforeunload"]
    expect(ana.composer).to_have_value("nowhere to put this")
    ana.page.evaluate(EMPTY)
    ana.composer.press_sequentially("!")
    wait_until(ana.page, lambda: any(key.endswith(":draft") for key in kept(ana)), "it is saved")
    ana.page.reload()
    expect(ana.ready().composer).to_have_value("nowhere to put this!")


def test_damaged_entries_stop_nothing_and_their_text_is_shown(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    put(ana, "rooms", "{bad")
    put(ana, f"{room}:read", "{")
    put(ana, f"{room}:outbox:12345678", '{"command":"say","fields":{"text":"half of a \\"sente')
    put(ana, f"{room}:outbox:87654321", "{")
    put(ana, f"{room}:outbox:aaaaaaaa", "null")
    ana.page.reload()
    ana.ready()
    row = ana.row('half of a "sente')
    expect(row).to_have_attribute("data-state", "failed")
    expect(ana.rows).to_have_count(1)
    row.get_by_role("button", name="Try again").click()
    ana.shows_once('half of a "sente')
    ana.page.reload()
    ana.ready()
    ana.shows('half of a "sente')


def test_a_message_kept_by_the_first_version_is_sent(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    saved = json.dumps({"text": "from before the update", "at": 1})
    now = ana.page.evaluate("Date.now()")
    put(ana, f"{room}:outbox:12345678", saved.replace("1}", f"{now}}}"))
    ana.page.evaluate("name => localStorage.setItem('chat:/:rooms', name)", '["attic"]')
    ana.page.reload()
    ana.ready()
    ana.shows_once("from before the update")


# -- the end of a person


def sign_out(visitor: Visitor) -> None:
    """Signs out by the dialog."""
    visitor.page.get_by_role("button", name=re.compile(", settings$")).click()
    dialog = visitor.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign out here").click()
    dialog.get_by_role("button", name="Sign out", exact=True).click()


def test_signing_out_leaves_nothing_in_the_browser(people: People, room: str) -> None:
    one = people("Ana")
    line = Line(one.context)
    one.enter(f"{room}-b")
    one.composer.fill("a draft elsewhere")
    one.open(room)
    one.ready()
    one.says("said")
    two = second_tab(one, room)
    one.act(one.row("said"), "Edit")
    editor(one).fill("half an edit")
    line.on_say = lambda frame: SWALLOWED
    one.say("never answered")
    two.composer.fill("typed in the second tab")
    one.composer.fill("typed in the first tab")
    sign_out(one)
    for tab in (one, two):
        expect(tab.page.get_by_role("button", name=f"Join #{room}")).to_be_visible()
    assert kept(one) == []
    assert one.page.evaluate("sessionStorage.length") == 0


def test_a_sign_out_that_fails_forgets_nothing(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("still to be said")
    ana.page.route("**/signout", lambda route: route.abort())
    sign_out(ana)
    expect(ana.page.get_by_text("The server did not answer.")).to_be_visible()
    ana.page.reload()
    expect(ana.ready().composer).to_have_value("still to be said")


def test_what_one_person_wrote_is_never_sent_by_the_next(people: People, room: str) -> None:
    ana, ben = people("Ana"), people("Ben").enter(room)
    line = Line(ana.page)
    ana.enter(room)
    line.cut(refusing=True)
    ana.say("by Ana alone")
    expect(ana.row("by Ana alone")).to_have_count(1)
    bea = people("Bea")
    bea.join(room)
    ana.context.add_cookies([{**cookie} for cookie in bea.context.cookies()])  # type: ignore[list-item]
    line.refusing = False
    expect(ana.page.get_by_role("button", name=re.compile(bea.name))).to_be_visible()
    ana.ready()
    ana.says("by Bea")
    ben.shows("by Bea")
    assert [frame["text"] for frame in line.says("say")] == ["by Bea"]
    assert any(":outbox:" in key for key in kept(ana))
