"""What happened to an order, from the rows themselves, oldest first. States, times, sums and codes; nobody in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from django.utils.translation import gettext as _

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
    for part in (_of_payments(payments), _told(order), _back(order), _disputed(order), _given(order), _taken_up(order)):
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


def _told(order: Order) -> Iterator[Event]:
    for one in ProviderEvent.objects.filter(payment__order=order, verified=True):
        yield Event(one.came_at, _("%(name)s told us: %(kind)s") % {"name": _name(one.provider), "kind": one.kind})


def _back(order: Order) -> Iterator[Event]:
    for one in Refund.objects.filter(payment__order=order).select_related("payment"):
        yield Event(one.made_at, _("Money to go back (%(why)s)") % {"why": one.why or one.kind}, one.id, one.amount)
        if one.done_at:
            yield Event(one.done_at, _("Money back: %(state)s") % {"state": one.state}, one.reason, one.amount)


def _disputed(order: Order) -> Iterator[Event]:
    for one in Dispute.objects.filter(payment__order=order):
        yield Event(one.opened_at, _("Disputed at %(name)s") % {"name": _name(one.provider)}, one.reason)
        if one.ended_at:
            yield Event(one.ended_at, _("The dispute ended: %(state)s") % {"state": one.state}, one.outcome)


def _given(order: Order) -> Iterator[Event]:
    for letter in Letter.objects.filter(order=order):
        yield Event(letter.queued_at, _("Letter to be sent: %(kind)s") % {"kind": letter.kind}, letter.last_code)
        if letter.sent_at:
            yield Event(letter.sent_at, _("Letter sent: %(kind)s") % {"kind": letter.kind}, letter.id)
    for grant in Grant.objects.filter(line__order=order).select_related("product"):
        yield Event(grant.made_at, _("Downloads opened: %(name)s") % {"name": grant.product.name}, grant.id)
    for licence in Licence.objects.filter(line__order=order).select_related("line"):
        yield Event(licence.issued_at, _("Licence given: %(name)s") % {"name": licence.line.name}, licence.id)
        if licence.revoked_at:
            yield Event(licence.revoked_at, _("Licence revoked: %(name)s") % {"name": licence.line.name}, licence.id)
    for invoice in Invoice.objects.filter(order=order):
        yield Event(invoice.issued_at, _("Paper issued: %(number)s") % {"number": invoice.number}, sum=invoice.total)


def _taken_up(order: Order) -> Iterator[Event]:
    for job in Job.objects.filter(person=order.person_id).select_related("member"):
        yield Event(job.taken_at, _("Taken up by %(who)s") % {"who": job.member.handle}, job.id)
        if job.closed_at:
            yield Event(job.closed_at, _("Job closed by %(who)s") % {"who": job.member.handle}, job.id)
