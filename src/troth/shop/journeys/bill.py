"""Bill: the worker opens a billing address "to bill", makes the document, and keeps nothing of it but a hash.

The hash is of bytes with a random salt in them that is sealed with the address, so it confirms no guess of a name.
It goes onto a row and into the ledger, with the invoice's number.
"""

from __future__ import annotations

import msgspec

from troth.pledge import fault
from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Billing as BillingData
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.shop.accounts.models import Contact
from troth.shop.invoices import authority, handover, paper, snapshot, words
from troth.shop.invoices.models import Handover, Invoice
from troth.shop.invoices.snapshot import Altered

RETRY = 5  # seconds until the keeper is asked again


def bill(invoice_id: str, claim: due.Claim) -> None:
    """Note the hash of an invoice's PDF, on a row and in the ledger. Safe to do again."""
    made = _invoice(invoice_id)
    try:
        document = paper.pdf(*_said(made))
        sha256 = paper.noted(made, document)
    except paper.Unprintable:
        return  # it has a page only, and no bytes to vouch for
    except Altered:
        trouble = due.Again("altered", give_up=True)
    except KeeperRefused as refused:
        trouble = due.Again(f"keeper-{refused.code}", give_up=refused.code == "gone")
    except KeeperAway:
        trouble = due.Again("keeper-away", RETRY)
    else:
        fault.here("bill.printed")
        _note(made, sha256)
        return
    raise trouble


def hand_over(handover_id: str, claim: due.Claim) -> None:
    """Make what a request waits for, and seal it to that request. It asks again by itself if we cannot."""
    row = Handover.objects.filter(pk=handover_id, sealed=None, code="").first()
    if row is None:
        return
    made = _invoice(row.invoice_id)
    try:
        if not _may_have(row, made):
            handover.fail(row, "not-theirs")
            return
        said, form = _said(made)
        if row.form == Handover.PDF:
            document = paper.pdf(said, form)
            paper.noted(made, document)
        else:
            document = msgspec.json.encode(said)
    except KeeperAway:
        document, code = b"", "keeper-away"
    except KeeperRefused as refused:
        document, code = b"", refused.code
    except Altered:
        document, code = b"", "altered"
    except paper.Unprintable:
        document, code = b"", "unprintable"
    else:
        handover.give(row, document)
        return
    handover.fail(row, code)


def _may_have(row: Handover, made: Invoice) -> bool:
    """Whether the request has a link that we made, or the capability of who was billed, by the keeper's word."""
    proof = authority.read(row)
    if authority.is_linked(made, proof):
        return True
    contact = Contact.objects.filter(person=made.person_id, state=Contact.CURRENT).first()
    if not proof.capability or contact is None or contact.contact is None:
        return False
    try:
        door().open([contact.contact], purpose="account", job="own-invoice", capability=proof.capability)
    except KeeperRefused:
        return False
    return True


def _invoice(invoice_id: str) -> Invoice:
    return Invoice.objects.select_related("billing", "order").get(pk=invoice_id)


def _said(made: Invoice) -> tuple[words.Said, int]:
    """The document's texts and its form. Altered before anybody's address is opened; KeeperAway, KeeperRefused."""
    kept = snapshot.read(made)
    if made.billing.billing is None:
        raise KeeperRefused("gone")
    (buyer,) = door().open([made.billing.billing], purpose="bill", job=made.order_id)
    fault.here("bill.opened")
    assert isinstance(buyer, BillingData)
    return words.say(made, kept, buyer), kept.form


def _note(made: Invoice, sha256: str) -> None:
    event: dict[str, str | int] = {
        "type": "invoice",
        "number": made.number,
        "sha256": sha256,
        "renderer": paper.renderer(),
    }
    try:
        door().note(f"invoice:{made.id}:{sha256[:16]}", event)
    except KeeperAway:
        again = due.Again("keeper-away", RETRY)
    except KeeperRefused as refused:
        again = due.Again(f"keeper-{refused.code}")
    else:
        return
    raise again
