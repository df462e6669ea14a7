"""The ledger for everybody: its checkpoint, key and tiles as static files (C2SP tlog-tiles).

Tiles never change, so whoever fetched one may keep it for ever; the checkpoint is asked for anew each time.
"""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.storefront.views.files import FOR_GOOD
from troth.pledge.vault import published, seen

# tile/<level>/<n>[.p/<width>] as tlog-tiles has it: n in groups of three digits, all but the last after an x.
TILE = re.compile(r"(entries|[0-7])/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?")
PLAIN = "text/plain; charset=utf-8"
ASK_AGAIN = "no-cache"


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponse:
    """GET /ledger/checkpoint: the newest signed size and root that is published."""
    try:
        note = (published.folder() / "checkpoint").read_bytes()
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(note, content_type=PLAIN, headers={"Cache-Control": ASK_AGAIN})


@require_safe
def key(request: HttpRequest) -> HttpResponse:
    """GET /ledger/vkey: the public key that signs checkpoints. Compare it with the one in an order's letter."""
    try:
        text = f"{seen.verify_key()}\n"
    except FileNotFoundError:
        raise Http404 from None
    return HttpResponse(text, content_type=PLAIN, headers={"Cache-Control": ASK_AGAIN})


@require_safe
def tile(request: HttpRequest, path: str) -> HttpResponse:
    """GET /ledger/tile/…: hashes, or entries. A partial tile that has become a full one is 404: ask for that."""
    if not TILE.fullmatch(path):
        raise Http404
    try:
        content = (published.folder() / "tile" / path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise Http404 from None
    return HttpResponse(content, content_type="application/octet-stream", headers={"Cache-Control": FOR_GOOD})
