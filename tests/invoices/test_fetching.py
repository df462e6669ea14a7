"""Fetching an invoice: by the signed link, made by the worker, the same to the byte, read by its asker alone."""

from __future__ import annotations

import hashlib
import re
from contextlib import ExitStack
from datetime import timedelta

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac

from tests.house import House
from tests.invoices.conftest import ALICE, FIRM, ordered, paid
from tests.invoices.test_issue import refund
from tests.storefront.conftest import ORIGIN, Browser
from troth.faces.cli import web
from troth.pledge.due.models import Due
from troth.pledge.policy import needles
from troth.pledge.policy.probe import values
from troth.pledge.vault.classes import Billing
from troth.shop.catalogue.models import Edition
from troth.shop.invoices import authority, issue, links, paper
from troth.shop.invoices.authority import Proof
from troth.shop.invoices.models import Handover, Invoice, Print
from troth.shop.journeys import bill, invoice, standby
from troth.shop.orders.models import Order

POSTCODE = {"postcode": "LS1 4AP"}


def link(order: Order) -> str:
    """The path in the letter."""
    return invoice.letter_url(order)


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
    cells = re.findall(r'<t([hd]) [^>]*?(?:data-head="([^"]+)"|scope="row")', visitor.get(found[1]).content.decode())
    assert [head for _, head in cells[:5]] == ["", "Quantity", "Net", "VAT 0%", "Total"]  # folded, each says its own
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
    altered = [url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("?s=", "?s=f")]
    others = [url.replace(made.id, "inv_" + "a" * 26), "/invoice/x.pdf?s=1.2"]
    for wrong in (f"/invoice/{made.id}", f"/invoice/{made.number}", *altered, *others):
        assert Browser().get(wrong).status_code == 403, wrong
    assert Browser().get(url).status_code == 200
    house.works(later=timedelta(days=settings.TROTH.policy.download_days, minutes=1))
    assert Browser().get(url).status_code == 403


def test_a_member_opens_it_from_the_order_and_nobody_else_signed_in(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    invite = re.search(rf"{ORIGIN}(/recover/\S+)", house.mails[-1].text)
    assert invite is not None
    member = Browser()
    member.send(invite[1], {"password": "heron and lantern"}, 303)
    (there,) = [a["href"] for a in member.page(f"/orders/{order.ref}").all("a") if a["href"].startswith("/invoice/")]
    assert there == f"/invoice/{order.invoices.get().id}"
    (listed,) = [a["href"] for a in member.page("/account").all("a") if a["href"].startswith("/invoice/")]
    assert listed == there
    page = member.page(there)
    assert "1 Elm Row" in page.text
    assert member.get(f"{there}.pdf").content.startswith(b"%PDF")
    stranger = Browser()
    stranger.send("/register", {"name": "Bob", "email": "bob@b.example", "password": "adder and anchor"} | POSTCODE)
    assert stranger.page("/account").text.count("Your account")  # signed in, as somebody else
    for path in (there, f"{there}.pdf"):
        assert stranger.get(path).status_code == 403
        assert Browser().get(path).status_code == 403


def test_a_guest_is_told_where_the_link_is(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    key = re.search(rf"{ORIGIN}(/orders/\S+/key/\S+)", house.mails[-1].text)
    guest = Browser()
    assert key is not None and guest.get(key[1]).status_code == 303
    page = guest.page(f"/orders/{order.ref}")
    assert f"Invoice {order.invoices.get().number}" in page.text and "in our letter to you" in page.text
    assert not [a for a in page.all("a") if a["href"].startswith("/invoice/")]


def test_the_web_process_its_key_and_the_database_get_nothing_opened(house: House, edition: Edition) -> None:
    """Whoever has all three writes requests of their own, copies proofs of others, and guesses links."""
    paid(house, ordered(edition))
    made, before = Invoice.objects.get(), house.keeper.db.execute("SELECT count(*) FROM about").fetchone()
    url = invoice.letter_url(made.order)
    real = links.read(url.partition("?s=")[2])
    assert real is not None
    seen = invoice.Waiting(made, "page", real).row  # somebody comes by, and the proof in their row is copied
    forged = Proof(end=real.end, token=salted_hmac("troth.invoice", made.id).hexdigest()[:32])
    proofs = [b"", seen.proof, authority.bring(seen, real), b"x" * 99]
    for proof in proofs:
        mine = invoice.Waiting(made, "page", forged)
        Handover.objects.filter(pk=mine.row.pk).update(proof=proof)
        assert not handed(house, mine)
    for told in (forged, Proof(capability="cap"), Proof()):
        assert not handed(house, invoice.Waiting(made, "pdf", told))
    after = house.keeper.db.execute("SELECT count(*) FROM about").fetchone()
    assert after == before
    assert handed(house, invoice.Waiting(made, "page", real))


def handed(house: House, waiting: invoice.Waiting) -> bool:
    with house.as_worker():
        bill.hand_over(waiting.row.pk, None)  # type: ignore[arg-type]
    try:
        return waiting.take() is not None
    except invoice.Failed as failed:
        assert failed.code == "not-theirs"
        return False


def test_what_is_handed_over_is_wiped_and_no_one_elses(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    house.works()
    Browser().page(link(order))
    (row,) = Handover.objects.all()
    assert (row.sealed, bytes(row.proof)) == (None, b"")
    proof = links.read(link(order).partition("?s=")[2])
    assert proof is not None
    first, second = (invoice.Waiting(Invoice.objects.get(), "pdf", proof) for _ in range(2))
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
    monkeypatch.setattr(standby, "pause", lambda _: None)
    monkeypatch.setattr(invoice, "PATIENCE", 0.01)
    answer = Browser().get(link(order))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_who_waits_leaves_the_shop_room_to_answer_others(house: House, edition: Edition) -> None:
    order = paid(house, ordered(edition))
    with ExitStack() as others:
        for _ in range(standby.PLACES):
            others.enter_context(standby.place())
        assert Browser().get(link(order)).status_code == 503
        assert not Handover.objects.exists()  # nothing was asked for, so nothing is counted
    assert Browser().get(link(order)).status_code == 200
    assert standby.PLACES < web.THREADS


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
    proof = links.read(link(order).partition("?s=")[2])
    assert proof is not None
    waiting = invoice.Waiting(Invoice.objects.get(), "page", proof)  # and while it is on its way
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
    first, second = invoice.listed(issue.papers(order))
    url = links.lasting(Invoice.objects.get(kind="credit"))
    page = Browser().page(url)
    assert second.url == url.partition("?")[0]
    assert "Credit note C20" in page.text and f"Corrects {first.number}" in page.text and "€10.00" in page.text
    assert Browser().get(as_pdf(url)).status_code == 200
    assert Print.objects.count() == 2
