"""What makes an app of the page on a device: its manifest, and the worker that takes shares."""

from __future__ import annotations

from typing import Any

from chat.web.site import Site, Visitor
from chat.web.static import Files
from chat.wire.protocol import encode

PAPER = "#f5f4ef"  # behind the page while it starts


class ManifestPage(Visitor):
    """What a device is to know of an app. All addresses count from this one."""

    public = True

    def get(self) -> None:
        self.set_header("Content-Type", "application/manifest+json")
        self.finish(encode(manifest(self.site)))


class WorkerPage(Visitor):
    """The page's service worker, at an address that stays and above all that it serves."""

    public = True

    def initialize(self, site: Site, files: Files) -> None:  # type: ignore[override]
        super().initialize(site)
        self._files = files

    def get(self) -> None:
        file = self._files.get("sw.js")
        assert file is not None
        self.set_header("Content-Type", file.kind)
        self.finish(file.plain)


def manifest(site: Site) -> dict[str, Any]:
    """As https://www.w3.org/TR/appmanifest/ and https://w3c.github.io/web-share-target/ say it."""
    return {
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "name": site.words["app.name"],
        "description": site.words["app.description"],
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [{"src": f"static/{site.build}/icon.svg", "sizes": "any"}],
        "share_target": {
            "action": "share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {
                "title": "title",
                "text": "text",
                "url": "url",
                "files": [{"name": "files", "accept": ["*/*"]}],
            },
        },
    }
