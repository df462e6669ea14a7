"""Attempts to pay, money given back, disputes, and what the providers told us.

Attempts are never deleted, and their states only move forward: the database refuses a step back (migration 0002).
Sums stand on the payment's row and are changed by statements, never by what somebody read before.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine


def payment_id() -> str:
    return new_id("pay")


def refund_id() -> str:
    return new_id("rfd")


class Payment(models.Model):
    """One attempt to pay an order with one provider. Amount and currency are what we asked for.

    `captured_minor` came in; of that `refunding_minor` is asked to go back and `refunded_minor` has gone back, by us,
    by the owner at the provider's, or taken by a bank; `regained_minor` came in again after a dispute was won.
    """

    NEW, SENT, PENDING, PAID, DECLINED, CANCELLED, REVIEW, REFUNDED, REVERSED, REGAINED = (
        "new", "sent", "pending", "paid", "declined", "cancelled", "review", "refunded", "reversed", "regained",
    )  # fmt: skip
    # Between states of one rank a payment may go back and forth: no money has moved there.
    RANKS: ClassVar[dict[str, int]] = {
        NEW: 0, SENT: 1, PENDING: 2, DECLINED: 2, CANCELLED: 2, REVIEW: 3, PAID: 4, REFUNDED: 5, REVERSED: 5,
        REGAINED: 6,
    }  # fmt: skip
    SETTLED = (PAID, REFUNDED, REVERSED, REGAINED)  # its money has come, whatever became of it since
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
    captured_minor = models.PositiveBigIntegerField(default=0)
    refunding_minor = models.PositiveBigIntegerField(default=0)
    refunded_minor = models.PositiveBigIntegerField(default=0)
    regained_minor = models.PositiveBigIntegerField(default=0)
    received_minor = models.PositiveBigIntegerField(default=0)  # what the account got, in its own currency
    received_currency = models.CharField(max_length=3, blank=True)
    surplus = models.BooleanField(default=False)  # its money came when the order needed none
    looks = models.PositiveIntegerField(default=0)
    made_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # What waits for a person at the desk, among hundreds of thousands.
            models.Index(fields=["state", "made_at"], name="payment_of_state"),
            models.Index(fields=["made_at"], name="payment_surplus", condition=models.Q(surplus=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~models.Q(provider_ref=""), name="payment_provider_once"
            ),
            models.UniqueConstraint(
                fields=["provider", "capture_ref"], condition=~models.Q(capture_ref=""), name="payment_capture_once"
            ),
            models.CheckConstraint(
                condition=models.Q(refunded_minor__lte=models.F("captured_minor")), name="refunded_within_captured"
            ),
            models.CheckConstraint(
                condition=models.Q(regained_minor__lte=models.F("refunded_minor")), name="regained_within_refunded"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def kept_minor(self) -> int:
        """What of its money is still ours and not on its way back."""
        return max(0, self.captured_minor - self.refunded_minor - self.refunding_minor + self.regained_minor)


class Refund(models.Model):
    """Money that goes back, or went: asked for by us, found at the provider's, or taken back by a bank.

    Each has its own key at the provider, so that asking again gives one refund. `failed` may still become `done`:
    the provider has the last word. `amount_minor` is in the payment's currency.
    """

    ASKED, PENDING, DONE, FAILED, REGAINED = "asked", "pending", "done", "failed", "regained"
    RANKS: ClassVar[dict[str, int]] = {ASKED: 0, PENDING: 1, FAILED: 2, DONE: 3, REGAINED: 4}
    OURS, THEIRS, REVERSAL = "ours", "theirs", "reversal"
    id = models.CharField(primary_key=True, max_length=30, default=refund_id)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    provider = models.CharField(max_length=10)
    kind = models.CharField(max_length=10, default=OURS)
    why = models.CharField(max_length=30, blank=True)  # staff, surplus, or the provider's code
    amount_minor = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, default=ASKED)
    session = models.CharField(max_length=100, blank=True)  # Skrill's prepared refund: repeated, it acts once
    provider_ref = models.CharField(max_length=120, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)  # part of the provider's idempotency key
    reason = models.CharField(max_length=60, blank=True)  # the provider's code
    made_at = models.DateTimeField(default=clock.now)
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "provider_ref"], condition=~models.Q(provider_ref=""), name="refund_once"
            ),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="refund_of_something"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.payment.currency)


class RefundLine(models.Model):
    """Which line of the order a refund is for, and how much of it."""

    refund = models.ForeignKey(Refund, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="refunds")
    amount_minor = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["refund", "line"], name="refund_line_once")]

    def __str__(self) -> str:
        return f"{self.refund_id} of line {self.line_id}"


class Dispute(models.Model):
    """A buyer's complaint with the provider about a payment. It holds the access to what was bought until it ends."""

    OPEN, LOST, WON = "open", "lost", "won"
    RANKS: ClassVar[dict[str, int]] = {OPEN: 0, LOST: 1, WON: 2}  # an appeal may still win what was lost
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    provider = models.CharField(max_length=10)
    provider_ref = models.CharField(max_length=60)
    state = models.CharField(max_length=10, default=OPEN)
    amount_minor = models.PositiveBigIntegerField(default=0)
    stage = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    answer_by = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "provider_ref"], name="dispute_once")]

    def __str__(self) -> str:
        return self.provider_ref


class Transfer(models.Model):
    """Money that came to the shop's bank account, as somebody at the desk noted it, with proof: what the bank calls
    the booking, never whose account it came from. One for an order, and one order for a booking."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT)
    reference = models.CharField(max_length=36, unique=True)
    booked_on = models.DateField()
    by = models.CharField(max_length=30)  # the colleague
    noted_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.reference


class Difference(models.Model):
    """Something that the provider's books and ours do not agree about, until a later comparison finds it gone."""

    provider = models.CharField(max_length=10)
    kind = models.CharField(max_length=30)  # one of payments.compare.KINDS
    provider_ref = models.CharField(max_length=100)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.PROTECT)
    ours_minor = models.BigIntegerField(null=True)
    theirs_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    found_at = models.DateTimeField(default=clock.now)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "kind", "provider_ref"], name="difference_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind} {self.provider_ref}"


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
    about = models.CharField(max_length=120, blank=True)  # the provider's name of the refund it tells of
    came_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"
