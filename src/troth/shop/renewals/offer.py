"""What renewing a licence costs, and the address that offers it.

The address holds the licence's id and a MAC: who has it reads what was bought and until when it is updated, and may
pay for more of it. It gives no key, no download, and nobody's name.
"""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from troth.pledge.ids import SHAPE
from troth.shop.catalogue.models import Price
from troth.shop.licences import stock
from troth.shop.licences.models import Licence
from troth.shop.licences.standing import ended
from troth.shop.money import Money


class Offer(msgspec.Struct, frozen=True):
    """`quantity`: as many as the licence's sites were bought for; `months` are added for `unit` times that."""

    licence: Licence
    quantity: int
    unit: Money
    months: int

    @property
    def sum(self) -> Money:
        return self.unit * self.quantity


def of(licences: list[Licence]) -> dict[str, Offer]:
    """What can be renewed among these (lines and orders at hand), by licence. One query, none where none has an end."""
    wanted = [
        one for one in licences if one.updates_until and not ended(one.line.order.state, one.line.ended, one.revoked_at)
    ]
    if not wanted:
        return {}
    prices = Price.objects.filter(
        edition__in={one.line.edition_id for one in wanted},
        currency=settings.TROTH.shop.currency,
        renewal_minor__isnull=False,
        edition__product__published=True,
        edition__update_months__gt=0,
    )
    known = {price.edition_id: price for price in prices.select_related("edition")}
    stocked = stock.stocked(known) if known else set()
    return {one.id: _offer(one, known[one.line.edition_id], stocked) for one in wanted if one.line.edition_id in known}


def _offer(licence: Licence, price: Price, stocked: set[int]) -> Offer:
    # A line of keys from a stock has a licence for each; any other has one for all that was bought.
    quantity = 1 if price.edition_id in stocked else licence.line.quantity
    return Offer(licence, quantity, Money(price.renewal_minor or 0, price.currency), price.edition.update_months)


def find(licence_id: str, mac: str) -> Offer | None:
    """The offer at an address of ours; None where the address is not ours, or nothing can be renewed."""
    if not SHAPE.match(licence_id) or not constant_time_compare(mac, _mac(licence_id)):
        return None
    found = Licence.objects.filter(pk=licence_id).select_related("line__order").first()
    return of([found]).get(licence_id) if found else None


def path(licence_id: str) -> str:
    return f"/renew/{licence_id}/{_mac(licence_id)}"


def _mac(licence_id: str) -> str:
    return salted_hmac("troth.renew", licence_id, algorithm="sha256").hexdigest()[:32]
