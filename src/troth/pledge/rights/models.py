"""What people ask for about their own data. A row names a person by reference, and says nothing else about them."""

from __future__ import annotations

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.models import Person


def erasure_id() -> str:
    return new_id("era")


class Erasure(models.Model):
    """One person's way to being forgotten. States only move forward; each move is a conditional update.

    asked: a letter asks the mailbox on file. waiting: proved, may still be cancelled, nothing is opened meanwhile.
    going: the keys go now. kept: forgotten but for what a law keeps, until `kept_until`. done: nothing is left.
    """

    ASKED, WAITING, GOING, KEPT, DONE = "asked", "waiting", "going", "kept", "done"
    CANCELLED, LAPSED = "cancelled", "lapsed"
    UNDER_WAY = (ASKED, WAITING, GOING, KEPT, DONE)
    ERASED = (KEPT, DONE)

    BY_PERSON, BY_OWNER, UNCONFIRMED, ABANDONED = "person", "owner", "unconfirmed", "abandoned"
    CLAIMED = "claimed"  # a guest, with the account that claimed them

    id = models.CharField(primary_key=True, max_length=30, default=erasure_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    why = models.CharField(max_length=11, default=BY_PERSON)
    state = models.CharField(max_length=9, default=ASKED)
    ticket = models.CharField(max_length=30, blank=True)  # the keeper's, while it is asked
    asked_at = models.DateTimeField(default=clock.now)
    proved_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # the cancel window ends
    lettered_at = models.DateTimeField(null=True)  # the last letter went, or never can
    ended_at = models.DateTimeField(null=True)  # the keys were gone
    kept_until = models.DateField(null=True)  # the last day on which a law keeps the bills
    backups_end = models.DateField(null=True)  # from then on no backup of the keyring has the keys

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(state__in=("asked", "waiting", "going", "kept", "done")),
                name="erasure_once",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    def move(self, before: str, after: str, **values: object) -> bool:
        """From one state to the next, with these values. True for exactly one caller."""
        if Erasure.objects.filter(pk=self.pk, state=before).update(state=after, **values) != 1:
            return False
        self.state = after
        for name, value in values.items():
            setattr(self, name, value)
        return True


def export_id() -> str:
    return new_id("exp")


class Export(models.Model):
    """One request for all that is held of a person, while it waits for what only the worker may open.

    `public` is of a key pair whose private half never leaves the request's memory; `sealed` opens for it alone.
    """

    id = models.CharField(primary_key=True, max_length=30, default=export_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    public = models.BinaryField()
    proof = models.BinaryField(default=b"")  # the person's capability, sealed to the worker
    sealed = models.BinaryField(null=True)  # gone as soon as it was taken
    code = models.CharField(max_length=40, blank=True)  # why there is nothing to take
    asked_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Wording(models.Model):
    """Words that stood beside a choice, kept once for all who were shown them."""

    hash = models.CharField(primary_key=True, max_length=64)  # SHA-256 over policy version, language and text
    version = models.CharField(max_length=20)  # of the policy
    language = models.CharField(max_length=10)
    text = models.TextField()

    def __str__(self) -> str:
        return self.hash[:12]


class Consent(models.Model):
    """One thing that was said about being written to. Rows are added and never altered; consent.py reads the state.

    told: the words were shown, and nobody objected. given, objected: the person chose. withdrawn: we stopped by
    ourselves, as their mailbox takes no mail. `carried_at`: since when the keeper knows.
    """

    TOLD, GIVEN, OBJECTED, WITHDRAWN = "told", "given", "objected", "withdrawn"
    CHOSEN = (GIVEN, OBJECTED, WITHDRAWN)
    ENDING = (OBJECTED, WITHDRAWN)
    NEWS, RELEASES = "news", "releases"

    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    topic = models.CharField(max_length=8, default=NEWS)
    what = models.CharField(max_length=9)
    place = models.CharField(max_length=12)  # where it was said: checkout, register, account, letter, earlier, ...
    basis = models.CharField(max_length=16)  # [policy] marketing_basis at that moment
    wording = models.ForeignKey(Wording, null=True, on_delete=models.PROTECT)
    said_at = models.DateTimeField(default=clock.now)
    carried_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "topic"], name="consent_of_person"),
            models.Index(fields=["what"], name="consent_to_carry", condition=models.Q(carried_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.topic} {self.what}"
