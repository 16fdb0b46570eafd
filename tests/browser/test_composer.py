"""Typing: what sends, what does not, and that no draft is ever lost."""

from __future__ import annotations

import re

from playwright.sync_api import Route, expect

from .conftest import People

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def test_text_typed_before_the_modules_arrive_is_kept(people: People, room: str) -> None:
    ana = people("Ana")
    ana.join(room)
    held: list[Route] = []
    ana.page.route("**/*.js", lambda route: held.append(route))
    ana.page.goto(ana.server.url(room), wait_until="commit")
    ana.composer.click()
    ana.page.keyboard.type("hello")
    for route in held:
        route.continue_()
    ana.ready()
    expect(ana.composer).to_have_value("hello")
    expect(ana.composer).to_be_focused()


def test_shift_enter_is_a_new_line_and_enter_sends(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.click()
    ana.page.keyboard.type("one")
    ana.page.keyboard.press("Shift+Enter")
    ana.page.keyboard.type("two")
    expect(ana.composer).to_have_value("one\ntwo")
    expect(ana.rows).to_have_count(0)
    ana.page.keyboard.press("Enter")
    expect(ana.rows).to_have_count(1)
    assert ana.bodies.inner_text().split() == ["one", "two"]
    height = "el => el.querySelector('p').getBoundingClientRect().height"
    ana.says("one line")
    assert ana.bodies.first.evaluate(height) > 1.8 * ana.bodies.last.evaluate(height)


def test_control_enter_sends_too(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("sent by control and enter")
    ana.composer.press("Control+Enter")
    ana.shows_once("sent by control and enter")


def test_on_a_phone_enter_is_a_new_line_and_the_button_sends(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.composer.tap()
    ana.page.keyboard.type("one")
    ana.page.keyboard.press("Enter")
    expect(ana.composer).to_have_value("one\n")
    expect(ana.composer).to_have_attribute("enterkeyhint", "enter")
    expect(ana.rows).to_have_count(0)
    ana.page.keyboard.type("two")
    ana.send.tap()
    expect(ana.rows).to_have_count(1)
    expect(ana.composer).to_have_value("")
    expect(ana.composer).to_be_focused()


def test_enter_while_composing_picks_the_word_and_sends_nothing(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.click()
    keyboard = ana.context.new_cdp_session(ana.page)
    word = {"text": "日本", "selectionStart": 2, "selectionEnd": 2}
    keyboard.send("Input.imeSetComposition", word)
    ana.page.keyboard.press("Enter")
    expect(ana.rows).to_have_count(0)
    keyboard.send("Input.insertText", {"text": "日本"})
    text = ana.composer.input_value().replace("\n", "")
    assert "日本" in text
    ana.composer.fill("日本")
    ana.page.keyboard.press("Enter")
    ana.shows_once("日本")
    expect(ana.rows).to_have_count(1)


def test_the_late_enter_of_an_input_method_sends_nothing(people: People, room: str) -> None:
    """Safari fires keydown after compositionend, with keyCode 229."""
    ana = people("Ana").enter(room)
    ana.composer.fill("日本")
    ana.composer.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(ana.composer).to_have_value("日本")
    expect(ana.rows).to_have_count(0)


def test_blank_text_is_not_sent(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    for blank in ("   ", "\n\n", "\t \u00a0"):
        ana.composer.fill(blank)
        ana.composer.press("Enter")
        ana.composer.fill(blank)
        ana.send.click(force=True)  # it says that it is disabled
    ana.says("the first")
    expect(ana.rows).to_have_count(1)


def test_the_counter_appears_near_the_limit_and_stops_at_it(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("x" * 3_599)
    expect(ana.page.get_by_text(re.compile(r"\d+ left"))).to_have_count(0)
    ana.composer.fill("x" * 3_990)
    expect(ana.page.get_by_text("10 left", exact=True)).to_be_visible()
    ana.composer.fill("x" * 4_001)
    expect(ana.page.get_by_text(re.compile("^-1: "))).to_be_visible()
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    expect(ana.send).to_have_accessible_description(re.compile("."))
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value("x" * 4_001)
    expect(ana.rows).to_have_count(0)
    ana.composer.fill("\U0001f600" * 4_000)
    expect(ana.send).not_to_have_attribute("aria-disabled", "true")
    ana.composer.press("Enter")
    expect(ana.rows).to_have_count(1)
    expect(ana.rows).to_have_attribute("data-state", "sent")
    assert "\U0001f600" * 4_000 in (ana.bodies.text_content() or "")


def test_a_draft_survives_a_room_switch_and_a_reload(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("not yet finished")
    ana.open(f"{room}-b")
    ana.ready()
    expect(ana.composer).to_have_value("")
    ana.open(room)
    ana.ready()
    expect(ana.composer).to_have_value("not yet finished")
    ana.page.reload()
    ana.ready()
    expect(ana.composer).to_have_value("not yet finished")


def test_a_sent_draft_does_not_come_back(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("finished")
    expect(ana.composer).to_have_value("")
    ana.page.reload()
    ana.ready()
    expect(ana.composer).to_have_value("")


def test_escape_erases_nothing(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("still here")
    ana.composer.press("Escape")
    ana.composer.press("Escape")
    expect(ana.composer).to_have_value("still here")


def test_tab_leaves_the_composer(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("a")
    ana.composer.press("Tab")
    expect(ana.composer).not_to_be_focused()
    expect(ana.composer).to_have_value("a")


def test_a_box_one_writes_in_has_an_accent_border_and_no_ring(people: People, room: str) -> None:
    """Two pixels inside, no gap: the ring of the keyboard is for buttons, rows and links."""
    ana = people("Ana").enter(room)
    ana.composer.focus()
    look = """el => { const box = getComputedStyle(el.closest('.box')), own = getComputedStyle(el);
        const probe = document.createElement('i');
        probe.style.color = 'var(--accent)';
        document.body.append(probe);
        const accent = getComputedStyle(probe).color;
        probe.remove();
        return {accent: box.borderTopColor === accent && box.boxShadow.includes(accent),
            outlines: [box.outlineStyle, own.outlineStyle]}; }"""
    assert ana.composer.evaluate(look) == {"accent": True, "outlines": ["none", "none"]}
    ana.send.focus()
    assert not ana.composer.evaluate(look)["accent"]


def test_send_is_muted_while_there_is_nothing_to_send(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    filled = "el => getComputedStyle(el).backgroundColor !== 'rgba(0, 0, 0, 0)'"
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    assert not ana.send.evaluate(filled)
    ana.composer.fill(" \n ")
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    ana.composer.fill("something")
    expect(ana.send).not_to_have_attribute("aria-disabled", "true")
    ana.until("getComputedStyle(document.querySelector('.send')).borderRadius === '50%'")
    ana.until(f"({filled})(document.querySelector('.send'))")  # it fades in
    ana.composer.fill("\n".join("line" for _ in range(5)))
    send, box = ana.send.bounding_box(), ana.page.locator(".composer .box").bounding_box()
    assert send
    assert box
    assert send["width"] == send["height"] == 36
    assert box["y"] + box["height"] - send["y"] - send["height"] == 5, "at the bottom of a tall box"


def test_sending_by_the_button_keeps_the_focus_in_the_composer(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("pressed with the mouse")
    ana.send.click()
    expect(ana.composer).to_be_focused()
    ana.shows_once("pressed with the mouse")


def test_a_long_draft_grows_the_composer_but_not_beyond_its_bound(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    height = "el => el.getBoundingClientRect().height"
    one = ana.composer.evaluate(height)
    ana.composer.fill("\n".join("line" for _ in range(4)))
    assert ana.composer.evaluate(height) > one
    ana.composer.fill("\n".join("line" for _ in range(100)))
    assert ana.composer.evaluate(height) <= 256 + 1
    ana.at_the_end()


def test_a_draft_is_mentioned_in_the_list_of_rooms(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("not yet finished")
    ana.open(f"{room}-b")
    ana.ready()
    rooms = ana.page.get_by_role("navigation", name="Rooms")
    entry = rooms.get_by_role("listitem").filter(has_text=re.compile(rf"{room}(?!-b)"))
    expect(entry).to_contain_text("Draft")
