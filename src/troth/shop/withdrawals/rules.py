"""Whose right it is to withdraw, until when, and what ends it early.

Directive 2011/83/EU, articles 9 to 16 as changed by (EU) 2023/2673: consumers who live in a Member State, fourteen
days; for digital content it ends when delivery begins with their express consent and their word that they know it.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.shop.tax.rates import MEMBERS

_WEST = timezone(timedelta(hours=-1))  # where the Union's day ends last: nobody's last hour is cut off
BUSINESS, ELSEWHERE, WAIVED, OVER = "business", "elsewhere", "waived", "over"

# Shown at the checkout and stored with the order: both sentences are what article 16(m) asks for.
WORDS = _(
    "Deliver at once, before the %(days)s days to withdraw are over. I know that my right to withdraw "
    "from downloads and licences ends with their delivery."
)


class Right(msgspec.Struct, frozen=True):
    """`until`: the last moment, where there is such a right. `ended`: why it is none, or none any more."""

    until: datetime | None
    ended: str = ""


def right(
    days: int, country: str, business: bool, concluded: datetime, delivered: bool, waived: bool, now: datetime
) -> Right:
    """What a buyer may do. `concluded`: when the contract was made, or the money came, whichever is later."""
    if business:
        return Right(None, BUSINESS)
    if not days or country not in MEMBERS:
        return Right(None, ELSEWHERE)
    until = last_moment(days, concluded)
    if delivered and waived:
        return Right(until, WAIVED)
    return Right(until, OVER if now > until else "")


def last_moment(days: int, concluded: datetime) -> datetime:
    """The end of the last day. The first day is the one after the contract (Regulation 1182/71, article 3)."""
    return datetime.combine(concluded.astimezone(_WEST).date() + timedelta(days=days), time.max, _WEST)
