"""StaticPage and StylePage: the files of the page, under an address that never goes stale."""

from __future__ import annotations

from tornado.web import HTTPError, StaticFileHandler

from chat.site import Site, Visitor


class StaticPage(Visitor, StaticFileHandler):
    """The files of the page. Their address holds a hash of them all, so they never go stale."""

    public = True

    def initialize(self, site: Site, path: str) -> None:  # type: ignore[override]
        Visitor.initialize(self, site)
        StaticFileHandler.initialize(self, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        if "\0" in absolute_path:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")


class StylePage(Visitor):
    """Every style sheet as one, so that a first visit asks once."""

    public = True

    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.finish(self.site.css)
