"""Coupons, and the orders that used one. A coupon is nobody's; a use leads to a person through its order alone."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from troth.pledge import clock
from troth.shop.catalogue.models import Product
from troth.shop.orders.models import Order


class Coupon(models.Model):
    """Something off: so many percent, or an amount. What it is for is fixed once it is made; it can be ended."""

    code = models.CharField(primary_key=True, max_length=40)  # as offer.normal writes it
    percent = models.PositiveSmallIntegerField(null=True)
    minor = models.PositiveBigIntegerField(null=True)
    currency = models.CharField(max_length=3)  # of `minor` and `least_minor`
    least_minor = models.PositiveBigIntegerField(default=0)  # what the basket must cost, at the prices on the shelf
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    limit = models.PositiveIntegerField(null=True)  # of uses in all; null: none
    used = models.PositiveIntegerField(default=0)
    once = models.BooleanField(default=False)  # once for each customer, as far as that is known: docs/coupons.md
    again = models.BooleanField(default=False)  # an order that was paid back gives its use back
    products = models.ManyToManyField(Product)  # none: it is for everything
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__range=(1, 100), minor__isnull=True) | Q(percent__isnull=True, minor__gt=0),
                name="coupon_percent_or_amount",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Use(models.Model):
    """An order that took a use. Of a coupon that is for once a customer, each account and browser has one."""

    order = models.OneToOneField(Order, primary_key=True, on_delete=models.PROTECT, related_name="coupon_use")
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="uses")
    once_person = models.CharField(max_length=40, null=True)  # the order's person
    once_viewer = models.CharField(max_length=64, null=True)  # the order's viewer
    taken_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["coupon", "once_person"], name="coupon_once_a_person"),
            models.UniqueConstraint(fields=["coupon", "once_viewer"], name="coupon_once_a_browser"),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} by {self.order_id}"
