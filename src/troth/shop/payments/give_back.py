"""Statements on a payment's sums and its refunds: each is one conditional update, so that no race gives money twice.

All of them belong into the caller's transaction, together with what follows from them.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F

from troth.pledge import clock
from troth.shop.payments.models import Payment, Refund

WAITING = (Refund.ASKED, Refund.PENDING)


class Overdrawn(Exception):
    """The provider says that more went back than came. Nothing was written; a person has to look."""


def reserve(payment: Payment, minor: int) -> bool:
    """Set aside money to give back. False if that is more than is left of what came in."""
    left = Payment.objects.filter(
        pk=payment.pk, state=Payment.PAID, captured_minor__gte=F("refunded_minor") + F("refunding_minor") + minor
    )
    return minor > 0 and left.update(refunding_minor=F("refunding_minor") + minor) == 1


def accepted(refund: Refund, ref: str) -> bool:
    """The provider has it in hand. False if we knew."""
    return Refund.objects.filter(pk=refund.pk, state=Refund.ASKED).update(state=Refund.PENDING, **_named(ref)) == 1


def finish(refund: Refund, ref: str) -> bool:
    """The money has gone back. False if we knew. Also for one that we had given up: the provider has the last word."""
    values = {"state": Refund.DONE, "done_at": clock.now(), "reason": "", **_named(ref)}
    held = Refund.objects.filter(pk=refund.pk, state__in=WAITING).update(**values) == 1
    if not held and Refund.objects.filter(pk=refund.pk, state=Refund.FAILED).update(**values) != 1:
        return False
    if not _went(refund.payment_id, refund.amount_minor, released=refund.amount_minor if held else 0):
        raise Overdrawn
    _whole(refund.payment_id, Payment.REVERSED if refund.kind == Refund.REVERSAL else Payment.REFUNDED)
    return True


def fail(refund: Refund, code: str) -> bool:
    """It will not happen: what was set aside is free again. False if it had ended before."""
    waiting = Refund.objects.filter(pk=refund.pk, state__in=WAITING)
    if waiting.update(state=Refund.FAILED, reason=code[:60]) != 1:
        return False
    Payment.objects.filter(pk=refund.payment_id).update(refunding_minor=F("refunding_minor") - refund.amount_minor)
    return True


def found(payment: Payment, minor: int, kind: str, ref: str, why: str) -> Refund | None:
    """Money that went back without our asking. None if it is known by this name, or no money is left to go back."""
    try:
        with transaction.atomic():
            if minor <= 0 or not _went(payment.pk, minor):
                return None
            refund = Refund.objects.create(
                payment=payment,
                provider=payment.provider,
                kind=kind,
                why=why[:30],
                amount_minor=minor,
                state=Refund.DONE,
                provider_ref=ref,
                done_at=clock.now(),
            )
    except IntegrityError:
        return None
    _whole(payment.pk, Payment.REVERSED if kind == Refund.REVERSAL else Payment.REFUNDED)
    return refund


def regain(payment: Payment) -> bool:
    """What a bank took is ours again, after a dispute that we won. False if it was taken by nobody, or we knew."""
    gone = Payment.objects.filter(pk=payment.pk, state=Payment.REVERSED)
    back = Refund.objects.filter(payment=payment, kind=Refund.REVERSAL, state=Refund.DONE)
    minor = sum(back.values_list("amount_minor", flat=True))
    if gone.update(state=Payment.REGAINED, regained_minor=F("regained_minor") + minor) != 1:
        return False
    back.update(state=Refund.REGAINED)
    return True


def _named(ref: str) -> dict[str, str]:
    return {"provider_ref": ref} if ref else {}


def _went(payment_id: str, minor: int, released: int = 0) -> bool:
    room = Payment.objects.filter(pk=payment_id, captured_minor__gte=F("refunded_minor") + minor)
    sums = {"refunded_minor": F("refunded_minor") + minor, "refunding_minor": F("refunding_minor") - released}
    return room.update(**sums) == 1


def _whole(payment_id: str, state: str) -> None:
    """Where nothing is left the payment says so."""
    Payment.objects.filter(pk=payment_id, state=Payment.PAID, captured_minor=F("refunded_minor")).update(state=state)
