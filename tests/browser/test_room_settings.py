"""A room's settings: who may write, who sees it, what is kept; and what everybody is told."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .line import Frame, Line
from .people import Visitor
from .ruling import RuledServer, me
from .server import PATIENCE
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations

HEADER = ".tt .line"
HOUR = 3_600_000  # milliseconds


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[RuledServer]:
    """A server with an owner, for all tests here."""
    hall = RuledServer(tmp_path_factory.mktemp("hall"), "--rate=0")
    yield hall
    hall.kill()


@pytest.fixture
def enter(hall: RuledServer, people: People, room: str) -> Callable[..., Visitor]:
    """`enter("Mira", "moderator")`: somebody who is that comes into the room."""

    def come(name: str, role: str = "", **options: Any) -> Visitor:
        visitor = people(name, hall, **options)
        visitor.enter(room)
        return hall.appoint(visitor, role) if role else visitor

    return come


@pytest.fixture
def mira(enter: Callable[..., Visitor]) -> Visitor:
    return enter("Mira", "moderator")


Enter = Callable[..., Visitor]


def open_settings(visitor: Visitor) -> Locator:
    """The dialog, open and filled."""
    button = visitor.page.get_by_role("button", name="Room settings")
    if visitor.touches:
        button.tap()
    else:
        button.click()
    dialog = visitor.page.locator("dialog#room")
    expect(dialog.get_by_role("combobox", name="Tell me about")).to_be_visible()
    return dialog


def header(visitor: Visitor) -> Locator:
    """The line under the room's name."""
    return visitor.page.locator(HEADER)


def barred(visitor: Visitor) -> Locator:
    """Why nothing can be written."""
    return visitor.page.locator(".composer .barred")


def notes(visitor: Visitor) -> Locator:
    """The quiet lines, but for those of who came."""
    return visitor.page.locator(".note").filter(has_not_text="joined")


def may_write(visitor: Visitor) -> None:
    """Waits until the box is one to write in."""
    expect(barred(visitor)).to_be_hidden()
    expect(visitor.composer).to_be_editable()


# --- who may write


def test_announcements_apply_at_once_and_everybody_is_told(enter: Enter, mira: Visitor) -> None:
    ana = enter("Ana")
    ana.says("before it")
    ana.composer.fill("half a thought")
    open_settings(mira).get_by_role("radio", name="Announcements").check()
    for visitor in (mira, ana):
        expect(header(visitor)).to_contain_text("Announcements only · 2 here now")
    expect(notes(ana)).to_have_text(f"{mira.name} set the room to announcements only")
    expect(notes(mira)).to_have_text("You set the room to announcements only")
    expect(ana.announcer).to_contain_text(f"{mira.name} set the room to announcements only")
    expect(barred(ana)).to_have_text("Only moderators write here.")
    expect(ana.composer).not_to_be_editable()
    expect(ana.composer).to_have_value("half a thought")
    expect(ana.send).to_have_attribute("aria-disabled", "true")
    expect(ana.send).to_have_accessible_description("Only moderators write here.")
    may_write(mira)
    mira.page.keyboard.press("Escape")
    mira.says("an announcement")
    ana.shows("before it", "an announcement")
    open_settings(mira).get_by_role("radio", name="Everyone").check()
    may_write(ana)
    expect(notes(ana).last).to_have_text(f"{mira.name} opened the room: everyone may write")
    ana.composer.press("Enter")
    ana.shows_once("half a thought")


def test_slow_is_set_with_its_time_and_a_message_waits_for_it(enter: Enter, mira: Visitor) -> None:
    ana = enter("Ana")
    dialog = open_settings(mira)
    wait = dialog.get_by_role("combobox", name="Wait between messages")
    expect(wait).to_be_hidden()
    dialog.get_by_role("radio", name="Slowly").check()
    expect(header(ana)).to_contain_text("One message in 30 seconds")
    expect(notes(ana).last).to_have_text(f"{mira.name} set the room to slow, 30 seconds")
    wait.select_option("5 minutes")
    expect(header(ana)).to_contain_text("One message in 5 minutes")
    expect(notes(ana).last).to_have_text(f"{mira.name} set the room to slow, 5 minutes")
    may_write(ana)
    ana.says("the first")
    ana.say("the second")
    expect(ana.row("the second").locator(".st")).to_contain_text(re.compile(r"Sending in \d+ s"))


def test_a_locked_room_is_for_reading_until_it_is_opened(enter: Enter, mira: Visitor) -> None:
    ana = enter("Ana")
    ana.says("mine")
    dialog = open_settings(mira)
    dialog.get_by_role("radio", name="Locked").check()
    for visitor in (ana, mira):
        expect(barred(visitor)).to_have_text("This room is locked. Nobody can write in it.")
    ana.row("mine").hover()
    tools = ana.page.get_by_role("group", name="Message actions")
    expect(tools.get_by_role("button", name="React")).to_be_visible()
    expect(tools.get_by_role("button", name="Reply")).to_be_hidden()
    tools.get_by_role("button", name="More").click()
    expect(ana.page.get_by_role("menuitem", name="Delete")).to_be_visible()
    expect(ana.page.get_by_role("menuitem", name="Edit")).to_be_hidden()
    ana.page.keyboard.press("Escape")
    ana.row("mine").focus()
    ana.page.keyboard.press("e")
    expect(ana.page.locator(".editor")).to_have_count(0)
    dialog.get_by_role("radio", name="Everyone").check()
    may_write(ana)
    ana.page.keyboard.press("e")
    expect(ana.page.locator(".editor")).to_be_visible()


def test_what_waited_when_the_room_was_locked_fails_and_can_be_tried_again(
    enter: Enter, mira: Visitor, people: People, hall: RuledServer, room: str
) -> None:
    ana = people("Ana", hall)
    line = Line(ana.page)
    ana.enter(room)
    line.cut(refusing=True)
    expect(ana.html).not_to_have_attribute("data-conn", "online")
    ana.say("from the tunnel")
    dialog = open_settings(mira)
    dialog.get_by_role("radio", name="Locked").check()
    expect(header(mira)).to_contain_text("Locked")
    line.refusing = False
    ana.online()
    row = ana.row("from the tunnel")
    expect(row.locator(".st")).to_contain_text("This room is locked.")
    dialog.get_by_role("radio", name="Everyone").check()
    may_write(ana)
    row.get_by_role("button", name="Try again").click()
    ana.shows_once("from the tunnel")


# --- who is muted


def test_who_is_muted_reads_until_when_and_it_ends_by_itself(
    enter: Enter, hall: RuledServer, people: People, room: str
) -> None:
    ana = people("Ana", hall)
    ana.clock()
    ana.enter(room)
    ana.says("hello")
    ana.composer.fill("what I")
    until = int(time.time() * 1000) + HOUR
    hall.order("mute", user=me(ana), until=until)
    at = time.strftime("%H:%M", time.localtime(until / 1000))
    expect(barred(ana)).to_have_text(f"You are muted until {at}. You can read and react.")
    expect(ana.composer).to_have_value("what I")
    expect(ana.composer).not_to_be_editable()
    ana.page.clock.fast_forward(HOUR + 1000)
    may_write(ana)
    expect(ana.announcer).to_have_text("You can write here again.")


def test_a_mute_that_is_lifted_ends_at_once(enter: Enter, hall: RuledServer) -> None:
    ana = enter("Ana")
    hall.order("mute", user=me(ana), until=253_402_300_800_000)
    expect(barred(ana)).to_have_text("You are muted. You can read and react.")
    dialog = open_settings(ana)
    expect(dialog.get_by_role("textbox")).to_have_count(0)
    hall.order("mute", user=me(ana), until=0)
    may_write(ana)
    expect(dialog.get_by_role("textbox", name=re.compile("^Topic"))).to_be_visible()


# --- who sees it, and for how long


def test_a_private_room_has_a_lock_and_people_are_let_in_by_name(
    enter: Enter, hall: RuledServer, people: People, room: str
) -> None:
    mira = enter("Mira", "owner")
    kofi = people("Kofi", hall).enter("lobby")
    dialog = open_settings(mira)
    dialog.get_by_role("switch", name="Private").check()
    expect(header(mira)).to_contain_text("Private · ")
    expect(mira.page.locator("h1 svg")).to_be_visible()
    here = mira.page.locator(".side [aria-current]")
    expect(here.locator(".hash svg")).to_be_visible()
    expect(here).to_have_accessible_name(re.compile("private"))
    kofi.open(room)
    expect(kofi.page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    dialog.get_by_role("searchbox", name="Add a person").fill(kofi.name)
    dialog.get_by_role("button", name=f"Add {kofi.name}").click()
    inside = dialog.get_by_role("list", name="Who is in")
    expect(inside).to_contain_text(kofi.name)
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    kofi.open(room)
    kofi.ready().whole()
    expect(kofi.page.locator("h1 svg")).to_be_visible()
    dialog.get_by_role("button", name=f"Remove {kofi.name} from this room").click()
    expect(inside).not_to_contain_text(kofi.name)
    expect(kofi.page.locator(".conn")).to_contain_text("not in this room any more")


def test_to_keep_less_is_asked_about_once(mira: Visitor) -> None:
    dialog = open_settings(mira)
    keep = dialog.get_by_role("combobox", name="Keep messages")
    keep.select_option("90 days")
    expect(dialog.get_by_text("What is older than 90 days is deleted")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(keep).to_have_value("")
    keep.select_option("90 days")
    dialog.get_by_role("button", name="Delete it").click()
    expect(header(mira)).to_contain_text("Messages are removed after 90 days")
    expect(keep).to_have_value("90")
    expect(notes(mira)).to_have_text("You set messages to be removed after 90 days")
    keep.select_option("Not at all (gone after an hour)")
    dialog.get_by_role("button", name="Delete it").click()
    expect(header(mira)).to_contain_text("Messages are removed after an hour")
    keep.select_option("For ever")
    expect(header(mira)).not_to_contain_text("removed")
    expect(notes(mira).last).to_have_text("You set messages to be kept for ever")


def test_on_a_phone_the_header_has_space_for_what_holds_in_the_room(enter: Enter) -> None:
    """The longest there is; a room without rules keeps its one line."""
    mira = enter("Mira", "moderator", **PHONE)
    line, top = header(mira), mira.page.locator(".top")
    plain = top.bounding_box()
    dialog = open_settings(mira)
    dialog.get_by_role("combobox", name="Keep messages").select_option("90 days")
    dialog.get_by_role("button", name="Delete it").tap()
    expect(line).to_contain_text("Messages are removed after 90 days")
    dialog.get_by_role("switch", name="Private").check()
    expect(line).to_contain_text("Private · ")
    dialog.get_by_role("radio", name="Slowly").check()
    expect(line).to_contain_text("One message in")
    mira.page.keyboard.press("Escape")
    shown = """line => {
      const rules = document.createRange();
      rules.selectNodeContents(line.querySelector(".rules"));
      const box = line.getBoundingClientRect();
      const inside = one => one.bottom <= box.bottom + 1 && one.right <= box.right + 1;
      return [...rules.getClientRects()].every(inside);
    }"""
    assert line.evaluate(shown)
    now = top.bounding_box()
    assert plain
    assert now
    assert plain["height"] < now["height"] <= plain["height"] + 24
    assert mira.page.evaluate(NO_SIDEWAYS)


# --- who may not


def test_who_may_not_change_it_reads_how_it_is(enter: Enter, mira: Visitor) -> None:
    ana = enter("Ana")
    dialog = open_settings(ana)
    expect(dialog.get_by_role("radio")).to_have_count(0)
    expect(dialog.get_by_role("switch")).to_have_count(0)
    expect(dialog.get_by_text("Only moderators change this.")).to_be_visible()
    rules = open_settings(mira)
    rules.get_by_role("radio", name="Locked").check()
    expect(dialog).to_contain_text("Locked")
    expect(dialog).to_contain_text("Nobody writes until it is opened again")
    expect(dialog.get_by_role("button", name=re.compile("Delete"))).to_have_count(0)


def test_who_becomes_a_moderator_can_at_once(enter: Enter, hall: RuledServer) -> None:
    ana = enter("Ana")
    dialog = open_settings(ana)
    expect(dialog.get_by_role("radio")).to_have_count(0)
    hall.appoint(ana, "moderator")
    expect(dialog.get_by_role("radio", name="Everyone")).to_be_checked()
    hall.appoint(ana, "member")
    expect(dialog.get_by_role("radio")).to_have_count(0)


def test_what_is_refused_or_cannot_be_sent_says_why_and_is_as_it_was(
    hall: RuledServer, people: People, room: str
) -> None:
    mira = people("Mira", hall)
    line = Line(mira.page)
    hall.appoint(mira.enter(room), "moderator")
    dialog = open_settings(mira)
    locked = dialog.get_by_role("radio", name="Locked")

    def refuse(frame: Frame) -> Frame | None:
        if frame["type"] != "room":
            return None
        return {"type": "refused", "cid": frame["cid"], "code": "busy", "detail": "Not just now."}

    line.on_up = refuse
    locked.click()
    expect(dialog.get_by_role("alert")).to_have_text("Not just now.")
    expect(dialog.get_by_role("radio", name="Everyone")).to_be_checked()
    line.cut(refusing=True)
    expect(mira.html).not_to_have_attribute("data-conn", "online")
    locked.click()
    expect(dialog.get_by_role("alert")).to_contain_text("connection")
    expect(dialog.get_by_role("radio", name="Everyone")).to_be_checked()
    line.said.clear()
    line.refusing = False
    mira.online()
    assert line.says("room") == [], "nothing of it is done an hour later"


# --- for me, and the way out


def test_what_is_for_me_is_what_the_bell_sets(enter: Enter, room: str) -> None:
    ana = enter("Ana")
    dialog = open_settings(ana)
    dialog.get_by_role("combobox", name="Tell me about").select_option("Nothing")
    bell = ana.page.locator(".top .bell")
    expect(bell).to_have_attribute("aria-label", "Notifications: nothing")
    mute = dialog.get_by_role("combobox", name="Mute this room")
    mute.select_option("For an hour")
    expect(bell).to_have_attribute("aria-label", "Notifications: muted")
    expect(mute.locator("option:checked")).to_have_text(re.compile("^Muted until "))
    mute.select_option("Not muted")
    expect(bell).to_have_attribute("aria-label", "Notifications: nothing")


def test_a_room_is_left_from_its_settings(enter: Enter, room: str) -> None:
    ana = enter("Ana")
    ana.says("goodbye")
    open_settings(ana).get_by_role("button", name=f"Leave #{room}").click()
    expect(ana.page).to_have_url(f"{ana.server.origin}/")
    ana.ready().whole()
    expect(ana.page.locator(f".side [data-room='{room}']")).to_have_count(0)
    ana.page.get_by_role("button", name="Room settings").click()
    dialog = ana.page.locator("dialog#room")
    expect(dialog.get_by_role("combobox", name="Tell me about")).to_be_visible()
    expect(dialog.get_by_role("button", name=re.compile("^Leave"))).to_have_count(0)


def test_the_owner_removes_a_room_and_is_asked_first(enter: Enter, room: str) -> None:
    ana, mira = enter("Ana"), enter("Mira", "owner")
    mira.says("to be forgotten")
    dialog = open_settings(mira)
    dialog.get_by_role("button", name="Delete room…").click()
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Delete room…").click()
    dialog.get_by_role("button", name=f"Delete #{room}").click()
    expect(mira.page).to_have_url(f"{mira.server.origin}/")
    expect(ana.rows).to_have_count(0)


# --- what the page says before any script


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "slow", "slow": 5},
        {"mode": "slow", "slow": 60, "keep": 1},
        {"mode": "slow", "slow": 3600, "keep": 730},
        {"mode": "announce", "keep": 0},
        {"mode": "locked", "keep": 90, "private": True},
    ],
    ids=str,
)
def test_the_first_paint_says_the_same_as_the_scripts(
    enter: Enter, hall: RuledServer, room: str, settings: dict[str, Any]
) -> None:
    ana = enter("Ana")
    hall.order("member", room=room, user=me(ana), on=True)
    hall.settle(room, **settings)
    ana.page.reload()
    ana.ready().whole()
    words = (header(ana).text_content(), barred(ana).text_content())
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    rules = header(ana).text_content() or ""
    assert (rules, barred(ana).text_content()) == words
    assert ("write" in (words[1] or "")) == (settings["mode"] != "slow")


def test_without_scripts_words_stand_where_one_may_not_write(
    mira: Visitor, hall: RuledServer, people: People, room: str
) -> None:
    open_settings(mira).get_by_role("radio", name="Announcements").check()
    expect(header(mira)).to_contain_text("Announcements only")
    ana = people("Ana", hall, java_script_enabled=False)
    ana.join(room)
    ana.open(room)
    expect(ana.page.get_by_text("Only moderators write here.")).to_be_visible()
    expect(ana.page.locator(".composer textarea, .composer button")).to_have_count(
        ana.page.locator(".composer :is(textarea, button):not(:visible)").count()
    )
    expect(ana.composer).to_be_hidden()
    expect(header(ana)).to_contain_text("Announcements only")


def test_settings_that_are_damaged_break_nothing(people: People, room: str) -> None:
    ana = people("Ana")
    line = Line(ana.page)

    def damaged(event: Frame) -> Frame:
        if event["type"] == "welcome":
            unheard = {"rev": 1, "topic": "", "by": "", "mode": "unheard", "private": True}
            event["settings"] = unheard
        return event

    line.on_event = damaged
    ana.enter(room)
    expect(header(ana)).to_contain_text("Private · Locked")
    expect(barred(ana)).to_contain_text("This room is locked.")
    expect(open_settings(ana)).to_contain_text("Nobody writes until it is opened again")


# --- who is what


def test_a_bot_is_known_by_its_face_and_a_word_before_any_script_too(
    enter: Enter, hall: RuledServer, room: str
) -> None:
    ana = enter("Ana")
    ana.says("from me")
    name = f"Builds {room}"
    key = hall.order("hook", name=name, rooms=[room])["token"]
    for text in ("main is green", "214 tests"):
        post = urllib.request.Request(f"{hall.origin}/hook/{key}", text.encode())
        urllib.request.urlopen(post, timeout=PATIENCE).close()
    ana.shows("from me", "main is green", "214 tests")
    row, mine = ana.row("main is green"), ana.row("from me")

    def is_marked() -> None:
        expect(row.locator(".tag")).to_have_text("bot")
        expect(row).to_have_accessible_name(re.compile(f"^{name} bot "))
        assert row.locator(".av").evaluate("el => getComputedStyle(el).borderRadius") == "10px"
        expect(mine.locator(".tag")).to_have_count(0)
        expect(ana.row("214 tests").locator(".head")).to_have_class(re.compile("vh"))

    is_marked()
    ana.page.reload()
    ana.ready().whole()
    is_marked()
    assert violations(ana.page) == []
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    is_marked()


def test_owners_and_moderators_have_a_mark_in_the_panel(
    enter: Enter, mira: Visitor, hall: RuledServer, people: People, room: str
) -> None:
    ana = enter("Ana")
    panel = ana.page.locator(".people")
    row = panel.locator(".person").filter(has_text=mira.name)
    expect(row).to_have_text(re.compile(f"{mira.name}, moderator"))
    expect(row.locator("svg.role")).to_be_visible()
    hall.appoint(mira, "owner")
    expect(row).to_have_text(re.compile(f"{mira.name}, owner"))
    ana.page.route("**/*.js", lambda route: route.abort())
    ana.open(room)
    expect(row).to_have_text(re.compile(f"{mira.name}, owner"))
    expect(row.locator("svg.role")).to_be_visible()


# --- for everybody


def set_all(visitor: Visitor) -> Locator:
    """Opens the settings and shows most of what can stand in them."""
    dialog = open_settings(visitor)
    dialog.get_by_role("radio", name="Slowly").check()
    dialog.get_by_role("switch", name="Private").check()
    expect(header(visitor)).to_contain_text("Private · One message in 30 seconds")
    expect(dialog.get_by_role("list", name="Who is in")).to_contain_text("Olga")
    dialog.get_by_role("searchbox").fill("zzz")
    expect(dialog.get_by_role("status")).not_to_be_empty()
    dialog.get_by_role("combobox", name="Keep messages").select_option("7 days")
    return dialog


SCREENS = [
    pytest.param({}, id="light"),
    pytest.param({"color_scheme": "dark"}, id="dark"),
    pytest.param({**PHONE, "color_scheme": "dark"}, id="phone"),
    pytest.param({"forced_colors": "active"}, id="forced colours"),
    pytest.param(TINY, id="320 x 256"),
]


@pytest.mark.parametrize("options", SCREENS)
def test_the_settings_have_no_violations_and_fit(enter: Enter, options: dict[str, Any]) -> None:
    mira = enter("Mira", "owner", **options)
    dialog = set_all(mira)
    dialog.evaluate("el => el.scrollTo(0, 0)")
    assert violations(mira.page) == []
    assert dialog.evaluate("el => el.scrollWidth <= el.clientWidth")
    assert mira.page.evaluate(NO_SIDEWAYS)
    mira.page.evaluate("document.documentElement.dir = 'rtl'")
    assert dialog.evaluate("el => el.scrollWidth <= el.clientWidth")


@pytest.mark.parametrize("options", SCREENS)
def test_a_room_that_is_only_read_has_no_violations(
    enter: Enter, mira: Visitor, options: dict[str, Any]
) -> None:
    ana = enter("Ana", **options)
    ana.says("hello")
    ana.composer.fill("half a thought")
    open_settings(mira).get_by_role("radio", name="Announcements").check()
    expect(barred(ana)).to_be_visible()
    assert violations(ana.page) == []
    assert ana.page.evaluate(NO_SIDEWAYS)
    open_settings(ana)
    assert violations(ana.page) == []


def test_the_settings_are_used_with_the_keyboard_alone(mira: Visitor) -> None:
    button = mira.page.get_by_role("button", name="Room settings")
    button.focus()
    mira.page.keyboard.press("Enter")
    dialog = mira.page.locator("dialog#room")
    expect(dialog.get_by_role("textbox", name=re.compile("^Topic"))).to_be_focused()
    mira.page.keyboard.press("Tab")
    expect(dialog.get_by_role("radio", name="Everyone")).to_be_focused()
    mira.page.keyboard.press("ArrowDown")
    expect(header(mira)).to_contain_text("One message in 30 seconds")
    mira.page.keyboard.press("Tab")
    expect(dialog.get_by_role("combobox", name="Wait between messages")).to_be_focused()
    mira.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_the_settings_come_with_their_first_use(people: People, room: str) -> None:
    ana = people("Ana")
    files: list[str] = []
    ana.page.on("request", lambda request: files.append(request.url.rpartition("/")[2]))
    ana.enter(room)
    ana.page.wait_for_load_state("networkidle")
    late = {"roomsettings.js", "roomrows.js", "members.js", "roomsettings.css"}
    assert not late & set(files)
    open_settings(ana)
    assert late <= set(files)
