"""Redeliver: what was delivered goes out once more, as a letter of its own with fresh links.

To the mailbox of the first letter, or the one that was put in its place out of a job (redirect.py), it says all that
the first one did. To any other it brings what was bought and nothing more: no key to the order's page or its invoice,
no way to an account. The keeper tells them apart ("astray"), so rows that somebody else wrote lead nobody's mail away.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import new_id
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import door
from troth.shop.delivery import letters, links
from troth.shop.delivery.models import Grant, Letter
from troth.shop.journeys import erase, invoice, licence, prolong, reach
from troth.shop.journeys.write_to import asked
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused

KIND = "redeliver"
PAUSE = timedelta(minutes=2)  # between two such letters of one order: who clicks twice sends one


def ask(order: Order) -> None:
    """Make the letter due. Refused for an order that gives nothing, whose first letter is still due, or lately."""
    with transaction.atomic():
        order = Order.objects.select_for_update().select_related("contact", "person").get(pk=order.pk)
        refuse_undeliverable(order)
        lately = Letter.objects.filter(kind=KIND, order=order, queued_at__gt=clock.now() - PAUSE)
        if lately.exists():
            raise Refused(_("It was sent again just now; give it two minutes."))
        letters.queue(KIND, new_id("let"), order.person, order)


def refuse_undeliverable(order: Order) -> None:
    """Refused with why no letter can go out about this order's goods."""
    if order.state != Order.PAID or not order.lines.filter(ended="").exists():
        raise Refused(_("Nothing of this order may be fetched now, so there is nothing to send."))
    if order.contact.contact is None or erase.under_way(order.person_id) is not None:
        raise Refused(_("This customer asked to be forgotten: nobody writes to them any more."))
    if order.letters.filter(kind="deliver", state=Letter.QUEUED).exists():
        raise Refused(_("The first letter is still due: it is tried by itself, or at once from the list of letters."))
    if not order.letters.filter(kind="deliver").exists():
        raise Refused(_("It was not delivered yet; that is done by itself, and the order's page says when."))


def send(subject: str, claim: due.Claim) -> None:
    """The errand. Raises due.Again until the relay has the letter."""
    found = Letter.objects.filter(kind=KIND, subject=subject, state=Letter.QUEUED)
    letter = found.select_related("order__contact").first()
    if letter is None or letter.order is None:
        return
    order, contact = letter.order, letter.order.contact
    if order.state != Order.PAID or contact.contact is None:
        return
    (to,) = asked(lambda: door().open([contact.contact], purpose="deliver", job=order.ref))
    letters.send(letter, to, claim, **_goods(order), **_keys(order, to), ledger=asked(lambda: door().checkpoint()))
    due.drop(("deliver", order.ref))  # what was given up is done now


def _goods(order: Order) -> dict[str, Any]:
    lines = list(OrderLine.objects.filter(order=order, ended="").select_related("edition__product").order_by("pk"))
    granted = Grant.objects.filter(line__in=lines).select_related("product").order_by("pk")
    licences = [one for one in licence.of(order) if not one.ended]
    return {
        "order": order,
        "lines": lines,
        "paid": order.total_minor > 0,
        "downloads": links.to(granted),
        "licences": licences,
        "composer": licence.commands(licences),
        "renewed": prolong.of(order) if any(line.renews for line in lines) else [],
    }


def _keys(order: Order, to: ContactData) -> dict[str, str]:
    """Links that only the mailbox gets which the keeper knows; all empty for another one."""
    told = asked(lambda: door().redeem(ref=order.person_id, kind="invite", mailbox=to.email))
    if told.kind == "astray":
        return dict.fromkeys(("order_url", "invoice_url", "invite_url", "claim_url"), "")
    claim = told
    if told.secret:
        claim = asked(lambda: door().redeem(ref=order.person_id, kind="claim", mailbox=to.email))
    site = settings.TROTH.web.public_url.rstrip("/")
    return {
        "order_url": f"{site}/orders/{order.ref}/key/{reach.order_key(order)}",
        "invoice_url": invoice.letter_url(order),
        "invite_url": f"{site}/recover/{told.ticket}/{told.secret}" if told.kind == "invite" else "",
        "claim_url": f"{site}/claim/{claim.ticket}/{claim.secret}" if claim.kind == "claim" else "",
    }
