"""Tripwires: a few persons who are none, among the real ones and like them, whom nobody has reason to open.

Only the keyring knows which they are. Whoever opens them, by whatever door, causes an incident: an entry of the public
ledger, and a broken promise (P16) until the owner has looked into it and acknowledged it.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction

from troth.pledge import clock
from troth.pledge.due import loop as due
from troth.pledge.vault.classes import Contact as ContactData
from troth.pledge.vault.door import KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import seal
from troth.pledge.vault.models import Person
from troth.pledge.vault.seen import compare
from troth.shop import policy_version
from troth.shop.accounts import newcomer
from troth.shop.accounts.models import Account, Contact

WANTED = 5
FIRST = ("Agnes", "Bruno", "Clara", "David", "Elin", "Frida", "Goran", "Hanna", "Ivan", "Jonas", "Karin", "Liam")
LAST = ("Arnold", "Berger", "Costa", "Dahl", "Evans", "Fischer", "Garcia", "Horvat", "Ivanov", "Jansen", "Kowalski")


def plant(subject: str, claim: due.Claim) -> None:
    """The errand: one more where there are too few, so that they come at different times."""
    try:
        if door().attest().poisoned >= WANTED:
            return
        (fresh,) = door().blank(1)
        door().poison(fresh.ref)  # before the row: whoever finds it finds it poisoned
    except KeeperAway:
        fresh = None
    if fresh is None:
        raise due.Again("keeper-away", 60)
    with transaction.atomic():
        _settle(Person(ref=fresh.ref, key_set=fresh.key_set))


def acknowledge(incidents: str, claim: due.Claim) -> None:
    """The errand: the owner has looked into this many incidents. Others that came meanwhile stay to be looked into."""
    try:
        door().acknowledge(int(incidents))
        compare()
    except KeeperAway:
        again = due.Again("keeper-away", 5)
    except KeeperRefused:
        return
    else:
        return
    raise again


def _settle(person: Person) -> None:
    """Rows as of somebody who registered a while ago and has confirmed their address."""
    person.made_at = person.taken_at = clock.now() - timedelta(seconds=secrets.randbelow(86400 * 3))
    person.save(force_insert=True)
    contact = Contact(person=person, state=Contact.CURRENT, made_at=person.taken_at)
    first, last = secrets.choice(FIRST), secrets.choice(LAST)
    mailbox = f"{first}.{last}{secrets.randbelow(90) + 10}@example.org".lower()  # reserved (RFC 2606): nobody's
    seal(contact, "contact", ContactData(f"{first} {last}", mailbox))
    contact.save(force_insert=True)
    newcomer.register(person, str(10000 + secrets.randbelow(89999)), policy_version.current())
    confirmed = person.taken_at + timedelta(seconds=60 + secrets.randbelow(3000))
    Account.objects.filter(pk=person.pk).update(made_at=person.taken_at, confirmed_at=confirmed)
