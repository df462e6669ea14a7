"""Money back, whoever began it: what a provider shows of it is written down once, and everything follows from that.

A refund is recognised by our own id where the provider repeats it, then by the provider's name of it, then as the one
of this amount that we asked for and know no name of. What is none of ours was begun at the provider's, or by a bank.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import F

from troth.shop.journeys import access, invoice
from troth.shop.money import Money
from troth.shop.orders.models import OrderLine
from troth.shop.payments import give_back
from troth.shop.payments.models import Payment, Refund, RefundLine
from troth.shop.payments.providers.contract import Back, Returned, Sight, State

log = logging.getLogger("troth.money_back")


def take_in(payment: Payment, seen: tuple[Returned, ...]) -> bool:
    """Write down movements that the provider shows. True where one is still under way: look again."""
    under_way = False
    for one in seen:
        if one.capture_ref and payment.capture_ref and one.capture_ref != payment.capture_ref:
            continue
        ours = _ours(payment, one)
        if ours is not None:
            note(ours, one)
        elif one.state == Back.DONE:
            _theirs(payment, one)
        under_way = under_way or one.state == Back.PENDING
    return under_way


def take_rest(payment: Payment, sight: Sight) -> None:
    """The provider says that all of it is gone: what it named no movement for is one, too."""
    payment.refresh_from_db()
    minor = payment.captured_minor - payment.refunded_minor
    reversed_ = sight.state == State.REVERSED
    for refund in () if reversed_ else payment.refunds.filter(state__in=give_back.WAITING):
        note(refund, Returned("", refund.amount, Back.DONE))
        minor -= refund.amount_minor
    if minor > 0:
        amount = Money(minor, payment.currency)
        _theirs(payment, Returned(f"rest:{payment.id}", amount, Back.DONE, reversal=reversed_, reason=sight.reason))


def note(refund: Refund, seen: Returned) -> None:
    """What the provider says of a refund of ours. Safe to say again, and in any order."""
    if refund.provider_ref and seen.ref and seen.ref != refund.provider_ref:
        if seen.state == Back.DONE:  # two movements under one id of ours: the second is no work of ours
            _theirs(refund.payment, seen)
        return
    try:
        with transaction.atomic():
            if _known_as_another(refund, seen):
                return
            if seen.ref and not refund.provider_ref:
                Refund.objects.filter(pk=refund.pk, provider_ref="").update(provider_ref=seen.ref)
            if _write(refund, seen):
                access.follow(refund.payment.order_id)
    except give_back.Overdrawn:
        Payment.objects.filter(pk=refund.payment_id).update(reason="refund-exceeds")
        log.error("a provider gave back more than came in")


def _known_as_another(refund: Refund, seen: Returned) -> bool:
    """Whether this very movement was taken in before without our id: then there is nothing left for ours to do."""
    if not seen.ref or not Refund.objects.filter(provider=refund.provider, provider_ref=seen.ref).exclude(pk=refund.pk):
        return False
    if give_back.fail(refund, "known-as-another"):
        _lines(refund, -1)
        access.follow(refund.payment.order_id)
    return True


def _write(refund: Refund, seen: Returned) -> bool:
    if seen.state == Back.PENDING:
        return give_back.accepted(refund, seen.ref)
    if seen.state == Back.FAILED:
        if not give_back.fail(refund, seen.reason or "failed"):
            return False
        _lines(refund, -1)
        return True
    was = Refund.objects.values_list("state", flat=True).get(pk=refund.pk)
    if not give_back.finish(refund, seen.ref):
        return False
    if was == Refund.FAILED:
        _lines(refund, +1)
    _done(refund)
    return True


def _done(refund: Refund) -> None:
    """What happens once when money has gone back, in the same transaction."""
    invoice.refunded(refund)


def _ours(payment: Payment, one: Returned) -> Refund | None:
    refunds = payment.refunds.select_related("payment")
    if one.ours and (found := refunds.filter(pk=one.ours).first()):
        return found
    if one.ref and (found := refunds.filter(provider_ref=one.ref).first()):
        return found
    nameless = refunds.filter(kind=Refund.OURS, provider_ref="").exclude(state=Refund.FAILED)
    minor = in_our_currency(payment, one.amount)
    named = one.ours.startswith("rfd_")  # some other refund's: not this payment's, or another shop's
    return None if named or one.reversal else nameless.filter(amount_minor=minor).order_by("made_at").first()


def _theirs(payment: Payment, one: Returned) -> None:
    kind = Refund.REVERSAL if one.reversal else Refund.THEIRS
    with transaction.atomic():
        refund = give_back.found(payment, in_our_currency(payment, one.amount), kind, one.ref, one.reason)
        if refund is None:
            return
        _spread(refund)
        _done(refund)
        access.follow(payment.order_id)


def _spread(refund: Refund) -> None:
    """Whose line it is for is known only where there is no choice: a single line, or all that was left."""
    if refund.payment.surplus:
        return
    lines = list(OrderLine.objects.filter(order=refund.payment.order_id).order_by("pk"))
    left = {line.pk: line.paid_minor - line.returned_minor for line in lines}
    if len(lines) > 1 and sum(left.values()) != refund.amount_minor:
        return
    for line in lines:
        if (minor := min(left[line.pk], refund.amount_minor)) > 0:
            RefundLine.objects.create(refund=refund, line=line, amount_minor=minor)
    _lines(refund, +1)


def _lines(refund: Refund, sign: int) -> None:
    for of in refund.lines.all():
        rows = OrderLine.objects.filter(pk=of.line_id)
        rows.update(returned_minor=F("returned_minor") + sign * of.amount_minor)


def in_our_currency(payment: Payment, amount: Money | None) -> int:
    """Minor units of the payment's currency, of an amount that may be told in the account's own."""
    if amount is None:
        return 0
    if amount.currency == payment.currency:
        return amount.minor
    if amount.currency != payment.received_currency or not payment.received_minor:
        return 0
    return round(amount.minor * payment.captured_minor / payment.received_minor)
