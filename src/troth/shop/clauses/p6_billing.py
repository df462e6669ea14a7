"""P6: the billing address bills. Nothing else opens it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from email.message import EmailMessage
from typing import Any

from django.utils.translation import gettext_lazy as _

from troth.pledge.keeper import policy
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.door import KeeperRefused, door
from troth.pledge.vault.fields import Sealed, seal
from troth.pledge.vault.models import Person
from troth.shop.clauses import marker, mutations
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.invoices import authority
from troth.shop.invoices.models import Invoice
from troth.shop.orders.models import Billing

MAY = {"bill", "tax", "legal"}


def tried_for_every_purpose(probe: Probe) -> Iterator[Finding]:
    """Seals an invented address to nobody's keys, without storing it, and asks the keeper for it for every purpose."""
    address = _invented()
    opened = {purpose for purpose in policy.PURPOSES if _opens(address, purpose)}
    for purpose in sorted(opened - MAY):
        yield broken(f"the keeper opens a billing address for {purpose}")
    if "bill" not in opened:
        yield broken("the keeper does not open a billing address to bill")
    yield holds("asked for every purpose, the keeper opens a billing address to the worker for billing alone")


def _invented() -> Sealed:
    blank = Person.objects.filter(taken_at__isnull=True).order_by("made_at").last()
    if blank is None:
        raise LookupError("no blank in stock")
    row = Billing(person=blank, country="DE")
    seal(row, "billing", BillingData("Nobody", "Nowhere 1", "Nowhere", "00000", "DE"))
    sealed: Sealed = row.billing
    return sealed


def _opens(address: Sealed, purpose: str) -> bool:
    try:
        door().open([address], purpose=purpose, job="check-billing")
    except KeeperRefused:
        return False
    return True


def nowhere_in_clear(probe: Probe) -> Iterator[Finding]:
    traces = marker.traces(probe)
    if traces is None:
        yield gap("no marker customer beside real providers; this is tried beside look-alikes")
        return
    for hit in traces.of_bill:
        yield broken(f"a billing address stands in clear in {hit}")
    yield holds("the marker customer's billing address stands nowhere in clear")


def billed_to_its_buyer_alone(probe: Probe) -> Iterator[Finding]:
    """The bill is what the address is for: it stands on it, and nobody else gets it."""
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers; this is tried beside look-alikes")
        return
    if not left.orders:
        yield gap("the marker customer cannot pay at these look-alikes, so there is no invoice")
        return
    if left.invoice is None or left.invoice.status != 200 or f"{left.stem}bill street 1" not in left.invoice.text:
        yield broken("a paid order has no invoice with its billing address")
    for page in left.invoice_to_others:
        if page.status < 400 or left.stem in page.text:
            yield broken("somebody else was shown an invoice")
    yield holds("the marker customer's invoice bears their address, and opens for them alone")


def letters_do_not_bear_it(probe: Probe) -> Iterator[Finding]:
    """A firm and a private person buy; their letters are read."""
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers; this is tried beside look-alikes")
        return
    if told := sum(f"{left.stem}bill" in text for text in left.letters.texts):
        yield broken(f"letters that say what only the bill may: {told}")
    if left.letters.texts:
        yield holds(f"{len(left.letters.texts)} letters to the marker customer say nothing of their billing address")
    else:
        yield gap("no letter was handed to the relay by this process")


def _licensed_to(letter: Letter, *given: Any, **words: Any) -> EmailMessage:
    """A firm likes to read its name."""
    message, order = _write(letter, *given, **words), letter.order
    if order and order.billing:
        (bill,) = door().open([order.billing.billing], purpose="bill", job=order.ref)
        message.add_attachment(f"Licensed to {bill.company}")
    return message


_write = letters.write


def _anybody(made: Invoice, proof: authority.Proof) -> bool:
    return True


def _kept_for_convenience() -> AbstractContextManager[None]:
    return marker.noted_beside("billing")


CLAUSE = Clause(
    id="P6",
    title=_("Billing address"),
    words=_("When you buy, you give a billing address. We use it to bill you for products and services."),
    stricter=_(
        "What costs nothing is ordered without one. We use it for nothing else: the text of 2010 added “and for other "
        "purposes”. In clear stand only the country, whether a "
        "VAT number was given, and the country that the payment came from, as its provider reports it: tax law wants "
        "two pieces of evidence. It is never your IP address."
    ),
    enforced=(
        _("It is sealed while you order; the keeper opens it for billing, tax and lawful disclosure only."),
        _("Invoices hold no name: the worker opens the address to make one, and seals it to the request that waits."),
        _("A key of its own keeps it readable for tax until the law's date, and for nothing else after you left."),
    ),
    checks=(
        Check("every purpose is tried at the keeper", "runtime", tried_for_every_purpose),
        Check("a marker customer's invoice opens for them alone", "synthetic", billed_to_its_buyer_alone),
        Check("a marker customer's address stands nowhere in clear", "forensic", nowhere_in_clear),
        Check("letters do not bear it", "synthetic", letters_do_not_bear_it),
    ),
    mutants=(
        Mutant("the street is noted beside what was bought", _kept_for_convenience, turns=(nowhere_in_clear,)),
        Mutant(
            "an invoice opens for whoever knows its id",
            lambda: mutations.replaced(authority, "is_linked", _anybody),
            turns=(billed_to_its_buyer_alone,),
        ),
        Mutant(
            "delivery may read it",
            lambda: mutations.added(policy.OPENS, ("billing", "deliver"), "standing"),
            in_demo=False,
            turns=(tried_for_every_purpose,),
        ),
        Mutant(
            "letters say to which firm it is licensed",
            lambda: mutations.replaced(letters, "write", _licensed_to),
            in_demo=False,
            turns=(letters_do_not_bear_it,),
        ),
    ),
    choices=((_("Type a new one with your next order"), "/basket"),),
)
