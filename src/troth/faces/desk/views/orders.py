"""Orders: pseudonyms, states and sums. Nothing on these pages opens anybody, so they need a role and no job."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms import SearchForm, TakeForm
from troth.faces.desk.guards import open_to
from troth.pledge.ids import SHAPE
from troth.shop.journeys import look_up, timeline, waiting
from troth.shop.orders.models import Order
from troth.shop.staff.short import code

READERS = ("support", "billing", "officer", "owner")


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    shown = request.GET.get("state", "")
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked) < 10_000 else 1
    found, more = look_up.orders(shown, number)
    context = {
        "orders": [(order, code(order.person_id)) for order in found],
        "shown": shown if shown in look_up.SHOWN else "",
        "states": list(look_up.SHOWN),
        "number": number,
        "more": more,
        "search": SearchForm(),
    }
    return page(request, "orders.html", context)


@require_safe
@open_to(*READERS)
def view(request: HttpRequest, ref: str) -> HttpResponse:
    order = Order.found(ref) if SHAPE.match(ref) else None
    if order is None:
        raise Http404
    return page(request, "order.html", told(request, order))


def told(request: HttpRequest, order: Order) -> dict[str, Any]:
    """What the page of an order says."""
    payments = list(order.payments.order_by("made_at"))
    seat = request.desk  # type: ignore[attr-defined]
    return {
        "order": order,
        "customer": code(order.person_id),
        "lines": list(order.lines.order_by("pk")),
        "payments": payments,
        "waits": waiting.to_owner(order),
        "events": timeline.of(order, payments),
        "job": seat.job_on(order.person_id),
        "take": TakeForm(initial={"order": order.ref, "hours": "8"}),
    }
