"""Public pages are made once and answered from memory for some seconds, before any other middleware runs.

Only pages that are the same for everybody: GET or HEAD, status 200, no cookie set, none read. A kept page is good
while the catalogue's stamp (troth.shop.catalogue.shelf.stamp) is unchanged, and for ten seconds at most. Memory is
bounded by number and by bytes. Validators are strong ETags (RFC 9110, section 8.8.3).
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, TypeGuard

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseNotModified

from troth.shop.catalogue import shelf

FRESH_SECONDS = 10
MOST_PAGES = 256
MOST_BYTES = 32 * 1024 * 1024
LONGEST_KEY = 300
CACHE_CONTROL = "public, max-age=60"
_KNOWN = {"page", "q", "kind"}
_PAGES = frozenset(
    ["/", "/contact", "/terms", "/withdrawal", "/imprint", "/licence", "/sitemap.xml", "/robots.txt", "/feed.atom"]
)


class Kept(NamedTuple):
    body: bytes
    headers: dict[str, str]
    etag: str
    stamp: int
    made: float


class PageCache:
    """The outermost middleware. One store a process."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.pages: OrderedDict[str, Kept] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()
        self.stamp_path = shelf.stamp()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD") or not _public(request.path_info):
            return self.get_response(request)
        request.get_host()  # a host that is not ours gets no page, kept or not
        key = f"{request.path_info}?{request.META.get('QUERY_STRING', '')}"
        stamp = self._stamp()
        kept = self.pages.get(key)
        if kept is None or kept.stamp != stamp or time.monotonic() - kept.made > FRESH_SECONDS:
            response = self.get_response(request)
            if not _same_for_everybody(response):
                return response
            kept = _keep(response, stamp)
            if len(key) <= LONGEST_KEY and request.GET.keys() <= _KNOWN:
                self._store(key, kept)
        return _answer(request, kept)

    def _stamp(self) -> int:
        try:
            return self.stamp_path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _store(self, key: str, kept: Kept) -> None:
        with self.lock:
            former = self.pages.pop(key, None)
            self.bytes += len(kept.body) - (len(former.body) if former else 0)
            self.pages[key] = kept
            while len(self.pages) > MOST_PAGES or self.bytes > MOST_BYTES:
                self.bytes -= len(self.pages.popitem(last=False)[1].body)


def _public(path: str) -> bool:
    return path in _PAGES or path.startswith(("/p/", "/texts/"))


def _same_for_everybody(response: HttpResponseBase) -> TypeGuard[HttpResponse]:
    return (
        isinstance(response, HttpResponse)
        and response.status_code == 200
        and not response.cookies
        and not response.has_header("Vary")
    )


def _keep(response: HttpResponse, stamp: int) -> Kept:
    body = response.content
    headers = dict(response.items())
    headers["Cache-Control"] = CACHE_CONTROL
    headers["Content-Length"] = str(len(body))
    headers["ETag"] = etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Kept(body, headers, etag, stamp, time.monotonic())


def _answer(request: HttpRequest, kept: Kept) -> HttpResponse:
    given = request.META.get("HTTP_IF_NONE_MATCH")
    if given and _matches(given, kept.etag):
        response: HttpResponse = HttpResponseNotModified()
        response.headers["ETag"] = kept.etag
        response.headers["Cache-Control"] = CACHE_CONTROL
        return response
    return HttpResponse(b"" if request.method == "HEAD" else kept.body, headers=kept.headers)


def _matches(given: str, etag: str) -> bool:
    """If-None-Match compares weakly (RFC 9110, section 13.1.2): a proxy may have weakened our tag."""
    return given.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in given.split(","))
