"""Somebody whose name and address lie sealed in a row."""

from __future__ import annotations

import pytest

from tests.house import House
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact

ALICE = ContactData("Alice Heronsgate", "alice@heronsgate.example")
PLAIN = "plain Heronsgate"


def sealed_for(data: ContactData = ALICE, state: str = Contact.CURRENT) -> Contact:
    """A contact of a new person, sealed and saved."""
    person, _ = Person.take()
    row = Contact(person=person, state=state)
    seal(row, "contact", data)
    row.save(force_insert=True)
    return row


@pytest.fixture
def alice(house: House) -> Contact:
    """Alice's contact as the database gives it back."""
    return Contact.objects.get(pk=sealed_for().pk)
