"""Numbers without gaps when many settle and are refunded at the same moment. Real threads, real transactions."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.faults.test_storms import at_once
from tests.house import House
from tests.invoices.conftest import ordered
from troth.shop.catalogue.models import Edition
from troth.shop.invoices.models import Invoice, Series
from troth.shop.journeys import books, invoice, settle
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, Refund

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 50


def sequences(kind: str) -> list[int]:
    return list(Invoice.objects.filter(kind=kind).order_by("sequence").values_list("sequence", flat=True))


def test_fifty_settlements_at_once_are_fifty_numbers(house: House, edition: Edition) -> None:
    house.stock(MANY)
    orders = [ordered(edition, provider=("paypal", "skrill")[n % 2]) for n in range(MANY)]
    payments = [order.payments.get() for order in orders]
    for payment in payments:
        pages = {"paypal": house.sandbox.paypal.approve, "skrill": house.sandbox.skrill.pay}
        pages[payment.provider](payment.provider_ref)
    at_once([lambda one=one: settle.look(one) for one in payments])
    assert Order.objects.filter(state=Order.PAID).count() == MANY
    assert sequences("invoice") == list(range(1, MANY + 1))
    assert Invoice.objects.values("order").distinct().count() == MANY
    assert books.gaps() == []


def test_many_looks_at_one_payment_are_one_number(house: House, edition: Edition) -> None:
    order = ordered(edition)
    payment = order.payments.get()
    house.sandbox.paypal.approve(payment.provider_ref)
    at_once([lambda: settle.look(Payment.objects.get(pk=payment.pk)) for _ in range(20)])
    assert sequences("invoice") == [1] and Series.objects.get().last == 1


def test_refunds_of_one_order_at_once_credit_its_tax_exactly(house: House, edition: Edition) -> None:
    order = ordered(edition)
    payment = order.payments.get()
    house.sandbox.paypal.approve(payment.provider_ref)
    settle.look(payment)
    backs = [Refund.objects.create(payment=payment, provider="paypal", amount_minor=490) for _ in range(10)]

    def credit(back: Refund) -> None:
        with transaction.atomic():
            invoice.refunded(Refund.objects.select_related("payment__order").get(pk=back.pk))

    at_once([lambda one=one: credit(one) for one in backs])
    credits = Invoice.objects.filter(kind="credit")
    assert sequences("credit") == list(range(1, 11))
    assert sum(row.total.minor for row in credits) == 4900
    assert sum(row.tax_minor for row in credits) == Invoice.objects.get(kind="invoice").tax_minor == 817
