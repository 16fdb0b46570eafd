"""Labels: what a device is called in the list of a person's devices, by what its browser says."""

from __future__ import annotations

import re

# The first that is found: a browser also names those that it wants to be taken for.
_BROWSERS = {
    r"Edg(e|A|iOS)?/": "Edge",
    r"OPR/|Opera": "Opera",
    r"SamsungBrowser/": "Samsung Internet",
    r"Vivaldi/": "Vivaldi",
    r"Firefox/|FxiOS/": "Firefox",
    r"Chrome/|CriOS/|Chromium/": "Chrome",
    r"Safari/": "Safari",
}
_SYSTEMS = {
    r"iPhone": "iPhone",
    r"iPad": "iPad",
    r"Android": "Android",
    r"CrOS": "ChromeOS",
    r"Windows": "Windows",
    r"Macintosh|Mac OS X": "Mac",
    r"Linux|X11": "Linux",
}
UNKNOWN = "A browser"


def label_of(agent: str) -> str:
    """Such as "Firefox on Linux". Nothing of what was sent is in it, so it cannot lie in words."""
    browser, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    return f"{browser or UNKNOWN} on {system}" if system else browser or UNKNOWN


def _first(names: dict[str, str], agent: str) -> str:
    return next((name for found, name in names.items() if re.search(found, agent[:500])), "")
