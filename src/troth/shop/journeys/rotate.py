"""Rotate a key: the worker asks the keeper for one step after another until the old key is destroyed.

Safe to be killed anywhere: the keyring knows where it was. For the look-up key the sealed contacts are handed in, a
hundred at a time; the keeper reads them and tells nobody. Persons' own keys are renewed by renew.py.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import F

from troth.pledge.due import loop as due
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.models import Person, Rotation
from troth.shop.accounts.models import Contact, Session
from troth.shop.journeys import backup, renew

KINDS = ("root", "wrapping", "lookup", renew.EVERYBODY, "capabilities", "to file", "to openbao")
CONTACTS = 100  # handed in at once
WAIT = 3600  # seconds until the contacts are gone through once more
AT_ONCE = 20  # steps before other errands get their turn


def begin(what: str) -> None:
    """Make a rotation due; of one person's keys by their reference. One that is under way goes on.

    ValueError for a key, or a person, that there is not.
    """
    if what not in KINDS and not Person.objects.filter(pk=what).exists():
        raise ValueError(what)
    Rotation.objects.filter(pk=what, left=0).delete()
    Rotation.objects.get_or_create(pk=what)
    due.hasten("rotate", what)


def rotate(what: str, claim: due.Claim) -> None:
    """The errand: some steps, then again, until nothing is left."""
    row, _ = Rotation.objects.get_or_create(pk=what)
    again = due.Again("under way", 0)
    try:
        if what not in KINDS or what == renew.EVERYBODY:
            renew.step(row)
            _copy_anew()
            return
        if what == "lookup":
            door().rotate(what)  # begins, or does nothing: only a key that is in force can move mailboxes
        for _ in range(AT_ONCE):
            if _step(row) == 0:
                if what == "capabilities":
                    Session.objects.all().delete()  # each goes with a capability, and those are over
                if what in ("root", "to file", "to openbao"):
                    _copy_anew()
                return
            if what == "lookup" and not row.cursor:
                again = due.Again("some mailboxes move when their owners sign in", WAIT)
                break
    except KeeperAway:
        again = due.Again("keeper-away", 2)
    except KeeperRefused as refused:
        again = due.Again(f"keeper-{refused.code}")
    raise again


def _copy_anew() -> None:
    """Older copies of the keyring open with the former root key alone, or lack persons' new keys."""
    if settings.TROTH.backup.recipients:
        backup.begin()


def _step(row: Rotation) -> int:
    contacts = _contacts(row) if row.what == "lookup" else []
    last = len(contacts) < CONTACTS
    step = door().rotate(row.what, [contact.contact for contact in contacts], last=last)
    row.cursor = "" if last else contacts[-1].pk
    row.left = step.left
    Rotation.objects.filter(pk=row.pk).update(cursor=row.cursor, left=row.left, done=F("done") + step.done)
    return row.left


def _contacts(row: Rotation) -> list[Contact]:
    usable = Contact.objects.filter(state=Contact.CURRENT, contact__isnull=False, pk__gt=row.cursor)
    return list(usable.order_by("pk")[:CONTACTS])
