"""What is kept against fraud: the sealed address, counts of a day under a keyed hash, and holds.

Nothing else reads these tables (P11): mailings, support and reports have no way to them.
"""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.classes import Network
from troth.pledge.vault.fields import SealedField
from troth.pledge.vault.models import Person
from troth.shop.orders.models import Order


def trace_id() -> str:
    return new_id("trc")


class Trace(models.Model):
    """Where an order, or a registration (no order), came from: sealed, opened for fraud and lawful disclosure alone."""

    id = models.CharField(primary_key=True, max_length=30, default=trace_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    order = models.OneToOneField(Order, null=True, on_delete=models.PROTECT, related_name="trace")
    network = SealedField(personal=Network)
    made_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return self.id


class Sighting(models.Model):
    """Something that came from an address, by its name of the day (keyed.py). Good for nothing after that day."""

    ORDERED, REGISTERED, DISPUTED = "ordered", "registered", "disputed"
    caller = models.CharField(max_length=32)
    what = models.CharField(max_length=10)
    order = models.ForeignKey(Order, null=True, on_delete=models.PROTECT, related_name="sightings")
    made_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        indexes = [models.Index(fields=["caller", "made_at"], name="sighting_of_caller")]

    def __str__(self) -> str:
        return self.what


class Hold(models.Model):
    """An order that waits for somebody's look before any provider hears of it; or what became of that."""

    HELD, RELEASED, REFUSED = "held", "released", "refused"
    order = models.OneToOneField(Order, on_delete=models.PROTECT, primary_key=True, related_name="hold")
    state = models.CharField(max_length=10, default=HELD)
    points = models.PositiveSmallIntegerField()
    signs = models.JSONField(default=list)  # codes of shop/fraud/signs.py, which the buyer may read in words
    by = models.CharField(max_length=40, blank=True)  # which colleague ended it; "": nobody did, its time was over
    made_at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "made_at"], name="hold_by_state")]

    def __str__(self) -> str:
        return str(self.order_id)
