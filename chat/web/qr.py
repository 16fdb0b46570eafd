"""CodePage: a link as a picture to scan."""

from __future__ import annotations

import io
import re

import segno

from chat.rules.pace import LOOK
from chat.web.site import Visitor
from chat.wire.codes import Refusal


class CodePage(Visitor):
    """A link as a QR code (SVG), for the phone on the table."""

    def get(self) -> None:
        self._draw(self.get_query_argument("link", ""))

    def post(self) -> None:
        """The same of one that lets somebody in: addresses end up in the logs of proxies."""
        self._draw(self.get_body_argument("link", ""))

    def _draw(self, link: str) -> None:
        self.pay(LOOK)
        if not re.fullmatch(r"https?://[!-~]{1,500}", link):
            raise Refusal("bad_page")
        picture = io.BytesIO()
        segno.make_qr(link).save(picture, kind="svg", border=4, light="#fff", omitsize=True)
        self.set_header("Content-Type", "image/svg+xml")
        self.finish(picture.getvalue())
