"""/transparency: how often somebody had a claim under the law to know of customers, and what came of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from troth.faces.storefront.answers import page
from troth.shop.disclosure import counts


@require_safe
def view(request: HttpRequest) -> HttpResponse:
    return page(
        request, "transparency.html", {"rows": counts.table(), "bases": counts.BASES, "outcomes": counts.OUTCOMES}
    )


@require_safe
def as_json(request: HttpRequest) -> JsonResponse:
    """GET /transparency.json: {"schema": "legal-counts/1", "band": 10, "rows": [{"period", "basis", …}]}"""
    return JsonResponse(counts.as_json())


@require_safe
def as_csv(request: HttpRequest) -> HttpResponse:
    """GET /transparency.csv: the same rows, with the names of the columns first."""
    return HttpResponse(counts.as_csv(), content_type="text/csv; charset=utf-8")
