"""Access follows the money: what was paid back or is disputed can no longer be downloaded; a won dispute gives it back.

Worked out anew from refunds and disputes each time, in the transaction that changed them. So it does not matter in
which order the news came.
"""

from __future__ import annotations

from django.db.models import Sum

from troth.pledge.due import loop as due
from troth.shop.coupons import uses
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments.models import Dispute, Payment, Refund, RefundLine
from troth.shop.renewals import dates

REFUNDED, DISPUTED, REVERSED = "refunded", "disputed", "reversed"


def follow(order_ref: str) -> None:
    """Let each line's access, and the order's state, say what refunds and disputes say. Needs a transaction."""
    order = Order.objects.select_for_update().get(pk=order_ref)  # news that come at the same time wait for each other
    payment = order.payments.filter(state__in=Payment.SETTLED, surplus=False).first()
    if payment is None:
        return
    paid = Order.objects.filter(pk=order_ref, state=Order.PAID)
    if payment.state == Payment.REFUNDED and paid.update(state=Order.REFUNDED) == 1:
        uses.refunded(order)
    whole = _of_all_lines(payment)
    back = _paid_back(order)
    lines = list(order.lines.all())
    for line in lines:
        ended = whole or (REFUNDED if 0 < line.paid_minor <= back.get(line.pk, 0) else "")
        if OrderLine.objects.filter(pk=line.pk).exclude(ended=ended).update(ended=ended) and not ended:
            due.add("deliver", order_ref)  # what had rested before it was delivered
    dates.follow_lines(lines)


def _of_all_lines(payment: Payment) -> str:
    """Why no line of the order gives access, or ""."""
    if payment.state == Payment.REFUNDED:
        return REFUNDED
    cases = dict(payment.disputes.values_list("state", "pk"))
    if payment.state == Payment.REVERSED:
        # The access comes back with the verdict; the money may take days.
        return "" if Dispute.WON in cases and not _waiting(cases) else REVERSED
    return DISPUTED if _waiting(cases) else ""


def _waiting(cases: dict[str, int]) -> bool:
    """A dispute that is open or lost: what was lost is taken back soon."""
    return Dispute.OPEN in cases or Dispute.LOST in cases


def _paid_back(order: Order) -> dict[int, int]:
    """What of each line went back, or is on its way with the provider's word for it; in minor units."""
    sure = RefundLine.objects.filter(line__order=order, refund__state__in=(Refund.PENDING, Refund.DONE))
    return dict(sure.values_list("line").annotate(Sum("amount_minor")))
