"""Mail out: a mailing's rows are made, and each copy leaves at most once. Run by the worker, in slices.

The address is opened for each copy when it leaves, for "marketing": the keeper refuses whoever objected, whatever our
own rows say. Between the text and the dot that ends it one statement takes the row, unless its person objected
meanwhile. Who dies before that has sent nothing, as a relay forgets a text without its end: the copy goes again. Who
dies after it leaves the row "sending"; the copy has all but certainly left, and is never sent twice.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.prepared import Prepared
from troth.pledge.rights.models import Consent
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.models import Person
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters, post
from troth.shop.invoices import worker_key
from troth.shop.journeys import choose, tell_of_releases
from troth.shop.mailings import consent, markup, segments
from troth.shop.mailings.models import Mailing, Recipient

SLICE, ROWS = 50, 2000  # copies sent, rows made, before other errands get their turn
PAUSES = (300, 900, 3600, 7200, 14400, 28800, 57600)  # seconds until a copy is tried again (greylists, full mailboxes)
RENEW = 10.0  # seconds between renewals of the lease: what keeps two workers from one copy is the copy's own row
BUSY = 60  # seconds until a relay that takes nothing is asked again
_domains: dict[str, tuple[float, float]] = {}  # mail domain -> (the minute's beginning, letters in it); in memory only


def run(mailing_id: str, claim: due.Claim) -> None:
    """One slice of a mailing. Raises due.Again until all copies have left, or never will."""
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing is None or mailing.state not in (Mailing.SCHEDULED, Mailing.SENDING):
        return
    if mailing.state == Mailing.SCHEDULED and not _build(mailing):
        raise due.Again("making the list", 0, waits=True)
    _give_up_the_dead(mailing)
    waiting, renewed = mailing.recipients.filter(state=Recipient.WAITING), -RENEW
    with post.line(settings.TROTH.mail) as relay:
        for row in waiting.filter(next_at__lte=clock.now()).select_related("person").order_by("next_at")[:SLICE]:
            if renewed + RENEW < time.monotonic():
                if not claim.still_mine():
                    raise due.Again("late", 0, waits=True)
                renewed = time.monotonic()
            objections = _objections_wait.first(mailing.pk)
            if objections is None:  # stopped
                return
            if objections:
                _carry_objections(claim)
            _one(mailing, row, relay)
    under_way = mailing.recipients.filter(state__in=(Recipient.WAITING, Recipient.SENDING))
    if soonest := under_way.order_by("next_at").first():
        raise due.Again("under way", max(0.0, (soonest.next_at - clock.now()).total_seconds()), waits=True)
    _end(mailing)


# Asked before each copy, so their SQL is made once. The first: nothing where the mailing is not being sent (any more).
_objections_wait: Prepared[bool] = Prepared(
    lambda mailing: Mailing.objects.filter(pk=mailing, state=Mailing.SENDING).values_list(
        Exists(consent.to_carry()), flat=True
    ),
    gaps=1,
)
_contact_of: Prepared[Contact] = Prepared(
    lambda ref: Contact.objects.filter(person=ref, state=Contact.CURRENT, contact__isnull=False)[:1], gaps=1
)


def audience(mailing: Mailing) -> QuerySet[Person]:
    """Who gets it as things stand."""
    here = Contact.objects.filter(person=OuterRef("pk"), state=Contact.CURRENT, contact__isnull=False)
    if mailing.release is not None:
        persons = tell_of_releases.entitled(mailing.release)
    elif mailing.kind == Mailing.NEWS:
        persons = segments.persons(segments.read(mailing.segment))
    else:
        persons = Person.objects.none()  # its release was taken off the shelf
    if mailing.kind == Mailing.RELEASE:
        return persons.filter(Exists(here))
    known = Consent.objects.filter(person=OuterRef("pk"), topic=Consent.NEWS, carried_at__isnull=False)
    return consent.only_who_may_be_told(persons).filter(Exists(here), Exists(known))


def _build(mailing: Mailing) -> bool:
    """A slice of rows, in the order of references. True when the list is whole, and sending may begin."""
    persons = list(audience(mailing).filter(pk__gt=mailing.built_to).order_by("pk").values_list("pk", flat=True)[:ROWS])
    rows = [Recipient(mailing=mailing, person_id=ref) for ref in persons]
    whole = len(rows) < ROWS
    with transaction.atomic():
        Recipient.objects.bulk_create(rows, ignore_conflicts=True)
        state = Mailing.SENDING if whole else Mailing.SCHEDULED
        mailing.move((Mailing.SCHEDULED,), state, built_to="" if whole else persons[-1])
    return whole


def _give_up_the_dead(mailing: Mailing) -> None:
    """Whoever took these is dead, or has lost its lease: nobody knows whether they left."""
    old = mailing.recipients.filter(state=Recipient.SENDING, taken_at__lt=clock.now() - due.LEASE)
    old.update(state=Recipient.UNSURE, last_code="died-sending", ended_at=clock.now())


def _carry_objections(claim: due.Claim) -> None:
    """What was said and the keeper does not know yet goes first: it may be about the next mailbox."""
    for ref in dict.fromkeys(consent.to_carry().values_list("person", flat=True)[:SLICE]):
        choose.carry(ref, claim)


def _one(mailing: Mailing, row: Recipient, relay: post.Line) -> None:
    to = _opened(mailing, row)
    if to is None:
        return
    if wait := _throttle(to.email):
        _later(row, wait, "throttled", counts=False)
        return
    trouble: post.Undelivered | None = None
    try:
        relay.send(
            write(mailing, row, to), sender=_envelope(row), last_look=lambda: take(mailing, row, _hashed(mailing, to))
        )
    except post.NotNow:
        return
    except post.Undelivered as undelivered:
        trouble = undelivered
    if trouble is None:
        _note(row, Recipient.SENT)
    elif trouble.unsure:
        _note(row, Recipient.UNSURE, trouble.code)
    elif trouble.busy:
        _later(row, BUSY, trouble.code, counts=False)
        raise due.Again(trouble.code, BUSY, waits=True)
    elif trouble.final:
        _note(row, Recipient.FAILED, trouble.code)
    else:
        _later(row, PAUSES[min(row.attempts, len(PAUSES) - 1)], trouble.code)


def _opened(mailing: Mailing, row: Recipient) -> ContactData | None:
    """The address, by the keeper's leave; None where it gives none, which is then noted."""
    contact = _contact_of.first(row.person_id)
    purpose, code = ("notice" if mailing.kind == Mailing.RELEASE else "marketing"), "gone"
    away = False
    try:
        if contact is not None:
            (to,) = door().open([contact.contact], purpose=purpose, job=mailing.id)
            assert isinstance(to, ContactData)
            return to
    except KeeperRefused as refused:
        code = refused.code
    except KeeperAway:
        away = True
    if away or code == "budget":
        raise due.Again("keeper-away" if away else "budget", BUSY, waits=True)
    _note(row, Recipient.REFUSED, code)
    return None


def take(mailing: Mailing, row: Recipient, mailbox: str) -> bool:
    """Ours to send, for exactly one caller, and only while nobody objected. False: it is not."""
    topic = Consent.RELEASES if mailing.kind == Mailing.RELEASE else Consent.NEWS
    said = Consent.objects.filter(person=OuterRef("person"), topic=topic, what__in=Consent.CHOSEN)
    mine = Recipient.objects.filter(pk=row.pk, state=Recipient.WAITING)
    agreed = mine.annotate(last=Subquery(said.order_by("-pk").values("what")[:1]))
    agreed = agreed.filter(Q(last__isnull=True) | Q(last=Consent.GIVEN))
    try:
        with transaction.atomic():
            values = {"state": Recipient.SENDING, "taken_at": clock.now(), "mailbox": mailbox}
            taken = agreed.update(attempts=F("attempts") + 1, **values) == 1
    except IntegrityError:  # another person with this mailbox had it, or has it now
        _note(row, Recipient.REFUSED, "same-mailbox")
        return False
    if not taken:
        _note(row, Recipient.REFUSED, "objected")
    return taken


def _note(row: Recipient, state: str, code: str = "") -> None:
    Recipient.objects.filter(pk=row.pk, state__in=(Recipient.WAITING, Recipient.SENDING)).update(
        state=state, last_code=code, ended_at=clock.now()
    )


def _later(row: Recipient, seconds: float, code: str, *, counts: bool = True) -> None:
    """Once more after a while; given up when all pauses are used."""
    if counts and row.attempts >= len(PAUSES):
        _note(row, Recipient.FAILED, code)
        return
    values: dict[str, Any] = {"next_at": clock.now() + timedelta(seconds=seconds), "last_code": code, "mailbox": ""}
    if counts and row.attempts == Recipient.objects.filter(pk=row.pk).values_list("attempts", flat=True).first():
        values["attempts"] = F("attempts") + 1  # refused before it was taken
    Recipient.objects.filter(pk=row.pk, state__in=(Recipient.WAITING, Recipient.SENDING)).update(
        state=Recipient.WAITING, **values
    )


def _end(mailing: Mailing) -> None:
    with transaction.atomic():
        if mailing.move((Mailing.SENDING,), Mailing.DONE, done_at=clock.now()):
            mailing.recipients.exclude(mailbox="").update(mailbox="")


def _throttle(email: str) -> float:
    """Seconds to wait, or 0 where this mail domain may get one more letter this minute."""
    domain, now = email.rpartition("@")[2].lower(), time.monotonic()
    began, count = _domains.get(domain, (now, 0))
    if now - began >= 60:
        began, count = now, 0
    if count >= settings.TROTH.mail.per_domain:
        return 60 - (now - began) + 0.1
    if len(_domains) > 10_000:
        _domains.clear()
    _domains[domain] = (began, count + 1)
    return 0.0


def _hashed(mailing: Mailing, to: ContactData) -> str:
    """Who has the database alone can check no guess by it; and it goes when the mailing is done."""
    key = worker_key.private(settings.TROTH.home).private_bytes_raw()
    told = f"troth mailing 1 {mailing.id} {to.email.strip().casefold()}".encode()
    return hmac.new(key, told, hashlib.sha256).hexdigest()[:32]


def write(mailing: Mailing, row: Recipient, to: ContactData) -> EmailMessage:
    """One copy as it leaves: one Message-ID for ever, one click to stop (RFC 8058), no picture, no detour."""
    site = settings.TROTH.web.public_url.rstrip("/")
    page = site + choose.page_of(row.person_id)
    why = _("You get this because you bought this with us.") if mailing.kind == Mailing.RELEASE else _why()
    message = letters.compose(
        "mailing", to, title=mailing.title, text=markup.plain(mailing.text), html=markup.html(mailing.text),
        why=why, preferences_url=page,
    )  # fmt: skip
    host = urlsplit(site).hostname
    message["Date"] = format_datetime(mailing.begins_at or clock.now())
    message["Message-ID"] = f"<{row.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Precedence"] = "bulk"
    message["List-ID"] = f"<{mailing.kind}.{host}>"
    topic = "?topic=releases" if mailing.kind == Mailing.RELEASE else ""
    message["List-Unsubscribe"] = f"<{page}{topic}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return message


def _why() -> str:
    return _("You get this because you allowed it, or bought with us and did not object. We count no opens or clicks.")


def _envelope(row: Recipient) -> str:
    """Where it comes back to if it cannot be delivered: an address for each copy (VERP)."""
    name, at, host = settings.TROTH.mail.bounces.partition("@")
    return f"{name}+{row.bounce_tag}@{host}" if at else ""


def sample(mailing: Mailing) -> EmailMessage:
    """A copy to nobody: to the shop itself. Its link leads to no person's page."""
    shop = settings.TROTH.shop
    row = Recipient(id="rec_" + "a" * 26, mailing=mailing, person_id="per_" + "a" * 26)
    name = str(Address(addr_spec=shop.contact_email or "shop@example.org").addr_spec)
    return write(mailing, row, ContactData(shop.name, name))


def test(mailing_id: str, claim: due.Claim) -> None:
    """The errand: a copy to the shop's own address, with "Test" before its title."""
    mailing = Mailing.objects.filter(pk=mailing_id).first()
    if mailing is None:
        return
    message = sample(mailing)
    message.replace_header("Subject", _("Test: {title}").format(title=str(message["Subject"])))
    code, final = "", False
    if not claim.still_mine():
        raise due.Again("late")
    try:
        post.send(settings.TROTH.mail, message)
    except post.Undelivered as undelivered:
        code, final = undelivered.code, undelivered.final
    if code:
        raise due.Again(code, give_up=final)
