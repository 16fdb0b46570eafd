"""What a program posts to a hook, as a text. Pure.

Bare text, what `curl -d` makes of it, JSON as Slack takes it, the form that Slack and GitHub can
send that in, and GitHub's events.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from chat.rules.github import told
from chat.rules.slack import shortened, text_of
from chat.wire.codes import Refusal

PARTS, HEAD = 10, 500  # parts of a form, and bytes of what stands above one, that are looked at
_BOUNDARY = re.compile(r"boundary=\"?([^\s\";,]{1,70})")
_NAME = re.compile(rb"\bname=\"?(\w+)")
FIELDS = ("payload", "text", "data")  # of a form: JSON, a text; of Uptime Kuma, JSON


def posted(kind: str, event: str, body: bytes) -> str:
    """The text in a body of this Content-Type, cut to what a message may have; `event` is what
    GitHub calls it. "": there is nothing to say. Raises Refusal bad_frame or empty.
    """
    media = kind.partition(";")[0].strip().lower()
    name, text = "", body.decode("utf-8", "replace")
    if media == "multipart/form-data":
        name, text = _part(kind, body)
    elif media in ("application/x-www-form-urlencoded", ""):
        name, text = _field(text)
    if event:
        return shortened(told(event, _json(text)))
    if name in ("payload", "data") or media == "application/json" or media.endswith("+json"):
        return shortened(text_of(_json(text)))
    if not text:
        raise Refusal("empty")
    return shortened(_perhaps(text))


def _field(text: str) -> tuple[str, str]:
    """What a form says first. `curl -d 'disk full'` sends no form, but says so."""
    name, found, value = text.partition("=")
    if found and name in FIELDS:
        return name, unquote_plus(value.partition("&")[0])
    return "", text


def _part(kind: str, body: bytes) -> tuple[str, str]:
    """The first of a few parts of a form that has one of the names."""
    boundary = _BOUNDARY.search(kind)
    parts = body.split(b"--" + boundary[1].encode(), PARTS) if boundary else []
    for part in parts[1:]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head[:HEAD])
        if name and name[1].decode() in FIELDS:
            return name[1].decode(), value.removesuffix(b"\r\n").decode("utf-8", "replace")
    raise Refusal("empty", detail="A form has its text in the field “text”, or “payload”.")


def _perhaps(text: str) -> str:
    """Bare text; `curl -d '{"text": …}'` means what it looks like."""
    if text.lstrip()[:1] == "{":
        try:
            return text_of(_json(text))
        except Refusal:
            return text
    return text


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Refusal("bad_frame", detail="That is not valid JSON.") from error
