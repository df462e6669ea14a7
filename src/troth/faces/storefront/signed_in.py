"""Who is asking, as far as a page needs it: a person's reference, never a name.

The session holds the reference and the epoch of the credential at sign-in; an account whose epoch has moved on (new
password, "sign out everywhere") makes older sessions nobody's. The capability, which lets the keeper open the
person's own data, lies in an HttpOnly cookie of its own and in no table. Nothing is read before it is asked for, so
that pages for everybody touch neither session nor cookie.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from django.urls import reverse

if TYPE_CHECKING:
    from troth.shop.accounts import session

CAPABILITY_COOKIE = "troth_cap"
DEVICE_COOKIE = "troth_device"  # sent to the page for signing in alone
BASKET_COOKIE = "troth_basket"
ORDER_COOKIE = "troth_order"
TICKET_COOKIE = "troth_ticket"
DEVICE_AGE = 400 * 86400  # seconds: the longest that browsers keep a cookie
_KEY = re.compile(r"[A-Za-z0-9_-]{43}")  # 32 random bytes


class Who:
    """The person behind a request; `person_ref` is None for a visitor."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def person_ref(self) -> str | None:
        stored = self._request.session
        ref, epoch = stored.get("person"), stored.get("epoch")
        if ref is None:
            return None
        if stored.epoch_now != epoch:  # type: ignore[attr-defined]  # it is a SessionStore of ours
            stored.flush()
            return None
        return str(ref)

    @cached_property
    def capability(self) -> str:
        """What the keeper wants to see before it opens this person's own data; "" if the cookie is gone."""
        return self._request.COOKIES.get(CAPABILITY_COOKIE, "") if self.person_ref else ""

    @cached_property
    def basket_key(self) -> str:
        """The key in the visitor's basket cookie, "" if there is none of our making. Look up its hash."""
        key = self._request.COOKIES.get(BASKET_COOKIE, "")
        return key if _KEY.fullmatch(key) else ""

    @property
    def basket_hash(self) -> str:
        return key_hash(self.basket_key) if self.basket_key else ""


class SignedIn:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.who = Who(request)  # type: ignore[attr-defined]
        return self.get_response(request)


def key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def enter(request: HttpRequest, response: HttpResponse, signed: session.SignedIn) -> None:
    """Start a session: a fresh key and token, so that nothing planted before the sign-in lives on."""
    request.session.flush()
    request.session["person"] = signed.person_ref
    request.session["epoch"] = request.session.epoch_now = signed.epoch  # type: ignore[attr-defined]
    rotate_token(request)
    _set(response, CAPABILITY_COOKIE, signed.capability, settings.SESSION_COOKIE_AGE)
    if signed.device:
        _set(response, DEVICE_COOKIE, signed.device, DEVICE_AGE, reverse("sign_in"))


def leave(request: HttpRequest, response: HttpResponse) -> None:
    request.session.flush()
    response.delete_cookie(CAPABILITY_COOKIE, samesite="Lax")


def give_basket(request: HttpRequest, response: HttpResponse) -> str:
    """The visitor's basket key; a new one is put into a cookie."""
    key: str = request.who.basket_key  # type: ignore[attr-defined]
    if not key:
        key = secrets.token_urlsafe(32)
    _set(response, BASKET_COOKIE, key, settings.SESSION_COOKIE_AGE)
    return key


def give_order(response: HttpResponse, path: str, value: str) -> None:
    """Let this browser see one order: a cookie that is sent to that order's own address only."""
    _set(response, ORDER_COOKIE, value, settings.SESSION_COOKIE_AGE, path)


def give_ticket(response: HttpResponse, path: str, value: str) -> None:
    """The same for one conversation."""
    _set(response, TICKET_COOKIE, value, settings.SESSION_COOKIE_AGE, path)


def _set(response: HttpResponse, name: str, value: str, age: int, path: str = "/") -> None:
    response.set_cookie(
        name, value, max_age=age, path=path, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )
