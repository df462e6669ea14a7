"""The persons of the shop, as the main database knows them: a reference and public keys, nothing to read."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import SHAPE


class NoBlank(Exception):
    """The stock of blanks is empty: the keeper has been away for long. Try again shortly."""


class Person(models.Model):
    """Somebody's keys. A blank (taken_at is null) is nobody's yet; the worker keeps some in stock."""

    ref = models.CharField(primary_key=True, max_length=30)  # per_…
    key_set = models.BinaryField()  # public keys by class, signed by the keeper
    enrol_secret = models.BinaryField(null=True)  # wiped in taking: a copy of this table enrols nobody who bought
    made_at = models.DateTimeField(default=clock.now)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["made_at"], name="vault_blank", condition=models.Q(taken_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.ref if SHAPE.match(self.ref) else "person"

    @classmethod
    def take(cls) -> tuple[Person, bytes]:
        """Make a blank somebody's: exactly one caller gets each. Its secret is then with the caller alone.

        Part of the caller's transaction: a rollback gives the blank back. NoBlank if none is left.
        """
        while True:
            blank = cls.objects.filter(taken_at__isnull=True).order_by("made_at").first()
            if blank is None:
                raise NoBlank
            secret, taken = bytes(blank.enrol_secret or b""), clock.now()
            if cls.objects.filter(pk=blank.pk, taken_at__isnull=True).update(taken_at=taken, enrol_secret=None) == 1:
                blank.taken_at, blank.enrol_secret = taken, None
                return blank, secret


class Seen(models.Model):
    """The most that the main side has seen of the keeper: a keeper that has less was put back from an older copy."""

    ledger_size = models.PositiveBigIntegerField(default=0)
    checkpoint = models.TextField(blank=True)  # the signed note of that size
    trouble = models.TextField(blank=True)  # why the keeper opens nothing, in a sentence
    incidents = models.JSONField(default=dict)  # what happened in the keeper -> how often, not yet acknowledged
    erased = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.ledger_size} leaves, {self.erased} erasures"


class LedgerEvent(models.Model):
    """An everyday event for the ledger, nothing about a person; `seq` is its number there once the keeper has it."""

    event_id = models.CharField(primary_key=True, max_length=80)
    event = models.JSONField()
    seq = models.PositiveBigIntegerField(null=True)
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.event_id


class Rotation(models.Model):
    """How far the rotation of a key got, for whoever waits for it. The keyring knows by itself where to go on."""

    what = models.CharField(
        primary_key=True, max_length=30
    )  # root, wrapping, lookup, person, … or a person's reference
    cursor = models.CharField(max_length=30, blank=True)  # the last contact that was handed in, or the last person
    rests_until = models.DateTimeField(null=True)  # persons' former keys still open, for who was about to write
    done = models.PositiveBigIntegerField(default=0)
    left = models.PositiveBigIntegerField(default=1)  # 0: it has ended
    begun_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.what}: {self.done} done, {self.left} left"
