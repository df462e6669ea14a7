"""The last key of a stock, and the last site of a licence, with fifty who want it at the same moment."""

import hashlib

import pytest

from tests.faults.test_storms import at_once
from tests.house import House
from tests.licences.bought import ADDRESS, bought, key_of
from troth.pledge.due.models import Due
from troth.pledge.vault import door as doors
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import activate, buy, licence
from troth.shop.licences.models import Activation, Licence, StockKey
from troth.shop.licences.standing import NoLicence
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.refusal import Refused

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 50


def test_the_last_key_is_sold_once_and_the_others_hear_it_before_they_pay(house: House, edition: Edition) -> None:
    house.stock(BUYERS)
    licence.fill(edition, ["THE-LAST-ONE"], lambda done: None)
    for number in range(BUYERS):
        row = Basket.objects.create(key_hash=hashlib.sha256(f"basket {number}".encode()).hexdigest())
        BasketLine.objects.create(basket=row, edition=edition)

    def buys(number: int) -> str:
        buyer = buy.Newcomer("Alice", f"alice{number}@b.example")
        try:
            return buy.begin(f"basket {number}", buyer, ADDRESS, "skrill").order_ref
        except Refused as no:
            return str(no.sentence)

    said = at_once([lambda number=number: buys(number) for number in range(BUYERS)])
    (sold,) = [one for one in said if one.startswith("ord_")]
    assert sum("sold out" in one for one in said) == BUYERS - 1
    assert Order.objects.get().ref == sold
    assert StockKey.objects.get().line.order_id == sold
    assert Due.objects.filter(kind="abandon").count() == 1
    assert doors._door is not None


def test_the_last_site_is_taken_once(house: House, edition: Edition) -> None:
    Edition.objects.update(sites=3)
    key = key_of(bought(house, edition))

    def takes(number: int) -> str:
        try:
            activate.activate(key, f"shop-{number}.example")
        except NoLicence as no:
            return no.code
        return "active"

    said = at_once([lambda number=number: takes(number) for number in range(BUYERS)])
    assert (said.count("active"), said.count("limit")) == (3, BUYERS - 3)
    assert Licence.objects.get().active == Activation.objects.count() == 3
    same = at_once([lambda: activate.deactivate(key, next(iter(mine)))] * 5) if (mine := _active(key)) else []
    assert [one.active for one in same] == [2] * 5
    assert Activation.objects.count() == 2


def _active(key: str) -> list[str]:
    return [f"shop-{n}.example" for n in range(BUYERS) if activate.check(key, f"shop-{n}.example").activated]
