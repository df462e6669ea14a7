"""The shop's own stylesheet, drawings and one script, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import cache

from django.conf import settings

KINDS = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}


@cache
def _assets() -> dict[str, tuple[str, bytes, str]]:
    """Public name → file name, content, media type. Read once a process."""
    found = {}
    for path in sorted(settings.STATIC_DIR.iterdir()):
        if path.suffix in KINDS:
            content = path.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            found[f"{path.stem}.{digest}{path.suffix}"] = (path.name, content, KINDS[path.suffix])
    return found


@cache
def asset(name: str) -> str:
    """The address of one of our files: `troth.css` → `/static/troth.<hash>.css`. KeyError if there is none."""
    public = {file: public for public, (file, _, _) in _assets().items()}
    return settings.STATIC_URL + public[name]


def content(public: str) -> tuple[bytes, str] | None:
    """Bytes and media type behind a public name; None for any other name, an outdated one too."""
    found = _assets().get(public)
    return found and (found[1], found[2])
