"""The time, in UTC. One place, so that tests can move it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ahead = timedelta()


def now() -> datetime:
    return datetime.now(UTC) + _ahead


def travel(ahead: timedelta) -> None:
    """For tests: be `ahead` of the machine's clock. timedelta() comes back."""
    global _ahead
    _ahead = ahead
