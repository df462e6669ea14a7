"""Baskets and orders. An order's reference identifies it and never authorises anybody to see it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from troth.pledge import clock, returning
from troth.pledge.ids import new_id
from troth.pledge.prepared import Prepared
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.fields import SealedField
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.catalogue.models import Edition
from troth.shop.money import Money


class Basket(models.Model):
    """What a visitor put aside. The key is in their cookie only; here lies its SHA-256."""

    key_hash = models.CharField(primary_key=True, max_length=64)
    coupon = models.CharField(max_length=40, blank=True)  # the code that was entered
    touched_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.key_hash[:8]


class BasketLine(models.Model):
    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE)
    quantity = models.PositiveSmallIntegerField(default=1)
    renews = models.CharField(max_length=30, blank=True)  # the licence that this renews: it makes no new one

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["basket", "edition", "renews"], name="basket_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__range=(1, 99)), name="basket_quantity"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.edition_id}"


def billing_id() -> str:
    return new_id("bil")


def order_ref() -> str:
    return new_id("ord")


class Billing(models.Model):
    """A billing address. Several orders of a person may use one, without anybody opening it."""

    id = models.CharField(primary_key=True, max_length=30, default=billing_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    billing = SealedField(personal=BillingData, null=True)  # null: cut, as its person is forgotten
    country = models.CharField(max_length=2)  # in clear, for tax
    business = models.BooleanField(default=False)  # it holds a VAT number of that country that passed the check
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Order(models.Model):
    OPEN, HELD, PAID, CANCELLED, EXPIRED, REFUNDED = "open", "held", "paid", "cancelled", "expired", "refunded"
    # See migrations 0002 and 0007. Held: nobody can pay before somebody here has looked at it (shop/fraud).
    RANKS: ClassVar[dict[str, int]] = {OPEN: 0, HELD: 0, CANCELLED: 1, EXPIRED: 1, PAID: 2, REFUNDED: 3}
    ref = models.CharField(primary_key=True, max_length=30, default=order_ref)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT)
    # Of an order that costs nothing nobody asks for an address, or a country.
    billing = models.ForeignKey(Billing, null=True, on_delete=models.PROTECT)
    country = models.CharField(max_length=2, blank=True)
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField()
    coupon = models.CharField(max_length=40, blank=True)  # the code whose discount is in the lines
    state = models.CharField(max_length=10, default=OPEN)
    once = models.CharField(max_length=43, unique=True, null=True)  # from the form: sent twice, it is one order
    viewer = models.CharField(max_length=64, db_index=True)  # SHA-256 of the key in the buyer's basket cookie
    policy_version = models.CharField(max_length=20)
    terms_version = models.CharField(max_length=12, blank=True)  # what the buyer agreed to; "": from before it was kept
    made_at = models.DateTimeField(default=clock.now)
    paid_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(null=True)  # when its address was put right, after a letter came back

    class Meta:
        indexes = [
            models.Index(fields=["person", "-made_at"], name="order_of_person"),
            # The desk's list, whole and by state: the first page of hundreds of thousands.
            models.Index(fields=["-made_at", "ref"], name="order_newest"),
            models.Index(fields=["state", "-made_at", "ref"], name="order_newest_of_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="paid", paid_at__isnull=False) | ~models.Q(state="paid"),
                name="order_paid_when",
            ),
        ]

    def __str__(self) -> str:
        return self.ref

    @classmethod
    def found(cls, ref: str) -> Order | None:
        """The order of this reference, if there is one."""
        return _by_ref.first(ref)

    @property
    def total(self) -> Money:
        return Money(self.total_minor, self.currency)

    @property
    def link_name(self) -> str:
        """What is signed in links to this order: another after its address was put right, so that former ones end."""
        return f"{self.ref} {self.moved_at.timestamp()}" if self.moved_at else self.ref

    def put_on_hold(self) -> bool:
        """From open to held, before any provider hears of it. False if it was no longer open."""
        return Order.objects.filter(pk=self.pk, state=Order.OPEN).update(state=Order.HELD) == 1

    @classmethod
    def end_hold(cls, ref: str, state: str) -> bool:
        """From held to open or cancelled. True for exactly one caller."""
        return cls.objects.filter(pk=ref, state=cls.HELD).update(state=state) == 1

    @classmethod
    def mark_paid(cls, ref: str) -> Order | None:
        """Move to paid. The order for exactly one caller; money that comes after the order lapsed still counts."""
        unpaid = cls.objects.filter(pk=ref, state__in=(cls.OPEN, cls.CANCELLED, cls.EXPIRED))
        return next(iter(returning.update(unpaid, state=cls.PAID, paid_at=clock.now())), None)


_by_ref: Prepared[Order] = Prepared(lambda ref: Order.objects.filter(pk=ref), gaps=1)


class OrderLine(models.Model):
    """What was bought, in the words, at the price and under the tax of that moment.

    `unit_minor` is the price on the shelf, `off_minor` what a coupon takes off the line at that price; what the buyer
    pays for the line is `net_minor` + `tax_minor`.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT)
    name = models.CharField(max_length=210)
    unit_minor = models.PositiveBigIntegerField()
    quantity = models.PositiveSmallIntegerField()
    off_minor = models.PositiveBigIntegerField(default=0)
    net_minor = models.PositiveBigIntegerField()
    tax_minor = models.PositiveBigIntegerField()
    rate = models.PositiveIntegerField()  # hundredths of a percent
    tax_country = models.CharField(max_length=2)  # whose tax it is, or would be
    treatment = models.CharField(max_length=10)  # tax.rules: standard, reverse (charge), outside, exempt, none
    returned_minor = models.PositiveBigIntegerField(default=0)  # asked to go back, or gone back
    renews = models.CharField(max_length=30, blank=True)  # the licence whose updates this line prolongs
    # Why the access that this line gives has ended: "", refunded, disputed (until that ends), reversed.
    ended = models.CharField(max_length=10, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def paid_minor(self) -> int:
        """What the buyer pays for this line in all: never more of it can go back."""
        return self.net_minor + self.tax_minor
