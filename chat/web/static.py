"""The files of the page as they were at the start, under an address that never goes stale."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from tornado.httputil import HTTPHeaders
from tornado.web import GZipContentEncoding, HTTPError

from chat.web.site import Site, Visitor
from chat.wire.protocol import encode

STYLES = (
    "tokens",
    "base",
    "layout",
    "timeline",
    "row",
    "text",
    "reply",
    "actions",
    "reactions",
    "files",
    "composer",
    "stage",
    "header",
    "panels",
    "rooms",
    "dialogs",
    "invitation",
    "print",
)
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class File:
    """One file: its content type, its bytes, and the same packed."""

    kind: str
    plain: bytes
    packed: bytes


class Compressed(GZipContentEncoding):
    """What is compressed on the loop: pages, cheaply, and static files; not history.

    Ten pages of history asked for at once would hold up everybody (measured: 324 ms a ping).
    """

    CONTENT_TYPES = GZipContentEncoding.CONTENT_TYPES - {"application/json"}

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        """A page is made for one person and once: a third of the work for a few bytes more."""
        if headers.get("Content-Type", "").startswith("text/html"):
            self.GZIP_LEVEL = 1
        return super().transform_first_chunk(status_code, headers, chunk, finishing)


class Files:
    """Owns the files of the page: read and packed once, so that no visit costs a disk or a gzip.

    A new version that is copied over the running one is not mixed into its pages.
    """

    def __init__(self, folder: Path, words: dict[str, str]) -> None:
        contents = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*.*"))
            if path.suffix in KINDS
        }
        # Every style sheet as one, so that a first visit asks once.
        contents["css/app.css"] = b"\n".join(contents[f"css/{name}.css"] for name in STYLES)
        contents["words.json"] = encode(words)
        self._files = {
            path: File(KINDS[Path(path).suffix], content, gzip.compress(content, 9, mtime=0))
            for path, content in contents.items()
        }
        # It stands in their address, so a page and its files are always of one version.
        self.build = hashlib.sha256(b"\0".join(contents.values())).hexdigest()[:10]

    def get(self, path: str) -> File | None:
        """The file of this path below the folder."""
        return self._files.get(path)


class StaticPage(Visitor):
    """A file of the page."""

    public = True

    def initialize(self, site: Site, files: Files) -> None:  # type: ignore[override]
        super().initialize(site)
        self._files = files

    def get(self, path: str) -> None:
        file = self._files.get(path)
        if file is None:
            raise HTTPError(404)
        self.set_header("Content-Type", file.kind)
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(file.packed)
        else:
            self.finish(file.plain)

    head = get

    def compute_etag(self) -> None:
        """None: whoever has it need not ask again."""
