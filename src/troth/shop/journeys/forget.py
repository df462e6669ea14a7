"""Forget: what the worker does about an erasure, in steps that can all be done again, so that a crash ends nothing.

The intent is a row; then the last letter; then the keeper deletes the keys, which is the forgetting itself; then the
main database's rows are deleted or cut as holdings.py says. What tax law keeps opens for tax alone, until its date.
"""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Q

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.due.models import Due
from troth.pledge.ids import SHAPE
from troth.pledge.rights.holding import Cut, Delete, empty
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.door import door
from troth.shop.accounts.models import Claim, Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.holdings import PEOPLE
from troth.shop.invoices.models import Invoice
from troth.shop.journeys import erase as asking
from troth.shop.journeys.backup import last_backup_ends
from troth.shop.journeys.write_to import AN_HOUR, address, asked, letter_to, url
from troth.shop.orders.models import Basket, Order
from troth.shop.payments.models import Payment

LOOK_AGAIN = 1800  # seconds between looks at a link that nobody followed yet
PATIENCE = timedelta(days=3)  # with a mail relay: a promise to forget does not hang on a letter
MAY_STILL_BE_PAID = Q(state__in=(Payment.PENDING, Payment.REVIEW)) | Q(state=Payment.SENT, order__state=Order.OPEN)
SETTLED_BY = timedelta(days=60)  # a payment that was begun has ended by then, one way or the other


def ask(subject: str, claim: due.Claim) -> None:
    """The letter with the link that proves the wish; then a look now and then whether it was followed.

    `subject`: an erasure, or a ticket from somebody who typed an address: what that is good for is learned here.
    """
    if not SHAPE.match(subject):
        ticket = asked(lambda: door().redeem(ticket=subject, kind="peek"))
        if ticket.kind == "erase" and not _just_asked(ticket.ref):
            asking.ask_for(ticket.ref, subject)
        return
    erasure = Erasure.objects.get(pk=subject)
    contact = _reached_at(erasure)
    if erasure.state != Erasure.ASKED or contact is None:
        return
    if letter_to("erase", erasure.id, contact).state == Letter.QUEUED:
        _send_link(erasure, contact, claim)
    elif not _still_open(erasure):
        return
    raise due.Again("waits for the mailbox", LOOK_AGAIN, waits=True)


def _just_asked(person_ref: str) -> bool:
    """Whether they got letters enough: the latest one's link stays good, whoever goes on typing their address."""
    since = clock.now() - timedelta(hours=1)
    return Erasure.objects.filter(person=person_ref, asked_at__gt=since).count() >= AN_HOUR


def _send_link(erasure: Erasure, contact: Contact, claim: due.Claim) -> None:
    to = address(contact, erasure.id)
    made = asked(
        lambda: (
            door().redeem(ticket=erasure.ticket, mailbox=to.email)
            if erasure.ticket
            else door().redeem(ref=erasure.person_id, kind="erase", mailbox=to.email)
        )
    )
    if made.kind != "erase":
        _lapse(erasure)
        return
    Erasure.objects.filter(pk=erasure.pk, state=Erasure.ASKED).update(ticket=made.ticket)
    letter = letter_to("erase", erasure.id, contact)
    letters.send(letter, to, claim, link=url(f"/erase/{made.ticket}/{made.secret}"))


def _still_open(erasure: Erasure) -> bool:
    """Whether the link may still be followed. One that was, while the web process died, is finished here."""
    kind = asked(lambda: door().redeem(ticket=erasure.ticket, kind="peek")).kind
    if kind == "proved":
        asking.begin(erasure)
    elif kind != "erase":
        _lapse(erasure)
    return kind == "erase"


def _lapse(erasure: Erasure) -> None:
    erasure.move(Erasure.ASKED, Erasure.LAPSED, ticket="", ended_at=clock.now())


def erase(subject: str, claim: due.Claim) -> None:
    """One step after another of an erasure that was proved. Raises due.Again, which waits as long as it takes."""
    erasure = Erasure.objects.get(pk=subject)
    try:
        if erasure.state == Erasure.CANCELLED:
            _restrict(erasure, "")
        if erasure.state == Erasure.WAITING:
            _wait(erasure, claim)
        if erasure.state == Erasure.GOING:
            _go(erasure, claim)
    except due.Again as again:
        again.waits = True
        raise


def _wait(erasure: Erasure, claim: due.Claim) -> None:
    """From here on the keeper opens this person for nothing but the letters about it."""
    _restrict(erasure, erasure.id)
    assert erasure.due_at is not None
    left = (erasure.due_at - clock.now()).total_seconds()
    if left > 0:
        _tell("erasing", erasure, claim, until=erasure.due_at)
        raise due.Again("may still be cancelled", left)
    erasure.move(Erasure.WAITING, Erasure.GOING)


def _restrict(erasure: Erasure, job: str) -> None:
    """Have the keeper open the person, and the guests whom they claimed, for this job alone; "": for all again."""
    for ref in Claim.persons_of(erasure.person_id):
        asked(functools.partial(door().restrict, ref, job))


def _guests_go_first(erasure: Erasure) -> None:
    """Guests whom this account claimed are forgotten with it, each by what the law keeps of their own orders."""
    guests = Claim.objects.filter(account=erasure.person_id).values_list("guest_id", flat=True)
    for guest in guests:
        asking.at_once(guest, Erasure.CLAIMED)
    if guests:
        raise due.Again("guests first", 1)


def _go(erasure: Erasure, claim: due.Claim) -> None:
    _guests_go_first(erasure)
    if erasure.lettered_at is None:
        _settle_dates(erasure)
        if erasure.why in (Erasure.BY_PERSON, Erasure.BY_OWNER):
            _say_goodbye(erasure, claim)
        erasure.move(Erasure.GOING, Erasure.GOING, lettered_at=clock.now())
    keep = ["tax"] if erasure.kept_until else []
    asked(lambda: door().shred(erasure.person_id, keep))
    with transaction.atomic():
        _forget_rows(erasure.person_id, spare=bool(keep))
        erasure.move(Erasure.GOING, Erasure.KEPT if keep else Erasure.DONE, ended_at=clock.now())
        if erasure.kept_until:
            due.add("erase-rest", erasure.id, after=_seconds_past(erasure.kept_until))
    _leave_no_log()


def rest(subject: str, claim: due.Claim) -> None:
    """The date by law is over: the last keys of a person go."""
    erasure = Erasure.objects.get(pk=subject)
    if erasure.state != Erasure.KEPT:
        return
    until = tax_day(erasure.person_id)
    if until is not None and until >= clock.now().date():
        Erasure.objects.filter(pk=erasure.pk).update(kept_until=until)
        raise due.Again("kept by law", _seconds_past(until), waits=True)
    try:
        asked(lambda: door().shred(erasure.person_id))
    except due.Again as again:
        again.waits = True
        raise
    with transaction.atomic():
        _forget_rows(erasure.person_id, spare=False)
        erasure.move(Erasure.KEPT, Erasure.DONE)
    _leave_no_log()


def _settle_dates(erasure: Erasure) -> None:
    """What letter and receipt will say, written down before either: told once, it stays true."""
    may_be_paid = Payment.objects.filter(MAY_STILL_BE_PAID, order__person=erasure.person_id).exists()
    until = tax_day(erasure.person_id) or ((clock.now() + SETTLED_BY).date() if may_be_paid else None)
    erasure.move(Erasure.GOING, Erasure.GOING, kept_until=until, backups_end=backups_end(clock.now()))


def tax_day(person_ref: str) -> date | None:
    """The last day on which tax law keeps this person's bills: so many years after the year of the last of them.

    What cost nothing was never billed.
    """
    paid = Order.objects.filter(person=person_ref, total_minor__gt=0).aggregate(last=Max("paid_at"))["last"]
    billed = Invoice.objects.filter(person=person_ref).aggregate(last=Max("issued_at"))["last"]
    years = [moment.year for moment in (paid, billed) if moment]
    return date(max(years) + settings.TROTH.policy.tax_years, 12, 31) if years else None


def backups_end(now: datetime) -> date | None:
    """From which day on no backup of the keyring has today's keys; None where the shop makes no such backups."""
    return last_backup_ends(now)


def _say_goodbye(erasure: Erasure, claim: due.Claim) -> None:
    """The last letter: it has to leave before the address cannot be read any more."""
    try:
        _tell("erased", erasure, claim, kept_until=erasure.kept_until, backups_end=erasure.backups_end)
    except due.Again as again:
        if not again.code.startswith("keeper") and clock.now() - (erasure.due_at or clock.now()) > PATIENCE:
            return
        raise


def _tell(kind: str, erasure: Erasure, claim: due.Claim, **words: Any) -> None:
    """One letter about this. One that can never be delivered is none to wait for."""
    contact = _reached_at(erasure)
    letter = letter_to(kind, erasure.id, contact) if contact else None
    if contact is None or letter is None or letter.state != Letter.QUEUED:
        return
    to = address(contact, erasure.id)
    try:
        letters.send(letter, to, claim, link=url(asking.page_of(erasure)), **words)
    except due.Again as again:
        if not again.give_up:
            raise


def _reached_at(erasure: Erasure) -> Contact | None:
    reached = Contact.objects.filter(person=erasure.person_id, state=Contact.CURRENT, contact__isnull=False)
    return reached.select_related("person").first()


def _forget_rows(person_ref: str, *, spare: bool) -> None:
    """Delete and cut as holdings.py says. `spare`: leave what tax law keeps."""
    for contact in Contact.objects.filter(person=person_ref).values_list("pk", flat=True):
        Due.objects.filter(Q(kind="change", subject__startswith=contact)).delete()
    Due.objects.filter(kind="confirm", subject=person_ref).delete()
    Basket.objects.filter(key_hash__in=Order.objects.filter(person=person_ref).values("viewer")).delete()
    for holding in PEOPLE:
        if not holding.person:
            continue
        rows = holding.rows(person_ref).filter(**holding.where)
        match holding.erasing:
            case Delete():
                rows.delete()
            case Cut(fields, spared):
                for path in spared if spare else ():
                    rows = rows.exclude(**{f"{path}__isnull": False})
                rows.update(**empty(fields, holding.model))


def _seconds_past(day: date) -> float:
    """From now until that day is over, in UTC."""
    return max(0.0, (datetime.combine(day, time.max, UTC) - clock.now()).total_seconds() + 1)


def _leave_no_log() -> None:
    """SQLite's log still has the pages as they were: write it back and cut it to nothing."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
