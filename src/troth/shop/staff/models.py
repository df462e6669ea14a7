"""Who works here and what they took up, as far as lists need it. What they may do stands with the keeper alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.models import Person


class Member(models.Model):
    """A colleague. `handle`: how the others call them at work; they chose it themselves. No role stands here."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, primary_key=True)
    handle = models.CharField(max_length=30)
    joined_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.person_id)


def job_id() -> str:
    return new_id("job")


class Job(models.Model):
    """A job that somebody took on one customer. Whether it still opens anything, the keeper says."""

    # why -> the purpose is the keeper's; these are what lists show, and what the keeper has a hash of
    QUESTION, PAYMENT, DELIVERY, INVOICE, RIGHTS, FOUND, GLASS = (
        "question", "payment", "delivery", "invoice", "rights", "found", "glass",
    )  # fmt: skip
    WHYS: ClassVar[tuple[str, ...]] = (QUESTION, PAYMENT, DELIVERY, INVOICE, RIGHTS)
    id = models.CharField(primary_key=True, max_length=30, default=job_id)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="jobs")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    purpose = models.CharField(max_length=20)
    why = models.CharField(max_length=20)
    about = models.CharField(max_length=30, blank=True)  # the order or ticket it was taken from
    loud = models.BooleanField(default=False)
    role = models.CharField(max_length=20, blank=True)  # in which it opens, by the keeper's word when it was taken
    openings = models.PositiveIntegerField(default=0)  # questions by which its customer was opened
    taken_at = models.DateTimeField(default=clock.now)
    until = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-taken_at"], name="job_of_person"),
            models.Index(fields=["about"], name="job_about"),
            models.Index(fields=["taken_at"], name="job_by_day"),
        ]

    def __str__(self) -> str:
        return self.id
