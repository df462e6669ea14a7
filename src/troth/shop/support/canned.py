"""Answers that are given often: Markdown files in the shop's folder, `answers/*.md`, the first line their title.

They are shown as the plain text they are, for a colleague to change before it is sent. Nothing personal belongs there.
"""

from __future__ import annotations

import msgspec
from django.conf import settings

MOST, LONGEST = 100, 20_000


class Canned(msgspec.Struct, frozen=True):
    name: str
    title: str
    text: str


def answers() -> list[Canned]:
    """All of them, by title. A file that is no UTF-8 text is passed over."""
    found = []
    for path in sorted((settings.TROTH.home / "answers").glob("*.md"))[:MOST]:
        try:
            title, _, text = path.read_text("utf-8")[:LONGEST].strip().partition("\n")
        except (OSError, UnicodeDecodeError):
            continue
        found.append(Canned(path.stem, title.lstrip("# ").strip() or path.stem, text.strip()))
    return sorted(found, key=lambda one: one.title.lower())
