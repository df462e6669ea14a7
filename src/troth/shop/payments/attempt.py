"""An attempt to pay: opened at the provider after the order is written, and found again when an answer was lost."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from troth.pledge import clock, fault
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment
from troth.shop.payments.providers.contract import Ask, ProviderDown, ProviderRefused

# How long the provider's page can be expected to take a buyer: PayPal keeps an order three hours, Skrill a session
# some fifteen minutes (research: payments A3, B1).
PAGE_LIVES = {"paypal": timedelta(hours=2, minutes=45), "skrill": timedelta(minutes=12)}


def new(order: Order, provider: str) -> Payment:
    return Payment.objects.create(
        order=order, provider=provider, amount_minor=order.total_minor, currency=order.currency
    )


def open_page(payment: Payment, item_name: str) -> str:
    """Where to send the buyer, or "" if the provider cannot be reached or refused; the payment's row says which.

    Asked again after a lost answer it sends the same request id, so the provider opens one payment, not two.
    """
    try:
        begun = gateways.provider(payment.provider).begin(_ask(payment, item_name))
    except ProviderDown:
        return ""
    except ProviderRefused as refused:
        fresh = Payment.objects.filter(pk=payment.pk, state=Payment.NEW)
        fresh.update(state=Payment.DECLINED, reason=refused.code[:60])
        return ""
    fault.here("pay.begun")
    values = {"provider_ref": begun.provider_ref, "pay_url": begun.pay_url, "payee": begun.payee}
    Payment.objects.filter(pk=payment.pk, state=Payment.NEW).update(state=Payment.SENT, **values)
    fault.here("pay.noted")
    return begun.pay_url


def still_open(payment: Payment) -> bool:
    """Whether the provider's page can be expected to take the buyer once more."""
    alive = clock.now() - payment.made_at < PAGE_LIVES[payment.provider]
    return payment.state == Payment.SENT and bool(payment.pay_url) and alive


def _ask(payment: Payment, item_name: str) -> Ask:
    site = settings.TROTH.web.public_url.rstrip("/")
    return Ask(
        payment_id=payment.id,
        order_ref=payment.order_id,
        amount=payment.amount,
        item_name=item_name,
        return_url=f"{site}/return/{payment.provider}/{payment.order_id}",
        cancel_url=f"{site}/orders/{payment.order_id}",
        status_url=f"{site}/hooks/{payment.provider}",
        locale=settings.LANGUAGE_CODE,
        request_id=f"create-{payment.id}",
        brand_name=settings.TROTH.shop.name,
    )
