"""Invoice: settled money gets a numbered invoice, money that goes back a credit note, and buyers fetch both.

Who asks for a document is shown it without the web process opening an address: the worker opens it "to bill", makes
the document and seals it to the request that waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, fault
from troth.pledge.due import loop as due
from troth.pledge.ids import SHAPE
from troth.shop.invoices import issue, links
from troth.shop.invoices.authority import Proof
from troth.shop.invoices.handover import Failed, Waiting
from troth.shop.invoices.models import Handover, Invoice
from troth.shop.invoices.words import Said
from troth.shop.journeys import standby
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, Refund
from troth.shop.refusal import Refused

PATIENCE = 10.0  # seconds that a request waits for the worker
MOST = 20  # documents of one invoice a day: who has a link cannot use up the worker's openings


class Link(msgspec.Struct, frozen=True):
    kind: str
    number: str
    url: str  # of the page, for who is signed in; with ".pdf" after the id, of the PDF


def settled(order: Order, payment: Payment) -> Invoice:
    """The invoice of an order that this caller has marked paid, in the same transaction. They make "bill" due."""
    made = issue.invoice(order, gateways.NAMES.get(payment.provider, payment.provider))
    fault.here("settle.invoiced")
    return made


def refunded(refund: Refund) -> None:
    """The credit note of a refund that is done, in the same transaction. The same refund again changes nothing.

    A surplus that goes back was never invoiced and has none.
    """
    payment, cause = refund.payment, f"{refund.id} done"
    if payment.surplus or Invoice.objects.filter(cause=cause).exists():
        return
    name = gateways.NAMES.get(payment.provider, payment.provider)
    made = issue.credit(payment.order, cause, parts(refund), name)
    if made is not None:
        due.add("bill", made.id)


def regained(refund: Refund) -> None:
    """Money that had gone back came again (a dispute was won): an invoice over what the credit note took off."""
    gone = Invoice.objects.select_related("order", "billing").filter(cause=f"{refund.id} done").first()
    cause = f"{refund.id} regained"
    if gone is None or Invoice.objects.filter(cause=cause).exists():
        return
    made = issue.again(gone, cause, gateways.NAMES.get(refund.payment.provider, refund.payment.provider))
    due.add("bill", made.id)


def parts(refund: Refund) -> list[tuple[OrderLine, int]]:
    """What of a refund is of which line: as it says, and the rest (found at the provider's) from line to line.

    Never more of a line than was billed and not yet credited.
    """
    order = refund.payment.order
    said, gone = dict(refund.lines.values_list("line", "amount_minor")), issue.credited(order)
    rest = refund.amount_minor - sum(said.values())
    found = []
    for line in order.lines.order_by("pk"):
        left = line.paid_minor - (gone[line.pk].total if line.pk in gone else 0)
        amount = min(left, said.get(line.pk, 0))
        more = max(0, min(rest, left - amount))
        rest -= more
        if amount + more > 0:
            found.append((line, amount + more))
    return found


def listed(papers: Iterable[Invoice]) -> list[Link]:
    """An order's invoices and credit notes, with links for its page."""
    return [Link(one.kind, one.number, links.plain(one)) for one in papers]


def of_each(orders: list[Order]) -> dict[str, list[Link]]:
    """The same for several orders, by their references: one query."""
    found: dict[str, list[Link]] = {}
    for one in Invoice.objects.filter(order__in=orders).defer("snapshot").order_by("issued_at", "sequence"):
        found.setdefault(one.order_id, []).append(Link(one.kind, one.number, links.plain(one)))
    return found


def letter_url(order: Order) -> str:
    """The path to the invoice for the order's letter, the same in each copy; "" where there is none."""
    made = order.invoices.filter(kind=Invoice.INVOICE, corrects=None).first()
    return links.lasting(made) if made else ""


def pdf(invoice_id: str, signature: str, capability: str = "") -> tuple[str, bytes]:
    """The invoice's number and its PDF, for a letter's link or for its owner's capability.

    Refused where neither is right, or the PDF cannot be had; standby.Late.
    """
    made = _found(invoice_id)
    return made.number, _fetch(made, Handover.PDF, _proof(signature, capability))


def page(invoice_id: str, signature: str, capability: str = "") -> Said:
    """The invoice's texts, for its page. Refused, standby.Late."""
    document = _fetch(_found(invoice_id), Handover.PAGE, _proof(signature, capability))
    return msgspec.json.decode(document, type=Said)


def _found(invoice_id: str) -> Invoice:
    made = Invoice.objects.filter(pk=invoice_id).first() if SHAPE.match(invoice_id) else None
    if made is None:
        raise Refused(NOT_YOURS)
    return made


def _proof(signature: str, capability: str) -> Proof:
    proof = links.read(signature) if signature else Proof(capability=capability)
    if proof is None or proof == Proof():
        raise Refused(NOT_YOURS)
    return proof


def _fetch(made: Invoice, form: str, proof: Proof) -> bytes:
    """Ask the worker, and wait. What comes is readable here alone."""
    if Handover.objects.filter(invoice=made, asked_at__gt=clock.now() - timedelta(days=1)).count() >= MOST:
        raise Refused(_("This invoice was fetched very often today; please come back tomorrow."))
    with standby.place():
        with transaction.atomic():
            waiting = Waiting(made, form, proof)
            due.add("hand-over", waiting.row.pk)
        try:
            return standby.wait_for(waiting.take, PATIENCE)
        except Failed as failed:
            sentence = WHY.get(failed.code, WHY[""])
    raise Refused(sentence)


NOT_YOURS = _("Open your invoice by the link in our letter, or sign in and open it from your order.")
WHY = {
    "not-theirs": NOT_YOURS,
    "gone": _("The address on this invoice was forgotten, as asked for; nobody can open it to show it here."),
    "altered": _("This invoice is not as it was issued, so we do not show it; please write to us."),
    "unprintable": _("Our PDF has no letters for this name; open the invoice's page and print that."),
    "": _("This invoice cannot be made at present; please write to us and we will help."),
}
