"""Everything still to be done: one table, ids only. A row is written in the transaction that makes it due."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock


class Due(models.Model):
    """One thing to do. (kind, subject) is unique: saying it twice makes it due once."""

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)  # an id of ours; never a personal value
    run_after = models.DateTimeField(default=clock.now)
    every = models.PositiveIntegerField(default=0)  # seconds; 0 = once
    attempts = models.PositiveIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)  # raised by each claim: who holds an older one is too late
    lease_until = models.DateTimeField(null=True)
    last_code = models.CharField(max_length=60, blank=True)
    made_at = models.DateTimeField(default=clock.now)
    gave_up_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject"], name="due_once")]
        indexes = [models.Index(fields=["run_after"], name="due_next", condition=models.Q(gave_up_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
