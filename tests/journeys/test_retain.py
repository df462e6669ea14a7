"""What has served its time ends, and nothing that has not."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.faults.shopping import ADDRESS, Purchase
from tests.house import House
from tests.storefront.conftest import Browser
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.rights.holding import Cut, Ends, Holding
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account, Contact, Session
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Letter
from troth.shop.journeys import buy, erase, register, retain
from troth.shop.journeys.confirm import confirmed
from troth.shop.orders.models import Basket, BasketLine, Order

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def retained(house: House) -> None:
    due.add("leftovers", "shop", every=3600)


def named(name: str) -> str:
    ref = register.register(name, f"{name}@b.example", "heron and lantern", "LS1 4AP").person_ref
    return str(ref)


def orders(edition: Edition, name: str) -> Order:
    key = f"basket of {name}"
    row = Basket.objects.create(key_hash=hashlib.sha256(key.encode()).hexdigest())
    BasketLine.objects.create(basket=row, edition=edition)
    begun = buy.begin(key, buy.Newcomer(name, f"{name}@b.example"), ADDRESS, "paypal")
    return Order.objects.get(pk=begun.order_ref)


def forgotten(ref: str) -> bool:
    return not Contact.objects.filter(person=ref, contact__isnull=False).exists()


def test_accounts_that_nobody_confirmed_are_forgotten_on_their_day(house: House) -> None:
    unconfirmed, proved = named("ann"), named("ben")
    confirmed(proved)
    house.works()
    letters = len(house.mails)
    house.works(later=29 * DAY)
    assert not forgotten(unconfirmed)
    house.works(later=2 * DAY)
    assert forgotten(unconfirmed)
    assert not forgotten(proved)
    assert len(house.mails) == letters  # nobody proved that mailbox: nothing is written to it
    assert Erasure.objects.get().why == Erasure.UNCONFIRMED
    assert list(Account.objects.values_list("pk", flat=True)) == [proved]
    register.register("Ann", "ann@b.example", "heron and lantern", "LS1 4AP")  # the mailbox is free again
    house.works()
    assert "/confirm/" in house.mails[-1].text


def test_guests_who_never_paid_are_forgotten_and_those_who_did_are_not(house: House, edition: Edition) -> None:
    Purchase(house, edition, "paypal").complete()
    paid = Order.objects.get().person_id
    confirmed(paid)
    unpaid = orders(edition, "cy")
    house.works(later=10 * DAY)
    unpaid.refresh_from_db()
    assert unpaid.state == Order.EXPIRED
    assert not forgotten(unpaid.person_id)
    house.works(later=21 * DAY)
    assert forgotten(unpaid.person_id)
    assert not forgotten(paid)
    erasure = Erasure.objects.get()
    assert (erasure.person_id, erasure.why) == (unpaid.person_id, Erasure.ABANDONED)
    assert erasure.state == Erasure.DONE  # the payment that was begun never came: nothing is kept for tax


def test_sessions_baskets_and_rows_of_letters_end(house: House, edition: Edition) -> None:
    alice = Browser()
    alice.send("/register", {"name": "Alice", "email": "a@b.example", "password": "heron and lantern",
                             "postcode": "LS1 4AP"}, 200)  # fmt: skip
    confirmed(Account.objects.get().pk)
    Basket.objects.create(key_hash="0" * 64)
    house.works()
    assert (Session.objects.count(), Basket.objects.count(), Letter.objects.count()) == (1, 1, 1)
    house.works(later=13 * DAY)
    assert (Session.objects.count(), Basket.objects.count()) == (1, 1)
    house.works(later=2 * DAY)
    assert (Session.objects.count(), Basket.objects.count()) == (0, 1)
    house.works(later=16 * DAY)
    assert (Basket.objects.count(), Letter.objects.count()) == (0, 1)
    house.works(later=60 * DAY)
    assert Letter.objects.count() == 0


def test_a_class_ends_by_the_days_of_the_policy_and_in_slices(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As network data will: sealed values are cut `network_days` after they came."""
    monkeypatch.setattr(retain, "SLICE", 2)
    policy = msgspec.structs.replace(settings.TROTH.policy, network_days=7)
    monkeypatch.setattr(settings, "TROTH", msgspec.structs.replace(settings.TROTH, policy=policy))
    refs = [named(f"p{number}") for number in range(3)]
    clock.travel(clock._ahead + 5 * DAY)
    young = named("young")
    holding = Holding("accounts.Contact", "", person="person", ours="id person state made_at")
    ends = Ends("made_at", "network_days", Cut(("contact",)))
    assert retain.end_rows(holding, ends) is False
    clock.travel(clock._ahead + 3 * DAY)
    assert [retain.end_rows(holding, ends) for _ in range(3)] == [True, False, False]
    assert [forgotten(ref) for ref in refs] == [True] * 3
    assert not forgotten(young)


def test_an_erasure_whose_errand_was_given_up_is_taken_up_again(house: House) -> None:
    ref = named("dee")
    erase.begin(erase.opened(ref))
    house.works()
    Due.objects.filter(kind="erase").update(gave_up_at=clock.now())
    house.works(later=9 * DAY)
    assert forgotten(ref)


def test_a_link_that_nobody_followed_lapses(house: House) -> None:
    ref = named("eve")
    confirmed(ref)
    erase.ask_for(ref)
    house.works()
    assert "/erase/" in house.mails[-1].text
    for _ in range(4):
        house.works(later=timedelta(hours=13))
    house.works(later=timedelta(hours=1))
    assert Erasure.objects.get().state == Erasure.LAPSED
    assert [row for row in house.due() if row.startswith("erase")] == []
    assert not forgotten(ref)
    erase.ask_for(ref)
    assert Erasure.objects.filter(state=Erasure.ASKED).count() == 1
    assert Person.objects.filter(erasure__state=Erasure.ASKED).get().pk == ref
