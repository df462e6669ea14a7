"""How often an open payment is looked up when its messages do not come."""

from __future__ import annotations

from datetime import timedelta

FIRST_LOOK = 45  # seconds after the buyer left for the provider's page
# How long a buyer may still be paying, and a little more. PayPal gives three hours to come to its page and three more
# to approve there; Skrill's session ends after a quarter of an hour.
BUSY = {"paypal": timedelta(hours=6, minutes=15), "skrill": timedelta(hours=1)}


def pause(provider: str, age: timedelta, looks: int) -> float:
    """Seconds until the next look: never more than four minutes while the buyer may be paying, then half-hours."""
    if age < BUSY[provider]:
        return min(240.0, 30.0 * 1.4 ** min(looks, 20))
    return 1800.0
