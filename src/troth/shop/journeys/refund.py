"""Refund: money goes back for a line or a whole order, asked for by the owner or by rule.

Asking sets the money aside and makes an errand due, in one transaction; the worker speaks with the provider. Each
refund has its own key there, and is looked for before it is asked for again: it is never given twice.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.journeys import money_back
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments import gateways, give_back
from troth.shop.payments.models import Payment, Refund, RefundLine
from troth.shop.payments.providers.contract import (
    Back,
    Provider,
    ProviderDown,
    ProviderRefused,
    RefundAsk,
    Returned,
    SessionOver,
)
from troth.shop.refusal import Refused

LOOK_AGAIN = 3600.0  # seconds between looks at a refund that the provider still works on
STAFF, SURPLUS, BY_HAND = "staff", "surplus", "by-hand"


def ask(
    order: Order, *, line: int | None = None, minor: int | None = None, why: str = STAFF, before: int | None = None
) -> Refund:
    """Give money back for this order: all that is left of it, of its line (its number on the order, from 1), or a part.

    `before`: what had gone back, or was on its way, when the asker looked (minor units); sent twice, it is asked once.
    Refused where nothing was paid, there is no such line, or more would go back than is left of what was paid for it.
    """
    with transaction.atomic():
        Order.objects.select_for_update().get(pk=order.pk)
        payment = order.payments.filter(state__in=Payment.SETTLED, surplus=False).first()
        if payment is None:
            raise Refused(_("Nothing was paid for this order, so nothing can go back."))
        if before is not None and before != payment.refunded_minor + payment.refunding_minor:
            raise Refused(_("Money of this order went back, or was asked to, since you looked; look at it again."))
        lines = list(order.lines.order_by("pk"))
        shares = _shares(lines, line, minor)
        amount = _amount(payment, lines, shares, line, minor)
        if not give_back.reserve(payment, amount):
            raise Refused(_("That is more than is left of this payment; look at the order for what went back already."))
        refund = Refund.objects.create(payment=payment, provider=payment.provider, amount_minor=amount, why=why)
        for row, share in shares:
            RefundLine.objects.create(refund=refund, line=row, amount_minor=share)
            OrderLine.objects.filter(pk=row.pk).update(returned_minor=F("returned_minor") + share)
        due.add("refund", refund.id)
    return refund


def surplus(payment: Payment) -> Refund | None:
    """Money that no order needs goes back by itself, where the settings say so. Needs the caller's transaction."""
    return _whole(payment) if settings.TROTH.payments.surplus == "refund" else None


def of_surplus(order: Order) -> list[Refund]:
    """Give back, by the owner's word, what was paid when nothing was to be paid. Refused where there is nothing."""
    with transaction.atomic():
        asked = [_whole(payment) for payment in order.payments.filter(state=Payment.PAID, surplus=True)]
    found = [one for one in asked if one is not None]
    if not found:
        raise Refused(_("Nothing was paid twice for this order, or it has gone back already."))
    return found


def _whole(payment: Payment) -> Refund | None:
    payment.refresh_from_db()
    if not give_back.reserve(payment, payment.kept_minor):
        return None
    refund = Refund.objects.create(
        payment=payment, provider=payment.provider, amount_minor=payment.kept_minor, why=SURPLUS
    )
    due.add("refund", refund.id)
    return refund


def gave_by_hand(refund_id: str) -> None:
    """Somebody paid this refund of a bank transfer at the bank. Said twice it is known once. Refused for any other."""
    refund = Refund.objects.select_related("payment").filter(pk=refund_id, provider=gateways.TRANSFER).first()
    if refund is None:
        raise Refused(_("Only what was paid by bank transfer goes back by hand; the rest is the provider's work."))
    money_back.note(refund, Returned("", None, Back.DONE))
    due.drop(("refund", refund.id))


def give(refund_id: str, claim: due.Claim) -> None:
    """The errand: look, ask, note. Raises due.Again until the provider's word is final."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    if refund.state not in give_back.WAITING:
        return
    if refund.provider == gateways.TRANSFER:
        raise due.Again(BY_HAND, LOOK_AGAIN, waits=True)  # somebody pays it at the bank, and says so
    try:
        provider = gateways.provider(refund.provider)
    except KeyError:
        again = due.Again("not-offered", LOOK_AGAIN, waits=True)
    else:
        trouble = _go_on(refund, provider, claim)
        refund.refresh_from_db()
        if refund.state not in give_back.WAITING:
            return
        after = LOOK_AGAIN if refund.state == Refund.PENDING else None
        again = due.Again(trouble or refund.state, after, waits=True)
    raise again


def _go_on(refund: Refund, provider: Provider, claim: due.Claim) -> str:
    """One step nearer to the end; a code where something stood in the way."""
    try:
        if (claim.attempts > 1 or refund.session or refund.state == Refund.PENDING) and _found(refund, provider):
            return ""
        if refund.state == Refund.PENDING:
            return "pending"
        if not refund.session and (session := provider.prepare_refund(_ask(refund))):
            Refund.objects.filter(pk=refund.pk, session="").update(session=session)
            refund.refresh_from_db()
        if not claim.still_mine():
            return "late"
        money_back.note(refund, provider.refund(_ask(refund), refund.session))
    except SessionOver:
        # It was looked for just before, and had not acted: another may be prepared.
        if claim.attempts > 1:
            Refund.objects.filter(pk=refund.pk, state=Refund.ASKED).update(session="")
        return "session-over"
    except ProviderRefused as refused:
        return _refused(refund, provider, refused.code)
    except ProviderDown as down:
        # Whether a refusal is kept under a key is not documented: whatever was not done is asked under the next one.
        if down.code in _NOT_DONE:
            Refund.objects.filter(pk=refund.pk, state=Refund.ASKED).update(attempt=F("attempt") + 1)
        Refund.objects.filter(pk=refund.pk, state=Refund.ASKED).update(reason=down.code[:60])
        return down.code
    return ""


_NOT_DONE = ("REFUND_FAILED_INSUFFICIENT_FUNDS", "PENDING_CAPTURE", "TRANSACTION_DISPUTED")


def _refused(refund: Refund, provider: Provider, code: str) -> str:
    """A definite no may be to a repeat of what was done: the provider's list has the last word."""
    try:
        if _found(refund, provider):
            return ""
    except (ProviderDown, ProviderRefused) as trouble:
        return trouble.code
    money_back.note(refund, Returned("", None, Back.FAILED, reason=code))
    return code


def _found(refund: Refund, provider: Provider) -> bool:
    """Look for it at the provider, and write down all that is found. True if its end is known now."""
    payment = refund.payment
    begin, end = refund.made_at - timedelta(days=1), clock.now() + timedelta(days=1)
    money_back.take_in(payment, provider.returned_money(payment.provider_ref, payment.capture_ref, begin, end))
    refund.refresh_from_db()
    if refund.state == Refund.PENDING and refund.provider_ref and (seen := provider.look_refund(refund.provider_ref)):
        money_back.note(refund, seen)
        refund.refresh_from_db()
    return refund.state not in give_back.WAITING


def _ask(refund: Refund) -> RefundAsk:
    payment = refund.payment
    received = Money(payment.received_minor, payment.received_currency) if payment.received_currency else None
    return RefundAsk(
        refund_id=refund.id,
        payment_id=payment.id,
        capture_ref=payment.capture_ref,
        amount=refund.amount,
        of=Money(payment.captured_minor, payment.currency),
        received=received,
        whole=refund.amount_minor == payment.captured_minor and not payment.refunded_minor,
        request_id=f"refund-{refund.id}-{refund.attempt}",
    )


def _shares(lines: list[OrderLine], line: int | None, minor: int | None) -> list[tuple[OrderLine, int]]:
    """How much of which line. A part of an order with several lines must say of which."""
    if line is None and len(lines) == 1:
        line = 1
    if line is None:
        if minor is not None:
            raise Refused(_("This order has several lines; say which one the amount is for."))
        return [(row, row.paid_minor - row.returned_minor) for row in lines if row.paid_minor > row.returned_minor]
    if not 1 <= line <= len(lines):
        raise Refused(_("This order has no such line; its lines are numbered from 1, as on its page."))
    row = lines[line - 1]
    left = row.paid_minor - row.returned_minor
    if not 0 < (minor if minor is not None else left) <= left:
        raise Refused(_("That is more than is left of what was paid for this line, or nothing at all."))
    return [(row, left if minor is None else minor)]


def _amount(
    payment: Payment, lines: list[OrderLine], shares: list[tuple[OrderLine, int]], line: int | None, minor: int | None
) -> int:
    if line is None and minor is None and len(lines) > 1:
        return payment.kept_minor
    return sum(share for _, share in shares)


class Returning(msgspec.Struct, frozen=True):
    """A refund as a buyer or the owner is told of it."""

    id: str
    amount: Money
    state: str
    kind: str
    reason: str


def of(order: Order) -> list[Returning]:
    """What went back for an order, or is on its way; the latest last."""
    rows = Refund.objects.filter(payment__order=order).select_related("payment").order_by("made_at")
    return [Returning(row.id, row.amount, row.state, row.kind, row.reason) for row in rows]
