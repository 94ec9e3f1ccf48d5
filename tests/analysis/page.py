"""What a browser, and JupyterLab, make of HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import unquote

KEPT_TAGS = {
    "b", "br", "caption", "code", "details", "div", "img", "pre", "progress", "small", "span", "summary", "table",
    "tbody", "td", "th", "thead", "tr",
}  # fmt: skip
"""The tags that are used here and that JupyterLab leaves to the outputs of others (its `sanitizer.ts`); no SVG."""
KEPT_STYLES = {
    "background", "border", "border-bottom", "border-collapse", "border-left", "caption-side", "color", "display",
    "font-size", "font-weight", "height", "line-height", "margin", "margin-bottom", "max-width", "overflow-x",
    "padding", "table-layout", "text-align", "vertical-align", "white-space", "width",
}  # fmt: skip
"""Likewise of the styles."""
VOID_TAGS = {"br", "img"}


class Page(HTMLParser):
    """Collects text, tags, attributes and styles, and checks that every tag is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.styles: set[str] = set()
        self.sources: list[str] = []
        self.labels: list[str] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = {name: value or "" for name, value in attrs}
        self.attributes |= found.keys()
        self.styles |= {one.split(":")[0].strip() for one in found.get("style", "").split(";") if one}
        if tag == "img":
            self.sources.append(found["src"])
            self.labels.append(found["alt"])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID_TAGS:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"|{data}"
        if self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def picture(html: str) -> str:
    """Return the SVG of the only image in it."""
    (source,) = Page(html).sources
    prefix = "data:image/svg+xml,"
    assert source.startswith(prefix)
    assert re.fullmatch(r"[!-~]+", source), "neither spaces nor letters beyond ASCII stand in an address"
    return unquote(source[len(prefix) :])
