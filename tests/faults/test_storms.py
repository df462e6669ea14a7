"""The same message once, twice and fifty times at the same moment, before, while and after the buyer comes back.

Real threads, real transactions, the shop's own door: one order, one grant, one mail.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from tests.faults.shopping import Purchase, faults_of
from tests.house import House
from troth.pledge.due import loop as due
from troth.pledge.vault.door import Door
from troth.shop.catalogue.models import Edition
from troth.shop.delivery.models import Grant
from troth.shop.journeys.errands import ERRANDS
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, ProviderEvent

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 3


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Run all of them, each in a thread of its own, released at the same moment; what they returned."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            gate.wait(30)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def crowd(house: House) -> Iterator[House]:
    """The house, with a keeper that several threads may ask: its own loop answers one question at a time, too."""
    lock, say = threading.Lock(), house.worker._say

    def one_by_one(question: bytes) -> bytes:
        with lock:
            return say(question)

    house.worker = Door(one_by_one)
    yield house


def work(house: House) -> None:
    """All that is due now, by several workers at the same time."""

    def one() -> None:
        while (claimed := due.claim()) is not None:
            due.work_off(claimed, ERRANDS)

    with house.as_worker():
        at_once([one] * WORKERS)


def messages(house: House, times: int) -> list[Callable[[], Any]]:
    """Bring every message there is, each of them `times`."""
    found: list[Callable[[], Any]] = [lambda post=post: house.bring(post) for post in house.posts() * times]
    assert found
    return found


@pytest.mark.parametrize("moment", ["before", "while", "after"])
@pytest.mark.parametrize("times", [1, 2, 50])
@pytest.mark.parametrize("provider", ["paypal", "skrill"])
def test_any_number_of_messages_at_once_is_one_sale(
    crowd: House, edition: Edition, provider: str, times: int, moment: str
) -> None:
    purchase = Purchase(crowd, edition, provider)
    order = Order.objects.get(pk=purchase.orders())
    back = purchase.pays(order)
    storm = messages(crowd, times)
    comes_back = [lambda: purchase.comes_back(back)]
    waves = {"before": [storm, comes_back], "while": [storm + comes_back], "after": [comes_back, storm]}[moment]
    for wave in waves:
        assert set(at_once(wave)) <= {200, None}
        work(crowd)
    assert set(at_once(messages(crowd, times))) == {200}  # the capture has its own message, and the first come again
    work(crowd)
    crowd.works(later=timedelta(minutes=1))  # what is planned for later finds nothing left to do
    order.refresh_from_db()
    assert faults_of(crowd, order) == []
    assert len([mail for mail in crowd.mails if order.ref in mail.text]) == 1
    assert Order.objects.count() == Payment.objects.count() == Grant.objects.count() == 1
    assert ProviderEvent.objects.filter(verified=True).count() == len(crowd.posts())


def test_a_form_sent_by_many_hands_at_once_is_one_order(crowd: House, edition: Edition) -> None:
    purchase = Purchase(crowd, edition, "paypal")
    lock, say = threading.Lock(), crowd.web._say

    def one_by_one(question: bytes) -> bytes:
        with lock:
            return say(question)

    with crowd.as_role(Door(one_by_one)):
        refs = at_once([purchase.orders] * 8)
    assert len(set(refs)) == Order.objects.count() == Payment.objects.count() == 1
    assert len(crowd.sandbox.paypal.orders) == 1


def test_the_order_is_settled_by_one_of_many_who_look(crowd: House, edition: Edition) -> None:
    purchase = Purchase(crowd, edition, "paypal")
    order = Order.objects.get(pk=purchase.orders())
    back = purchase.pays(order)
    at_once([lambda: purchase.comes_back(back)] * 20)
    (books,) = crowd.sandbox.paypal.orders.values()
    assert len(books.captures) == 1
    assert order.payments.get().capture_ref == books.captures[0].id
    work(crowd)
    order.refresh_from_db()
    assert order.state == Order.PAID
    assert len([mail for mail in crowd.mails if order.ref in mail.text]) == 1
