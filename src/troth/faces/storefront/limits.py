"""Who knocks too often is asked to wait, at each door of the shop by itself: 429, Retry-After, and a sentence.

Counts stand in memory under a keyed hash of the address (api/callers.py), in windows of a minute: nobody is shut out
for longer, and no plain address is kept. Each web process counts for itself. Doors of programs (/api/, /composer/)
count keys besides. Pages answered from memory (pagecache.py) cost nothing and are not counted.

Nobody is locked out of their account by others: the keeper's delays are by account (docs/threats.md), and a browser
that signed in here before is counted by itself, beside all others behind its address.

In test mode, whoever comes from this machine itself may order, register and look as often as they like: rehearsals
and measurements are many customers from one address. Guessing is counted there as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from troth.faces.api.callers import Window, caller, is_here
from troth.faces.storefront.signed_in import DEVICE_COOKIE
from troth.faces.storefront.views import errors

UNCOUNTED = ("/healthz", "/metrics", "/static/", "/media/", "/hooks/")  # hooks prove themselves; a flood costs a row
PROGRAMS = ("/api/", "/composer/")


class Door(msgspec.Struct, frozen=True):
    """`guessing`: what is tried there could be somebody's secret or mailbox."""

    name: str
    window: Window
    guessing: bool = False


LOOKING = Door("pages", Window(1200))
PROGRAM = Door("programs", Window(1200))
CHANGING = Door("forms", Window(300))
SIGN_IN = Door("sign-in", Window(40), guessing=True)
DESK = Door("desk", Window(40), guessing=True)
LETTERS = Door("letters", Window(20), guessing=True)  # forms that have a letter sent to whom somebody names
REGISTER = Door("register", Window(20))
CHECKOUT = Door("checkout", Window(30))
COUPON = Door("coupon", Window(40), guessing=True)
CONTACT = Door("contact", Window(60, 600))
KNOWN_BROWSERS = Door("sign-in", Window(10), guessing=True)  # each by its cookie
BEHIND = Door("sign-in", Window(400), guessing=True)  # all of them behind one address
DOORS = (
    LOOKING,
    PROGRAM,
    CHANGING,
    SIGN_IN,
    DESK,
    LETTERS,
    REGISTER,
    CHECKOUT,
    COUPON,
    CONTACT,
    KNOWN_BROWSERS,
    BEHIND,
)

BY_PATH = {
    "/sign-in": SIGN_IN, "/sign-in/passkey": SIGN_IN, "/account/password": SIGN_IN, "/account/email": SIGN_IN,
    "/desk/sign-in": DESK, "/desk/second-factor": DESK, "/desk/again": DESK,
    "/recover": LETTERS, "/erase": LETTERS, "/withdraw": LETTERS,
    "/register": REGISTER, "/checkout": CHECKOUT, "/contact": CONTACT, "/basket": CHANGING,
}  # fmt: skip
BY_END = {"/pay": CHECKOUT, "/ask": CONTACT}


class Limits:
    """The middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        wait = wanted(request)
        return too_many(request, wait) if wait else self.get_response(request)


def wanted(request: HttpRequest, at: Door | None = None) -> int:
    """Count this request at its door, or at one that a view names. 0, or the seconds that its sender has to wait."""
    rules = settings.TROTH
    if request.path_info.startswith(UNCOUNTED) or rules.fraud.limits == "off":
        return 0
    door = at or door_of(request)
    if not door.guessing and is_here(request) and not rules.live:
        return 0
    who = caller(request)
    if door is SIGN_IN and (device := request.COOKIES.get(DEVICE_COOKIE)):
        return BEHIND.window.count(who) or KNOWN_BROWSERS.window.count(device[:200])
    return door.window.count(who)


def door_of(request: HttpRequest) -> Door:
    """At which door a request knocks."""
    path = request.path_info
    if path.startswith(PROGRAMS):
        return PROGRAM
    if request.method in ("GET", "HEAD"):
        return LOOKING
    return BY_PATH.get(path) or BY_END.get(path[path.rfind("/") :], CHANGING)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """The answer, in the language of who asks: a page, or JSON for programs."""
    if request.path_info.startswith(PROGRAMS):
        said = {"valid": False, "code": "too-many", "sentence": _("Too many questions; ask again in a minute.")}
        response = HttpResponse(msgspec.json.encode(said), status=429, content_type="application/json")
    else:
        response = errors.too_many(request, wait)
    response.headers["Retry-After"] = str(wait)
    response._has_been_logged = True  # type: ignore[attr-defined] # Django would write a line for each: a flood of them
    return response
