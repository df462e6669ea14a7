"""A small shop in which things have happened, and its keeper behind real sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.attacks.keeping import Kept, exactly, kept
from tests.faults.shopping import Purchase
from tests.house import SITE, House
from tests.processes.conftest import database
from troth.pledge.keeper import messages
from troth.pledge.keeper.keeper import Keeper
from troth.pledge.policy.probe import sealed_columns
from troth.pledge.vault.door import Door
from troth.pledge.vault.fields import Sealed
from troth.shop.accounts.models import Account, Contact
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import change_email, confirm, erase, register, sign_in
from troth.shop.orders.models import Order

__all__ = ["database"]
PASSWORD = "heron and lantern"


@pytest.fixture
def town(house: House, edition: Edition) -> House:
    """Somebody registered; somebody moved to another address; two bought, one of whom was forgotten but for tax."""
    settings.TROTH.home.mkdir(exist_ok=True)
    house.stock(6)
    register.register("Ada", "ada@b.example", PASSWORD, "LS1 4AP")
    ben = register.register("Ben", "ben@b.example", PASSWORD, "10115")
    change_email.ask(ben.person_ref, ben.capability, PASSWORD, "benjamin@b.example")
    house.works()
    confirm.confirm(*re.findall(rf"{SITE}/confirm/(\S+)/(\S+)", house.mails[-1].text)[0])
    ben = sign_in.sign_in("benjamin@b.example", PASSWORD)
    change_email.ask(ben.person_ref, ben.capability, PASSWORD, "third@b.example")
    for _ in range(2):
        Purchase(house, edition, "paypal").complete()
    policy = msgspec.structs.replace(settings.TROTH.policy, erase_window=0)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, policy=policy)
    erase.begin(erase.opened(Order.objects.order_by("made_at").first().person_id))
    house.works(later=timedelta(minutes=1))
    assert Contact.objects.filter(contact__isnull=True).count() == 1
    assert {*Contact.objects.values_list("state", flat=True)} == {"waiting", "current", "old"}
    return house


@pytest.fixture
def running(keeper: Keeper) -> Iterator[Kept]:
    with kept(keeper) as running:
        yield running


def through(running: Kept, role: str) -> Door:
    """A role's door over a real socket."""
    line = running.line(role)

    def say(body: bytes) -> bytes:
        line.sendall(messages.frame(body))
        (length,) = messages.LENGTH.unpack(exactly(line, messages.LENGTH.size))
        return exactly(line, length)

    return Door(say)


def everything_sealed() -> list[Sealed]:
    """All sealed values of the main database, as it gives them back."""
    found = []
    for model, field in sealed_columns():
        for row in model._default_manager.filter(**{f"{field.name}__isnull": False}).order_by("pk"):
            found.append(getattr(row, field.name))
    return found


def capabilities(running: Kept) -> dict[str, tuple[str, Sealed]]:
    """Person -> what opens their own data: a capability of now, and the contact that goes with it."""
    door, found = through(running, "worker"), {}
    for account in Account.objects.all():
        contact = Contact.objects.get(person=account.pk, state=Contact.CURRENT).contact
        (known,) = door.open([contact], purpose="notice", job="look")
        found[account.pk] = (through(running, "web").sign_in(known.email, PASSWORD).capability, contact)
    return found
