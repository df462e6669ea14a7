"""Customers hear that somebody wanted to know of them: before it is handed over, and what came of it.

Where a document forbids that until a day, the second letter is due on that day. Its row is written with the bar; only
another bar, with a document of its own and an entry in the ledger, makes it wait longer.
"""

from __future__ import annotations

from django.conf import settings

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.shop.accounts.models import Contact
from troth.shop.delivery import letters
from troth.shop.delivery.models import Letter
from troth.shop.disclosure.models import Case, Named
from troth.shop.journeys.disclosure import read_scope
from troth.shop.journeys.write_to import address, url


def notice(subject: str, claim: due.Claim) -> None:
    """The errand: what is going to be handed over, at the earliest when, and how to object."""
    named = Named.objects.select_related("case").filter(pk=subject, case__state=Case.FILED).first()
    if named is not None and not named.case.bars.exists():
        _write("disclosure-notice", named, claim, days=read_scope(named.case).notice_days)


def outcome(subject: str, claim: due.Claim) -> None:
    """The errand: what came of it. Waits as long as a bar says."""
    named = Named.objects.select_related("case").filter(pk=subject, told_at__isnull=True).first()
    if named is None:
        return
    bar = named.case.bars.order_by("-until").first()
    if bar is not None and clock.now() < bar.until:
        raise due.Again("barred", (bar.until - clock.now()).total_seconds() + 1, waits=True)
    _write("disclosure-told", named, claim, handed=named.case.handed_at)
    Named.objects.filter(pk=named.pk).update(told_at=clock.now())


def _write(kind: str, named: Named, claim: due.Claim, **words: object) -> None:
    contact = Contact.objects.filter(person=named.person_id, state=Contact.CURRENT, contact__isnull=False).first()
    if contact is None:
        return  # forgotten meanwhile
    letter, _made = Letter.objects.get_or_create(kind=kind, subject=str(named.pk), person_id=named.person_id)
    if letter.state == Letter.SENT:
        return
    case = named.case
    said = {"basis": case.basis, "country": case.country, "came_at": case.came_at, **words}
    reply = settings.TROTH.shop.contact_email
    letters.send(letter, address(contact, letter.id), claim, reply, link=url("/transparency"), **said)
