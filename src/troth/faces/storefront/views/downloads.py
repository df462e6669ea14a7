"""What was bought, in one piece or in ranges (RFC 9110, section 14)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from troth.faces.storefront.views import errors
from troth.shop.journeys import download
from troth.shop.refusal import Refused

CHUNK = 256 * 1024


@require_safe
def fetch(request: HttpRequest, grant: str, release: int) -> HttpResponseBase:
    """GET /download/<grant>/<release>?s=<signature>. Needs no cookie: the signature authorises, and it ends."""
    try:
        piece = _piece(request, grant, release)
    except Refused as no:
        return errors.refused(request, str(no.sentence), 403)
    return send(request, piece)


def send(request: HttpRequest, piece: download.Piece) -> HttpResponseBase:
    """Answer with a piece of a file, read as it is sent: memory stays flat whatever its size."""
    if piece.status == 416:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{piece.size}"})
    length = piece.end - piece.start + 1
    response = StreamingHttpResponse(
        _read(piece.path, piece.start, length) if request.method == "GET" else [], status=piece.status
    )
    headers = response.headers
    headers["Content-Type"] = "application/zip" if piece.name.endswith(".zip") else "application/octet-stream"
    headers["Content-Length"] = str(length)
    headers["Content-Disposition"] = content_disposition_header(True, piece.name) or "attachment"
    headers["Accept-Ranges"] = "bytes"
    headers["ETag"] = f'"{piece.sha256}"'
    headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(piece.sha256)).decode()}:"  # RFC 9530
    headers["Cache-Control"] = "private, no-transform"
    if piece.status == 206:
        headers["Content-Range"] = f"bytes {piece.start}-{piece.end}/{piece.size}"
    return response


def _piece(request: HttpRequest, grant: str, release: int) -> download.Piece:
    """What to send. With If-Range of another version the range is passed over (RFC 9110, section 13.1.5)."""
    signature = request.GET.get("s", "")
    piece = download.fetch(grant, release, signature, request.META.get("HTTP_RANGE", ""))
    wanted = request.META.get("HTTP_IF_RANGE")
    if wanted is None or piece.status == 200 or wanted == f'"{piece.sha256}"':
        return piece
    return download.fetch(grant, release, signature, "")  # counted once: a download that has begun is open for a while


def _read(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0:
            part = file.read(min(CHUNK, length))
            if not part:
                return  # the file was cut under us: the client sees fewer bytes than announced and asks again
            length -= len(part)
            yield part
