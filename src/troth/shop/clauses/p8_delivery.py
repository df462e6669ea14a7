"""P8: contact information is used to send the product by e-mail. Every paid order is delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop
from troth.pledge.due.models import Due
from troth.pledge.ids import new_id
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Account
from troth.shop.clauses import mutations
from troth.shop.delivery import letters, post
from troth.shop.delivery.models import Letter
from troth.shop.orders.models import Order

SOON = timedelta(minutes=15)
FEW = 500  # orders that one statement may name
DELIVERIES = ("deliver", "redeliver")  # as it was paid; and once more, by somebody at the desk


def every_paid_order_is_delivered_or_on_its_way(probe: Probe) -> Iterator[Finding]:
    paid = Order.objects.filter(state=Order.PAID, contact__contact__isnull=False)  # the forgotten get no letters
    sent = Letter.objects.filter(kind__in=DELIVERIES, state__in=Letter.LEFT, order__isnull=False).values("order")
    waiting = Due.objects.filter(kind="deliver").values("subject")
    # First all orders by letters alone, then one exact statement about the few that have none: in a large shop it is
    # a question of seconds, every ten minutes.
    seen = Order.objects.filter(state=Order.PAID).count()
    open_ = list(Order.objects.filter(state=Order.PAID).exclude(ref__in=sent).values_list("ref", flat=True)[: FEW + 1])
    paid = paid.filter(ref__in=open_) if len(open_) <= FEW else paid
    lost = paid.exclude(ref__in=sent).exclude(ref__in=waiting).count()
    if lost:
        yield broken(f"orders paid, neither delivered nor due to be: {lost}")
    closed = Erasure.objects.filter(state__in=(Erasure.WAITING, Erasure.GOING)).values("person")  # who asked for it
    late = paid.filter(paid_at__lt=probe.now - SOON).exclude(ref__in=sent).exclude(person__in=closed).count()
    if late:
        yield broken(f"orders paid that wait for their letter longer than {SOON.seconds // 60} minutes: {late}")
    yield holds(f"orders paid: {seen}; each is delivered, or due to be this minute, but of who was forgotten")


def nothing_unpaid_is_delivered(probe: Probe) -> Iterator[Finding]:
    paid = Order.objects.filter(state__in=(Order.PAID, Order.REFUNDED)).values("ref")  # paid back it was paid before
    wrong = Letter.objects.filter(kind="deliver", state=Letter.SENT).exclude(subject__in=paid).count()
    if wrong:
        yield broken(f"{wrong} orders were delivered that are not paid")
    yield holds("no order was delivered that is not paid")


def the_marker_customer_got_mail(probe: Probe) -> Iterator[Finding]:
    left, same = probe.marker(), Letter(kind="deliver", subject="the same")
    if left is None:
        yield gap("no marker customer beside real providers; deliveries of real orders are counted instead")
    elif not left.orders:
        yield gap("the marker customer cannot pay at these look-alikes; deliveries of real orders are counted instead")
    elif left.undelivered:
        yield broken(f"{left.undelivered} of {left.orders} orders of the marker customer were paid and not delivered")
    elif left.unheard:
        yield broken(f"{left.unheard} letters with what the marker customer bought count as sent and never were")
    elif letters.message_id(same) != letters.message_id(same):
        yield broken("a letter that is sent twice, after a death, is two letters to a mail program")
    else:
        yield holds(f"{left.orders} orders of the marker customer were paid and delivered, two of them to one account")


def each_letter_goes_to_one_mailbox(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None:
        yield gap("no marker customer beside real providers")
        return
    if copied := sum(len(mailboxes) > 1 for mailboxes in left.letters.mailboxes.values()):
        yield broken(f"letters that went to more than one mailbox: {copied}")
    if left.letters.elsewhere:
        yield broken(f"letters about the marker customer that went to somebody else: {left.letters.elsewhere}")
    if left.letters.mailboxes:
        yield holds(f"{len(left.letters.mailboxes)} letters were handed to the relay meanwhile, each for one mailbox")
    else:
        yield gap("no letter was handed to the relay by this process")


def _copied(*given: Any, **words: Any) -> EmailMessage:
    """The boss would like to see what leaves."""
    message = _write(*given, **words)
    message["Bcc"] = "the.boss@freemail.invalid"
    return message


_write = letters.write


def _reported(*given: Any, **words: Any) -> EmailMessage:
    """The boss would like a mail about each sale."""
    message = _write(*given, **words)
    report = EmailMessage()
    report["From"], report["To"] = message["From"], "the.boss@freemail.invalid"
    report.set_content(f"{message['Subject']}: {message['To']}")
    post.send(settings.TROTH.mail, report)
    return message


def _saved(letter: Letter, *given: Any, **words: Any) -> None:
    """It stands in their account already, and fewer mails are nice."""
    if letter.kind == "deliver" and Account.objects.filter(pk=letter.person_id, confirmed_at__isnull=False).exists():
        return
    _send(letter, *given, **words)


_send = letters.send


def _one_an_hour(letter: Letter, *given: Any, **words: Any) -> None:
    """They had a letter just now, and everything stands in their account: no flood of mails."""
    before = Letter.objects.filter(kind="deliver", person=letter.person_id, state=Letter.SENT).exclude(pk=letter.pk)
    if letter.kind == "deliver" and before.exists():
        Letter.objects.filter(pk=letter.pk).update(state=Letter.SENT, sent_at=clock.now())
        return
    _send(letter, *given, **words)


def _forgets(*wanted: tuple[str, str, float]) -> None:
    """A colleague tidied up what makes a delivery due."""
    _add_all(*(one for one in wanted if one[0] != "deliver"))


_add_all = loop.add_all


@contextmanager
def _given_away() -> Iterator[None]:
    """A colleague sends a letter with downloads for an order that nobody paid."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        person = Person.objects.values_list("pk", flat=True)[0]
        letter = Letter.objects.create(kind="deliver", subject=new_id("ord"), person_id=person, state=Letter.SENT)
        try:
            yield
        finally:
            letter.delete()


CLAUSE = Clause(
    id="P8",
    title=_("Delivery"),
    words=_("We use your contact information to send you the product by e-mail."),
    stricter="",
    enforced=(
        _("The row that makes a delivery due is written with the payment, in one transaction."),
        _("The worker tries until the mail relay has the letter; the order's page has the same downloads."),
    ),
    checks=(
        Check("a marker customer is delivered", "synthetic", the_marker_customer_got_mail),
        Check("each letter goes to one mailbox", "synthetic", each_letter_goes_to_one_mailbox),
        Check("every paid order is delivered or due", "runtime", every_paid_order_is_delivered_or_on_its_way),
        Check("nothing unpaid was delivered", "runtime", nothing_unpaid_is_delivered),
    ),
    mutants=(
        Mutant(
            "a payment makes nothing due",
            lambda: mutations.replaced(loop, "add_all", _forgets),
            turns=(every_paid_order_is_delivered_or_on_its_way, the_marker_customer_got_mail),
        ),
        Mutant(
            "a copy of each letter goes to the boss",
            lambda: mutations.replaced(letters, "write", _copied),
            in_demo=False,
            turns=(each_letter_goes_to_one_mailbox,),
        ),
        Mutant(
            "a mail about each sale goes to the boss",
            lambda: mutations.replaced(letters, "write", _reported),
            in_demo=False,
            turns=(each_letter_goes_to_one_mailbox,),
        ),
        Mutant(
            "who has a confirmed account gets no letter",
            lambda: mutations.replaced(letters, "send", _saved),
            in_demo=False,
            turns=(the_marker_customer_got_mail,),
        ),
        Mutant(
            "who buys twice within the hour gets one letter",
            lambda: mutations.replaced(letters, "send", _one_an_hour),
            in_demo=False,
            turns=(the_marker_customer_got_mail,),
        ),
        Mutant(
            "each copy of a letter has a number of its own",
            lambda: mutations.replaced(letters, "message_id", lambda letter: make_msgid()),
            in_demo=False,
            turns=(the_marker_customer_got_mail,),
        ),
        Mutant("an unpaid order is delivered", _given_away, in_demo=False, turns=(nothing_unpaid_is_delivered,)),
    ),
)
