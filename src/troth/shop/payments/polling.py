"""How often an open payment is looked up when its messages do not come."""

from __future__ import annotations

from datetime import timedelta

FIRST_LOOK = 45  # seconds after the buyer left for the provider's page
BUSY = timedelta(hours=4)  # the time in which buyers still come back: then the pauses grow


def pause(age: timedelta, looks: int) -> float:
    """Seconds until the next look: never more than four minutes while the buyer may be paying, then half-hours."""
    if age < BUSY:
        return min(240.0, 30.0 * 1.4**looks)
    return 1800.0
