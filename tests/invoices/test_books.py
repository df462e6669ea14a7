"""The books: every number, no person; sums that add up; formulas that stay text; countries that contradict told."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from click.testing import CliRunner
from django.conf import settings
from django.db import connection

from tests.house import House
from tests.invoices.conftest import ALICE, FIRM, ordered, paid
from tests.invoices.test_fetching import lifted
from tests.invoices.test_issue import refund
from troth.faces.cli.invoices import invoices
from troth.shop.catalogue.models import Edition
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import books, invoice
from troth.shop.payments.models import Payment


def told(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(invoices, words)
    assert done.exit_code == code, done.output
    return done.output


def rows(*words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(told("--csv", *words))))


def test_one_line_for_each_paper_and_no_person_in_it(house: House, edition: Edition) -> None:
    orders = [paid(house, ordered(edition, who)) for who in (ALICE, FIRM)]
    invoice.refunded(refund(orders[0], 1000))
    found = rows()
    assert [(row["kind"], row["net"], row["tax"], row["total"], row["rate"]) for row in found] == [
        ("invoice", "40.83", "8.17", "49.00", "20"),
        ("invoice", "41.18", "0.00", "41.18", "0"),
        ("credit", "-8.33", "-1.67", "-10.00", "20"),
    ]
    assert [row["treatment"] for row in found] == ["standard", "reverse", "standard"]
    assert found[0]["buyer"] == found[2]["buyer"] != found[1]["buyer"]
    assert found[2]["corrects"] == found[0]["number"]
    whole = told("--csv") + told("--json") + told()
    for secret in ("Alice", "Elm", "1010", "Wien", "ATU13585627", *(order.person_id for order in orders)):
        assert secret not in whole, secret
    assert found[0].keys() == {
        "number", "kind", "date", "order", "corrects", "country", "payment_country", "treatment", "rate", "currency",
        "net", "tax", "total", "buyer",
    }  # fmt: skip


def test_a_month_is_that_month_alone(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    assert len(rows("--month", f"{order.paid_at:%Y-%m}")) == 1
    assert rows("--month", "2001-12") == []
    for wrong in ("2026-13", "2026", "26-11"):
        assert "YYYY-MM" in told("--month", wrong, code=2)


def test_nothing_becomes_a_formula(house: House, edition: Edition) -> None:
    tax = msgspec.structs.replace(settings.TROTH.tax, invoice_format="-{year}{number}")
    settings.TROTH = msgspec.structs.replace(settings.TROTH, tax=tax)
    paid(house, ordered(edition))
    (row,) = rows()
    assert row["number"] == row["number"] and not row["number"].startswith(("=", "+", "@"))
    assert [books.cell(text) for text in ("=1+1", "+1", "-x", "@a", "\tb", "-10.00", "C2026", "")] == [
        "'=1+1", "'+1", "'-x", "'@a", "'\tb", "-10.00", "C2026", ""
    ]  # fmt: skip


@pytest.mark.parametrize(("country", "doubtful"), [("AT", False), ("", False), ("DE", True), ("US", True)])
def test_countries_that_contradict_are_told(house: House, edition: Edition, country: str, doubtful: bool) -> None:
    paid(house, ordered(edition, ALICE))
    Payment.objects.update(payer_country=country)
    assert [row["payment_country"] for row in rows("--doubts")] == ([country] if doubtful else [])
    assert len(rows()) == 1  # and booked all the same


def test_a_gap_that_somebody_made_is_told(house: House, edition: Edition) -> None:
    for _ in range(3):
        paid(house, ordered(edition))
    assert told()
    if connection.vendor == "sqlite":
        connection.cursor().execute("DROP TRIGGER invoices_invoice_kept")
        lifted("DELETE FROM invoices_invoice WHERE sequence = 2")
    else:
        lifted("UPDATE invoices_invoice SET sequence = 9 WHERE sequence = 2")
    assert "have a gap" in told(code=1)
    assert Invoice.objects.exists()
