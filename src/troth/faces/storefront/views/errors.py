"""When something is wrong: one clear sentence, in the shop's own design, and nothing of what was typed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from troth.faces.storefront.answers import page


def _error(request: HttpRequest, status: int, heading: str, *sentences: str) -> HttpResponse:
    return page(request, "error.html", {"status": status, "heading": heading, "sentences": sentences}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 400, _("That request makes no sense to us"), _("Please go back and try it another way."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        403,
        _("This page is not open to you"),
        _("If it is about your own order, please follow the link in our letter, or sign in."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(request, 404, _("There is no such page"), _("It may have moved, or the link is not complete."))


def no_such_order(request: HttpRequest) -> HttpResponse:
    """For an order that does not exist and for one that this browser may not see: the same answer, headers and all."""
    answer = _error(
        request,
        404,
        _("No order to show here"),
        _("If it is yours, please follow the link in our letter, or sign in with the account you ordered with."),
    )
    patch_vary_headers(answer, ("Cookie",))  # only where there is an order is it asked whose session this is
    return answer


def broken(request: HttpRequest) -> HttpResponse:
    return _error(
        request,
        500,
        _("Something broke on our side"),
        _("It is noted, without anything you typed. Nothing has been charged twice; please try again shortly."),
    )


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _error(
        request,
        403,
        _("The form has grown old"),
        _("Please go back, reload the page and send it again. The shop needs its own cookie for that."),
    )


def not_from_here(request: HttpRequest) -> HttpResponse:
    return _error(
        request,
        403,
        _("That did not come from our own pages"),
        _("Another site seems to have sent it in your name, so we did nothing. Please use the form on our page."),
    )


def refused(request: HttpRequest, sentence: str, status: int = 400) -> HttpResponse:
    """Something was asked that cannot be done; `sentence` says why."""
    return _error(request, status, _("That does not work"), sentence)


def keeper_away(request: HttpRequest) -> HttpResponse:
    response = _error(
        request,
        503,
        _("One moment, please"),
        _("The part of the shop that guards personal data is starting. Nothing is lost: try again in a minute."),
    )
    response.headers["Retry-After"] = "60"
    return response


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """`wait`: seconds after which it is of use to try again."""
    again = ngettext("Please try again in a second.", "Please try again in %(count)d seconds.", wait)
    return _error(
        request,
        429,
        _("That was a little too often"),
        _("Many requests came from where you are, in a short time. Nothing was done with this one."),
        again % {"count": wait},
    )
