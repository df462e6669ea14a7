"""Retain: what has served its time ends, class by class, as holdings.py and [policy] say. Run by the worker.

Rows end in slices, so that a large shop's other errands get their turn. Whole persons end as everybody does who asks
to be forgotten (erase.py): accounts that nobody confirmed, and guests who never paid.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.rights.holding import Cut, Ends, Holding, empty
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account, Contact
from troth.shop.fraud import keyed
from troth.shop.holdings import HOLDINGS
from troth.shop.journeys import erase
from troth.shop.orders.models import Order
from troth.shop.payments.models import Payment
from troth.shop.staff.models import Member
from troth.shop.support.models import Ticket

SLICE = 500
LINK_LIFE = timedelta(days=2)  # the keeper's ticket lives for one
LATE = timedelta(hours=1)  # an erasure that should have moved on by now is pushed


def leftovers(subject: str, claim: due.Claim) -> None:
    """One slice of everything. Raises due.Again while a slice was full."""
    more = [end_rows(holding, holding.ends) for holding in HOLDINGS if holding.ends]
    more += [_forget(_unconfirmed(), Erasure.UNCONFIRMED), _forget(_abandoned(), Erasure.ABANDONED)]
    _push_on()
    keyed.end_keys()
    if any(more):
        raise due.Again("more to end", 1)


def end_rows(holding: Holding, ends: Ends) -> bool:
    """Delete or cut a slice of rows whose time is over. True if the slice was full."""
    days = ends.days if isinstance(ends.days, int) else int(getattr(settings.TROTH.policy, ends.days))
    rows = holding.model._default_manager.filter(
        **{f"{ends.since}__lt": clock.now() - timedelta(days=days)}, **ends.where
    )
    if isinstance(ends.does, Cut):
        for name in ends.does.fields:
            rows = rows.exclude(**{f"{name}__isnull": True})
    slice_ = holding.model._default_manager.filter(pk__in=list(rows.values_list("pk", flat=True)[:SLICE]))
    if isinstance(ends.does, Cut):
        return bool(slice_.update(**empty(ends.does.fields, holding.model)) == SLICE)
    return slice_.delete()[1].get(holding.table, 0) == SLICE


def _forget(persons: QuerySet[Person], why: str) -> bool:
    """Begin the end of a slice of persons. True if it was full."""
    refs = list(persons.values_list("pk", flat=True)[:SLICE])
    for ref in refs:
        erase.at_once(ref, why)
    return len(refs) == SLICE


def _unconfirmed() -> QuerySet[Person]:
    """Those who registered, never confirmed an address, and bought nothing."""
    before = clock.now() - timedelta(days=settings.TROTH.policy.unconfirmed_days)
    return _idle().filter(account__confirmed_at__isnull=True, account__made_at__lt=before)


def _abandoned() -> QuerySet[Person]:
    """Guests who never paid."""
    before = clock.now() - timedelta(days=settings.TROTH.policy.abandoned_days)
    is_known = Account.objects.filter(person=OuterRef("pk"))
    return _idle().filter(~Exists(is_known), taken_at__lt=before)


def _idle() -> QuerySet[Person]:
    """Persons who have data here, no order that was or may still be paid, none of late, and are not being forgotten."""
    lately = clock.now() - timedelta(days=settings.TROTH.policy.abandoned_days)
    counts = Q(paid_at__isnull=False) | Q(state__in=(Order.OPEN, Order.HELD)) | Q(made_at__gte=lately)
    orders = Order.objects.filter(counts, person=OuterRef("pk"))
    payments = Payment.objects.filter(order__person=OuterRef("pk"), state__in=(Payment.PENDING, Payment.REVIEW))
    going = Erasure.objects.filter(person=OuterRef("pk"), state__in=Erasure.UNDER_WAY)
    asked = Ticket.objects.filter(person=OuterRef("pk"))  # kept for correspondence_days
    works = Member.objects.filter(person=OuterRef("pk"))  # who works here is no idle customer
    here = Contact.objects.filter(person=OuterRef("pk"), contact__isnull=False)
    idle = ~Exists(orders) & ~Exists(payments) & ~Exists(going) & ~Exists(asked) & ~Exists(works)
    return Person.objects.filter(Exists(here), idle).order_by("pk")


def _push_on() -> None:
    """Links that nobody followed lapse; an erasure whose errand was given up for whatever reason goes on."""
    now = clock.now()
    asked = Erasure.objects.filter(state=Erasure.ASKED, asked_at__lt=now - LINK_LIFE)
    asked.update(state=Erasure.LAPSED, ticket="", ended_at=now)
    late = Erasure.objects.filter(state__in=(Erasure.WAITING, Erasure.GOING), due_at__lt=now - LATE)
    for ref in late.values_list("pk", flat=True)[:SLICE]:
        due.hasten("erase", ref)
    over = Erasure.objects.filter(state=Erasure.KEPT, kept_until__lt=now.date())
    for ref in over.values_list("pk", flat=True)[:SLICE]:
        due.hasten("erase-rest", ref)
