"""P5: e-mail and password verify who somebody is; what is collected serves the shop's records, which end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due.models import Due
from troth.pledge.policy.clause import Check, Clause, Finding, Mutant, broken, gap, holds
from troth.pledge.policy.probe import Probe
from troth.pledge.rights.holding import Holding, Keep
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.models import Person
from troth.shop import holdings
from troth.shop.accounts.models import Account, Contact
from troth.shop.accounts.session import SignedIn
from troth.shop.clauses import mutations, objector
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.journeys import choose, sign_in
from troth.shop.mailings.models import Mailing, Recipient
from troth.shop.support.models import Ticket


def an_invented_password_opens_nothing(probe: Probe) -> Iterator[Finding]:
    visitor = probe.site.newcomer()
    try:
        invented = {
            "email": f"{secrets.token_hex(8)}@marker.invalid",
            "current-password": secrets.token_urlsafe(16),
        }
        page = visitor.submit("/sign-in", invented)
    finally:
        visitor.close()
    if page.status < 400:
        yield broken("somebody came in with an address and a password that nobody has")
    yield holds("an invented address and password opened no account")


def mailings_go_to_proved_mailboxes(probe: Probe) -> Iterator[Finding]:
    followed = Exists(Contact.objects.filter(person=OuterRef("person"), followed_at__isnull=False))
    confirmed = Exists(Account.objects.filter(person=OuterRef("person"), confirmed_at__isnull=False))
    here = Exists(Contact.objects.filter(person=OuterRef("person"), contact__isnull=False))
    left = Recipient.objects.filter(state=Recipient.SENT, mailing__kind=Mailing.NEWS)
    if wrong := left.filter(here).exclude(Q(followed) | Q(confirmed)).count():
        yield broken(
            f"letters about other things than their own order that went to an address nobody confirmed: {wrong}"
        )
    heard = probe.once(objector.play)
    if heard is not None and heard.unproved:
        yield broken("who ticks that we may write is written to, though nobody followed a link to that mailbox")
    yield holds("whose address is not confirmed gets letters about their own order and account alone")


def who_pays_is_not_confirmed_by_it(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None:
        yield gap("a live shop plays no marker customer")
    elif left.confirmed_unasked:
        yield broken("an account that bought counted as confirmed before anybody followed the link to its mailbox")
    else:
        yield holds("an account that registered, bought and was delivered counts as confirmed by its link alone")


def who_leaves_is_out(probe: Probe) -> Iterator[Finding]:
    left = probe.marker()
    if left is None:
        yield gap("a live shop plays no marker customer")
    elif left.still_in:
        yield broken("the account still opened after its owner had signed out")
    else:
        yield holds("who signed out was asked for the password again")


def every_record_has_its_end(probe: Probe) -> Iterator[Finding]:
    ends = 0
    for holding in holdings.PEOPLE:
        if not str(holding.why).strip():
            yield broken(f"nothing says for what {holding.table} is held")
        match holding.erasing:
            case Keep(reason) if not reason.strip():
                yield broken(f"nothing says why {holding.table} stays when its person is forgotten")
        ends += holding.ends is not None or not isinstance(holding.erasing, Keep)
    yield holds(
        f"{len(holdings.PEOPLE)} kinds of records are declared: {ends} end, the others name nobody, and say why"
    )


def requests_are_done_in_time(probe: Probe) -> Iterator[Finding]:
    """Seeing, taking along, correcting and objecting are done at once; being forgotten has a window to cancel it.

    Whoever asks in their own words, by mail or by the form, asks as well as by a button: each question may be such a
    request, and has the law's days at the most.
    """
    days = DEADLINES.get(probe.config.shop.country, EARLIEST)
    proved = Erasure.objects.filter(state__in=(Erasure.WAITING, Erasure.GOING), proved_at__isnull=False)
    if late := proved.filter(proved_at__lt=probe.now - timedelta(days=days)).count():
        yield broken(f"wishes to be forgotten that the law's {days} days are over for: {late}")
    if probe.config.policy.erase_window > days * 24:
        yield broken(f"[policy] erase_window is longer than the {days} days that the law gives")
    if lost := proved.exclude(pk__in=Due.objects.filter(kind="erase").values("subject")).count():
        yield broken(f"wishes to be forgotten that nobody works on: {lost}")
    if probe.config.policy.answer_days > days:
        yield broken(f"[policy] answer_days is longer than the {days} days that the law gives for a request")
    old = Ticket.objects.filter(state__in=Ticket.OURS, made_at__lt=probe.now - timedelta(days=days))
    if waiting := old.filter(Q(due_at__isnull=True) | Q(due_at__lt=probe.now)).count():
        yield broken(
            f"questions, any of which may be a request, that wait longer than the law's {days} days: {waiting}"
        )
    yield holds(
        f"wishes to be forgotten under way: {proved.count()}, each due within {days} days, as is every answer to a "
        "request in somebody's own words; all else is at once"
    )


@contextmanager
def _one_forgotten_about() -> Iterator[None]:
    """A colleague tidied up what was due."""
    contact = objector.somebody()
    row = Erasure.objects.create(person_id=contact.person_id, state=Erasure.WAITING, proved_at=clock.now())
    try:
        yield
    finally:
        row.delete()


def _slow_to_answer() -> AbstractContextManager[None]:
    policy = msgspec.structs.replace(settings.TROTH.policy, answer_days=60)
    return mutations.replaced(settings, "TROTH", msgspec.structs.replace(settings.TROTH, policy=policy))


@contextmanager
def _asked_long_ago() -> Iterator[None]:
    """Somebody wrote "send me all you have of me", and it was put off."""
    contact = objector.somebody()
    long_ago = clock.now() - timedelta(days=60)
    ticket = Ticket.objects.create(person_id=contact.person_id, due_at=long_ago)
    Ticket.objects.filter(pk=ticket.pk).update(made_at=long_ago)
    try:
        yield
    finally:
        ticket.delete()
        contact.delete()


def _anybody(*given: Any) -> SignedIn:
    return SignedIn("per_" + "a" * 26, 0, "")


def _confirmed_by_paying(letter: Letter, *given: Any, **words: Any) -> None:
    """Nobody clicks the link: whose letter the relay took is confirmed."""
    _send(letter, *given, **words)
    if letter.kind == "deliver":
        Account.objects.filter(pk=letter.person_id, confirmed_at=None).update(confirmed_at=clock.now())


_send = letters.send


@contextmanager
def _one_to_an_unproved_mailbox() -> Iterator[None]:
    """A colleague writes to everybody who ever typed an address."""
    contact = objector.somebody()
    Contact.objects.filter(pk=contact.pk).update(followed_at=None)
    mailing = Mailing.objects.create(title="t", text="t")
    Recipient.objects.create(mailing=mailing, person=Person.objects.get(pk=contact.person_id), state=Recipient.SENT)
    try:
        yield
    finally:
        mailing.delete()


# Days to do what a person asks for: GDPR article 12(3), a month; CCPA section 7021, 45 days; else the shorter one.
DEADLINES = {"US": 45}
EARLIEST = 30
ENDLESS = Holding("shop.Notes", "", person="person", about="text", erasing=Keep(""))

CLAUSE = Clause(
    id="P5",
    title=_("Identity and records"),
    words=_(
        "Your e-mail address and password serve to verify who you are. What you give us serves our records: orders, "
        "invoices, what you allowed, conversations, the ledger."
    ),
    stricter=_(
        "The records are listed in your account, each with what it is for and when it ends. Until an address is "
        "confirmed, by the link in a letter, it gets nothing but letters about its own order and account."
    ),
    enforced=(
        _("The password is compared inside the keeper, and addresses are confirmed by a link that only a letter has."),
        _("Every table and field is declared with its reason and its end; nothing starts with one that is not."),
    ),
    checks=(
        Check("an invented password opens nothing", "runtime", an_invented_password_opens_nothing),
        Check("mailings go to proved mailboxes", "runtime", mailings_go_to_proved_mailboxes),
        Check("an address is confirmed by its link alone", "synthetic", who_pays_is_not_confirmed_by_it),
        Check("who signs out is out", "synthetic", who_leaves_is_out),
        Check("every record has its reason and its end", "static", every_record_has_its_end),
        Check("requests are done in the law's time", "runtime", requests_are_done_in_time),
    ),
    mutants=(
        Mutant(
            "everybody may sign in",
            lambda: mutations.replaced(sign_in, "sign_in", _anybody),
            turns=(an_invented_password_opens_nothing,),
        ),
        Mutant(
            "who paid counts as confirmed",
            lambda: mutations.replaced(letters, "send", _confirmed_by_paying),
            in_demo=False,
            turns=(who_pays_is_not_confirmed_by_it,),
        ),
        Mutant(
            "signing out leaves the session",
            lambda: mutations.replaced(SessionBase, "flush", lambda session: None),
            in_demo=False,
            turns=(who_leaves_is_out,),
        ),
        Mutant(
            "a mailing goes to whatever was typed",
            _one_to_an_unproved_mailbox,
            in_demo=False,
            turns=(mailings_go_to_proved_mailboxes,),
        ),
        Mutant(
            "notes are kept without a reason or an end",
            lambda: mutations.replaced(holdings, "PEOPLE", (*holdings.PEOPLE, ENDLESS)),
            turns=(every_record_has_its_end,),
        ),
        Mutant(
            "a wish to be forgotten is tidied away",
            _one_forgotten_about,
            in_demo=False,
            turns=(requests_are_done_in_time,),
        ),
        Mutant(
            "answers may take two months",
            _slow_to_answer,
            in_demo=False,
            turns=(requests_are_done_in_time,),
        ),
        Mutant(
            "a request in somebody's own words is put off",
            _asked_long_ago,
            in_demo=False,
            turns=(requests_are_done_in_time,),
        ),
        Mutant(
            "whoever ticks the box knows their own address",
            lambda: mutations.replaced(choose, "_may_be_asked_for", lambda *_: True),
            in_demo=False,
            turns=(mailings_go_to_proved_mailboxes,),
        ),
    ),
    choices=(
        (_("See every record, or take it along"), "/account/privacy"),
        (_("Change e-mail or password"), "/account"),
    ),
)
