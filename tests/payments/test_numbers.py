"""Numbers that we promise: how soon a payment without messages is settled, and how long the books take to compare."""

import hashlib
import time
from datetime import timedelta

import pytest

from tests.house import House
from tests.journeys.test_buy_to_delivery import ADDRESS, PROVIDERS, begin
from tests.payments.test_refund import paid
from troth.pledge import clock
from troth.sandbox.paypal_books import Capture
from troth.sandbox.paypal_books import Order as TheirOrder
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import buy, reconcile, settle
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments.attempt import PAGE_LIVES
from troth.shop.payments.models import Payment
from troth.shop.payments.polling import BUSY, FIRST_LOOK, pause

WITHIN = 300.0  # seconds from the payment to its settlement, with every message lost


@pytest.mark.parametrize("provider", PROVIDERS)
def test_whenever_somebody_pays_the_next_look_is_near(provider: str) -> None:
    at, looks, longest = float(FIRST_LOOK), 0, float(FIRST_LOOK)
    while at < BUSY[provider].total_seconds():
        looks += 1
        after = pause(provider, timedelta(seconds=at), looks)
        longest, at = max(longest, after), at + after
    assert longest < WITHIN - 30  # half a minute is left for the look itself
    assert looks < 110
    three_hours = timedelta(hours=3) if provider == "paypal" else timedelta()  # to approve, after coming there
    assert BUSY[provider] > PAGE_LIVES[provider] + three_hours


@pytest.mark.parametrize("minutes", [0, 3, 11])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_all_messages_lost_and_settled_within_five_minutes(
    house: House, edition: Edition, provider: str, minutes: int
) -> None:
    order = begin(edition, provider)
    for _ in range(minutes):
        house.works(later=timedelta(minutes=1))
    payment = order.payments.get()
    if provider == "paypal":
        house.sandbox.paypal.approve(payment.provider_ref)
    else:
        house.sandbox.skrill.pay(payment.provider_ref)
    begun = clock.now()
    while Order.objects.get().state != Order.PAID:
        house.works(later=timedelta(seconds=10))
        assert clock.now() - begun < timedelta(seconds=WITHIN)
    assert len(house.mails) == 1


def test_ten_thousand_orders_are_compared_in_half_a_minute(house: House, edition: Edition) -> None:
    """Both books are filled by hand; one payment differs, and one is unknown to each side."""
    order = paid(house, edition, "paypal")
    mine = order.payments.get()
    theirs = house.sandbox.paypal.orders[mine.provider_ref]
    made = theirs.captures[0].made
    names = [f"CAPTURE{number:09}" for number in range(10_000)]
    house.sandbox.paypal.orders |= {
        name: TheirOrder(name, "COMPLETED", theirs.units, "", "", True, made, captures=[
            Capture(name, "COMPLETED", "49.00", "EUR", f"pay_{name}", "", name, made=made)
        ])
        for name in names[1:]
    }  # fmt: skip
    settled = clock.now() - timedelta(hours=5)
    values = {"order": order, "provider": "paypal", "amount_minor": 4900, "currency": "EUR", "state": Payment.PAID}
    values |= {"captured_minor": 4900, "surplus": True, "settled_at": settled}
    Payment.objects.bulk_create(Payment(**values, provider_ref=name, capture_ref=name) for name in names[:-1])
    Payment.objects.filter(capture_ref=names[1]).update(captured_minor=5000)
    began = time.process_time()
    compared = reconcile.compare("paypal")
    took = time.process_time() - began
    assert compared.entries == 10_000
    assert sorted((one.kind, one.provider_ref) for one in compared.odd) == [
        ("missing-money", names[0]),
        ("other-amount", names[1]),
        ("unknown-money", names[-1]),
    ]
    assert took < 30, f"{took:.1f} s of CPU time"


def test_settling_costs_little(house: House, edition: Edition) -> None:
    """CPU time of writing a paid order down: the look over HTTP is not in it, the invoice is."""
    house.stock(12)
    spent = []
    for number in range(12):
        order = begin(edition, "paypal") if number == 0 else another(edition, number)
        payment = order.payments.get()
        house.sandbox.paypal.approve(payment.provider_ref)
        provider = settle.gateways.provider("paypal")
        sight = provider.capture(payment.provider_ref, payment.id, f"capture-{payment.id}-1")
        began = time.thread_time()
        assert settle.settle(payment, sight) == "paid"
        spent.append(time.thread_time() - began)
    middle = sorted(spent)[len(spent) // 2]
    assert middle < 0.008, f"{middle * 1000:.1f} ms of CPU time"


def another(edition: Edition, number: int) -> Order:
    key = f"key-{number}"
    row = Basket.objects.create(key_hash=hashlib.sha256(key.encode()).hexdigest())
    BasketLine.objects.create(basket=row, edition=edition, quantity=1)
    ref = buy.begin(key, buy.Newcomer("A", f"a{number}@b.example"), ADDRESS, "paypal").order_ref
    return Order.objects.get(pk=ref)
