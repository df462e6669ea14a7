"""What happened to an order, from the rows themselves, oldest first. States, times, sums and codes; nobody in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import BigIntegerField, DateTimeField, F, QuerySet, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from troth.shop.delivery.models import Grant, Letter
from troth.shop.invoices.models import Invoice
from troth.shop.licences.models import Licence
from troth.shop.money import Money
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.payments.models import Dispute, Payment, ProviderEvent, Refund
from troth.shop.staff.models import Job


class Event(msgspec.Struct, frozen=True):
    """`more`: a code or reference of ours or the provider's, for who wants to look further."""

    at: datetime
    what: str
    more: str = ""
    sum: Money | None = None


def of(order: Order, payments: list[Payment]) -> list[Event]:
    """`payments`: the order's own, where they were read before."""
    events = [Event(order.made_at, _("Ordered"), sum=order.total)]
    if order.paid_at:
        events.append(Event(order.paid_at, _("Paid")))
    for part in (_of_payments(payments), _back(order), _rest(order)):
        events.extend(part)
    return sorted(events, key=lambda event: event.at)


def _name(provider: str) -> str:
    return gateways.NAMES.get(provider, provider)


def _of_payments(payments: list[Payment]) -> Iterator[Event]:
    for one in payments:
        name = _name(one.provider)
        yield Event(one.made_at, _("Sent to pay with %(name)s") % {"name": name}, one.provider_ref, one.amount)
        if one.settled_at:
            captured = Money(one.captured_minor, one.currency)
            what = _("%(name)s: %(state)s") % {"name": name, "state": one.state}
            yield Event(one.settled_at, what, one.reason or one.capture_ref, captured if one.captured_minor else None)


def _back(order: Order) -> Iterator[Event]:
    for one in Refund.objects.filter(payment__order=order).select_related("payment"):
        yield Event(one.made_at, _("Money to go back (%(why)s)") % {"why": one.why or one.kind}, one.id, one.amount)
        if one.done_at:
            yield Event(one.done_at, _("Money back: %(state)s") % {"state": one.state}, one.reason, one.amount)


def _rest(order: Order) -> Iterator[Event]:
    """All else, asked for in one question."""
    first, *others = _of_all_kinds(order)
    for kind, at, end, name, code, last, minor in first.union(*others, all=True):
        begun, ended = (str(words) for words in _WORDS[kind])
        said = {"name": gateways.NAMES.get(name, name), "code": code, "last": last}
        shown = "" if "%(code)s" in begun else code
        yield Event(at, begun % said, shown, None if minor is None else Money(minor, order.currency))
        if end:
            yield Event(end, ended % said, shown)


def _of_all_kinds(order: Order) -> Iterator[Any]:
    told = ProviderEvent.objects.filter(payment__order=order, verified=True)
    yield _rows(told, "told", "came_at", name="provider", code="kind")
    disputes = Dispute.objects.filter(payment__order=order)
    yield _rows(disputes, "disputed", "opened_at", "ended_at", name="provider", code="reason", last="state")
    letters = Letter.objects.filter(order=order)
    yield _rows(letters, "letter", "queued_at", "sent_at", name="kind", code="last_code")
    grants = Grant.objects.filter(line__order=order)
    yield _rows(grants, "grant", "made_at", name="product__name", code="id")
    licences = Licence.objects.filter(line__order=order)
    yield _rows(licences, "licence", "issued_at", "revoked_at", name="line__name", code="id")
    papers = Invoice.objects.filter(order=order)
    yield _rows(papers, "paper", "issued_at", name="number", minor=F("net_minor") + F("tax_minor"))
    jobs = Job.objects.filter(person=order.person_id)
    yield _rows(jobs, "job", "taken_at", "closed_at", name="member__handle", code="id")


# kind of row -> what is said of its beginning, and of its end
_WORDS = {
    "told": (_lazy("%(name)s told us: %(code)s"), ""),
    "disputed": (_lazy("Disputed at %(name)s"), _lazy("The dispute at %(name)s ended: %(last)s")),
    "letter": (_lazy("Letter to be sent: %(name)s"), _lazy("Letter sent: %(name)s")),
    "grant": (_lazy("Downloads opened: %(name)s"), ""),
    "licence": (_lazy("Licence given: %(name)s"), _lazy("Licence revoked: %(name)s")),
    "paper": (_lazy("Paper issued: %(name)s"), ""),
    "job": (_lazy("Taken up by %(name)s"), _lazy("Job closed by %(name)s")),
}


def _rows(
    rows: QuerySet[Any],
    kind: str,
    at: str,
    end: str = "",
    *,
    name: str,
    code: str = "",
    last: str = "",
    minor: Any = None,
) -> Any:
    """The rows of one table in the shape that all have, so that one UNION tells of all."""
    return rows.annotate(
        row_kind=Value(kind),
        row_at=F(at),
        row_end=F(end) if end else Cast(Value(None), DateTimeField()),
        row_name=F(name),
        row_code=F(code) if code else Value(""),
        row_last=F(last) if last else Value(""),
        row_minor=Cast(Value(None) if minor is None else minor, BigIntegerField()),
    ).values_list("row_kind", "row_at", "row_end", "row_name", "row_code", "row_last", "row_minor")
