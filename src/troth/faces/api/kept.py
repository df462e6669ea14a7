"""Composer's lists, made once for each set of licences and answered from memory, before any other middleware runs.

Whose they are is asked of the database at each request (one query a key): a key that was replaced, revoked or paid back
is refused at once. What is kept is good for exactly what the database says of exactly these licences, this state of the
catalogue, and today. Where a key is unknown, or somebody is guessing, everything goes its ordinary way.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from troth.faces.api import composer
from troth.pledge import clock
from troth.shop.catalogue import shelf
from troth.shop.licences import secret, standing

MOST = 2048  # answers
LONGEST = 64 * 1024  # bytes of one
ABOUT_THE_BODY = ("Content-Type", "Content-Length")
PATHS = ("/composer/packages.json", "/composer/p2/", "/composer/providers/")


class Kept(NamedTuple):
    body: bytes
    headers: dict[str, str]


class KeptLists:
    """One store a process, bounded by number and by bytes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.answers: OrderedDict[Hashable, Kept] = OrderedDict()
        self.lock = threading.Lock()
        self.stamp_path = shelf.stamp()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PATHS) or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        about = self._about(request)
        kept = self.answers.get(about) if about is not None else None
        if kept is None:
            response = self.get_response(request)
            if about is None or not isinstance(response, HttpResponse) or response.status_code != 200:
                return response
            kept = self._keep(about, response)
        return _answer(request, kept)

    def _about(self, request: HttpRequest) -> Hashable | None:
        """What an answer depends on; None for who gets no kept one."""
        request.get_host()  # a host that is not ours gets nothing
        names = _found_by(request.META.get("HTTP_AUTHORIZATION", ""))
        if not names or not settings.TROTH.composer.vendor or composer.wrong_keys.busy():
            return None
        said = tuple(standing.facts(name) for name in names)
        if None in said:
            return None
        return request.path_info, said, self._stamp(), _today()

    def _stamp(self) -> int:
        try:
            return self.stamp_path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def _keep(self, about: Hashable, response: HttpResponse) -> Kept:
        kept = Kept(response.content, dict(response.items()))
        if len(kept.body) <= LONGEST:
            with self.lock:
                self.answers[about] = kept
                while len(self.answers) > MOST:
                    self.answers.popitem(last=False)
        return kept


@lru_cache(maxsize=512)
def _found_by(authorization: str) -> tuple[str, ...]:
    """What the keys of a login are found by."""
    return tuple(secret.look_up(key) for key in composer.keys_of(authorization))


def _today() -> date:
    return clock.now().date()


def _answer(request: HttpRequest, kept: Kept) -> HttpResponse:
    if composer.unchanged(request, kept.headers["ETag"], kept.headers.get("Last-Modified")):
        told = {name: value for name, value in kept.headers.items() if name not in ABOUT_THE_BODY}
        return HttpResponse(status=304, headers=told)
    return HttpResponse(b"" if request.method == "HEAD" else kept.body, headers=kept.headers)
