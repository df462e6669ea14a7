"""Until when a licence's updates go: as it was sold, and prolonged by each renewal that stands.

Worked out anew each time, in the transaction that changed something: however often, and in whatever order it is said,
the date is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from troth.shop.licences.models import Licence
from troth.shop.licences.months import months_later
from troth.shop.orders.models import Order, OrderLine
from troth.shop.renewals.models import Renewal


def follow(licence_id: str) -> None:
    """Let the date say what the lines say. Those who do so at the same time wait for each other."""
    licence = Licence.objects.select_for_update().get(pk=licence_id)
    if licence.sold_until is None:
        return
    stand = Renewal.objects.filter(licence=licence, line__ended="", line__order__state=Order.PAID)
    until = prolonged(licence.sold_until, stand.order_by("paid_on", "line").values_list("paid_on", "months"))
    Licence.objects.filter(pk=licence.pk).exclude(updates_until=until).update(updates_until=until)


def follow_lines(lines: Iterable[OrderLine]) -> None:
    """The same for the licences that these lines renew."""
    for licence_id in sorted({line.renews for line in lines if line.renews}):
        follow(licence_id)


def prolonged(until: date, renewals: Iterable[tuple[date, int]]) -> date:
    """`renewals`: when each was paid, and its months. They begin when the time before ends, or when they are paid."""
    for paid_on, months in renewals:
        until = months_later(max(until, paid_on), months)
    return until
