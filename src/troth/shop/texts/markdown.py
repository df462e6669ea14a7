"""Markdown as an owner writes it, to HTML that a strict page can hold: no raw HTML, no pictures, no script in a link.

CommonMark with tables, by markdown-it-py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

LINKS = frozenset({"", "http", "https", "mailto", "tel"})  # schemes; "": a page of our own
_markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])


def _leads_somewhere(url: str) -> bool:
    return urlsplit(url).scheme.lower() in LINKS


_markdown.validateLink = _leads_somewhere  # type: ignore[method-assign]


@lru_cache(maxsize=64)
def html(text: str) -> Markup:
    """The whole text. Its headings begin at h2, since a page has one h1, which is not here."""
    tokens = list(_fitted(_markdown.parse(text)))
    return Markup(_markdown.renderer.render(tokens, _markdown.options, {}))  # noqa: S704 - no raw HTML


def _fitted(tokens: list[Token]) -> Iterator[Token]:
    """A wide table scrolls in a box of its own; a column to the right says so by a class, since style is forbidden."""
    for token in tokens:
        if token.type in ("heading_open", "heading_close") and token.tag == "h1":
            token.tag = "h2"
        if token.type in ("th_open", "td_open"):
            to = token.attrs.pop("style", "")
            token.attrs |= {"class": "sum"} if to == "text-align:right" else {}
        if token.type == "table_open":
            yield Token("box_open", "div", 1, {"class": "table-wrap", "tabindex": "0"}, block=True)
        yield token
        if token.type == "table_close":
            yield Token("box_close", "div", -1, block=True)
