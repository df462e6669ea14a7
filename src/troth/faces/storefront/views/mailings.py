"""What we may write: chosen in the account, or by the link in a letter, which needs no sign-in and no cookie."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page, word
from troth.faces.storefront.guards import See, for_the_signed_in
from troth.faces.storefront.views import errors
from troth.pledge.rights.models import Consent
from troth.shop.journeys import choose
from troth.shop.mailings import consent

form_page = require_http_methods(["GET", "HEAD", "POST"])
ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # RFC 8058, section 3.1


@form_page
@for_the_signed_in
def own(request: HttpRequest) -> HttpResponse:
    """/account/mails: what we may write to who is signed in."""
    person = request.who.person_ref  # type: ignore[attr-defined]
    if request.method == "POST":
        _choose(request, person, "account")
        return See(request.path)
    return page(request, "mails.html", _context(person) | {"account": True})


@csrf_exempt  # the address itself is what authorises, and mail programs post to it without any cookie (RFC 8058)
@form_page
def by_letter(request: HttpRequest, ref: str, key: str) -> HttpResponse:
    """/unsubscribe/…: GET changes nothing, since mail programs look at links by themselves; a POST does, at once."""
    person = choose.found(ref, key)
    if person is None:
        return errors.not_found(request)
    if request.method != "POST":
        return page(request, "mails.html", _context(person) | {"account": False})
    if all(request.POST.get(name) == value for name, value in ONE_CLICK.items()):
        _stop(person, "releases" if request.GET.get("topic") == "releases" else "news", "one-click")
        return word(request, _("Stopped"), _("No further letter of this kind leaves for you."), section="")
    _choose(request, person, "letter")
    return See(request.path)


def _choose(request: HttpRequest, person: str, place: str) -> None:
    """What the form says; what stays as it is, is not said again."""
    everything = "stop" in request.POST
    for topic, act in ((Consent.NEWS, choose.news), (Consent.RELEASES, choose.releases)):
        yes, stands = topic in request.POST and not everything, consent.standing(person, topic)
        if yes != _allowed(stands, topic) or (everything and stands.what != Consent.OBJECTED):
            act(person, yes, place)


def _stop(person: str, topic: str, place: str) -> None:
    act = choose.releases if topic == Consent.RELEASES else choose.news
    if consent.standing(person, topic).what != Consent.OBJECTED:
        act(person, False, place)


def _allowed(stands: consent.Standing, topic: str) -> bool:
    """A service goes out until it is turned off; news only where somebody may be told."""
    return stands.what not in Consent.ENDING if topic == Consent.RELEASES else stands.may


def _context(person: str) -> dict[str, Any]:
    news, releases = consent.standing(person), consent.standing(person, Consent.RELEASES)
    return {
        "news": news,
        "news_allowed": news.may,
        "releases_allowed": _allowed(releases, Consent.RELEASES),
        "earlier": news.what == Consent.OBJECTED and news.place == "earlier",
    }
