"""Settle: the one way in which a payment changes its state.

Return page, webhook, status post, poller and people all end in `look`: the provider itself is asked, and what it
says is compared with our own record: our payment id, amount, currency, payee, and money that no other payment has.
A message is a reason to look, never evidence by itself. The same state again has no effect.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, fault
from troth.pledge.due import loop as due
from troth.pledge.prepared import Prepared
from troth.shop.coupons import uses
from troth.shop.journeys import access, invoice, money_back, refund
from troth.shop.orders.models import Basket, BasketLine, Order
from troth.shop.payments import gateways, give_back
from troth.shop.payments.models import Dispute, Payment, ProviderEvent, Refund
from troth.shop.payments.providers.contract import (
    ANOTHER_WAY,
    Provider,
    ProviderError,
    ProviderRefused,
    Returned,
    Sight,
    State,
)
from troth.shop.payments.states import Step, step
from troth.shop.refusal import Refused
from troth.shop.tax.countries import alpha2

log = logging.getLogger("troth.settle")
_REF = re.compile(r"[a-z0-9_]{1,30}")  # of an order
UNPAID = (Payment.NEW, Payment.SENT)
# Refunds and reversals may be a part of what was paid.
PARTS = (State.REFUNDED, State.REVERSED)


def look(payment: Payment) -> str:
    """Ask the provider where this payment stands, take what is approved, and settle. Returns what came of it.

    Never raises for what a provider does: "down" means ask again later.
    """
    try:
        provider = gateways.provider(payment.provider)
        if not payment.provider_ref and not provider.by_own_id:
            return "not-begun"
        sight = provider.look(payment.provider_ref, payment.id)
        fault.here("look.seen")
        if step(sight.state, payment.state) == Step.TAKE and _may_capture(payment, sight):
            sight = provider.capture(payment.provider_ref, payment.id, f"capture-{payment.id}-{payment.attempt}")
            fault.here("look.captured")
            if sight.state == State.OPEN and sight.reason:
                # The buyer must choose another way to pay; the next capture is another request (payments A6).
                Payment.objects.filter(pk=payment.pk, attempt=payment.attempt).update(attempt=F("attempt") + 1)
        if payment.state in Payment.SETTLED and (told := _told(payment, provider)):
            sight = msgspec.structs.replace(sight, refunds=(*sight.refunds, *told))
    except ProviderError as error:
        # Not of a pending one: its reason is the provider's, and says why the buyer waits.
        Payment.objects.filter(pk=payment.pk, state__in=UNPAID).update(reason=error.code[:60])
        return "refused" if isinstance(error, ProviderRefused) else "down"
    except KeyError:
        return "not-offered"
    return settle(payment, sight)


def settle(payment: Payment, sight: Sight) -> str:
    """Write down what was seen at the provider, by the table in `payments.states`. Safe to say again, in any order."""
    what = step(sight.state, payment.state)
    outcome = str(sight.state)
    if what in (Step.BELIEVE, Step.CAME_AND_WENT):
        outcome = _paid(payment, sight)
    elif wrong := mismatch(payment, sight):
        return f"mismatch-{wrong}"
    elif what in _MOVES:
        # Only from the state that the table was asked about: what somebody else wrote meanwhile is newer.
        row = Payment.objects.filter(pk=payment.pk, state=payment.state)
        row.update(state=_MOVES[what], reason=sight.reason[:60])
    elif what == Step.REGAIN:
        _regain(payment)
    elif sight.state == State.OPEN and payment.reason not in {sight.reason, *ANOTHER_WAY}:  # no error stands any more
        Payment.objects.filter(pk=payment.pk, state__in=UNPAID).update(reason=sight.reason[:60])
    if not sight.refunds and sight.state not in PARTS:
        return outcome
    payment.refresh_from_db()
    if payment.state not in Payment.SETTLED:
        return outcome
    under_way = money_back.take_in(payment, sight.refunds)
    if sight.state in PARTS and step(sight.state, payment.state) == Step.GIVEN_BACK:
        money_back.take_rest(payment, sight)
    return "refund-pending" if under_way else outcome


_MOVES = {Step.HOLD: Payment.PENDING, Step.DECLINE: Payment.DECLINED, Step.LET_GO: Payment.CANCELLED}


def _regain(payment: Payment) -> None:
    with transaction.atomic():
        if payment.disputes.filter(state=Dispute.WON).exists() and give_back.regain(payment):
            access.follow(payment.order_id)
            for back in payment.refunds.filter(kind=Refund.REVERSAL, state=Refund.REGAINED):
                invoice.regained(back)


def _told(payment: Payment, provider: Provider) -> tuple[Returned, ...]:
    """Movements back that messages named and we do not know: asked for by name, as an order may not list them all."""
    told = dict(ProviderEvent.objects.filter(payment=payment).exclude(about="").values_list("about", "kind"))
    known = set(payment.refunds.values_list("provider_ref", flat=True)) if told else set()
    found = []
    for ref, kind in told.items():
        try:
            seen = None if ref in known else provider.look_refund(ref)
        except ProviderRefused:
            continue  # one that cannot be asked about: the payment's own state tells of it
        if seen is not None:
            found.append(msgspec.structs.replace(seen, reversal=seen.reversal or kind.endswith(".REVERSED")))
    return tuple(found)


def mismatch(payment: Payment, sight: Sight) -> str:
    """What in a sight does not fit our own record, or "". Told before anything is believed."""
    if sight.payment_id and sight.payment_id != payment.id:
        return "payment"
    if sight.amount is not None and sight.amount.currency != payment.currency:
        return "currency"
    if sight.amount is not None and not _fits(sight, payment.amount_minor):
        return "amount"
    payee = _own_account(payment) or payment.payee
    if sight.payee and payee and sight.payee.casefold() != payee.casefold():
        return "payee"
    return ""


def _own_account(payment: Payment) -> str:
    """The account of ours that its provider must name; "" where it names none, or there is no provider."""
    return "" if payment.provider == gateways.TRANSFER else gateways.provider(payment.provider).payee


def _fits(sight: Sight, minor: int) -> bool:
    assert sight.amount is not None
    return sight.amount.minor == minor or (sight.state in PARTS and 0 < sight.amount.minor < minor)


def _paid(payment: Payment, sight: Sight) -> str:
    wrong = mismatch(payment, sight)
    if not wrong and (sight.amount is None or sight.payment_id != payment.id or not sight.capture_ref):
        wrong = "incomplete"
    if not wrong and _own_account(payment) and not sight.payee:
        wrong = "payee"
    if wrong:
        return _review(payment, wrong)
    try:
        with transaction.atomic():
            outcome = _write_paid(payment, sight)
    except IntegrityError:  # this money settled another payment before
        return _review(payment, "capture-known")
    fault.here("settle.committed")
    return outcome


def _write_paid(payment: Payment, sight: Sight) -> str:
    unpaid = Payment.objects.filter(pk=payment.pk).exclude(state__in=Payment.SETTLED)
    values = {
        "capture_ref": sight.capture_ref,
        "payer_country": alpha2(sight.payer_country),
        "reason": "",
        "captured_minor": payment.amount_minor,
        "received_minor": sight.received.minor if sight.received else 0,
        "received_currency": sight.received.currency if sight.received else "",
    }
    if unpaid.update(state=Payment.PAID, settled_at=clock.now(), **values) != 1:
        return "same"
    fault.here("settle.paid")
    if sight.state in PARTS:  # it came and went before we saw it: nothing is delivered
        Payment.objects.filter(pk=payment.pk).update(surplus=True, reason="came-and-went")
        return str(sight.state)
    order = Order.mark_paid(payment.order_id)
    if order is None:
        Payment.objects.filter(pk=payment.pk).update(surplus=True, reason="surplus")
        refund.surplus(payment)
        return "surplus"
    fault.here("settle.marked")
    _was_paid(order)
    due.drop(("look", payment.id), ("abandon", order.ref))
    made = invoice.settled(order, payment)  # its number keeps others waiting: only what is due comes after it
    due.add_all(("deliver", order.ref, 0), ("bill", made.id, 0))
    fault.here("settle.due")
    return "paid"


def free(order: Order) -> None:
    """An order that costs nothing is paid as it is written, in the same transaction: no provider is asked.

    It has no invoice either: what is given for nothing is no supply that one is issued for (Directive 2006/112/EC,
    Articles 2 and 220).
    """
    if order.total_minor == 0 and Order.mark_paid(order.ref) is not None:
        _was_paid(order)
        due.add_all(("deliver", order.ref, 0))


def _was_paid(order: Order) -> None:
    """What follows for the basket and the coupon, once."""
    BasketLine.objects.filter(basket=order.viewer).delete()
    if order.coupon:
        Basket.objects.filter(pk=order.viewer).update(coupon="")
        uses.keep(order)


def _review(payment: Payment, wrong: str) -> str:
    """Money that does not fit is neither believed nor lost: a person looks at it, and nothing is delivered."""
    unpaid = Payment.objects.filter(pk=payment.pk).exclude(state__in=Payment.SETTLED)
    unpaid.update(state=Payment.REVIEW, reason=f"mismatch-{wrong}")
    log.warning("a payment does not match its order")
    return f"mismatch-{wrong}"


def _may_capture(payment: Payment, sight: Sight) -> bool:
    """Take money only for an order that still wants it, and only the amount that was asked for."""
    return bool(_wanted(payment.order_id)) and not mismatch(payment, sight)


_wanted = Prepared(
    lambda ref: Order.objects.filter(pk=ref, state__in=(Order.OPEN, Order.EXPIRED)).values_list("pk"), gaps=1
)


_by_either_id: Prepared[Payment] = Prepared(
    lambda own, theirs, provider: Payment.objects.filter(Q(pk=own) | Q(provider_ref=theirs), provider=provider), gaps=3
)


def returned(provider: str, query: Mapping[str, str], order_ref: str = "") -> str:
    """The buyer is back: ask the provider itself. Returns the order's reference. Refused if it is none of ours.

    `order_ref` is from the return address that we gave. It counts where the provider adds nothing to it, as Skrill does
    unless the account's secure return is on. Whose order it is, and whether there is one, its page says and not this.
    """
    unknown = Refused(_("We do not know this payment; open your order from its mail or your account."))
    try:
        told = gateways.provider(provider).returned(query)
    except (KeyError, ProviderError):
        raise unknown from None
    payment = _by_either_id.first(told, told, provider) if told else None
    if payment is None:
        if not _REF.fullmatch(order_ref):
            raise unknown
        payment = Payment.objects.filter(order=order_ref, provider=provider).order_by("-made_at").first()
    fault.here("return.found")
    if payment is not None and payment.state not in Payment.SETTLED:
        look(payment)
    return payment.order_id if payment is not None else order_ref
