"""Markdown as an HTML part and a text part with the same links. No images, no HTML of the writer's, nothing fetched.

CommonMark by markdown-it-py. Links go where they are written to: no counting detour, no pixel.
"""

from __future__ import annotations

from functools import cache, lru_cache
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.token import Token

from troth.shop.refusal import Refused

LONGEST = 50_000
RULES = ("paragraph", "heading", "list", "blockquote", "hr", "code", "fence", "text", "newline", "escape", "backticks")
INLINE = ("emphasis", "link", "autolink", "balance_pairs", "fragments_join")


def check(text: str) -> None:
    """Refused with one sentence for what a letter of ours does not carry."""
    if not text.strip() or len(text) > LONGEST:
        raise Refused(_("Write a text of at most 50,000 letters."), "text")
    for token in _flat(_parser().parse(text)):
        target = str(token.attrGet("href") or "") if token.type == "link_open" else ""
        if token.type == "link_open" and (urlsplit(target).scheme != "https" or not urlsplit(target).hostname):
            raise Refused(_("Links in a mailing begin with https://; please mend them."), "text")


@lru_cache(maxsize=4)  # each copy of a mailing has the same text
def html(text: str) -> str:
    return str(_parser().render(text))


@lru_cache(maxsize=4)
def plain(text: str) -> str:
    """The text part: as it was written, with the address of each link behind its words."""
    lines: list[str] = []
    marks: list[str] = []
    for token in _parser().parse(text):
        if token.type == "list_item_open":
            marks.append("- " if token.markup in "-*+" else f"{token.info}{token.markup} ")
        elif token.type == "inline":
            lines += [(marks.pop() if marks else "") + _words(token), ""]
        elif token.type in ("fence", "code_block"):
            lines += ["    " + line for line in token.content.rstrip().splitlines()] + [""]
        elif token.type == "hr":
            lines += ["-" * 20, ""]
    return "\n".join(lines).strip() + "\n"


def _words(inline: Token) -> str:
    said, targets = list[str](), list[str]()
    for token in inline.children or ():
        match token.type:
            case "link_open":
                targets.append(str(token.attrGet("href")))
                start = len(said)
            case "link_close":
                target, words = targets.pop(), "".join(said[start:])
                said.append(f" ({target})" if words != target else "")
            case "softbreak" | "hardbreak":
                said.append("\n")
            case _:
                said.append(token.content)
    return "".join(said)


def _flat(tokens: list[Token]) -> list[Token]:
    return [one for token in tokens for one in (token, *(token.children or ()))]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("zero").enable([*RULES, *INLINE])
