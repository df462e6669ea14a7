"""What a paid line of a service gives: months to be helped in, hours of work, or both."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.shop.orders.models import OrderLine


def entitlement_id() -> str:
    return new_id("ent")


class Entitlement(models.Model):
    """Months and hours of one line, for as long as the line stands: whether it has ended is said by the line alone."""

    id = models.CharField(primary_key=True, max_length=30, default=entitlement_id)
    line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="entitlement")
    begins = models.DateField()
    until = models.DateField(null=True)  # the last day; null: it has no months, its hours wait until they are used
    minutes = models.PositiveIntegerField(default=0)  # of work, as it was sold; 0: it has no hours
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(used__lte=F("minutes")), name="entitlement_within_hours")]

    def __str__(self) -> str:
        return self.id

    @property
    def left(self) -> int:
        """Minutes."""
        return self.minutes - self.used


class Work(models.Model):
    """Time that was spent, and a few words on what for. They stand in clear, so they name nobody."""

    entitlement = models.ForeignKey(Entitlement, on_delete=models.PROTECT, related_name="works")
    minutes = models.PositiveIntegerField()
    what = models.CharField(max_length=80, blank=True)
    done_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(minutes__gt=0), name="work_of_some_time")]

    def __str__(self) -> str:
        return f"{self.minutes} of {self.entitlement_id}"
