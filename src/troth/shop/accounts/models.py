"""Who may sign in, and where a person is reached. What is personal lies sealed; the credential lies with the keeper."""

from __future__ import annotations

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

from troth.pledge import clock
from troth.pledge.ids import new_id
from troth.pledge.prepared import Prepared
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.classes import Locality as LocalityData
from troth.pledge.vault.fields import SealedField
from troth.pledge.vault.models import Person


class Account(models.Model):
    """A person who registered. `epoch` counts changes of the credential: sessions of an older one are over."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, primary_key=True)
    epoch = models.PositiveIntegerField(default=0)
    confirmed_at = models.DateTimeField(null=True)
    policy_version = models.CharField(max_length=20)
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.person_id)


def contact_id() -> str:
    return new_id("con")


class Contact(models.Model):
    """Name and e-mail. Replaced, never moved: a new address waits, becomes current, and the former is old."""

    WAITING, CURRENT, OLD = "waiting", "current", "old"
    id = models.CharField(primary_key=True, max_length=30, default=contact_id)
    person = models.ForeignKey(Person, on_delete=models.PROTECT)
    state = models.CharField(max_length=8)
    contact = SealedField(personal=ContactData, null=True)  # null: cut, as its person is forgotten
    followed_at = models.DateTimeField(null=True, blank=True)  # somebody came by a link that only its mailbox was sent
    made_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=models.Q(state="current"), name="contact_one_current"),
        ]

    def __str__(self) -> str:
        return self.id


class Claim(models.Model):
    """What a guest bought is an account's from now on. The keyring has the same as a link; nothing was moved."""

    guest = models.OneToOneField(Person, on_delete=models.PROTECT, primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="claims")
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return str(self.guest_id)

    @classmethod
    def persons_of(cls, person_ref: str) -> list[str]:
        """A person, and the guests whom they have claimed."""
        return [person_ref, *(guest for (guest,) in _guests_of(person_ref))]


_guests_of: Prepared[tuple[str]] = Prepared(
    lambda ref: Claim.objects.filter(account=ref).values_list("guest_id"), gaps=1
)


class Session(AbstractBaseSession):
    """One browser that is signed in. `session_key` is the hash of what stands in its cookie: whoever reads this table
    is not signed in by it. Neither the browser's name nor its address is kept (P11)."""

    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, db_constraint=False)
    made_at = models.DateTimeField(default=clock.now)


class Locality(models.Model):
    """The postcode given at registration: it prefills the bill, nothing else."""

    person = models.OneToOneField(Person, on_delete=models.PROTECT, primary_key=True)
    locality = SealedField(personal=LocalityData)

    def __str__(self) -> str:
        return str(self.person_id)
