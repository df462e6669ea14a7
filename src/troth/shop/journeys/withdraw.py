"""Withdraw from a purchase: declared on the order's page or, by who has only its number, through the mailbox on file.

Two steps, as the law wants them: the declaration, then a button that confirms it. It counts from the first step. Where
the right stands the money goes back and the access ends by itself (refund.py); where it has ended the owner decides,
and the letter that acknowledges the declaration says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import SHAPE
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.journeys import refund
from troth.shop.journeys.write_to import address, letter_to, url
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused
from troth.shop.tax.rates import MEMBERS
from troth.shop.withdrawals import rules
from troth.shop.withdrawals.models import Waiver, Withdrawal

WHY = "withdrawn"
LINK_LIVES = timedelta(days=30)


def offered() -> bool:
    """Whether this shop sells to consumers who may withdraw."""
    return settings.TROTH.shop.withdrawal_days > 0


def waive(order: Order, wanted: bool) -> None:
    """Keep that the buyer asked for delivery at once, in the words they saw. Needs the transaction that orders.

    Refused where they did not, have a right to withdraw, and this shop sells to nobody without a waiver.
    """
    if wanted and order.total_minor and offered():
        Waiver.objects.create(order=order, words=words())
    elif settings.TROTH.shop.waiver == "required" and _is_consumer(order):
        sentence = _("We deliver at once: please confirm that you want this and know what it ends, or write to us.")
        raise Refused(sentence, "waiver")


def _is_consumer(order: Order) -> bool:
    return offered() and order.total_minor > 0 and not _business(order) and order.country in MEMBERS


def _business(order: Order) -> bool:
    return order.billing is not None and order.billing.business


def words() -> str:
    return str(rules.WORDS) % {"days": settings.TROTH.shop.withdrawal_days}


def right(order: Order, at: datetime | None = None) -> rules.Right:
    """What the buyer of this order may do, at this moment or at the one when they said it."""
    return rules.right(
        settings.TROTH.shop.withdrawal_days,
        order.country,
        _business(order),
        max(order.made_at, order.paid_at or order.made_at),
        Letter.objects.filter(order=order, kind__in=("deliver", "redeliver"), state__in=Letter.LEFT).exists(),
        Waiver.objects.filter(pk=order.pk).exists(),
        at or clock.now(),
    )


def of(order: Order) -> Withdrawal | None:
    """The withdrawal that was declared for this order."""
    return order.withdrawals.filter(state=Withdrawal.DECLARED).first()


def ask(order_ref: str) -> None:
    """Somebody typed an order's number: a letter goes to the mailbox on file, if there is such an order.

    Whether there is one shows nowhere. Asked again, it is the same letter.
    """
    order = Order.found(order_ref) if SHAPE.match(order_ref) else None
    if order is None or not _was_paid(order):
        return
    with transaction.atomic():
        asked = _opened(order)
        if asked.state == Withdrawal.ASKED:
            due.add("withdraw", asked.id)


def declare(order: Order) -> Withdrawal:
    """Who may see the order declares and confirms it here. Again it is the same. Refused where nothing was paid."""
    if not _was_paid(order):
        raise Refused(_("Nothing was paid for this order: there is nothing to withdraw from, it ends by itself."))
    asked = _opened(order)
    confirm(asked)
    return asked


def confirm(asked: Withdrawal) -> None:
    """The button. The money that is left goes back where the right stood when it was first said. Once for all."""
    order = asked.order
    ended = right(order, asked.asked_at).ended
    outcome = Withdrawal.OWNER if ended else Withdrawal.REFUND
    with transaction.atomic():
        declared = Withdrawal.objects.filter(pk=asked.pk, state=Withdrawal.ASKED).update(
            state=Withdrawal.DECLARED, outcome=outcome, reason=ended, declared_at=clock.now()
        )
        if declared and outcome == Withdrawal.REFUND:
            _give_back(order)
        if declared:
            due.add("withdrawn", asked.id)
    asked.refresh_from_db()


def _was_paid(order: Order) -> bool:
    return order.total_minor > 0 and order.state in (Order.PAID, Order.REFUNDED)


def _give_back(order: Order) -> None:
    try:
        with transaction.atomic():
            refund.ask(order, why=WHY)
    except Refused:
        return  # all of it went back before: there is nothing left to give


def _opened(order: Order) -> Withdrawal:
    try:
        with transaction.atomic():
            return Withdrawal.objects.create(order=order)
    except IntegrityError:
        return Withdrawal.objects.get(order=order, state__in=(Withdrawal.ASKED, Withdrawal.DECLARED))


def link(subject: str, claim: due.Claim) -> None:
    """The errand: the letter with the link to confirm it, to the mailbox that the order was made with."""
    asked = Withdrawal.objects.select_related("order__contact__person").get(pk=subject)
    if asked.state != Withdrawal.ASKED:
        return
    if clock.now() - asked.asked_at > LINK_LIVES:
        Withdrawal.objects.filter(pk=asked.pk, state=Withdrawal.ASKED).update(state=Withdrawal.LAPSED)
        return
    _send("withdraw", asked, claim, link=url(page_of(asked)))
    raise due.Again("waits for the mailbox", LINK_LIVES.total_seconds(), waits=True)


def acknowledge(subject: str, claim: due.Claim) -> None:
    """The errand: the letter that says what was declared, and when, for the buyer to keep."""
    declared = Withdrawal.objects.select_related("order__contact__person").get(pk=subject)
    _send("withdrawn", declared, claim, withdrawal=declared, order_ref=declared.order_id, link=url(page_of(declared)))


def _send(kind: str, about: Withdrawal, claim: due.Claim, **said: object) -> None:
    contact = about.order.contact
    if contact.contact is None:
        return  # forgotten meanwhile: nobody is there to be written to
    letter = letter_to(kind, about.id, contact)
    if letter.state == Letter.QUEUED:
        letters.send(letter, address(contact, about.id), claim, **said)


def page_of(withdrawal: Withdrawal) -> str:
    """The path of its page, an address nobody can guess: for whoever got the letter."""
    return f"/withdrawals/{withdrawal.id}/{_key(withdrawal)}"


def found(withdrawal_id: str, key: str) -> Withdrawal | None:
    """The withdrawal behind such an address."""
    row = Withdrawal.objects.filter(pk=withdrawal_id).first() if SHAPE.match(withdrawal_id) else None
    return row if row is not None and constant_time_compare(key, _key(row)) else None


def _key(withdrawal: Withdrawal) -> str:
    return salted_hmac("troth.withdrawal", withdrawal.id, algorithm="sha256").hexdigest()[:40]
