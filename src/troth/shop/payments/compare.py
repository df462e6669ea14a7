"""The provider's books beside ours: what they have and we do not, and the reverse. Pure: reads rows, writes none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
from django.db.models import QuerySet

from troth.shop.money import Money
from troth.shop.payments.models import Payment, Refund
from troth.shop.payments.providers.contract import Entry

LATE = timedelta(hours=4)  # PayPal's list is up to three hours behind
KINDS = {
    "unknown-money": "The provider has money of this shop's that no order of ours knows.",
    "missing-money": "We hold this payment for paid, and the provider's books do not have it.",
    "other-amount": "The provider's books have another amount than ours.",
    "unknown-return": "Money went back at the provider's that we know nothing of.",
    "missing-return": "We hold this money for given back, and the provider's books do not have it.",
}


class Odd(msgspec.Struct, frozen=True):
    """One thing that does not agree; amounts are in minor units, None on the side that knows nothing."""

    kind: str
    provider_ref: str
    payment_id: str
    ours_minor: int | None
    theirs_minor: int | None
    currency: str


def of_money(provider: str, entries: Iterable[Entry], begin: datetime, end: datetime) -> Iterator[Odd]:
    """Captures: theirs against ours by name, ours of this time against theirs."""
    theirs = {entry.ref: entry for entry in entries if not entry.back and entry.final}
    ours: dict[str, Payment] = {}
    for payment in _named(Payment.objects.filter(provider=provider), "capture_ref", list(theirs)):
        ours[payment.capture_ref] = payment
    for ref, entry in theirs.items():
        payment = ours.get(ref)
        if payment is None:
            yield Odd("unknown-money", ref, entry.payment_id, None, entry.amount.minor, entry.amount.currency)
        elif (told := _received(payment)) != entry.amount:
            yield Odd("other-amount", ref, payment.pk, told.minor, entry.amount.minor, entry.amount.currency)
    settled = Payment.objects.filter(
        provider=provider, state__in=Payment.SETTLED, settled_at__range=(begin, end - LATE)
    )
    for payment in settled.iterator():
        if payment.capture_ref not in theirs:
            yield Odd("missing-money", payment.capture_ref, payment.pk, payment.amount_minor, None, payment.currency)


def of_returns(provider: str, entries: Iterable[Entry], begin: datetime, end: datetime) -> Iterator[Odd]:
    """Money back: theirs against ours by name, ours of this time against theirs."""
    theirs = {entry.ref: entry for entry in entries if entry.back and entry.final}
    refunds = Refund.objects.filter(provider=provider)
    known = {refund.provider_ref for refund in _named(refunds, "provider_ref", list(theirs))}
    for ref, entry in theirs.items():
        if ref not in known and not _whole(provider, entry.about):
            yield Odd("unknown-return", ref, entry.payment_id, None, entry.amount.minor, entry.amount.currency)
    done = refunds.filter(state=Refund.DONE, done_at__range=(begin, end - LATE)).select_related("payment")
    for refund in done.exclude(provider_ref="").exclude(provider_ref__startswith="rest:").iterator():
        if refund.provider_ref not in theirs:
            money = refund.amount
            yield Odd("missing-return", refund.provider_ref, refund.payment_id, money.minor, None, money.currency)


def unknown_returns(provider: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Movements back that we have no name of."""
    back = {entry.ref: entry for entry in entries if entry.back and entry.final}
    known = {row.provider_ref for row in _named(Refund.objects.filter(provider=provider), "provider_ref", list(back))}
    return (entry for ref, entry in back.items() if ref not in known)


def _named(rows: QuerySet, column: str, names: list[str]) -> Iterator:  # type: ignore[type-arg]
    """Rows by their provider's names, some hundred at a time: databases limit how many a statement may hold."""
    for start in range(0, len(names), 500):
        yield from rows.filter(**{f"{column}__in": names[start : start + 500]})


def _received(payment: Payment) -> Money:
    if payment.received_currency:
        return Money(payment.received_minor, payment.received_currency)
    return Money(payment.captured_minor, payment.currency)


def _whole(provider: str, capture_ref: str) -> bool:
    """Whether all of this payment is known to have gone back: then a movement that we have no name of is in the sum."""
    gone = Payment.objects.filter(provider=provider, capture_ref=capture_ref)
    return gone.filter(state__in=(Payment.REFUNDED, Payment.REVERSED, Payment.REGAINED)).exists()
