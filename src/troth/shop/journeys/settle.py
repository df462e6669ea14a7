"""Settle: the one way in which a payment changes its state.

Return page, webhook, status post, poller and people all end in `look`: the provider itself is asked, and what it
says is compared with our own record: our payment id, amount, currency, payee, and money that no other payment has.
A message is a reason to look, never evidence by itself. The same state again has no effect.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, fault
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.prepared import Prepared
from troth.shop.orders.models import BasketLine, Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, ProviderEvent
from troth.shop.payments.providers.contract import (
    Forged,
    Message,
    ProviderDown,
    ProviderError,
    ProviderRefused,
    Sight,
    State,
)
from troth.shop.refusal import Refused

log = logging.getLogger("troth.settle")
# What a decline or a cancellation may end. Paid wins over everything, also over a decline that came before: buyers
# try another card on the same page (payments B4).
UNSETTLED = (Payment.NEW, Payment.SENT, Payment.PENDING)


def look(payment: Payment) -> str:
    """Ask the provider where this payment stands, take what is approved, and settle. Returns what came of it.

    Never raises for what a provider does: "down" means ask again later.
    """
    if not payment.provider_ref:
        return "not-begun"
    try:
        provider = gateways.provider(payment.provider)
        sight = provider.look(payment.provider_ref, payment.id)
        fault.here("look.seen")
        if sight.state == State.APPROVED and _may_capture(payment, sight):
            sight = provider.capture(payment.provider_ref, payment.id, f"capture-{payment.id}-{payment.attempt}")
            fault.here("look.captured")
            if sight.state == State.OPEN and sight.reason:
                # The buyer must choose another way to pay; the next capture is another request (payments A6).
                Payment.objects.filter(pk=payment.pk, attempt=payment.attempt).update(attempt=F("attempt") + 1)
    except ProviderError as error:
        Payment.objects.filter(pk=payment.pk, state__in=UNSETTLED).update(reason=error.code[:60])
        return "refused" if isinstance(error, ProviderRefused) else "down"
    except KeyError:
        return "not-offered"
    return settle(payment, sight)


def settle(payment: Payment, sight: Sight) -> str:
    """Write down what was seen at the provider. True money becomes a paid order exactly once."""
    if sight.state == State.PAID:
        return _paid(payment, sight)
    if wrong := mismatch(payment, sight):
        return f"mismatch-{wrong}"
    moves = {State.PENDING: Payment.PENDING, State.DECLINED: Payment.DECLINED, State.CANCELLED: Payment.CANCELLED}
    if sight.state in moves:
        unsettled = Payment.objects.filter(pk=payment.pk, state__in=UNSETTLED)
        unsettled.update(state=moves[sight.state], reason=sight.reason[:60])
    return str(sight.state)


def mismatch(payment: Payment, sight: Sight) -> str:
    """What in a sight does not fit our own record, or "". Told before anything is believed."""
    if sight.payment_id and sight.payment_id != payment.id:
        return "payment"
    if sight.amount is not None and sight.amount.currency != payment.currency:
        return "currency"
    if sight.amount is not None and sight.amount.minor != payment.amount_minor:
        return "amount"
    payee = gateways.provider(payment.provider).payee or payment.payee
    if sight.payee and payee and sight.payee.casefold() != payee.casefold():
        return "payee"
    return ""


def _paid(payment: Payment, sight: Sight) -> str:
    wrong = mismatch(payment, sight)
    if not wrong and (sight.amount is None or sight.payment_id != payment.id or not sight.capture_ref):
        wrong = "incomplete"
    if not wrong and gateways.provider(payment.provider).payee and not sight.payee:
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
    unpaid = Payment.objects.filter(pk=payment.pk).exclude(state=Payment.PAID)
    values = {"capture_ref": sight.capture_ref, "payer_country": sight.payer_country[:2], "reason": ""}
    if unpaid.update(state=Payment.PAID, settled_at=clock.now(), **values) != 1:
        return "same"
    fault.here("settle.paid")
    order = Order.found(payment.order_id)
    if order is None or not order.mark_paid():
        Payment.objects.filter(pk=payment.pk).update(reason="surplus")  # paid twice: the owner sees it
        return "surplus"
    fault.here("settle.marked")
    BasketLine.objects.filter(basket=order.viewer).delete()
    due.add("deliver", order.ref)
    due.drop(("look", payment.id), ("abandon", order.ref))
    fault.here("settle.due")
    return "paid"


def _review(payment: Payment, wrong: str) -> str:
    """Money that does not fit is neither believed nor lost: a person looks at it, and nothing is delivered."""
    unpaid = Payment.objects.filter(pk=payment.pk).exclude(state=Payment.PAID)
    unpaid.update(state=Payment.REVIEW, reason=f"mismatch-{wrong}")
    log.warning("a payment does not match its order")
    return f"mismatch-{wrong}"


def _may_capture(payment: Payment, sight: Sight) -> bool:
    """Take money only for an order that still wants it, and only the amount that was asked for."""
    wanted = Order.objects.filter(pk=payment.order_id, state__in=(Order.OPEN, Order.EXPIRED)).exists()
    return wanted and not mismatch(payment, sight)


def received(provider: str, headers: Mapping[str, str], body: bytes) -> int:
    """A webhook or status post: verify, keep what is declared, make a look due. The HTTP status to answer with."""
    try:
        message = gateways.provider(provider).receive(headers, body)
    except KeyError:
        return 404
    except Forged as forged:
        _count_forged(provider, forged.code)
        return 400
    except ProviderDown:
        return 503  # the certificate could not be fetched: it will come again
    fault.here("hook.verified")
    with transaction.atomic():
        _keep(provider, message)
        fault.here("hook.kept")
    fault.here("hook.committed")
    return 200


def _keep(provider: str, message: Message) -> None:
    payment = _payment_of(provider, message)
    outcome = "unmatched" if payment is None else "look"
    if payment is not None and message.sight is not None and (wrong := mismatch(payment, message.sight)):
        outcome = f"mismatch-{wrong}"
    row = ProviderEvent(
        provider=provider,
        event_id=message.event_id[:80],
        kind=message.kind[:60],
        payment=payment,
        verified=True,
        kept=message.kept,
        outcome=outcome,
    )
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    if payment is not None and payment.state != Payment.PAID and outcome == "look":
        due.hasten("look", payment.id)


def _payment_of(provider: str, message: Message) -> Payment | None:
    """By our own id first, then by the provider's; both must agree where both are told."""
    found = _by_own_id.first(message.payment_id, provider) if message.payment_id else None
    if found is not None and message.provider_ref and found.provider_ref not in ("", message.provider_ref):
        return None
    if found is None and message.provider_ref and not message.payment_id:
        found = _by_either_id.first("", message.provider_ref, provider)
    return found


_by_own_id: Prepared[Payment] = Prepared(
    lambda own, provider: Payment.objects.filter(pk=own, provider=provider), gaps=2
)
_by_either_id: Prepared[Payment] = Prepared(
    lambda own, theirs, provider: Payment.objects.filter(Q(pk=own) | Q(provider_ref=theirs), provider=provider), gaps=3
)
_of_order: Prepared[Payment] = Prepared(lambda ref: Payment.objects.filter(order=ref).order_by("-made_at")[:1], gaps=1)


def _count_forged(provider: str, code: str) -> None:
    """Noted and counted, one row a day and reason: who forges cannot fill our disk."""
    name = f"forged:{code}:{clock.now():%Y-%m-%d}"
    with transaction.atomic():
        row = ProviderEvent(
            provider=provider, event_id=name[:80], kind="forged", verified=False, outcome=code[:60], times=0
        )
        ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
        ProviderEvent.objects.filter(provider=provider, event_id=name[:80]).update(times=F("times") + 1)


def returned(provider: str, query: Mapping[str, str]) -> str:
    """The buyer is back: ask the provider itself. Returns the order's reference. Refused if it is none of ours."""
    unknown = Refused(_("We do not know this payment; open your order from its mail or your account."))
    try:
        told = gateways.provider(provider).returned(query)
    except (KeyError, ProviderError):
        raise unknown from None
    payment = _by_either_id.first(told, told, provider) if told else None
    if payment is None:
        raise unknown
    fault.here("return.found")
    if payment.state != Payment.PAID:
        look(payment)
    return payment.order_id


class Standing(msgspec.Struct, frozen=True):
    """The truth about an order's payment, for its page."""

    state: str  # open, checking, pending, paid, review, cancelled, expired
    provider: str
    next_look_at: datetime | None
    reason: str


def standing(order: Order) -> Standing:
    payment = _of_order.first(order.ref)
    name = payment.provider if payment else ""
    if order.state != Order.OPEN or payment is None:
        return Standing(order.state, name, None, "")
    states = {Payment.SENT: "checking", Payment.PENDING: "pending", Payment.REVIEW: "review"}
    row = Due.objects.filter(kind="look", subject=payment.id).values_list("run_after", flat=True).first()
    return Standing(states.get(payment.state, "open"), name, row, payment.reason)
