"""Why am I still waiting? What is known of an order's payment, in plain words, and what happens next and when.

The same truth for the buyer, on the order's page, and for the owner, by `troth order`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.pledge.due.models import Due
from troth.pledge.prepared import Prepared
from troth.shop import written
from troth.shop.delivery.models import Letter
from troth.shop.fraud.models import Hold
from troth.shop.fraud.signs import to_us
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine
from troth.shop.payments import gateways
from troth.shop.payments.models import Difference, Dispute, Payment, Refund
from troth.shop.payments.providers.contract import ANOTHER_WAY

Dues = Mapping[tuple[str, str], datetime]
_of_order: Prepared[Payment] = Prepared(lambda ref: Payment.objects.filter(order=ref).order_by("-made_at")[:1], gaps=1)

# Why PayPal holds a payment (payments A4), to the buyer and to the owner. Other codes get the general words.
HELD = {
    "ECHECK": (
        _("It is drawn from a bank account, which takes three to six working days."),
        "The buyer pays from a bank account (eCheck): three to six working days. Nothing to do.",
    ),
    "PENDING_REVIEW": (
        _("It is being checked there, usually for a day."),
        "PayPal reviews the payment, usually for a day. Nothing to do.",
    ),
    "UNILATERAL": (
        _("The shop has to confirm something there first."),
        "The address that the money was sent to is not confirmed at PayPal: confirm it there.",
    ),
    "RECEIVING_PREFERENCE_MANDATES_MANUAL_ACTION": (
        _("The shop has to accept it there first."),
        "Your PayPal account asks you to accept such payments by hand: do so there, or change that setting.",
    ),
    "VERIFICATION_REQUIRED": (
        _("The shop has to confirm something there first."),
        "PayPal wants your account verified: do so there.",
    ),
}
# Why an order is not paid, where it is not that nobody has tried.
OPEN = {
    Payment.NEW: _("%(provider)s does not answer just now. Nothing has been charged."),
    Payment.REFUNDED: _("What you paid with %(provider)s went back to you."),
    Payment.REVERSED: _("What you paid with %(provider)s went back to you."),
}


class Standing(msgspec.Struct, frozen=True):
    """The truth about an order's payment.

    `state`: held, refused, open, declined, checking, pending, review, paid, disputed, reversed, refunded, cancelled,
    expired.
    `why` is one more sentence where there is something to say, `next_look_at` when the provider is asked again.
    """

    state: str
    provider: str
    next_look_at: datetime | None
    reason: str
    why: object = ""
    went_back: bool = False  # money went back, or is asked to


def standing(order: Order, lines: Sequence[OrderLine] | None = None) -> Standing:
    """What the order's page says. `lines`: the order's, where they were read before."""
    lines = list(order.lines.all()) if lines is None else lines
    payment = _of_order.first(order.ref)
    name = payment.provider if payment else ""
    went_back = any(line.returned_minor for line in lines) or (payment is not None and payment.surplus)
    if order.state == Order.PAID:
        return Standing(_after_payment(lines), name, None, "", went_back=went_back)
    if order.state == Order.CANCELLED and payment is None and Hold.objects.filter(pk=order.ref).exists():
        return Standing("refused", name, None, "")
    if order.state != Order.OPEN or payment is None:
        return Standing(order.state, name, None, "", went_back=went_back)
    states = {
        Payment.SENT: "checking", Payment.PENDING: "pending", Payment.REVIEW: "review", Payment.DECLINED: "declined",
    }  # fmt: skip
    state = states.get(payment.state, "open")
    if state == "checking" and payment.reason in ANOTHER_WAY:
        state = "declined"  # the same page at the provider offers other cards
    row = Due.objects.filter(kind="look", subject=payment.id).values_list("run_after", flat=True).first()
    why = HELD[payment.reason][0] if payment.state == Payment.PENDING and payment.reason in HELD else ""
    if payment.state in OPEN:
        why = OPEN[payment.state] % {"provider": gateways.NAMES.get(name, name)}
    return Standing(state, name, row, payment.reason, why)


def _after_payment(lines: Sequence[OrderLine]) -> str:
    """paid, or what has become of the access since, as the lines' rows say."""
    ended = {line.ended for line in lines}
    return next((one for one in ("disputed", "reversed") if one in ended), "paid")


class Told(msgspec.Struct, frozen=True):
    """A sentence to the owner: what is so, what happens next, and when (None: nothing is due)."""

    sentence: str
    next_at: datetime | None = None
    person: bool = False  # waits for somebody
    about: str = ""  # "delivery": no mailbox took the goods


def to_owner(order: Order) -> Iterator[Told]:
    """Everything about an order that is not as it ends: why it waits, for whom, until when. Five queries, or six."""
    payments = list(order.payments.order_by("made_at").prefetch_related("refunds", "disputes"))
    goods = order.letters.filter(kind__in=("deliver", "redeliver")).order_by("-queued_at", "-id").first()
    subjects = [str(one.pk) for payment in payments for one in (payment, *payment.refunds.all())]
    waits = _dues([*subjects, order.ref, *([goods.subject] if goods else [])])
    yield from _of_hold(order, waits)
    for payment in payments:
        yield from _of_payment(order, payment, waits)
        for refund in sorted(payment.refunds.all(), key=lambda one: one.made_at):
            yield from _of_refund(refund, payment, waits)
        for case in payment.disputes.all():
            if case.state != Dispute.OPEN:
                continue
            until = f" Answer by {written.day(case.answer_by)}." if case.answer_by else ""
            yield Told(
                f"The buyer disputes the payment at PayPal ({case.reason or 'no reason told'}); access rests.{until} "
                "Answer it in PayPal's resolution centre.",
                case.answer_by,
                person=True,
            )
    if order.state == Order.PAID:
        yield from _of_letter(order, goods, waits)


def _of_letter(order: Order, letter: Letter | None, waits: Dues) -> Iterator[Told]:
    """Whether the goods have reached their buyer: by the latest letter with them."""
    if letter is not None and letter.state == Letter.BOUNCED:
        yield Told(
            f"The letter came back ({letter.last_code}): no mailbox takes it. The order's page has everything; take a "
            "job up to put the address right.",
            person=True,
            about="delivery",
        )
    elif letter is None or letter.state != Letter.SENT:
        code = f" ({letter.last_code})" if letter and letter.last_code else ""
        failed = letter is not None and letter.state == Letter.FAILED
        yield Told(
            f"The letter cannot be delivered{code}; the order's page has everything."
            if failed
            else f"The letter with the downloads is due{code}.",
            waits.get((letter.kind, letter.subject) if letter else ("deliver", order.ref)),
            person=failed,
            about="delivery" if failed else "",
        )


def _of_hold(order: Order, waits: Dues) -> Iterator[Told]:
    if order.state == Order.HELD:
        hold = Hold.objects.filter(pk=order.ref).first()
        why = f": {'; '.join(str(word) for word in to_us(hold.signs))}" if hold else ""
        yield Told(
            f"Held before any provider saw it{why}. Look at it: /desk/held, or troth orders release or refuse.",
            waits.get(("hold-over", order.ref)),
            person=True,
        )


def _of_payment(order: Order, payment: Payment, waits: Dues) -> Iterator[Told]:
    name, next_at = payment.provider.capitalize(), waits.get(("look", payment.id))
    words = {
        Payment.NEW: f"{name} has not answered yet ({payment.reason or 'no answer'}); the buyer may try again.",
        Payment.SENT: f"The buyer went to {name} and has not paid, as far as {name} says.",
        Payment.DECLINED: f"{name} declined ({payment.reason or 'no reason told'}); the buyer may try again.",
        Payment.CANCELLED: f"Ended at {name} without money ({payment.reason or 'cancelled'}).",
        Payment.REVERSED: f"{name} took the money back; access has ended. Look at the case there.",
    }
    if payment.state == Payment.SENT and payment.reason:
        words[Payment.SENT] = (
            f"{name} could not take the money ({payment.reason}); the buyer has to choose another way there."
            if payment.reason in ANOTHER_WAY
            else f"{name} gives no answer that helps ({payment.reason}), so nobody here knows whether the buyer has "
            "paid. It is asked again by itself; troth doctor says whether something is to be mended."
        )
    if payment.state == Payment.PENDING:
        general = f"{name} holds the payment ({payment.reason or 'no reason told'}); nothing is delivered yet."
        yield Told(HELD.get(payment.reason, ("", general))[1], next_at)
    elif payment.state == Payment.REVIEW:
        yield Told(
            f"{name} reports money that does not fit this order ({payment.reason}). Nothing was delivered: compare the "
            f"payment at {name} with the order, and give the money back there or write to the buyer.",
            person=True,
        )
    elif payment.surplus and payment.kept_minor:
        yield Told(
            f"Paid at {name} when nothing was to be paid any more. Give it back: troth refund {order.ref} --surplus",
            person=True,
        )
    elif payment.state == Payment.REVERSED:
        yield Told(words[payment.state], person=True)
    elif payment.state in words and order.state == Order.OPEN:
        yield Told(words[payment.state], next_at)


def _of_refund(refund: Refund, payment: Payment, waits: Dues) -> Iterator[Told]:
    amount = f"{Money(refund.amount_minor, payment.currency).decimal()} {payment.currency}"
    next_at = waits.get(("refund", refund.id))
    if refund.state == Refund.ASKED and refund.provider == gateways.TRANSFER:
        yield Told(f"{amount} are to go back by bank transfer: pay them at your bank, then say so here.", person=True)
    elif refund.state == Refund.ASKED:
        code = f" ({refund.reason})" if refund.reason else ""
        yield Told(f"{amount} are to go back; the provider has not confirmed it{code}.", next_at)
    elif refund.state == Refund.PENDING:
        yield Told(f"{amount} are on their way back; the provider still works on it.", next_at)
    elif refund.state == Refund.FAILED:
        yield Told(f"{amount} could not go back ({refund.reason}). Ask again, or do it at the provider.", person=True)


def _dues(subjects: list[str]) -> Dues:
    """When what waits about these is looked at next, by kind and subject."""
    rows = Due.objects.filter(subject__in=subjects, gave_up_at=None)
    return {(kind, subject): at for kind, subject, at in rows.values_list("kind", "subject", "run_after")}


def for_a_person() -> Iterator[tuple[str, Told]]:
    """Orders that wait for somebody, the oldest first, with why; and differences from the providers' books."""
    refs = set(Payment.objects.filter(state=Payment.REVIEW).values_list("order", flat=True))
    refs |= set(Payment.objects.filter(surplus=True, state=Payment.PAID).values_list("order", flat=True))
    refs |= set(Payment.objects.filter(state=Payment.REVERSED).values_list("order", flat=True))
    refs |= set(Refund.objects.filter(state=Refund.FAILED).values_list("payment__order", flat=True))
    by_hand = Refund.objects.filter(state=Refund.ASKED, provider=gateways.TRANSFER)
    refs |= set(by_hand.values_list("payment__order", flat=True))
    refs |= set(Dispute.objects.filter(state=Dispute.OPEN).values_list("payment__order", flat=True))
    refs |= set(Hold.objects.filter(state=Hold.HELD).values_list("order", flat=True))
    refs |= set(Order.objects.filter(letters__state__in=("failed", "bounced")).values_list("ref", flat=True))
    for order in Order.objects.filter(pk__in=refs).order_by("made_at"):
        yield from ((order.ref, told) for told in to_owner(order) if told.person)
    count = Difference.objects.filter(gone_at=None).count()
    if count:
        yield "", Told(f"{count} differences from the providers' books: troth reconcile shows them.", person=True)
