"""Make a person's rows: keys, contact, account. Inside the caller's transaction, without asking the keeper."""

from __future__ import annotations

from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.classes import Locality as LocalityData
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account, Contact, Locality


def make(name: str, email: str) -> tuple[Person, bytes, Contact]:
    """A person, the secret to enrol them with, and their sealed contact. NoBlank if no keys are in stock."""
    person, secret = Person.take()
    contact = Contact(person=person, state=Contact.CURRENT)
    seal(contact, "contact", ContactData(name, email))
    contact.save(force_insert=True)
    return person, secret, contact


def register(person: Person, postcode: str, policy_version: str) -> None:
    """Give the person an account. The credential follows outside this transaction."""
    Account.objects.create(person=person, policy_version=policy_version)
    if postcode:
        locality = Locality(person=person)
        seal(locality, "locality", LocalityData(postcode))
        locality.save(force_insert=True)
