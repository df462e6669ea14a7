"""Hear: a provider's message is verified, kept, and makes a look due. It changes nothing by itself."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Q

from troth.pledge import clock, fault
from troth.pledge.due import loop as due
from troth.pledge.prepared import Prepared
from troth.shop.journeys.settle import mismatch
from troth.shop.payments import gateways
from troth.shop.payments.models import Payment, ProviderEvent
from troth.shop.payments.providers.contract import Forged, Message, ProviderDown
from troth.shop.payments.states import Step, step


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
    outcome = "unmatched" if payment is None else _outcome(payment, message)
    row = ProviderEvent(
        provider=provider,
        event_id=message.event_id[:80],
        kind=message.kind[:60],
        payment=payment,
        verified=True,
        kept=message.kept,
        outcome=outcome,
        about=message.refund_ref[:120],
    )
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    if payment is None:
        return
    if outcome == "look":
        due.hasten("look", payment.id)
    if outcome == "dispute":
        due.hasten("dispute", f"{provider}:{message.dispute_ref[:60]}")


def _outcome(payment: Payment, message: Message) -> str:
    """What a genuine message about a payment of ours makes us do: look, look at a dispute, or nothing."""
    if message.dispute_ref:
        return "dispute"
    if message.sight is not None and (wrong := mismatch(payment, message.sight)):
        return f"mismatch-{wrong}"
    if message.refund_ref:
        return "look"
    if message.sight is not None and step(message.sight.state, payment.state) in (Step.SAME, Step.KEEP):
        return "same" if payment.state in Payment.SETTLED else "look"
    return "look"


def _payment_of(provider: str, message: Message) -> Payment | None:
    """By our own id first, then by the provider's; both must agree where both are told."""
    found = _by_own_id.first(message.payment_id, provider) if message.payment_id else None
    if found is not None and message.provider_ref and found.provider_ref not in ("", message.provider_ref):
        return None
    if found is None and message.provider_ref and not message.payment_id:
        found = _by_either_id.first("", message.provider_ref, provider)
    if found is None and message.capture_ref and not message.payment_id:
        found = _by_capture.first(message.capture_ref, provider)
    return found


_by_own_id: Prepared[Payment] = Prepared(
    lambda own, provider: Payment.objects.filter(pk=own, provider=provider), gaps=2
)
_by_either_id: Prepared[Payment] = Prepared(
    lambda own, theirs, provider: Payment.objects.filter(Q(pk=own) | Q(provider_ref=theirs), provider=provider), gaps=3
)
_by_capture: Prepared[Payment] = Prepared(
    lambda ref, provider: Payment.objects.filter(capture_ref=ref, provider=provider), gaps=2
)


def _count_forged(provider: str, code: str) -> None:
    """Noted and counted, one row a day and reason: who forges cannot fill our disk."""
    name = f"forged:{code}:{clock.now():%Y-%m-%d}"
    with transaction.atomic():
        row = ProviderEvent(
            provider=provider, event_id=name[:80], kind="forged", verified=False, outcome=code[:60], times=0
        )
        ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
        ProviderEvent.objects.filter(provider=provider, event_id=name[:80]).update(times=F("times") + 1)
