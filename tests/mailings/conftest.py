"""People who may be written to, and a mailing to them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from django.conf import settings

from tests.campaign import FULL
from tests.house import House
from troth.pledge import clock
from troth.pledge.rights.models import Consent
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.journeys import mail_out, mailing
from troth.shop.mailings import consent
from troth.shop.mailings.models import Mailing
from troth.shop.mailings.segments import Segment

TEXT = "There is a **new** guide. [Look at it](https://fernhill.example/p/field-guide).\n\n- short\n- good"
Reader = Callable[..., Contact]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What a large mailing costs says nothing as a sample: it is measured in full or not at all."""
    large = [] if FULL else [item for item in items if item.path.name == "test_numbers.py"]
    config.hook.pytest_deselected(items=large)
    items[:] = [item for item in items if item not in large]


@pytest.fixture(autouse=True)
def rested() -> None:
    """No mail domain has had letters this minute."""
    mail_out._domains.clear()


@pytest.fixture
def reader(house: House) -> Reader:
    """Makes somebody who allowed news and followed a link to their mailbox; the keeper knows of it."""

    def make(email: str, name: str = "Alice") -> Contact:
        house.stock(1)
        person, _ = Person.take()
        contact = Contact(person=person, state=Contact.CURRENT, followed_at=clock.now())
        seal(contact, "contact", ContactData(name, email))
        contact.save(force_insert=True)
        consent.say([person.ref], Consent.GIVEN, "account", words=consent.YES)
        with house.as_worker() as door:
            door.allow("marketing", contact.contact, anew=True)
        Consent.objects.filter(person=person).update(carried_at=clock.now())
        return Contact.objects.get(pk=contact.pk)

    return make


def composed(title: str = "News from Fernhill", segment: Segment | None = None) -> Mailing:
    return mailing.compose(title, TEXT, segment or Segment())


def states(made: Mailing) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in made.recipients.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


@contextmanager
def policy(**more: Any):
    before = settings.TROTH
    settings.TROTH = msgspec.structs.replace(before, policy=msgspec.structs.replace(before.policy, **more))
    try:
        yield
    finally:
        settings.TROTH = before


@contextmanager
def mail(**more: Any):
    before = settings.TROTH
    settings.TROTH = msgspec.structs.replace(before, mail=msgspec.structs.replace(before.mail, **more))
    try:
        yield
    finally:
        settings.TROTH = before
