"""Trying to open the forgotten: what must fail, tried again and again.

Their columns are empty, so something is sealed to the public keys that are left, as if it had lain in a row of theirs:
whether the keeper still has the private half is exactly the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import msgspec
from django.db import transaction

from troth.pledge import clock
from troth.pledge.keeper.messages import Place
from troth.pledge.rights.models import Erasure
from troth.pledge.vault.classes import Billing, Contact, Personal
from troth.pledge.vault.door import Door, KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.pledge.vault.keysets import keys_of
from troth.pledge.vault.models import Person
from troth.pledge.vault.sealing import seal as seal_bytes
from troth.shop.clauses import mutations

MOST = 20  # of the forgotten, tried in one round
# All that the worker's door may open, and what is sealed to try it: it is nobody's.
NOBODY, NOWHERE = Contact("", ""), Billing("", "", "", "", "")
TRIED: tuple[tuple[Personal, str], ...] = ((NOBODY, "deliver"), (NOBODY, "notice"), (NOWHERE, "bill"))


def some(play: bool) -> list[Person]:
    """Some of the forgotten, at random. `play`: where there is none, forget a blank, so that there is one to try."""
    erased = Person.objects.filter(erasure__state__in=Erasure.ERASED).order_by("?")
    return list(erased[:MOST]) or ([_forget_a_blank()] if play else [])


def tries(persons: list[Person]) -> Iterator[tuple[str, str]]:
    """(purpose, what came of it) for each try: "gone" as it must be, "opened", or a code that says nothing."""
    for person in persons:
        for value, purpose in TRIED:
            yield purpose, _try(person, value, purpose)


def _try(person: Person, value: Personal, purpose: str) -> str:
    place = Place("forgotten", "tried", person.ref, person.ref, value.klass, value.schema)
    ciphertext = seal_bytes(keys_of(person), place, msgspec.msgpack.encode(value))
    try:
        door().open([Sealed(ciphertext, place, type(value))], purpose=purpose, job="forgotten")
    except KeeperRefused as refused:
        return refused.code
    except KeeperAway:
        return "keeper-away"
    return "opened"


def _forget_a_blank() -> Person:
    """Somebody who never was: keys from stock, deleted at once."""
    with transaction.atomic():
        person, _ = Person.take()
        now = clock.now()
        erasure = Erasure.objects.create(
            person=person, why=Erasure.ABANDONED, state=Erasure.GOING, due_at=now, lettered_at=now
        )
    door().shred(person.ref)
    erasure.move(Erasure.GOING, Erasure.DONE, ended_at=now)
    return person


def kept_all_the_same() -> AbstractContextManager[None]:
    """Mutant: a colleague turned the deleting of keys into a note that they were deleted."""
    return mutations.replaced(Door, "shred", lambda door, ref, keep=(): 0)
