"""Files before they are sent: chosen, pasted, dropped, described; and never lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Route, expect

from .conftest import People
from .giving import PDF, SMALL, attach, chip, chips, drawn, give, held, kept, staged, waiting
from .line import wait_until
from .test_access import PHONE, violations

# -- where they come from


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_files_are_chosen_with_a_button(people: People, room: str, options: dict[str, Any]) -> None:
    ana = people("Ana", **options).enter(room)
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    attach(ana, drawn(ana, "harbour.jpg", 640, 480), PDF)
    expect(chip(ana, "harbour.jpg").locator("img.pic")).to_have_js_property("naturalWidth", 480)
    expect(chip(ana, "points.pdf")).to_contain_text("240 kB")
    expect(chip(ana, "points.pdf").locator(".kind")).to_have_text("PDF")
    expect(ana.send).not_to_have_attribute("aria-disabled", "true")
    expect(ana.composer).to_be_focused()
    expect(ana.announcer).to_contain_text("points.pdf added")
    button = ana.page.get_by_role("button", name="Attach a file").bounding_box()
    assert button
    assert button["width"] >= 44
    assert button["height"] >= 44
    chooser = ana.page.locator("input[type=file]")
    for narrower in ("capture", "accept"):  # a phone would not offer its camera, or only that
        assert chooser.get_attribute(narrower) is None


def test_a_screenshot_is_pasted(people: People, room: str) -> None:
    """The browser's own clipboard and keys."""
    ana = people("Ana", permissions=["clipboard-read", "clipboard-write"]).enter(room)
    copy = """async () => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 30, height: 20 });
        canvas.getContext('2d').fillRect(0, 0, 30, 20);
        const blob = await new Promise((done) => canvas.toBlob(done));
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    }"""
    ana.page.evaluate(copy)
    ana.composer.press("Control+v")
    expect(chip(ana, "image.png").locator("img.pic")).to_have_js_property("naturalWidth", 30)
    ana.composer.press("Control+v")
    chip(ana, "image 2.png")
    expect(ana.composer).to_have_value("")


def test_a_picture_of_a_text_that_is_pasted_with_it_is_not_wanted(
    people: People, room: str
) -> None:
    """A spreadsheet copies its cells as a picture too; a file manager adds names of files."""
    ana = people("Ana").enter(room)
    told = """(text) => {
        const data = new DataTransfer();
        data.items.add(new File(['x'], 'cells.png', { type: 'image/png' }));
        data.setData('text/plain', text);
        const given = { clipboardData: data, bubbles: true, cancelable: true };
        const event = new ClipboardEvent('paste', given);
        document.querySelector('.composer textarea').dispatchEvent(event);
        return event.defaultPrevented;
    }"""
    assert ana.page.evaluate(told, "1\t2\n3\t4") is False
    assert ana.page.evaluate(told, "file:///home/ana/cells.png\n") is True
    expect(chips(ana)).to_have_count(1)


def test_files_are_dropped_anywhere_on_the_page(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    three = [drawn(ana, f"{n}.jpg", 20 + n, 10) for n in range(3)]
    give(ana, "drop", *three, PDF, place=".log")
    for file in [*three, PDF]:
        chip(ana, file["name"])
    assert [file["name"] for file in staged(ana, room)] == ["0.jpg", "1.jpg", "2.jpg", "points.pdf"]
    assert [file.get("width") for file in staged(ana, room)] == [20, 21, 22, None]


def test_the_page_says_that_files_can_be_dropped_while_they_are_held_over_it(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    hint = ana.page.get_by_text("Drop to add to your message")
    over = """([name, type]) => {
        const dataTransfer = new DataTransfer();
        if (type) dataTransfer.items.add(new File(['x'], 'x.png', { type }));
        else dataTransfer.setData('text/plain', 'words');
        const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
        document.querySelector('.log').dispatchEvent(event);
        return event.defaultPrevented;
    }"""
    assert ana.page.evaluate(over, ["dragover", ""]) is False
    expect(hint).to_have_count(0)
    assert ana.page.evaluate(over, ["dragover", "image/png"]) is True
    expect(hint).to_be_visible()
    expect(hint).to_have_count(0)  # they have left the page
    ana.page.evaluate("dispatchEvent(new DragEvent('dragstart'))")  # a picture of the page itself
    assert ana.page.evaluate(over, ["dragover", "image/png"]) is False


def test_in_a_dialog_a_dropped_file_does_nothing(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.keyboard.press("Control+/")
    expect(ana.page.get_by_role("dialog", name="Keys")).to_be_visible()
    give(ana, "drop", PDF, place="dialog#keys")
    give(ana, "paste", PDF, place="dialog#keys")
    expect(chips(ana)).to_have_count(0)
    assert ana.page.url.endswith(room)


# -- what is not taken


def test_a_file_that_is_too_large_says_so_and_is_not_sent(people: People, room: str) -> None:
    ana = people("Ana")
    ana.context.add_init_script(SMALL)
    held(ana)
    ana.enter(room)
    film = {"name": "buoy.mov", "mimeType": "video/quicktime", "buffer": b"." * (10**6 + 1)}
    fits = {"name": "fits.bin", "mimeType": "", "buffer": b"." * 10**6}
    attach(ana, film, fits, {"name": "nothing.txt", "mimeType": "text/plain", "buffer": b""})
    expect(chip(ana, "buoy.mov").locator(".sub")).to_have_text("Over 1 MB, not added")
    expect(chip(ana, "nothing.txt")).to_contain_text("0 B")
    expect(ana.page.locator("#alert")).to_contain_text("buoy.mov: Over 1 MB, not added")
    assert [file["name"] for file in staged(ana, room)] == ["fits.bin", "nothing.txt"]
    ana.send.click()
    wait_until(ana.page, lambda: bool(waiting(ana)), "it is on its way")
    assert [file["name"] for file in waiting(ana)[0]["files"]] == ["fits.bin", "nothing.txt"]
    expect(chips(ana)).to_have_count(0)


def test_what_is_not_taken_is_seen_among_the_others(people: People, room: str) -> None:
    """A phone has room for one or two of them, and whoever sees none sends without it."""
    ana = people("Ana", **PHONE)
    ana.context.add_init_script(SMALL)
    ana.enter(room)
    film = {"name": "buoy.mov", "mimeType": "video/quicktime", "buffer": b"." * (10**6 + 1)}
    few = [{"name": f"{n}.txt", "mimeType": "", "buffer": b"x"} for n in range(4)]
    attach(ana, film, *few)
    expect(chip(ana, "buoy.mov")).to_have_class(re.compile("bad"))
    expect(chip(ana, "3.txt").locator(".sub")).to_have_text("1 B")
    expect(chip(ana, "buoy.mov")).to_be_in_viewport(ratio=0.9)


def test_a_folder_is_refused(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    fail = (
        "Blob.prototype.arrayBuffer = () => Promise.reject(new DOMException('', 'NotFoundError'))"
    )
    ana.page.evaluate(f"() => {{ {fail}; }}")
    give(ana, "drop", {"name": "folder", "mimeType": "", "buffer": b"x"}, place=".log")
    expect(chip(ana, "folder").locator(".sub")).to_have_text("Could not be read, not added")
    expect(ana.send).to_have_attribute("aria-disabled", "true")


def test_a_message_takes_ten(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    many = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"x"} for n in range(12)]
    attach(ana, *many[:9])
    expect(chips(ana)).to_have_count(9)
    attach(ana, *many[9:])
    expect(ana.page.locator(".conn")).to_contain_text("A message takes 10 files.")
    chip(ana, "9.txt")
    expect(chips(ana)).to_have_count(10)


# -- made smaller


def test_a_large_picture_is_made_smaller_and_can_go_as_it_is(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    picture = drawn(ana, "dawn.jpg", 4000, 3000)
    attach(ana, picture)
    chip(ana, "dawn.jpg").get_by_role("button", name="Describe image").click()
    [file] = staged(ana, room)
    assert (file["width"], file["height"], file["type"]) == (2560, 1920, "image/jpeg")
    assert file["size"] < len(picture["buffer"]) == file["other"]
    dialog = ana.page.get_by_role("dialog", name="dawn.jpg")
    dialog.get_by_role("switch", name="Original size").check()
    wait_until(ana.page, lambda: staged(ana, room)[0]["width"] == 4000, "it goes as it is")
    [file] = staged(ana, room)
    assert kept(ana, file["local"])["bytes"] == file["size"] == len(picture["buffer"])
    assert kept(ana, file["local"])["preview"]
    dialog.get_by_role("switch", name="Original size").uncheck()
    wait_until(ana.page, lambda: staged(ana, room)[0]["width"] == 2560, "it goes smaller")
    [file] = staged(ana, room)
    assert (
        kept(ana, file["local"])["bytes"]
        == file["size"]
        == file["other"] - (file["other"] - file["size"])
    )


# -- described and taken out


def test_an_image_is_described(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    attach(ana, drawn(ana, "boat.jpg", 900, 600))
    describe = chip(ana, "boat.jpg").get_by_role("button", name="Describe image")
    describe.focus()
    ana.page.keyboard.press("Enter")
    dialog = ana.page.get_by_role("dialog", name="boat.jpg")
    field = dialog.get_by_role("textbox", name="Description")
    expect(field).to_be_focused()
    ana.page.keyboard.type("A boat  at dawn ")
    ana.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    described = chip(ana, "boat.jpg").get_by_role("button", name=re.compile("^Description of"))
    assert staged(ana, room)[0]["about"] == "A boat at dawn"
    expect(described).to_have_text("A boat at dawn")
    expect(described).to_be_focused()
    ana.page.keyboard.press("Enter")
    expect(field).to_have_value("A boat at dawn")
    field.fill("")
    ana.page.keyboard.press("Escape")
    expect(chip(ana, "boat.jpg").get_by_role("button", name="Describe image")).to_be_visible()


def test_a_file_is_taken_out_and_the_focus_goes_on(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    attach(ana, drawn(ana, "one.jpg", 30, 20), PDF)
    chip(ana, "one.jpg")
    chip(ana, "points.pdf")
    gone = staged(ana, room)[0]["local"]
    remove = ana.page.get_by_role("button", name="Remove one.jpg")
    remove.focus()
    ana.page.keyboard.press("Enter")
    expect(ana.page.get_by_role("button", name="Remove points.pdf")).to_be_focused()
    wait_until(ana.page, lambda: kept(ana, gone) is None, "it is not kept any more")
    ana.page.keyboard.press("Enter")
    expect(ana.composer).to_be_focused()
    expect(chips(ana)).to_have_count(0)
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    assert staged(ana, room) == []


def test_with_a_finger_a_press_on_a_chip_leaves_the_keyboard(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    attach(ana, PDF, {**PDF, "name": "more.pdf"}, {**PDF, "name": "most.pdf"})
    chip(ana, "most.pdf")
    ana.composer.tap()
    ana.page.get_by_role("button", name="Remove most.pdf").tap()
    expect(chips(ana)).to_have_count(2)
    expect(ana.composer).to_be_focused()
    files = ana.page.get_by_role("list", name="Files to send")
    assert files.evaluate("el => el.scrollWidth > el.clientWidth")
    assert ana.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_above_a_keyboard_a_chip_says_all_it_has_to(people: People, room: str) -> None:
    ana = people("Ana", **{**PHONE, "viewport": {"width": 390, "height": 400}}).enter(room)
    attach(ana, drawn(ana, "boat.jpg", 900, 600))
    describe = chip(ana, "boat.jpg").get_by_role("button", name="Describe image")
    expect(describe).to_be_in_viewport()
    describe.tap()
    expect(ana.page.get_by_text("Read aloud to whoever")).to_be_visible()


# -- never lost


def test_staged_files_survive_a_reload_another_room_and_a_crash(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    attach(ana, drawn(ana, "boat.jpg", 900, 600), PDF)
    chip(ana, "points.pdf")
    ana.page.reload()
    ana.ready().whole()
    expect(chip(ana, "boat.jpg").locator("img.pic")).to_have_js_property("naturalWidth", 480)
    expect(ana.send).not_to_have_attribute("aria-disabled", "true")
    ana.enter(f"{room}-other")
    expect(chips(ana)).to_have_count(0)
    expect(ana.page.locator(f'a[data-room="{room}"]')).to_contain_text("Draft")
    ana.open(room)
    ana.ready().whole()
    attach(ana, {**PDF, "name": "last.pdf"})
    chip(ana, "last.pdf")
    with pytest.raises(BrowserError):
        ana.page.goto("chrome://crash")
    ana.page = ana.context.new_page()
    ana.open(room)
    ana.ready().whole()
    chip(ana, "boat.jpg")
    chip(ana, "points.pdf")
    chip(ana, "last.pdf")


def test_files_are_staged_without_a_line(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    picture = drawn(ana, "boat.jpg", 3000, 2000)
    ana.context.set_offline(True)
    expect(ana.html).to_have_attribute("data-conn", "offline")
    attach(ana, picture, PDF)
    chip(ana, "boat.jpg")
    chip(ana, "points.pdf")
    ana.composer.press("Enter")
    wait_until(ana.page, lambda: bool(waiting(ana)), "it waits")
    assert [file["name"] for file in waiting(ana)[0]["files"]] == ["boat.jpg", "points.pdf"]
    assert kept(ana, waiting(ana)[0]["files"][1]["local"])["bytes"] == len(PDF["buffer"])


def test_two_tabs_stage_for_one_draft(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    other = ana.tab()
    other.open(room)
    other.ready().whole()
    attach(ana, drawn(ana, "boat.jpg", 900, 600))
    expect(chip(other, "boat.jpg").locator("img.pic")).to_have_js_property("naturalWidth", 480)
    attach(other, PDF)
    chip(ana, "points.pdf").get_by_role("button", name="Remove").click()
    expect(chips(other)).to_have_count(1)


def test_what_the_disk_refuses_is_said_and_still_there(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.evaluate(
        """() => { IDBObjectStore.prototype.put = () => {
        throw new DOMException('', 'QuotaExceededError'); }; }"""
    )
    attach(ana, drawn(ana, "boat.jpg", 900, 600))
    expect(chip(ana, "boat.jpg").locator("img.pic")).to_have_js_property("naturalWidth", 480)
    expect(ana.page.locator(".conn")).to_contain_text("no room to keep files")
    ana.page.close(run_before_unload=True)
    wait_until(ana.page, lambda: bool(ana.trouble), "the browser asks")
    assert [line.split()[0] for line in ana.trouble] == ["beforeunload"]
    ana.trouble.clear()
    chip(ana, "boat.jpg").get_by_role("button", name="Remove").click()
    expect(chips(ana)).to_have_count(0)


def test_what_nobody_speaks_of_goes_and_what_is_staged_stays(people: People, room: str) -> None:
    """A tab may crash between the file and the list, or after the message was confirmed."""
    ana = people("Ana").enter(room)
    attach(ana, PDF)
    chip(ana, "points.pdf")
    local = staged(ana, room)[0]["local"]
    age = """async (local) => {
        const { href } = document.querySelector('link[rel=modulepreload]');
        const { Shelf } = await import(new URL('shelf.js', href));
        const { you } = JSON.parse(document.getElementById('boot').textContent);
        const shelf = new Shelf('chat:/', you.user);
        const old = { ...(await shelf.get(local)), at: Date.now() - 25 * 3_600_000 };
        for (const name of [local, 'nobody']) await shelf.put(name, old);
    }"""
    ana.page.evaluate(age, local)
    ana.page.reload()
    ana.ready().whole()
    wait_until(ana.page, lambda: kept(ana, "nobody") is None, "it is gone")
    assert kept(ana, local)["bytes"] == len(PDF["buffer"])
    chip(ana, "points.pdf")


def test_signing_out_leaves_no_file(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    attach(ana, PDF)
    chip(ana, "points.pdf")
    ana.page.get_by_role("button", name=re.compile(", settings$")).click()
    ana.page.get_by_role("button", name="Sign out here").click()
    ana.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(ana.page.get_by_role("textbox", name="What should people call you?")).to_be_visible()
    count = """() => new Promise((done) => {
        indexedDB.open('chat:/').onsuccess = ({ target }) => {
          const files = target.result.transaction('files').objectStore('files');
          files.count().onsuccess = ({ target }) => done(target.result);
        }; })"""
    assert ana.page.evaluate(count) == 0
    assert staged(ana, room) == []


# -- sent


def test_files_go_with_the_text_and_the_reply_or_without_any(people: People, room: str) -> None:
    ana = people("Ana")
    held(ana)
    ana.enter(room)
    attach(ana, drawn(ana, "boat.jpg", 900, 600), PDF)
    chip(ana, "points.pdf")
    ana.composer.fill("Look")
    ana.composer.press("Enter")
    expect(chips(ana)).to_have_count(0)
    [fields] = waiting(ana)
    assert fields["text"] == "Look"
    assert [file["name"] for file in fields["files"]] == ["boat.jpg", "points.pdf"]
    assert kept(ana, fields["files"][1]["local"])["bytes"] == len(PDF["buffer"])
    attach(ana, PDF)
    chip(ana, "points.pdf")
    ana.composer.press("Enter")
    wait_until(ana.page, lambda: len(waiting(ana)) == 2, "it goes without a text")
    ana.page.reload()
    ana.ready().whole()
    expect(chips(ana)).to_have_count(0)


def test_what_is_sent_at_once_waits_for_its_picture(people: People, room: str) -> None:
    ana = people("Ana")
    held(ana)
    ana.enter(room)
    late: list[Route] = []
    ana.page.route("**/shrink.js*", lambda route: late.append(route))
    ana.composer.fill("Look")
    give(ana, "paste", drawn(ana, "a.jpg", 3000, 2000))
    wait_until(ana.page, lambda: bool(late), "it is being made ready")
    ana.composer.press("Enter")
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value("Look")
    late[0].continue_()
    wait_until(ana.page, lambda: bool(waiting(ana)), "it is sent")
    [fields] = waiting(ana)
    assert [file["name"] for file in fields["files"]] == ["a.jpg"]
    expect(ana.composer).to_have_value("")


def test_what_is_sent_at_once_stays_if_its_file_is_refused(people: People, room: str) -> None:
    ana = people("Ana")
    ana.context.add_init_script(SMALL)
    held(ana)
    ana.enter(room)
    ana.page.evaluate(
        """() => { const { arrayBuffer } = Blob.prototype;
        const going = new Promise((go) => (window.go = go));
        Blob.prototype.arrayBuffer = function () {
          return going.then(() => arrayBuffer.call(this)); }; }"""
    )
    ana.composer.fill("Look")
    give(ana, "paste", {"name": "a.bin", "mimeType": "", "buffer": b"." * (10**6 + 1)})
    ana.composer.press("Enter")
    ana.page.evaluate("go()")
    expect(chip(ana, "a.bin")).to_have_class(re.compile("bad"))
    expect(ana.composer).to_have_value("Look")
    assert waiting(ana) == []


def test_a_refused_send_leaves_files_staged(people: People, room: str) -> None:
    ana = people("Ana")
    held(ana)
    ana.enter(room)
    full = """() => {
        const { you, room } = JSON.parse(document.getElementById('boot').textContent);
        const start = `chat:/:${you.user}:${room}:outbox:`;
        const entry = { command: 'say', fields: { text: 'x' }, failed: 'no', epoch: null };
        for (let at = 0; at < 100; at += 1) {
          localStorage.setItem(start + at, JSON.stringify({ ...entry, at }));
        }
    }"""
    ana.page.evaluate(full)
    attach(ana, PDF)
    chip(ana, "points.pdf")
    ana.composer.press("Enter")
    expect(ana.page.locator("#count")).to_contain_text("Too many messages are waiting")
    chip(ana, "points.pdf")
    assert len(staged(ana, room)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_staged_files_and_their_dialog_are_accessible(
    people: People, room: str, options: dict[str, Any], scheme: str
) -> None:
    ana = people("Ana", color_scheme=scheme, reduced_motion="reduce", **options)
    ana.context.add_init_script(SMALL)
    ana.enter(room)
    film = {"name": "buoy.mov", "mimeType": "video/quicktime", "buffer": b"." * (10**6 + 1)}
    attach(ana, drawn(ana, "boat.jpg", 3000, 2000), PDF, film)
    expect(chip(ana, "buoy.mov")).to_have_class(re.compile("bad"))
    assert violations(ana.page) == []
    chip(ana, "boat.jpg").get_by_role("button", name="Describe image").click()
    expect(ana.page.get_by_role("switch", name="Original size")).to_be_visible()
    assert violations(ana.page) == []
