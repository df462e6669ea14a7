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


class Version(models.Model):
    """A version of the published policy. In force from `takes_effect_at` on, which is known once everybody was told."""

    name = models.CharField(primary_key=True, max_length=20)  # 2026-11-22-1a2b3c4d
    text = models.JSONField()  # clauses, numbers and purposes, as they were published
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    told_to = models.CharField(max_length=30, blank=True)  # the last contact that a letter was queued for
    told_at = models.DateTimeField(null=True)
    takes_effect_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Confirmation(models.Model):
    """The owner said that people keep their part of a promise. Never altered: a later one stands beside it."""

    clause = models.CharField(max_length=4)
    item = models.CharField(max_length=40)  # "backups", as the clause names it
    confirmed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.clause} {self.item} {self.confirmed_at:%Y-%m-%d}"
