"""What the Enter key means as the person likes it, and that what is pasted keeps its lines."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import People
from .people import Visitor
from .test_access import PHONE

LIKES = "like => document.documentElement.dataset.enter = like"


def test_enter_makes_a_line_where_the_person_wants_it(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.blur()
    ana.page.evaluate(LIKES, "line")
    ana.composer.focus()
    expect(ana.composer).to_have_attribute("enterkeyhint", "enter")
    ana.page.keyboard.type("one")
    ana.page.keyboard.press("Enter")
    ana.page.keyboard.type("two")
    expect(ana.composer).to_have_value("one\ntwo")
    expect(ana.rows).to_have_count(0)
    ana.page.keyboard.press("Control+Enter")
    expect(ana.page.locator("article.msg[data-id]")).to_have_count(1)
    ana.composer.press("ArrowUp")
    editor = ana.page.get_by_role("textbox", name="Edit message")
    expect(editor).to_be_focused()
    expect(editor).to_have_attribute("enterkeyhint", "enter")
    expect(ana.page.locator(".editor .hint")).to_have_text("Ctrl+Enter saves, Esc cancels")
    ana.page.keyboard.press("Enter")
    ana.page.keyboard.type("three")
    expect(editor).to_have_value("one\ntwo\nthree")
    ana.page.keyboard.press("Control+Enter")
    expect(editor).to_have_count(0)
    expect(ana.bodies).to_contain_text("three")


def test_on_a_phone_enter_sends_where_the_person_wants_it(people: People, room: str) -> None:
    ana = people("Ana", **PHONE).enter(room)
    ana.page.evaluate(LIKES, "send")
    ana.composer.tap()
    expect(ana.composer).to_have_attribute("enterkeyhint", "send")
    ana.page.keyboard.type("one")
    ana.page.keyboard.press("Enter")
    ana.shows_once("one")
    ana.page.evaluate("delete document.documentElement.dataset.enter")
    ana.page.keyboard.type("two")
    ana.page.keyboard.press("Enter")
    expect(ana.composer).to_have_value("two\n")


PASTE = """async kinds => {
  const blobs = Object.entries(kinds).map(([type, text]) => [type, new Blob([text], {type})]);
  await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
}"""


def paste(visitor: Visitor, **kinds: str) -> None:
    """Puts this on the clipboard and into the box."""
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.page.evaluate(PASTE, {f"text/{kind}": text for kind, text in kinds.items()})
    visitor.composer.press("Control+V")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p>\n <p>two <b>bold</b></p>", "one\n\ntwo bold"),
        ("one<br>two<br><br>four", "one\ntwo\n\nfour"),
        ("<ul>\n<li>first\n</li>\n<li>second</li>\n</ul>", "first\nsecond"),
        ("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "a\n\nb\n\nc"),
        ("<pre>def f():\n    return 1\n</pre>after", "def f():\n    return 1\n\nafter"),
        ("<div>one</div><div><br></div><div>three</div>", "one\n\nthree"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ("in <i>one</i>\n line", "in one line"),
    ],
)
def test_pasted_html_keeps_its_lines(people: People, room: str, html: str, text: str) -> None:
    ana = people("Ana").enter(room)
    ana.composer.fill("before ")
    paste(ana, html=html)
    expect(ana.composer).to_have_value(f"before {text}")
    ana.page.keyboard.press("Control+Z")
    expect(ana.composer).to_have_value("before ")


def test_pasted_text_stays_as_it_is_beside_html(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    paste(ana, plain="if a:\n    b()", html="<div>if a:</div><div>b()</div>")
    expect(ana.composer).to_have_value("if a:\n    b()")
    ana.composer.fill("")
    paste(ana, plain="one two", html="<p>one</p><p>two</p>")
    expect(ana.composer).to_have_value("one\n\ntwo")


def test_nothing_that_is_pasted_is_ever_run_or_fetched(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    evil = "<img src=https://e.test/x onerror='alert(1)'><script>alert(2)</script>"
    evil += "<p style='color: red'>a</p><style>p{}</style><p>b</p>"
    evil += "<div style='white-space: pre'><div>if c:</div><div>    d()</div></div>"
    ana.composer.focus()
    ana.page.evaluate(
        """html => { const clipboardData = new DataTransfer();
        clipboardData.setData('text/html', html);
        document.activeElement.dispatchEvent(
            new ClipboardEvent('paste', {clipboardData, bubbles: true, cancelable: true})); }""",
        evil,
    )
    expect(ana.composer).to_have_value("a\n\nb\n\nif c:\n    d()")
    ana.says("and nothing came of it")  # what a page may never do would be told at the end


def test_a_long_pasted_text_keeps_every_line_and_says_how_much_is_too_much(
    people: People, room: str
) -> None:
    ana = people("Ana").enter(room)
    text = "\n".join(f"line {number}" for number in range(1_000))
    ana.composer.focus()
    paste(ana, plain=text)
    expect(ana.composer).to_have_value(text)
    expect(ana.page.get_by_text(re.compile(rf"^-{len(text) - 4_000}: too many"))).to_be_visible()
    ana.composer.press("Enter")
    expect(ana.composer).to_have_value(text)
    expect(ana.rows).to_have_count(0)
