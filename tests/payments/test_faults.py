"""Every call to a provider fails in every way, at every moment of a purchase and of its refund: the order ends right.

A call may act and its answer be lost; it may not act; its answer may be half, another, slow or drip. Whatever happens,
the buyer pays once, gets the product once, and a refund goes back once: by the look-alikes' own books.
"""

from datetime import timedelta

import httpx
import pytest

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, KEY, basket
from tests.payments import books
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, download, reconcile, refund, settle
from troth.shop.orders.models import Order
from troth.shop.payments import gateways, give_back
from troth.shop.payments.models import Payment, Refund
from troth.shop.payments.providers import http

# provider -> each call that the shop makes on the way, and a word of its address
CALLS = {
    "paypal": {
        "token": "/oauth2/token",
        "create": "/v2/checkout/orders",
        "look": "/v2/checkout/orders/",
        "capture": "/capture",
        "refund": "/refund",
    },
    "skrill": {"prepare": "/skrill/pay", "look": "query.pl", "refund": "refund.pl"},
}
WAYS = ("lost", "500", "429", "503", "half", "html", "slow", "drip", "token")
CASES = [(provider, call, way, 1) for provider, calls in CALLS.items() for call in calls for way in WAYS]
CASES += [(provider, call, way, 2) for provider, calls in CALLS.items() for call in calls for way in ("lost", "500")]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second instead of twenty, so that a slow answer is a time-out here, too."""
    gateways.forget()
    make = gateways.make_client
    monkeypatch.setattr(gateways, "make_client", lambda ca_file: make(ca_file, connect=0.5, read=0.4))
    monkeypatch.setitem(http.send.__kwdefaults__, "longest", 0.4)


def breaks(house: House, call: str, way: str, times: int) -> None:
    if way == "token":
        house.sandbox.paypal.kill_tokens()
    else:
        house.sandbox.faults.add(way, call, times, 0.7 if way in ("slow", "drip") else 0)


@pytest.mark.parametrize(("provider", "call", "way", "times"), CASES)
def test_whatever_a_call_does_the_order_ends_right(
    house: House, edition: Edition, impatient: None, provider: str, call: str, way: str, times: int
) -> None:
    where = CALLS[provider][call]
    basket(edition)
    if call in ("token", "create", "prepare"):
        breaks(house, where, way, times)
    ref = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, provider).order_ref
    order = Order.objects.get(pk=ref)
    while not buy.pay_again(order, provider):
        pass
    payment = order.payments.get()
    if call in ("look", "capture"):
        breaks(house, where, way, times)
    if provider == "paypal":
        house.sandbox.paypal.approve(payment.provider_ref)
        settle.returned("paypal", {"token": payment.provider_ref})
    else:
        house.sandbox.skrill.pay(payment.provider_ref)
    for _ in range(5):  # all messages are lost: the poller settles it
        house.works(later=timedelta(minutes=1))
    order.refresh_from_db()
    assert (order.state, len(house.mails), len(download.links(order))) == (Order.PAID, 1, 1)
    if call == "refund":
        breaks(house, where, way, times)
    refund.ask(order)
    house.works()
    for _ in range(3):
        house.works(later=timedelta(minutes=5))
    payment.refresh_from_db()
    assert (payment.state, Refund.objects.get().state) == (Payment.REFUNDED, Refund.DONE)
    assert order.payments.count() == 1
    assert books.came(house, payment) == books.gone(house, payment) == 4900
    books.all_agrees(house)
    assert reconcile.compare(provider).odd == []


def test_the_ways_are_really_taken(house: House, edition: Edition, impatient: None) -> None:
    """Without a fault nothing is slow, and each fault is consumed by the call it is meant for."""
    for provider, calls in CALLS.items():
        for call, where in calls.items():
            house.sandbox.faults.add("500", where, 1)
            address = {"create": "/paypal/v2/checkout/orders", "prepare": "/skrill/pay"}.get(call, f"/x{where}")
            base = house.sandbox.paypal.base.removesuffix("/paypal")
            assert httpx.post(base + address, trust_env=False).status_code == 500, (provider, call)
            assert httpx.post(base + address, trust_env=False).status_code != 500


def test_a_refund_whose_session_is_over_is_looked_for_before_another_is_prepared(
    house: House, edition: Edition
) -> None:
    """Skrill forgets a prepared refund after a quarter of an hour: also one that it has carried out."""
    basket(edition)
    ref = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "skrill").order_ref
    order = Order.objects.get(pk=ref)
    house.sandbox.skrill.pay(order.payments.get().provider_ref)
    house.works(later=timedelta(minutes=5))
    refund.ask(order, minor=1000)
    house.sandbox.skrill.money.next_refund("GENERIC_ERROR")
    house.works()
    house.sandbox.skrill.money._prepared.clear()
    for _ in range(4):
        house.works(later=timedelta(hours=1))
    assert Refund.objects.get().state == Refund.DONE
    refund.ask(order)
    house.sandbox.faults.add("lost", "refund.pl", 2)  # the second step acts, and nobody hears of it
    house.works()
    house.sandbox.skrill.money._prepared.clear()
    for _ in range(4):
        house.works(later=timedelta(hours=1))
    assert books.gone(house, order.payments.get()) == 4900
    books.all_agrees(house)


@pytest.mark.parametrize("way", ["lost", "half", "html"])
def test_a_second_step_at_skrill_that_acted_unheard_is_found_in_the_history(
    house: House, edition: Edition, way: str
) -> None:
    basket(edition)
    ref = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "skrill").order_ref
    order = Order.objects.get(pk=ref)
    house.sandbox.skrill.pay(order.payments.get().provider_ref)
    house.works(later=timedelta(minutes=5))
    house.sandbox.skrill.money.next_refund("GENERIC_ERROR")  # so that the next call is the second step alone
    asked = refund.ask(order, minor=1000)
    house.works()
    house.sandbox.faults.add(way, "refund.pl")
    house.works(later=timedelta(minutes=1))
    asked.refresh_from_db()
    assert (asked.state, books.gone(house, order.payments.get())) == (Refund.ASKED, 1000)
    house.works(later=timedelta(minutes=5))
    asked.refresh_from_db()
    assert (asked.state, books.gone(house, order.payments.get())) == (Refund.DONE, 1000)


def test_no_more_is_set_aside_than_came(house: House, edition: Edition) -> None:
    """The statement itself, whoever asked before it."""
    basket(edition)
    ref = buy.begin(KEY, buy.Newcomer("Alice", "alice@b.example"), ADDRESS, "skrill").order_ref
    payment = Payment.objects.get(order=ref)
    assert not give_back.reserve(payment, 1)
    house.sandbox.skrill.pay(payment.provider_ref)
    house.works(later=timedelta(minutes=5))
    assert [give_back.reserve(payment, minor) for minor in (4901, 0, 3000, 3000, 1900, 1)] == [
        False, False, True, False, True, False,
    ]  # fmt: skip
