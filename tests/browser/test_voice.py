"""A voice message is recorded, and staged like any other file."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .giving import chip, chips, kept, staged
from .line import wait_until
from .people import Visitor
from .test_access import PHONE, violations

LENGTH = """async (local) => {
  const { href } = document.querySelector('link[rel=modulepreload]');
  const { Shelf } = await import(new URL('shelf.js', href));
  const { you } = JSON.parse(document.getElementById('boot').textContent);
  const { blob } = await new Shelf('chat:/', you.user).get(local);
  const sound = Object.assign(new Audio(), { preload: 'metadata', src: URL.createObjectURL(blob) });
  const settled = (done, fail) => Object.assign(sound, { onloadedmetadata: done, onerror: fail });
  await new Promise(settled);
  return sound.duration;
}"""


def with_microphone(people: People, **options: Any) -> Visitor:
    """Somebody who allows it."""
    return people("Ana", permissions=["microphone"], **options)


def button(visitor: Visitor) -> Locator:
    """The button that starts a recording, and stops it."""
    return visitor.page.locator(".voice")


def recorded(visitor: Visitor, seconds: int) -> None:
    """Waits until so much is recorded."""
    time = visitor.page.locator(".recording .time")
    wait_until(visitor.page, lambda: (time.text_content() or "") >= f"0:0{seconds}", "time passes")


def test_pressed_once_it_records_until_it_is_pressed_again(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    ana.page.get_by_role("button", name="Record a voice message").click()
    recorded(ana, 2)
    ana.page.get_by_role("button", name="Stop recording").click()
    expect(chip(ana, "Voice message.webm").get_by_role("button", name="Play")).to_be_visible()
    [file] = staged(ana, room)
    assert file["type"] == "audio/webm"
    assert kept(ana, file["local"])["bytes"] == file["size"] > 1_000
    assert 1.5 < ana.page.evaluate(LENGTH, file["local"]) < 60
    expect(ana.send).not_to_have_attribute("aria-disabled", "true")
    chip(ana, "Voice message.webm").get_by_role("button", name="Play").click()
    player = ana.page.get_by_role("dialog", name="Voice message.webm").locator("audio")
    expect(player).to_have_js_property("readyState", 4)


def test_it_is_sound_to_the_server(people: People, room: str) -> None:
    """What the recorder made of it, with its length, is walked there as any film is."""
    ana = with_microphone(people).enter(room)
    button(ana).click()
    recorded(ana, 2)
    button(ana).click()
    chip(ana, "Voice message.webm")
    ana.composer.press("Enter")
    expect(ana.rows).to_have_attribute("data-state", "sent")
    ana.page.reload()
    ana.ready()
    expect(ana.page.locator("article.msg audio")).to_have_attribute("aria-label", "Voice message")
    assert '"audio/webm"' in (ana.rows.get_attribute("data-files") or "")


def test_held_it_ends_with_the_press(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    button(ana).hover()
    ana.page.mouse.down()
    expect(ana.page.get_by_text("Let go to add it")).to_be_visible()
    recorded(ana, 2)
    ana.page.mouse.up()
    chip(ana, "Voice message.webm")
    expect(ana.page.locator(".recording")).to_have_count(0)


def test_slid_away_or_cancelled_nothing_is_kept(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    button(ana).hover()
    ana.page.mouse.down()
    recorded(ana, 1)
    ana.page.mouse.move(400, 300)
    ana.page.mouse.up()
    bar = ana.page.locator(".recording")
    expect(bar).to_have_count(0)
    for end in ("Cancel", "Escape"):
        expect(button(ana)).to_have_attribute("aria-pressed", "false")
        button(ana).click()
        recorded(ana, 1)
        if end == "Cancel":
            bar.get_by_role("button", name=end).click()
        else:
            ana.page.keyboard.press(end)
        expect(bar).to_have_count(0)
    assert staged(ana, room) == []
    expect(chips(ana)).to_have_count(0)


def test_it_is_recorded_by_keys(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    button(ana).focus()
    ana.page.keyboard.press("Enter")
    expect(ana.announcer).to_contain_text("Recording")
    recorded(ana, 2)
    expect(button(ana)).to_be_focused()
    ana.page.keyboard.press("Space")
    chip(ana, "Voice message.webm")


def test_the_browser_asks_before_a_recording_is_lost(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    button(ana).click()
    recorded(ana, 1)
    ana.page.close(run_before_unload=True)
    wait_until(ana.page, lambda: bool(ana.trouble), "it asks")
    assert [line.split()[0] for line in ana.trouble] == ["beforeunload"]
    ana.trouble.clear()
    ana.page.keyboard.press("Escape")
    expect(ana.page.locator(".recording")).to_have_count(0)


def test_a_press_by_mistake_is_no_message(people: People, room: str) -> None:
    ana = with_microphone(people).enter(room)
    ana.page.evaluate(
        "() => { const { now } = Date; const start = now(); Date.now = () => start; }"
    )
    button(ana).click()
    expect(ana.page.locator(".recording")).to_be_visible()
    button(ana).click()
    expect(ana.page.locator(".conn")).to_contain_text("Hold to record")
    expect(chips(ana)).to_have_count(0)


def test_a_blocked_microphone_is_said(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    button(ana).click()
    expect(ana.page.locator(".conn")).to_contain_text("blocks the microphone")
    expect(button(ana)).to_have_attribute("aria-label", "Record a voice message")


def test_on_plain_http_there_is_no_button(people: People, room: str) -> None:
    """Browsers give the microphone to secure pages only."""
    ana = people("Ana")
    ana.context.add_init_script(
        "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })"
    )
    ana.enter(room)
    expect(ana.page.get_by_role("button", name="Attach a file")).to_be_visible()
    expect(button(ana)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_while_it_records_nothing_is_in_the_way(people: People, room: str, scheme: str) -> None:
    ana = with_microphone(people, color_scheme=scheme, reduced_motion="reduce", **PHONE)
    ana.enter(room)
    ana.composer.tap()
    button(ana).tap()
    expect(ana.page.locator(".recording")).to_be_visible()
    expect(ana.composer).to_be_focused()
    assert violations(ana.page) == []
    assert ana.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    ana.page.get_by_role("button", name="Cancel", exact=True).tap()
    ana.composer.fill("text")
    expect(button(ana)).to_be_hidden()  # there is no room for both
