"""Coupons at the door: entered at the basket, taken with the order, given back when nobody pays."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from django.conf import settings

from tests.house import House
from tests.journeys.test_buy_to_delivery import come_back, pay
from tests.storefront.conftest import Browser, basket, browser
from tests.storefront.test_buying import ALICE
from troth.config import Tax
from troth.pledge import clock
from troth.shop.catalogue.models import Edition, Price, Product
from troth.shop.coupons import making
from troth.shop.coupons.making import Terms
from troth.shop.coupons.models import Coupon, Use
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import refund
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.refusal import Refused

__all__ = ["basket", "browser"]


@pytest.fixture(autouse=True)
def taxed(house: House) -> None:
    """A German shop: 49.00 with the tax in it."""
    settings.TROTH = msgspec.structs.replace(settings.TROTH, tax=Tax(scheme="destination", vat_number="DE1"))


GERMAN = ALICE | {"country": "DE", "billing_postcode": "10115", "provider": "skrill"}


def enter(browser: Browser, code: str) -> object:
    token = browser.page("/basket").form("/basket")["csrfmiddlewaretoken"]
    fields = {"action": "coupon", "coupon": code, "csrfmiddlewaretoken": token}
    return browser.post("/basket", fields, HTTP_ORIGIN="http://127.0.0.1:8000")


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def ordered(browser: Browser, who: dict[str, str] = GERMAN) -> Order:
    shown = browser.page("/checkout").form("/checkout")["shown"]
    answer = browser.send("/checkout", who | {"shown": shown}, 303)
    assert answer.status_code == 303  # type: ignore[attr-defined]
    return Order.objects.latest("made_at")


def put_in(browser: Browser, edition: Edition) -> None:
    browser.post("/basket", {"action": "add", "edition": edition.pk}, HTTP_ORIGIN="http://127.0.0.1:8000")


def test_from_the_basket_to_the_invoice_and_back(basket: Browser, house: House) -> None:
    making.add("spring-10", Terms(percent=10))
    answer = enter(basket, " spring-10 ")
    assert answer.status_code == 303  # type: ignore[attr-defined]
    for path in ("/basket", "/checkout"):
        page = basket.page(path)
        assert "Coupon SPRING-10" in page.text
        assert "\u2212€4.90" in page.text
        assert "€44.10" in page.text
    order = ordered(basket)
    line = order.lines.get()
    assert (order.total_minor, order.coupon, line.unit_minor, line.off_minor) == (4410, "SPRING-10", 4900, 490)
    assert (line.net_minor, line.tax_minor) == (3706, 704)
    assert order.payments.get().amount_minor == 4410
    assert Coupon.objects.get().used == 1
    come_back(order, pay(house, order))
    house.works()
    assert "Coupon SPRING-10 took €4.90 off the list price" in basket.page(f"/orders/{order.ref}").text
    said = settle_and_read(Invoice.objects.get())
    assert said.rows[0].name.endswith("(€4.90 off the list price by coupon SPRING-10)")
    assert said.total[1] == "€44.10"
    put_in(basket, Edition.objects.get())
    assert "SPRING-10" not in basket.page("/basket").text  # a coupon goes with the order that it was for
    refund.ask(order, minor=1000)
    house.works()
    credit = settle_and_read(Invoice.objects.get(kind=Invoice.CREDIT))
    assert credit.total[1] == "€10.00"
    assert any("after coupon SPRING-10" in note for note in credit.notes)
    assert Coupon.objects.get().used == 1


def settle_and_read(made: Invoice):  # type: ignore[no-untyped-def]
    from troth.pledge.vault.classes import Billing
    from troth.shop.invoices import snapshot, words

    return words.say(made, snapshot.read(made), Billing("A", "1 Elm Row", "Leeds", "LS1 4AP", "DE"))


@pytest.mark.parametrize(
    ("terms", "products", "said"),
    [
        (Terms(percent=10, limit=1), (), "used as often as it is for"),
        (Terms(percent=10, ends_at=clock.now() - timedelta(days=1)), (), "has ended"),
        (Terms(percent=10, starts_at=clock.now() + timedelta(days=2)), (), "is good from"),
        (Terms(minor=500, least_minor=5000), (), "baskets from €50.00 on"),
        (Terms(percent=10), ("other",), "none of the things in your basket"),
    ],
)
def test_each_no_says_what_to_do(basket: Browser, terms: Terms, products: tuple[str, ...], said: str) -> None:
    Product.objects.create(slug="other", kind="module", name="Other", tagline="t", summary="s")
    making.add("CODE", terms, products)
    Coupon.objects.filter(limit=1).update(used=1)
    answer = enter(basket, "CODE")
    assert answer.status_code == 409  # type: ignore[attr-defined]
    assert said in text(answer)
    assert "There is no such coupon" in text(enter(basket, "NONESUCH"))


def test_a_coupon_that_ended_meanwhile_orders_nothing_and_can_be_taken_out(basket: Browser) -> None:
    making.add("SHORT", Terms(percent=10))
    enter(basket, "SHORT")
    shown = basket.page("/checkout").form("/checkout")["shown"]
    assert making.end("short")
    assert not making.end("short")
    answer = basket.send("/checkout", GERMAN | {"shown": shown}, 400)
    assert "This coupon has ended" in text(answer)
    assert not Order.objects.exists()
    assert "This coupon has ended" in basket.page("/basket").text
    token = basket.page("/basket").form("/basket")["csrfmiddlewaretoken"]
    basket.post("/basket", {"action": "no-coupon", "csrfmiddlewaretoken": token}, HTTP_ORIGIN="http://127.0.0.1:8000")
    assert ordered(basket).total_minor == 4900


def test_only_the_products_that_it_is_for_get_cheaper(basket: Browser) -> None:
    product = Product.objects.create(
        slug="atlas", kind="module", name="Atlas", tagline="t", summary="s", published=True, position=1
    )
    atlas = Edition.objects.create(product=product, code="single", name="Single site")
    Price.objects.create(edition=atlas, currency="EUR", minor=3000)
    put_in(basket, atlas)
    making.add("ATLAS", Terms(minor=9900), ("atlas",))
    enter(basket, "ATLAS")
    order = ordered(basket)
    assert list(order.lines.order_by("pk").values_list("off_minor", "net_minor", "tax_minor")) == [
        (0, 4118, 782), (3000, 0, 0),
    ]  # fmt: skip
    assert order.total_minor == 4900


def test_a_lapsed_order_gives_its_use_back_once(basket: Browser, house: House) -> None:
    making.add("ONE", Terms(percent=50, limit=1))
    enter(basket, "ONE")
    order = ordered(basket)
    assert "used as often as it is for" in basket.page("/basket").text
    house.works(later=timedelta(hours=49))
    order.refresh_from_db()
    assert (order.state, Coupon.objects.get().used, Use.objects.count()) == (Order.EXPIRED, 0, 0)
    # Its money comes after all: what was paid stands, and the count says so.
    second = ordered(basket)
    assert Coupon.objects.get().used == 1
    payment = order.payments.get()
    Payment.objects.filter(pk=payment.pk).update(state=Payment.SENT)
    come_back(order, house.sandbox.skrill.pay(payment.provider_ref))
    order.refresh_from_db()
    assert (order.state, Coupon.objects.get().used) == (Order.PAID, 2)
    assert Use.objects.filter(order=second).exists()


def test_a_lapsed_order_is_not_paid_again_at_a_price_that_somebody_else_has(basket: Browser, house: House) -> None:
    making.add("ONE", Terms(percent=50, limit=1))
    enter(basket, "ONE")
    order = ordered(basket)
    house.works(later=timedelta(hours=49))
    ordered(basket)
    page = basket.send(f"/orders/{order.ref}", {"provider": "skrill"}, 400, form=f"/orders/{order.ref}/pay")
    assert "used up since it lapsed" in text(page)


@pytest.mark.parametrize("again", [False, True])
def test_a_refunded_order_gives_its_use_back_if_the_coupon_is_made_so(
    basket: Browser, house: House, again: bool
) -> None:
    making.add("ONE", Terms(percent=50, limit=1, again=again))
    enter(basket, "ONE")
    order = ordered(basket)
    come_back(order, pay(house, order))
    refund.ask(order)
    house.works()
    order.refresh_from_db()
    assert (order.state, Coupon.objects.get().used) == (Order.REFUNDED, 0 if again else 1)


def test_once_a_customer_knows_the_browser_and_the_account(basket: Browser, house: House, edition: Edition) -> None:
    making.add("HELLO", Terms(percent=10, once=True))
    enter(basket, "HELLO")
    order = ordered(basket, GERMAN | {"password": "correct horse battery", "postcode": "10115"})
    come_back(order, pay(house, order))
    house.works()
    put_in(basket, edition)
    enter(basket, "HELLO")
    signed_in = {key: GERMAN[key] for key in ("street", "city", "billing_postcode", "country", "provider")}
    answer = basket.send("/checkout", signed_in | {"billing_name": "Alice", "earlier": "new", "shown": "4410"}, 400)
    assert "You used this coupon with an order before" in text(answer)
    basket.cookies.pop("sessionid", None)  # the same browser, as a guest
    answer = basket.send("/checkout", GERMAN | {"email": "other@b.example", "shown": "4410"}, 400)
    assert "You used this coupon with an order before" in text(answer)
    stranger = Browser()
    put_in(stranger, edition)
    enter(stranger, "HELLO")
    assert ordered(stranger, GERMAN | {"email": "bob@b.example"}).total_minor == 4410
    assert Coupon.objects.get().used == 2


def test_what_contradicts_itself_is_refused() -> None:
    for code, terms in (
        ("AB", Terms(percent=10)), ("SPACE INSIDE IS FINE?", Terms(percent=10)), ("ABC", Terms()),
        ("ABC", Terms(percent=10, minor=5)), ("ABC", Terms(percent=101)), ("ABC", Terms(minor=0)),
        ("ABC", Terms(percent=1, limit=0)), ("ABC", Terms(percent=1, least_minor=-1)),
        ("ABC", Terms(percent=1, starts_at=clock.now(), ends_at=clock.now() - timedelta(days=1))),
    ):  # fmt: skip
        with pytest.raises(Refused):
            making.add(code, terms)
    with pytest.raises(Refused):
        making.add("ABC", Terms(percent=10), ("nonesuch",))
    assert not Coupon.objects.exists()
    first, made = making.add("", Terms(percent=10))
    assert made
    assert len(first.code) == 12
    assert making.add(first.code, Terms(percent=10)) == (first, False)
    with pytest.raises(Refused):
        making.add(first.code, Terms(percent=20))
