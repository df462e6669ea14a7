"""Weigh an order before any provider sees it: counts, countries and lists. Nothing is opened for it, and nobody outside
is asked. The one thing that opens an address is a dispute, for fraud and noted, so that the same hand is known today.

Written in the transaction that orders: the address, sealed, and that something came from it, by its name of the day.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.utils.translation import gettext_lazy as _

from troth.config import is_loopback
from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.prepared import Prepared, moment
from troth.pledge.vault.classes import Network
from troth.pledge.vault.door import door
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Claim
from troth.shop.fraud import keyed, places
from troth.shop.fraud.models import Sighting, Trace
from troth.shop.fraud.signs import Risk
from troth.shop.journeys import withdraw
from troth.shop.journeys.write_to import asked
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment, Refund
from troth.shop.refusal import Refused
from troth.shop.written import hour

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
PAUSE = timedelta(minutes=10)  # between attempts to pay, once too many have failed
NO_SIGN = (withdraw.WHY, "surplus")  # a right that the law gives, and money that we did not need


def order(placed: Order, address: str, persons: list[str]) -> Risk:
    """What speaks for fraud, for an order just written that is to be paid; and keep where it came from.

    `address`: the buyer's IP address, "" where nobody could tell it: then what is about addresses is no sign.
    `persons`: who has an account, and the guests whom they claimed: there may be earlier orders of theirs.
    """
    caller = _caller(address)
    seen = _seen(caller) if caller else []
    risk = Risk((*_of_address(placed, address, seen), *_of_account(placed, persons, caller if seen else "")))
    _keep(placed.contact.person, address, caller, Sighting.ORDERED, placed, risk)
    return risk


def registration(person: Person, address: str) -> None:
    """Somebody registers: keep where that came from."""
    _keep(person, address, _caller(address), Sighting.REGISTERED, None, Risk())


def disputed(order_ref: str, claim: due.Claim) -> None:
    """The errand, once for each order that is disputed: its address is opened for fraud, noted, and counts today as one
    from which a disputed order came. Stolen cards come in bursts."""
    trace = Trace.objects.filter(order=order_ref).first()
    if trace is None:
        return
    (network,) = asked(lambda: door().open([trace.network], purpose="fraud", job=order_ref))
    assert isinstance(network, Network)
    if caller := _caller(str(ipaddress.ip_address(network.address))):
        Sighting.objects.create(caller=caller, what=Sighting.DISPUTED, order_id=order_ref)


def try_again(placed: Order, address: str) -> None:
    """Refused, with the time at which the next attempt may be made, where too many payments failed just now: whoever
    tests cards has thousands to try, and a buyer two or three."""
    last, count = _failed(Claim.persons_of(placed.person_id), _caller(address))
    if last is None or count < settings.TROTH.fraud.failed_payments or clock.now() >= last + PAUSE:
        return
    raise Refused(
        _("Several payments have failed within an hour. To keep stolen cards out, the next can be tried at %(time)s.")
        % {"time": hour(last + PAUSE)}
    )


def _keep(person: Person, address: str, caller: str, what: str, placed: Order | None, risk: Risk) -> None:
    if address:
        trace = Trace(person=person, order=placed)
        packed = ipaddress.ip_address(address).packed
        seal(trace, "network", Network(packed, risk.points, risk.signs))
        trace.save(force_insert=True)
    if caller:
        Sighting.objects.create(caller=caller, what=what, order=placed)


def _caller(address: str) -> str:
    """The address's name of the day. "" for this machine itself: a proxy that tells no addresses makes all customers
    one there, and rehearsals are many customers at one machine."""
    return "" if is_loopback(address) else keyed.name(address)


# What came from an address today, the newest first: more than this says no more than this.
_seen: Prepared[tuple[str, datetime]] = Prepared(
    lambda caller: (
        Sighting.objects.filter(caller=caller).order_by("-made_at", "-pk").values_list("what", "made_at")[:500]
    ),
    gaps=1,
)


def _of_address(placed: Order, address: str, seen: list[tuple[str, datetime]]) -> Iterator[str]:
    since = clock.now() - HOUR
    ordered = sum(what == Sighting.ORDERED and at > since for what, at in seen)
    if ordered >= settings.TROTH.fraud.orders_an_hour:
        yield "orders"
    if any(what == Sighting.DISPUTED for what, _at in seen):
        yield "disputed"
    if not address or is_loopback(address):
        return
    lives = places.country(address)
    if lives and lives != placed.country:
        yield "country"
    if places.hidden(address):
        yield "anonymiser"


def _of_account(placed: Order, persons: list[str], caller: str) -> Iterator[str]:
    """What earlier orders of the same account, or of guests it took over, tell; and failures, by account or address."""
    rules = settings.TROTH.fraud
    past = _past(placed, persons) if persons else Past()
    failures = _failed(persons, caller)[1] if caller else past.failures
    if failures >= rules.failed_payments:
        yield "failed"
    if past.elsewhere and not past.here:
        yield "paid-elsewhere"
    if not past.given_back:
        return
    back = Refund.objects.filter(payment__order__person__in=persons, made_at__gt=clock.now() - YEAR)
    if back.exclude(state=Refund.FAILED).exclude(why__in=NO_SIGN).count() >= rules.refunds_a_year:
        yield "refunds"


class Past(NamedTuple):
    """Of an account's payments: how many failed within the hour; how many were paid from a country that was told, from
    the one of this order; and how many went back, or were to."""

    failures: int = 0
    elsewhere: int = 0
    here: int = 0
    given_back: int = 0


def _past(placed: Order, persons: list[str]) -> Past:
    since = clock.now() - HOUR
    if len(persons) == 1:
        told = _past_of_one(persons[0], since, placed.country)
    else:
        told = list(_told(Q(order__person__in=persons), since, placed.country))
    return Past(*(count or 0 for count in told[0]))


def _told(whose: Q, since: Any, country: str) -> QuerySet[Payment, tuple[int | None, ...]]:
    """One row, in the order of Past."""
    failed, paid = _FAILED & Q(made_at__gt=since), Q(state__in=Payment.SETTLED)
    of_all = Payment.objects.filter(whose).annotate(of_all=Value(1)).order_by().values("of_all")
    return of_all.annotate(
        failures=Sum(_TIMES, filter=failed),
        elsewhere=Count("pk", filter=paid & ~Q(payer_country="")),
        here=Count("pk", filter=paid & Q(payer_country=country)),
        given_back=Count(
            "pk", filter=paid & (Q(refunded_minor__gt=0) | Q(refunding_minor__gt=0) | Q(regained_minor__gt=0))
        ),
    ).values_list("failures", "elsewhere", "here", "given_back")


# A further attempt: the one before failed.
_FAILED = Q(state=Payment.DECLINED) | Q(attempt__gt=1)
_TIMES = F("attempt") - 1 + Case(When(state=Payment.DECLINED, then=1), default=0)
_past_of_one = Prepared(lambda ref, since, country: _told(Q(order__person=ref), moment(since), country), gaps=3)


def _failed(persons: list[str], caller: str) -> tuple[datetime | None, int]:
    """When the last payment from these accounts or this address was begun that failed, and how many times any did,
    of those begun within the hour."""
    whose = Q(order__person__in=persons)
    if caller:
        whose |= Q(order__in=Sighting.objects.filter(caller=caller, order__isnull=False).values("order"))
    begun = Payment.objects.filter(whose, made_at__gt=clock.now() - HOUR)
    told = begun.filter(_FAILED).aggregate(last=Max("made_at"), times=Sum(_TIMES))
    return told["last"], told["times"] or 0
