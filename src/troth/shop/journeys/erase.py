"""Erase me: asked for, proved, for a while to be cancelled, then for good. This is what people do of it.

What the worker does is in forget.py. Whoever asks is believed by the mailbox on file, or by password where signed in;
found and not found look alike to somebody who types an address. Every step is a conditional update of one row.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.ids import SHAPE
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.door import KeeperRefused, door
from troth.shop.accounts.models import Contact
from troth.shop.refusal import Refused


def ask(email: str) -> None:
    """Make a letter with a link due if the mailbox is known, which nobody can tell from outside. KeeperAway."""
    try:
        ticket = door().recover(email, "erase")
    except KeeperRefused:
        return  # not even shaped like a mailbox: the same silence
    due.add("erase-ask", ticket)


def ask_for(person_ref: str, ticket: str = "") -> None:
    """Make a letter with a link due, to the mailbox on file of somebody who is known. `ticket`: made by `ask`."""
    with transaction.atomic():
        erasure = opened(person_ref, ticket)
        if erasure.state == Erasure.ASKED:
            due.add("erase-ask", erasure.id)


def opened(person_ref: str, ticket: str = "", why: str = Erasure.BY_PERSON) -> Erasure:
    """A fresh asking, which ends an older one that nobody proved. One that is proved already stays what it is."""
    older = Erasure.objects.filter(person=person_ref, state=Erasure.ASKED)
    older.update(state=Erasure.LAPSED, ticket="", ended_at=clock.now())
    fresh = Erasure(person_id=person_ref, ticket=ticket, why=why)
    Erasure.objects.bulk_create([fresh], ignore_conflicts=True)
    return Erasure.objects.get(person=person_ref, state__in=Erasure.UNDER_WAY)


def prove(ticket: str, secret: str) -> Erasure:
    """The link from the letter came back: the erasure begins. Refused if it is over or was used. KeeperAway."""
    try:
        proved = door().prove(ticket, secret)
    except KeeperRefused:
        proved = None
    if proved is None or proved.kind != "erase":
        raise Refused(_("This link is over or was used; ask for a new one."))
    erasure = Erasure.objects.get(person=proved.session.ref, state__in=Erasure.UNDER_WAY)
    begin(erasure)
    return erasure


def by_password(person_ref: str, capability: str, password: str) -> Erasure:
    """Somebody who is signed in proves it by the password as well. Refused for a wrong one; KeeperAway."""
    contact = Contact.objects.get(person=person_ref, state=Contact.CURRENT)
    try:
        (known,) = door().open([contact.contact], purpose="account", job="erase", capability=capability)
        session = door().sign_in(known.email, password)
    except KeeperRefused:
        session = None
    if session is None or session.ref != person_ref:
        raise Refused(_("This is not your present password; type it again."), "password")
    erasure = opened(person_ref)
    begin(erasure)
    return erasure


def begin(erasure: Erasure) -> None:
    """It is proved: nothing is opened from now on, and the cancel window runs. Done again it changes nothing."""
    now = clock.now()
    ends = now + timedelta(hours=settings.TROTH.policy.erase_window)
    with transaction.atomic():
        if erasure.move(Erasure.ASKED, Erasure.WAITING, proved_at=now, due_at=ends, ticket=""):
            due.add("erase", erasure.id)
            due.drop(("erase-ask", erasure.id))


def cancel(erasure: Erasure) -> bool:
    """Keep the person after all. False once the window is over: then it is too late."""
    with transaction.atomic():
        cancelled = erasure.move(Erasure.WAITING, Erasure.CANCELLED, ended_at=clock.now())
        if cancelled:
            due.hasten("erase", erasure.id)  # the worker has the keeper open for this person again
    return cancelled


def by_owner(person_ref: str) -> Erasure:
    """The owner decides, as for somebody who wrote to them. The person hears of it and may cancel like everybody."""
    erasure = under_way(person_ref) or opened(person_ref, why=Erasure.BY_OWNER)
    begin(erasure)
    return erasure


def at_once(person_ref: str, why: str) -> None:
    """Forget somebody whose time is over by retention, or who goes with an account. No letter: nobody ever proved that
    the mailbox is theirs, or the account gets it."""
    with transaction.atomic():
        erasure = opened(person_ref, why=why)
        now = {"due_at": clock.now(), "why": why}
        if erasure.move(Erasure.ASKED, Erasure.GOING, **now) or erasure.move(Erasure.WAITING, Erasure.GOING, **now):
            due.hasten("erase", erasure.id)


def under_way(person_ref: str) -> Erasure | None:
    """The erasure of this person that was proved, whatever became of it; None if there is none."""
    return _proved().filter(person=person_ref).first()


def erasing(person: str) -> Exists:
    """Whether there is one, as a column of another query; `person` is the name that its person has there."""
    return Exists(_proved().filter(person=OuterRef(person)))


def _proved() -> QuerySet[Erasure]:
    return Erasure.objects.filter(state__in=Erasure.UNDER_WAY).exclude(state=Erasure.ASKED)


def page_of(erasure: Erasure) -> str:
    """The path of the page that tells how far it is: an address nobody can guess, for whoever got the letter."""
    return f"/erasures/{erasure.id}/{_key(erasure)}"


def found(erasure_id: str, key: str) -> Erasure | None:
    """The erasure behind such an address."""
    erasure = Erasure.objects.filter(pk=erasure_id).first() if SHAPE.match(erasure_id) else None
    return erasure if erasure is not None and constant_time_compare(key, _key(erasure)) else None


def _key(erasure: Erasure) -> str:
    return salted_hmac("troth.erasure", erasure.id, algorithm="sha256").hexdigest()[:40]
