"""The page of the well-known tutorials, unchanged, beside the real one in the house room."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from .conftest import People
from .people import Visitor

TUTORIAL = """<!DOCTYPE html>
<html lang="en">
<head><title>Chat</title></head>
<body>
<h1>WebSocket Chat</h1>
<form onsubmit="sendMessage(event)">
<input type="text" id="messageText" autocomplete="off" aria-label="Message"/>
<button>Send</button>
</form>
<ul id="messages"></ul>
<script>
var client_id = Date.now();
var ws = new WebSocket("ws://" + location.host + "/ws/" + client_id);
function append(text) {
  var message = document.createElement("li");
  message.appendChild(document.createTextNode(text));
  document.getElementById("messages").appendChild(message);
}
ws.onopen = function () { document.title = "open"; };
ws.onmessage = function (event) { append(event.data); };
function sendMessage(event) {
  var input = document.getElementById("messageText");
  ws.send(input.value);
  append("You: " + input.value);
  input.value = "";
  event.preventDefault();
}
</script>
</body>
</html>"""


class Pupil:
    """Someone with the tutorial's page."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page
        # A page that the test made up comes from no address: Chromium would keep it off loopback.
        visitor.context.grant_permissions(["local-network-access"])
        address = f"{visitor.server.origin}/tutorial"
        self.page.route(
            address, lambda route: route.fulfill(content_type="text/html", body=TUTORIAL)
        )
        self.page.goto(address)
        expect(self.page).to_have_title("open")
        self.number = self.page.evaluate("client_id")

    def say(self, text: str) -> None:
        """Types into the form and submits it."""
        self.page.get_by_role("textbox").fill(text)
        self.page.get_by_role("button", name="Send").click()

    @property
    def lines(self) -> Locator:
        return self.page.get_by_role("listitem")


def test_two_tutorial_pages_show_each_message_once(people: People) -> None:
    one, two = Pupil(people("One")), Pupil(people("Two"))
    one.say("hello")
    expect(two.lines.last).to_have_text(f"Client {one.number}: hello")
    two.say("hello yourself")
    expect(one.lines).to_have_text(["You: hello", f"Client {two.number}: hello yourself"])
    expect(two.lines).to_have_text([f"Client {one.number}: hello", "You: hello yourself"])


def test_the_tutorial_and_the_real_page_talk_with_each_other(people: People) -> None:
    ana = people("Ana").enter("lobby")
    pupil = Pupil(people("Pupil"))
    before = pupil.lines.count()
    pupil.say("from the tutorial")
    row = ana.row("from the tutorial")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(f"Client {pupil.number}")
    ana.say("**from** the page")
    ana.shows_once("from the page")
    expect(pupil.lines.last).to_have_text(f"{ana.name}: **from** the page")
    expect(pupil.lines).to_have_count(before + 2)
    expect(ana.row("from the tutorial")).to_have_count(1)


def test_what_the_tutorial_posts_is_text_in_the_real_page(people: People) -> None:
    ana = people("Ana").enter("lobby")
    pupil = Pupil(people("Pupil"))
    attack = f"<img src=x onerror=alert({pupil.number})>"
    pupil.say(attack)
    expect(ana.row(attack)).to_have_count(1)
    expect(ana.log.locator("img:not(.qr)")).to_have_count(0)


def test_the_tutorial_is_told_nothing_of_edits_twice(people: People) -> None:
    """A changed message is not a new one."""
    ana = people("Ana").enter("lobby")
    pupil = Pupil(people("Pupil"))
    ana.says("as first sent")
    expect(pupil.lines.last).to_have_text(f"{ana.name}: as first sent")
    count = pupil.lines.count()
    ana.composer.press("ArrowUp")
    field = ana.page.get_by_role("textbox", name="Edit message")
    field.fill("as changed later")
    field.press("Enter")
    expect(ana.row("as changed later")).to_contain_text("edited")
    ana.says("after the change")
    expect(pupil.lines.last).to_have_text(f"{ana.name}: after the change")
    expect(pupil.lines.filter(has_text="as first sent")).to_have_count(1)
    assert pupil.lines.count() <= count + 2
