"""The numbers in the promises: what they are, and what another one would do. The web writes no settings."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.guards import open_to
from troth.shop.clauses import BY_ID, numbers, versions
from troth.shop.refusal import Refused


@require_safe
@open_to("officer", "owner")
def view(request: HttpRequest) -> HttpResponse:
    """?name= and ?value= ask what would be; numbers of the shop, nobody's."""
    name, value = request.GET.get("name", ""), request.GET.get("value", "")
    would, fault = None, None
    if name:
        try:
            would = numbers.would(name, value)
        except Refused as no:
            fault = no.sentence
    context = {
        "numbers": numbers.every(), "would": would, "fault": fault, "name": name, "value": value[:20],
        "given_ids": set(BY_ID), "coming": versions.coming(),
    }  # fmt: skip
    return page(request, "policy.html", context, 400 if fault else 200)
