"""Bill anew: an invoice with a company on it, or another spelling, in place of the one that was issued.

What was issued is never altered: a credit note takes it back whole, and the same sums are billed anew to the address
that was typed. Both have the next numbers of their series, in one transaction. The tax stays as it was sold: where the
new address would have had another one, nothing is written.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.shop.accounts.models import Contact
from troth.shop.invoices import issue
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import erase
from troth.shop.orders.cost import is_business
from troth.shop.orders.models import Billing, Order, OrderLine
from troth.shop.refusal import Refused
from troth.shop.tax import rules

MOST = 5  # times that one order is billed anew


class Standing(msgspec.Struct, frozen=True):
    """`country`: of the invoice that is good now, and of the one in its place. `time`: the how manieth it would be."""

    number: str
    country: str
    time: int


def standing(
    order: Order, papers: list[Invoice] | None = None, lines: Sequence[OrderLine] | None = None
) -> Standing | None:
    """What can be billed anew; None where there is nothing, or it was done too often. Its papers and lines are read
    unless they were before."""
    if order.state != Order.PAID or not order.total_minor:
        return None
    known = issue.papers(order) if papers is None else papers
    if not _left(order, known, lines):
        return None
    now, done = issue.standing(order, known), issue.written_anew(order, known)
    return Standing(now.number, now.billing.country, done + 1) if done < MOST else None


def bill_anew(order: Order, capability: str, address: BillingData, time: int) -> Invoice:
    """The invoice in place of the one that is good now, to this address. `time` is that of `standing`, as it was shown:
    the same form sent twice makes one. Refused with a sentence; KeeperAway."""
    _proved(order, capability)
    return for_its_customer(order, address, time)


def for_its_customer(order: Order, address: BillingData, time: int) -> Invoice:
    """The same by the owner, whom the customer asked for it."""
    found = standing(order)
    if found is None:
        raise Refused(_("There is nothing left on this order to bill anew."))
    if found.time != time:
        raise Refused(DONE)
    if erase.under_way(order.person_id) is not None:
        raise Refused(_("You asked to be forgotten: cancel that before you change anything."))
    business = _taxed_as_before(order, found, address)
    try:
        with transaction.atomic():
            billing = Billing(person=order.person, country=address.country, business=business)
            seal(billing, "billing", msgspec.structs.replace(address, salt=secrets.token_hex(16)))
            billing.save(force_insert=True)
            papers = issue.anew(order, time, _left(order), billing)
            due.add_all(*(("bill", paper.id, 0) for paper in papers))
    except (IntegrityError, ValueError):  # somebody was first, or money went back meanwhile
        made = None
    else:
        made = papers[1]
    if made is None:
        raise Refused(DONE)
    return made


def _left(
    order: Order, known: list[Invoice] | None = None, lines: Sequence[OrderLine] | None = None
) -> list[tuple[OrderLine, int]]:
    """What of each line was billed and has not gone back."""
    gone = issue.credited(order, known)
    sold = order.lines.all() if lines is None else lines
    left = ((line, line.paid_minor - (gone[line.pk].total if line.pk in gone else 0)) for line in sold)
    return [(line, minor) for line, minor in left if minor > 0]


def _taxed_as_before(order: Order, found: Standing, address: BillingData) -> bool:
    """Whether a VAT number counts there. Refused where the tax would have been another."""
    if address.country != found.country:
        raise Refused(_("An invoice keeps its country, as its tax goes by it; please write to us."), "country")
    try:
        business = is_business(address.vat_number, address.country)
    except ValueError:
        raise Refused(
            _("Please check the VAT number: it is none of the country of this address."), "vat_number"
        ) from None
    line = order.lines.order_by("pk")[0]
    day = (order.paid_at or order.made_at).date()
    then = rules.treatment(settings.TROTH.tax, settings.TROTH.shop.country, address.country, business, day)
    if business and then.kind == rules.REVERSE and line.treatment != rules.REVERSE:
        raise Refused(_("With this VAT number you would have paid no tax here; please write to us."), "vat_number")
    if not business and line.treatment == rules.REVERSE:
        raise Refused(_("This invoice shows no tax because of its VAT number; please type that too."), "vat_number")
    return business


def _proved(order: Order, capability: str) -> None:
    """Whose order it is, by the keeper's word, noted as every opening. Refused if the session has ended."""
    contact = Contact.objects.filter(person=order.person_id, state=Contact.CURRENT, contact__isnull=False).first()
    try:
        if contact is not None and capability:
            door().open([contact.contact], purpose="account", job="own-invoice", capability=capability)
            return
    except KeeperRefused:
        pass
    raise Refused(_("Your session has ended; please sign in again."))


NOT_THEIRS = _("Please check the VAT number: it is none of the country of this address.")
DONE = _("This order was billed anew meanwhile; please look at its invoices.")
