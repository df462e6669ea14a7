"""Whatever changes something must come from our own pages.

The rule is that of Go's net/http CrossOriginProtection: Sec-Fetch-Site decides where a browser sends it; else Origin
must be ours; a request with neither comes from no browser that could be misled into sending it, as all of them have
sent Origin with cross-site POSTs for years. An old Referer is looked at besides. Forms carry Django's token too, all
but "add to basket", whose page is the same for everybody and cached. Exempt: /hooks/, where PayPal and Skrill write
and prove themselves by signature, and /unsubscribe/, where mail programs write (RFC 8058): its address is the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from troth.faces.storefront.views import errors

ELSEWHERE = ("/hooks/", "/unsubscribe/")
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SameOrigin:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in SAFE or request.path_info.startswith(ELSEWHERE) or from_our_pages(request):
            return self.get_response(request)
        return errors.not_from_here(request)


def from_our_pages(request: HttpRequest) -> bool:
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return bool(site == "same-origin")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        return origin in _ours(request)
    referer = request.META.get("HTTP_REFERER")
    if referer is not None:
        parts = urlsplit(referer)
        return f"{parts.scheme}://{parts.netloc}" in _ours(request)
    return True


def _ours(request: HttpRequest) -> tuple[str, ...]:
    """Our public origin; in test mode also the one the request was sent to, as demos run on whatever port is free."""
    public = settings.TROTH.web.public_url.rstrip("/")
    return (public,) if settings.TROTH.live else (public, f"{request.scheme}://{request.get_host()}")
