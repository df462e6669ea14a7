"""The referee: what the look-alikes' own books say about a shop's money, beside what the shop's rows say."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from tests.house import House
from troth.pledge import clock
from troth.pledge.due.models import Due
from troth.pledge.vault.models import Person
from troth.shop.journeys import download
from troth.shop.orders.models import Order
from troth.shop.payments.models import Dispute, Payment, Refund


@contextmanager
def afresh(house: House, people: int) -> Iterator[None]:
    """A world of its own inside a test: empty books, the clock as it is, and all rows gone afterwards.

    Its people are new to the keeper, too, who remembers where each one is reached.
    """
    house.sandbox.reset()
    house._brought = 0
    for courier in (house.sandbox.paypal.courier, house.sandbox.skrill.courier):
        courier.dropping = True
    clock.travel(timedelta())
    block = transaction.atomic()
    block._from_testcase = True  # as the blocks are that Django wraps around each test
    with block:
        try:
            Person.objects.filter(taken_at=None).delete()
            house.stock(people)
            yield
        finally:
            transaction.set_rollback(True)


def came(house: House, payment: Payment) -> int:
    """Minor units that the provider holds for captured, whatever became of them."""
    if payment.provider == "paypal":
        order = house.sandbox.paypal.orders.get(payment.provider_ref)
        captures = order.captures if order else []
        whole = [one for one in captures if one.status in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")]
        return round(sum((Decimal(one.value) for one in whole), Decimal(0)) * 100)
    session = house.sandbox.skrill.sessions.get(payment.provider_ref)
    return payment.amount_minor if session and session.status in ("2", "-3") else 0


def gone(house: House, payment: Payment) -> int:
    """Minor units that went back, by the provider's books."""
    if payment.provider == "paypal":
        order = house.sandbox.paypal.orders.get(payment.provider_ref)
        back = [one.amount for capture in (order.captures if order else []) for one in capture.refunds
                if one.status == "COMPLETED"]  # fmt: skip
    else:
        session = house.sandbox.skrill.sessions.get(payment.provider_ref)
        back = [one.amount for one in (session.movements if session else []) if one.status == "2"]
    return round(sum(back, Decimal(0)) * 100)


def never_wrong(house: House) -> None:
    """What must hold at every moment, whatever got lost on the way."""
    for payment in Payment.objects.all():
        claimed = payment.refunded_minor - payment.regained_minor
        assert payment.captured_minor in (0, came(house, payment)), "money is claimed that never came"
        assert claimed <= max(gone(house, payment), payment.refunded_minor if payment.disputes.exists() else 0)
        assert payment.refunded_minor <= payment.captured_minor
        done = payment.refunds.filter(state__in=(Refund.DONE, Refund.REGAINED))
        assert sum(done.values_list("amount_minor", flat=True)) == payment.refunded_minor
        waiting = payment.refunds.filter(state__in=(Refund.ASKED, Refund.PENDING))
        assert sum(waiting.values_list("amount_minor", flat=True)) == payment.refunding_minor
    for order in Order.objects.all():
        paying = order.payments.filter(state__in=Payment.SETTLED, surplus=False)
        assert paying.count() == (1 if order.state in (Order.PAID, Order.REFUNDED) else 0)
        for payment in paying:
            assert came(house, payment) == order.total_minor == payment.captured_minor, "delivered for other money"
        letters = [mail for mail in house.mails if f"/orders/{order.ref}/key/" in mail.text]
        assert len({mail.message_id for mail in letters}) <= 1
        assert not letters or paying.exists()


def all_agrees(house: House) -> None:
    """What must hold once every message has come and the worker has caught up."""
    never_wrong(house)
    for payment in Payment.objects.all():
        assert payment.captured_minor == came(house, payment), payment.state
        assert payment.refunded_minor - payment.regained_minor == gone(house, payment), payment.state
        assert not payment.refunds.filter(state=Refund.ASKED).exists()
        if payment.surplus:
            assert payment.kept_minor == 0, "money that no order needs stayed"
    for order in Order.objects.all():
        line = order.lines.get()
        assert (line.ended == "") == _open(house, order), (order.state, line.ended)
        letters = [mail for mail in house.mails if f"/orders/{order.ref}/key/" in mail.text]
        if order.state == Order.PAID and not line.ended:
            assert len(letters) == len(download.links(order)) == 1, "paid and not delivered"
    left = Due.objects.filter(kind__in=("deliver", "refund", "dispute")).values_list("kind", "last_code")
    assert not left, list(left)


def _open(house: House, order: Order) -> bool:
    """Whether the buyer of a single line has a right to it, by the provider's books."""
    payment = order.payments.filter(state__in=Payment.SETTLED, surplus=False).first()
    if payment is None:
        return True  # nothing was given, nothing has ended
    cases = set(payment.disputes.values_list("state", flat=True))
    pending = sum(payment.refunds.filter(state=Refund.PENDING).values_list("amount_minor", flat=True))
    held = came(house, payment) > gone(house, payment) + pending
    return held and not cases & {Dispute.OPEN, Dispute.LOST}
