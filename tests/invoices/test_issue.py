"""One invoice for what was paid, numbered without gaps and never altered; credit notes for what goes back."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from tests.house import House
from tests.invoices.conftest import FIRM, ordered, paid
from troth.shop.catalogue.models import Edition
from troth.shop.invoices import issue
from troth.shop.invoices.models import Invoice, Print, Series
from troth.shop.invoices.snapshot import Altered, read
from troth.shop.journeys import invoice, settle
from troth.shop.payments.models import Refund, RefundLine


def sums() -> list[tuple[str, int, int]]:
    return list(Invoice.objects.order_by("kind", "sequence").values_list("number", "net_minor", "tax_minor"))


@pytest.mark.parametrize("provider", ["paypal", "skrill"])
def test_settled_money_has_its_invoice_at_once(house: House, edition: Edition, provider: str) -> None:
    order = paid(house, ordered(edition, provider=provider))
    (made,) = Invoice.objects.all()
    assert (made.order, made.billing, made.kind) == (order, order.billing, "invoice")
    assert (made.net_minor, made.tax_minor, made.rate, made.tax_country) == (4083, 817, 2000, "AT")
    assert made.number == f"{made.issued_at.year}-00001"
    kept = read(Invoice.objects.select_related("billing").get())
    assert (kept.seller.vat_number, kept.paid_by.lower(), kept.order) == ("DE136695976", provider, order.ref)
    assert [(line.name, line.quantity) for line in kept.lines] == [("Field Guide, Single site", 1)]


def test_only_the_first_of_many_looks_gives_a_number(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    for _ in range(3):
        settle.look(order.payments.get())
    assert [number for number, _, _ in sums()] == [f"{order.paid_at:%Y}-00001"]


def test_an_unpaid_order_has_no_number_and_leaves_no_gap(house: House, edition: Edition) -> None:
    ordered(edition)
    paid(house, ordered(edition))
    paid(house, ordered(edition))
    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]
    assert Series.objects.get().last == 2


def test_a_settlement_that_fails_gives_its_number_back(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ordered(edition)
    with monkeypatch.context() as patch:
        patch.setattr(invoice.fault, "here", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            paid(house, first)
    assert not Invoice.objects.exists()
    paid(house, ordered(edition))
    paid(house, first)
    assert list(Invoice.objects.order_by("sequence").values_list("sequence", flat=True)) == [1, 2]


@pytest.mark.parametrize("table", ["invoices_invoice", "invoices_print"])
def test_what_was_issued_is_neither_altered_nor_deleted(house: House, edition: Edition, table: str) -> None:
    paid(house, ordered(edition))
    house.works()
    columns = [field.column for model in (Invoice, Print) if model._meta.db_table == table
               for field in model._meta.local_fields]  # fmt: skip
    for statement in (f"DELETE FROM {table}", *(f"UPDATE {table} SET {column} = {column}" for column in columns)):
        with pytest.raises(IntegrityError, match=r"never (altered|deleted)"), transaction.atomic():
            connection.cursor().execute(statement)
    assert Invoice.objects.count() == Print.objects.count() == 1


def refund(order: object, amount: int, *, by_line: bool = True, **more: object) -> Refund:
    payment = order.payments.get()  # type: ignore[attr-defined]
    made = Refund.objects.create(payment=payment, provider=payment.provider, amount_minor=amount, **more)
    if by_line:
        RefundLine.objects.create(refund=made, line=order.lines.get(), amount_minor=amount)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("by_line", [True, False])
def test_a_partial_refund_has_a_credit_note_with_its_share_of_tax(
    house: House, edition: Edition, by_line: bool
) -> None:
    order = paid(house, ordered(edition))
    first, second, third = (refund(order, amount, by_line=by_line) for amount in (1001, 1001, 2898))
    for one in (first, first, second, third):  # the same one again changes nothing
        invoice.refunded(one)
    year = f"{order.paid_at:%Y}"
    found = sums()
    assert [number for number, _, _ in found] == [
        f"C{year}-00001", f"C{year}-00002", f"C{year}-00003", f"{year}-00001"
    ]  # fmt: skip
    assert [net + tax for _, net, tax in found] == [1001, 1001, 2898, 4900]
    assert sum(tax for _, _, tax in found[:3]) == found[3][2]
    assert all(abs(tax - (net + tax) / 6) <= 1 for _, net, tax in found)
    assert set(Invoice.objects.filter(kind="credit").values_list("corrects__number", flat=True)) == {f"{year}-00001"}


def test_no_more_is_credited_than_was_billed(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    invoice.refunded(refund(order, 4000))
    invoice.refunded(refund(order, 1000))
    invoice.refunded(refund(order, 1, by_line=False))
    assert [net + tax for number, net, tax in sums() if number.startswith("C")] == [4000, 900]
    assert Series.objects.get(name__startswith="credit").last == 2
    with pytest.raises(ValueError, match="not a part"), transaction.atomic():
        issue.credit(order, "by hand", [(order.lines.get(), 1)], "PayPal")
    assert Series.objects.get(name__startswith="credit").last == 2


def test_money_that_came_again_is_billed_again(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition, FIRM))
    back = refund(order, 4118, kind=Refund.REVERSAL)
    for act in (invoice.refunded, invoice.regained, invoice.regained):
        act(back)
    assert [(net, tax) for _, net, tax in sums()] == [(4118, 0)] * 3
    assert Invoice.objects.get(corrects__kind="credit").kind == "invoice"
    invoice.refunded(refund(order, 4118))  # and may go back once more
    assert Invoice.objects.filter(kind="credit").count() == 2


def test_a_surplus_that_goes_back_was_never_billed(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    back = refund(order, 4900)
    back.payment.surplus = True
    invoice.refunded(back)
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize("field", ["snapshot", "net_minor", "number", "tax_country"])
def test_a_row_that_was_altered_behind_the_guards_is_told(house: House, edition: Edition, field: str) -> None:
    paid(house, ordered(edition))
    made = Invoice.objects.select_related("billing").get()
    value = getattr(made, field)
    setattr(made, field, value.replace("1", "2") if isinstance(value, str) and "1" in value else value * 2)
    with pytest.raises(Altered):
        read(made)
