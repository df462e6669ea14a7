"""Money by the word of somebody here: back for a line or a part of it, and in by bank transfer. Each wants the second
factor of just now."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_orders import RefundForm, TransferForm
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.order_acts import done, found
from troth.faces.storefront.guards import See
from troth.shop.delivery.models import Grant
from troth.shop.journeys import licence
from troth.shop.journeys import refund as refunds
from troth.shop.journeys import transfer as transfers
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments.models import Payment
from troth.shop.refusal import Refused

CASHIERS = ("billing", "owner")


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(*CASHIERS, fresh=True)
def refund(request: HttpRequest, ref: str) -> HttpResponse:
    """What is left of each line, what ends with it, and the form that gives it back."""
    order = found(ref)
    lines = list(order.lines.order_by("pk"))
    payment = order.payments.filter(state__in=Payment.SETTLED, surplus=False).first()
    gone = payment.refunded_minor + payment.refunding_minor if payment else 0
    first = next((str(n) for n, line in enumerate(lines, 1) if line.paid_minor > line.returned_minor), "")
    form = RefundForm(request.POST if request.method == "POST" else None, order, lines, {"before": gone, "line": first})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            refunds.ask(order, line=form.number, minor=given["amount"], before=given["before"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_order", args=[order.ref]))
    context = {
        "order": order,
        "form": form,
        "lines": [(line, line.paid_minor - line.returned_minor, ends) for line, ends in _ending(order, lines)],
        "left": Money(payment.kept_minor if payment else 0, order.currency),
    }
    return page(request, "refund.html", context, 400 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@open_to(*CASHIERS, fresh=True)
def transfer(request: HttpRequest, ref: str) -> HttpResponse:
    """A bank transfer came for this order: note it, with the bank's reference as proof."""
    order = found(ref)
    form = TransferForm(request.POST if request.method == "POST" else None, order)
    if request.method == "POST" and form.is_valid():
        given, by = form.cleaned_data, request.desk.told.colleague.ref  # type: ignore[attr-defined]
        came = Money(given["came"], order.currency)
        try:
            transfers.note(order, given["reference"], given["booked_on"], came, by)
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("desk_order", args=[order.ref]))
    context = {"order": order, "form": form, "may": transfers.may_come(order)}
    return page(request, "transfer.html", context, 400 if request.method == "POST" else 200)


@require_POST
@open_to(*CASHIERS, fresh=True)
def gave(request: HttpRequest, ref: str) -> HttpResponse:
    """What was paid by transfer has been paid back at the bank."""
    order = found(ref)
    return done(request, order, lambda: refunds.gave_by_hand(request.POST.get("refund", "")[:30]))


def _ending(order: Order, lines: list[OrderLine]) -> list[tuple[OrderLine, list[str]]]:
    """With each line, what of it ends when all of its price has gone back: downloads and licences."""
    ends: dict[int, list[str]] = {}
    for grant in Grant.objects.filter(line__order=order).select_related("product").order_by("pk"):
        ends.setdefault(grant.line_id, []).append(grant.product.name)
    for one in licence.every(order.ref):
        if one.revoked_at is None:
            ends.setdefault(one.line_id, []).append(one.id)
    return [(line, ends.get(line.pk, [])) for line in lines]
