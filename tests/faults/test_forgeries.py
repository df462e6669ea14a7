"""Messages that must change nothing: forged, altered, of another order, about other money. And each of them is noted.

The provider's own books say "not paid" throughout: whatever pays an order here was believed from a message.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from django.db.models import Sum

from tests import campaign
from tests.faults.shopping import Purchase
from tests.house import House
from troth.pledge.due.models import Due
from troth.sandbox.courier import Post
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Grant, Letter
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, ProviderEvent

PROVIDERS = ("paypal", "skrill")
SIGNED_HEADERS = ("PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME", "PAYPAL-TRANSMISSION-SIG", "PAYPAL-CERT-URL")
REFUSED = (400, 503)  # 503: the certificate's altered address could not be asked just now


def begun(house: House, edition: Edition, provider: str) -> Order:
    return Order.objects.get(pk=Purchase(house, edition, provider).orders())


def told_paid(house: House, order: Order) -> Post:
    """A genuine message that says "paid", while the books are put back to where nobody has paid."""
    payment = order.payments.get()
    if payment.provider == "skrill":
        house.sandbox.skrill.pay(payment.provider_ref)
        house.sandbox.skrill.sessions[payment.provider_ref].status = ""
    else:
        paypal = house.sandbox.paypal
        paypal.approve(payment.provider_ref)
        books = paypal.orders[payment.provider_ref]
        paypal._take(books)
        books.captures, books.approved, books.status = [], False, "PAYER_ACTION_REQUIRED"
    return house.posts()[-1]


def standing() -> list[Any]:
    """Everything that a sale would change."""
    return [
        list(Order.objects.order_by("pk").values_list("pk", "state")),
        list(Payment.objects.order_by("pk").values_list("pk", "state", "capture_ref", "settled_at")),
        Grant.objects.count(),
        Letter.objects.filter(kind="deliver").count(),
        Due.objects.filter(kind="deliver").count(),
    ]


def noted() -> int:
    """How many messages the shop has written down, forged ones by their count."""
    return ProviderEvent.objects.aggregate(all=Sum("times"))["all"] or 0


def changes_nothing(house: House, act: Callable[[], int]) -> int:
    """What the door answers; asserts that it was noted, and that nothing came of it, then or later."""
    before, count = standing(), noted()
    answer = act()
    assert standing() == before
    assert noted() == count + 1 or answer == 503
    house.works(later=timedelta(minutes=1))
    assert standing() == before
    assert not [mail for mail in house.mails if "/download/" in mail.text]
    return answer


def flips(name: str, size: int) -> list[int]:
    """Which bytes to alter: all of them, or a sample."""
    return list(range(size)) if campaign.FULL else sorted(campaign.draws(name).sample(range(size), min(size, 24)))


def flipped(body: bytes, at: int, name: str) -> bytes:
    return body[:at] + bytes([body[at] ^ (1 << campaign.draws(f"{name}/{at}").randrange(8))]) + body[at + 1 :]


@pytest.mark.soak
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_message_with_any_byte_altered_changes_nothing(house: House, edition: Edition, provider: str) -> None:
    post = told_paid(house, begun(house, edition, provider))
    before = standing()
    answers = []
    for at in flips(provider, len(post.body)):
        count = noted()
        body = flipped(post.body, at, provider)
        answers.append(house.bring(post, body))
        assert standing() == before
        # What Skrill does not sign may be altered: one more reason to look, and kept if it says anything new.
        again = answers[-1] == 200 and provider == "skrill"
        assert noted() == count + 1 or again, f"byte {at} was not noted"
    house.works(later=timedelta(minutes=1))
    assert standing() == before
    assert set(answers) == {400} if provider == "paypal" else 400 in answers
    assert house.bring(post) == 200  # as it was sent, it is genuine
    house.works(later=timedelta(minutes=1))
    assert standing() == before


SIGNED = ("merchant_id", "transaction_id", "mb_amount", "mb_currency", "status", "md5sig", "amount", "currency")


@pytest.mark.parametrize("field", SIGNED)
def test_what_skrill_signs_cannot_be_altered(house: House, edition: Edition, field: str) -> None:
    post = told_paid(house, begun(house, edition, "skrill"))
    fields = dict(parse_qsl(post.body.decode()))
    for value in (fields[field][:-1] + ("1" if fields[field][-1] != "1" else "2"), ""):
        body = urlencode(fields | {field: value}).encode()
        assert changes_nothing(house, lambda body=body: house.bring(post, body)) == 400


@pytest.mark.soak
@pytest.mark.parametrize("header", SIGNED_HEADERS)
def test_a_header_with_any_byte_altered_changes_nothing(house: House, edition: Edition, header: str) -> None:
    post = told_paid(house, begun(house, edition, "paypal"))
    value, before = post.headers[header].encode(), standing()
    for at in flips(header, len(value)):
        told = flipped(value, at, header).decode("latin-1")
        assert house.bring(post, **{header.lower().replace("-", "_"): told}) in REFUSED
        assert standing() == before
    assert changes_nothing(house, lambda: house.bring(post, **{header.lower().replace("-", "_"): ""})) == 400


def signed(house: House, event: dict[str, Any]) -> Post:
    """An event that PayPal really signs, for our webhook."""
    body = json.dumps(event).encode()
    return Post(0, event["event_type"], "paypal", house.sandbox.paypal.signed(body), body)


def test_an_event_for_another_shops_webhook_is_forged(house: House, edition: Edition) -> None:
    post, merchant = told_paid(house, begun(house, edition, "paypal")), house.sandbox.paypal.merchant
    ours, merchant.webhook_id = merchant.webhook_id, "0" * 16
    try:
        another = signed(house, json.loads(post.body))
    finally:
        merchant.webhook_id = ours
    assert changes_nothing(house, lambda: house.bring(another)) == 400
    assert ProviderEvent.objects.get().outcome == "signature"


OTHER_MONEY = {
    "amount": {"amount": {"value": "1.00", "currency_code": "EUR"}},
    "currency": {"amount": {"value": "49.00", "currency_code": "USD"}},
    "payee": {"payee": {"merchant_id": "SOMEBODYELSE1"}},
}


@pytest.mark.parametrize("what", OTHER_MONEY)
def test_a_signed_event_about_other_money_is_noted_as_such(house: House, edition: Edition, what: str) -> None:
    event = json.loads(told_paid(house, begun(house, edition, "paypal")).body)
    event["resource"] |= OTHER_MONEY[what]
    assert changes_nothing(house, lambda: house.bring(signed(house, event))) == 200
    assert ProviderEvent.objects.get().outcome == f"mismatch-{what}"


OTHER_STATUS = {
    "amount": {"amount": "1.00", "mb_amount": "1"},
    "currency": {"currency": "USD", "mb_currency": "USD"},
    "payee": {"pay_to_email": "somebody@else.example"},
}


@pytest.mark.parametrize("what", OTHER_STATUS)
def test_a_signed_status_about_other_money_is_noted_as_such(house: House, edition: Edition, what: str) -> None:
    order = begun(house, edition, "skrill")
    told_paid(house, order)
    skrill = house.sandbox.skrill
    session = skrill.sessions[order.payments.get().provider_ref]
    session.status = "2"
    post = skrill.post(session, OTHER_STATUS[what])
    session.status = ""
    assert changes_nothing(house, lambda: house.bring(post)) == 200
    assert ProviderEvent.objects.get().outcome == f"mismatch-{what}"


@pytest.mark.parametrize("custom_id", ["theirs", "ours, and no other"])
def test_the_event_of_one_order_does_not_pay_another(house: House, edition: Edition, custom_id: str) -> None:
    """CVE-2026-68500 and its like: a genuine paid event, told with the ids of an order that nobody paid."""
    cheap, dear = begun(house, edition, "paypal"), begun(house, edition, "paypal")
    event = json.loads(told_paid(house, cheap).body)
    event["resource"]["custom_id"] = dear.payments.get().id
    if custom_id != "theirs":
        del event["resource"]["supplementary_data"], event["resource"]["links"]
    assert changes_nothing(house, lambda: house.bring(signed(house, event))) == 200
    outcome = ProviderEvent.objects.get().outcome
    assert outcome == ("unmatched" if custom_id == "theirs" else "look")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_coming_back_with_the_ids_of_a_paid_order_does_not_pay_another(
    house: House, edition: Edition, provider: str
) -> None:
    paid, open_ = Purchase(house, edition, provider), begun(house, edition, provider)
    first = Order.objects.get(pk=paid.orders())
    back = paid.pays(first)
    paid.comes_back(back)
    paid.comes_back(back)
    house.works(later=timedelta(minutes=1))
    open_.refresh_from_db()
    first.refresh_from_db()
    assert (first.state, open_.state) == (Order.PAID, Order.OPEN)
    assert len([mail for mail in house.mails if "/download/" in mail.text]) == 1


WRONG_BOOKS = {
    "amount": lambda capture, order: setattr(capture, "value", "1.00"),
    "currency": lambda capture, order: setattr(capture, "currency", "USD"),
    "payment": lambda capture, order: (
        order.units[0].update(custom_id="pay_x"),
        setattr(capture, "custom_id", "pay_x"),
    ),
}


@pytest.mark.parametrize("what", [*WRONG_BOOKS, "payee"])
def test_money_that_does_not_fit_waits_for_a_person(house: House, edition: Edition, what: str) -> None:
    """The provider itself shows other money than was asked for: neither believed nor forgotten."""
    order = begun(house, edition, "paypal")
    paypal = house.sandbox.paypal
    paypal.approve(order.payments.get().provider_ref)
    books = paypal.orders[order.payments.get().provider_ref]
    paypal._take(books)
    merchant_id = paypal.merchant.merchant_id
    if what == "payee":
        paypal.merchant.merchant_id = "SOMEBODYELSE1"
    else:
        WRONG_BOOKS[what](books.captures[0], books)
    try:
        house.works(later=timedelta(minutes=1))
    finally:
        paypal.merchant.merchant_id = merchant_id
    order.refresh_from_db()
    payment = order.payments.get()
    assert (order.state, payment.state, payment.reason) == (Order.OPEN, Payment.REVIEW, f"mismatch-{what}")
    assert not [mail for mail in house.mails if "/download/" in mail.text]
    assert not Grant.objects.exists()
