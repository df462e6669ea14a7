"""Who comes without TLS is not served: sent to the same page by https, or refused where they already send something.

TLS ends in this process (`[web] certificate`) or at a proxy that is named as trusted (`[web] trusted_proxies`): only
its word counts, the header X-Forwarded-Proto, which anybody else could write. What looks after this machine from here
(/healthz, /metrics) tells nothing about anybody and is answered without.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase

from troth.config import is_loopback

FROM_HERE = frozenset({"/healthz", "/metrics"})


class Transport:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.public = settings.TROTH.web.public_url.rstrip("/")
        self.own = bool(settings.TROTH.web.certificate)
        self.proxies = settings.TROTH.web.proxies

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if came_by_tls(request, self.own, self.proxies) or _looks_after_us(request):
            return self.get_response(request)
        if request.method in ("GET", "HEAD"):
            there = HttpResponsePermanentRedirect(self.public + request.get_full_path())
            there.status_code = 308
            return there
        sentence = f"This shop is reached by https only: {self.public}\n"
        return HttpResponse(sentence, status=403, content_type="text/plain; charset=utf-8")


def came_by_tls(request: HttpRequest, own: bool, proxies: frozenset[str]) -> bool:
    """Whether the line to the browser is encrypted, as we or a trusted proxy know it."""
    if own:
        return bool(request.META.get("wsgi.url_scheme") == "https")
    told = request.META.get("HTTP_X_FORWARDED_PROTO") == "https"
    return told and request.META.get("REMOTE_ADDR", "") in proxies


def _looks_after_us(request: HttpRequest) -> bool:
    return request.path_info in FROM_HERE and is_loopback(request.META.get("REMOTE_ADDR", ""))
