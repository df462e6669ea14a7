"""Blanks lie in the main database until somebody takes one: enrolling them beforehand must open nobody later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.house import House
from tests.vault.conftest import ALICE
from troth.pledge.keeper import messages
from troth.pledge.vault.door import KeeperRefused
from troth.pledge.vault.models import Person
from troth.shop.accounts import newcomer
from troth.shop.accounts.models import Contact, Locality
from troth.shop.journeys import register, sign_in
from troth.shop.refusal import Refused

PASSWORD = "a password of Mallory's"


@pytest.fixture
def planted(house: House) -> list[messages.Session]:
    """Web was captured for a moment: each blank in stock now has a credential of Mallory's."""
    blanks = Person.objects.filter(taken_at=None).order_by("made_at")
    return [
        house.web.enrol(blank.ref, bytes(blank.enrol_secret), f"m{number}@evil.example", PASSWORD)
        for number, blank in enumerate(blanks)
    ]


def mallory_opens(house: House, planted: list[messages.Session]) -> list[object]:
    """All that can be opened by what was planted: the capabilities themselves, and signing in again."""
    sessions = list(planted)
    for number in range(len(planted)):
        try:
            sessions.append(house.web.sign_in(f"m{number}@evil.example", PASSWORD))
        except KeeperRefused:
            continue
    got: list[object] = []
    for session in sessions:
        for row, column in ((Contact, "contact"), (Locality, "locality")):
            for one in row.objects.filter(person=session.ref):
                try:
                    got += house.web.open(
                        [getattr(one, column)], purpose="account", job="own-data", capability=session.capability
                    )
                except KeeperRefused:
                    continue
    return got


def test_a_guest_who_takes_a_planted_blank_is_opened_by_nobody(house: House, planted: list[messages.Session]) -> None:
    newcomer.make(ALICE.name, ALICE.email)
    assert mallory_opens(house, planted) == []


def test_a_newcomer_who_takes_a_planted_blank_is_opened_by_nobody(
    house: House, planted: list[messages.Session]
) -> None:
    register.register(ALICE.name, ALICE.email, "heron and lantern", "LS1 4AP")
    assert mallory_opens(house, planted) == []
    house.works()
    assert mallory_opens(house, planted) == []


def test_who_took_a_planted_blank_can_still_register_by_the_letter(
    house: House, planted: list[messages.Session]
) -> None:
    register.register(ALICE.name, ALICE.email, "heron and lantern", "LS1 4AP")
    house.works()
    house.works(later=timedelta(minutes=1))
    (mail,) = house.mails
    assert ALICE.email in mail.to[0]
    ticket, secret = mail.text.split("/recover/")[1].split()[0].split("/")
    session = house.web.prove(ticket, secret, "heron and lantern").session
    contact = Contact.objects.get(person=session.ref)
    assert house.web.open([contact.contact], purpose="account", job="own-data", capability=session.capability) == [
        ALICE
    ]
    assert mallory_opens(house, planted) == []
    with pytest.raises(Refused):
        sign_in.sign_in("m0@evil.example", PASSWORD)
