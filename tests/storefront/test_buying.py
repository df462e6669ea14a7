"""A purchase through the pages, with the truth on the order's page at every moment."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.storefront.conftest import ORIGIN, Browser
from tests.storefront.page import read
from troth import config
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import BasketLine, Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment

ALICE = {
    "name": "Alice Example",
    "email": "alice@b.example",
    "street": "1 Elm Row",
    "billing_postcode": "LS1 4AP",
    "city": "Leeds",
    "country": "GB",
}


def approve(house: House, order: Order) -> str:
    """Play the buyer on the provider's page; the path that they come back by."""
    payment = order.payments.get()
    if payment.provider == "paypal":
        url = house.sandbox.paypal.approve(payment.provider_ref)
    else:
        url = house.sandbox.skrill.pay(payment.provider_ref)
    return url.removeprefix(ORIGIN)


@pytest.mark.parametrize("provider", ["paypal", "skrill"])
def test_a_guest_buys_pays_and_downloads(house: House, basket: Browser, provider: str) -> None:
    sent = basket.send("/checkout", ALICE | {"provider": provider}, 303)
    order = Order.objects.get()
    assert sent["Location"] == order.payments.get().pay_url
    waiting = basket.page(f"/orders/{order.ref}")
    assert "has not confirmed yet, we ask again at" in waiting.text
    back = basket.get(approve(house, order))
    assert (back.status_code, back["Location"]) == (303, f"/orders/{order.ref}")
    page = basket.page(f"/orders/{order.ref}")
    assert "Thank you" in page.text
    house.works()
    page = basket.page(f"/orders/{order.ref}")
    assert "on their way to your e-mail address" in page.text
    (link,) = [a["href"] for a in page.all("a") if a["href"].startswith("/download/")]
    whole = Browser().get(link)
    body = b"".join(whole)
    assert whole.status_code == 200
    assert whole["Content-Length"] == str(len(body)) == "22"
    assert whole["Content-Disposition"] == 'attachment; filename="field-guide-1.0.0.zip"'
    part = Browser().get(link, HTTP_RANGE="bytes=4-9", HTTP_IF_RANGE=whole["ETag"])
    assert (part.status_code, b"".join(part), part["Content-Range"]) == (206, body[4:10], "bytes 4-9/22")
    other = Browser().get(link, HTTP_RANGE="bytes=4-9", HTTP_IF_RANGE='"another"')
    assert (other.status_code, b"".join(other)) == (200, body)
    beyond = Browser().get(link, HTTP_RANGE="bytes=99-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */22")
    assert Browser().get(link[:-1] + ("0" if link[-1] != "0" else "1")).status_code == 403


def test_only_the_buyer_sees_the_order(house: House, basket: Browser) -> None:
    basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    stranger = Browser()
    seen = stranger.page(f"/orders/{order.ref}", 404)
    unknown = stranger.page("/orders/ord_aaaaaaaaaaaaaaaaaaaaaaaaaa", 404)
    assert seen.text == unknown.text
    assert stranger.get(f"/orders/{order.ref}/key/guess").status_code == 404
    assert stranger.post(f"/orders/{order.ref}/pay", {"provider": "paypal"}).status_code == 403
    basket.get(approve(house, order))
    house.works()
    (mail,) = house.mails
    key = next(word for word in mail.text.split() if "/key/" in word).removeprefix(ORIGIN)
    opened = stranger.get(key)
    assert (opened.status_code, opened["Location"]) == (303, f"/orders/{order.ref}")
    assert opened.cookies["troth_order"]["path"] == f"/orders/{order.ref}"
    assert opened.cookies["troth_order"]["httponly"]
    assert "Thank you" in stranger.page(f"/orders/{order.ref}").text


STATES = {
    "open": ({"state": Payment.CANCELLED}, {}, "Not paid yet"),
    "declined": ({"state": Payment.DECLINED}, {}, "declined the payment"),
    "pending": ({"state": Payment.PENDING}, {}, "holds the payment"),
    "review": ({"state": Payment.REVIEW}, {}, "has to look at this payment"),
    "cancelled": ({}, {"state": Order.CANCELLED}, "was cancelled"),
    "expired": ({}, {"state": Order.EXPIRED}, "has lapsed"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_order_page_tells_every_state(house: House, basket: Browser, state: str) -> None:
    basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    of_payment, of_order, words = STATES[state]
    if of_payment:
        order.payments.update(**of_payment)
    if of_order:
        Order.objects.update(**of_order)
    page = basket.page(f"/orders/{order.ref}")
    assert words in page.text
    assert "Alice" not in page.text
    assert "Elm Row" not in page.text


def test_an_unpaid_order_can_be_paid_with_the_other_provider(house: House, basket: Browser) -> None:
    basket.send("/checkout", ALICE | {"provider": "paypal"}, 303)
    order = Order.objects.get()
    order.payments.update(state=Payment.CANCELLED)
    again = basket.send(f"/orders/{order.ref}", {"provider": "skrill"}, 303, form=f"/orders/{order.ref}/pay")
    assert again["Location"] == order.payments.get(provider="skrill").pay_url
    order.payments.update(state=Payment.CANCELLED)
    wrong = basket.send(f"/orders/{order.ref}", {"provider": "cash"}, 400, form=f"/orders/{order.ref}/pay")
    assert "Choose how you want to pay." in read(wrong).text


def test_the_same_form_twice_is_one_order(house: House, basket: Browser) -> None:
    form = basket.page("/checkout").form("/checkout") | ALICE
    answers = [basket.post("/checkout", form, HTTP_ORIGIN=ORIGIN) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert Order.objects.count() == 1


def test_a_newcomer_registers_while_buying_and_uses_the_address_again(
    house: House, basket: Browser, edition: Edition
) -> None:
    basket.send("/checkout", ALICE | {"password": "heron and lantern", "postcode": "LS1 4AP"}, 303)
    first = Order.objects.get()
    assert "Order of" in basket.page("/account").text
    page = basket.page("/checkout")  # the basket stays until the order is paid
    form = page.form("/checkout")
    assert "email" not in form
    assert form["earlier"] == first.billing_id
    assert "United Kingdom" in page.text
    assert "Elm Row" not in page.text
    basket.send("/checkout", {}, 303)
    assert {order.billing_id for order in Order.objects.all()} == {first.billing_id}
    new = {key: value for key, value in ALICE.items() if key not in ("name", "email")}
    basket.send("/checkout", new | {"earlier": "new", "billing_name": "A. Example"}, 303)
    assert len({order.billing_id for order in Order.objects.all()}) == 2
    forged = basket.send("/checkout", {"earlier": "bil_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, 400)
    assert "Choose one of your own billing addresses" in read(forged).text
    assert all(order.billing_id in forged.content.decode() for order in Order.objects.all())  # to choose from


def test_a_provider_that_is_down_leads_to_the_order_page(house: House, basket: Browser) -> None:
    nowhere = msgspec.structs.replace(settings.TROTH.paypal, base_url="http://127.0.0.1:9")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, paypal=nowhere)  # the house puts it back
    gateways.forget()
    sent = basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    assert sent["Location"] == f"/orders/{order.ref}"
    assert "Nothing has been charged" in basket.page(sent["Location"]).text


def test_a_return_that_is_not_ours_is_refused(house: House, browser: Browser) -> None:
    assert "We do not know this payment" in browser.page("/return/paypal?token=5O190127TN364715T", 404).text
    assert "We do not know this payment" in browser.page("/return/skrill?transaction_id=x&msid=y", 404).text


def test_hooks_need_no_origin_and_believe_nobody(house: House, browser: Browser) -> None:
    for provider in ("paypal", "skrill"):
        answer = browser.post(
            f"/hooks/{provider}", b"{}", content_type="application/json", HTTP_ORIGIN="https://x.example"
        )
        assert answer.status_code == 400
        assert browser.get(f"/hooks/{provider}").status_code == 405


def test_an_empty_basket_has_no_checkout(house: House, browser: Browser, edition: Edition) -> None:
    assert "Nothing in it yet" in browser.page("/basket").text
    assert browser.get("/checkout")["Location"] == "/basket"


def test_the_basket_changes(basket: Browser, edition: Edition) -> None:
    assert "€49.00" in basket.page("/basket").text
    change = {"action": "change", "edition": str(edition.pk)}
    basket.send("/basket", change | {"quantity": "3"}, 303)
    assert "€147.00" in basket.page("/basket").text
    for wrong in ("0", "-1", "100", str(2**63), "many", "1.5"):
        answer = basket.send("/basket", change | {"quantity": wrong}, 400)
        assert "Choose a quantity from 1 to 99." in read(answer).text
    assert BasketLine.objects.get().quantity == 3
    for wrong in ("-1", str(2**63), "x", ""):
        assert basket.send("/basket", {"action": "remove", "edition": wrong}, 400)
    basket.send("/basket", {"action": "remove", "edition": str(edition.pk)}, 303)
    assert not BasketLine.objects.exists()


def test_what_is_not_for_sale_does_not_get_into_the_basket(house: House, browser: Browser, edition: Edition) -> None:
    edition.prices.all().delete()
    refused = browser.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN=ORIGIN)
    assert refused.status_code == 409
    assert "not for sale at present" in read(refused).text
    assert "troth_basket" not in refused.cookies
    for wrong in ("-1", str(2**63), "x", ""):
        assert browser.post("/basket", {"action": "add", "edition": wrong}, HTTP_ORIGIN=ORIGIN).status_code == 400


def test_a_lapsed_link_is_refused(house: House, basket: Browser) -> None:
    basket.send("/checkout", ALICE, 303)
    order = Order.objects.get()
    basket.get(approve(house, order))
    assert "being made ready" in basket.page(f"/orders/{order.ref}").text
    house.works()
    (link,) = [a["href"] for a in basket.page(f"/orders/{order.ref}").all("a") if "/download/" in a["href"]]
    house.works(later=timedelta(hours=25))
    answer = Browser().get(link)
    assert answer.status_code == 403
    assert "open your order for a fresh one" in read(answer).text


def test_a_shop_without_providers_says_that_the_till_is_closed(house: House, basket: Browser) -> None:
    none = {"paypal": config.PayPal(), "skrill": config.Skrill()}
    settings.TROTH = msgspec.structs.replace(settings.TROTH, **none)
    gateways.forget()
    assert "The till is closed" in basket.page("/checkout", 503).text


def test_a_strange_basket_cookie_is_as_good_as_none(house: House, browser: Browser, edition: Edition) -> None:
    for strange in ("x", "../../etc", "é" * 43, "a" * 4000):
        browser.cookies["troth_basket"] = strange
        assert "Nothing in it yet" in browser.page("/basket").text
    browser.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN=ORIGIN)
    assert len(browser.cookies["troth_basket"].value) == 43


def test_too_much_at_once_is_refused(house: House, basket: Browser) -> None:
    too_long = basket.post("/basket", {"x": "y" * 600_000}, HTTP_ORIGIN=ORIGIN)
    too_many = basket.post("/basket", {f"x{number}": "y" for number in range(300)}, HTTP_ORIGIN=ORIGIN)
    assert (too_long.status_code, too_many.status_code) == (400, 400)
    assert read(too_long).faults == []
    hook = basket.post("/hooks/paypal", b" " * 300_000, content_type="application/json")
    assert hook.status_code == 413


def test_when_a_page_breaks_it_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise ValueError("Alice Example")

    monkeypatch.setattr("troth.shop.catalogue.shelf.browse", broken)
    browser = Browser()
    browser.raise_request_exception = False
    page = browser.page("/?kind=service", 500)
    assert "Something broke on our side" in page.text
    assert "Alice" not in page.text
