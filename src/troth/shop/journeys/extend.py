"""Extend: a download may be fetched longer, or more often, by the word of somebody at the desk."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from troth.pledge import clock
from troth.shop.delivery.models import Grant
from troth.shop.orders.models import Order
from troth.shop.refusal import Refused

MOST_DAYS, MOST_TIMES = 366, 100


def seen(grant: Grant) -> str:
    """What somebody saw of a grant when they asked for more: sent twice, more is given once."""
    return f"{grant.limit}.{int(grant.ends_at.timestamp())}"


def extend(order: Order, grant_id: str, *, days: int, times: int, before: str) -> None:
    """So many days from its end (from today, if that is over), so many times more. `before`: as `seen` told it.

    Refused for nothing or too much, where its line has ended, and where somebody else was first.
    """
    if not (0 <= days <= MOST_DAYS and 0 <= times <= MOST_TIMES and days + times):
        raise Refused(_("Type how many days, or how many times more: 366 and 100 at most."))
    grant = Grant.objects.filter(pk=grant_id, line__order=order).select_related("line").first()
    if grant is None or order.state != Order.PAID or grant.line.ended:
        raise Refused(_("Nothing of this line may be fetched any more: it was paid back, or is disputed."))
    ends = max(grant.ends_at, clock.now()) + timedelta(days=days) if days else grant.ends_at
    same = Grant.objects.filter(pk=grant.pk, limit=grant.limit, ends_at=grant.ends_at)
    if before != seen(grant) or same.update(ends_at=ends, limit=grant.limit + times) != 1:
        raise Refused(_("It was extended just now; look at the order again."))
