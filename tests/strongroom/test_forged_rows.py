"""Who has the web process has its database login as well: rows are forged so that the worker tells of others."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.faults.shopping import Purchase
from tests.house import SITE, House
from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperRefused
from troth.pledge.vault.fields import Sealed, seal
from troth.shop.accounts.models import Account, Contact, Locality
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Letter
from troth.shop.journeys import confirm, register
from troth.shop.orders.models import Order

PASSWORD = "heron and lantern"
EVIL = "mallory@evil.example"


def link(house: House, to: str) -> list[tuple[str, str]]:
    """Ticket and secret of every link mailed to an address."""
    found = []
    for mail in house.mails:
        if to in mail.to[0]:
            found += re.findall(rf"{SITE}/(?:confirm|recover|erase)/([^/\s]+)/(\S+)", mail.text)
    return found


@pytest.fixture(params=["unconfirmed", "confirmed", "guest"])
def victim(house: House, edition: Edition, request: pytest.FixtureRequest) -> str:
    """Somebody who does not come by any more; their letters have been sent."""
    if request.param == "guest":
        purchase = Purchase(house, edition, "paypal")
        purchase.complete()
        return str(Order.objects.get().person_id)
    register.register("Ada", "ada@b.example", PASSWORD, "LS1 4AP")
    house.works()
    if request.param == "confirmed":
        assert confirm.confirm(*link(house, "ada@b.example")[0])
    return str(Account.objects.get().pk)


def forge_contact(ref: str) -> None:
    """Public keys are public: a contact of the victim's that holds our mailbox."""
    genuine = Contact.objects.select_related("person").get(person=ref, state=Contact.CURRENT)
    Contact.objects.filter(pk=genuine.pk).update(state=Contact.OLD)
    forged = Contact(person=genuine.person, state=Contact.CURRENT)
    seal(forged, "contact", ContactData("Ada", EVIL))
    forged.save(force_insert=True)


def read_with(house: House, links: list[tuple[str, str]], ref: str) -> list[object]:
    """Everything that the mailed links give: each is redeemed, with a password of ours, and what it opens is opened."""
    got: list[object] = []
    for ticket, secret in links:
        try:
            capability = house.web.prove(ticket, secret, "a password of ours").session.capability
        except KeeperRefused:
            continue
        for sealed in several(ref):
            try:
                got += house.web.open(sealed, purpose="account", job="own-data", capability=capability)
            except KeeperRefused:
                continue
    return [value for value in got if getattr(value, "email", "") != EVIL]


def several(ref: str) -> list[list[Sealed]]:
    contacts = [row.contact for row in Contact.objects.filter(person=ref)]
    postcodes = [row.locality for row in Locality.objects.filter(person=ref)]
    return [[*contacts, *postcodes], contacts, *([one, *postcodes] for one in contacts)]


@pytest.mark.parametrize("kind", ["confirm", "deliver", "recover", "erase"])
def test_a_letter_to_a_forged_contact_opens_nobody(house: House, victim: str, kind: str) -> None:
    """The worker is made to write to our mailbox as if it were the victim's; the links in it open nothing of theirs."""
    forge_contact(victim)
    if kind == "deliver":
        for order in Order.objects.filter(person=victim):
            order.contact = Contact.objects.get(person=victim, state=Contact.CURRENT)
            order.save()
            Letter.objects.filter(subject=order.ref).delete()
            due.hasten("deliver", order.ref)
    elif kind == "confirm":
        Letter.objects.filter(kind="confirm", subject=victim).delete()
        due.hasten("confirm", victim)
    elif kind == "recover":  # the victim's address is known to us from elsewhere
        due.add("recover", house.web.recover("ada@b.example"))
    else:
        due.add("erase-ask", house.web.recover("ada@b.example", "erase"))
    house.works()
    house.works(later=timedelta(minutes=1))
    assert read_with(house, link(house, EVIL), victim) == []
