"""The version of the published policy that is in force. Stored with each order, account and choice."""

from __future__ import annotations

from troth.pledge import clock
from troth.pledge.policy.models import Version

FIRST = "2026-11"  # before versions were kept


def current() -> str:
    """The name of the version in force now. A newer one counts from the day that its letters named, not before."""
    rows = Version.objects.filter(takes_effect_at__lte=clock.now()).order_by("-takes_effect_at", "-made_at")
    return rows.values_list("name", flat=True).first() or FIRST
