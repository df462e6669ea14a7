"""Licences prolonged by paid lines, and what was written before their updates ended."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.licences.models import Licence
from troth.shop.orders.models import OrderLine


def reminder_id() -> str:
    return new_id("rem")


class Renewal(models.Model):
    """A paid line that prolongs a licence, for as long as the line stands."""

    line = models.OneToOneField(OrderLine, primary_key=True, on_delete=models.PROTECT, related_name="renewal")
    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="renewals")
    months = models.PositiveSmallIntegerField()  # as it was sold
    paid_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.licence_id} by {self.line_id}"


class Reminder(models.Model):
    """One letter, so many days before an end: each end of each licence or service has each letter once."""

    id = models.CharField(primary_key=True, max_length=30, default=reminder_id)
    about = models.CharField(max_length=30)  # the licence or service
    until = models.DateField()
    days = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["about", "until", "days"], name="reminder_once")]

    def __str__(self) -> str:
        return f"{self.days} days before {self.until}"
