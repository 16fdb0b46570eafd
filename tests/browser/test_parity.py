"""What the scripts make of a message is what the server has rendered of it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.pictures import png

from .conftest import People
from .files import NOTE, SEA, TABLES, Sent, row, share
from .server import Voice
from .test_reactions import KEPT

# Of each row what comes with its message, whatever the formatting of the text and the one tab stop.
ROWS = """(text) => {
  const page = text ? new DOMParser().parseFromString(text, 'text/html') : document;
  const says = ({name, value}) => name === 'tabindex' ? '' : `${name}=${value}`;
  const bare = (part) => [part, ...part.querySelectorAll('*')].map((one) =>
    [one.tagName, one.textContent.trim(), [...one.attributes].map(says).sort().join(' ').trim()]);
  const all = (row, query) => [...row.querySelectorAll(query)].map(bare);
  return [...page.querySelectorAll('.log .msg')].map((row) => ({
    id: row.id,
    kind: ['first', 'mine', 'mention', 'damaged'].filter((name) => row.classList.contains(name)),
    quote: all(row, '.quote'),
    names: all(row, '.body mark, .body b.at'),
    chips: all(row, '.chips > *'),
    files: all(row, '.files > *'),
  }));
}"""


def test_rows_are_the_same_before_and_after_the_scripts(
    people: People, voice: Callable[..., Voice], room: str
) -> None:
    ana, sam = people("Ana"), voice()
    ana.enter(room)
    ana.says("two things")
    mine = int(ana.rows.last.get_attribute("data-id") or 0)
    old, gone = sam.say(f"@{ana.name} (@here) <b>@{sam.name.upper()}</b>", "to be deleted")
    sam.say(*(f"{number}" for number in range(50)))
    ids = sam.say("🎉")
    for number, (text, answered) in enumerate(
        [("yes", old), ("no", mine), ("oh", gone), (f"@{ana.name}", ids[0]), ("@here", ids[0])]
    ):
        sam.command("say", cid=f"answer-{number}", text=text, reply=answered)
    for number, emoji in enumerate("👍🎉👍"):
        who = voice() if number == 2 else sam
        who.command("react", cid=f"reaction-{number}", id=ids[0], emoji=emoji, on=True)
    sam.change("delete", gone)
    ana.page.get_by_role("button", name="🎉 1 reaction").last.click()
    expect(ana.page.get_by_role("button", name="🎉 2 reactions, including yours")).to_be_visible()
    expect(ana.page.get_by_role("button", name="👍 2 reactions")).to_be_visible()
    ana.until(f"{KEPT} === 0")  # shown at once, and by now on the server
    page = ana.page.request.get(ana.page.url).text()
    ana.page.reload()
    ana.ready().whole()
    _, *served = ana.page.evaluate(ROWS, page)  # earlier ones may be loaded too
    ids_served = {row["id"] for row in served}
    rows = [row for row in ana.page.evaluate(ROWS) if row["id"] in ids_served]
    assert rows == served
    parts = {part: sum(len(row[part]) for row in rows) for part in ("quote", "names", "chips")}
    assert parts == {"quote": 5, "names": 2, "chips": 3}


def test_files_are_shown_the_same_by_the_server_and_by_the_scripts(
    people: People, room: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben")
    ben.join(room)
    share(ben, room, "", TABLES, SEA, NOTE, Sent("a (1)'s *b*! ~é #?&.png", SEA.content, 'a "b"'))
    sizes = (0, 999, 1_000, 9_949, 9_950, 999_499, 999_500)
    share(ben, room, "", *(Sent(f"{size} of.no-known-kind", bytes(size)) for size in sizes))
    last = share(ben, room, "said", Sent("tall.JPEG", png(30, 3_000)), Sent(".hidden", b"?"))
    expect(row(ana, last).locator(".files > *")).to_have_count(2)
    page = ana.page.request.get(ana.page.url).text()
    rows, served = ana.page.evaluate(ROWS), ana.page.evaluate(ROWS, page)
    assert [row["files"] for row in rows] == [row["files"] for row in served]
    assert sum(len(row["files"]) for row in rows) == 5 + 7 + 2, "sound has its name too"
