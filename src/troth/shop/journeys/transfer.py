"""Transfer: money for an order came to the shop's bank account, and somebody at the desk notes it, with proof.

The proof is what the bank calls the booking, and its day: no account, no name. The payment that is written with it
settles as any other does (settle.py), so invoice and letter follow. Two who note it at once settle it once: the rows
of an order's transfer and of a booking are unique, and all is one transaction.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.journeys import settle
from troth.shop.money import Money
from troth.shop.orders.models import Order
from troth.shop.payments import attempt, gateways
from troth.shop.payments.models import Payment, Transfer
from troth.shop.payments.providers.contract import Sight, State
from troth.shop.refusal import Refused

LONGEST = 36
REFERENCE = re.compile(r"[A-Z0-9](?:[A-Z0-9./-]| (?! )){2,34}[A-Z0-9]")
ACCOUNT = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")  # an IBAN (ISO 13616), as far as its shape goes
OLDEST = timedelta(days=400)


class _Undone(Exception):
    """The payment did not settle the order: nothing of it is to be written."""


def may_come(order: Order) -> bool:
    """Whether a transfer may still pay for this order."""
    return order.state in (Order.OPEN, Order.CANCELLED, Order.EXPIRED) and order.total_minor > 0


def note(order: Order, reference: str, booked_on: date, came: Money, by: str) -> None:
    """The transfer came: the order is paid by it. `came` is what the bank booked, `by` the colleague who looked.

    Refused for another sum, a day that cannot be, a reference that is none or is known, and an order that wants no
    money any more: what came for that goes back at the bank.
    """
    reference = _reference(reference)
    if not clock.now().date() - OLDEST < booked_on <= clock.now().date():
        raise Refused(_("Type the day on which the bank booked it, today at the latest."), "booked_on")
    if came != order.total:
        raise Refused(_("The sum is not that of the order. Give it back at the bank, or wait for the rest."), "came")
    try:
        with transaction.atomic():
            payment = attempt.new(order, gateways.TRANSFER)
            Transfer.objects.create(order=order, payment=payment, reference=reference, booked_on=booked_on, by=by)
            seen = Sight(State.PAID, "", payment.id, order.total, "", reference, "")
            if settle.settle(payment, seen) != "paid":
                raise _Undone
    except _Undone:
        no = Refused(_("This order is paid already: give the transfer back at the bank."))
    except IntegrityError:
        no = _known(order, reference)
    else:
        return
    raise no


def of(order: Order) -> Transfer | None:
    return Transfer.objects.filter(pk=order.pk).first()


def _known(order: Order, reference: str) -> Refused:
    if Payment.objects.filter(provider=gateways.TRANSFER, capture_ref=reference).exclude(order=order).exists():
        return Refused(_("This booking paid for another order already; look at its reference again."), "reference")
    return Refused(_("This transfer was noted before; look at the order."))


def _reference(typed: str) -> str:
    reference = " ".join(typed.upper().split())
    if ACCOUNT.fullmatch(reference.replace(" ", "")):
        raise Refused(_("That looks like an account number. Type what the bank calls the booking."), "reference")
    if not REFERENCE.fullmatch(reference):
        raise Refused(_("Type the bank's reference of the booking: 4 to 36 letters, digits and . / -"), "reference")
    return reference
