"""What may be written, what it looks like, and that it never becomes anything else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import People
from .people import Visitor
from .server import Voice

Speak = Callable[..., Voice]

MARKS = [  # a text, the element in it, and what that holds
    ("say **this loud**", "strong", "this loud"),
    ("say *this softly*", "em", "this softly"),
    ("not ~~this~~", "s, del", "this"),
    ("run `x = *y*` now", "code", "x = *y*"),
    ("> quoted words", "blockquote", "quoted words"),
    ("write to mailto:ana@example.org", "a[href='mailto:ana@example.org']", "ana@example.org"),
    ("see http://example.org/a?b=c&d.", "a[href='http://example.org/a?b=c&d']", "example.org"),
    ("www.example.org/a.", "a[href='https://www.example.org/a']", "www.example.org/a"),
    ("(ana@example.org)", "a[href='mailto:ana@example.org']", "ana@example.org"),
    ("(https://example.org/x)", "a[href='https://example.org/x']", "https://example.org/x"),
]
UNMARKED = [
    "2 * 3 * 4 = 24",
    "snake_case_name",
    "a ** b",
    "[label](https://e.org)",
    "# no heading",
    "file.txt and 1.2.3 and e.g. this",
    "user@host and @ana and icon@2x.png and a@b.c",
    "www.file and www. and see.www.example.org",
]
ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</textarea><svg onload=alert(1)>",
    "\"><img src='//evil.test/x'>",
    "[click](javascript:alert(1)) javascript:alert(1) data:text/html,<script>alert(1)</script>",
    "`<img src=x onerror=alert(1)>` **<b onmouseover=alert(1)>**",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "> <iframe src=javascript:alert(1)>",
    'https://e.org/"onmouseover="alert(1) https://e.org/\'><script>alert(1)</script>',
    "{{ 7 * 7 }} {% raw x %} ${7 * 7} <!-- --> <![CDATA[",
    "\u202egnp.exe\u2066 \u0000\u001b[31m",
]


def test_markup_is_text_and_only_real_links_are_links(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    ana.say("<img src=x onerror=alert(1)> **b** https://e.org/a_b javascript:alert(1)")
    for visitor in (ana, ben):
        expect(visitor.rows).to_have_count(1)
        body = visitor.bodies.first
        expect(body).to_contain_text("<img src=x onerror=alert(1)>")
        expect(body.locator("img")).to_have_count(0)
        expect(body.locator("strong")).to_have_text("b")
        link = body.get_by_role("link")
        expect(link).to_have_count(1)
        expect(link).to_have_text("https://e.org/a_b")
        expect(link).to_have_attribute("href", "https://e.org/a_b")
        expect(link).to_have_attribute("target", "_blank")
        for word in ("noopener", "noreferrer", "nofollow"):
            expect(link).to_have_attribute("rel", re.compile(word))


def test_a_few_marks_are_understood(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    for text, tag, inside in MARKS:
        ana.say(text)
        expect(ana.bodies.last.locator(tag)).to_contain_text(inside)


def test_other_text_stays_as_it_was_typed(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says(*UNMARKED)
    ana.shows(*UNMARKED)
    expect(ana.bodies.locator("strong, em, h1, h2")).to_have_count(0)
    expect(ana.bodies.locator("a")).to_have_count(1)  # of [label](url): what one sees


def test_lines_and_spaces_are_kept(people: People, room: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    text = "first\n\n  indented   wide\nlast"
    ana.say(text)
    for visitor in (ana, ben):
        expect(visitor.rows).to_have_count(1)
        assert visitor.bodies.inner_text().strip() == text


def test_code_scrolls_inside_itself_and_can_be_copied(people: People, room: str) -> None:
    ana = people("Ana", permissions=["clipboard-read", "clipboard-write"]).enter(room)
    code = "delay = min(cap, base * 2 ** n)  # " + "long " * 60 + "\n    **not bold**"
    ana.say(f"```\n{code}\n```")
    expect(ana.rows).to_have_attribute("data-state", "sent")
    block = ana.bodies.locator("pre")
    expect(block).to_contain_text("**not bold**")
    expect(block).to_have_attribute("tabindex", "0")
    expect(block).to_have_attribute("dir", "ltr")
    assert block.evaluate("el => el.scrollWidth > el.clientWidth")
    assert ana.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    block.hover()
    ana.bodies.get_by_role("button", name="Copy").click()
    assert ana.page.evaluate("navigator.clipboard.readText()").strip() == code.strip()


def test_only_code_that_scrolls_is_reached_by_tab_from_other_rows(
    people: People, voice: Speak, room: str
) -> None:
    wide = "a wide line " * 20
    voice().say(f"```\n{wide}\n```", "```\nnarrow\n```", "last")
    ana = people("Ana").enter(room)
    block = ana.bodies.locator("pre")
    expect(block.first).to_have_attribute("tabindex", "0")
    expect(block.last).to_have_attribute("tabindex", "-1")
    ana.rows.last.focus()
    ana.page.keyboard.press("Shift+Tab")
    expect(block.first).to_be_focused()
    ana.page.keyboard.press("ArrowRight")
    ana.until("document.activeElement.scrollLeft > 0")


def code(count: int) -> str:
    """A block of that many lines."""
    return "```\n" + "\n".join(f"line {number}" for number in range(count)) + "\n```"


def height(part: Locator) -> float:
    """How tall it is drawn."""
    expect(part).to_be_visible()
    box = part.bounding_box()
    assert box
    return box["height"]


def test_long_code_shows_its_beginning_and_then_all_of_it(
    people: People, voice: Speak, room: str
) -> None:
    voice().say(*(f"line {number}" for number in range(40)))
    ana = people("Ana").enter(room)
    ana.say(code(30))
    row = ana.rows.last
    expect(row).to_have_attribute("data-state", "sent")
    block = row.locator("pre")
    line = block.evaluate("el => parseFloat(getComputedStyle(el).lineHeight)")
    assert 8 * line <= height(block) <= 9 * line
    before = row.bounding_box()
    ana.page.get_by_role("button", name="Show all 30 lines").click()
    assert height(block) > 30 * line
    after = row.bounding_box()
    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 1
    ana.page.get_by_role("button", name="Show less").click()
    assert height(block) <= 9 * line
    ana.say(code(20))
    expect(ana.rows.last.get_by_text("line 19")).to_have_count(1)
    expect(ana.rows.last).to_have_attribute("data-state", "sent")
    assert height(ana.bodies.last.locator("pre")) > 20 * line


@pytest.mark.parametrize("text", ["and so on " * 200, "\n".join(map(str, range(40)))])
def test_long_text_shows_its_beginning_and_then_all_of_it(
    people: People, room: str, text: str
) -> None:
    ana = people("Ana").enter(room)
    ana.say(text)
    expect(ana.rows).to_have_attribute("data-state", "sent")
    row = ana.rows.first
    assert height(row) < 480
    whole = ana.bodies.locator(".fold").evaluate("el => el.scrollHeight")
    ana.page.get_by_role("button", name="Show more").click()
    assert height(row) > whole


@pytest.mark.parametrize("how", ["focus", "scrollIntoView"])
def test_what_is_focused_or_found_in_a_folded_part_opens_it(
    people: People, room: str, how: str
) -> None:
    """To find in a page scrolls what is found into view, as a script can."""
    ana = people("Ana").enter(room)
    ana.say("and so on " * 200 + "https://example.org/at-the-end")
    expect(ana.rows).to_have_attribute("data-state", "sent")
    link = ana.bodies.get_by_role("link")
    link.evaluate("(link, how) => link[how]()", how)
    expect(ana.page.get_by_role("button", name="Show less")).to_be_attached()
    expect(link).to_be_in_viewport()


def test_print_shows_all_of_what_is_folded(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.say(code(30))
    expect(ana.rows).to_have_attribute("data-state", "sent")
    ana.page.emulate_media(media="print")
    assert height(ana.bodies.locator("pre")) > 500
    expect(ana.page.get_by_role("button", name="Show all")).to_have_count(0)


def test_a_message_of_empty_lines_stays_low(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.say("first" + "\n \n" * 900 + "last")
    expect(ana.rows).to_have_attribute("data-state", "sent")
    assert height(ana.rows.first) < 160
    assert ana.bodies.inner_text().count("\n") == 3


def test_marks_that_tower_stay_in_their_row(people: People, voice: Speak, room: str) -> None:
    """What is drawn above the row is the same with and without them."""
    sam = voice()
    first, second = sam.say("above", "a")
    ana = people("Ana").enter(room)
    above = ana.row("above")
    expect(above).to_be_visible()
    ana.page.mouse.move(0, 0)
    sam.change("edit", second, text="ab")  # so that "edited" stands there both times
    expect(ana.row("ab")).to_have_count(1)
    pictures = [_picture(ana, above)]
    while len(pictures) < 2 or pictures[-1] != pictures[-2]:  # until nothing moves any more
        pictures.append(_picture(ana, above))
        assert len(pictures) < 50
    plain = pictures[-1]
    sam.change("edit", second, text="ab" + "\u0300" * 3000)
    expect(ana.row("ab")).to_have_count(0)
    same = (_picture(ana, above) == plain for _ in range(20))
    assert any(same)  # a frame may still be on its way
    assert first


def _picture(visitor: Visitor, row: Locator) -> bytes:
    """A row as it is drawn, without the few pixels at its edges that a neighbour may reach into."""
    box = row.bounding_box()
    assert box
    inner = {"x": box["x"] + 8, "y": int(box["y"]) + 8, "width": 400, "height": 40}
    return visitor.page.screenshot(clip=inner)  # type: ignore[arg-type]


def test_a_lone_emoji_stands_at_the_side_of_the_page(people: People, room: str) -> None:
    ana = people("Ana")
    ana.page.add_init_script(
        """new MutationObserver(() => { if (document.documentElement) document.dir = 'rtl'; })
        .observe(document, {childList: true});"""
    )
    ana.enter(room)
    ana.says("🎉")
    assert ana.bodies.evaluate("el => getComputedStyle(el).direction") == "rtl"


def test_the_writer_the_reader_and_the_reloaded_page_show_the_same(
    people: People, room: str
) -> None:
    ana, ben = people("Ana").enter(room), people("Ben").enter(room)
    texts = ["**a** _b_ `c`", "> q\n> r\nafter", "```\ncode\n```", "x https://e.org *y*\nz"]
    for text in texts:
        ana.say(text)
    expect(ben.rows).to_have_count(len(texts))
    expect(ana.log.locator("[data-state=sent]")).to_have_count(len(texts))
    made = "all => all.map(el => el.innerHTML)"
    seen = ana.bodies.evaluate_all(made)
    assert ben.bodies.evaluate_all(made) == seen
    ben.page.reload()
    ben.ready()
    assert ben.bodies.evaluate_all(made) == seen


def test_attacks_in_texts_stay_texts(people: People, voice: Speak, room: str) -> None:
    """Live, from the history in the HTML, and from the history over HTTP; `people` watches."""
    sam = voice()
    sam.say(*ATTACKS)
    ana = people("Ana").enter(room)
    expect(ana.rows).to_have_count(len(ATTACKS))
    sam.say(*ATTACKS, *(f"filler {number}" for number in range(60)))
    expect(ana.rows).to_have_count(2 * len(ATTACKS) + 60)
    for _ in range(2):
        harmful = ana.log.locator(
            "script, img:not(.qr), iframe, [onerror], [onload], [onmouseover]"
        )
        expect(harmful).to_have_count(0)
        links = "all => all.map(link => new URL(link.href).protocol)"
        assert set(ana.bodies.locator("a").evaluate_all(links)) <= {"https:", "http:", "mailto:"}
        for link in ana.bodies.locator("a").all():
            link.dispatch_event("mouseover")
        ana.page.reload()
        ana.ready()
        ana.log.evaluate("el => { el.scrollTop = 0; }")
        expect(ana.row(ATTACKS[0])).to_have_count(2)


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "</b>{{7*7}}' onload=x"]
)
def test_attacks_in_names_stay_names(people: People, room: str, name: str) -> None:
    ana, ben = people("Ana").enter(room), people("Ben")
    ben.name = f"{name} {room[5:]}"
    ben.enter(room)
    ben.composer.press_sequentially("x")
    expect(ana.page.locator(".typing")).to_contain_text(f"{ben.name} is typing")
    ben.says("hello")
    for _ in range(2):
        expect(ana.row("hello").locator(".who")).to_have_text(ben.name)
        expect(ana.page.get_by_role("complementary", name="People")).to_contain_text(ben.name)
        expect(ana.page.locator("main img:not(.qr), aside img, main script")).to_have_count(0)
        ana.page.reload()
        ana.ready()
    ben.page.get_by_role("button", name=re.compile(", settings$")).click()
    field = ben.page.get_by_role("dialog").get_by_role("textbox")
    expect(field).to_have_value(ben.name)


@pytest.mark.parametrize(
    "path",
    [
        "r/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
        "r/%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        "r/?name=%3Csvg%20onload=alert(1)%3E",
        "r/a%0D%0AX-Evil:%20yes",
        "%3Cscript%3Ealert(1)%3C/script%3E",
    ],
)
def test_attacks_in_addresses_lead_to_a_page_in_plain_words(people: People, path: str) -> None:
    ana = people("Ana")
    answer = ana.page.goto(f"{ana.server.origin}/{path}")
    assert answer
    assert answer.status in (200, 400, 404)  # 200: what was typed as a room's name became one
    assert "x-evil" not in answer.headers
    expect(ana.page.locator("script:not([src]), img, svg[onload]")).to_have_count(0)
    expect(ana.page.get_by_role("heading", level=1)).to_be_visible()
    way_on = ana.page.get_by_role("button", name=re.compile("^Join #"))
    home = ana.page.get_by_role("link", name="Go to the first room")
    expect(way_on if answer.status == 200 else home).to_be_visible()


def test_text_in_another_direction_is_set_in_its_own(people: People, room: str) -> None:
    ana = people("Ana").enter(room)
    ana.says("صباح الخير! سأراجع النصوص الآن.", "left to right")
    direction = "el => getComputedStyle(el).direction"
    assert ana.bodies.first.evaluate(direction) == "rtl"
    assert ana.bodies.last.evaluate(direction) == "ltr"
    ana.composer.fill("صباح الخير")
    assert ana.composer.evaluate("el => el.matches(':dir(rtl)')")


@pytest.mark.parametrize(
    ("locale", "date"),
    [("en-US", "March 3, 2021"), ("en-GB", "3 March 2021"), ("de-DE", "3 March 2021")],
)
def test_dates_are_written_as_where_the_person_lives(
    people: People, room: str, locale: str, date: str
) -> None:
    ana = people("Ana", locale=locale).enter(room)
    written = ana.page.evaluate(
        """async () => {
          const at = JSON.parse(document.getElementById('boot').textContent).static;
          const words = await import(new URL(`${at}/js/words.js`, location.href));
          const [day, today] = [Date.UTC(2021, 2, 3) / 864e5, Date.UTC(2026, 0, 1) / 864e5];
          return words.dayName(day, today, words.regional('en'));
        }"""
    )
    assert written == date
