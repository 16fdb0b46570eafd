"""Who looks elsewhere is told of what is meant for them: once, and only where they want it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import Frame, Line, wait_until
from .people import Visitor
from .server import Voice
from .test_access import PHONE, violations
from .test_settings import devices

Speak = Callable[..., Voice]

# Notifications as a browser on a computer has them; `asked` counts what it was asked.
STUB = """
window.notes = [];
window.asked = 0;
window.Notification = class {
  static permission = '%s';
  static async requestPermission() {
    window.asked += 1;
    return (this.permission = window.answer ?? 'granted');
  }
  constructor(title, options) {
    Object.assign(this, options, {title});
    if (Notification.permission === 'granted') notes.push(this);
  }
  close() { this.closed = true; }
};
window.sounds = 0;
window.AudioContext = class {
  currentTime = 0;
  createGain() {
    const gain = {setValueAtTime() {}, linearRampToValueAtTime() {},
      exponentialRampToValueAtTime() {}};
    return {gain, connect: () => this};
  }
  createOscillator() {
    return {frequency: {}, connect: (next) => next, start: () => { sounds += 0.5; }, stop() {}};
  }
};
"""
NOTES = "notes.filter(note => !note.closed).map(({title, body, tag}) => [title, body, tag])"
ALL = "notes.map(({body}) => body)"
SPEAKS = """navigator.locks.query().then(({held, pending}) =>
    held.some(({name}) => name.includes(':shows ')) && pending.length === 0
    && !held.some(({name}) => name.includes(':looks ')))"""
SEEN = """navigator.locks.query().then(({held}) =>
    held.some(({name}) => name.includes(':looks ')))"""
UNSEEN = """navigator.locks.query().then(({held}) =>
    !held.some(({name}) => name.includes(':looks ')))"""
ME = "JSON.parse(document.querySelector('#boot').textContent).you.user"


def kept(line: Line) -> dict[str, str]:
    """What the page has asked the server to keep, by key."""
    return {frame["key"]: frame["value"] for frame in line.says("keep")}


class Ear:
    """Somebody who looks elsewhere, with a line on which "@me" in a text is meant for them."""

    def __init__(self, people: People, room: str, allowed: str = "granted", **options: Any) -> None:
        self.who = people("Ana", **options)
        self.who.context.add_init_script(STUB % allowed)
        self.room = room
        self.line = Line(self.who.context)
        self.line.on_event = self._meant
        self.me = ""
        self.who.enter(room)
        self.me = self.who.page.evaluate(ME)

    def _meant(self, event: Frame) -> Frame:
        if event["type"] == "message" and "@me" in event["text"]:
            event["mentions"] = {self.me: "me"}
        return event

    def set(self, **values: str) -> Ear:
        """Settings of this person, as told by the server; `level` and `mute` are of this room."""
        names = {"level": f"level:{self.room}", "mute": f"mute:{self.room}"}
        told = {names.get(key, key): value for key, value in values.items()}
        self.line.tell({"type": "kept", "values": told})
        return self

    def hears(self, *bodies: str, tab: Visitor | None = None) -> None:
        """Waits for as many, and these were all there ever were, in this order."""
        page = (tab or self.who).page
        told = f"{len(bodies)} are told"
        wait_until(page, lambda: len(page.evaluate(ALL)) >= len(bodies), told)
        assert page.evaluate(ALL) == list(bodies)


@pytest.fixture
def ear(people: People, room: str) -> Ear:
    """Somebody who may be notified and looks elsewhere."""
    ear = Ear(people, room)
    ear.who.look_away()
    ear.who.until(SPEAKS)
    return ear


def bell(visitor: Visitor) -> Locator:
    """Opens the dialog of the bell, on a phone from its drawer."""
    if visitor.touches:
        visitor.page.get_by_role("button", name="People", exact=True).tap()
    visitor.page.get_by_role("button", name=re.compile("^Notifications: ")).click()
    dialog = visitor.page.get_by_role("dialog", name=re.compile("^Notifications in #"))
    expect(dialog.get_by_role("radiogroup")).to_be_visible()
    return dialog


def test_a_mention_is_told_once_and_nothing_else_is(ear: Ear, voice: Speak) -> None:
    sam = voice()
    sam.say("for everybody", "@me look", "and again for everybody")
    ear.who.shows("for everybody", "@me look", "and again for everybody")
    ear.hears("@me look")
    assert ear.who.page.evaluate(NOTES) == [[f"{sam.name} in #{ear.room}", "@me look", ear.room]]


def test_a_level_decides_what_is_told(ear: Ear, voice: Speak) -> None:
    sam = voice()
    ear.set(level="all", notify="none")
    sam.say("everything")
    ear.hears("everything")
    ear.set(level="none")
    sam.say("@me not this")
    ear.who.shows("everything", "@me not this")
    ear.set(level="")
    sam.say("@me nor this: nothing is for all rooms")
    expect(ear.who.rows).to_have_count(3)
    ear.set(level="mentions")
    sam.say("not this", "@me but this")
    ear.hears("everything", "@me but this")


def test_a_muted_room_and_quiet_hours_say_nothing(ear: Ear, voice: Speak) -> None:
    sam = voice()
    ear.set(sound="on", mute="ever")
    sam.say("@me muted")
    expect(ear.who.rows).to_have_count(1)
    ear.set(mute="", quiet="00:00-23:59")
    sam.say("@me in the night")
    expect(ear.who.rows).to_have_count(2)
    assert ear.who.page.evaluate("sounds") == 0
    ear.set(quiet="")
    sam.say("@me by day")
    ear.hears("@me by day")


def test_nothing_is_told_of_what_one_comes_back_to(ear: Ear, voice: Speak) -> None:
    sam = voice()
    ear.set(level="all")
    ear.line.cut(refusing=True)
    sam.say("@me while it was gone")
    ear.line.refusing = False
    ear.who.online()
    ear.who.shows("@me while it was gone")
    sam.say("@me now")
    ear.hears("@me now")


def test_nothing_is_told_of_an_edit_or_of_oneself(ear: Ear, people: People, voice: Speak) -> None:
    sam = voice()
    ear.set(level="all")
    other = ear.who.tab()
    other.open(ear.room)
    other.ready().whole()
    other.look_away()
    (number,) = sam.say("first")
    ear.hears("first")
    sam.change("edit", number, text="@me first, better")
    other.says("by myself")
    other.page.close()
    ear.who.until(SPEAKS)
    sam.say("last")
    ear.hears("first", "last")


def test_nothing_is_told_of_a_room_that_is_looked_at(ear: Ear, voice: Speak) -> None:
    sam = voice()
    ear.who.look_back()
    sam.say("@me in sight")
    ear.who.shows("@me in sight")
    ear.who.look_away()
    ear.who.until(UNSEEN)
    other = ear.who.tab()
    other.open(ear.room)
    other.ready().whole().until(SEEN)
    sam.say("@me in sight of another tab")
    for tab in (ear.who, other):
        tab.shows("@me in sight", "@me in sight of another tab")
    ear.who.until(SEEN)  # asked behind the question whether it is to be told
    other.look_away()
    other.until(UNSEEN)
    sam.say("@me out of sight")
    ear.hears("@me out of sight")
    assert other.page.evaluate(ALL) == []


def test_when_the_tab_that_tells_is_closed_another_does(ear: Ear, voice: Speak) -> None:
    other = ear.who.tab()
    other.open(ear.room)
    other.ready().whole()
    other.look_away()
    ear.who.page.close()
    other.until(SPEAKS)
    voice().say("@me again")
    ear.hears("@me again", tab=other)


def test_a_page_that_is_left_and_kept_does_not_tell_until_it_is_back(
    ear: Ear, voice: Speak
) -> None:
    ana, sam = ear.who, voice()
    ana.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    other = ana.tab()
    other.open(ear.room)
    other.ready().whole()
    other.look_away()
    other.until(SPEAKS)
    sam.say("@me one")
    ear.hears("@me one", tab=other)
    ana.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    other.page.close()
    ana.until(SPEAKS)
    sam.say("@me two")
    ear.hears("@me two")


def test_what_was_told_goes_with_the_page_that_told_it(ear: Ear, voice: Speak) -> None:
    voice().say("@me look")
    ear.hears("@me look")
    ear.who.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert ear.who.page.evaluate("notes[0].closed")


def test_a_later_one_replaces_the_earlier_and_reading_closes_it(ear: Ear, voice: Speak) -> None:
    sam = voice()
    first, second = sam.say("@me one", "@me two")
    ear.hears("@me one", "@me two")
    tags = ear.who.page.evaluate("notes.map(({tag, renotify, silent}) => [tag, renotify, silent])")
    assert tags == [[ear.room, True, True]] * 2
    ear.line.tell({"type": "read", "id": first})
    ear.line.tell({"type": "read", "id": second})  # on another device
    ear.who.until("notes.at(-1).closed")


def test_what_was_deleted_is_not_left_on_the_screen(ear: Ear, voice: Speak) -> None:
    sam = voice()
    (number,) = sam.say("@me by mistake")
    ear.hears("@me by mistake")
    sam.change("delete", number)
    ear.who.until("notes[0].closed")


def test_a_press_leads_to_the_message(ear: Ear, voice: Speak) -> None:
    (number,) = voice().say("@me here")
    ear.hears("@me here")
    ear.who.page.evaluate("window.focus = () => { window.focused = true; }")
    ear.who.page.evaluate("notes[0].onclick()")
    expect(ear.who.page).to_have_url(re.compile(rf"#m{number}$"))
    expect(ear.who.page.locator(f"#m{number}")).to_have_class(re.compile("reached"))
    assert ear.who.page.evaluate("focused && notes[0].closed")


def test_what_comes_thick_is_told_once_a_second(people: People, room: str, voice: Speak) -> None:
    ana = people("Ana")
    ana.clock()
    ana.context.add_init_script(STUB % "granted")
    line = Line(ana.page)
    ana.enter(room)
    line.tell({"type": "kept", "values": {"notify": "all"}})
    expect(ana.page.locator(".top .bell")).to_have_accessible_name("Notifications: everything")
    ana.look_away()
    ana.stop_the_clock()
    voice().say("storm 0", "storm 1", f"@{ana.name} look", "storm 3", "storm 4")
    while ana.rows.count() < 5:
        ana.pass_time(0.05)
    ana.until("notes.length > 0")
    assert ana.page.evaluate(ALL) == ["storm 0"]
    ana.pass_time(1.5)
    ana.until("notes.length > 1")
    assert ana.page.evaluate(ALL) == ["storm 0", f"@{ana.name} look"]


def test_a_text_is_told_in_one_line_without_its_marks(ear: Ear, voice: Speak) -> None:
    voice().say("**Hi** @me\n\n> see\n\n`it` ```\n" + "long " * 40)
    wait_until(ear.who.page, lambda: ear.who.page.evaluate(ALL), "it is told")
    (body,) = ear.who.page.evaluate(ALL)
    assert body.startswith("Hi @me see it")
    assert body.endswith("…")
    assert len(body) == 120


def rooms(whole: bool = False, **counts: tuple[int, int]) -> Frame:
    """The counts of other rooms: unread, mentioned."""
    told = [
        {"room": room, "title": room.title(), "unread": unread, "mentioned": mentioned}
        for room, (unread, mentioned) in counts.items()
    ]
    return {"type": "rooms", "rooms": told, **({"whole": True} if whole else {})}


def test_other_rooms_are_told_of_by_what_is_new_in_them(ear: Ear) -> None:
    ear.line.tell(rooms(whole=True, design=(2, 1), tea=(5, 0)))
    ear.line.tell(rooms(tea=(6, 0)))
    ear.line.tell(rooms(design=(3, 1)))
    ear.line.tell(rooms(design=(4, 2)))
    ear.hears("You were mentioned")
    ear.set(notify="all", **{"mute:tea": "ever"})
    ear.line.tell(rooms(tea=(7, 0)))
    ear.line.tell(rooms(design=(5, 2)))
    ear.hears("You were mentioned", "5 new messages")
    assert (
        ear.who.page.evaluate("notes.map(({title, tag}) => title + tag)") == ["#Designdesign"] * 2
    )
    ear.line.tell(rooms(design=(0, 0)))
    ear.who.until("notes.at(-1).closed")
    ear.line.tell(rooms(whole=True, design=(9, 9)))  # what one comes back to
    ear.line.tell(rooms(design=(10, 10)))
    ear.hears("You were mentioned", "5 new messages", "You were mentioned")


def test_of_another_room_only_one_tab_tells_and_none_if_one_shows_it(
    ear: Ear, people: People
) -> None:
    ear.set(notify="all")
    same = ear.who.tab()
    same.open(ear.room)
    same.ready().whole()
    there = ear.who.tab()
    there.open(f"{ear.room}-other")
    there.ready().whole()
    for tab in (same, there):
        tab.look_away()
    event = rooms(design=(1, 0))
    event["rooms"].append({**event["rooms"][0], "room": f"{ear.room}-other"})
    ear.line.tell_all(event)
    ear.hears("1 new message")
    assert same.page.evaluate(ALL) == there.page.evaluate(ALL) == []


def test_a_press_leads_to_the_other_room(ear: Ear) -> None:
    ear.set(notify="all")
    ear.line.tell(rooms(design=(1, 0)))
    ear.hears("1 new message")
    ear.who.page.evaluate("notes[0].onclick()")
    expect(ear.who.page).to_have_url(re.compile("/r/design$"))


def test_a_sound_is_off_until_it_is_wanted_and_comes_once_in_ten_seconds(
    people: People, room: str, voice: Speak
) -> None:
    ana = people("Ana")
    ana.clock()
    ana.context.add_init_script(STUB % "denied")  # it needs no permission
    line = Line(ana.page)
    ana.enter(room)
    ana.says("awake")
    ana.look_away()
    sam = voice()

    def say(text: str, sounds: int) -> None:
        sam.say(text)
        ana.shows_once(text)
        ana.until(f"sounds === {sounds}")

    line.tell({"type": "kept", "values": {"notify": "all"}})
    say("silent", 0)
    line.tell({"type": "kept", "values": {"sound": "on"}})
    say("heard", 1)
    say("just after", 1)
    ana.page.clock.fast_forward(10_000)
    say("heard again", 2)


def test_who_is_named_or_answered_is_told(people: People, voice: Speak, room: str) -> None:
    ana = people("Ana")
    ana.context.add_init_script(STUB % "granted")
    ana.enter(room)
    ana.says("a question")
    ana.look_away()
    sam = voice()
    sam.say(f"@{ana.name} look")
    wait_until(ana.page, lambda: len(ana.page.evaluate(ALL)) == 1, "the name is told of")
    number = int(ana.row("a question").get_attribute("data-id") or 0)
    sam.command("say", cid="the-answer-1", text="the answer", reply=number)
    wait_until(ana.page, lambda: len(ana.page.evaluate(ALL)) == 2, "the answer is told of")
    assert ana.page.evaluate(ALL) == [f"@{ana.name} look", "the answer"]


def test_a_mention_in_a_room_that_no_tab_shows_is_told(
    people: People, voice: Speak, room: str
) -> None:
    ana = people("Ana")
    ana.context.add_init_script(STUB % "granted")
    ana.enter(f"{room}-other")
    ana.open(room)
    ana.ready().whole().look_away()
    sam = voice(where=f"{room}-other")
    sam.say("for everybody", f"@{ana.name} look")
    wait_until(ana.page, lambda: ana.page.evaluate(ALL), "it is told")
    told = [f"#{room}-other", "You were mentioned", f"{room}-other"]
    assert ana.page.evaluate(NOTES) == [told]


def test_what_the_phone_mutes_and_reads_the_laptop_does_not_tell(
    people: People, voice: Speak, room: str
) -> None:
    laptop, phone = devices(people, room)
    laptop.page.evaluate(f"() => {{{STUB % 'granted'}}}")
    for device in (laptop, phone):
        device.look_away()
    sam = voice()
    sam.say(f"@{laptop.name} one")
    laptop.until("notes.length === 1")
    phone.look_back()
    laptop.until("notes[0].closed")
    bell(phone).get_by_role("button", name="For good").tap()
    button = laptop.page.get_by_role("button", name="Notifications: muted", exact=True)
    expect(button).to_be_visible()
    phone.look_away()
    sam.say(f"@{laptop.name} two")
    laptop.shows(f"@{laptop.name} one", f"@{laptop.name} two")
    phone.page.get_by_role("button", name="Unmute").tap()
    expect(button).to_have_count(0)
    sam.say(f"@{laptop.name} three")
    laptop.until("notes.length === 2")
    assert laptop.page.evaluate(ALL)[1].endswith("three")


# --- the bell


def test_the_bell_says_the_level_and_asks_once_within_its_press(people: People, room: str) -> None:
    ear = Ear(people, room, "default")
    ana = ear.who
    button = ana.page.get_by_role("button", name="Notifications: mentions and replies", exact=True)
    expect(button).to_have_accessible_description("Off on this device")
    assert ana.page.evaluate("asked") == 0
    dialog = bell(ana)
    expect(dialog.get_by_role("switch", name="On this device")).to_be_checked()
    assert ana.page.evaluate("asked") == 1
    dialog.get_by_role("radio", name="Everything").check()
    ana.page.keyboard.press("Escape")
    button = ana.page.get_by_role("button", name="Notifications: everything", exact=True)
    expect(button).to_be_focused()
    expect(button).not_to_have_accessible_description("Off on this device")
    dialog = bell(ana)
    assert ana.page.evaluate("asked") == 1
    wait_until(ana.page, lambda: kept(ear.line).get(f"level:{room}") == "all", "it is kept")


def test_who_says_no_is_told_what_to_do(people: People, room: str) -> None:
    ana = Ear(people, room, "default").who
    ana.page.evaluate("window.answer = 'denied'")
    dialog = bell(ana)
    expect(dialog).to_contain_text("This browser blocks them for this address. Press the lock")
    expect(dialog.get_by_role("switch")).to_have_count(0)
    expect(dialog.get_by_role("radio", name="Nothing")).to_be_enabled()
    assert violations(ana.page) == []


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("Object.defineProperty(window, 'isSecureContext', {value: false});", "need HTTPS"),
        ("delete window.Notification;", "Use one on a computer"),
        (
            "window.Notification = class { static permission = 'default';"
            " constructor() { throw new TypeError('Illegal constructor.'); } };",
            "Use one on a computer",
        ),
    ],
    ids=["plain http", "none", "as on Android"],
)
def test_where_there_are_none_the_bell_says_what_to_do(
    people: People, room: str, lacking: str, words: str
) -> None:
    ana = people("Ana")
    ana.context.add_init_script(lacking)
    ana.enter(room)
    dialog = bell(ana)
    expect(dialog).to_contain_text(words)
    dialog.get_by_role("radio", name="Everything").check()
    expect(ana.page.locator(".top .bell")).to_have_accessible_name("Notifications: everything")


def test_one_device_can_be_silent(ear: Ear, voice: Speak) -> None:
    ear.who.look_back()
    switch = bell(ear.who).get_by_role("switch", name="On this device")
    switch.click()
    ear.who.page.reload()
    ear.who.ready().whole()
    switch = bell(ear.who).get_by_role("switch", name="On this device")
    expect(switch).not_to_be_checked()
    ear.who.look_away()
    voice().say("@me unheard")
    expect(ear.who.rows).to_have_count(1)
    switch.click()
    voice().say("@me heard")
    ear.hears("@me heard")


def test_a_room_is_muted_for_an_hour_until_morning_or_for_good(people: People, room: str) -> None:
    ana = people("Ana", timezone_id="Europe/Berlin")
    ana.clock()
    line = Line(ana.page)
    ana.enter(room)
    dialog = bell(ana)
    now = ana.page.evaluate("Date.now()")
    dialog.get_by_role("button", name="For an hour").click()
    expect(dialog.get_by_role("status")).to_contain_text(re.compile(r"Muted until \d\d:\d\d"))
    expect(dialog.get_by_role("button", name="Unmute")).to_be_focused()
    wait_until(ana.page, lambda: f"mute:{room}" in kept(line), "it is kept")
    until = int(kept(line)[f"mute:{room}"])
    assert 3_600_000 <= until - now < 3_660_000
    dialog.get_by_role("button", name="Unmute").click()
    expect(dialog.get_by_role("button", name="For an hour")).to_be_focused()
    dialog.get_by_role("button", name="Until morning").click()
    expect(dialog.get_by_role("status")).to_contain_text("Muted until 08:00")
    ana.page.keyboard.press("Escape")
    button = ana.page.get_by_role("button", name="Notifications: muted", exact=True)
    expect(button).to_be_focused()
    ana.page.clock.fast_forward("24:00:00")
    expect(button).to_have_count(0)
    dialog = bell(ana)
    dialog.get_by_role("button", name="For good").click()
    wait_until(ana.page, lambda: kept(line)[f"mute:{room}"] == "ever", "it is said")


def test_the_bell_is_done_with_the_keyboard_alone(people: People, room: str) -> None:
    ana = Ear(people, room).who
    ana.page.locator(".top .bell").focus()
    ana.page.keyboard.press("Enter")
    dialog = ana.page.get_by_role("dialog", name=f"Notifications in #{room}")
    expect(dialog.get_by_role("switch", name="On this device")).to_be_focused()
    ana.page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="Mentions and replies")).to_be_focused()
    ana.page.keyboard.press("ArrowUp")
    expect(dialog.get_by_role("radio", name="Everything")).to_be_checked()
    ana.page.keyboard.press("Tab")
    expect(dialog.get_by_role("button", name="For an hour")).to_be_focused()


@pytest.mark.parametrize("screen", [{}, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bell_has_no_violations(
    people: People, room: str, screen: dict[str, Any], scheme: str
) -> None:
    ana = Ear(people, room, color_scheme=scheme, **screen).who
    dialog = bell(ana)
    assert violations(ana.page) == []
    dialog.get_by_role("button", name="For good").click()
    expect(dialog.get_by_role("button", name="Unmute")).to_be_visible()
    assert violations(ana.page) == []
