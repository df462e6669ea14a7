"""What the keeper tells of its keyring: incidents, and whether it continues what this shop has seen of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from django.conf import settings
from django.db.models import F

from troth.pledge.keeper.messages import Greeting, Place
from troth.pledge.keeper.seals import FORMAT
from troth.pledge.policy.clause import Finding, broken, holds, unknown
from troth.pledge.policy.probe import Probe
from troth.pledge.vault import seen
from troth.pledge.vault.classes import Contact
from troth.pledge.vault.door import Door, KeeperAway, KeeperRefused, door
from troth.pledge.vault.fields import Sealed
from troth.pledge.vault.models import Person, Seen
from troth.shop.clauses import mutations

LACKING = 1000  # erasures; more than a test or a demo does


def nothing_happened_that_never_should(probe: Probe) -> Iterator[Finding]:
    yield from _asked()
    for what, times in seen.incidents().items():
        yield broken(f"{what} ({times} times): look into it, then run `troth incidents --acknowledge`")
    yield holds("no value was forged or moved, and none of the persons was opened who are there as tripwires")


def it_continues(probe: Probe) -> Iterator[Finding]:
    yield from _asked()
    wrong = seen.trouble()
    if wrong:
        yield broken(f"the keeper opens nothing: {wrong}")
    yield holds("the keyring continues what this shop has seen of it: no entry is gone, no erasure undone")


def _asked() -> Iterator[Finding]:
    """Hear what it has to tell now; what was heard last is no answer."""
    try:
        seen.compare()
    except KeeperAway:
        yield unknown("the keeper does not answer now")


def forged() -> AbstractContextManager[None]:
    """Mutant: whoever holds the worker's door shows the keeper a value of their own making, as if it had lain there."""
    greet = Door.greet

    def trying(door: Door, *told: Any) -> Greeting:
        person = Person.objects.filter(erasure__isnull=True).order_by("pk")[0]
        place = Place("forged", "contact", "row", person.ref, Contact.klass, Contact.schema)
        with suppress(KeeperRefused):
            door.open(
                [Sealed(bytes([FORMAT, Contact.schema]) + bytes(94), place, Contact)], purpose="notice", job="forged"
            )
        return greet(door, *told)

    return mutations.replaced(Door, "greet", trying)


@contextmanager
def behind() -> Iterator[None]:
    """Mutant: somebody put an older keyring back, which lacks erasures that this shop has seen."""
    with mutations.replaced(settings, "TROTH", settings.TROTH):  # refuses outside test mode
        Seen.objects.get_or_create(pk=seen.ONE)
        Seen.objects.update(erased=F("erased") + LACKING)
        try:
            yield
        finally:
            Seen.objects.update(erased=F("erased") - LACKING)


def put_right() -> None:
    """Remember no more erasures than the keeper knows, and let it open again: for what `behind` left. KeeperAway."""
    Seen.objects.update(erased=door().attest().erased)
    seen.compare()
