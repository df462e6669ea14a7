"""Issue: one invoice for what was paid, one credit note for each sum that goes back. In the caller's transaction.

The number comes from the series' row, which the database keeps locked until the caller commits: a rollback gives the
number back, and nobody has the next one before. Called last in a transaction, so that the queue is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.conf import settings
from django.db.models import F

from troth.pledge import clock, returning
from troth.shop.invoices import figures
from troth.shop.invoices.models import Invoice, Series
from troth.shop.invoices.snapshot import Line, Snapshot, digest, read, seller
from troth.shop.orders.models import Billing, Order, OrderLine
from troth.shop.tax.sums import Sum, share, together

ANEW = "anew"  # in the cause of an invoice that was written anew
FORM = 1  # the design of what is issued from now on


class Number(msgspec.Struct, frozen=True):
    """A number that is ours if the transaction commits, and nobody's otherwise."""

    kind: str
    series: str
    sequence: int
    text: str
    at: datetime


def invoice(order: Order, paid_by: str) -> Invoice:
    """The invoice for a paid order. Called once an order, by whoever marked it paid: its cause is unique."""
    sold = _sold(order)
    lines = [Line(one.pk, one.name, one.quantity, one.net_minor, one.tax_minor, one.off_minor) for one in sold]
    return _write(_number(Invoice.INVOICE), sold, order.ref, lines, paid_by, None)


def credit(order: Order, cause: str, parts: Sequence[tuple[OrderLine, int]], paid_by: str) -> Invoice | None:
    """A credit note over `parts`: lines, and how much of each (net and tax together, in minor units) goes back.

    Tax is shared so that the credits of a line add up to its tax exactly. None where the order has no invoice, or
    there is nothing to credit. ValueError where more goes back than the line has left.
    """
    if not parts or not Invoice.objects.filter(order=order, kind=Invoice.INVOICE).exists():
        return None
    number = _number(Invoice.CREDIT)  # first the queue: nobody credits the same order meanwhile
    original = standing(order)
    gone = credited(order)
    lines = []
    for one, amount in parts:
        whole, before = Sum(one.net_minor, one.tax_minor), gone.get(one.pk, Sum(0, 0))
        upto = share(whole, before.total + amount)
        quantity = one.quantity if amount == whole.total else 0
        lines.append(Line(one.pk, one.name, quantity, upto.net - before.net, upto.tax - before.tax))
    return _write(number, _sold(order), cause, lines, paid_by, original)


def again(credit_note: Invoice, cause: str, paid_by: str, billing: Billing | None = None) -> Invoice:
    """An invoice over what a credit note had given back: the money came after all (a dispute was won), or the buyer
    is to stand on it as in `billing`."""
    number = _number(Invoice.INVOICE)
    return _write(number, _sold(credit_note.order), cause, read(credit_note).lines, paid_by, credit_note, billing)


def papers(order: Order) -> list[Invoice]:
    """Every invoice and credit note of an order with its billing address, oldest first; at least one."""
    return list(Invoice.objects.filter(order=order).select_related("billing").order_by("issued_at", "sequence"))


def standing(order: Order, known: list[Invoice] | None = None) -> Invoice:
    """The invoice that is good now: the first, or the last that was written anew in its place. `known`: its papers."""
    found = papers(order) if known is None else known
    anew = _anew(order, found)
    return anew[-1] if anew else next(one for one in found if one.corrects_id is None and one.kind == Invoice.INVOICE)


def written_anew(order: Order, known: list[Invoice]) -> int:
    """How often this order was billed to somebody else in its place."""
    return len(_anew(order, known))


def _anew(order: Order, known: list[Invoice]) -> list[Invoice]:
    return [one for one in known if one.cause.startswith(f"{order.ref} {ANEW}")]


def anew(order: Order, time: int, parts: Sequence[tuple[OrderLine, int]], billing: Billing) -> tuple[Invoice, Invoice]:
    """A credit note over `parts`, all that is left of an order, and the same invoice anew with this buyer on it.

    `time`: the how manieth, from 1. IntegrityError where it was written anew that often already.
    """
    paid_by = msgspec.json.decode(standing(order).snapshot, type=Snapshot).paid_by
    off = credit(order, f"{order.ref} off {time}", parts, paid_by)
    assert off is not None  # it has an invoice and parts
    return off, again(off, f"{order.ref} {ANEW} {time}", paid_by, billing)


def credited(order: Order, known: list[Invoice] | None = None) -> dict[int, Sum]:
    """What has gone back of each line, by the order's credit notes, less what came again. `known`: its papers."""
    sums: dict[int, Sum] = {}
    found = papers(order) if known is None else known
    for one in (paper for paper in found if paper.corrects_id is not None):
        sign = 1 if one.kind == Invoice.CREDIT else -1
        for line in msgspec.json.decode(one.snapshot, type=Snapshot).lines:
            had = sums.get(line.line, Sum(0, 0))
            sums[line.line] = Sum(had.net + sign * line.net, had.tax + sign * line.tax)
    return sums


def _number(kind: str) -> Number:
    """The next number of this kind and year (UTC). Whoever asks next waits until this transaction has ended."""
    at = clock.now()
    name = f"{kind}-{at.year}"
    row = Series.objects.filter(pk=name)
    raised = returning.update(row, last=F("last") + 1)
    if not raised:  # the first of the year
        Series.objects.bulk_create([Series(name=name)], ignore_conflicts=True)
        raised = returning.update(row, last=F("last") + 1)
    sequence = raised[0].last
    tax = settings.TROTH.tax
    pattern = tax.invoice_format if kind == Invoice.INVOICE else tax.credit_format
    return Number(kind, name, sequence, pattern.format(year=at.year, number=sequence), at)


def _sold(order: Order) -> list[OrderLine]:
    """The order's lines, with the order, its billing address and their editions at hand."""
    return list(OrderLine.objects.filter(order=order).select_related("order__billing", "edition").order_by("pk"))


def _write(
    number: Number,
    sold: list[OrderLine],
    cause: str,
    lines: list[Line],
    paid_by: str,
    corrects: Invoice | None,
    billing: Billing | None = None,
) -> Invoice:
    """`sold`: the order's lines, which all have one treatment, from `_sold`. The buyer is `billing`, or who stands on
    what it corrects, or the order's."""
    first, order = sold[0], sold[0].order
    billing = billing or (corrects.billing if corrects else order.billing)
    assert billing is not None  # what was paid for was billed to somebody
    whole = together(Sum(one.net, one.tax) for one in lines)
    snapshot = Snapshot(
        form=FORM,
        seller=seller(),
        lines=lines,
        order=order.ref,
        ordered_on=order.made_at.date().isoformat(),
        paid_by=paid_by,
        exempt_words=settings.TROTH.tax.exempt_words,
        language=settings.TROTH.shop.language,
        coupon=order.coupon,
        corrects=corrects.number if corrects else "",
    )
    made = Invoice(
        kind=number.kind,
        number=number.text,
        series_id=number.series,
        sequence=number.sequence,
        cause=cause,
        order=order,
        person_id=order.person_id,
        billing=billing,
        corrects=corrects,
        treatment=first.treatment,
        tax_country=first.tax_country,
        rate=first.rate,
        currency=order.currency,
        net_minor=whole.net,
        tax_minor=whole.tax,
        snapshot=msgspec.json.encode(snapshot).decode(),
        issued_at=number.at,
    )
    made.digest = digest(made, billing)
    made.save(force_insert=True)
    figures.count(made, lines, {one.pk: one.edition.product_id for one in sold})
    return made
