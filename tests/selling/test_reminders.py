"""Letters before updates and support end, and the owner's when keys run out: once each."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.licences.bought import bought
from troth.config import Selling
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.journeys import licence, refund, remind
from troth.shop.licences.models import Licence, LowStock
from troth.shop.renewals.models import Reminder


def sold(house: House, edition: Edition, renewal: int | None = 1900) -> list[str]:
    """A licence is sold; the subjects of letters from then on are returned by `later`."""
    Price.objects.update(renewal_minor=renewal)
    bought(house, edition)
    return []


def set_selling(**values: object) -> None:
    settings.TROTH = msgspec.structs.replace(settings.TROTH, selling=Selling(**values))  # type: ignore[arg-type]


def days_pass(house: House, count: int) -> list[str]:
    """What letters about an end came in so many days; the worker looks every day."""
    before = len(house.mails)
    for _ in range(count):
        due.add("reminders", "shop")
        house.works(later=timedelta(days=1))
    return [mail.text for mail in house.mails[before:] if "ends on" in mail.text]


def test_two_letters_and_no_more(house: House, edition: Edition) -> None:
    sold(house, edition)
    left = (Licence.objects.get().updates_until - clock.now().date()).days
    assert days_pass(house, left - 33) == []
    first = days_pass(house, 10)
    assert len(first) == 1
    assert "/renew/lic_" in first[0]
    assert "nothing is charged by itself" in first[0]
    second = days_pass(house, 22)
    assert len(second) == 1
    assert days_pass(house, 10) == []
    assert set(Reminder.objects.values_list("days", flat=True)) == {30, 7}


def test_who_renewed_hears_nothing_of_the_old_end(house: House, edition: Edition) -> None:
    sold(house, edition)
    left = (Licence.objects.get().updates_until - clock.now().date()).days
    days_pass(house, left - 20)
    Licence.objects.update(updates_until=clock.now().date() + timedelta(days=400))
    assert days_pass(house, 20) == []


@pytest.mark.parametrize(
    ("reminders", "renewal", "refunded"), [("off", 1900, False), ("service", None, False), ("service", 1900, True),
                                           ("marketing", 1900, False)]
)  # fmt: skip
def test_who_is_not_to_be_reminded(
    house: House, edition: Edition, reminders: str, renewal: int | None, refunded: bool
) -> None:
    sold(house, edition, renewal)
    set_selling(reminders=reminders)
    if refunded:
        refund.ask(Licence.objects.get().line.order)
        house.works()
    left = (Licence.objects.get().updates_until - clock.now().date()).days
    days_pass(house, 1)
    house.works(later=timedelta(days=left - 20))
    assert days_pass(house, 2) == []
    set_selling(reminders="service")
    if reminders == "marketing":
        assert Reminder.objects.count() == 1  # it was planned, and its reader not to be written to


def test_support_that_ends_is_told_with_where_to_buy_it_again(house: House, edition: Edition) -> None:
    Product.objects.update(kind=Product.SERVICE)
    Edition.objects.update(support_months=3)
    bought(house, Edition.objects.get())
    (letter,) = days_pass(house, 70)
    assert f"{settings.TROTH.web.public_url}/p/field-guide" in letter
    assert remind.DAYS == (30, 7)


def test_the_owner_hears_once_that_keys_run_out_until_they_are_refilled(house: House, edition: Edition) -> None:
    set_selling(low_stock=2)
    shop = msgspec.structs.replace(settings.TROTH.shop, contact_email="owner@fernhill.example")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, shop=shop)
    licence.fill(edition, [f"KEY-{number}" for number in range(5)], lambda done: None)

    def told() -> list[str]:
        return [mail.text for mail in house.mails if mail.to == ["owner@fernhill.example"]]

    bought(house, edition, 2)
    assert told() == []
    bought(house, edition)
    bought(house, edition)
    house.works()
    (letter,) = told()
    assert "of field-guide/single can be sold" in letter
    assert "troth licences import field-guide/single FILE" in letter
    licence.fill(edition, [f"MORE-{number}" for number in range(4)], lambda done: None)
    assert not LowStock.objects.exists()
    bought(house, edition, 3)
    house.works()
    assert len(told()) == 2


def test_no_letter_where_none_is_wanted(house: House, edition: Edition) -> None:
    set_selling(low_stock=0)
    licence.fill(edition, ["ONE", "TWO"], lambda done: None)
    bought(house, edition)
    assert not LowStock.objects.exists()
