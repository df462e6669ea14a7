"""Who may see a page of the desk. Every page says so itself, or urls.py refuses it and the shop does not start.

    @open_to("support", "billing")      one of these roles, now, by the keeper's word
    @open_to()                          whoever sits here, also while waiting to be attested
    @open_to("owner", fresh=True)       and a second factor within the last five minutes
    @in_job("support")                  and a job of theirs that is open: the view gets it instead of its id
    @for_comers                         no seat needed: the way in

A page that opens nothing may still be guarded by a role; a page that opens a customer is in_job, and the keeper asks
for the job again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from troth.faces.desk import seat as seats
from troth.faces.desk.answers import word
from troth.faces.storefront.guards import See
from troth.faces.storefront.views import errors
from troth.pledge.office.policy import ROLES
from troth.pledge.vault.door import KeeperAway
from troth.shop.refusal import Refused

View = Callable[..., HttpResponseBase]


class OpenTo(msgspec.Struct, frozen=True):
    """What stands on a view: `roles`, one of which is needed (none: a seat is enough); None: no seat is needed."""

    roles: frozenset[str] | None
    fresh: bool = False
    job: bool = False


def open_to(*roles: str, fresh: bool = False) -> Callable[[View], View]:
    unknown = set(roles) - set(ROLES)
    if unknown:
        raise ValueError(f"no such role: {sorted(unknown)}")

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return _answered(request, lambda: _seated(request, view, frozenset(roles), fresh, args, kwargs))

        guarded.open_to = OpenTo(frozenset(roles), fresh)  # type: ignore[attr-defined]
        return guarded

    return guard


def in_job(*roles: str) -> Callable[[View], View]:
    """The view is given the open job itself (office.Job) as `job`. Closed, over, or somebody else's: refused.

    Without roles whoever has one, as whoever broke the glass may: what a job opens, the keeper decides by its role.
    """

    def guard(view: View) -> View:
        def with_job(request: HttpRequest, job: str, **kwargs: Any) -> HttpResponseBase:
            found = request.desk.job(job)  # type: ignore[attr-defined]
            return over(request) if found is None else view(request, job=found, **kwargs)

        guarded = open_to(*(roles or ROLES))(wraps(view)(with_job))
        guarded.open_to = OpenTo(frozenset(roles or ROLES), job=True)  # type: ignore[attr-defined]
        return guarded

    return guard


def for_comers(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _answered(request, lambda: view(request, *args, **kwargs))

    guarded.open_to = OpenTo(None)  # type: ignore[attr-defined]
    return guarded


def over(request: HttpRequest) -> HttpResponse:
    """One answer for a job that is closed, over, another's, or none."""
    sentence = _("It is closed, over, or not yours. Take it up again if there is still something to do.")
    return word(request, _("This job is not open"), sentence, status=403, href=reverse("desk"), label=_("To my jobs"))


def to_sign_in() -> HttpResponse:
    return See(reverse("desk_sign_in"))


def to_second_factor(request: HttpRequest) -> HttpResponse:
    """Type a code, and come back to the page: one without an action in it, as what was sent is not kept."""
    back = request.get_full_path() if request.method == "GET" else reverse("desk")
    return See(f"{reverse('desk_again')}?{urlencode({'next': back})}")


def _seated(
    request: HttpRequest, view: View, roles: frozenset[str], fresh: bool, args: Any, kwargs: Any
) -> HttpResponseBase:
    seat = seats.of(request)
    if seat is None:
        return to_sign_in()
    request.desk = seat  # type: ignore[attr-defined]
    if roles and not roles & seat.roles:
        sentence = _("Your role does not include this page. If your work needs it, ask the owner.")
        return word(request, _("Not for your role"), sentence, status=403, href=reverse("desk"), label=_("To my jobs"))
    if fresh and not seat.told.fresh:
        return to_second_factor(request)
    return view(request, *args, **kwargs)


def _answered(request: HttpRequest, view: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return view()
    except KeeperAway:
        return errors.keeper_away(request)
    except Refused as no:
        code, sentence = getattr(no, "code", ""), str(no.sentence)
    if code == "capability":
        return to_sign_in()
    if code == "fresh":
        return to_second_factor(request)
    return word(request, _("That does not work"), sentence, status=400, href=reverse("desk"), label=_("To my jobs"))
