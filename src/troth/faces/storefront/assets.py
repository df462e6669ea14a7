"""The shop's own stylesheet, drawings, logo and one script, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings

from troth.faces.storefront import look
from troth.tones import ACCENT

KINDS = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
PICTURES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}


@cache
def _assets() -> dict[str, tuple[str, bytes, str]]:
    """Public name → file name, content, media type. Read once a process."""
    files = {path: path.read_bytes() for path in sorted(settings.STATIC_DIR.iterdir()) if path.suffix in KINDS}
    ours = [(path.name, _dressed(path.name, content), KINDS[path.suffix]) for path, content in files.items()]
    logos = [(key, one.content, PICTURES[one.suffix]) for key, one in look.logos().items()]
    return {_public(*one): one for one in (*ours, *logos)}


def _public(name: str, content: bytes, kind: str) -> str:
    stem, _, suffix = name.partition(".")
    suffix = suffix or next(ending for ending, known in PICTURES.items() if known == kind).lstrip(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"


def _dressed(name: str, content: bytes) -> bytes:
    """Ours in the shop's own colour."""
    if name == "troth.css":
        return content + look.styles().encode()
    return content.replace(ACCENT.encode(), look.accent().encode()) if name == "mark.svg" else content


def forget() -> None:
    """Read all anew when next asked: the settings have changed, which only tests do to a process."""
    for kept in (_assets, asset, look.logos):
        kept.cache_clear()


@cache
def asset(name: str) -> str:
    """The address of one of our files: `troth.css` → `/static/troth.<hash>.css`. KeyError if there is none.

    The shop's logo is called `logo`, and `logo_dark` the one for dark pages.
    """
    public = {file: public for public, (file, _, _) in _assets().items()}
    return settings.STATIC_URL + public[name]


def content(public: str) -> tuple[bytes, str] | None:
    """Bytes and media type behind a public name; None for any other name, an outdated one too."""
    found = _assets().get(public)
    return found and (found[1], found[2])
