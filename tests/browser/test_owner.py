"""The page for looking after the chat, by clicks."""

from __future__ import annotations

import json
import re
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .conftest import People
from .people import Visitor
from .server import PATIENCE, Server, Voice
from .test_access import NO_SIDEWAYS, PHONE, TINY, violations

ME = "JSON.parse(document.querySelector('#boot').textContent).you.user"
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"
SCREENS = [pytest.param({}, id="desk"), pytest.param(PHONE, id="phone")]
Somebody = Callable[..., Visitor]


class Chat(Server):
    """A server whose owner, Olga, has no page: what she orders goes by HTTP."""

    owner = ""  # her Cookie header

    def order(self, kind: str, **fields: Any) -> None:
        """Gives an order."""
        headers = {"Cookie": self.owner, "Accept": "application/json"}
        body = json.dumps({"type": kind, "cid": "an-order", **fields}).encode()
        request = urllib.request.Request(f"{self.origin}/orders", body, headers)
        urllib.request.urlopen(request, timeout=PATIENCE).close()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Chat]:
    """Shared by the tests of this module: each looks for people and rooms of its own."""
    server = Chat(tmp_path_factory.mktemp("chat"), "--rate=0", "--name=Tidemark")
    server.owner = server.join("lobby", "Olga")
    server.stop()
    with closing(sqlite3.connect(server.data / "chat.db")) as db, db:
        db.execute("UPDATE users SET role = 'owner'")
    server.start()
    yield server
    server.kill()


class Desk:
    """Somebody at that page."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page: Page = visitor.page

    def look(self, query: str = "") -> Desk:
        """Opens it, and waits until its scripts are there."""
        self.page.goto(f"{self.visitor.server.origin}/owner{query}")
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Looking after Tidemark")
        self.visitor.until("document.querySelector('time')?.textContent.includes('UTC') !== true")
        return self

    def find(self, visitor: Visitor) -> Locator:
        """The row of a person, found by name as one types."""
        self.page.get_by_role("searchbox").fill(visitor.name)
        return self.row(visitor.name)

    def row(self, name: str) -> Locator:
        """A row of a table."""
        return self.page.get_by_role("row").filter(has_text=name)

    def menu(self, name: str, item: str) -> None:
        """Chooses from the menu of somebody or something."""
        self.page.get_by_role("button", name=f"More about {name}").click()
        self.page.get_by_role("menuitem", name=item).click()

    def press(self, name: str) -> None:
        """A button of the dialog."""
        self.dialog.get_by_role("button", name=name, exact=True).click()

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def told(self) -> Locator:
        return self.page.locator(".toast")

    def undo(self) -> None:
        """Takes back what was done last."""
        self.told.get_by_role("button", name="Undo").click()
        expect(self.told).to_contain_text("Undone.")

    def part(self, name: str | re.Pattern[str]) -> Locator:
        """A section."""
        return self.page.get_by_role("region", name=name)


@pytest.fixture
def somebody(people: People, chat: Chat) -> Somebody:
    """`somebody("Mira", "moderator")` is in the room and is that."""
    chat.order("chat", door="open")  # whatever the test before came to

    def somebody(name: str, role: str = "member", **options: Any) -> Visitor:
        visitor = people(name, chat, **options).enter("lobby")
        if role != "member":
            chat.order("role", user=visitor.page.evaluate(ME), role=role)
        return visitor

    return somebody


@pytest.mark.parametrize("options", SCREENS)
def test_the_way_there_is_in_the_settings_of_who_may_go(
    somebody: Somebody, options: dict[str, Any]
) -> None:
    mira, ben = somebody("Mira", "moderator", **options), somebody("Ben", **options)
    for visitor, seen in ((mira, 1), (ben, 0)):
        if options:
            visitor.page.get_by_role("button", name="Rooms").click()
        visitor.page.get_by_role("button", name=re.compile(", settings$")).click()
        expect(visitor.page.get_by_role("link", name="Look after Tidemark")).to_have_count(seen)
    mira.page.get_by_role("link", name="Look after Tidemark").click()
    expect(mira.page.get_by_role("heading", name="Looking after Tidemark")).to_be_visible()
    mira.page.get_by_role("link", name="Back to the chat").click()
    mira.ready()


@pytest.mark.parametrize("options", SCREENS)
def test_somebody_is_muted_and_may_write_again(somebody: Somebody, options: dict[str, Any]) -> None:
    desk, ben = Desk(somebody("Mira", "moderator", **options)).look(), somebody("Ben")
    expect(desk.find(ben)).to_have_count(1)
    desk.menu(ben.name, "Mute for everybody")
    desk.dialog.get_by_label("Why").fill("caps")
    desk.press("Mute")
    expect(desk.told).to_contain_text(f"{ben.name} is muted.")
    expect(desk.row(ben.name)).to_contain_text("Muted until")
    expect(desk.part("What moderators did")).to_contain_text(f"muted {ben.name} until")
    desk.undo()
    expect(desk.row(ben.name)).not_to_contain_text("Muted")


def test_a_mute_is_taken_back_where_it_is_told(somebody: Somebody) -> None:
    desk, ben = Desk(somebody("Mira", "moderator")).look(), somebody("Ben")
    desk.find(ben)
    desk.menu(ben.name, "Mute for everybody")
    desk.press("Mute")
    done = desk.part("What moderators did").get_by_role("listitem")
    done.filter(has_text=f"muted {ben.name}").get_by_role("button", name="Undo").click()
    expect(done.first).to_contain_text(f"let {ben.name} write again")
    expect(done.filter(has_text=f"muted {ben.name}").get_by_role("button")).to_have_count(0)


@pytest.mark.parametrize("options", SCREENS)
def test_somebody_is_removed_and_let_back_in(somebody: Somebody, options: dict[str, Any]) -> None:
    ben = somebody("Ben")
    ben.says("adverts")
    desk = Desk(somebody("Mira", "moderator", **options)).look()
    desk.find(ben)
    desk.menu(ben.name, "Remove from Tidemark")
    desk.dialog.get_by_label("What they wrote").select_option("Everything they ever wrote")
    desk.press("Remove")
    expect(desk.told).to_contain_text(f"{ben.name} is out.")
    desk.page.get_by_role("link", name="Back to the chat").click()
    expect(desk.visitor.row("adverts")).to_have_count(0)
    desk.look()
    banned = desk.part("Bans").get_by_role("listitem").filter(has_text=ben.name)
    banned.get_by_role("button", name="Let back in").click()
    expect(desk.told).to_contain_text(f"{ben.name} can come back.")
    expect(banned).to_have_count(0)
    ben.open("lobby")
    ben.ready()


def test_a_role_is_chosen_and_taken_back(somebody: Somebody) -> None:
    desk, ben = Desk(somebody("Ana", "owner")).look(), somebody("Ben")
    desk.find(ben)
    role = desk.page.get_by_label(f"Role of {ben.name}")
    role.select_option("Moderator")
    expect(desk.told).to_contain_text(f"{ben.name} is a moderator now.")
    expect(role).to_have_value("Moderator")
    desk.undo()
    expect(role).to_have_value("Member")


def test_a_refusal_is_said_and_the_choice_is_what_is_so(somebody: Somebody, chat: Chat) -> None:
    """A moderator whose page is older than what they are by now."""
    ana, ben = somebody("Ana", "owner"), somebody("Ben")
    desk = Desk(ana).look()
    desk.find(ben)
    desk.page.route("**/orders", lambda route: route.fulfill(status=403, json={"detail": "No."}))
    role = desk.page.get_by_label(f"Role of {ben.name}")
    role.select_option("Guest")
    expect(desk.told).to_have_text(re.compile("No."))
    expect(role).to_have_value("Member")


def test_without_a_line_an_order_says_that_it_was_not_given(somebody: Somebody) -> None:
    desk, ben = Desk(somebody("Mira", "moderator")).look(), somebody("Ben")
    desk.find(ben)
    desk.menu(ben.name, "Mute for everybody")
    desk.visitor.context.set_offline(True)
    desk.press("Mute")
    expect(desk.dialog.get_by_role("alert")).to_have_text(re.compile("no answer from the server"))
    desk.visitor.context.set_offline(False)
    desk.press("Mute")
    expect(desk.told).to_contain_text("is muted.")


def test_what_somebody_else_did_is_there_without_a_reload(somebody: Somebody, chat: Chat) -> None:
    """And leaves the focus and what is being typed where they are."""
    desk, ben = Desk(somebody("Mira", "moderator")).look(), somebody("Ben")
    desk.find(ben)
    expect(desk.row(ben.name)).not_to_contain_text("Muted")
    chat.order("mute", user=ben.page.evaluate(ME), until=2**42)
    desk.page.evaluate(LOOK_AGAIN)
    expect(desk.row(ben.name)).to_contain_text("Muted")
    search = desk.page.get_by_role("searchbox")
    expect(search).to_be_focused()
    expect(search).to_have_value(ben.name)


def test_who_is_no_moderator_any_more_is_told_so(somebody: Somebody, chat: Chat) -> None:
    mira = somebody("Mira", "moderator")
    user, desk = mira.page.evaluate(ME), Desk(mira).look()
    chat.order("role", user=user, role="member")
    desk.page.evaluate(LOOK_AGAIN)
    expect(desk.page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_a_menu_is_used_with_keys_and_gives_the_focus_back(somebody: Somebody) -> None:
    desk, ben = Desk(somebody("Mira", "moderator")).look(), somebody("Ben")
    desk.find(ben)
    button = desk.page.get_by_role("button", name=f"More about {ben.name}")
    button.focus()
    desk.page.keyboard.press("Enter")
    items = desk.page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    desk.page.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    desk.page.keyboard.press("ArrowDown")
    expect(items.first).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(items).to_have_count(0)
    desk.page.keyboard.press("Enter")
    desk.page.keyboard.press("Enter")
    expect(desk.dialog.get_by_label("For how long")).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(desk.dialog).to_have_count(0)


def test_the_settings_of_a_room_are_changed_and_taken_back(
    somebody: Somebody, voice: Callable[..., Voice], chat: Chat, room: str
) -> None:
    voice(chat, room).say("hello")
    desk = Desk(somebody("Ana", "owner")).look()
    desk.menu(f"#{room}", "Settings of the room")
    desk.dialog.get_by_label("Who may write").select_option("Everyone, slowly")
    desk.dialog.get_by_label("If slowly").select_option("1 minute")
    desk.press("Save")
    expect(desk.row(room)).to_contain_text("slow: a message each 60 seconds")
    told = f"set #{room}: everyone writes slowly, a message each 60 seconds"
    expect(desk.part("What moderators did")).to_contain_text(told)
    desk.undo()
    expect(desk.row(room)).not_to_contain_text("slow")


def test_a_room_is_deleted_after_one_question(
    somebody: Somebody, voice: Callable[..., Voice], chat: Chat, room: str
) -> None:
    voice(chat, room).say("hello")
    desk = Desk(somebody("Ana", "owner")).look()
    desk.menu(f"#{room}", "Delete room")
    expect(desk.dialog).to_contain_text(f"Everything said in #{room} is gone for good")
    desk.press("Cancel")
    expect(desk.row(room)).to_have_count(1)
    desk.menu(f"#{room}", "Delete room")
    desk.press("Delete room")
    expect(desk.told).to_contain_text(f"#{room} is gone.")
    expect(desk.row(room)).to_have_count(0)


def test_the_chat_is_called_something_else(somebody: Somebody, chat: Chat) -> None:
    desk = Desk(somebody("Ana", "owner")).look()
    name = desk.page.get_by_label("Name", exact=True)
    name.fill("Us & them")
    name.press("Enter")
    expect(desk.told).to_contain_text("The chat is called Us & them now.")
    chat.order("chat", name="Tidemark")


def test_newcomers_are_chosen_one_by_one_or_all(somebody: Somebody) -> None:
    ben, jun = somebody("Ben"), somebody("Jun")
    for visitor in (ben, jun):
        visitor.says(f"{visitor.name} sells")
    desk = Desk(somebody("Mira", "moderator")).look()
    part, every = desk.part(re.compile("Newcomers")), desk.page.get_by_label("All of them")
    remove = part.get_by_role("button", name="Remove them and what they wrote")
    expect(remove).to_have_attribute("aria-disabled", "true")
    every.check()
    part.get_by_role("checkbox", name=re.compile(jun.name)).uncheck()
    expect(every).not_to_be_checked()
    desk.page.evaluate(LOOK_AGAIN)
    expect(part.get_by_role("checkbox", name=re.compile(ben.name))).to_be_checked()
    expect(part.get_by_role("checkbox", name=re.compile(jun.name))).not_to_be_checked()
    every.check()
    every.uncheck()
    part.get_by_role("checkbox", name=re.compile(ben.name)).check()
    remove.click()
    expect(desk.dialog).to_contain_text("Remove this newcomer")
    desk.dialog.get_by_role("switch").uncheck()  # they all come from one address
    desk.press("Remove them")
    expect(desk.told).to_contain_text("1 newcomer is out, and what they wrote is gone.")
    expect(part.get_by_role("checkbox", name=re.compile(ben.name))).to_have_count(0)
    expect(part.get_by_role("checkbox", name=re.compile(jun.name))).to_have_count(1)


@pytest.mark.parametrize("options", SCREENS)
def test_the_door_is_closed_and_opened_again(somebody: Somebody, options: dict[str, Any]) -> None:
    ben = somebody("Ben")
    desk = Desk(somebody("Ana", "owner", **options)).look()
    desk.page.get_by_role("button", name="Close the door").click()
    expect(desk.told).to_contain_text("Only who has an invitation can come in.")
    expect(desk.page.get_by_role("radio", name="By invitation")).to_be_checked()
    ben.says(f"{ben.name} stays in")
    desk.undo()
    expect(desk.page.get_by_role("radio", name="Open")).to_be_checked()


@pytest.mark.parametrize("options", SCREENS)
def test_a_link_is_made_shown_once_and_revoked(
    somebody: Somebody, chat: Chat, options: dict[str, Any]
) -> None:
    desk = Desk(somebody("Mira", "moderator", **options)).look()
    desk.page.get_by_role("button", name="New link").click()
    desk.dialog.get_by_label("Who comes by it").select_option("A guest: of one room only")
    desk.press("Make the link")
    expect(desk.dialog).to_contain_text("This is shown only now.")
    link = desk.dialog.get_by_role("textbox").first
    expect(link).to_have_value(re.compile(rf"^{chat.origin}/i#[A-Za-z0-9_-]{{22}}$"))
    expect(desk.dialog.locator(".pin")).to_have_text(re.compile(r"^[A-Z2-9]{4}-[A-Z2-9]{4}$"))
    desk.press("Close")
    mine = desk.part("Invitations").get_by_role("listitem").filter(has_text=desk.visitor.name)
    expect(mine).to_contain_text("Guests of #lobby, until")
    expect(mine).to_contain_text("0 used")
    mine.get_by_role("button", name="Revoke").click()
    desk.press("Revoke")
    expect(desk.told).to_contain_text("The link works no more.")
    expect(mine).to_have_count(0)


def test_somebody_who_lost_every_device_gets_a_way_back(somebody: Somebody, chat: Chat) -> None:
    desk, ben = Desk(somebody("Mira", "moderator")).look(), somebody("Ben")
    desk.find(ben)
    desk.menu(ben.name, "Make a way back")
    expect(desk.dialog).to_contain_text(f"Whoever opens it is {ben.name}")
    desk.press("Make the link")
    link = desk.dialog.get_by_role("textbox").first
    expect(link).to_have_value(re.compile(rf"^{chat.origin}/enter#[A-Za-z0-9_-]{{22}}$"))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param(PHONE, id="phone"),
        pytest.param(TINY, id="320 x 256"),
        pytest.param({"forced_colors": "active"}, id="forced colours"),
    ],
)
def test_it_has_no_violations(
    somebody: Somebody, voice: Callable[..., Voice], chat: Chat, room: str, options: dict[str, Any]
) -> None:
    voice(chat, room).say("hello")
    ben = somebody("Ben")
    desk = Desk(somebody("Ana", "owner", **options)).look()
    assert violations(desk.page) == []
    assert desk.page.evaluate(NO_SIDEWAYS)
    desk.find(ben)
    for item in ("Mute for everybody", "Remove from Tidemark", "Make a way back"):
        desk.page.get_by_role("button", name=f"More about {ben.name}").click()
        assert violations(desk.page) == []
        desk.page.get_by_role("menuitem", name=item).click()
        assert violations(desk.page) == []
        desk.page.keyboard.press("Escape")
    desk.menu(f"#{room}", "Settings of the room")
    assert violations(desk.page) == []
    desk.press("Cancel")


def test_from_right_to_left_nothing_goes_sideways(somebody: Somebody) -> None:
    desk = Desk(somebody("Mira", "moderator", **PHONE)).look()
    desk.page.evaluate("document.documentElement.dir = 'rtl'")
    assert desk.page.evaluate(NO_SIDEWAYS)


def test_without_scripts_it_is_read_and_says_what_they_are_for(
    people: People, somebody: Somebody, chat: Chat
) -> None:
    mira = somebody("Mira", "moderator")
    state = mira.context.storage_state()
    reader = people("Reader", chat, java_script_enabled=False, storage_state=state)
    reader.page.goto(f"{chat.origin}/owner?all=1")
    expect(reader.page.get_by_text("To change anything it needs JavaScript.")).to_be_visible()
    expect(reader.page.get_by_role("row").filter(has_text=mira.name)).to_contain_text("Moderator")
    for control in reader.page.locator(".desk .js").all():
        expect(control).to_be_hidden()
    reader.page.get_by_role("searchbox").fill("nobody of this name")
    reader.page.keyboard.press("Enter")
    expect(reader.page.get_by_text("Nobody here is called that.")).to_be_visible()
