"""Dispute: a buyer complained with the provider. What was bought rests until the case ends; a won one gives it back."""

from __future__ import annotations

from django.db import transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.journeys import access
from troth.shop.journeys.money_back import in_our_currency
from troth.shop.payments import gateways
from troth.shop.payments.models import Dispute, Payment
from troth.shop.payments.providers.contract import Case, DisputeSight, ProviderDown, ProviderRefused


def look(subject: str, claim: due.Claim) -> None:
    """The errand: ask the provider where a case stands. `subject` is "provider:its name of the case"."""
    name, _, ref = subject.partition(":")
    again = None
    try:
        seen = gateways.provider(name).look_dispute(ref)
    except ProviderDown as down:
        again = due.Again(down.code, waits=True)
    except (ProviderRefused, KeyError):
        return  # no case of ours
    if again:
        raise again
    payment = Payment.objects.filter(provider=name, capture_ref=seen.capture_ref).exclude(capture_ref="").first()
    if payment is not None:
        write(payment, seen)


def write(payment: Payment, seen: DisputeSight) -> None:
    """What is known of a case now, and what follows. Safe to say again; an older word changes nothing."""
    with transaction.atomic():
        told = {
            "stage": seen.stage[:40],
            "reason": seen.reason[:60],
            "outcome": seen.outcome[:40],
            "amount_minor": in_our_currency(payment, seen.amount),
            "answer_by": seen.answer_by,
        }
        case, new = Dispute.objects.get_or_create(
            provider=payment.provider, provider_ref=seen.ref, defaults={"payment": payment, **told}
        )
        if case.payment_id != payment.pk:
            return
        if new:
            due.add("disputed-from", payment.order_id)
        rank = Dispute.RANKS[seen.state]
        earlier = [state for state, height in Dispute.RANKS.items() if height <= rank]
        over = clock.now() if seen.state != Case.OPEN else None
        Dispute.objects.filter(pk=case.pk, state__in=earlier).update(state=str(seen.state), ended_at=over, **told)
        access.follow(payment.order_id)
        if seen.state != Case.OPEN:
            due.hasten("look", payment.id)  # the money follows the verdict
