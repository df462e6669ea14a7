"""What costs nothing: ordered without an address and without a provider, delivered once, never invoiced."""

from __future__ import annotations

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.selling.test_coupons import enter, text
from tests.storefront.conftest import Browser, basket, browser
from troth.config import PayPal, Skrill
from troth.faces.storefront.signed_in import BASKET_COOKIE
from troth.pledge.due.models import Due
from troth.shop.catalogue.models import Edition, Price
from troth.shop.coupons import making
from troth.shop.coupons.making import Terms
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import buy, download
from troth.shop.journeys.forget import tax_day
from troth.shop.orders.models import Basket, BasketLine, Billing, Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment

__all__ = ["basket", "browser"]
WHO = {"name": "Alice Example", "email": "alice@b.example"}


@pytest.fixture(params=["product", "coupon"])
def free(request: pytest.FixtureRequest, basket: Browser) -> Browser:
    """A basket that costs nothing, by its product's price or by a coupon."""
    if request.param == "product":
        Price.objects.update(minor=0)
    else:
        making.add("GIFT", Terms(percent=100))
        enter(basket, "GIFT")
    return basket


def test_it_is_delivered_at_once_and_nobody_is_asked_for_money(free: Browser, house: House) -> None:
    assert house.sandbox.paypal.orders == {}
    page = free.page("/checkout")
    fields = page.form("/checkout")
    assert not {"street", "country", "vat_number", "provider"} & fields.keys()
    assert "Write to me about new versions" in page.text  # only who buys may be written to without having asked
    answer = free.send("/checkout", WHO, 303)
    order = Order.objects.get()
    assert answer.headers["Location"] == f"/orders/{order.ref}"  # type: ignore[attr-defined]
    assert (order.state, order.total_minor, order.country) == (Order.PAID, 0, "")
    assert not Payment.objects.exists()
    assert not Due.objects.filter(kind__in=("look", "abandon")).exists()
    assert (Billing.objects.count(), tax_day(order.person_id)) == (0, None)
    house.works()
    house.works()
    (mail,) = house.mails
    assert "here is what you ordered" in mail.text
    assert "payment" not in mail.text
    assert len(download.links(order)) == 1
    page = free.page(f"/orders/{order.ref}")
    assert "Nothing to pay" in page.text
    assert "there is no invoice" in page.text
    assert "Download" in page.text
    assert not Invoice.objects.exists()
    assert not BasketLine.objects.exists()
    assert Basket.objects.get().coupon == ""


def test_it_needs_no_gateway(free: Browser) -> None:
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=PayPal(), skrill=Skrill())
    gateways.forget()
    free.send("/checkout", WHO, 303)
    assert Order.objects.get().state == Order.PAID


def test_a_form_sent_twice_is_one_order(free: Browser) -> None:
    page = free.page("/checkout").form("/checkout")
    said = [
        free.post("/checkout", page | WHO, HTTP_ORIGIN="http://127.0.0.1:8000", HTTP_SEC_FETCH_SITE="same-origin")
        for _ in range(2)
    ]
    assert said[0].headers["Location"].startswith("/orders/")
    # The basket is empty by the second time, which leads back to it.
    assert [one.status_code for one in said] == [303, 303]
    assert Order.objects.count() == 1


def test_what_costs_something_after_all_is_not_ordered(free: Browser, edition: Edition) -> None:
    page = free.page("/checkout").form("/checkout")
    Price.objects.update(minor=4900)
    making.end("GIFT") if Basket.objects.get().coupon else None
    answer = free.post("/checkout", page | WHO, HTTP_ORIGIN="http://127.0.0.1:8000", HTTP_SEC_FETCH_SITE="same-origin")
    assert answer.status_code == 400
    assert not Order.objects.exists()
    with pytest.raises(buy.Refused):
        buy.begin(free.cookies[BASKET_COOKIE].value, buy.Newcomer("A", "a@b.example"), None, "")


def test_pages_say_free(browser: Browser, edition: Edition) -> None:
    Price.objects.update(minor=0)
    assert "Free" in browser.page("/").text
    assert "Free" in browser.page("/p/field-guide").text
    assert "€0.00" not in text(browser.get("/p/field-guide"))
