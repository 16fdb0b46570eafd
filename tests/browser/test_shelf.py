"""static/js/shelf.js: files that are not sent yet are on the disk of the browser."""

from __future__ import annotations

from typing import Any

from .conftest import People
from .people import Visitor

REFUSE = """() => { IDBObjectStore.prototype.put = () => {
  throw new DOMException('full', 'QuotaExceededError'); }; }"""


def shelf(visitor: Visitor, body: str, user: str = "ana") -> Any:
    """What a piece of script gives that has this user's `shelf`, always the same in a page."""
    script = """async (user) => {
        const { href } = document.querySelector("link[rel=modulepreload]");
        const { Shelf } = await import(new URL("shelf.js", href));
        const shelves = (window.shelves ??= {});
        const shelf = (shelves[user] ??= new Shelf("a test", user));
        const picture = (room, more) =>
          ({ blob: new Blob(["a picture"]), name: "a.png", about: "", room, ...more });
        const names = async (room) => (await shelf.list(room)).map(({ local }) => local);
        BODY }"""
    return visitor.page.evaluate(script.replace("BODY", body), user)


def test_a_file_is_there_after_a_reload(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    assert shelf(ana, "return shelf.put('one', picture('lobby', { preview: new Blob(['small']) }))")
    assert shelf(ana, "return shelf.holdsOnly") is False
    ana.page.reload()
    ana.ready()
    text = """const { name, room, user: whose, blob, preview } = await shelf.get('one');
        return [name, room, whose, await blob.text(), await preview.text()];"""
    assert shelf(ana, text) == ["a.png", "lobby", "ana", "a picture", "small"]
    shelf(ana, "await shelf.remove('one')")
    assert shelf(ana, "return shelf.get('one')") is None


def test_a_room_has_its_own_and_a_person_has_theirs(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    shelf(
        ana,
        "for (const at of [0, 1]) await shelf.put('ba'[at], picture('x', { at }))",
    )
    shelf(ana, "await shelf.put('other', picture('y'))")
    shelf(ana, "await shelf.put('theirs', picture('x'))", user="ben")
    assert shelf(ana, "return names('x')") == ["b", "a"]
    assert shelf(ana, "return names('x')", user="ben") == ["theirs"]
    assert shelf(ana, "return shelf.get('theirs')") is None


def test_what_the_disk_refuses_stays_until_the_page_closes(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    shelf(ana, "await shelf.put('first', picture('x', { at: 1 }))")
    ana.page.evaluate(REFUSE)
    assert shelf(ana, "return shelf.put('second', picture('x', { at: 2 }))") is False
    assert (
        shelf(ana, "return shelf.put('first', picture('x', { at: 1, about: 'A boat' }))") is False
    )
    assert shelf(ana, "return shelf.holdsOnly") is True
    assert shelf(ana, "return names('x')") == ["first", "second"]
    assert shelf(ana, "return (await shelf.get('first')).about") == "A boat"


def test_a_lost_connection_to_the_disk_is_made_anew(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    shelf(ana, "await shelf.put('one', picture('x'))")
    gone = "(done) => (indexedDB.deleteDatabase('a test').onsuccess = () => done(true))"
    assert shelf(ana, f"return new Promise({gone})")  # it closes what is open, as an upgrade does
    assert shelf(ana, "return shelf.put('two', picture('x'))") is True
    assert shelf(ana, "return names('x')") == ["two"]


def test_what_nobody_speaks_of_goes_after_a_day(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    day = "Date.now() - 24 * 3_600_000 - 1"
    for name, at in (("old", day), ("waiting", day), ("new", "Date.now()")):
        shelf(ana, f"await shelf.put('{name}', picture('x', {{ at: {at} }}))")
    shelf(ana, f"await shelf.put('theirs', picture('x', {{ at: {day} }}))", user="ben")
    shelf(ana, "await shelf.sweep((local) => local === 'waiting')")
    assert shelf(ana, "return names('x')") == ["waiting", "new"]
    assert shelf(ana, "return names('x')", user="ben") == []


def test_signing_out_leaves_what_others_have(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    shelf(ana, "await shelf.put('mine', picture('x'))")
    shelf(ana, "await shelf.put('theirs', picture('x'))", user="ben")
    shelf(ana, "await shelf.forget()")
    assert shelf(ana, "return shelf.put('late', picture('x'))") is False
    assert shelf(ana, "return names('x')") == []
    assert shelf(ana, "return names('x')", user="ben") == ["theirs"]
