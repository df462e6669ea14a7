"""Orders: pseudonyms, states and sums. Nothing on these pages opens anybody, so they need a role and no job."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms import SearchForm, TakeForm
from troth.faces.desk.forms_of_orders import DayForm, ExtendForm
from troth.faces.desk.guards import open_to
from troth.pledge.ids import SHAPE
from troth.shop.delivery.models import Grant
from troth.shop.journeys import extend, look_up, timeline, transfer, waiting
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, Refund
from troth.shop.staff.short import code

READERS = ("support", "billing", "officer", "owner")


@require_safe
@open_to(*READERS)
def listing(request: HttpRequest) -> HttpResponse:
    shown, form = request.GET.get("state", ""), DayForm(request.GET)
    day = form.cleaned_data["day"] if form.is_valid() else None
    found, more = look_up.orders(shown, day, look_up.Mark.read(request.GET.get("before", "")))
    last = found[-1] if more else None
    context = {
        "orders": [(order, code(order.person_id)) for order in found],
        "shown": shown if shown in look_up.SHOWN else "",
        "states": list(look_up.SHOWN),
        "day": form["day"],
        "on": day.isoformat() if day else "",
        "older": str(look_up.Mark(last.made_at, last.ref)) if last else "",
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
    waits = list(waiting.to_owner(order))
    return {
        "order": order,
        "customer": code(order.person_id),
        "lines": list(order.lines.order_by("pk")),
        "payments": payments,
        "waits": waits,
        "events": timeline.of(order, payments),
        "downloads": _downloads(order),
        "by_hand": _by_hand(payments),
        "may": _may(order, payments, seat.roles),
        "job": seat.job_on(order.person_id),
        "take": TakeForm(initial={"order": order.ref, "hours": "8", "why": _why(waits)}),
    }


def _downloads(order: Order) -> list[tuple[Grant, ExtendForm]]:
    rows = Grant.objects.filter(line__order=order, line__ended="").select_related("product").order_by("pk")
    return [(one, ExtendForm(initial={"grant": one.id, "before": extend.seen(one)})) for one in rows]


def _by_hand(payments: list[Payment]) -> list[Refund]:
    """Refunds that somebody pays at the bank, and has not said so."""
    came = [one for one in payments if one.provider == gateways.TRANSFER]
    rows = Refund.objects.filter(payment__in=came, state=Refund.ASKED).select_related("payment") if came else []
    return list(rows)


def _may(order: Order, payments: list[Payment], roles: frozenset[str]) -> dict[str, bool]:
    """Which of the order's actions these roles have, as things stand. Each verb looks again by itself."""
    helps, bills = bool({"support", "billing"} & roles), bool({"billing", "owner"} & roles)
    open_still, paid = order.state == Order.OPEN, order.state == Order.PAID
    return {
        "letter": helps and paid,
        "extend": "support" in roles and paid,
        "cancel": helps and open_still,
        "ask": helps and any(one.provider != gateways.TRANSFER for one in payments),
        "refund": bills and any(one.kept_minor and not one.surplus for one in payments),
        "transfer": bills and transfer.may_come(order),
        "gave": bills,
    }


def _why(waits: list[waiting.Told]) -> str:
    """What a job from here is most likely about."""
    return next((one.about for one in waits if one.about), "question")
