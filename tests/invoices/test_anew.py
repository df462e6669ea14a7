"""An invoice written anew: taken back whole, billed again to a company, nothing altered, no gap, no other tax."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.house import House
from tests.invoices.conftest import paid
from tests.storefront.conftest import Browser
from tests.storefront.page import Page
from troth.faces.cli.bill_anew import bill_anew
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import books, buy, erase, refund
from troth.shop.orders.models import Basket, BasketLine, Order

PASSWORD = "a long walk by the river"
FIRM = {
    "company": "Elm GmbH", "billing_name": "Alice Example", "street": "1 Elm Row", "billing_postcode": "1010",
    "city": "Wien", "vat_number": "",
}  # fmt: skip


@pytest.fixture
def alice(house: House) -> Browser:
    """Signed in, with a confirmed letter behind her."""
    browser = Browser()
    fields = {"name": "Alice", "email": "alice@b.example", "password": PASSWORD, "postcode": "1010"}
    assert browser.send("/register", fields).status_code == 200
    house.works()
    return browser


def bought(house: House, edition: Edition, alice: Browser, quantity: int = 1, **more: str) -> Order:
    key = secrets.token_urlsafe()
    basket = Basket.objects.create(key_hash=hashlib.sha256(key.encode()).hexdigest())
    BasketLine.objects.create(basket=basket, edition=edition, quantity=quantity)
    address = Billing("Alice Example", "1 Elm Row", "Wien", "1010", "AT", **more)
    begun = buy.begin(key, buy.Known(alice.session["person"]), address, "paypal")
    order = paid(house, Order.objects.get(pk=begun.order_ref))
    house.works()
    return order


def papers() -> list[tuple[str, str, int, str]]:
    """(kind, number, total, the number that it corrects), in the order of their making."""
    rows = Invoice.objects.select_related("corrects").order_by("issued_at", "sequence")
    return [(row.kind, row.number, row.total.minor, row.corrects.number if row.corrects else "") for row in rows]


def read(alice: Browser, made: Invoice) -> str:
    return alice.page(f"/invoice/{made.id}").text


def test_a_company_is_put_on_it_by_a_credit_note_and_an_invoice(house: House, edition: Edition, alice: Browser) -> None:
    order = bought(house, edition, alice)
    first = Invoice.objects.get()
    path = f"/orders/{order.ref}/invoice"
    assert path in alice.get(f"/orders/{order.ref}").content.decode()
    page = alice.page(path)
    assert page.faults == []
    assert "Elm Row" not in page.text  # nothing is opened for the form
    assert alice.send(path, FIRM).status_code == 303
    house.works()
    year = f"{first.issued_at.year}"
    (_, was, _, _), (kind, credit, minor, corrects), (_, anew, again, back) = papers()
    assert (kind, minor, corrects) == ("credit", 4900, was)
    assert (again, back) == (4900, credit)
    assert anew == f"{year}-00002"
    assert books.gaps() == []
    off, now = Invoice.objects.get(kind="credit"), Invoice.objects.get(number=anew)
    assert "Elm GmbH" in read(alice, now)
    for former in (first, off):
        assert "Elm GmbH" not in read(alice, former)
    assert now.prints.count() == off.prints.count() == 1
    first_as_issued = Invoice.objects.get(pk=first.pk)
    assert first_as_issued.digest == first.digest


def test_the_same_form_sent_twice_makes_one(house: House, edition: Edition, alice: Browser) -> None:
    order = bought(house, edition, alice)
    path = f"/orders/{order.ref}/invoice"
    shown = alice.page(path).form(path)
    assert shown["time"] == "1"
    assert alice.send(path, FIRM).status_code == 303
    answer = alice.send(path, {**FIRM, "time": "1"})
    assert "billed anew meanwhile" in Page(answer.content.decode()).text
    assert len(papers()) == 3
    assert alice.send(path, {**FIRM, "company": "Oak GmbH"}).status_code == 303  # and once more, knowingly
    assert [kind for kind, *_ in papers()] == ["invoice", "credit", "invoice", "credit", "invoice"]


def test_what_goes_back_afterwards_is_credited_on_the_new_one_with_its_buyer(
    house: House, edition: Edition, alice: Browser
) -> None:
    order = bought(house, edition, alice, quantity=2)
    refund.ask(order, minor=1000)
    house.works()
    alice.send(f"/orders/{order.ref}/invoice", FIRM)
    house.works()
    assert [(kind, minor) for kind, _, minor, _ in papers()] == [
        ("invoice", 9800), ("credit", 1000), ("credit", 8800), ("invoice", 8800),
    ]  # fmt: skip
    refund.ask(order)
    house.works()
    *_, anew, last = papers()
    assert last[2:] == (8800, anew[1])
    assert "Elm GmbH" in read(alice, Invoice.objects.get(number=last[1]))
    signs = {"invoice": 1, "credit": -1}
    assert sum(signs[row.kind] * row.tax_minor for row in Invoice.objects.all()) == 0
    assert f"/orders/{order.ref}/invoice" not in alice.get(f"/orders/{order.ref}").content.decode()


def test_another_tax_is_not_to_be_had_this_way(house: House, edition: Edition, alice: Browser) -> None:
    order = bought(house, edition, alice)
    path = f"/orders/{order.ref}/invoice"
    answer = alice.send(path, {**FIRM, "vat_number": "ATU13585627"}, 400)
    assert "you would have paid no tax here" in Page(answer.content.decode()).text
    answer = alice.send(path, {**FIRM, "vat_number": "DE136695976"}, 400)
    assert "none of the country" in Page(answer.content.decode()).text
    firm = bought(house, edition, alice, company="Elm GmbH", vat_number="ATU13585627")
    answer = alice.send(f"/orders/{firm.ref}/invoice", FIRM, 400)
    assert "please type that too" in Page(answer.content.decode()).text
    assert alice.send(f"/orders/{firm.ref}/invoice", {**FIRM, "vat_number": "ATU13585627"}).status_code == 303
    assert [row.treatment for row in Invoice.objects.filter(order=firm)] == ["reverse"] * 3


def test_nobody_else_has_it_written_anew(house: House, edition: Edition, alice: Browser) -> None:
    order = bought(house, edition, alice)
    path = f"/orders/{order.ref}/invoice"
    assert Browser().get(path).status_code == 303  # to sign in
    bob = Browser()
    bob.send("/register", {"name": "Bob", "email": "bob@b.example", "password": PASSWORD, "postcode": "1010"})
    assert bob.get(path).status_code == 404
    alice.cookies["troth_cap"] = "x" * len(alice.cookies["troth_cap"].value)
    answer = alice.send(path, FIRM, 400)
    assert "Your session has ended" in Page(answer.content.decode()).text
    assert len(papers()) == 1


def test_tax_law_keeps_both_addresses_when_their_person_is_forgotten(
    house: House, edition: Edition, alice: Browser
) -> None:
    order = bought(house, edition, alice)
    alice.send(f"/orders/{order.ref}/invoice", FIRM)
    house.works()
    erase.by_owner(order.person_id)
    for _ in range(3):
        house.works(later=timedelta(days=8))
    assert erase.under_way(order.person_id).state == "kept"
    assert all(row.billing.billing is not None for row in Invoice.objects.select_related("billing"))


def test_the_owner_does_it_for_who_asked(house: House, edition: Edition, alice: Browser) -> None:
    order = bought(house, edition, alice)
    typed = "Elm GmbH\nAlice Example\n1 Elm Row\n1010\nWien\n\n"
    done = CliRunner().invoke(bill_anew, [order.ref], input=typed)
    assert done.exit_code == 0, done.output
    house.works()
    made = Invoice.objects.get(number=done.stdout.strip().splitlines()[-1])
    assert made.cause.endswith("anew 1")
    assert "Elm GmbH" in read(alice, made)
    wrong = CliRunner().invoke(bill_anew, [order.ref], input=typed.replace("1010", "<>"))
    assert (wrong.exit_code, "Postcode: Please check the postcode" in wrong.output) == (1, True), wrong.output
    assert len(papers()) == 3
