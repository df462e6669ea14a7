"""Invoices, credit notes, the numbers they have, and the hashes of what was made of them.

The database refuses to alter or delete an issued row, whoever asks (migration 0001). Whoever the buyer is stands in
none of them: an invoice refers to the sealed billing row of its order, which is never altered either.
"""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.models import Person
from troth.shop.money import Money
from troth.shop.orders.models import Billing, Order


def invoice_id() -> str:
    return new_id("inv")


def handover_id() -> str:
    return new_id("han")


class Series(models.Model):
    """The numbers of one kind and year. The row is the queue: who raises it holds it until their transaction ends."""

    name = models.CharField(primary_key=True, max_length=20)  # invoice-2026, credit-2026
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.last}"


class Invoice(models.Model):
    """What a buyer owes, or gets back (a credit note). Sums are positive in both; `kind` is the sign."""

    INVOICE, CREDIT = "invoice", "credit"
    id = models.CharField(primary_key=True, max_length=30, default=invoice_id)
    kind = models.CharField(max_length=10)
    number = models.CharField(max_length=30, unique=True)
    series = models.ForeignKey(Series, on_delete=models.PROTECT)
    sequence = models.PositiveIntegerField()
    cause = models.CharField(max_length=40, unique=True)  # what made it: one event, one invoice
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="invoices")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    billing = models.ForeignKey(Billing, on_delete=models.PROTECT)  # the buyer's data as they were, sealed
    corrects = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="corrections")
    treatment = models.CharField(max_length=10)  # tax.rules
    tax_country = models.CharField(max_length=2)
    rate = models.PositiveIntegerField()  # hundredths of a percent
    currency = models.CharField(max_length=3)
    net_minor = models.PositiveBigIntegerField()
    tax_minor = models.PositiveBigIntegerField()
    snapshot = models.TextField()  # seller and lines as they were: JSON of snapshot.Snapshot
    digest = models.CharField(max_length=64)  # SHA-256 over all of this and the sealed address: snapshot.digest
    issued_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "sequence"], name="invoice_number_once")]
        indexes = [models.Index(fields=["issued_at"], name="invoice_by_day")]

    def __str__(self) -> str:
        return self.number

    @property
    def total(self) -> Money:
        return Money(self.net_minor + self.tax_minor, self.currency)


class Figure(models.Model):
    """A sum of what was invoiced, kept by the statement that issues (figures.py): reports read no invoice.

    `of`: "day" (by day), "tax" (by month, country, treatment and rate) or "product" (by month and product); what a
    figure is not divided by is empty. `papers` and `pieces` of credit notes are counted as positive as their sums.
    """

    DAY, TAX, PRODUCT = "day", "tax", "product"
    of = models.CharField(max_length=8)
    begins = models.DateField()  # the day, or the first of the month (UTC)
    kind = models.CharField(max_length=10)  # as the invoice's
    currency = models.CharField(max_length=3)
    country = models.CharField(max_length=2, blank=True)
    treatment = models.CharField(max_length=10, blank=True)
    rate = models.PositiveIntegerField(default=0)
    product = models.CharField(max_length=60, blank=True)
    papers = models.PositiveBigIntegerField(default=0)
    pieces = models.PositiveBigIntegerField(default=0)
    net_minor = models.PositiveBigIntegerField(default=0)
    tax_minor = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["of", "begins", "kind", "currency", "country", "treatment", "rate", "product"],
                name="figure_once",
            )
        ]
        indexes = [models.Index(fields=["product"], name="figure_of_product", condition=~models.Q(product=""))]

    def __str__(self) -> str:
        return f"{self.of} {self.begins}"


class Print(models.Model):
    """The hash of an invoice's PDF, as one renderer makes it. The same renderer gives these bytes, or nothing."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="prints")
    renderer = models.CharField(max_length=80)  # paper.RENDERER
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "renderer"], name="print_once")]

    def __str__(self) -> str:
        return self.sha256[:12]


class Handover(models.Model):
    """A document on its way from the worker, who may open the address, to one request that waits for it.

    Only that request can read it: `public` is of a key pair whose private half never leaves its memory.
    """

    PDF, PAGE = "pdf", "page"
    id = models.CharField(primary_key=True, max_length=30, default=handover_id)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT)
    form = models.CharField(max_length=4)
    public = models.BinaryField()
    proof = models.BinaryField(default=b"")  # that the request may have it: sealed to the worker (authority.py)
    sealed = models.BinaryField(null=True)  # gone as soon as it was taken
    code = models.CharField(max_length=40, blank=True)  # why there is nothing to take
    asked_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id
