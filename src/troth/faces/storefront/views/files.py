"""Our own stylesheet and drawings, and the pictures of the goods. What is sold is never served from here."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from troth.faces.storefront import assets

FOR_GOOD = "public, max-age=31536000, immutable"
PICTURES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
# A drawing opened by itself may carry its own style and nothing that runs.
DRAWING_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@require_safe
def static(request: HttpRequest, name: str) -> HttpResponse:
    """GET /static/<name>.<hash>.<ext>: an outdated hash is 404, so that no cache mixes two versions."""
    found = assets.content(name)
    if found is None:
        raise Http404
    headers = {"Cache-Control": FOR_GOOD}
    if found[1] == PICTURES[".svg"]:
        headers["Content-Security-Policy"] = DRAWING_POLICY
    return HttpResponse(found[0], content_type=found[1], headers=headers)


@require_safe
def media(request: HttpRequest, file: str) -> HttpResponseBase:
    """GET /media/…: pictures by the name the importer gave them, which has the hash of their content in it."""
    root = Path(settings.MEDIA_ROOT).resolve()
    path = (root / file).resolve() if "\0" not in file else root
    kind = PICTURES.get(path.suffix)
    if kind is None or not path.is_relative_to(root) or not path.is_file():
        raise Http404
    headers = {"Cache-Control": FOR_GOOD, "Content-Security-Policy": DRAWING_POLICY}
    return FileResponse(path.open("rb"), content_type=kind, headers=headers)
