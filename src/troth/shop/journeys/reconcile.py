"""Reconcile: once a day the providers' own books are laid beside ours, and each difference is kept until it is gone.

What can be mended by looking is mended: money of a payment that we know makes a look due, a movement back is taken in.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from django.db import transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.journeys import money_back
from troth.shop.payments import gateways
from troth.shop.payments.compare import Odd, of_money, of_returns, unknown_returns
from troth.shop.payments.models import Difference, Payment
from troth.shop.payments.providers.contract import Back, Entry, ProviderDown, ProviderRefused, Returned

DAYS = 3  # what one daily comparison covers: a day missed, or a late entry, is still found
EVERY = 86_400  # seconds


class Compared(msgspec.Struct, frozen=True):
    """What a comparison found. `trouble` is a code where the provider's books could not be had."""

    provider: str
    begin: datetime
    end: datetime
    entries: int
    odd: list[Odd]
    trouble: str = ""


def errand(subject: str, claim: due.Claim) -> None:
    trouble = [done.trouble for done in map(compare, gateways.offered()) if done.trouble]
    if trouble:
        raise due.Again(trouble[0], 3600)


def compare(provider: str, days: int = DAYS, told: Callable[[int], object] = lambda count: None) -> Compared:
    """Lay the last `days` of a provider's books beside ours. `told` hears how many entries were read, now and then."""
    end = clock.now()
    begin = end - timedelta(days=days)
    entries: list[Entry] = []
    try:
        for entry in gateways.provider(provider).books(begin, end):
            entries.append(entry)
            if len(entries) % 500 == 0:
                told(len(entries))
    except (ProviderDown, ProviderRefused) as error:
        return Compared(provider, begin, end, len(entries), [], error.code)
    _mend(provider, entries)
    odd = [*of_money(provider, entries, begin, end), *of_returns(provider, entries, begin, end)]
    _keep(provider, odd, {entry.ref for entry in entries})
    return Compared(provider, begin, end, len(entries), odd)


def _mend(provider: str, entries: list[Entry]) -> None:
    for entry in unknown_returns(provider, entries):
        payment = Payment.objects.filter(provider=provider, capture_ref=entry.about).exclude(capture_ref="").first()
        if payment is not None:
            seen = Returned(entry.ref, entry.amount, Back.DONE, "", entry.about, entry.reversal)
            money_back.take_in(payment, (seen,))
    came = [entry.payment_id for entry in entries if not entry.back and entry.payment_id]
    for start in range(0, len(came), 500):
        unpaid = Payment.objects.filter(pk__in=came[start : start + 500], provider=provider)
        for pk in unpaid.exclude(state__in=(*Payment.SETTLED, Payment.REVIEW)).values_list("pk", flat=True):
            due.hasten("look", pk)


def _keep(provider: str, odd: list[Odd], looked_at: set[str]) -> None:
    """The table of differences says what is so now; what was seen to agree is marked as gone."""
    now = clock.now()
    found = {(one.kind, one.provider_ref): one for one in odd}
    known = set(Payment.objects.filter(pk__in=[one.payment_id for one in odd]).values_list("pk", flat=True))
    with transaction.atomic():
        for row in Difference.objects.filter(provider=provider, gone_at=None):
            if (row.kind, row.provider_ref) not in found and row.provider_ref in looked_at:
                Difference.objects.filter(pk=row.pk).update(gone_at=now)
        for (kind, ref), one in found.items():
            values = {
                "payment_id": one.payment_id if one.payment_id in known else None,
                "ours_minor": one.ours_minor,
                "theirs_minor": one.theirs_minor,
                "currency": one.currency,
                "gone_at": None,
            }
            Difference.objects.update_or_create(provider=provider, kind=kind, provider_ref=ref, defaults=values)
