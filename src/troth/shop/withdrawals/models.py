"""Withdrawals from a purchase, and the waivers that end the right to one. Neither says who: the order does."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.orders.models import Order


def withdrawal_id() -> str:
    return new_id("wdr")


class Waiver(models.Model):
    """A buyer asked for delivery at once, and knew what that ends. The words are kept as they were shown."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True, related_name="waiver")
    words = models.TextField()
    given_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.order_id)


class Withdrawal(models.Model):
    """One order's withdrawal. asked: a letter asks the mailbox on file. declared: done, for good. lapsed: no answer.

    What it came to: refund (the money goes back by itself), owner (the right was over, and why; the shop decides).
    """

    ASKED, DECLARED, LAPSED = "asked", "declared", "lapsed"
    REFUND, OWNER = "refund", "owner"

    id = models.CharField(primary_key=True, max_length=30, default=withdrawal_id)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="withdrawals")
    state = models.CharField(max_length=8, default=ASKED)
    outcome = models.CharField(max_length=6, blank=True)
    reason = models.CharField(max_length=9, blank=True)  # rules.py: why the money does not go back by itself
    asked_at = models.DateTimeField(default=clock.now)  # the declaration counts from here
    declared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state__in=("asked", "declared")), name="withdrawal_once"
            ),
        ]

    def __str__(self) -> str:
        return self.id
