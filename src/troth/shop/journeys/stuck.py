"""What is stuck: everything that does not end by itself as it should, in one list for the desk.

Each with why, since when, what happens next by itself and when, and what mends it. Rows, states and codes; nobody
in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from django.db.models import F, Q
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.shop.journeys import send_again
from troth.shop.money import Money
from troth.shop.orders.models import Order
from troth.shop.payments import gateways, give_back
from troth.shop.payments.models import Dispute, Payment, ProviderEvent, Refund
from troth.shop.refusal import Refused

MOST = 30  # of each kind
SLICE = 500  # due rows that are looked at
SLOW = timedelta(minutes=15)  # a delivery, an invoice
UNANSWERED = timedelta(hours=4)  # a refund; some take days at a bank, and the provider says so
RECENT = timedelta(days=30)  # messages that match nothing
# Errands whose letter tells that they gave up.
LETTERS = (
    *send_again.GOODS, "confirm", "recover", "invite", "withdraw", "withdrawn", "ticket-received", "ticket-answer",
    "passkey-added", "passkey-removed", "break-glass", "policy",
)  # fmt: skip
BY_LETTER, BY_DUE, BY_ORDER = "letter", "due", "order"  # how it is mended: its letter, its due row, on its order's page


class Stuck(msgspec.Struct, frozen=True):
    """`mend`: one of the three above, or "" where nothing here helps; `key`: of the letter or due row."""

    what: str
    why: str
    since: datetime
    order: str = ""
    next_at: datetime | None = None
    mend: str = ""
    key: str = ""


def found() -> list[Stuck]:
    """The oldest first. Each kind is one question, and shows the oldest MOST."""
    told = Q(kind__in=("deliver", "bill", "refund", "dispute")) | Q(gave_up_at__isnull=False)
    rows = list(Due.objects.filter(told).order_by("made_at")[:SLICE])
    parts = (
        _letters(), _payments(), _undelivered(rows), _refunds(rows), _given_up(rows), _invoices(rows), _unmatched(),
        _disputes(rows),
    )  # fmt: skip
    return sorted((one for part in parts for one in part), key=lambda one: one.since)


def again(row_id: str) -> None:
    """Let the worker try a due row that gave up, now. Refused for one that is gone, or goes on by itself."""
    row = (
        Due.objects.filter(pk=row_id, gave_up_at__isnull=False).first()
        if row_id.isascii() and row_id.isdigit()
        else None
    )
    if row is None:
        raise Refused(_("It goes on by itself, or is done; look at the list again."))
    due.hasten(row.kind, row.subject)


def _letters() -> Iterator[Stuck]:
    for one in send_again.stuck():
        what = _("Letter %(state)s: %(kind)s") % {"state": one.state, "kind": one.letter.kind}
        order = one.letter.order_id or ""
        lost = one.state in (send_again.REFUSED, send_again.BOUNCED) and one.letter.kind in send_again.GOODS and order
        mend = (
            BY_ORDER if lost else BY_LETTER if one.again else ""
        )  # the same mailbox would take it no more than before
        yield Stuck(what, one.letter.last_code, one.letter.queued_at, order, one.next_at, mend, one.letter.id)


def _payments() -> Iterator[Stuck]:
    """Money that a person has to look at."""
    ours_still = Q(state=Payment.PAID, surplus=True, captured_minor__gt=F("refunded_minor") + F("refunding_minor"))
    rows = Payment.objects.filter(Q(state__in=(Payment.REVIEW, Payment.REVERSED)) | ours_still)
    for one in rows.order_by("made_at")[:MOST]:
        name = gateways.NAMES.get(one.provider, one.provider)
        state = _("paid when nothing was to be paid") if one.surplus else one.state
        what = _("Payment at %(name)s: %(state)s") % {"name": name, "state": state}
        yield Stuck(what, one.reason, one.settled_at or one.made_at, one.order_id, mend=BY_ORDER)
    for case in Dispute.objects.filter(state=Dispute.OPEN).select_related("payment").order_by("opened_at")[:MOST]:
        what = _("Dispute: answer it at the provider")
        yield Stuck(what, case.reason, case.opened_at, case.payment.order_id, case.answer_by, BY_ORDER)


def _undelivered(rows: list[Due]) -> Iterator[Stuck]:
    """Paid, and no letter has left: nothing in stock, the keeper away. What gave up stands under its letter."""
    late = [row for row in rows if row.kind == "deliver" and row.made_at < clock.now() - SLOW and not row.gave_up_at]
    paid = set(
        Order.objects.filter(pk__in=[row.subject for row in late], state=Order.PAID).values_list("ref", flat=True)
    )
    for row in late[:MOST]:
        if row.subject in paid:
            yield Stuck(_("Paid and not delivered"), row.last_code, row.made_at, row.subject, row.run_after, BY_ORDER)


def _refunds(rows: list[Due]) -> Iterator[Stuck]:
    old = Q(state__in=give_back.WAITING, made_at__lt=clock.now() - UNANSWERED)
    by_hand = Q(state=Refund.ASKED, provider=gateways.TRANSFER)
    found = Refund.objects.filter(old | by_hand | Q(state=Refund.FAILED)).select_related("payment")
    waits = {row.subject: row.run_after for row in rows if row.kind == "refund" and not row.gave_up_at}
    for one in found.order_by("made_at")[:MOST]:
        amount = Money(one.amount_minor, one.payment.currency)
        what = _("Money back, %(sum)s: %(state)s") % {
            "sum": f"{amount.decimal()} {amount.currency}",
            "state": one.state,
        }
        hand = one.provider == gateways.TRANSFER and one.state == Refund.ASKED
        why = _("to be paid at the bank") if hand else one.reason
        next_at = None if hand else waits.get(one.id)
        yield Stuck(what, why, one.made_at, one.payment.order_id, next_at, BY_ORDER)


def _given_up(rows: list[Due]) -> Iterator[Stuck]:
    """Due rows that gave up, but for letters, which stand here as such."""
    for row in [one for one in rows if one.gave_up_at and one.kind not in LETTERS][:MOST]:
        order = row.subject if row.subject.startswith("ord_") else ""
        what = _("Given up: %(kind)s") % {"kind": row.kind}
        yield Stuck(what, row.last_code, row.gave_up_at or row.made_at, order, None, BY_DUE, str(row.pk))


def _invoices(rows: list[Due]) -> Iterator[Stuck]:
    """Invoices whose document the worker has not made."""
    late = [one for one in rows if one.kind == "bill" and not one.gave_up_at and one.made_at < clock.now() - SLOW]
    for row in late[:MOST]:
        yield Stuck(_("Invoice waits for its document"), row.last_code, row.made_at, "", row.run_after)


def _disputes(rows: list[Due]) -> Iterator[Stuck]:
    """Disputes that a message told of, and that the provider does not show us: access to what was bought goes on."""
    late = [one for one in rows if one.kind == "dispute" and not one.gave_up_at and one.made_at < clock.now() - SLOW]
    for row in late[:MOST]:
        name, _sep, case = row.subject.partition(":")
        what = _("%(name)s does not let us look at dispute %(case)s: answer it there; troth doctor says what to mend")
        told = what % {"name": gateways.NAMES.get(name, name), "case": case}
        yield Stuck(told, row.last_code, row.made_at, "", row.run_after)


def _unmatched() -> Iterator[Stuck]:
    """Genuine messages of providers about no payment of ours: another shop on the same account, or a payment lost."""
    rows = ProviderEvent.objects.filter(verified=True, payment=None, came_at__gt=clock.now() - RECENT)
    for one in rows.order_by("came_at")[:MOST]:
        name = gateways.NAMES.get(one.provider, one.provider)
        what = _("%(name)s told of a payment that is none of ours: %(kind)s") % {"name": name, "kind": one.kind}
        yield Stuck(what, one.outcome, one.came_at)
