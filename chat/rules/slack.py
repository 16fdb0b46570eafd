"""Slack's messages as ours: what Grafana, Alertmanager, Uptime Kuma and Mattermost's senders post.

Pure. The payloads are read as they are documented at api.slack.com (incoming webhooks, mrkdwn,
attachments, Block Kit); what is not where it should be is left out, so that an alert is not lost to
one odd field. Colours, pictures of senders and names they give themselves say nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chat.wire.codes import TEXT_LIMIT, Refusal

MOST = 2 * TEXT_LIMIT  # characters that are looked at of one string
MANY = 50  # attachments, blocks or fields that are looked at: Slack takes no more
DEEP = 4  # lists inside lists of a rich text

_HELD = "\0"  # stands for what no mark is looked for in; the text itself cannot hold it
_APART = re.compile(
    r"```\n?(?P<block>.+?)```"
    r"|(?P<code>`[^`\n]+`)"
    r"|<(?P<angle>[^<>\n]{1,2000})>"
    r"|(?P<bare>https?://[^\s<>\"`|)]+)"
    r"|\[(?P<label>[^\[\]\n]{1,500})\]\((?P<to>https?://[^\s()]{1,1500})\)",  # Mattermost
    re.DOTALL,
)
_MARKS = (  # Slack's sign, and ours; they hug what they mark, and stand between words
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]*[^\s*])\*(?![\w*])"), r"**\1**"),
    (re.compile(r"(?<![\w_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\w_])"), r"*\1*"),
    (re.compile(r"(?<![\w~])~(?=[^\s~])([^~\n]*[^\s~])~(?![\w~])"), r"~~\1~~"),
)
_ENTITY = re.compile("&(amp|lt|gt);")  # these three, and no more: "?a=1&copy=2" stays
_EMOJI = re.compile(r":([a-z0-9_+-]{1,40}):")
EMOJI = {  # what monitors and builds are fond of; any other stays as it is
    **{"white_check_mark": "✅", "heavy_check_mark": "✔️", "x": "❌", "warning": "⚠️", "boom": "💥"},
    **{"fire": "🔥", "rotating_light": "🚨", "exclamation": "❗", "question": "❓", "bug": "🐛"},
    **{"bell": "🔔", "no_bell": "🔕", "rocket": "🚀", "tada": "🎉", "sos": "🆘", "zap": "⚡"},
    **{"red_circle": "🔴", "large_green_circle": "🟢", "large_yellow_circle": "🟡"},
    **{"large_orange_circle": "🟠", "large_blue_circle": "🔵", "information_source": "ℹ️"},
    **{"+1": "👍", "-1": "👎", "eyes": "👀", "wave": "👋", "mag": "🔍", "hourglass": "⌛"},
    **{"chart_with_upwards_trend": "📈", "chart_with_downwards_trend": "📉", "link": "🔗"},
    **{"construction": "🚧", "package": "📦", "lock": "🔒", "key": "🔑", "blue_book": "📘"},
}
_LINK = re.compile(r"(?:https?://|mailto:)\S", re.IGNORECASE)


def text_of(payload: object) -> str:
    """What a payload says, as a text of ours; it may be too long. Raises Refusal("empty")."""
    given = _dict(payload)
    text = "\n".join(_blocks(given.get("blocks"))) or mrkdwn(_text(given.get("text")))
    parts = [text or _text(given.get("msg"))]  # msg: Uptime Kuma's own webhook
    for attachment in _list(given.get("attachments")):
        parts += [part for part in _attachment(_dict(attachment)) if not _repeats(part, text)]
        if sum(map(len, parts)) > MOST:
            break
    said = "\n".join(filter(None, parts))
    if not said.strip():
        raise Refusal("empty", detail="There is no text in that: send {“text”: “…”}.")
    return said


def shortened(text: str) -> str:
    """The text, cut to what a message may have: it is better cut than lost."""
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 1].rstrip()}…"


def mrkdwn(text: str) -> str:
    """Slack's marks, links and names as ours."""
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        held.append(_held(found))
        return _HELD

    text = _APART.sub(hold, text[:MOST].replace(_HELD, ""))
    for sign, ours in _MARKS:
        text = sign.sub(ours, text)
    text = _EMOJI.sub(lambda name: EMOJI.get(name[1], name[0]), text)
    apart = iter(held)
    return re.sub(_HELD, lambda _: next(apart), _plain(text)).strip()


def _plain(text: str) -> str:
    return _ENTITY.sub(lambda found: {"amp": "&", "lt": "<", "gt": ">"}[found[1]], text)


def _held(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "block":
            return f"\n```\n{_plain(found['block']).strip(chr(10))}\n```\n"
        case "angle":
            return _angle(found["angle"])
        case "to":
            return link(found["label"], found["to"])
    return _plain(found[0])


def _angle(within: str) -> str:
    """What stands in <…>: a link, a person, a room, or all of them."""
    what, _, label = _plain(within).partition("|")
    if _LINK.match(what):
        return link(label, what)
    if what[:1] == "!":  # <!here>, <!channel>, <!date^…|today>; a bot's @here calls nobody
        what = "!here" if what in ("!channel", "!everyone") else what
        return label if "^" in what else f"@{what[1:]}"
    if what[:1] in "@#":
        return what[0] + (label or what[1:]).removeprefix(what[0])
    return f"<{_plain(within)}>"


def link(label: str, address: str) -> str:
    """A link with its label: what people see is where it leads."""
    label, address = label.strip(), re.sub(r"\s", "%20", address.strip())
    if not label or label in (address, address.removeprefix("mailto:")) or not address:
        return address or label
    if address.partition("://")[2].rstrip("/") == label.rstrip("/"):
        return address
    return f"{label} ({address.replace('(', '%28').replace(')', '%29')})"


# -- attachments


def _attachment(given: dict[str, Any]) -> list[str]:
    """The lines of one: before it, title, text, fields, buttons, and who sent it."""
    title, address = bold(mrkdwn(_text(given.get("title")))), _address(given.get("title_link"))
    parts = [mrkdwn(_text(given.get("pretext"))), title, address if title else ""]
    parts += [mrkdwn(_text(given.get("text")))]
    parts += map(_field, map(_dict, _list(given.get("fields"))))
    parts += _blocks(given.get("blocks"))
    parts += [_address(given.get("image_url"))]
    parts += [_buttons(_list(given.get("actions")))]
    if not any(parts):
        parts = [mrkdwn(_text(given.get("fallback")))]
    elif footer := mrkdwn(_text(given.get("footer"))):
        parts += [footer]
    return list(filter(None, parts))


def _field(field: dict[str, Any]) -> str:
    title, value = mrkdwn(_text(field.get("title"))), mrkdwn(_text(field.get("value")))
    return f"{bold(f'{title}:')} {value}" if title and value else bold(title) or value


# -- blocks


def _blocks(given: object) -> list[str]:
    return [part for block in _list(given) for part in _block(_dict(block)) if part]


def _block(block: dict[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    if kind == "header":
        yield bold(_said(block.get("text")))
    elif kind in ("actions", "context"):
        elements = _list(block.get("elements"))
        yield _buttons(elements) or " ".join(filter(None, map(_said, elements)))
    elif kind == "image":
        yield link(_said(block.get("title")) or _said(block), _address(block.get("image_url")))
    elif kind == "rich_text":
        yield _rich(block, DEEP)
    else:  # section, markdown, and what is new
        yield _said(block.get("text"))
        yield from map(_said, _list(block.get("fields")))
        yield _buttons([block.get("accessory")])


def _said(given: object) -> str:
    """A text object: {"type": "mrkdwn" or "plain_text", "text"}; of a picture, what it shows."""
    if isinstance(given, str):
        return mrkdwn(given)
    text = _text(_dict(given).get("text")) or _text(_dict(given).get("alt_text"))
    return text.strip() if _dict(given).get("type") == "plain_text" else mrkdwn(text)


def _buttons(elements: list[Any]) -> str:
    """Those that lead somewhere; the others can do nothing here."""
    pressed = [(_said(_dict(one).get("text")), _address(_dict(one).get("url"))) for one in elements]
    return "\n".join(link(label, address) for label, address in pressed if address)


def _rich(given: dict[str, Any], deep: int) -> str:
    """A rich text: its lines, their links, names and emoji; marks within are left out."""
    if "elements" not in given:
        label, address = _text(given.get("text")), _address(given.get("url"))
        name = _text(given.get("name")) or _text(given.get("range"))
        label = label or (EMOJI.get(name, f":{name}:") if given.get("type") == "emoji" else name)
        return link(label, address) if address else label
    parts = [_rich(_dict(one), deep - 1) for one in _list(given["elements"]) if deep]
    if given.get("type") == "rich_text_list":
        return "\n".join(f"• {part}" for part in parts)
    if given.get("type") == "rich_text_preformatted":
        return "\n".join(("```", *parts, "```"))
    if given.get("type") == "rich_text_quote":
        return "> " + "".join(parts).replace("\n", "\n> ")
    return ("\n" if given.get("type") == "rich_text" else "").join(parts)


# -- what is where it should be


def bold(text: str) -> str:
    """One line of it in bold, if it is not."""
    if not text or "\n" in text or "*" in text:
        return text
    return f"**{text}**"


def _repeats(part: str, text: str) -> bool:
    """Whether a part says, below its label, what `text` says: many senders say it twice."""
    lines = [line.strip("* ") for line in part.split("\n")]
    label = len(lines) > 1 and part.startswith("**") and part.split("\n")[0].endswith("**")
    return {line.strip("* ") for line in text.split("\n")}.issuperset(lines[label:])


def _text(given: object) -> str:
    """A string, or a number as one."""
    if isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < 2**63:
        return str(given)
    return given[:MOST] if isinstance(given, str) else ""


def _address(given: object) -> str:
    address = _text(given).strip()
    return address if _LINK.match(address) else ""


def _dict(given: object) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _list(given: object) -> list[Any]:
    return given[:MANY] if isinstance(given, list) else []
