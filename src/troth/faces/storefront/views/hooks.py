"""Where PayPal and Skrill write to. What they say is verified by the journey, not here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from troth.shop.journeys import hear

LARGEST = 256 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str) -> HttpResponse:
    """POST /hooks/<provider>: an empty answer with the status that makes the provider stop or come again."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
        return HttpResponse(status=413)
    body = _in_pieces(request) if _is_in_pieces(request) else request.body
    if len(body) > LARGEST:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return HttpResponse(status=hear.received(provider, headers, body))


def _is_in_pieces(request: HttpRequest) -> bool:
    """Whether the body came chunked (RFC 9112, 7.1), which Django takes for none, as no length was told."""
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower() and not request.META.get(
        "CONTENT_LENGTH"
    )


def _in_pieces(request: HttpRequest) -> bytes:
    """The server has put the pieces together; one byte beyond the limit tells that there is more."""
    body = b""
    while len(body) <= LARGEST and (piece := request.META["wsgi.input"].read(LARGEST + 1 - len(body))):
        body += piece
    return body
