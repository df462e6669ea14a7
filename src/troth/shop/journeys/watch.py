"""Watch payments whose messages do not come, and let go of orders that nobody pays."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.coupons import uses
from troth.shop.journeys.settle import look as ask_provider
from troth.shop.licences import stock
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.payments.polling import pause


def look(payment_id: str, claim: due.Claim) -> None:
    """One look; then the next is due after a growing pause, until the money's state is final or the order lapsed.

    Made due anew by news of refunds or disputes, a settled payment is looked at as well: until one look succeeds.
    """
    payment = Payment.objects.get(pk=payment_id)
    outcome = ask_provider(payment)
    payment.refresh_from_db()
    age = clock.now() - payment.made_at
    over = age > timedelta(hours=settings.TROTH.policy.abandon_hours) and payment.state != Payment.PENDING
    if payment.state in (*Payment.SETTLED, Payment.REVIEW):
        if outcome in ("down", "refused"):
            raise due.Again(outcome, min(3600, 30 * claim.attempts), waits=True)
        if outcome == "refund-pending":  # begun at the provider's: nobody else asks how it ends
            raise due.Again(outcome, 3600, waits=True)
        return
    if over:
        return
    raise due.Again(
        outcome, pause(payment.provider, age, claim.attempts), waits=True
    )  # bank transfers take longer than we try


def abandon(order_ref: str, claim: due.Claim) -> None:
    """An order that nobody paid in `abandon_hours` lapses. Money that comes later still counts."""
    order = Order.objects.get(pk=order_ref)
    if order.state != Order.OPEN:
        return
    for payment in order.payments.exclude(state__in=Payment.SETTLED):
        ask_provider(payment)
    if order.payments.filter(state__in=(Payment.PENDING, Payment.REVIEW)).exists():
        raise due.Again("payment pending", 3600, waits=True)
    with transaction.atomic():
        if Order.objects.filter(pk=order_ref, state=Order.OPEN).update(state=Order.EXPIRED) == 1:
            stock.give_back(order_ref)
            uses.give_back(order_ref)
