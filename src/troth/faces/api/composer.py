"""The Composer repository at /composer/, for who holds a licence: http-basic, user "licence", password the key.

Several keys may stand in the password with commas between, as Composer keeps one login for a host. Nothing is listed
without a key. Refusals are JSON with a `warning`, which Composer prints. Composer revalidates by date alone, so each
answer has a Last-Modified that stands for its content (see `date_for`), beside its ETag.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from troth.faces.api.callers import Window, caller
from troth.faces.storefront.views import downloads
from troth.shop.journeys import install
from troth.shop.licences.keys import MOST
from troth.shop.refusal import Refused

NAME = re.compile(r"[a-z0-9]([_.-]?[a-z0-9]+)*/[a-z0-9](([_.]|-{1,2})?[a-z0-9]+)*")  # getcomposer.org, "name"
MINE = "private, no-cache"  # a cache of one's own may keep it, and asks before it is used
wrong_keys = Window(30)
YEARS = 20 * 365 * 86400

View = Callable[..., HttpResponseBase]


def keys_of(authorization: str) -> list[str]:
    """The licence keys of an Authorization header; [] without one, or with one that cannot be read (RFC 7617)."""
    scheme, _space, given = authorization.partition(" ")
    if scheme.lower() != "basic" or len(given) > 2 * MOST * install.MOST_KEYS:
        return []
    try:
        user, _colon, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    parts = [part.strip() for part in (password or user).split(",")]
    return [part for part in parts if part][: install.MOST_KEYS]


def _for_licences(view: View) -> View:
    """Let a view have the licences of who asks, as `given`; without one in force say why."""

    @require_safe
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.TROTH.composer.vendor:
            return no(404, _("This shop has no Composer repository."))
        who = caller(request)
        if wait := wrong_keys.full(who):
            answer = no(429, _("Too many questions; try again in a minute."))
            answer.headers["Retry-After"] = str(wait)
            return answer
        keys = keys_of(request.META.get("HTTP_AUTHORIZATION", ""))
        if not keys:
            return _unauthorised(_("Log in with the user name licence and your licence key as password."))
        given = install.access(keys)
        if any(code == "unknown" for code, _sentence in given.troubles):
            wrong_keys.count(who)
        if not given.standings:
            code, sentence = given.troubles[0]
            return _unauthorised(sentence) if code == "unknown" else no(403, sentence)
        request.licences = given  # type: ignore[attr-defined]
        try:
            return view(request, given, *args, **kwargs)
        except Refused as refused:
            return no(403, str(refused.sentence))
        except install.NotHere:
            return no(404)

    return guarded


@_for_licences
def index(request: HttpRequest, given: install.Access) -> HttpResponse:
    """GET /composer/packages.json"""
    return kept(install.index(given))


@_for_licences
def metadata(request: HttpRequest, given: install.Access, package: str) -> HttpResponse:
    """GET /composer/p2/<vendor>/<name>.json, and with ~dev for branches."""
    name = package.removesuffix("~dev")
    _must_be_a_name(name)
    return kept(install.metadata(given, name, dev=name != package))


@_for_licences
def providers(request: HttpRequest, given: install.Access, package: str) -> HttpResponse:
    """GET /composer/providers/<vendor>/<name>.json"""
    _must_be_a_name(package)
    return kept(install.providers(given, package))


@_for_licences
def dist(request: HttpRequest, given: install.Access, package: str, version: str) -> HttpResponseBase:
    """GET /composer/dist/<vendor>/<name>/<version>.zip"""
    _must_be_a_name(package)
    return downloads.send(request, install.archive(given, package, version))


def no(status: int, sentence: str = "") -> HttpResponse:
    """A refusal as Composer prints it."""
    said = {"warning": sentence} if sentence else {}
    return HttpResponse(msgspec.json.encode(said), status=status, content_type="application/json")


def kept(said: dict[str, Any]) -> HttpResponse:
    """An answer that Composer may keep and ask about again."""
    body = msgspec.json.encode(said)
    digest = hashlib.sha256(body).digest()
    headers = {
        "ETag": f'"{digest.hex()[:32]}"',
        "Cache-Control": MINE,
        "Content-Length": str(len(body)),
        "Vary": "Authorization",
    }
    if "warnings" not in said:  # Composer is silent about what has not changed: warnings it shall hear each time
        headers["Last-Modified"] = date_for(digest)
    return HttpResponse(body, content_type="application/json", headers=headers)


def date_for(digest: bytes) -> str:
    """A date in the past that stands for a content. Two contents share one by chance of one in 600 million.

    Composer asks "changed since?" and nothing else. What a licence covers changes without any file changing (another
    key in the login, a renewal), so no true date would do; this one is compared for equality, never for order.
    """
    return http_date(1_000_000_000 + int.from_bytes(digest[:8], "big") % YEARS)


def unchanged(request: HttpRequest, etag: str, date: str | None) -> bool:
    """If-None-Match goes before If-Modified-Since (RFC 9110, section 13.2.2)."""
    tags = request.META.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        return etag in (tag.strip().removeprefix("W/") for tag in tags.split(","))
    return date is not None and bool(request.META.get("HTTP_IF_MODIFIED_SINCE") == date)


def _unauthorised(sentence: str) -> HttpResponse:
    answer = no(401, sentence)
    answer.headers["WWW-Authenticate"] = 'Basic realm="licence key", charset="UTF-8"'
    return answer


def _must_be_a_name(package: str) -> None:
    if len(package) > 200 or not NAME.fullmatch(package):
        raise install.NotHere
