"""The buyer sees the price with their tax before paying: the total follows country and VAT number."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.storefront.conftest import Browser, basket, browser
from tests.storefront.test_buying import ALICE
from troth.config import Tax
from troth.shop.catalogue.models import Price
from troth.shop.journeys import buy
from troth.shop.orders.models import Order

__all__ = ["basket", "browser"]
GERMAN = ALICE | {"country": "DE", "billing_postcode": "10115"}
AUSTRIAN = ALICE | {"country": "AT", "billing_postcode": "1010"}
BUSINESS = AUSTRIAN | {"vat_number": "ATU13585627"}
SHOWN = {"shown": "4900"}


@pytest.fixture(params=["gross", "net"])
def prices(request: pytest.FixtureRequest, house: House) -> Iterator[str]:
    """A German shop that taxes by the buyer's country; its product is 49.00, with or without the tax."""
    tax = Tax(scheme="destination", prices=request.param)
    settings.TROTH = msgspec.structs.replace(settings.TROTH, tax=tax)
    yield request.param


def lines() -> list[tuple[int, int, int, str, str]]:
    order = Order.objects.get()
    assert order.total_minor == sum(line.paid_minor for line in order.lines.all())
    assert order.payments.get().amount_minor == order.total_minor
    return list(order.lines.values_list("net_minor", "tax_minor", "rate", "tax_country", "treatment"))


def test_the_basket_shows_the_total_of_a_country(basket: Browser, prices: str) -> None:
    at_home, in_hungary = (basket.page(path) for path in ("/basket", "/basket?country=HU"))
    outside = basket.page("/basket?country=US")
    assert ("€49.00" if prices == "gross" else "€58.31") in at_home.text
    assert "19%, Germany" in at_home.text
    assert ("€49.00" if prices == "gross" else "€62.23") in in_hungary.text
    assert "27%, Hungary" in in_hungary.text
    assert ("€41.18" if prices == "gross" else "€49.00") in outside.text
    assert "outside the EU" in outside.text
    assert "/checkout?country=HU" in [a["href"] for a in in_hungary.all("a")]
    assert basket.page("/basket?country=XX").text.count("Germany") >= 1  # no such country: as at home


@pytest.mark.parametrize(
    ("who", "gross", "net"),
    [
        (GERMAN, (4118, 782, 1900, "DE", "standard"), (4900, 931, 1900, "DE", "standard")),
        (AUSTRIAN, (4083, 817, 2000, "AT", "standard"), (4900, 980, 2000, "AT", "standard")),
        (BUSINESS, (4118, 0, 0, "AT", "reverse"), (4900, 0, 0, "AT", "reverse")),
        (ALICE, (4118, 0, 0, "GB", "outside"), (4900, 0, 0, "GB", "outside")),
    ],
)
def test_the_order_keeps_the_tax_of_each_line(
    basket: Browser, prices: str, who: dict[str, str], gross: tuple[object, ...], net: tuple[object, ...]
) -> None:
    expected = gross if prices == "gross" else net
    total = str(int(expected[0]) + int(expected[1]))  # type: ignore[call-overload]
    basket.send("/checkout", who | {"shown": total}, 303)
    assert lines() == [expected]


def test_another_total_than_the_one_shown_comes_back_once(basket: Browser, prices: str) -> None:
    first = "4900" if prices == "gross" else "5831"
    form = basket.page("/checkout")
    assert form.form("/checkout")["shown"] == first
    back = basket.send("/checkout", BUSINESS | {"shown": first}, 409)
    assert Order.objects.count() == 0
    page = back.content.decode()
    now = "4118" if prices == "gross" else "4900"
    assert f'name="shown" value="{now}"' in page
    assert "Your total has changed" in page and "reverse charge" in page and "ATU13585627" in page
    basket.send("/checkout", BUSINESS | {"shown": now}, 303)
    assert Order.objects.get().total_minor == int(now)


@pytest.mark.parametrize("number", ["DE136695976", "ATU13585628", "AT13585627"])
def test_a_number_of_no_use_is_refused_with_one_sentence(basket: Browser, prices: str, number: str) -> None:
    page = basket.send("/checkout", AUSTRIAN | {"vat_number": number}, 400).content.decode()
    assert "Please check the VAT number: it is none of the country of this address." in page
    assert Order.objects.count() == 0


def test_an_address_used_again_keeps_its_treatment_unread(basket: Browser, prices: str, house: House) -> None:
    total = 4118 if prices == "gross" else 4900
    basket.send("/checkout", BUSINESS | {"shown": str(total), "password": "heron and lantern"}, 303)
    first = Order.objects.get()
    used = first.billing
    assert used.business
    key = basket.cookies["troth_basket"].value
    again = buy.begin(key, buy.Known(used.person_id), used.pk, "paypal", shown=total)
    assert Order.objects.get(pk=again.order_ref).lines.get().treatment == "reverse"


def test_a_price_that_changed_meanwhile_is_shown_first(basket: Browser, prices: str) -> None:
    Price.objects.update(minor=5900)
    basket.send("/checkout", GERMAN | SHOWN, 409)
    assert Order.objects.count() == 0


def test_a_shop_that_says_nothing_of_tax_asks_nobody_for_a_country(basket: Browser, house: House) -> None:
    assert "Total for a buyer in" not in basket.page("/basket").text
    basket.send("/checkout", ALICE | SHOWN, 303)
    assert lines() == [(4900, 0, 0, "GB", "none")]
