"""Fifty who ask for money back at the same moment: never more goes back than came. Real threads, real transactions."""

import pytest

from tests.faults.test_storms import at_once, crowd
from tests.house import House
from tests.payments import books
from tests.payments.test_refund import paid
from troth.pledge.due import loop as due
from troth.shop.catalogue.models import Edition
from troth.shop.journeys import refund, settle
from troth.shop.journeys.errands import ERRANDS
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, Refund
from troth.shop.refusal import Refused

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["crowd"]
PROVIDERS = ("paypal", "skrill")


def asks(order: Order, minor: int) -> str:
    try:
        return refund.ask(order, minor=minor).id
    except Refused:
        return ""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_fifty_refunds_at_once(crowd: House, edition: Edition, provider: str) -> None:
    order = paid(crowd, edition, provider)
    asked = at_once([lambda: asks(order, 1000) for _ in range(50)])
    assert len([one for one in asked if one]) == 4  # of 49.00
    work(crowd)
    payment = order.payments.get()
    assert (payment.refunded_minor, payment.refunding_minor, books.gone(crowd, payment)) == (4000, 0, 4000)
    assert Refund.objects.filter(state=Refund.DONE).count() == 4
    assert order.lines.get().returned_minor == 4000


def test_the_same_refund_by_several_workers_and_the_news_of_it_is_one(crowd: House, edition: Edition) -> None:
    order = paid(crowd, edition, "paypal")
    asked = refund.ask(order)
    claim = due.claim()
    assert claim is not None and claim.subject == asked.id
    payment = order.payments.get()
    at_once([lambda: refund.give(asked.id, claim)] * 3 + [lambda: settle.look(Payment.objects.get(pk=payment.pk))] * 5)
    work(crowd)
    payment.refresh_from_db()
    order.refresh_from_db()
    assert (payment.state, payment.refunded_minor, books.gone(crowd, payment)) == (Payment.REFUNDED, 4900, 4900)
    assert (order.state, Refund.objects.count()) == (Order.REFUNDED, 1)


def work(house: House) -> None:
    while (claimed := due.claim()) is not None:
        due.work_off(claimed, ERRANDS)
