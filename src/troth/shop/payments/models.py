"""Attempts to pay, and what the providers told us. Attempts are never deleted; their states only move forward."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.money import Money
from troth.shop.orders.models import Order


def payment_id() -> str:
    return new_id("pay")


class Payment(models.Model):
    """One attempt to pay an order with one provider. Amount and currency are what we asked for."""

    NEW, SENT, PENDING, PAID, DECLINED, CANCELLED, REVIEW = (
        "new", "sent", "pending", "paid", "declined", "cancelled", "review",
    )  # fmt: skip
    id = models.CharField(primary_key=True, max_length=30, default=payment_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    provider = models.CharField(max_length=10)
    provider_ref = models.CharField(max_length=100, blank=True)  # PayPal's order id, Skrill's session id
    capture_ref = models.CharField(max_length=100, blank=True)  # where the money is: capture id, mb_transaction_id
    pay_url = models.URLField(max_length=600, blank=True)
    payee = models.CharField(max_length=127, blank=True)  # the shop's own account, as the provider named it
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, default=NEW)
    reason = models.CharField(max_length=60, blank=True)  # the provider's code
    attempt = models.PositiveSmallIntegerField(default=1)  # part of the provider's idempotency keys
    payer_country = models.CharField(max_length=2, blank=True)
    looks = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~models.Q(provider_ref=""), name="payment_provider_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "capture_ref"], condition=~models.Q(capture_ref=""), name="payment_capture_once"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


class ProviderEvent(models.Model):
    """A message of a provider, cut down to declared fields. Unique, so that the fiftieth copy changes nothing."""

    provider = models.CharField(max_length=10)
    event_id = models.CharField(max_length=80)
    kind = models.CharField(max_length=60)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT)
    verified = models.BooleanField()
    times = models.PositiveBigIntegerField(default=1)  # forged messages are counted by code and day, not kept
    kept = models.JSONField(default=dict)
    outcome = models.CharField(max_length=60, blank=True)
    came_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"
