"""The last use of a coupon, with fifty buyers at the same moment."""

import hashlib

import pytest

from tests.faults.test_storms import at_once
from tests.house import House
from tests.licences.bought import ADDRESS
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition
from troth.shop.coupons import making
from troth.shop.coupons.making import Terms
from troth.shop.coupons.models import Coupon, Use
from troth.shop.journeys import buy
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.refusal import Refused

pytestmark = pytest.mark.django_db(transaction=True)
BUYERS = 50


@pytest.mark.parametrize("percent", [50, 100])
def test_the_last_use_is_sold_once(house: House, edition: Edition, percent: int) -> None:
    """At 100 % the winner's order is paid in the same transaction, without a provider."""
    house.stock(BUYERS)
    making.add("LAST", Terms(percent=percent, limit=1))
    for number in range(BUYERS):
        key = hashlib.sha256(f"basket {number}".encode()).hexdigest()
        row = Basket.objects.create(key_hash=key, coupon="LAST")
        BasketLine.objects.create(basket=row, edition=edition)

    def buys(number: int) -> str:
        buyer = buy.Newcomer("Alice", f"alice{number}@b.example")
        try:
            return buy.begin(f"basket {number}", buyer, *(ADDRESS, "skrill") if percent < 100 else (None, "")).order_ref
        except Refused as no:
            return str(no.sentence)

    said = at_once([lambda number=number: buys(number) for number in range(BUYERS)])
    (sold,) = [one for one in said if one.startswith("ord_")]
    assert sum("used as often as it is for" in one for one in said) == BUYERS - 1
    order = Order.objects.get()
    assert (order.ref, order.total_minor) == (sold, 4900 * (100 - percent) // 100)
    assert order.state == (Order.PAID if percent == 100 else Order.OPEN)
    assert (Coupon.objects.get().used, Use.objects.get().order_id) == (1, sold)
    assert Due.objects.filter(kind="deliver").count() == (1 if percent == 100 else 0)


def test_once_a_customer_is_settled_by_the_database(house: House, edition: Edition) -> None:
    """One browser, twenty forms at once: one order has the coupon."""
    house.stock(20)
    making.add("HELLO", Terms(percent=10, once=True))
    row = Basket.objects.create(key_hash=hashlib.sha256(b"basket").hexdigest(), coupon="HELLO")
    BasketLine.objects.create(basket=row, edition=edition)

    def buys(number: int) -> str:
        try:
            return buy.begin("basket", buy.Newcomer("Alice", f"alice{number}@b.example"), ADDRESS, "skrill").order_ref
        except Refused as no:
            return str(no.sentence)

    said = at_once([lambda number=number: buys(number) for number in range(20)])
    assert sum(one.startswith("ord_") for one in said) == 1
    assert sum("You used this coupon" in one for one in said) == 19
    assert (Order.objects.count(), Coupon.objects.get().used) == (1, 1)
