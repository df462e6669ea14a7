"""The stock of blanks: keys made beforehand, so that people can register and buy while the keeper is away."""

from __future__ import annotations

from troth.pledge.vault.door import door
from troth.pledge.vault.models import Person

AT_ONCE = 100


def refill(wanted: int) -> int:
    """Ask the keeper for what is missing from `wanted` blanks. Returns how many came. KeeperAway."""
    missing = wanted - Person.objects.filter(taken_at__isnull=True).count()
    came = 0
    while came < missing:
        fresh = door().blank(min(AT_ONCE, missing - came))
        Person.objects.bulk_create(
            Person(ref=blank.ref, key_set=blank.key_set, enrol_secret=blank.secret) for blank in fresh
        )
        came += len(fresh)
    return came
