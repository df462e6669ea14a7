"""Coupons at the desk: made, counted and ended by the verbs of `troth coupons`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.people import Colleague, Office
from tests.storefront.page import Page
from troth.shop.catalogue.models import Edition
from troth.shop.coupons import uses
from troth.shop.coupons.models import Coupon
from troth.shop.orders.models import Order

NOTHING = {"code": "", "percent": "", "amount": "", "least": "", "starts": "", "ends": "", "limit": ""}


@pytest.fixture
def cathy(office: Office) -> Colleague:
    one = office.hired("cathy", "catalogue")
    one.proves()
    return one


def makes(one: Colleague, **fields: Any) -> Any:
    return one.posts("/desk/coupons/new", {**NOTHING, **fields})


def test_a_coupon_is_made_counted_and_ended(cathy: Colleague, order: Order) -> None:
    made = makes(cathy, code="spring 10", amount="9.50", least="20", limit="5", once="on", products=["field-guide"])
    assert made.status_code == 200 and "SPRING10" in made.content.decode()
    one = Coupon.objects.get()
    assert (one.minor, one.least_minor, one.limit, one.once) == (950, 2000, 5, True)
    Order.objects.filter(pk=order.pk).update(coupon="SPRING10")
    order.refresh_from_db()
    uses.take(order, [])
    listed = cathy.page("/desk/coupons").text
    assert "SPRING10 €9.50 from €20.00 on Field Guide once each 1 of 5 good" in listed
    assert order.ref not in listed
    assert cathy.posts("/desk/coupons/end", {"code": "SPRING10"}).status_code == 303
    assert "ended" in cathy.page("/desk/coupons").text
    assert "no such coupon" in cathy.posts("/desk/coupons/end", {"code": "WINTER"}).content.decode()


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "percent, or an amount"),
        ({"percent": "101"}, "1 to 100 percent"),
        ({"percent": "10", "amount": "5"}, "percent, or an amount"),
        ({"amount": "9,50"}, "9.50, with a point"),
        ({"percent": "10", "starts": "2027-02-01", "ends": "2027-01-01"}, "end after it begins"),
        ({"percent": "ten"}, "whole number"),
        ({"percent": "10", "ends": "soon"}, "2027-03-31"),
        ({"percent": "10", "products": ["unknown"]}, "unknown"),
    ],
)
def test_what_contradicts_itself_is_told(cathy: Colleague, edition: Edition, fields: dict[str, Any], why: str) -> None:
    answer = makes(cathy, code="TRIAL", **fields)
    assert answer.status_code == 400 and why in Page(answer.content.decode()).text
    assert not Coupon.objects.exists()


def test_making_one_asks_for_the_second_factor(cathy: Colleague, office: Office) -> None:
    office.later(minutes=6)
    assert makes(cathy, percent="100")["Location"].startswith("/desk/again")
    assert not Coupon.objects.exists()
