"""/account/browsers: where somebody is signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page
from troth.faces.storefront.guards import See, for_the_signed_in
from troth.faces.storefront.sessions import stored
from troth.faces.storefront.signed_in import leave
from troth.shop.journeys import browsers

ID = 40  # characters


@require_http_methods(["GET", "HEAD", "POST"])
@for_the_signed_in
def mine(request: HttpRequest) -> HttpResponse:
    """The list. POST ends one, `browser`, or without it all others. One that is gone already is no fault."""
    person = request.who.person_ref  # type: ignore[attr-defined]
    here = stored(str(request.session.session_key))
    if request.method != "POST":
        return page(request, "account_browsers.html", {"browsers": browsers.of(person, here)})
    which = request.POST.get("browser", "")
    if which == here:
        response = See(reverse("shelf"))
        leave(request, response)
        return response
    if not which:
        browsers.end_others(person, here)
    elif which.isascii() and which.isalnum() and len(which) == ID:
        browsers.end(person, which)
    return See(reverse("account_browsers"))
