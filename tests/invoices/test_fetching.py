"""Fetching an invoice: by the signed link, made by the worker, the same to the byte, read by its asker alone."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import msgspec
import pytest
from django.conf import settings
from django.db import connection

from tests.house import House
from tests.invoices.conftest import ALICE, FIRM, ordered, paid
from tests.invoices.test_issue import refund
from tests.storefront.conftest import ORIGIN, Browser
from troth.pledge.due.models import Due
from troth.pledge.policy import needles
from troth.pledge.policy.probe import values
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.invoices import links, paper
from troth.shop.invoices.models import Handover, Invoice, Print
from troth.shop.journeys import bill, invoice
from troth.shop.orders.models import Order


def link(order: Order) -> str:
    (found,) = invoice.of(order)
    return found.url


def as_pdf(url: str) -> str:
    return url.replace("?", ".pdf?")


def test_a_buyer_reads_and_keeps_the_invoice_from_the_letter(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition, FIRM))
    house.works()
    (mail,) = house.mails
    found = re.search(rf"{ORIGIN}(/invoice/\S+)", mail.text)
    assert found is not None and found[1] in mail.html
    visitor = Browser()
    page = visitor.page(found[1])
    for text in ("Invoice 20", "Elm GmbH", "Alice Example", "1 Elm Row", "1010 Wien", "Austria", "ATU13585627",
                 "DE136695976", "1 Fern Hill", "Field Guide, Single site", "€41.18", "Reverse charge", "PayPal",
                 order.ref):  # fmt: skip
        assert text in page.text, text
    answer = visitor.get(as_pdf(found[1]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Cache-Control"] == visitor.get(found[1])["Cache-Control"] == "private, no-store"
    assert answer["Content-Disposition"] == f'attachment; filename="{Invoice.objects.get().number}.pdf"'
    assert answer.content.startswith(b"%PDF-1.7") and b"Elm GmbH" not in answer.content


def test_the_same_bytes_each_time_and_their_hash_is_noted(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    first = Browser().get(as_pdf(link(order))).content
    paper._fonts.cache_clear()  # as a worker that was started anew
    assert Browser().get(as_pdf(link(order))).content == first
    (row,) = Print.objects.all()
    leaves = [leaf.decode() for (leaf,) in house.keeper.db.execute("SELECT leaf FROM leaf")]
    (noted,) = [leaf for leaf in leaves if '"type":"invoice"' in leaf]
    assert f'"sha256":"{row.sha256}"' in noted and f'"number":"{row.invoice.number}"' in noted
    assert hashlib.sha256(first).hexdigest() == row.sha256


def test_two_buyers_of_one_name_have_two_hashes(house: House, edition: Edition) -> None:
    """The hash confirms no guess: a random number is in the bytes, and sealed with the address."""
    paid(house, ordered(edition))
    house.works()
    made = Invoice.objects.select_related("billing", "order").get()
    with house.as_worker():
        said, form = bill._said(made)
    assert len(said.salt) == 32
    without = msgspec.structs.replace(said, salt="")
    assert paper.pdf(without, form) != paper.pdf(said, form)


def test_an_altered_invoice_is_not_shown_and_its_address_not_opened(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    lifted(f"UPDATE invoices_invoice SET tax_minor = 0, net_minor = 4900 WHERE order_id = '{order.ref}'")
    before = house.keeper.db.execute("SELECT count(*) FROM about").fetchone()
    for url in (link(order), as_pdf(link(order))):
        answer = Browser().get(url)
        assert answer.status_code == 403 and "not as it was issued" in answer.content.decode()
    due = Due.objects.get(kind="bill")
    assert due.last_code == "altered" and due.gave_up_at is not None
    opened = house.keeper.db.execute("SELECT count(*) FROM about").fetchone()
    assert opened[0] - before[0] == 1  # for the order's letter alone


def test_other_bytes_than_those_noted_are_not_shown(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    lifted("UPDATE invoices_print SET sha256 = 'f'")
    assert Browser().get(as_pdf(link(order))).status_code == 403


def lifted(statement: str) -> None:
    """As somebody writes who may do everything in the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER invoices_invoice_unaltered")
            cursor.execute("DROP TRIGGER invoices_print_unaltered")
        else:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE invoices_invoice DISABLE TRIGGER invoices_invoice_unaltered")
            cursor.execute("ALTER TABLE invoices_print DISABLE TRIGGER invoices_print_unaltered")
        cursor.execute(statement)


def test_only_a_link_of_ours_opens_it_and_only_for_its_time(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    made, url = Invoice.objects.get(), link(order)
    for wrong in (f"/invoice/{made.id}", f"/invoice/{made.number}", url[:-1] + ("0" if url[-1] != "0" else "1"),
                  url.replace(made.id, "inv_" + "a" * 26), "/invoice/x.pdf?s=1.2"):  # fmt: skip
        assert Browser().get(wrong).status_code == 403
    assert not Handover.objects.exists()
    house.works(later=timedelta(hours=settings.TROTH.policy.link_hours, minutes=1))
    assert Browser().get(url).status_code == 403
    assert Browser().get(links.lasting(made)).status_code == 200


def test_what_is_handed_over_is_wiped_and_no_one_elses(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    Browser().page(link(order))
    (row,) = Handover.objects.all()
    assert row.sealed is None
    first, second = (invoice.Waiting(Invoice.objects.get(), "pdf") for _ in range(2))
    with house.as_worker():
        bill.hand_over(first.row.pk, None)  # type: ignore[arg-type]
    sealed = Handover.objects.get(pk=first.row.pk).sealed
    Handover.objects.filter(pk=second.row.pk).update(sealed=sealed)
    with pytest.raises(invoice.Failed):
        second.take()
    document = first.take()
    assert document is not None and document.startswith(b"%PDF")
    with pytest.raises(invoice.Failed):
        first.take()


def test_who_has_a_link_cannot_use_up_the_workers_openings(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    answers = [Browser().get(link(order)).status_code for _ in range(invoice.MOST + 2)]
    assert answers == [200] * invoice.MOST + [403] * 2
    house.works(later=timedelta(days=1, minutes=1))
    assert Browser().get(link(order)).status_code == 200


def test_a_worker_that_is_away_is_waited_for_and_then_said(
    house: House, edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = paid(house, ordered(edition))
    monkeypatch.setattr(invoice, "pause", lambda _: None)
    monkeypatch.setattr(invoice, "PATIENCE", 0.01)
    answer = Browser().get(link(order))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_letters_without_a_font_have_a_page_and_a_sentence(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition, Billing("王小明", "1 Elm Row", "Wien", "1010", "AT")))
    house.works()
    assert not Due.objects.filter(kind="bill").exists() and not Print.objects.exists()
    assert "王小明" in Browser().page(link(order)).text
    answer = Browser().get(as_pdf(link(order)))
    assert answer.status_code == 403 and "no letters for this name" in answer.content.decode()


@pytest.mark.parametrize("who", [ALICE, FIRM])
def test_nobody_stands_in_clear_in_any_column(house: House, edition: Edition, who: Billing) -> None:
    order = paid(house, ordered(edition, who))
    house.works()
    Browser().page(link(order))
    waiting = invoice.Waiting(Invoice.objects.get(), "page")  # and while it is on its way
    with house.as_worker():
        bill.hand_over(waiting.row.pk, None)  # type: ignore[arg-type]
    assert Handover.objects.get(pk=waiting.row.pk).sealed
    sieve = needles.Sieve([text for text in (who.street, who.city, who.company, who.vat_number, who.name) if text])
    hits = []
    for place, text in values():
        hits += [place for _ in needles.Scan(sieve).feed(text.encode("utf-8", "replace") + b"\n")]
    assert hits == []


def test_a_credit_note_is_read_the_same_way(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    invoice.refunded(refund(order, 1000))
    house.works()
    first, second = invoice.of(order)
    page = Browser().page(second.url)
    assert "Credit note C20" in page.text and f"Corrects {first.number}" in page.text and "€10.00" in page.text
    assert Browser().get(as_pdf(second.url)).status_code == 200
    assert Print.objects.count() == 2
