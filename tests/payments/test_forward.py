"""Money moves forward only: the database refuses a step back, by whatever way it is asked for."""

from collections.abc import Iterator
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction

from tests.house import House
from tests.journeys.test_buy_to_delivery import begin, come_back, pay
from troth.shop.catalogue.models import Edition
from troth.shop.orders.models import Order
from troth.shop.payments import attempt
from troth.shop.payments.models import Dispute, Payment, Refund

MODELS = {"payments_payment": Payment, "payments_refund": Refund, "payments_dispute": Dispute, "orders_order": Order}


@pytest.fixture
def rows(house: House, edition: Edition) -> Iterator[dict[str, object]]:
    """A row of each kind, in the lowest of its states."""
    order = begin(edition)
    payment = attempt.new(order, "paypal")
    Payment.objects.filter(pk=payment.pk).update(captured_minor=payment.amount_minor)
    refund = Refund.objects.create(payment=payment, provider="paypal", amount_minor=100)
    dispute = Dispute.objects.create(payment=payment, provider="paypal", provider_ref="PP-D-1")
    yield {
        "payments_payment": payment.pk,
        "payments_refund": refund.pk,
        "payments_dispute": dispute.pk,
        "orders_order": order.pk,
    }


def update(table: str, key: object, assignment: str) -> bool:
    """Whether the database took `UPDATE table SET assignment` for this row."""
    name = "ref" if table == "orders_order" else "id"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {assignment} WHERE {name} = %s", [key])
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize("table", MODELS)
def test_every_step_between_states_is_taken_or_refused_by_its_rank(rows: dict[str, object], table: str) -> None:
    ranks = MODELS[table].RANKS
    paid = ", paid_at = made_at" if table == "orders_order" else ""
    for before, after in product(ranks, ranks):
        with transaction.atomic():
            assert update(table, rows[table], f"state = '{before}'{paid}"), before
            taken = update(table, rows[table], f"state = '{after}'")
            assert taken == (ranks[after] >= ranks[before]), (before, after)
            transaction.set_rollback(True)


@pytest.mark.parametrize("table", MODELS)
def test_a_state_that_there_is_not_is_refused(rows: dict[str, object], table: str) -> None:
    assert not update(table, rows[table], "state = 'done!'")


@pytest.mark.parametrize("column", ["captured_minor", "refunded_minor", "regained_minor"])
def test_a_sum_never_shrinks(rows: dict[str, object], column: str) -> None:
    key = rows["payments_payment"]
    assert update("payments_payment", key, "refunded_minor = 300, regained_minor = 200")
    assert update("payments_payment", key, f"{column} = {column} + 1")
    assert not update("payments_payment", key, f"{column} = {column} - 1")


def test_never_more_goes_back_than_came(rows: dict[str, object]) -> None:
    key = rows["payments_payment"]
    assert update("payments_payment", key, "refunded_minor = captured_minor")
    assert not update("payments_payment", key, "refunded_minor = captured_minor + 1")
    assert not update("payments_payment", key, "regained_minor = captured_minor + 1")


def test_money_has_one_name_at_the_provider_for_ever(rows: dict[str, object]) -> None:
    for table, column in (("payments_payment", "capture_ref"), ("payments_refund", "provider_ref")):
        assert update(table, rows[table], f"{column} = 'ONE'")
        assert update(table, rows[table], f"{column} = 'ONE'")
        assert not update(table, rows[table], f"{column} = 'OTHER'")


@pytest.mark.parametrize("change", ["amount_minor = 1", "currency = 'USD'"])
def test_what_was_paid_for_stays_what_it_was(house: House, edition: Edition, change: str) -> None:
    order = begin(edition)
    key = order.payments.get().pk
    assert update("payments_payment", key, "reason = 'x'")
    come_back(order, pay(house, order))
    assert Payment.objects.get().state == Payment.PAID
    assert not update("payments_payment", key, change)
