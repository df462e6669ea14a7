"""Cases: somebody outside wants to know about customers. What is written of a case lies sealed to the case itself.

A case has a person of its own in the keyring, who is nobody: document and statement are sealed to it as messages are,
open in a job on it for who works on disclosures, and end with it. What may be handed over, and to whom, stands in the
scope; the keeper has its hash, and the approvals.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.vault.classes import Enclosure, Words
from troth.pledge.vault.fields import SealedField
from troth.pledge.vault.models import Person


def case_ref() -> str:
    return new_id("dsc")


class Case(models.Model):
    """`asked`: what the document asks for, as {"fields": {class: [name]}, "persons": n, "since": s, "until": s}."""

    OPEN, FILED, HANDED, CLOSED = "open", "filed", "handed", "closed"
    DISCLOSED, REFUSED, WITHDRAWN, NOTHING = "disclosed", "refused", "withdrawn", "nothing-held"
    OUTCOMES: ClassVar[tuple[str, ...]] = (REFUSED, WITHDRAWN, NOTHING)
    ref = models.CharField(primary_key=True, max_length=30, default=case_ref)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="disclosure_case")
    state = models.CharField(max_length=8, default=OPEN)
    basis = models.CharField(max_length=1)
    grounds = models.JSONField(default=list)
    action = models.CharField(max_length=8, blank=True)
    country = models.CharField(max_length=2)
    statement = SealedField(personal=Words, null=True)  # subject: the action's or matter's name; text: the grounds
    issuer = SealedField(personal=Words, null=True)  # subject: the authority; text: where it was called back, found how
    recipient = models.CharField(max_length=100)
    document = models.CharField(max_length=64)  # SHA-256, hexadecimal
    asked = models.JSONField()
    checked = models.JSONField(default=list)
    salt = models.BinaryField()  # of what the ledger has of this case
    scope = models.BinaryField(null=True)  # pledge/disclosure/messages.py: Scope, as the keeper has its hash
    bundle = models.BinaryField(null=True)  # sealed to the recipient
    outcome = models.CharField(max_length=12, blank=True)
    accounts = models.PositiveIntegerField(default=0)  # of which something was handed over
    fields = models.PositiveIntegerField(default=0)  # kinds of fields
    approvals = models.PositiveSmallIntegerField(default=0)
    answer_by = models.DateTimeField(null=True)
    came_at = models.DateTimeField(default=clock.now)
    handed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-came_at"], name="disclosure_newest")]

    def __str__(self) -> str:
        return self.ref

    @property
    def short(self) -> str:
        """Six characters for eyes; nothing is looked up by them."""
        return f"{self.ref[4:7]}-{self.ref[7:10]}".upper()

    def move(self, before: tuple[str, ...], after: str, **values: Any) -> bool:
        """Change the state. False if it was none of `before` any more: somebody was first."""
        values["state"] = after
        moved = Case.objects.filter(pk=self.pk, state__in=before).update(**values) == 1
        if moved:
            for name, value in values.items():
                setattr(self, name, value)
        return moved


class Document(models.Model):
    """The document as it came: its name, its media type and its key are sealed; it lies in pieces."""

    id = models.CharField(primary_key=True, max_length=30)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="documents")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    enclosure = SealedField(personal=Enclosure)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.id


class Sheet(models.Model):
    """A piece of a document (pledge/vault/blobs.py)."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="sheets")
    n = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "n"], name="sheet_once")]

    def __str__(self) -> str:
        return f"{self.document_id} {self.n}"


class Named(models.Model):
    """A customer whom a case is about. `told_at`: when they had our letter about it."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="named")
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="named_once")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.person_id}"


class Bar(models.Model):
    """Somebody forbade to tell the customers, until a date. Another one, by another document, prolongs it: none is ever
    changed, and each has its entry in the ledger."""

    id = models.BigAutoField(primary_key=True)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="bars")
    document = models.CharField(max_length=64)  # SHA-256 of what forbids it
    until = models.DateTimeField()
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "document"], name="bar_by_a_document")]

    def __str__(self) -> str:
        return f"{self.case_id} until {self.until:%Y-%m-%d}"


class OutsideApprover(models.Model):
    """Somebody outside who approves where too few work here, by a key of their own. It counts from three days on."""

    key = models.CharField(primary_key=True, max_length=64)  # Ed25519, hexadecimal
    label = models.CharField(max_length=40)  # their office, such as "notary": no name
    since = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.label
