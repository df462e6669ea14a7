"""Prolong: a licence's updates are paid for once more. The licence and its key stay; one date moves, once an order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from django.utils.translation import gettext_lazy as _

from troth.pledge import clock, returning
from troth.shop.licences.models import Licence
from troth.shop.orders import basket
from troth.shop.orders.models import Order, OrderLine
from troth.shop.refusal import Refused
from troth.shop.renewals import dates, offer
from troth.shop.renewals.models import Renewal
from troth.shop.renewals.offer import Offer


class Renewed(msgspec.Struct, frozen=True):
    name: str
    until: date | None


def offered(licence_id: str, mac: str) -> Offer:
    """What the page says and asks. Refused where the link is not ours, or the licence cannot be renewed."""
    found = offer.find(licence_id, mac)
    if found is None:
        raise Refused(_("This licence cannot be renewed here: it has ended, or it is not sold any more; write to us."))
    return found


def into_basket(key_hash: str, licence_id: str, mac: str) -> None:
    """Lay the renewal into a basket. Said twice, it lies there once. Refused as `offered`."""
    one = offered(licence_id, mac)
    basket.add_renewal(key_hash, one.licence.line.edition_id, licence_id, one.quantity)


def must_stand(wanted: Sequence[str]) -> None:
    """Refused unless all these licences can be renewed now: what ended while it lay in the basket is not paid for."""
    if not wanted:
        return
    found = list(Licence.objects.filter(pk__in=wanted).select_related("line__order"))
    if len(offer.of(found)) != len(set(wanted)):
        raise Refused(_("A licence in your basket cannot be renewed any more; take it out and order again."))


def give(lines: Sequence[OrderLine]) -> None:
    """Prolong what the lines of a paid order renew. Needs a transaction; done again, nothing moves."""
    renewing = [line for line in lines if line.renews]
    if renewing:
        today = clock.now().date()
        returning.insert(
            Renewal,
            [
                Renewal(line=line, licence_id=line.renews, months=line.edition.update_months, paid_on=today)
                for line in renewing
            ],
        )
        dates.follow_lines(renewing)


def of(order: Order) -> list[Renewed]:
    """What this order renewed, for its page and its letter."""
    found = Renewal.objects.filter(line__order=order, line__ended="").select_related("line", "licence").order_by("line")
    return [Renewed(one.line.name, one.licence.updates_until) for one in found]
