"""What moderators do by clicks, and what others see of it; at a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from .conftest import People
from .people import Visitor
from .ruling import RuledServer, arrange, by_hand, me, writes
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations

SIZES = pytest.mark.parametrize("size", [{}, PHONE], ids=["desk", "phone"])
Size = dict[str, Any]


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[RuledServer]:
    """A server with an owner, shared by these tests."""
    server = RuledServer(tmp_path_factory.mktemp("ruled"), "--rate=0")
    yield server
    server.kill()
    assert "Traceback" not in server.said()


class Cast:
    """Who is in the room of a test: by what they are."""

    def __init__(self, people: People, ruled: RuledServer, room: str) -> None:
        self.people, self.ruled, self.room = people, ruled, room

    def member(self, name: str, **options: Any) -> Visitor:
        """A member with a page."""
        return self.people(name, server=self.ruled, **options).enter(self.room)

    def moderator(self, name: str, **options: Any) -> Visitor:
        """A moderator whose page has what moderators have."""
        visitor = self.ruled.appoint(self.member(name, **options), "moderator")
        visitor.until("Boolean(document.querySelector('dialog.whom'))")
        return visitor


@pytest.fixture
def cast(people: People, ruled: RuledServer, room: str) -> Cast:
    """`cast.moderator("Mira")` is in the room, and so on."""
    return Cast(people, ruled, room)


def press(visitor: Visitor, part: Locator) -> None:
    """Clicks, or taps where one touches."""
    if visitor.touches:
        part.tap()
    else:
        part.click()


def about(visitor: Visitor, other: Visitor) -> Locator:
    """Opens the menu of somebody from the panel of people."""
    if visitor.touches:
        visitor.page.get_by_role("button", name="People", exact=True).tap()
    press(visitor, visitor.page.locator(".crowd").get_by_role("button", name=other.name))
    return menu(visitor)


def menu(visitor: Visitor) -> Locator:
    """The menu of a person that is open."""
    found = visitor.page.locator(".whom").filter(visible=True)
    expect(found).to_have_count(1)
    return found


def options(visitor: Visitor, row: Locator) -> Locator:
    """Opens the menu of a row, or its sheet: what it offers."""
    if visitor.touches:
        row.locator(".body").tap()
    else:
        row.hover()
    press(visitor, row.get_by_role("button", name="More", exact=True))
    return visitor.page.locator(".opt").filter(visible=True)


def choose(visitor: Visitor, offered: Locator, name: str) -> None:
    """One of what is offered."""
    press(visitor, offered.locator(".opt").filter(has_text=name))


def confirm(visitor: Visitor, title: str, button: str) -> Locator:
    """Answers the dialog that asks."""
    dialog = visitor.page.get_by_role("dialog", name=re.compile(title))
    press(visitor, dialog.get_by_role("button", name=re.compile(f"^{button}")))
    expect(dialog).to_have_count(0)
    return visitor.page.get_by_role("status").filter(has_text=re.compile("Undo"))


@SIZES
def test_a_person_is_muted_and_can_write_again_after_undo(cast: Cast, size: Size) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira", **size)
    choose(mira, about(mira, jun), "Mute for everybody…")
    dialog = mira.page.get_by_role("dialog", name=f"Mute {jun.name}?")
    expect(dialog.get_by_role("radio", name="1 hour")).to_be_focused()
    press(mira, dialog.get_by_text("10 min"))
    dialog.get_by_role("textbox", name="Reason").fill("too loud")
    undo = confirm(mira, "Mute", "Mute")
    expect(undo).to_contain_text(f"{jun.name} is muted.")
    assert by_hand(jun, "role", user=me(mira), role="member")["code"] == "not_allowed"
    expect(jun.page.locator("form.composer")).to_contain_text("You are muted until")
    assert writes(jun, "while muted")["code"] == "muted"
    press(mira, undo.get_by_role("button", name="Undo"))
    expect(mira.page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    jun.says("back again")
    mira.shows_once("back again")


@SIZES
def test_a_message_of_somebody_else_is_removed_and_can_be_kept(cast: Cast, size: Size) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira", **size)
    jun.says("stays", "goes")
    for _ in range(2):
        press(mira, options(mira, mira.row("goes")).filter(has_text=re.compile("^Remove(Del)?$")))
        row = mira.rows.filter(has_text="Message deleted.")
        expect(row).to_have_count(1)
        press(mira, row.get_by_role("button", name="Undo"))
        mira.shows_once("goes")
    press(mira, options(mira, mira.row("goes")).filter(has_text=re.compile("^Remove(Del)?$")))
    jun.shows("stays")
    mira.shows("stays")


def test_the_delete_key_removes_what_others_wrote_only_for_moderators(cast: Cast) -> None:
    jun, mira, ben = cast.member("Jun"), cast.moderator("Mira"), cast.member("Ben")
    jun.says("written")
    for visitor, rows in [(ben, 0), (mira, 1)]:
        visitor.row("written").focus()
        visitor.page.keyboard.press("Delete")
        expect(visitor.rows.filter(has_text="Message deleted.")).to_have_count(rows)


@SIZES
def test_a_member_is_offered_nothing_of_it_and_refused_by_hand(cast: Cast, size: Size) -> None:
    jun, ben = cast.member("Jun"), cast.member("Ben", **size)
    jun.says("written")
    offered = about(ben, jun).locator(".opt")
    expect(offered).to_have_text(["Mention"])
    ben.page.keyboard.press("Escape")
    expect(ben.page.locator(".whom").filter(visible=True)).to_have_count(0)
    words = options(ben, ben.row("written")).all_inner_texts()
    assert not [word for word in words if re.search("Mute|Remove|About", word)]
    orders: list[tuple[str, dict[str, Any]]] = [
        ("mute", {"until": cast.ruled.until(60)}),
        ("role", {"role": "guest"}),
        ("wipe", {"since": 0}),
        ("readmit", {}),
    ]
    for kind, fields in orders:
        answer = by_hand(ben, kind, user=me(jun), **fields)
        assert (answer["status"], answer["code"]) == (403, "not_allowed")
    ban = by_hand(ben, "ban", users=[me(jun)], until=cast.ruled.until(60))
    assert (ban["status"], ban["code"]) == (403, "not_allowed")


def test_one_acts_on_lower_ranks_only(cast: Cast) -> None:
    mira, mona = cast.moderator("Mira"), cast.moderator("Mona")
    mona.says("by a moderator")
    inside = mira.page.locator(".crowd").get_by_role("button", name=mona.name)
    expect(inside).to_contain_text("moderator")
    expect(about(mira, mona).locator(".opt")).to_have_text(["Mention"])
    mira.page.keyboard.press("Escape")
    offered = options(mira, mira.row("by a moderator"))
    expect(offered.filter(has_text=re.compile("Mute|Remove"))).to_have_text([re.compile("^Remove")])
    assert by_hand(mira, "mute", user=me(mona), until=cast.ruled.until(60))["status"] == 403


@SIZES
def test_a_member_becomes_a_moderator_and_is_one_at_once(cast: Cast, size: Size) -> None:
    jun, olga = cast.member("Jun"), cast.member("Ola", **size)
    cast.ruled.appoint(olga, "owner")
    olga.until("Boolean(document.querySelector('dialog.whom'))")
    choose(olga, about(olga, jun), "Make a moderator")
    undo = olga.page.get_by_role("status").filter(has_text=f"{jun.name} is a moderator now.")
    ben = cast.member("Ben")
    jun.until("Boolean(document.querySelector('dialog.whom'))")
    expect(about(jun, ben).locator(".opt", has_text="Mute for everybody")).to_be_visible()
    jun.page.keyboard.press("Escape")
    press(olga, undo.get_by_role("button", name="Undo"))
    expect(olga.page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(about(jun, ben).locator(".opt")).to_have_text(["Mention"])


@SIZES
def test_who_wrote_a_message_is_reached_by_name_and_by_face(cast: Cast, size: Size) -> None:
    jun, ben = cast.member("Jun"), cast.member("Ben", **size)
    jun.says("written")
    for part in (".av", ".who"):
        press(ben, ben.row("written").locator(part))
        choose(ben, menu(ben), "Mention")
        expect(ben.composer).to_be_focused()
    expect(ben.composer).to_have_value(f"@{jun.name} @{jun.name} ")


def test_one_s_own_place_in_the_list_opens_one_s_settings(cast: Cast) -> None:
    ben = cast.member("Ben")
    ben.page.locator(".crowd").get_by_role("button", name="You").click()
    expect(ben.page.get_by_role("dialog", name="Settings")).to_be_visible()


def test_the_menu_of_a_person_is_used_by_keys_and_gives_the_focus_back(cast: Cast) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira")
    button = mira.page.locator(".crowd").get_by_role("button", name=jun.name)
    button.focus()
    mira.page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    offered = mira.page.get_by_role("menu", name=re.compile(jun.name))
    steps = [("End", "Remove from"), ("ArrowDown", "Mention"), ("ArrowDown", "Mute for everybody")]
    for key, name in steps:
        mira.page.keyboard.press(key)
        expect(offered.get_by_role("menuitem", name=re.compile(name))).to_be_focused()
    mira.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    mira.page.keyboard.press("Enter")
    mira.page.keyboard.press("ArrowDown")
    mira.page.keyboard.press("Enter")
    expect(mira.page.get_by_role("radio", name="1 hour")).to_be_focused()
    mira.page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_undo_by_keys_leaves_the_focus_in_the_page(cast: Cast) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira")
    jun.says("written")
    choose(mira, about(mira, jun), "Mute for everybody…")
    expect(mira.page.get_by_role("radio", name="1 hour")).to_be_focused()
    mira.page.keyboard.press("Enter")
    undo = mira.page.get_by_role("button", name="Undo")
    undo.focus()
    mira.page.keyboard.press("Enter")
    expect(mira.page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    expect(mira.row("written")).to_be_focused()


def test_the_focus_in_the_list_of_people_survives_who_comes(cast: Cast) -> None:
    jun, mira = cast.member("Jun"), cast.member("Mira")
    button = mira.page.locator(".crowd").get_by_role("button", name=jun.name)
    button.focus()
    ada = cast.member("Ada")
    expect(mira.page.locator(".crowd").get_by_role("button", name=ada.name)).to_be_visible()
    expect(button).to_be_focused()


def test_keys_lead_from_a_row_to_the_menu_of_who_wrote_it(cast: Cast) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira")
    jun.says("written")
    mira.row("written").focus()
    mira.page.keyboard.press("Enter")
    mira.page.get_by_role("menuitem", name=f"About {jun.name}").press("Enter")
    expect(mira.page.get_by_role("menuitem", name="Mention")).to_be_focused()
    mira.page.keyboard.press("Escape")
    expect(mira.row("written")).to_be_focused()


def test_without_a_line_nothing_is_done_later(cast: Cast) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira")
    choose(mira, about(mira, jun), "Mute for everybody…")
    dialog = mira.page.get_by_role("dialog", name=re.compile("^Mute"))
    expect(dialog).to_be_visible()
    mira.context.set_offline(True)
    mira.page.evaluate("dispatchEvent(new Event('offline'))")
    dialog.get_by_role("button", name="Mute", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("needs a connection")
    mira.context.set_offline(False)
    mira.online()
    jun.says("never muted")
    dialog.get_by_role("button", name="Mute", exact=True).click()
    expect(dialog).to_have_count(0)


# -- what was written, and who is removed


@SIZES
def test_a_person_goes_with_all_they_wrote_in_four_taps(cast: Cast, size: Size) -> None:
    jun, ben, mira = cast.member("Jun"), cast.member("Ben"), cast.moderator("Mira", **size)
    ben.says("stays")
    jun.says("spam one", "spam two", "spam three")
    mira.shows("stays", "spam one", "spam two", "spam three")
    taps = [lambda: press(mira, mira.row("spam one").locator(".av"))]
    taps.append(lambda: choose(mira, menu(mira), "Remove from Chat…"))
    dialog = mira.page.get_by_role("dialog", name=f"Remove {jun.name} from Chat?")
    taps.append(lambda: press(mira, dialog.get_by_text(re.compile("^All"))))
    taps.append(lambda: press(mira, dialog.get_by_role("button", name=f"Remove {jun.name}")))
    assert len(taps) <= 4
    for tap in taps:
        tap()
    expect(dialog).to_have_count(0)
    for visitor in (mira, ben):
        visitor.shows("stays")
    expect(jun.html).to_have_attribute("data-conn", "offline")
    told = jun.page.get_by_role("status").filter(has_text="A moderator has removed you from Chat.")
    expect(told).to_be_visible()


@SIZES
def test_whoever_is_removed_keeps_what_they_typed_and_stays_away(cast: Cast, size: Size) -> None:
    mira, jun = cast.moderator("Mira"), cast.member("Jun", **size)
    line = jun.page.evaluate("performance.now()")
    jun.composer.fill("not yet sent")
    choose(mira, about(mira, jun), "Remove from Chat…")
    dialog = mira.page.get_by_role("dialog", name=re.compile("^Remove"))
    dialog.get_by_text("1 week").click()
    undo = confirm(mira, "^Remove", "Remove")
    expect(undo).to_contain_text(f"{jun.name} was removed.")
    told = jun.page.get_by_role("status").filter(has_text="You can come back on")
    expect(told).to_be_visible()
    assert violations(jun.page) == []
    expect(jun.composer).to_have_value("not yet sent")
    expect(jun.composer).to_have_attribute("readonly", "")
    again = "since => performance.getEntriesByType('resource').filter(one => one.startTime > since"
    again += " && one.initiatorType === 'fetch' && one.name.includes('limit=1')).length"
    assert jun.page.evaluate(again, line) == 1
    assert jun.page.evaluate("fetch('/').then(answer => answer.status)") == 403
    undo.get_by_role("button", name="Undo").click()
    expect(mira.page.get_by_role("status").filter(has_text="Undone")).to_be_visible()
    press(jun, told.get_by_role("button", name="Try again"))
    jun.ready().whole()
    expect(jun.composer).to_have_value("not yet sent")


def test_a_page_that_was_away_meanwhile_learns_that_it_may_not_come_back(cast: Cast) -> None:
    mira, jun = cast.moderator("Mira"), cast.member("Jun")
    jun.context.set_offline(True)
    jun.page.evaluate("dispatchEvent(new Event('offline'))")
    choose(mira, about(mira, jun), "Remove from Chat…")
    confirm(mira, "^Remove", "Remove")
    jun.context.set_offline(False)
    jun.page.evaluate("dispatchEvent(new Event('online'))")
    told = jun.page.get_by_role("status").filter(has_text="A moderator has removed you from Chat.")
    expect(told).to_be_visible()


@SIZES
def test_what_somebody_wrote_is_removed_and_quotes_say_so(cast: Cast, size: Size) -> None:
    jun, ben, mira = cast.member("Jun"), cast.member("Ben"), cast.moderator("Mira", **size)
    jun.says("one", "two")
    ben.row("two").focus()
    ben.page.keyboard.press("r")
    ben.says("an answer")
    mira.shows("one", "two", "an answer")
    choose(mira, about(mira, jun), "Remove all messages…")
    dialog = mira.page.get_by_role("dialog", name=f"Remove what {jun.name} wrote?")
    press(mira, dialog.get_by_text("All 2"))
    press(mira, dialog.get_by_role("button", name="Remove", exact=True))
    for visitor in (jun, ben, mira):
        visitor.shows("an answer")
        expect(visitor.row("an answer").locator(".quote")).to_have_text("Message deleted")
    jun.says("still here")
    mira.shows_once("still here")


def test_a_wipe_moves_nothing_that_is_read(cast: Cast) -> None:
    jun, ben, mira = cast.member("Jun"), cast.member("Ben"), cast.moderator("Mira")
    for number in range(12):
        jun.says(f"spam {number}")
        ben.says(f"talk {number} " + "and more " * 40)
    ben.scroll_up(900)
    talks = "[...document.querySelectorAll('.msg')].filter(row => /and more/.test(row.innerText))"
    start = "document.querySelector('.log').getBoundingClientRect().top"
    read = f"{talks}.find(row => row.getBoundingClientRect().bottom > {start} + 8).id"
    first = ben.page.evaluate(read)
    top = f"document.getElementById('{first}').getBoundingClientRect().top"
    before = ben.page.evaluate(top)
    choose(mira, about(mira, jun), "Remove all messages…")
    dialog = mira.page.get_by_role("dialog", name=re.compile("^Remove what"))
    dialog.get_by_text(re.compile("^All")).click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(ben.rows.filter(has_text="spam")).to_have_count(0)
    assert abs(ben.page.evaluate(top) - before) <= 1


def test_unread_and_notices_forget_what_is_removed(cast: Cast) -> None:
    jun, ben, mira = cast.member("Jun"), cast.member("Ben"), cast.moderator("Mira")
    ben.look_away()
    jun.says("one", "two")
    expect(ben.page).to_have_title(re.compile(r"^\(2\)"))
    choose(mira, about(mira, jun), "Remove all messages…")
    dialog = mira.page.get_by_role("dialog", name=re.compile("^Remove what"))
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(ben.page).to_have_title(re.compile("^#"))


def test_whoever_is_let_out_of_a_private_room_is_told_so(cast: Cast) -> None:
    mira, jun = cast.moderator("Mira"), cast.member("Jun")
    arrange(mira, private=True)
    jun.says("still in")
    answer = by_hand(mira, "member", room=cast.room, user=me(jun), on=False)
    assert answer["status"] == 200
    told = jun.page.get_by_role("status").filter(has_text="You are not in this room any more.")
    told.get_by_role("button", name="Go to the first room").click()
    expect(jun.page).to_have_url(re.compile("/$"))


# -- a way back


@SIZES
def test_somebody_who_lost_every_device_comes_back_by_a_link(
    cast: Cast, people: People, size: Size
) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira", **size)
    choose(mira, about(mira, jun), "Make a way back link…")
    dialog = mira.page.get_by_role("dialog", name=f"A way back for {jun.name}")
    press(mira, dialog.get_by_role("button", name="Make the link"))
    link = dialog.get_by_role("textbox", name="Link").input_value()
    expect(dialog.get_by_text("Works once, until")).to_be_visible()
    expect(dialog.get_by_role("img")).to_be_visible()
    assert violations(mira.page) == []
    new = people("New", server=cast.ruled)
    new.page.goto(link)
    press(new, new.page.get_by_role("button", name=re.compile("^Continue as")))
    new.ready()
    assert me(new) == me(jun)


WAYS: dict[str, Size] = {
    "desk": {},
    "dark": {"color_scheme": "dark"},
    "phone": PHONE,
    "small": TINY,
    "forced": {"forced_colors": "active"},
    "desk rtl": {},
    "phone rtl": PHONE,
}


@pytest.mark.parametrize("way", WAYS)
def test_menus_and_dialogs_have_no_violations_and_fit(cast: Cast, way: str) -> None:
    jun, mira = cast.member("Jun"), cast.moderator("Mira", **WAYS[way])
    jun.says("written")
    if way.endswith("rtl"):
        mira.page.evaluate("document.dir = 'rtl'")
    mira.shows_once("written")
    for name in ("Mute for everybody…", "Remove all messages…", "Remove from"):
        press(mira, mira.row("written").locator(".av"))
        offered = menu(mira)
        expect(offered.locator(".opt").last).to_be_in_viewport()
        assert violations(mira.page) == []
        choose(mira, offered, name)
        dialog = mira.page.locator("dialog.asking")
        expect(dialog).to_be_visible()
        assert violations(mira.page) == []
        assert mira.page.evaluate(NO_SIDEWAYS)
        mira.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
