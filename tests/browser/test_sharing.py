"""What other apps share with the installed chat goes into the draft of a room."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import People
from .giving import chip, chips
from .people import Visitor
from .test_access import PHONE, violations

# As a browser hands over what another app shares: by the form that the manifest describes.
SHARE = """async ([texts, names]) => {
    const { href } = document.querySelector('[rel=manifest]');
    const { share_target: way } = await (await fetch(href)).json();
    const form = document.createElement('form');
    const { method, enctype, params } = way;
    Object.assign(form, { method, enctype, action: new URL(way.action, href) });
    for (const [name, value] of Object.entries(texts)) {
        form.append(Object.assign(document.createElement('input'), { name: params[name], value }));
    }
    const data = new DataTransfer();
    for (const name of names) data.items.add(new File(['a recipe'], name, { type: 'text/plain' }));
    form.append(Object.assign(document.createElement('input'), { type: 'file', multiple: true }));
    Object.assign(form.lastChild, { name: params.files[0].name, files: data.files });
    document.body.append(form);
    form.submit();
}"""
INSTALLED = """async () => {
    dispatchEvent(new Event('appinstalled'));
    await navigator.serviceWorker.ready;
}"""


def install(visitor: Visitor) -> None:
    """The chat becomes an app of this device."""
    visitor.page.evaluate(INSTALLED)
    visitor.page.reload()
    visitor.ready().whole()
    visitor.until("navigator.serviceWorker.controller !== null")


def share(visitor: Visitor, *names: str, **texts: str) -> None:
    """Another app shares this."""
    with visitor.page.expect_navigation():
        visitor.page.evaluate(SHARE, [texts, list(names)])
    visitor.ready().whole()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_what_is_shared_is_in_the_draft_of_the_room_that_is_chosen(
    people: People, room: str, options: dict[str, Any]
) -> None:
    ana = people("Ana", **options).enter(room)
    ana.says("so that it is in the list")
    install(ana)
    share(ana, "soup.txt", "søup & bread.txt", title="A recipe", url="https://example.org/soup")
    chooser = ana.page.get_by_role("dialog", name="Share in which room?")
    expect(chooser).to_be_visible()
    assert violations(ana.page) == []
    chooser.get_by_role("combobox").fill(room)
    with ana.page.expect_navigation():
        chooser.get_by_role("combobox").press("Enter")
    ana.ready().whole()
    for name in ("soup.txt", "søup & bread.txt"):
        chip(ana, name)
    expect(ana.composer).to_have_value("A recipe\nhttps://example.org/soup")
    assert ana.page.url == ana.server.url(room)
    ana.page.reload()
    ana.ready().whole()
    expect(chips(ana)).to_have_count(2)
    ana.send.tap() if ana.touches else ana.send.click()
    expect(ana.rows.last).to_have_attribute("data-state", "sent")
    expect(chips(ana)).to_have_count(0)


def test_what_did_not_fit_is_told(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.page.goto(f"{ana.server.url(room)}#unshared")
    ana.page.reload()
    ana.ready().whole()
    told = "What was shared did not fit into this browser's storage."
    expect(ana.page.locator("#alert")).to_have_text(told)


def test_a_worker_is_there_only_for_an_installed_chat(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    there = "navigator.serviceWorker.getRegistrations().then((all) => all.length)"
    assert ana.page.evaluate(there) == 0
    install(ana)
    assert ana.page.evaluate(there) == 1
    assert ana.page.evaluate("caches.keys()") == []


def test_who_signs_out_leaves_nothing_that_was_shared(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("so that it is in the list")
    install(ana)
    share(ana, "soup.txt")
    expect(ana.page.get_by_role("dialog", name="Share in which room?")).to_be_visible()
    ana.page.keyboard.press("Escape")
    assert ana.page.evaluate("caches.keys()") == ["shared"]
    ana.page.locator("button.me").click()
    settings = ana.page.get_by_role("dialog")
    settings.get_by_role("button", name="Sign out here").click()
    settings.get_by_role("button", name="Sign out", exact=True).click()
    expect(ana.page.get_by_role("textbox", name="What should people call you?")).to_be_visible()
    assert ana.page.evaluate("caches.keys()") == []
