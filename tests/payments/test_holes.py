"""The holes that shops have had, each by its name: genuine payments for the wrong thing, hands that are not ours."""

import json
from urllib.parse import urlencode

import msgspec
import pytest
from django.test import Client
from django.urls import get_resolver

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, PROVIDERS, basket, begin, come_back, pay
from tests.payments.test_refund import paid, second
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, reach, settle
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments import attempt
from troth.shop.payments.models import Payment, ProviderEvent, Refund
from troth.shop.refusal import Refused


def told(house: House, order: Order) -> str:
    """Bring every message, look, and say what the order is then."""
    house.messages()
    house.works()
    order.refresh_from_db()
    return order.state


def cheaper(house: House, order: Order, **other: str) -> None:
    """The provider really takes other money than we asked for."""
    payment = order.payments.get()
    if payment.provider == "paypal":
        unit = house.sandbox.paypal.orders[payment.provider_ref].units[0]
        unit["amount"] = unit["amount"] | {
            {"amount": "value", "currency": "currency_code"}[name]: value for name, value in other.items()
        }
    else:
        house.sandbox.skrill.sessions[payment.provider_ref].fields.update(other)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("other", [{"amount": "48.99"}, {"currency": "USD"}, {"amount": "49.01"}, {"amount": "0.01"}])
def test_amount_minus_a_cent_and_swapped_currency(
    house: House, edition: Edition, provider: str, other: dict[str, str]
) -> None:
    """CVE-2026-9189: verified by the provider, amount never compared."""
    order = begin(edition, provider)
    cheaper(house, order, **other)
    pay(house, order)
    assert told(house, order) == Order.OPEN
    assert house.mails == []
    payment = order.payments.get()
    assert payment.state in (Payment.REVIEW, Payment.SENT)
    assert payment.captured_minor == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_money_for_another_merchant(house: House, edition: Edition, provider: str) -> None:
    order = begin(edition, provider)
    if provider == "paypal":
        merchant, before = house.sandbox.paypal.merchant, house.sandbox.paypal.merchant.merchant_id
        merchant.merchant_id = "SOMEBODYELSE1"
    else:
        merchant, before = house.sandbox.skrill.merchant, ""
    try:
        pay(house, order)
        if provider == "skrill":
            (post,) = house.posts()
            session = house.sandbox.skrill.sessions[order.payments.get().provider_ref]
            theirs = house.sandbox.skrill.status_fields(session, {"pay_to_email": "somebody@else.example"})
            post.body = urlencode(theirs).encode()
            assert house.bring(post) == 200
            assert ProviderEvent.objects.get().outcome == "mismatch-payee"
            return
        assert told(house, order) == Order.OPEN
    finally:
        if provider == "paypal":
            merchant.merchant_id = before
    assert house.mails == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_verified_but_not_matched_payment(house: House, edition: Edition, provider: str) -> None:
    """CVE-2026-68500: any paid id, brought back for somebody else's order."""
    cheap = begin(edition, provider)
    back = pay(house, cheap)
    Order.objects.filter(pk=cheap.pk).update(viewer="another")
    BasketLine.objects.all().delete()
    Basket.objects.all().delete()
    basket(edition)
    victim = Order.objects.get(pk=buy.begin(KEY, buy.Newcomer("Bob", "bob@b.example"), ADDRESS, provider).order_ref)
    assert come_back(cheap, back) == cheap.ref
    house.messages()
    for post in house.posts():
        body = post.body.replace(cheap.payments.get().pk.encode(), victim.payments.get().pk.encode())
        assert house.bring(post, body) == 400
    house.works()
    victim.refresh_from_db()
    assert (Order.objects.get(pk=cheap.pk).state, victim.state) == (Order.PAID, Order.OPEN)


def test_one_capture_never_settles_two_payments(house: House, edition: Edition) -> None:
    order = paid(house, edition, "paypal")
    payment = order.payments.get()
    other = attempt.new(order, "paypal")
    Payment.objects.filter(pk=other.pk).update(provider_ref="ANOTHER", state=Payment.SENT)
    other.refresh_from_db()
    provider = settle.gateways.provider("paypal")
    sight = msgspec.structs.replace(provider.look(payment.provider_ref, payment.id), payment_id=other.id)
    assert settle.settle(other, sight) == "mismatch-capture-known"
    other.refresh_from_db()
    assert (other.state, other.captured_minor) == (Payment.REVIEW, 0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_basket_edited_after_approval(house: House, edition: Edition, provider: str) -> None:
    """GHSA-hxg4-65p5-9w37: what is delivered is what was ordered when the price was made, not what lies there now."""
    order = begin(edition, provider)
    other = second(edition)
    back = pay(house, order)
    BasketLine.objects.create(basket=Basket.objects.get(), edition=other, quantity=9)
    BasketLine.objects.filter(edition=edition).update(quantity=50)
    come_back(order, back)
    house.works()
    order.refresh_from_db()
    assert order.state == Order.PAID
    assert [(line.edition_id, line.quantity) for line in order.lines.all()] == [(edition.pk, 1)]
    assert "Herbal" not in house.mails[0].text
    assert order.payments.get().captured_minor == order.total_minor == 4900


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_unverified_callback(house: House, edition: Edition, provider: str) -> None:
    """CVE-2026-4986, CVE-2026-0656: a callback that nobody signed is taken at its word."""
    order = begin(edition, provider)
    payment = order.payments.get()
    event = {
        "id": "WH-1-2",
        "event_type": "PAYMENT.CAPTURE.COMPLETED",
        "resource": {"id": "X", "status": "COMPLETED", "custom_id": payment.id,
                     "amount": {"value": "49.00", "currency_code": "EUR"}},
    }  # fmt: skip
    form = {"transaction_id": payment.id, "status": "2", "mb_amount": "49", "mb_currency": "EUR", "md5sig": "0" * 32}
    body, kind = (json.dumps(event), "application/json") if provider == "paypal" else (
        urlencode(form), "application/x-www-form-urlencoded"
    )  # fmt: skip
    assert Client().post(f"/hooks/{provider}", body, content_type=kind).status_code == 400
    house.works()
    order.refresh_from_db()
    assert (order.state, ProviderEvent.objects.get().verified) == (Order.OPEN, False)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_customer_cannot_give_themselves_money_back(house: House, edition: Edition, provider: str) -> None:
    """CVE-2026-100869: no address of the shop's pages leads to a refund, whatever is posted there; the desk's one is
    for people who work here, with a second factor of just now (docs/desk.md)."""
    order = paid(house, edition, provider)
    names = {str(pattern.name) for pattern in get_resolver().url_patterns if "refund" in str(pattern.pattern)}
    assert names == {"desk_order_refund"}
    assert Client().post(f"/desk/orders/{order.ref}/refund", {"line": "1"}).status_code in (303, 403)
    visitor = Client()
    form = {
        "refund": "1",
        "amount": "49.00",
        "state": "refunded",
        "line": "1",
        "action": "refund",
        "provider": provider,
    }
    visitor.get(f"/orders/{order.ref}/key/{reach.order_key(order)}")
    own = f"/orders/{order.ref}"
    assert visitor.get(own).status_code == 200
    for path in (own, f"{own}/pay", f"{own}/refund", f"/return/{provider}", f"/hooks/{provider}", "/account"):
        assert visitor.post(path, form).status_code in (303, 400, 403, 404, 405)
    house.works()
    assert Refund.objects.count() == 0
    assert order.payments.get().state == Payment.PAID


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_else_says_where_the_buyer_returns_to(house: House, edition: Edition, provider: str) -> None:
    """CVE-2026-53639: the address of return is the settings', whatever host or parameter a request names."""
    order = begin(edition, provider)
    payment = order.payments.get()
    if provider == "paypal":
        theirs = house.sandbox.paypal.orders[payment.provider_ref]
        addresses = [theirs.return_url, theirs.cancel_url]
    else:
        fields = house.sandbox.skrill.sessions[payment.provider_ref].fields
        addresses = [fields["return_url"], fields["cancel_url"], fields["status_url"]]
    assert all(address.startswith("http://127.0.0.1:8000/") for address in addresses)


def test_coming_back_proves_nothing(house: House, edition: Edition) -> None:
    order = begin(edition, "paypal")
    settle.returned("paypal", {"token": order.payments.get().provider_ref, "PayerID": "X", "st": "Completed"})
    with pytest.raises(Refused):
        settle.returned("skrill", {"transaction_id": order.payments.get().pk, "msid": "0" * 32})
    order.refresh_from_db()
    assert (order.state, house.mails) == (Order.OPEN, [])
