"""What a message has besides text: pictures in its row, large, and all of a room beside it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from .conftest import People
from .files import JETTY, NOTE, SEA, TABLES, Sent, row, share
from .line import wait_until
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations
from .test_loading import SHIFTS

Speak = Callable[..., Voice]

# A picture without our policy, which stops the style that Chromium gives one alone in a tab.
BARE = {"body": SEA.content, "content_type": "image/png"}

# A finger on the picture that is shown large: from, to, in px from its middle.
SWIPE = """(stage, [from, to]) => {
  const box = stage.getBoundingClientRect();
  const at = ([x, y]) =>
    ({clientX: box.left + box.width / 2 + x, clientY: box.top + box.height / 2 + y});
  stage.setPointerCapture = () => {}; // there is no such finger
  const say = (name, where) => stage.querySelector('img').dispatchEvent(new PointerEvent(name,
    {bubbles: true, pointerId: 7, pointerType: 'touch', isPrimary: true, ...at(where)}));
  say('pointerdown', from); say('pointermove', to); say('pointerup', to);
}"""


def two(people: People, room: str, **options: object) -> tuple[Visitor, Visitor]:
    """Ana looks on, Ben sends."""
    ben = people("Ben")
    ben.join(room)
    return people("Ana", **options).enter(room), ben


def viewer(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog", name="Picture", exact=True)


def place(visitor: Visitor) -> Locator:
    """Which picture of how many is shown large."""
    return viewer(visitor).locator(".sub")


def panel(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("dialog", name="Pictures and files")


def open_panel(visitor: Visitor) -> Locator:
    if visitor.touches:
        visitor.page.get_by_role("button", name="People").tap()
    visitor.page.get_by_role("button", name="Pictures and files").locator("visible=true").click()
    expect(panel(visitor)).to_be_visible()
    return panel(visitor)


# --- in the row


def test_files_stand_in_the_row_of_their_message(people: People, room: str) -> None:
    ana, ben = two(people, room)
    both = row(ana, share(ben, room, "left or right?", TABLES, SEA, JETTY))
    expect(both).to_have_accessible_name(
        re.compile("left or right.*Sunrise over the sea jetty.*Tide tables")
    )
    sea = both.get_by_role("img", name="Sunrise over the sea")
    expect(sea).to_have_js_property("naturalWidth", 600)
    pictures = both.locator("a.pic")
    first, second = pictures.nth(0).bounding_box(), pictures.nth(1).bounding_box()
    assert first
    assert second
    assert (first["y"], first["width"], first["height"]) == (second["y"], 176, 132), "side by side"
    chip = both.get_by_role("link", name="Tide tables 2027.pdf")
    expect(chip).to_have_text("PDFTide tables 2027.pdfPDF, 500 kB")
    with ana.page.expect_download() as download:
        chip.click()
    assert download.value.suggested_filename == "Tide tables 2027.pdf"
    one = row(ana, share(ben, room, "", SEA))
    expect(one.locator(".pic img")).to_have_js_property("naturalWidth", 600)
    box, said = one.locator(".pic").bounding_box(), one.locator(".said").bounding_box()
    assert box
    assert said
    assert (box["width"], box["height"]) == (360, 270)
    assert said["height"] <= 270 + 10, "no text takes no space"


def test_sound_and_film_are_played_in_the_row(people: People, room: str) -> None:
    ana, ben = two(people, room)
    number = share(ben, room, "listen", NOTE)
    note = row(ana, number).locator("audio")
    expect(note).to_have_attribute("aria-label", "note")
    name = row(ana, number).get_by_text("note.ogg")
    expect(name).to_be_hidden()
    ana.page.emulate_media(media="print")
    expect(name).to_be_visible()
    expect(note).to_be_hidden()
    expect(note).to_have_attribute("src", re.compile("files/.*/note.ogg$"))


def test_a_picture_that_comes_late_moves_nothing(people: People, voice: Speak, room: str) -> None:
    voice().say(*(f"line {number}" for number in range(60)))
    ana, ben = two(people, room)
    held: list[Route] = []
    ana.page.route("**/files/**", lambda route: held.append(route))
    number = share(ben, room, "", SEA)
    expect(row(ana, number).locator(".pic")).to_be_visible()
    ana.at_the_end()
    height = "row => row.offsetHeight"
    before = row(ana, number).evaluate(height)
    wait_until(ana.page, lambda: held, "it is asked for")
    held[0].continue_()
    expect(row(ana, number).locator("img")).to_have_js_property("naturalWidth", 600)
    assert row(ana, number).evaluate(height) == before
    ana.at_the_end()
    assert ana.page.evaluate(SHIFTS) <= 0.02


def test_my_own_picture_is_in_sight_from_the_first_moment(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    held: list[Route] = []
    ana.page.route("**/files?*", lambda route: held.append(route))
    with ana.page.expect_file_chooser() as chooser:
        ana.page.get_by_role("button", name="Attach a file").click()
    chooser.value.set_files([{"name": "a.png", "mimeType": "image/png", "buffer": SEA.content}])
    expect(ana.page.locator(".stage:not([aria-busy])")).to_have_count(1)
    mine = ana.say("the sea")
    picture = mine.locator(".pic img")
    expect(picture).to_have_js_property("naturalWidth", 480)  # a small one will do
    expect(picture).to_have_attribute("src", re.compile("^blob:"))
    box = picture.bounding_box()
    wait_until(ana.page, lambda: held, "it is uploaded")
    held[0].continue_()
    ana.shows_once("the sea")
    expect(mine.locator("a.pic img")).to_have_attribute("src", re.compile("/files/.*/a.png$"))
    after = picture.bounding_box()
    assert box
    assert after
    assert (after["width"], after["height"]) == (box["width"], box["height"])


def test_in_place_of_a_picture_that_is_lost_stand_its_words(people: People, room: str) -> None:
    ana, ben = two(people, room)
    ana.page.route("**/files/**", lambda route: route.fulfill(status=404))
    number = share(ben, room, "", SEA)
    lost = row(ana, number).locator(".pic.lost")
    expect(lost).to_be_visible()
    ana.page.reload()
    ana.ready().whole()
    expect(lost).to_be_visible()
    box = lost.bounding_box()
    assert box
    assert box["width"] == 360, "its place stays"


def test_a_message_without_text_is_called_what_it_has(people: People, room: str) -> None:
    ana, ben = two(people, room)
    picture, paper = share(ben, room, "", SEA), share(ben, room, "", TABLES)
    voice = share(ben, room, "", Sent("Voice message.ogg", NOTE.content))
    many = share(ben, room, "", SEA, TABLES)
    cases = {
        **{picture: "Picture", paper: "Tide tables 2027.pdf"},
        **{voice: "Voice message", many: "2 files"},
    }
    for number, words in cases.items():
        target = row(ana, number)
        target.hover()
        target.get_by_role("button", name="More", exact=True).click()
        expect(target.get_by_role("menuitem", name="Copy text")).to_be_hidden()
        expect(target.get_by_role("menuitem", name="Copy link")).to_be_visible()
        ana.page.keyboard.press("Escape")
        target.get_by_role("button", name="Reply", exact=True).click()
        expect(ana.page.locator(".replying .what")).to_have_text(words)
        ana.says(f"about {words}")
        expect(ana.row(f"about {words}").locator(".quote .what")).to_have_text(words)


def test_a_message_with_files_may_lose_its_text(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    number = share(ana, room, "left or right?", SEA)
    ana.act(row(ana, number), "Edit")
    ana.page.get_by_role("textbox", name="Edit message").fill("  ")
    ana.page.keyboard.press("Enter")
    expect(row(ana, number).locator(".edited")).to_be_visible()
    expect(row(ana, number).locator(".body")).to_have_text("")
    expect(row(ana, number).locator(".pic")).to_be_visible()
    expect(row(ana, number)).to_have_attribute("data-state", "sent")


# --- large


def test_a_picture_opens_large_among_the_others(people: People, room: str) -> None:
    ana, ben = two(people, room)
    first, second = share(ben, room, "", SEA, JETTY), share(ben, room, "", SEA)
    row(ana, first).get_by_role("link", name="jetty (1).png").click()
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 3")
    expect(viewer(ana)).to_contain_text(ben.name)
    expect(viewer(ana).get_by_role("img", name="jetty (1).png")).to_be_visible()
    expect(viewer(ana).get_by_role("button", name="Close")).to_be_focused()
    ana.page.keyboard.press("ArrowRight")
    expect(place(ana)).to_have_text("harbour at dawn.png, 3 of 3")
    expect(viewer(ana).get_by_role("button", name="Next picture")).to_be_hidden()
    ana.page.keyboard.press("ArrowRight")
    expect(place(ana)).to_have_text("harbour at dawn.png, 3 of 3")
    viewer(ana).get_by_role("button", name="Previous picture").click()
    ana.page.keyboard.press("ArrowLeft")
    expect(place(ana)).to_have_text("harbour at dawn.png, 1 of 3")
    with ana.page.expect_download() as download:
        viewer(ana).get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "harbour at dawn.png"
    ana.page.keyboard.press("End")
    ana.page.keyboard.press("Escape")
    expect(viewer(ana)).to_be_hidden()
    expect(row(ana, first).locator("a.pic").first).to_be_focused()
    row(ana, second).locator("a.pic").click()
    viewer(ana).get_by_role("link", name=ben.name).click()
    expect(viewer(ana)).to_be_hidden()
    expect(row(ana, second)).to_have_class(re.compile("reached"))


def test_the_link_to_a_picture_can_be_copied(people: People, room: str) -> None:
    ana, ben = two(people, room)
    ana.context.grant_permissions(["clipboard-read", "clipboard-write"])
    picture = row(ana, share(ben, room, "", SEA)).locator("a.pic")
    picture.click()
    viewer(ana).get_by_role("button", name="Copy link").click()
    expect(place(ana)).to_have_text("Copied")
    copied = ana.page.evaluate("navigator.clipboard.readText()")
    assert copied == picture.evaluate("link => link.href")


def test_a_picture_is_brought_nearer(people: People, room: str) -> None:
    ana, ben = two(people, room)
    row(ana, share(ben, room, "", SEA)).locator("a.pic").click()
    large = viewer(ana).get_by_role("img")
    expect(large).to_be_visible()

    def width() -> float:
        box = large.bounding_box()
        assert box
        return box["width"]

    size = width()
    ana.page.keyboard.press("+")
    assert width() == pytest.approx(1.5 * size)
    ana.page.keyboard.press("-")
    assert width() == pytest.approx(size)
    large.click()
    assert width() == pytest.approx(2.5 * size)
    large.click()
    assert width() == pytest.approx(size)
    ana.page.mouse.wheel(0, -300)
    ana.until("document.querySelector('.viewer .view.near')")
    ana.page.keyboard.press("0")
    assert width() == pytest.approx(size)
    stage = viewer(ana).locator(".view").bounding_box()
    assert stage
    ana.page.mouse.click(stage["x"] + 4, stage["y"] + stage["height"] / 2)
    expect(viewer(ana)).to_be_hidden()


def test_a_finger_goes_from_picture_to_picture(people: People, room: str) -> None:
    ana, ben = two(people, room, **PHONE)
    number = share(ben, room, "", SEA, JETTY)
    row(ana, number).locator("a.pic").first.tap()
    stage = viewer(ana).locator(".view")
    expect(stage.get_by_role("img")).to_be_visible()
    stage.evaluate(SWIPE, [[50, 0], [-60, 10]])
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 2")
    stage.evaluate(SWIPE, [[-50, 0], [60, 10]])
    expect(place(ana)).to_have_text("harbour at dawn.png, 1 of 2")
    stage.evaluate(SWIPE, [[0, 0], [4, 3]])
    stage.evaluate(SWIPE, [[0, 0], [4, 3]])
    expect(stage).to_have_class("view near")
    stage.evaluate(SWIPE, [[50, 0], [-60, 10]])
    expect(place(ana)).to_have_text("harbour at dawn.png, 1 of 2")  # a near one is moved
    ana.page.keyboard.press("0")
    stage.evaluate(SWIPE, [[0, 0], [10, 90]])
    expect(viewer(ana)).to_be_hidden()


def test_from_right_to_left_the_next_picture_is_to_the_left(people: People, room: str) -> None:
    ana, ben = two(people, room, **PHONE)
    number = share(ben, room, "", SEA, JETTY)
    ana.page.evaluate("document.dir = 'rtl'")
    row(ana, number).locator("a.pic").first.tap()
    stage = viewer(ana).locator(".view")
    expect(stage.get_by_role("img")).to_be_visible()
    ana.page.keyboard.press("ArrowLeft")
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 2")
    ana.page.keyboard.press("ArrowRight")
    expect(place(ana)).to_have_text("harbour at dawn.png, 1 of 2")
    stage.evaluate(SWIPE, [[-50, 0], [60, 10]])
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 2")


def test_two_fingers_bring_a_picture_nearer(people: People, room: str) -> None:
    ana, ben = two(people, room, **PHONE)
    row(ana, share(ben, room, "", SEA)).locator("a.pic").tap()
    large = viewer(ana).get_by_role("img")
    expect(large).to_be_visible()
    ana.until("document.querySelector('.viewer img').naturalWidth")
    line = ana.context.new_cdp_session(ana.page)

    def box() -> tuple[float, float]:
        now = large.bounding_box()
        assert now
        return now["x"] + now["width"] / 2, now["width"]

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def pinch(before: float, after: float) -> None:
        touch("touchStart", (195 - before, 422))
        touch("touchStart", (195 - before, 422), (195 + before, 422))
        for apart in ((before + after) / 2, after):
            touch("touchMove", (195 - apart, 422), (195 + apart, 422))
        touch("touchEnd")

    middle, width = box()
    pinch(40, 120)
    ana.until("document.querySelector('.viewer .view.near')")
    assert box() == (pytest.approx(middle, abs=2), pytest.approx(3 * width, rel=0.05))
    pinch(150, 20)
    expect(viewer(ana).locator(".view")).to_have_class("view")
    assert box() == (pytest.approx(middle, abs=2), pytest.approx(width, rel=0.01))
    expect(viewer(ana)).to_be_visible()


def test_a_picture_that_is_deleted_is_seen_no_more(people: People, room: str) -> None:
    ana, ben = two(people, room)
    ben.open(room)
    ben.ready().whole()
    first, second = share(ben, room, "", SEA), share(ben, room, "", JETTY)
    row(ana, second).locator("a.pic").click()
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 2")
    for number, shown in ((second, "harbour at dawn.png, 1 of 1"), (first, None)):
        ben.act(row(ben, number), "Delete")
        if shown:
            expect(place(ana)).to_have_text(shown)
    expect(viewer(ana)).to_be_hidden()


def test_without_the_viewer_the_browser_shows_the_picture(people: People, room: str) -> None:
    ana, ben = two(people, room)
    ana.page.route("**/viewer.js*", lambda route: route.abort())
    ana.page.route("**/files/**", lambda route: route.fulfill(**BARE))
    picture = row(ana, share(ben, room, "", SEA)).locator("a.pic")
    address = picture.evaluate("link => link.href")
    picture.click()
    ana.page.wait_for_url(address)


def test_a_picture_opens_in_another_tab_if_that_is_wanted(people: People, room: str) -> None:
    ana, ben = two(people, room)
    picture = row(ana, share(ben, room, "", SEA)).locator("a.pic")
    ana.page.evaluate(
        """addEventListener('click', (event) => {
          window.taken = event.defaultPrevented;
          event.preventDefault();
        })"""
    )
    picture.click(modifiers=["ControlOrMeta"])
    assert ana.page.evaluate("taken") is False
    expect(viewer(ana)).to_have_count(0)
    picture.click()
    assert ana.page.evaluate("taken") is True
    expect(viewer(ana)).to_be_visible()


def test_pictures_are_reached_by_keys(people: People, room: str) -> None:
    ana, ben = two(people, room)
    number = share(ben, room, "", SEA, JETTY)
    expect(row(ana, number).locator("a.pic")).to_have_count(2)
    row(ana, number).focus()
    for name in ("Sunrise over the sea", "jetty (1).png"):
        ana.page.keyboard.press("Tab")
        while ana.page.evaluate("!document.activeElement.matches('.pic')"):
            ana.page.keyboard.press("Tab")
        expect(row(ana, number).get_by_role("link", name=name)).to_be_focused()
    ana.page.keyboard.press("Enter")
    expect(place(ana)).to_have_text("jetty (1).png, 2 of 2")


# --- all of a room


def test_all_pictures_and_files_of_a_room_stand_beside_it(
    people: People, voice: Speak, room: str
) -> None:
    ana, ben = two(people, room)
    oldest = share(ben, room, "", JETTY, TABLES)
    for _ in range(51):
        share(ben, room, "", SEA)
    voice().say(*(f"{number}" for number in range(60)))
    ana.page.reload()
    ana.ready().whole()
    beside = open_panel(ana)
    expect(beside.get_by_role("button", name="Pictures")).to_be_focused()
    expect(ana.page.get_by_role("complementary", name="People")).to_be_hidden()
    expect(beside.locator("a.pic")).to_have_count(50)
    beside.evaluate("panel => panel.scrollTop = panel.scrollHeight")
    expect(beside.locator("a.pic")).to_have_count(52)
    expect(beside.locator("a.pic").last).to_have_accessible_name("jetty (1).png")
    newest = share(ben, room, "", Sent("newest.png", SEA.content))
    expect(beside.locator("a.pic").first).to_have_accessible_name("newest.png")
    beside.locator("a.pic").first.click()
    expect(place(ana)).to_have_text("newest.png, 53 of 53")
    ana.page.keyboard.press("ArrowLeft")
    ana.page.keyboard.press("Escape")
    expect(beside.locator("a.pic").nth(1)).to_be_focused()
    ben.open(room)
    ben.ready().whole()
    ben.act(row(ben, newest), "Delete")
    expect(beside.locator("a.pic")).to_have_count(52)
    beside.get_by_role("button", name="Files").click()
    expect(beside.locator("a.pic")).to_have_count(0)
    expect(beside.get_by_role("link", name="Tide tables 2027.pdf")).to_be_visible()
    beside.get_by_role("link", name=ben.name).click()
    expect(row(ana, oldest)).to_have_class(re.compile("reached"))
    ana.page.keyboard.press("Escape")
    expect(beside).to_be_hidden()
    expect(ana.page.get_by_role("button", name="Pictures and files")).to_be_focused()
    expect(ana.page.get_by_role("complementary", name="People")).to_be_visible()


def test_a_room_may_have_no_files(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    beside = open_panel(ana)
    expect(beside.get_by_text("No pictures in this room yet.")).to_be_visible()
    beside.get_by_role("button", name="Files").click()
    expect(beside.get_by_text("No files in this room yet.")).to_be_visible()


def test_files_that_could_not_be_loaded_are_tried_again(people: People, room: str) -> None:
    ana, ben = two(people, room)
    share(ben, room, "", SEA)
    ana.page.route("**/messages?files*", lambda route: route.abort())
    beside = open_panel(ana)
    again = beside.get_by_role("button", name="Could not load. Try again")
    expect(again).to_be_visible()
    ana.page.unroute("**/messages?files*")
    again.click()
    expect(beside.locator("a.pic")).to_have_count(1)


def test_on_a_phone_the_files_of_a_room_are_over_it(people: People, room: str) -> None:
    ana, ben = two(people, room, **PHONE)
    number = share(ben, room, "", TABLES)
    over = open_panel(ana)
    box = over.bounding_box()
    assert box
    assert (box["width"], round(box["height"])) == (390, 844)
    over.get_by_role("button", name="Files").tap()
    over.get_by_role("link", name=ben.name).tap()
    expect(over).to_be_hidden()
    expect(row(ana, number)).to_have_class(re.compile("reached"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param(PHONE, id="phone"),
        pytest.param({"forced_colors": "active"}, id="forced colours"),
    ],
)
def test_files_have_no_violations(people: People, room: str, options: dict[str, object]) -> None:
    ana, ben = two(people, room, **options)
    number = share(ben, room, "look", SEA, JETTY, NOTE, TABLES)
    row(ana, number).focus()
    assert violations(ana.page) == []
    row(ana, number).locator("a.pic").first.click()
    expect(viewer(ana).get_by_role("img")).to_be_visible()
    assert violations(ana.page) == []
    ana.page.keyboard.press("Escape")
    beside = open_panel(ana)
    expect(beside.locator("a.pic")).to_have_count(2)
    assert violations(ana.page) == []
    beside.get_by_role("button", name="Files").click()
    expect(beside.locator(".file")).to_have_count(2)
    assert violations(ana.page) == []


# --- many


def test_a_room_full_of_pictures_is_scrolled_without_a_shift(people: People, room: str) -> None:
    ben = people("Ben")
    ben.join(room)
    for _ in range(20):
        share(ben, room, "", SEA)
        share(ben, room, "look at this", JETTY, SEA)
    ana = people("Ana").enter(room)
    ana.at_the_end()
    before = ana.log.evaluate("log => log.scrollHeight")
    while ana.log.evaluate("log => { log.scrollTop -= 300; return log.scrollTop > 0; }"):
        ana.page.wait_for_timeout(20)
    ana.until("[...document.querySelectorAll('.pic img')].every((image) => image.naturalWidth)")
    assert ana.page.locator(".pic").count() == 60
    assert ana.log.evaluate("log => log.scrollHeight") == before
    assert ana.page.evaluate(SHIFTS) <= 0.02
