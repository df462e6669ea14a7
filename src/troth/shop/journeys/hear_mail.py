"""Hear mail: what comes to [support] address becomes a ticket, or a message of the ticket that it answers.

`take_in` is all that the mail server's program does: the mail is sealed to the worker and due, and nothing is read.
The worker reads it, once for each Message-ID. An answer counts as the customer's only if it comes from the mailbox on
file; from anybody else it begins a ticket of their own, and they learn nothing of the one they wrote to.
"""

from __future__ import annotations

from datetime import timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.keeper.seals import SUITE
from troth.pledge.vault.door import door
from troth.pledge.vault.models import NoBlank
from troth.shop.accounts.models import Contact
from troth.shop.invoices import worker_key
from troth.shop.journeys import ask, bounce
from troth.shop.journeys.write_to import asked
from troth.shop.refusal import Refused
from troth.shop.support import addresses, files, imap, mail
from troth.shop.support.masking import mask
from troth.shop.support.models import Heard, Parcel, Ticket
from troth.shop.support.writing import LONGEST, readable

A_DAY = 20  # mails of one sender that are heard in a day; two machines that answer each other stop here
QUIET = timedelta(days=14)  # without a word, after which an answered conversation is closed
SLICE = 500


def largest() -> int:
    """Bytes of a mail: its files grow by a third on the way (base64, RFC 2045)."""
    return files.room() * 3 // 2 + 500_000


def take_in(raw: bytes) -> None:
    """Keep a mail for the worker. mail.Unreadable("large") where nobody would read it."""
    if len(raw) > largest():
        raise mail.Unreadable("large")
    parcel = Parcel()
    public = X25519PublicKey.from_public_bytes(worker_key.public(settings.TROTH.home))
    parcel.sealed = SUITE.encrypt(raw, public, info=_info(parcel))
    with transaction.atomic():
        parcel.save(force_insert=True)
        due.add("mail", parcel.id)


def fetch(subject: str, claim: due.Claim) -> None:
    """Look into the mailbox, where there is one."""
    if not settings.TROTH.support.imap_url:
        return
    code = ""
    try:
        imap.fetch(settings.TROTH.support, largest(), take_in)
    except imap.MailboxAway as away:
        code = str(away)
    if code:
        raise due.Again(code)


def hear(parcel_id: str, claim: due.Claim) -> None:
    """Read one mail and do what it asks for. Its Message-ID and its effect are written in one transaction."""
    parcel = Parcel.objects.filter(pk=parcel_id).first()
    if parcel is None:
        return
    outcome, sender = "unreadable", ""
    raw = _unsealed(parcel)
    name = _hashed("troth.mail", raw.decode("latin-1"))
    try:
        message = mail.parse(raw, largest())
        returned = bounce.heard(message)
        letter = None if returned else mail.read(message)
    except mail.Unreadable as why:
        outcome, letter = str(why), None
    else:
        outcome = returned
    if letter is not None:
        sender = _hashed("troth.mail-sender", letter.email.lower())
        name = _hashed("troth.mail-id", letter.id) if letter.id else name
        outcome = letter.machine or _flooded(sender)
        if not outcome:
            try:
                _take_up(parcel, letter, name, sender)
            except NoBlank:
                raise due.Again("no-blank", 5, waits=True) from None
            return
    _put_away(parcel, name, sender, outcome)


def end_conversations(subject: str, claim: due.Claim) -> None:
    """Close what was answered and has been quiet since."""
    quiet = Ticket.objects.filter(state__in=(Ticket.WAITING, Ticket.SOLVED), touched_at__lt=clock.now() - QUIET)
    for ticket in quiet[:SLICE]:
        ticket.move((Ticket.WAITING, Ticket.SOLVED), Ticket.CLOSED, closed_at=clock.now())


def _take_up(parcel: Parcel, letter: mail.Mail, name: str, sender: str) -> None:
    ticket = _answered(letter)
    theirs = ticket is not None and _is_theirs(ticket, letter)
    attached, left_out = _attached(letter)
    text = (letter.text or str(_("(no words)")))[: LONGEST - 100] + left_out
    refused = False
    try:
        with transaction.atomic():
            _note(parcel, name, sender, "answer" if theirs else "question")
            _write(ticket, theirs, letter, text, attached)
    except (IntegrityError, Refused):  # heard before; or they asked to be forgotten
        refused = True
    if refused:
        _put_away(parcel, name, sender, "refused")


def _write(ticket: Ticket | None, theirs: bool, letter: mail.Mail, text: str, attached: list[files.Intake]) -> None:
    """Into the ticket, if it is theirs and goes on; else a new one, which says what it came after."""
    if ticket is not None and theirs and ticket.state != Ticket.CLOSED:
        ask.add(ticket, text, attached=attached, came_by=Ticket.MAIL, subject=letter.subject)
        return
    question = ask.Question(text, letter.subject, attached=attached, came_by=Ticket.MAIL, about=ticket)
    ask.ask(ticket.person_id if ticket and theirs else ask.Stranger(_name(letter), letter.email), question)


def _name(letter: mail.Mail) -> str:
    """As a form would have taken it: one line, without a card number."""
    return " ".join(mask(readable(letter.name))[0].split()) or letter.email.partition("@")[0]


def _answered(letter: mail.Mail) -> Ticket | None:
    ref = addresses.ticket_of(letter.to)
    return Ticket.objects.filter(pk=ref).select_related("person").first() if ref else None


def _is_theirs(ticket: Ticket, letter: mail.Mail) -> bool:
    """Whether it comes from the mailbox on file: the keeper opens that, and notes it."""
    contact = Contact.objects.filter(person=ticket.person, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None:
        return False
    (known,) = asked(lambda: door().open([contact.contact], purpose="notice", job=ticket.ref))
    return bool(known.email.casefold() == letter.email.casefold())


def _attached(letter: mail.Mail) -> tuple[list[files.Intake], str]:
    """What may come in, and a line about what may not."""
    taken, refused, left = list[files.Intake](), 0, files.room()
    for one in letter.attached:
        try:
            if len(taken) == settings.TROTH.support.attachments or len(one.content) > left:
                raise files.too_many()
            intake = files.Intake(one.name)
            intake.feed(one.content)
            intake.end()
        except Refused:
            refused += 1
        else:
            taken.append(intake)
            left -= len(one.content)
    return taken, "\n\n" + str(_("[files left out: %(count)d]") % {"count": refused}) if refused else ""


def _flooded(sender: str) -> str:
    since = clock.now() - timedelta(days=1)
    return "flood" if Heard.objects.filter(sender=sender, heard_at__gt=since).count() >= A_DAY else ""


def _note(parcel: Parcel, name: str, sender: str, outcome: str) -> None:
    """It is dealt with. IntegrityError where it was before."""
    with transaction.atomic():
        Parcel.objects.filter(pk=parcel.pk).delete()
        Heard.objects.create(id=name, sender=sender, outcome=outcome[:12])


def _put_away(parcel: Parcel, name: str, sender: str, outcome: str) -> None:
    """Nothing comes of it. One that was heard before is put away as well."""
    try:
        _note(parcel, name, sender, outcome)
    except IntegrityError:
        Parcel.objects.filter(pk=parcel.pk).delete()


def _unsealed(parcel: Parcel) -> bytes:
    try:
        return SUITE.decrypt(bytes(parcel.sealed), worker_key.private(settings.TROTH.home), info=_info(parcel))
    except InvalidTag:
        return b""


def _info(parcel: Parcel) -> bytes:
    return b"troth mail 1\0" + parcel.id.encode()


def _hashed(salt: str, text: str) -> str:
    return salted_hmac(salt, text, algorithm="sha256").hexdigest()
