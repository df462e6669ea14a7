"""Reports say what the books say, to the cent; nobody is in them; a spreadsheet takes nothing in them for a formula."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.desk.people import Colleague, Office
from tests.desk.test_jobs import openings, pays
from tests.house import House
from tests.invoices.conftest import paid
from troth.faces.desk.plot import drawn
from troth.pledge import clock
from troth.shop.catalogue.models import Edition, Product
from troth.shop.invoices import issue
from troth.shop.invoices.models import Figure, Invoice
from troth.shop.journeys import ask, books, refund, reports
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine
from troth.shop.staff.models import Job
from troth.shop.support.models import Ticket

EVER = reports.Span("2026-01", "2030-12")
GOODS = ("field-guide", "atlas", "compass")

lines = st.lists(
    st.tuples(st.sampled_from(GOODS), st.integers(1, 9), st.integers(0, 10**7), st.integers(0, 10**6)),
    min_size=1, max_size=3,
)  # fmt: skip
kinds = st.sampled_from(
    [("AT", "standard", 2000), ("FI", "standard", 2550), ("AT", "reverse", 0), ("US", "outside", 0)]
)
sale = st.fixed_dictionaries(
    {
        "later": st.integers(0, 70), "currency": st.sampled_from(["EUR", "USD", "JPY"]), "kind": kinds, "lines": lines,
        "back": st.lists(st.integers(1, 100), max_size=2), "again": st.booleans(),
    }
)  # fmt: skip


def sold(like: Order, one: dict[str, Any]) -> Order:
    """An order of the same customer's, with these lines."""
    country, treatment, rate = one["kind"]
    order = Order.objects.create(
        person=like.person, contact=like.contact, billing=like.billing, country=country, currency=one["currency"],
        total_minor=sum(net + tax for _slug, _pieces, net, tax in one["lines"]), viewer="v", policy_version="1",
    )  # fmt: skip
    for slug, pieces, net, tax in one["lines"]:
        OrderLine.objects.create(
            order=order, edition=Edition.objects.get(product=slug), name=slug, unit_minor=net, quantity=pieces,
            net_minor=net, tax_minor=tax, rate=rate, tax_country=country, treatment=treatment,
        )  # fmt: skip
    return order


def trade(like: Order, history: list[dict[str, Any]]) -> None:
    """Sold, partly given back, and now and then paid after all."""
    ahead = timedelta()
    for number, one in enumerate(history):
        ahead += timedelta(days=one["later"])
        clock.travel(ahead)
        order = sold(like, one)
        issue.invoice(order, "paypal")
        for turn, share in enumerate(one["back"]):
            clock.travel(ahead + timedelta(days=20 * turn))
            gone = issue.credited(order)
            left = {one: one.paid_minor - (gone[one.pk].total if one.pk in gone else 0) for one in order.lines.all()}
            parts = [(one, -(-rest * share // 100)) for one, rest in left.items() if rest]
            note = issue.credit(order, f"c{number}-{turn}", parts, "paypal")
            if note is not None and one["again"]:
                issue.again(note, f"a{number}-{turn}", "paypal")


def added(rows: list[tuple[tuple[Any, ...], Decimal]]) -> dict[tuple[Any, ...], Decimal]:
    sums: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for key, total in rows:
        sums[key] += total
    return dict(sums)


def of_report(report: reports.Report, *columns: int) -> dict[tuple[Any, ...], Decimal]:
    return added([(tuple(row[at] for at in columns), row[-1].decimal()) for row in report.rows])  # type: ignore[union-attr]


@hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(history=st.lists(sale, max_size=6))
def test_the_sums_are_those_of_the_books(order: Order, history: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        for slug in GOODS[1:]:
            Edition.objects.create(product=Product.objects.create(slug=slug, kind="module", name=slug), code="single")
        trade(order, history)
        entries = [(one, Decimal(one.total)) for one in books.entries()]
        assert of_report(reports.sales(EVER), 0, 1) == added([((e.date[:7], e.currency), t) for e, t in entries])
        by_rate = added([((e.country, e.treatment, e.rate, e.currency), t) for e, t in entries])
        assert of_report(reports.tax(EVER), 0, 1, 2, 3) == by_rate
        assert of_report(reports.products(EVER), 2) == added([((e.currency,), t) for e, t in entries])
        for first in {e.date[:7] for e, _total in entries}:
            days = reports.sales(reports.Span(first, first))
            assert of_report(days, 0, 1) == added(
                [((e.date, e.currency), t) for e, t in entries if e.date.startswith(first)]
            )
        kept = set(Figure.objects.values_list(*fields()))
        Figure.objects.all().delete()
        import_module("troth.shop.invoices.migrations.0003_figures").add_up(apps, None)
        assert set(Figure.objects.values_list(*fields())) == kept
        transaction.set_rollback(True)
    clock.travel(timedelta())


def fields() -> list[str]:
    return [field.name for field in Figure._meta.concrete_fields if field.name != "id"]


@pytest.fixture
def bill(office: Office) -> Colleague:
    return office.hired("bill", "billing")


def rows(one: Colleague, path: str) -> list[dict[str, str]]:
    answer = one.get(path)
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_what_was_sold_and_given_back_is_in_every_report(bill: Colleague, order: Order, house: House) -> None:
    Product.objects.update(name='=HYPERLINK("http://evil.example";"Field Guide")')
    paid(house, order)
    refund.ask(order, minor=1000)
    house.works()
    sales = rows(bill, "/desk/reports/sales/table")
    assert [(row["Currency"], row["Invoices"], row["Credit notes"], row["Total"]) for row in sales] == [
        ("EUR", "1", "1", "39.00")
    ]
    (back,) = rows(bill, "/desk/reports/refunds/table")
    assert (back["Provider"], back["State"], back["Number"], back["Sum"]) == ("paypal", "done", "1", "10.00")
    (goods,) = rows(bill, "/desk/reports/products/table")
    assert goods["Product"].startswith("'=HYPERLINK") and goods["Sold"] == "1"
    assert [row["Total"] for row in rows(bill, "/desk/reports/tax/table")] == ["39.00"]
    month = f"{clock.now():%Y-%m}"
    papers = rows(bill, f"/desk/reports/books?month={month}")
    assert [one["number"] for one in papers] == list(
        Invoice.objects.order_by("issued_at").values_list("number", flat=True)
    )
    assert [one["total"] for one in papers] == ["49.00", "-10.00"]
    for name in reports.REPORTS:
        page = bill.get(f"/desk/reports/{name}").content.decode() + str(rows(bill, f"/desk/reports/{name}/table"))
        for secret in ("Alice", "Abend", "elsewhere.example", "Amsel", "10115", order.person_id):
            assert secret not in page, (name, secret)
    for wrong in ("/desk/reports?from=2026-13", "/desk/reports?from=2027-01&to=2026-01", "/desk/reports/books?month=x"):
        answer = bill.get(wrong)
        assert answer.status_code == 400 and "2026-11" in answer.content.decode()


@pytest.mark.parametrize("text", ["=1+1", "+1x", "-1x", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert books.cell(text) == f"'{text}"
    assert books.cell("-8.33") == "-8.33"  # a number stays one


def test_a_plot_says_what_it_shows(bill: Colleague, order: Order, house: House) -> None:
    paid(house, order)
    with transaction.atomic():
        trade(order, [{"later": 40, "currency": "EUR", "kind": ("AT", "standard", 2000), "back": [], "again": False,
                       "lines": [("field-guide", 1, 1000, 200)]}])  # fmt: skip
    clock.travel(timedelta(days=60))
    page = bill.get("/desk/reports?from=2026-01&to=2030-12").content.decode()
    assert page.count("<rect") == 2 and "<desc" in page and "€49.00" in page and "€12.00" in page
    bars = [reports.Bar("a", Money(-300, "EUR")), reports.Bar("b", Money(100, "EUR"))]
    plot = drawn(bars)
    assert plot is not None
    assert [(one.y, one.height, one.down) for one in plot.columns] == [(25.0, 75.0, True), (0.0, 25.0, False)]
    assert drawn(bars[:1]) is None


def test_the_count_of_openings_is_the_ledgers(office: Office, order: Order, house: House) -> None:
    pays(house, order)
    ada = office.hired("ada", "officer")
    about = {"sara": ("support", "question"), "bill": ("billing", "invoice"), "tess": ("support", "question")}
    for name, (role, why) in about.items():
        one = office.hired(name, role)
        job = one.takes(order.ref, why)
        one.page(f"/desk/jobs/{job}")
        one.page(f"/desk/jobs/{job}")
    told = {
        (row["Role"], row["Purpose"], row["About"]): (row["Jobs"], row["Openings"])
        for row in rows(ada, "/desk/openings/table")
    }
    assert told == {("support", "support", "question"): ("2", "4"), ("billing", "bill", "invoice"): ("1", "2")}
    looked = [role for role, _purpose, _job in openings(house, order.person_id) if role != "worker"]
    assert len(looked) == 6 == sum(Job.objects.values_list("openings", flat=True))
    assert "sara" not in ada.page("/desk/openings").text


def test_support_times_are_those_of_the_tickets(bill: Colleague, order: Order) -> None:
    first = ask.ask(order.person_id, ask.Question("Where is it?"))
    ask.ask(order.person_id, ask.Question("And this?"))
    now = clock.now()
    Ticket.objects.filter(pk=first.pk).update(answered_at=now + timedelta(hours=5), closed_at=now + timedelta(hours=50))
    (row,) = rows(bill, "/desk/reports/support/table")
    assert (row["Questions"], row["Answered"], row["Closed"]) == ("2", "1", "1")
    assert (row["First answer, median"], row["Closing, longest"]) == ("5.0", "50.0")
