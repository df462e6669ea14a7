"""Months and hours that a paid line gives: what is left is shown, never below nothing, and ends with the line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.faults.test_storms import at_once
from tests.house import House
from tests.licences.bought import bought
from tests.storefront.conftest import Browser, browser
from troth.shop.catalogue.models import Edition, Product
from troth.shop.entitlements.models import Entitlement, Work
from troth.shop.journeys import entitlement, reach, refund
from troth.shop.licences.models import Licence
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused

__all__ = ["browser"]


@pytest.fixture
def care(edition: Edition) -> Edition:
    """Three months with five hours of work in them."""
    Product.objects.update(kind=Product.SERVICE)
    Edition.objects.update(support_months=3, hours=5)
    return Edition.objects.get(pk=edition.pk)


def page(order: Order) -> str:
    visitor = Browser()
    visitor.get(f"/orders/{order.ref}/key/{reach.order_key(order)}")
    return visitor.page(f"/orders/{order.ref}").text


def test_a_line_gives_months_and_hours_once_and_what_is_left_is_shown(house: House, care: Edition) -> None:
    order = bought(house, care, 2)
    house.works()
    one = Entitlement.objects.get()
    assert (one.minutes, (one.until - one.begins).days in range(180, 185)) == (600, True)
    assert not Licence.objects.exists()
    assert entitlement.use(order, 1, entitlement.read_hours("1.25"), "Installed on the test copy").left == 525
    (shown,) = entitlement.of(order)
    assert (shown.left, shown.in_force, shown.works[0].what) == (525, True, "Installed on the test copy")
    text = page(order)
    assert "8.75 of 10 hours left" in text
    assert "1.25 hours, Installed on the test copy" in text
    assert [one.id for one in entitlement.of_person(order.person_id)] == [shown.id]


@pytest.mark.parametrize(
    ("line", "minutes", "what", "said"),
    [
        (1, 301, "", "more than is left"), (1, 0, "", "more than is left"), (2, 60, "", "no hours"),
        (1, 60, "for a@b.example", "leave names"), (1, 60, "card 4111 1111 1111 1111", "leave names"),
        (1, 60, "x" * 81, "at most 80"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_written(
    house: House, care: Edition, line: int, minutes: int, what: str, said: str
) -> None:
    order = bought(house, care)
    with pytest.raises(Refused) as no:
        entitlement.use(order, line, minutes, what)
    assert said in str(no.value.sentence)
    assert (Entitlement.objects.get().used, Work.objects.count()) == (0, 0)


@pytest.mark.parametrize("text", ["", "0", "-1", "1e3", "abc", "0.001", "1.01"])
def test_hours_that_are_none(text: str) -> None:
    if text == "1.01":
        with pytest.raises(Refused):
            entitlement.read_hours("1.01")  # 60.6 minutes
        assert [entitlement.hours(m) for m in (15, 60, 90, 600)] == ["0.25", "1", "1.5", "10"]
        return
    with pytest.raises(Refused):
        entitlement.read_hours(text)


def test_it_ends_with_its_line_and_its_time(house: House, care: Edition) -> None:
    order = bought(house, care)
    house.works(later=timedelta(days=120))
    with pytest.raises(Refused) as no:
        entitlement.use(order, 1, 60)
    assert "time of this service is over" in str(no.value.sentence)
    assert entitlement.of_person(order.person_id) == []
    refund.ask(order)
    house.works()
    assert entitlement.of(order)[0].ended
    with pytest.raises(Refused) as no:
        entitlement.use(order, 1, 60)
    assert "paid back" in str(no.value.sentence)


@pytest.mark.django_db(transaction=True)
def test_the_last_hours_are_spent_once(house: House, care: Edition) -> None:
    order = bought(house, care)

    def spends() -> str:
        try:
            entitlement.use(order, 1, 60)
        except Refused:
            return "none left"
        return "spent"

    said = at_once([spends for _ in range(30)])
    assert (said.count("spent"), said.count("none left")) == (5, 25)
    assert (Entitlement.objects.get().left, Work.objects.count()) == (0, 5)
