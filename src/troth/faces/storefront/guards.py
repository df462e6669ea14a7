"""What stands around views that ask journeys: a no becomes a sentence, an absent keeper a page that says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from troth.faces.storefront.views import errors
from troth.pledge.vault.door import KeeperAway
from troth.pledge.vault.models import NoBlank

View = Callable[..., HttpResponseBase]


class See(HttpResponseRedirect):
    """303: done, now look there (RFC 9110, section 15.4.4)."""

    status_code = 303


def answers_for_the_keeper(view: View) -> View:
    """Where the keeper is away, or its fresh keys are all taken, say "try again in a minute": nothing was lost."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (KeeperAway, NoBlank):
            return errors.keeper_away(request)

    return guarded


def for_the_signed_in(view: View) -> View:
    """Visitors are asked to sign in first and come back to where they wanted to go."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.who.person_ref is None:  # type: ignore[attr-defined]
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def to_sign_in(request: HttpRequest) -> HttpResponse:
    match = request.resolver_match
    wanted = match.view_name if match and not match.kwargs else "account"
    return See(f"{reverse('sign_in')}?{urlencode({'next': wanted})}")
