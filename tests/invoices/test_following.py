"""Credit notes follow the money, by whichever way it goes back; a dispute that was won is billed again."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.invoices.conftest import ALICE, ordered, paid
from troth.shop.catalogue.models import Edition
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import refund
from troth.shop.payments.models import Payment


def totals() -> list[tuple[str, int]]:
    rows = Invoice.objects.order_by("issued_at", "sequence")
    return [(row.kind, row.total.minor) for row in rows]


@pytest.mark.parametrize("provider", ["paypal", "skrill"])
def test_a_partial_and_then_the_rest(house: House, edition: Edition, provider: str) -> None:
    order = paid(house, ordered(edition, provider=provider))
    for minor in (1000, None):
        refund.ask(order, minor=minor)
        house.works()
    assert totals() == [("invoice", 4900), ("credit", 1000), ("credit", 3900)]
    credits = Invoice.objects.filter(kind="credit")
    assert sum(row.tax_minor for row in credits) == Invoice.objects.get(kind="invoice").tax_minor


def test_a_refund_that_the_owner_makes_at_the_providers_own_site(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition, ALICE))
    house.sandbox.paypal.money.take_back(order.payments.get().capture_ref)
    house.messages(2)
    house.works()
    assert totals() == [("invoice", 4900), ("credit", 4900)]


def test_a_reversal_that_was_won_back_is_billed_again_once(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    payment = order.payments.get()
    case = house.sandbox.paypal.money.dispute(payment.capture_ref)
    house.sandbox.paypal.money.take_back(payment.capture_ref, reversed_=True)
    house.messages(2)
    house.works()
    house.sandbox.paypal.money.resolve(case, "RESOLVED_SELLER_FAVOUR")
    for _ in range(2):
        house.messages(2)
        house.works()
    payment.refresh_from_db()
    assert payment.state == Payment.REGAINED
    assert totals() == [("invoice", 4900), ("credit", 4900), ("invoice", 4900)]
    again = Invoice.objects.order_by("issued_at").last()
    assert again is not None and again.corrects is not None and again.corrects.kind == "credit"


def test_the_country_that_skrill_tells_is_kept_in_two_letters(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition, provider="skrill"))
    assert len(order.payments.get().payer_country) in (0, 2)
