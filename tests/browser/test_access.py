"""For every hand, eye and ear: keyboard, touch, small windows, forced colours, axe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from .conftest import People
from .line import Line
from .people import Visitor
from .server import Voice
from .test_sending import refused

Speak = Callable[..., Voice]

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
TINY = {"viewport": {"width": 320, "height": 256}}
NO_SIDEWAYS = "document.documentElement.scrollWidth <= innerWidth"

# Every control in sight with the size of what a finger may hit: a part that is drawn small has a
# larger box around it. Those inside a line of text may be smaller.
TARGETS = """() => [...document.querySelectorAll('a, button, input, textarea, summary')]
  .filter(el => el.checkVisibility({visibilityProperty: true, opacityProperty: true}))
  .map(el => {
    const box = el.getBoundingClientRect(), style = getComputedStyle(el);
    const around = getComputedStyle(el, '::after');
    const more = around.position === 'absolute' ? -2 * parseFloat(around.top) : 0;
    return {name: el.ariaLabel || el.textContent.trim() || el.name, width: box.width + more,
      height: box.height + more, icon: el.matches('button[aria-label]:has(svg)'),
      inText: style.display === 'inline'};
  })
  .filter(target => target.width > 1 && target.height > 1)"""

# What marks the focus: an outline, or in a field an inner border, its own or of the box around it.
RING = """() => {
  const el = document.activeElement, field = el.matches('input, textarea');
  const style = el => getComputedStyle(el);
  const ring = el => style(el).outlineStyle !== 'none' && parseFloat(style(el).outlineWidth) >= 2;
  const inner = el => style(el).boxShadow.includes('inset');
  return ring(el) || (field && (inner(el) || inner(el.parentElement)));
}"""
ACTIVE = """() => { const el = document.activeElement;
  if (el.matches('article')) return 'a row';
  return el.ariaLabel || el.placeholder || el.textContent.trim() || el.tagName; }"""


SETTLED = """() => Promise.all(document.getAnimations()
  .filter(one => one.effect.getComputedTiming().endTime !== Infinity)
  .map(one => one.finished.catch(() => {})))"""


def violations(page: Page) -> list[str]:
    """What axe finds, one line for each node, once nothing fades in any more."""
    page.evaluate(SETTLED)
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


def talk(visitor: Visitor, sam: Voice) -> None:
    """Fills the room with one of everything."""
    sam.say("hello", "**bold** `code` https://example.org/x", "> quote\n\nafter", "```\ncode\n```")
    visitor.says("my own")
    expect(visitor.rows).to_have_count(5)


def test_the_join_card_has_no_violations(people: People, room: str) -> None:
    ana = people("Ana")
    ana.open(room)
    assert violations(ana.page) == []


def test_a_refused_name_has_no_violations(people: People, room: str) -> None:
    people("Ben").enter(room)
    ana = people("Ana")
    ana.open(room)
    ana.page.get_by_role("textbox").fill("\u2800")
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("alert")).to_be_visible()
    assert violations(ana.page) == []


def test_an_error_page_has_no_violations(people: People) -> None:
    ana = people("Ana")
    ana.page.goto(f"{ana.server.origin}/nowhere")
    assert violations(ana.page) == []


def test_an_empty_room_has_no_violations(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    assert violations(ana.page) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param(TINY, id="320 x 256"),
        pytest.param(PHONE, id="phone"),
        pytest.param({"forced_colors": "active"}, id="forced colours"),
    ],
)
def test_a_room_has_no_violations(
    people: People, voice: Speak, room: str, options: dict[str, object]
) -> None:
    ana = people("Ana", **options).enter(room)
    talk(ana, voice())
    ana.rows.last.focus()
    assert violations(ana.page) == []


def test_a_room_with_a_pill_and_a_divider_has_no_violations(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    sam.say(*(f"line {number}" for number in range(50)))
    ana = people("Ana").enter(room)
    ana.at_the_end()
    ana.scroll_up(600)
    ana.look_away()
    sam.say("unread")
    ana.look_back()
    expect(ana.pill).to_be_visible()
    assert violations(ana.page) == []


def test_an_offline_room_has_no_violations(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("sent")
    ana.context.set_offline(True)
    expect(ana.strip).to_be_visible()
    ana.say("waiting")
    assert violations(ana.page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_failed_row_has_no_violations(people: People, room: str, scheme: str) -> None:
    ana = people("Ana", color_scheme=scheme)
    line = Line(ana.page)
    ana.enter(room)
    line.on_say = lambda frame: refused(frame, "bad_frame", "The server did not understand that.")
    expect(ana.say("failed")).to_have_attribute("data-state", "failed")
    assert violations(ana.page) == []


@pytest.mark.parametrize("opener", ["Invite", ", settings$"])
def test_an_open_dialog_has_no_violations(people: People, room: str, opener: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.get_by_role("button", name=re.compile(opener)).click()
    expect(ana.page.get_by_role("dialog")).to_be_visible()
    assert violations(ana.page) == []


def test_an_open_editor_has_no_violations(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("to edit")
    ana.composer.press("ArrowUp")
    expect(ana.page.get_by_role("textbox", name="Edit message")).to_be_focused()
    assert violations(ana.page) == []


def test_text_from_right_to_left_has_no_violations(people: People, room: str) -> None:
    ana = people("نور")
    ana.name = "نور حداد"  # without a second word in other letters
    ana.enter(room)
    ana.says("صباح الخير! سأراجع النصوص الآن.")
    assert violations(ana.page) == []


def test_a_row_is_named_by_its_author_its_time_and_its_text(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.says("said", "again")
    for text in ("said", "again"):
        name = re.compile(rf"^{ana.name}\s+\d+:\d\d.*\s{text}$")
        expect(ben.page.get_by_role("article", name=name)).to_have_count(1)
    expect(ana.page.get_by_role("article", name=re.compile("^You ")).first).to_be_attached()


def test_tab_goes_through_the_page_with_a_visible_ring(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana").enter(room)
    talk(ana, voice())
    at_the_border = "document.activeElement === document.body"
    while not ana.page.evaluate(at_the_border):
        ana.page.keyboard.press("Tab")
    seen: list[str] = []
    for _ in range(40):
        ana.page.keyboard.press("Tab")
        if ana.page.evaluate(at_the_border):
            break
        seen.append(ana.page.evaluate(ACTIVE))
        assert ana.page.evaluate(RING), f"no ring around {seen[-1]!r}"
        assert ana.page.evaluate("document.activeElement !== document.querySelector('[role=log]')")
    assert seen[0] == "Skip to message box"
    for stop in ("New room", "Invite", f"Message #{room}"):
        assert stop in seen
    assert seen.count("a row") == 1, "one row is the way into the list"


def focused_row(visitor: Visitor) -> Locator:
    """The row that has the focus."""
    return visitor.page.locator("article.msg:focus")


def test_arrows_move_from_row_to_row(people: People, voice: Speak, room: str) -> None:
    texts = [f"line {number}" for number in range(30)]
    voice().say(*texts)
    ana = people("Ana").enter(room)
    ana.composer.focus()
    for _ in range(6):
        ana.page.keyboard.press("Shift+Tab")
        if focused_row(ana).count():
            break
    expect(focused_row(ana)).to_contain_text("line 29")
    for key, text in [
        ("ArrowUp", "line 28"),
        ("ArrowUp", "line 27"),
        ("ArrowDown", "line 28"),
        ("Home", "line 0"),
        ("ArrowDown", "line 1"),
        ("End", "line 29"),
    ]:
        ana.page.keyboard.press(key)
        expect(focused_row(ana).locator(".body")).to_have_text(text)
        expect(focused_row(ana)).to_be_in_viewport()
        assert ana.page.evaluate(RING)
        expect(ana.log.locator("article[tabindex='0']")).to_have_count(1)
    ana.page.keyboard.press("Escape")
    expect(ana.composer).to_be_focused()


def test_the_actions_of_a_row_are_reached_by_tab(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("mine")
    ana.rows.last.focus()
    for button in ("React", "Reply", "More"):
        ana.page.keyboard.press("Tab")
        expect(ana.page.get_by_role("button", name=button, exact=True)).to_be_focused()
        assert ana.page.evaluate(RING)
    ana.page.keyboard.press("Enter")
    items = ("Edit", "Copy text", "Copy link", "Mark as unread from here", "Delete", "Edit")
    for item in items:
        expect(ana.page.get_by_role("menuitem", name=item, exact=True)).to_be_focused()
        ana.page.keyboard.press("ArrowDown")
    ana.page.keyboard.press("Escape")
    expect(ana.page.get_by_role("button", name="More", exact=True)).to_be_focused()


@pytest.mark.parametrize("opener", ["Invite", ", settings$"])
def test_a_dialog_keeps_the_focus_and_gives_it_back(people: People, room: str, opener: str) -> None:
    ana = people("Ana").enter(room)
    button = ana.page.get_by_role("button", name=re.compile(opener))
    button.focus()
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("dialog")).to_be_visible()
    for _ in range(8):
        inside = "document.querySelector('dialog[open]').contains(document.activeElement)"
        assert ana.page.evaluate(f"{inside} || document.activeElement === document.body")
        ana.page.keyboard.press("Tab")
    ana.page.keyboard.press("Escape")
    expect(ana.page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()


def test_a_dialog_closes_by_a_click_beside_it(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.get_by_role("button", name="Invite").click()
    expect(ana.page.get_by_role("dialog")).to_be_visible()  # what is in it is fetched first
    ana.page.mouse.click(5, 5)
    expect(ana.page.get_by_role("dialog")).to_have_count(0)


def test_the_link_of_the_room_can_be_copied(people: People, room: str) -> None:
    ana = people("Ana", permissions=["clipboard-read", "clipboard-write"]).enter(room)
    ana.page.get_by_role("button", name="Invite").click()
    dialog = ana.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog).to_contain_text("Copied")
    assert ana.page.evaluate("navigator.clipboard.readText()") == ana.server.url(room)


def test_on_a_phone_targets_are_large_and_nothing_is_cut_off(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana", **PHONE)
    ana.join(room)
    ana.open(room)
    ana.ready()
    sam = voice()
    sam.say("hello", "https://example.org/" + "x" * 200, "y" * 300)
    ana.composer.tap()
    ana.page.keyboard.type("mine")
    ana.send.tap()
    ana.shows_once("mine")
    ana.rows.last.tap()
    targets = ana.page.evaluate(TARGETS)
    small = [
        target
        for target in targets
        if not target["inText"]
        and min(target["width"], target["height"]) < (44 if target["icon"] else 24)
    ]
    assert targets
    assert small == []
    assert ana.page.evaluate(NO_SIDEWAYS)
    viewport = ana.page.locator("meta[name=viewport]").get_attribute("content") or ""
    assert "user-scalable=no" not in viewport
    assert "maximum-scale" not in viewport
    size = ana.composer.evaluate("el => parseFloat(getComputedStyle(el).fontSize)")
    assert size >= 16, "iOS zooms in on smaller text"


def test_a_tap_on_an_own_row_shows_its_actions(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.says("tap me")
    ana.row("tap me").locator(".body").tap()
    ana.page.get_by_role("button", name="More", exact=True).tap()
    ana.page.get_by_role("button", name="Edit", exact=True).tap()
    expect(ana.page.get_by_role("textbox", name="Edit message")).to_have_value("tap me")


@pytest.mark.parametrize("label", ["Rooms", "People"])
def test_on_a_phone_the_side_panels_open_and_close(people: People, room: str, label: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    role = "navigation" if label == "Rooms" else "complementary"
    panel = ana.page.get_by_role(role, name=label)
    expect(panel).to_be_hidden()
    ana.page.get_by_role("button", name=label, exact=True).tap()
    expect(panel).to_be_visible()
    ana.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_at_four_hundred_percent_zoom_the_list_keeps_its_height(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana", **TINY).enter(room)
    talk(ana, voice())
    assert ana.log.evaluate("el => el.clientHeight") >= 96
    assert ana.page.evaluate(NO_SIDEWAYS)
    ana.composer.scroll_into_view_if_needed()
    ana.says("still works")


def test_the_colours_follow_the_system(people: People, room: str) -> None:
    lightness = """() => { const el = document.createElement('canvas').getContext('2d');
        el.fillStyle = getComputedStyle(document.body).backgroundColor;
        el.fillRect(0, 0, 1, 1); return el.getImageData(0, 0, 1, 1).data[0]; }"""
    light = people("Ana", color_scheme="light").enter(room)
    assert light.page.evaluate(lightness) > 200
    dark = people("Ben", color_scheme="dark").enter(room)
    assert dark.page.evaluate(lightness) < 60
    light.page.emulate_media(color_scheme="dark")
    assert light.page.evaluate(lightness) < 60


def test_with_forced_colours_controls_have_borders(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    sam.say(*(f"line {number}" for number in range(50)))
    ana = people("Ana", forced_colors="active").enter(room)
    ana.at_the_end()
    ana.scroll_up(600)
    sam.say("unread")
    border = "el => parseFloat(getComputedStyle(el).borderTopWidth)"
    for control in (ana.send, ana.pill, ana.page.locator(".av").first):
        expect(control).to_be_visible()
        assert control.evaluate(border) >= 1
    current = ana.page.get_by_role("link", name=re.compile(room)).first
    marked = """el => { const s = getComputedStyle(el);
        return parseFloat(s.outlineWidth) * (s.outlineStyle !== 'none') ||
        parseFloat(s.borderTopWidth); }"""
    assert current.evaluate(marked) >= 1


def test_reduced_motion_moves_nothing(people: People, voice: Speak, room: str) -> None:
    ana, ben = people("Ana", reduced_motion="reduce").enter(room), people("Ben").enter(room)
    ben.composer.press_sequentially("hello")
    expect(ana.page.locator(".typing")).to_contain_text("is typing")
    assert ana.page.evaluate("document.getAnimations().length") == 0
    ben.composer.press("Enter")
    ana.shows("hello")
    ana.page.get_by_role("button", name="Invite").click()
    assert ana.page.evaluate("document.getAnimations().length") == 0


def test_new_messages_do_not_animate_in(people: People, voice: Speak, room: str) -> None:
    sam = voice()
    ana = people("Ana").enter(room)
    sam.say("plain")
    expect(ana.rows).to_have_count(1)
    moving = "() => document.getAnimations().some(a => a.effect.target.closest('article'))"
    assert not ana.page.evaluate(moving)
