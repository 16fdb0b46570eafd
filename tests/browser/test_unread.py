"""What is unread is the same on a laptop and on a phone, in every room, whatever is open."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import People
from .people import Visitor
from .server import Server, Voice
from .test_access import PHONE, violations

Speak = Callable[..., Voice]

BADGE = """navigator.setAppBadge = async (count) => { window.badge = count; };
navigator.clearAppBadge = async () => { window.badge = 0; };"""


def devices(people: People, *rooms: str, server: Server | None = None) -> tuple[Visitor, Visitor]:
    """One person's laptop and phone, who have been in these rooms; the last one is open."""
    laptop = people("Ana", server)
    laptop.context.add_init_script(BADGE)
    for room in rooms:
        laptop.enter(room)
    phone = people("Ana", server, **PHONE)
    phone.context.add_init_script(BADGE)
    phone.context.add_cookies(laptop.context.cookies())
    phone.open(rooms[-1])
    return laptop, phone.ready().whole()


def link(visitor: Visitor, room: str) -> Locator:
    """A room in the list of rooms, also while that is a closed drawer."""
    return visitor.page.locator(f'.side .rooms a[data-room="{room}"]')


def counts(visitor: Visitor, **rooms: str) -> None:
    """Waits until the list says this of these rooms; "" for nothing."""
    for room, count in rooms.items():
        badge = link(visitor, room.replace("_", "-")).locator(".badge")
        if count:
            expect(badge).to_have_text(re.compile(rf"^(mentioned, )?{re.escape(count)} unread$"))
        else:
            expect(badge).to_have_count(0)


def names(visitor: Visitor) -> list[str]:
    """The rooms in the list, in order."""
    rooms = visitor.page.locator(".side .rooms a")
    return [str(name) for name in rooms.evaluate_all("all => all.map(a => a.dataset.room)")]


def read_here(visitor: Visitor) -> None:
    """Waits until everything in the open room is read."""
    expect(visitor.page).to_have_title(re.compile("^#"))


@pytest.fixture
def other(room: str) -> str:
    """The name of another room nobody has used."""
    return f"{room}-other"


def menu(visitor: Visitor, room: str, item: str) -> None:
    """Chooses something from the menu of a room."""
    row = link(visitor, room).locator("..")
    row.hover()
    row.get_by_role("button").first.click()
    row.get_by_role("menuitem", name=item, exact=True).click()


# -- counts


def test_what_is_said_in_another_room_is_counted_on_both_devices(
    people: People, voice: Speak, room: str, other: str
) -> None:
    laptop, phone = devices(people, other, room)
    sam = voice(where=other)
    sam.say("one", "two")
    for device in (laptop, phone):
        counts(device, **{other: "2"})
        expect(link(device, other)).to_have_attribute("data-unread", "2")
        expect(link(device, other)).to_have_css("font-weight", "600")
    expect(phone.page.get_by_role("button", name="Rooms, 2 unread")).to_be_visible()
    laptop.open(other)
    laptop.ready()
    expect(laptop.row("two")).to_be_in_viewport()
    counts(phone, **{other: ""})
    expect(phone.page.get_by_role("button", name="Rooms", exact=True)).to_be_visible()
    read_here(laptop)


def test_reading_on_one_device_clears_the_other_within_a_second(
    people: People, voice: Speak, room: str
) -> None:
    laptop, phone = devices(people, room)
    laptop.look_away()
    phone.look_away()
    sam = voice()
    sam.say("one", "two", "three")
    for device in (laptop, phone):
        expect(device.page).to_have_title(re.compile(r"^\(3\) #"))
    before = phone.page.evaluate("performance.now()")
    laptop.page.evaluate("look(true)")
    phone.until("document.title.startsWith('#')")
    # A busy machine takes its time; what counts is that nobody waits for a round of anything.
    assert phone.page.evaluate("performance.now()") - before < 5_000
    read_here(laptop)


def test_what_is_never_counted(people: People, voice: Speak, room: str, other: str) -> None:
    laptop, phone = devices(people, other, room)
    sam = voice(where=other)
    first, second, third = sam.say("first", "second", "third")
    counts(laptop, **{other: "3"})
    sam.change("edit", first, text="the first")
    sam.change("delete", second)
    sam.command("react", cid="a-reaction-1", id=third, emoji="👍", on=True)
    sam.hear("reaction")
    for device in (laptop, phone):
        counts(device, **{other: "2"})
    phone.open(other)
    phone.ready()
    expect(phone.row("third")).to_be_in_viewport()
    counts(laptop, **{other: ""})
    phone.says("my own")
    phone.open(room)
    phone.ready()
    last = sam.say("the last")
    for device in (laptop, phone):
        counts(device, **{other: "1"})
    sam.change("delete", last[0])
    for device in (laptop, phone):
        counts(device, **{other: ""})


def test_counts_outlive_a_restart_and_a_tunnel(
    people: People, own_server: Server, room: str, other: str
) -> None:
    sam = Voice(own_server, other)
    laptop, phone = devices(people, other, room, server=own_server)
    phone.context.set_offline(True)
    expect(phone.html).to_have_attribute("data-conn", "offline")
    sam.say(*(f"line {number}" for number in range(3)))
    counts(laptop, **{other: "3"})
    sam.leave()
    assert own_server.stop() == 0
    own_server.start()
    laptop.online()
    counts(laptop, **{other: "3"})
    phone.context.set_offline(False)
    phone.online()
    counts(phone, **{other: "3"})
    laptop.open(other)
    laptop.ready()
    counts(phone, **{other: ""})
    laptop.open(room)
    laptop.ready().whole()
    counts(laptop, **{other: ""})


def test_a_mark_made_without_a_line_is_told_when_it_is_back(
    people: People, voice: Speak, room: str
) -> None:
    laptop, phone = devices(people, room)
    phone.look_away()
    laptop.look_away()
    line_down = laptop.context
    voice().say("one", "two")
    for device in (laptop, phone):
        expect(device.page).to_have_title(re.compile(r"^\(2\) #"))
    line_down.set_offline(True)
    expect(laptop.html).to_have_attribute("data-conn", "offline")
    laptop.look_back()
    read_here(laptop)
    expect(phone.page).to_have_title(re.compile(r"^\(2\) #"))
    line_down.set_offline(False)
    laptop.online()
    read_here(phone)
    read_here(laptop)


def test_many_are_ninety_nine_and_more(people: People, voice: Speak, room: str, other: str) -> None:
    laptop, phone = devices(people, other, room)
    voice(where=other).say(*(f"line {number}" for number in range(120)))
    for device in (laptop, phone):
        counts(device, **{other: "99+"})
    phone.page.reload()
    counts(phone.ready(), **{other: "99+"})


# -- mark as unread


def test_marked_as_unread_a_message_stays_so_until_one_comes_back(
    people: People, voice: Speak, room: str, other: str
) -> None:
    sam = voice()
    laptop, phone = devices(people, other, room)
    phone.open(other)
    phone.ready().whole()
    phone.look_away()
    sam.say("one", "two", "three")
    read_here(laptop)
    laptop.act(laptop.row("two"), "Mark as unread from here")
    new = "document.querySelector('#unread + .msg .body').textContent === 'two'"
    laptop.until(f"document.querySelector('#unread') && {new}")
    expect(laptop.page).to_have_title(re.compile(r"^\(2\) #"))
    counts(phone, **{room: "2"})
    sam.say("four")
    expect(laptop.page).to_have_title(re.compile(r"^\(3\) #"))
    counts(phone, **{room: "3"})
    counts(laptop, **{room: "3"})
    laptop.look_away()
    laptop.look_back()
    read_here(laptop)
    counts(phone, **{room: ""})


def test_marked_as_unread_on_one_device_it_is_on_the_other(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    laptop, phone = devices(people, room)
    sam.say("one", "two", "three")
    for device in (laptop, phone):
        read_here(device)
        expect(device.row("three")).to_be_in_viewport()
    laptop.act(laptop.row("three"), "Mark as unread from here")
    for device in (laptop, phone):
        expect(device.page).to_have_title(re.compile(r"^\(1\) #"))
        device.until("document.querySelector('#unread + .msg .body')?.textContent === 'three'")
    phone.says("an answer")
    for device in (laptop, phone):
        read_here(device)


def test_going_to_the_end_anew_reads_what_was_marked_as_unread(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(f"line {number}" for number in range(45)))
    ana = people("Ana").enter(room)
    read_here(ana)
    ana.act(ana.row("line 43"), "Mark as unread from here")
    expect(ana.page).to_have_title(re.compile(r"^\(2\) #"))
    ana.scroll_up(400)
    expect(ana.page).to_have_title(re.compile(r"^\(2\) #"))
    ana.pill.click()
    ana.pill.click()
    ana.at_the_end()
    read_here(ana)


def test_marked_as_unread_without_a_line_it_is_so_afterwards(
    people: People, voice: Speak, room: str
) -> None:
    sam = voice()
    laptop, phone = devices(people, room)
    sam.say("one", "two")
    for device in (laptop, phone):
        read_here(device)
        expect(device.row("two")).to_be_in_viewport()
    laptop.context.set_offline(True)
    expect(laptop.html).to_have_attribute("data-conn", "offline")
    laptop.act(laptop.row("one"), "Mark as unread from here")
    expect(laptop.page).to_have_title(re.compile(r"^\(2\) #"))
    laptop.context.set_offline(False)
    laptop.online()
    for device in (laptop, phone):
        expect(device.page).to_have_title(re.compile(r"^\(2\) #"))


# -- all is read, one room is


def test_all_is_marked_as_read_on_every_device(
    people: People, voice: Speak, room: str, other: str
) -> None:
    third = f"{room}-third"
    laptop, phone = devices(people, other, third, room)
    button = laptop.page.get_by_role("button", name="Mark all as read")
    expect(button).to_be_hidden()
    for where in (other, third):
        voice(where=where).say("one")
    for device in (laptop, phone):
        counts(device, **{other: "1", third: "1"})
    button.click()
    for device in (laptop, phone):
        counts(device, **{other: "", third: ""})
    expect(button).to_be_hidden()


def test_one_room_is_marked_as_read_from_its_menu(
    people: People, voice: Speak, room: str, other: str
) -> None:
    third = f"{room}-third"
    laptop, phone = devices(people, other, third, room)
    for where in (other, third):
        voice(where=where).say("one")
    counts(laptop, **{other: "1", third: "1"})
    menu(laptop, other, "Mark as read")
    for device in (laptop, phone):
        counts(device, **{other: "", third: "1"})


# -- what is meant for me


def test_what_is_meant_for_me_is_marked_wherever_it_is(
    people: People, voice: Speak, room: str, other: str
) -> None:
    ana = people("Ana")
    ana.context.add_init_script(BADGE)
    ana.enter(other)
    ana.enter(room)
    sam = voice(where=other)
    sam.say(f"@{ana.name}, look", "and this")
    expect(link(ana, other)).to_have_accessible_name(f"{other} mentioned, @2 unread")
    expect(link(ana, other)).to_have_attribute("data-mentioned", "")
    expect(ana.page).to_have_title(re.compile(r"^\(@1\) #"))
    ana.until("window.badge === 1")
    assert violations(ana.page) == []
    ana.look_away()
    near = voice()
    (meant, _) = near.say(f"and here, @{ana.name}", "a word")
    expect(ana.page).to_have_title(re.compile(r"^\(@3\) #"))
    ana.until("window.badge === 2")
    near.change("edit", meant, text="and here")
    expect(ana.page).to_have_title(re.compile(r"^\(@3\) #"))
    ana.until("window.badge === 1")
    ana.look_back()
    expect(ana.page).to_have_title(re.compile(r"^\(@1\) #"))
    ana.page.get_by_role("button", name="Mark all as read").click()
    read_here(ana)
    ana.until("window.badge === 0")


def test_a_muted_room_counts_nothing(people: People, voice: Speak, room: str, other: str) -> None:
    laptop, phone = devices(people, other, room)
    tell = json.dumps({"type": "keep", "key": f"mute:{other}", "value": "ever"})
    sam = voice(where=other)
    laptop.page.evaluate(
        """([url, frame]) => new Promise((done) => {
        const socket = new WebSocket(url);
        socket.onmessage = ({data}) => {
            if (JSON.parse(data).type === 'live') socket.send(frame);
            if (JSON.parse(data).values?.[JSON.parse(frame).key]) done(socket.close());
        }; })""",
        [laptop.server.url(room).replace("http", "ws") + "/ws", tell],
    )
    sam.say("one")
    for device in (laptop, phone):
        expect(link(device, other).locator(".mark")).to_have_text("muted")
        counts(device, **{other: ""})
    expect(phone.page.get_by_role("button", name="Rooms", exact=True)).to_be_visible()
    laptop.page.reload()
    counts(laptop.ready(), **{other: ""})
    expect(link(laptop, other)).to_have_accessible_name(f"{other} muted")


# -- the order of the rooms, and leaving them


@pytest.fixture
def three(people: People, room: str) -> tuple[Visitor, Visitor, list[str]]:
    """A laptop and a phone, and the three rooms of the person after the house."""
    rooms = [f"{room}-a", f"{room}-b", f"{room}-c"]
    laptop, phone = devices(people, *rooms)
    for device in (laptop, phone):
        device.until(f"document.querySelectorAll('.side .rooms a').length === {len(rooms) + 1}")
        assert names(device)[1:] == rooms
    return laptop, phone, rooms


def in_order(visitor: Visitor, *rooms: str) -> None:
    """Waits until the list is the house and these rooms."""
    expect(visitor.page.locator(".side .rooms .rn").nth(1)).to_have_text(rooms[0])
    expect(visitor.page.locator(".side .rooms .rn")).to_have_text(["lobby", *rooms])


def test_rooms_are_put_in_order_by_dragging(
    three: tuple[Visitor, Visitor, list[str]],
) -> None:
    laptop, phone, (a, b, c) = three
    # The lower half of a row: what is let go there comes after it.
    link(laptop, a).drag_to(link(laptop, c), target_position={"x": 60, "y": 30})
    for device in (laptop, phone):
        in_order(device, b, c, a)
    laptop.page.reload()
    in_order(laptop.ready(), b, c, a)


def test_a_room_that_is_dragged_elsewhere_stays(
    three: tuple[Visitor, Visitor, list[str]],
) -> None:
    laptop, _, rooms = three
    link(laptop, rooms[0]).drag_to(laptop.composer)
    in_order(laptop, *rooms)


def test_rooms_are_put_in_order_by_keys(three: tuple[Visitor, Visitor, list[str]]) -> None:
    laptop, phone, (a, b, c) = three
    link(laptop, a).focus()
    laptop.page.keyboard.press("Control+Shift+ArrowDown")
    expect(laptop.announcer).to_have_text(f"{a} is number 3 of 4")
    laptop.page.keyboard.press("Control+Shift+ArrowDown")
    expect(link(laptop, a)).to_be_focused()
    for device in (laptop, phone):
        in_order(device, b, c, a)


def test_rooms_are_put_in_order_with_a_finger(
    three: tuple[Visitor, Visitor, list[str]],
) -> None:
    laptop, phone, (a, b, c) = three
    phone.page.get_by_role("button", name="Rooms", exact=True).tap()
    more = phone.page.get_by_role("button", name=f"Actions for #{c}", exact=True)
    box = more.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    more.tap()
    assert violations(phone.page) == []
    up = phone.page.get_by_role("menuitem", name="Move up")
    up.tap()
    up.tap()  # the menu stays for the next step
    expect(up).to_be_focused()
    phone.page.keyboard.press("Escape")
    expect(more).to_be_focused()
    for device in (laptop, phone):
        in_order(device, c, a, b)


def test_the_menu_of_a_room_is_used_by_keys(three: tuple[Visitor, Visitor, list[str]]) -> None:
    laptop, _, (a, b, c) = three
    link(laptop, b).focus()
    laptop.page.keyboard.press("Tab")
    laptop.page.keyboard.press("Enter")
    expect(laptop.page.get_by_role("menuitem", name="Move up")).to_be_focused()
    assert violations(laptop.page) == []
    laptop.page.keyboard.press("ArrowDown")
    laptop.page.keyboard.press("Enter")
    in_order(laptop, a, c, b)
    laptop.page.keyboard.press("ArrowUp")
    laptop.page.keyboard.press("ArrowUp")
    expect(laptop.page.get_by_role("menuitem", name="Leave")).to_be_focused()
    laptop.page.keyboard.press("Escape")
    expect(laptop.page.get_by_role("button", name=f"Actions for #{b}", exact=True)).to_be_focused()


def test_a_room_that_is_left_is_gone_on_every_device_and_back_with_the_next_visit(
    three: tuple[Visitor, Visitor, list[str]],
) -> None:
    laptop, phone, (a, b, c) = three
    menu(laptop, a, "Leave")
    expect(link(laptop, b)).to_be_focused()
    for device in (laptop, phone):
        in_order(device, b, c)
    laptop.open(a)
    in_order(laptop.ready(), b, c, a)
    in_order(phone, b, c, a)


@pytest.mark.parametrize("known", [True, False], ids=["menu known", "menu not fetched"])
def test_without_a_line_nothing_is_left_or_read(
    three: tuple[Visitor, Visitor, list[str]], known: bool
) -> None:
    laptop, _, (a, b, c) = three
    if known:
        link(laptop, a).hover()
        laptop.page.wait_for_load_state("networkidle")
    laptop.context.set_offline(True)
    expect(laptop.html).to_have_attribute("data-conn", "offline")
    if known:
        menu(laptop, a, "Leave")
    else:
        laptop.page.get_by_role("button", name=f"Actions for #{a}", exact=True).click()
    expect(laptop.page.get_by_role("alert")).to_contain_text("That needs a connection")
    in_order(laptop, a, b, c)
    laptop.context.set_offline(False)
    laptop.online()
    menu(laptop, a, "Leave")
    in_order(laptop, b, c)


def test_rooms_that_only_this_browser_knew_stay_until_the_server_knows_them(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    put = """name => { const {you} = JSON.parse(document.getElementById('boot').textContent);
        const mine = `chat:/:${you.user}:`;
        localStorage.setItem(`${mine}rooms`, JSON.stringify([name, 'from-before']));
        localStorage.setItem(`${mine}titles`, '{"from-before": "From before!"}'); }"""
    ana.page.evaluate(put, room)
    ana.page.reload()
    ana.ready().whole()
    expect(link(ana, "from-before")).to_have_text(re.compile("From before!"))
    expect(link(ana, room)).to_have_count(1)
    link(ana, "from-before").click()
    ana.ready().whole()
    kept = "Object.keys(localStorage).filter(key => /:(rooms|titles)$/.test(key)).length"
    ana.until(f"{kept} === 0")
    phone = people("Ana", **PHONE)
    phone.context.add_cookies(ana.context.cookies())
    phone.open(room)
    expect(link(phone.ready(), "from-before")).to_have_count(1)


def test_a_row_that_is_the_same_is_not_made_anew(
    people: People, voice: Speak, room: str, other: str
) -> None:
    ana = people("Ana")
    ana.enter(other)
    ana.enter(room)
    sam = voice(where=other)
    sam.say("one")
    counts(ana, **{other: "1"})
    ana.page.reload()
    # What the server rendered is there before the scripts are, and stays.
    watch = """() => { window.made = 0;
        new MutationObserver((all) => { window.made += all.length; }).observe(
            document.querySelector('.side .rooms'), {childList: true, subtree: true}); }"""
    ana.ready().whole()
    ana.page.evaluate(watch)
    sam.say("two")
    counts(ana, **{other: "2"})
    assert ana.page.evaluate("window.made") == 2, "one badge goes and one comes"


# -- from room to room


def switcher(page: Page) -> Locator:
    """Opens the quick switcher; its list."""
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog", name="Go to a room")
    expect(dialog.get_by_role("combobox", name="Find a room")).to_be_focused()
    return dialog.get_by_role("listbox", name="Rooms")


def test_the_switcher_has_first_what_is_new_and_finds_by_a_few_letters(
    people: People, voice: Speak, room: str, other: str
) -> None:
    third = f"{room}-third"
    ana = people("Ana")
    for where in (third, other, room):
        ana.enter(where)
    voice(where=other).say("one", "two")
    counts(ana, **{other: "2"})
    options = switcher(ana.page).get_by_role("option")
    expect(options).to_have_count(4)
    expect(options.first).to_have_accessible_name(re.compile(rf"{other} 2 unread"))
    expect(options.last).to_have_accessible_name(re.compile(rf"{room}$"))
    assert violations(ana.page) == []
    field = ana.page.get_by_role("combobox")
    active = "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
    ana.page.keyboard.press("ArrowUp")
    ana.until(f"{active} === document.querySelector('#switch-list').lastElementChild")
    field.fill(third.upper().replace("I", "Í"))
    expect(options).to_have_count(1)
    expect(options).to_have_attribute("aria-selected", "true")
    field.fill("nothing of the kind")
    expect(options).to_have_count(0)
    expect(ana.page.get_by_role("dialog")).to_contain_text("You have no room of that name.")
    assert violations(ana.page) == []
    field.fill("")
    ana.page.keyboard.press("Enter")
    expect(ana.page).to_have_url(re.compile(rf"/r/{other}$"))


def test_keys_go_from_one_room_with_news_to_the_next(
    people: People, voice: Speak, room: str, other: str
) -> None:
    third = f"{room}-third"
    ana = people("Ana")
    for where in (third, other, room):
        ana.enter(where)
    voice(where=third).say("one")
    counts(ana, **{third: "1"})
    ana.page.keyboard.press("Alt+Shift+ArrowUp")
    expect(ana.page).to_have_url(re.compile(rf"/r/{third}$"))
    ana.ready().whole()
    read_here(ana)
    ana.page.keyboard.press("Alt+Shift+ArrowUp")
    ana.page.keyboard.press("Alt+ArrowDown")
    expect(ana.page).to_have_url(re.compile(rf"/r/{other}$"))
