"""chat/rules/slack.py: payloads as their senders document them, and as nobody would."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.rules.slack import link, mrkdwn, shortened, text_of
from chat.rules.text import clean
from chat.wire.codes import TEXT_LIMIT, Refusal

# The default templates of Alertmanager's Slack receiver: a title with a link, and no text.
ALERTMANAGER = {
    "channel": "#alerts",
    "username": "AlertManager",
    "attachments": [
        {
            "title": "[FIRING:1] DiskFull (nas:9100 critical)",
            "title_link": "https://am.example/#/alerts?receiver=chat",
            "text": "",
            "fallback": "[FIRING:1] DiskFull (nas:9100 critical) | https://am.example/#/alerts",
            "callback_id": "",
            "footer": "",
            "color": "danger",
            "mrkdwn_in": ["fallback", "pretext", "text"],
        }
    ],
}
# The same with what people put into their own.
ALERTMANAGER_OWN = {
    "attachments": [
        {
            "pretext": "<!channel> look",
            "title": "DiskFull",
            "title_link": "https://am.example/",
            "text": "*Alert:* 3 &lt; 5 GB - `critical`\n*Runbook:* <https://wiki.example/disk|open>",
            "fields": [
                {"title": "Instance", "value": "nas:9100", "short": True},
                {"title": "Severity", "value": "critical", "short": True},
            ],
            "actions": [
                {"type": "button", "text": "Silence :no_bell:", "url": "https://am.example/s"},
                {"type": "button", "text": "Acknowledge", "name": "ack", "value": "1"},
            ],
            "fallback": "DiskFull",
            "footer": "am-1",
        }
    ]
}
# Grafana's Slack contact point.
GRAFANA = {
    "channel": "#alerts",
    "username": "Grafana",
    "attachments": [
        {
            "color": "#D63232",
            "title": "[FIRING:1] High CPU (web)",
            "title_link": "https://grafana.example/alerting/grafana/abc/view?orgId=1",
            "text": "**Firing**\n\nValue: A=91.2\nLabels:\n - alertname = High CPU\n",
            "fallback": "[FIRING:1] High CPU (web)",
            "footer": "Grafana v11.2.0",
            "footer_icon": "https://grafana.com/static/assets/img/fav32.png",
            "ts": 1764496800,
            "pretext": "<!here|here> <@U024BE7LH>",
            "mrkdwn_in": ["pretext"],
            "image_url": "https://grafana.example/public/a.png",
        }
    ],
}


def kuma(status: str) -> dict[str, Any]:
    """Uptime Kuma's Slack notification; it says the same in three places."""
    said = f"[Shop] [{status}] 503"
    return {
        "text": f"Uptime Kuma Alert\n{said}",
        "channel": "#up",
        "username": "Uptime Kuma",
        "icon_emoji": ":fire:",
        "attachments": [
            {
                "color": "#e01e5a",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}},
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": f"*Message*\n{said}"},
                            {"type": "mrkdwn", "text": "*Time (UTC)*\n2026-11-30 10:00:00"},
                        ],
                    },
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "text": {"type": "plain_text", "text": "Visit Uptime Kuma"},
                                "value": "Uptime-Kuma",
                                "url": "https://up.example/dashboard/3",
                            }
                        ],
                    },
                ],
            }
        ],
    }


BLOCKS = {
    "text": "only for notices",
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "Build *17*"}},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*Result:* ~red~ _green_"},
            "accessory": {
                "type": "button",
                "text": {"type": "plain_text", "text": "Log"},
                "url": "https://ci.example/17",
            },
        },
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                {"type": "image", "image_url": "https://ci.example/a.png", "alt_text": "main"},
                {"type": "mrkdwn", "text": "by <@U1|ana>"},
            ],
        },
        {"type": "image", "image_url": "https://ci.example/g.png", "alt_text": "a graph"},
        {"type": "markdown", "text": "# as it is"},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "See ", "style": {"bold": True}},
                        {"type": "link", "url": "https://e.org/", "text": "this"},
                        {"type": "emoji", "name": "wave"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "elements": [
                        {"type": "rich_text_section", "elements": [{"type": "text", "text": t}]}
                        for t in ("one", "two")
                    ],
                },
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said\nso"}]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "a = 1"}]},
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"text": "disk full"}, "disk full"),
        ({"text": 5}, "5"),
        ({"heartbeat": None, "monitor": None, "msg": "Testing"}, "Testing"),
        (
            ALERTMANAGER,
            "**[FIRING:1] DiskFull (nas:9100 critical)**\n"
            "https://am.example/#/alerts?receiver=chat",
        ),
        (
            ALERTMANAGER_OWN,
            "@here look\n**DiskFull**\nhttps://am.example/\n"
            "**Alert:** 3 < 5 GB - `critical`\n**Runbook:** open (https://wiki.example/disk)\n"
            "**Instance:** nas:9100\n**Severity:** critical\n"
            "Silence 🔕 (https://am.example/s)\nam-1",
        ),
        (
            GRAFANA,
            "@here @U024BE7LH\n**[FIRING:1] High CPU (web)**\n"
            "https://grafana.example/alerting/grafana/abc/view?orgId=1\n"
            "**Firing**\n\nValue: A=91.2\nLabels:\n - alertname = High CPU\n"
            "https://grafana.example/public/a.png\nGrafana v11.2.0",
        ),
        (
            kuma("🔴 Down"),
            "Uptime Kuma Alert\n[Shop] [🔴 Down] 503\n**Time (UTC)**\n2026-11-30 10:00:00\n"
            "Visit Uptime Kuma (https://up.example/dashboard/3)",
        ),
        (
            BLOCKS,
            "Build *17*\n**Result:** ~~red~~ *green*\nLog (https://ci.example/17)\nmain by @ana\n"
            "a graph (https://ci.example/g.png)\n# as it is\n"
            "See this (https://e.org/)👋\n• one\n• two\n> said\n> so\n```\na = 1\n```",
        ),
        ({"attachments": [{"fallback": "only *this*", "color": "good"}]}, "only **this**"),
        ({"attachments": [{"fields": [{"title": "Up"}, {"value": "yes"}]}]}, "**Up**\nyes"),
        ({"text": "", "attachments": [None, 7, {"text": "here"}]}, "here"),
        ({"attachments": [{"title": "a", "text": "up"}, {"text": "up"}]}, "**a**\nup\nup"),
    ],
)
def test_what_senders_document_becomes_a_text(payload: Any, text: str) -> None:
    assert text_of(payload) == text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("*bold* _it_ ~no~", "**bold** *it* ~~no~~"),
        ("**bold** stays", "**bold** stays"),
        ("2 * 3 * 4, snake_case_name, a ~ b", "2 * 3 * 4, snake_case_name, a ~ b"),
        ("*not\nbold*", "*not\nbold*"),
        ("*<https://e.org/a_b_|a page>*", "**a page (https://e.org/a_b_)**"),
        ("<https://e.org>", "https://e.org"),
        ("<https://e.org/|e.org>", "https://e.org/"),
        ("<http://e.org/a b|x>", "x (http://e.org/a%20b)"),
        ("<https://e.org/a_(b)|x>", "x (https://e.org/a_%28b%29)"),
        ("<mailto:ana@e.org|ana@e.org>", "mailto:ana@e.org"),
        ("https://e.org/_x_?a=1&copy=2&amp;b=3", "https://e.org/_x_?a=1&copy=2&b=3"),
        ("[page](https://e.org/x_y_)", "page (https://e.org/x_y_)"),
        ("<javascript:alert(1)|x>", "<javascript:alert(1)|x>"),
        ("&lt;b&gt; &amp;amp; &copy;", "<b> &amp; &copy;"),
        ("`*a* &lt;` *b*", "`*a* <` **b**"),
        ("x ```*a*\n&gt;``` y", "x \n```\n*a*\n>\n```\n y"),
        ("<@U1> <@U1|ana> <#C1|general> <#C1>", "@U1 @ana #general #C1"),
        ("<!here> <!channel> <!everyone> <!subteam^S1|@ops>", "@here @here @here @ops"),
        ("<!date^1392734382^{date}|18 February>", "18 February"),
        ("&gt; said", "> said"),
        (
            ":fire: *a* :none_of_ours: `:fire:` 10:30:00",
            "🔥 **a** :none_of_ours: `:fire:` 10:30:00",
        ),
        ("a \0 b <x>", "a  b <x>"),
    ],
)
def test_slacks_marks_become_ours(theirs: str, ours: str) -> None:
    assert mrkdwn(theirs) == ours


def test_a_link_shows_where_it_leads() -> None:
    assert link("", "https://e.org") == "https://e.org"
    assert link("bank.example", "https://evil.example") == "bank.example (https://evil.example)"
    assert link("only a label", "") == "only a label"


@pytest.mark.parametrize(
    "payload",
    [
        *({}, [], None, "text", 3, {"text": None}, {"text": " \n"}, {"text": True}),
        *({"attachments": "x", "blocks": {}}, {"text": {"text": "no string"}}, {"text": 10**5000}),
    ],
    ids=lambda payload: str(type(payload)),
)
def test_what_says_nothing_is_refused(payload: object) -> None:
    with pytest.raises(Refusal, match="empty"):
        text_of(payload)


def test_what_is_too_long_is_cut_and_not_lost() -> None:
    text = shortened(text_of({"text": "x" * 9000}))
    assert (len(text), text[-1]) == (TEXT_LIMIT, "…")
    assert clean(text) == text
    assert shortened("short") == "short"


@pytest.mark.parametrize(
    "piece",
    [*"*_~`<[", "```", "```a", "*a", "_ ", "[a](", "[[a]", " _a", "http://", "<a|", "&amp;", "\0"],
)
def test_long_hostile_texts_take_no_time_that_grows_with_their_square(piece: str) -> None:
    """A text of the size that is looked at, of what a pattern may begin with at every sign: were
    it tried again from each, this would take minutes."""
    for tail in ("", "*", "`", ">", ")"):
        mrkdwn(piece * (8000 // len(piece)) + tail)


KEYS = st.sampled_from(
    [
        *("text", "attachments", "blocks", "elements", "fields", "title", "value"),
        *("title_link", "url", "pretext", "fallback", "footer", "actions", "accessory"),
        *("image_url", "alt_text", "type"),
    ]
)
KINDS = st.sampled_from(
    [
        *("header", "section", "context", "actions", "image", "rich_text", "rich_text_list"),
        *("rich_text_quote", "mrkdwn", "plain_text", "<https://e.org|*x*>", "*b*"),
        *("https://e.org"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(KEYS, VALUES, max_size=6) | VALUES)
def test_any_json_is_a_text_or_a_refusal(payload: object) -> None:
    try:
        text = shortened(text_of(payload))
    except Refusal as refusal:
        assert refusal.code == "empty"
    else:
        assert text.strip()
        assert len(text) <= TEXT_LIMIT


def test_json_that_is_deep_or_wide_is_a_text_or_a_refusal() -> None:
    deep: Any = {"type": "text", "text": "bottom"}
    for _ in range(500):
        deep = {"type": "rich_text_section", "elements": [deep]}
    wide = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 8000}}] * 5000
    assert text_of({"text": "top", "attachments": [{"blocks": [deep, *wide]}]}).startswith("top")
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        msgspec.json.decode(b"[" * 100_000)
