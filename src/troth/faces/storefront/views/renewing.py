"""Renew a licence: what it costs, and one button that lays it into the basket. No key and no name is shown."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from troth.faces.storefront.answers import page
from troth.faces.storefront.guards import See
from troth.faces.storefront.signed_in import give_basket, key_hash
from troth.faces.storefront.views import errors
from troth.shop.journeys import prolong
from troth.shop.refusal import Refused


@require_http_methods(["GET", "HEAD", "POST"])
def view(request: HttpRequest, licence: str, mac: str) -> HttpResponse:
    """GET /renew/<licence>/<mac> asks, POST lays it into the basket: 303. 404 for what is not ours or has ended."""
    try:
        one = prolong.offered(licence, mac)
        if request.method == "POST":
            response = See(reverse("basket"))
            prolong.into_basket(key_hash(give_basket(request, response)), licence, mac)
            return response
    except Refused as no:
        return errors.refused(request, str(no.sentence), 404)
    return page(request, "renew.html", {"offer": one, "licence": licence, "mac": mac})
