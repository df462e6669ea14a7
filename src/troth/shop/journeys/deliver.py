"""Deliver: what was paid for reaches its buyer by mail, and stands on the order's page as well.

Run by the worker from a row that was written with the payment. Safe at every step to do again: grants are unique, the
letter is one row with one Message-ID, and only a death between the relay's answer and our note of it sends it twice.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from troth.pledge import fault
from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.shop.delivery import grants, letters, links
from troth.shop.delivery.models import Letter
from troth.shop.journeys import choose, entitlement, invoice, licence, prolong, reach
from troth.shop.licences import stock
from troth.shop.orders.models import Order, OrderLine


def deliver(order_ref: str, claim: due.Claim) -> None:
    """Grant, open the address for "deliver" (noted), send, note. Raises due.Again until the relay has the letter."""
    lines, selling = _lines(order_ref)
    if not lines or lines[0].order.state != Order.PAID:
        return  # unpaid, paid back or disputed, whoever made this due; who ends a dispute makes it due again
    order = lines[0].order
    with transaction.atomic():
        granted = grants.give(lines)
        letter = letters.of_order("deliver", order)
        new = [line for line in lines if not line.renews]
        licences, complete = licence.give(new, selling)
        entitlement.give(new)
        prolong.give(lines)
    fault.here("deliver.granted")
    if not complete:
        raise due.Again(licence.SOLD_OUT, 3600, waits=True)  # paid after all: the owner sees it, and imports keys
    if letter.state in Letter.LEFT or order.contact.contact is None:
        return  # who is forgotten gets no letter; what they bought stands on the order's page until its time is over
    trouble = None
    try:
        (to,) = door().open([order.contact.contact], purpose="deliver", job=order.ref)
        fault.here("deliver.opened")
        invite = door().redeem(ref=order.person_id, kind="invite", mailbox=to.email)
        fault.here("deliver.invited")
        claim_of = door().redeem(ref=order.person_id, kind="claim", mailbox=to.email) if invite.secret else invite
        ledger = door().checkpoint()  # after the opening, so that its own entry is under it
    except KeeperAway:
        trouble = due.Again("keeper-away", 5)
    except KeeperRefused as refused:
        trouble = due.Again(f"keeper-{refused.code}")
    else:
        trouble = due.Again("astray", give_up=True) if invite.kind == "astray" else None
    if trouble:
        raise trouble
    site = settings.TROTH.web.public_url.rstrip("/")
    letters.send(
        letter,
        to,
        claim,
        lines=lines,
        paid=order.total_minor > 0,
        downloads=links.to(granted),
        licences=(shown := licence.given(licences, granted)),
        composer=licence.commands(shown),
        invoice_url=invoice.letter_url(order),
        order_url=f"{site}/orders/{order.ref}/key/{reach.order_key(order)}",
        invite_url=f"{site}/recover/{invite.ticket}/{invite.secret}" if invite.kind == "invite" else "",
        claim_url=f"{site}/claim/{claim_of.ticket}/{claim_of.secret}" if claim_of.kind == "claim" else "",
        order=order,
        renewed=prolong.of(order) if len(new) < len(lines) else [],
        ledger=ledger,
    )
    choose.bought(order.person_id)


def _lines(order_ref: str) -> tuple[list[OrderLine], set[int]]:
    """The lines that give access, with all that delivering them asks for; and the editions that sell from a stock."""
    found = OrderLine.objects.filter(order=order_ref, ended="").annotate(stocked=stock.has_stock("edition"))
    lines = list(found.select_related("order__contact", "edition__product").order_by("pk"))
    return list(lines), {line.edition_id for line in lines if line.stocked}
