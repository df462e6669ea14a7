"""What the checks found. A verdict expires: after that nobody knows, and the page says so."""

from __future__ import annotations

from django.db import models


class Verdict(models.Model):
    clause = models.CharField(max_length=4)  # P7
    state = models.CharField(max_length=8)  # holds, broken, unknown, gap
    findings = models.JSONField(default=list)  # plain sentences that name places, never persons
    checked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    took_ms = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["clause", "-checked_at"], name="verdict_latest")]

    def __str__(self) -> str:
        return f"{self.clause} {self.state}"


class Confirmation(models.Model):
    """The owner said that people keep their part of a promise. Never altered: a later one stands beside it."""

    clause = models.CharField(max_length=4)
    item = models.CharField(max_length=40)  # "backups", as the clause names it
    confirmed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.clause} {self.item} {self.confirmed_at:%Y-%m-%d}"
