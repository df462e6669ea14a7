"""The version of the published policy that is in force. Stored with each order, account and choice."""

from __future__ import annotations

from troth.pledge import clock
from troth.pledge.policy.models import Version
from troth.pledge.prepared import Prepared, moment

FIRST = "2026-11"  # before versions were kept


def current() -> str:
    """The name of the version in force now. A newer one counts from the day that its letters named, not before."""
    row = _in_force.first(clock.now())
    return row[0] if row else FIRST


_in_force: Prepared[tuple[str]] = Prepared(
    lambda now: (
        Version.objects.filter(takes_effect_at__lte=moment(now))
        .order_by("-takes_effect_at", "-made_at")
        .values_list("name")[:1]
    ),
    gaps=1,
)
