"""The signs of fraud, what each weighs, and what it is called to the buyer and to who looks at the order.

The sum decides (`[fraud] hold_from`, by default 60), so that no weak sign holds an order by itself: a traveller, a
company behind one address and a customer of a relay all buy as ever. The weights are ours, not learned from anybody.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.utils.translation import gettext_lazy as _


class Sign(msgspec.Struct, frozen=True):
    points: int
    to_buyer: object  # a reason in plain words; says nothing that helps to get around it
    to_us: object


SIGNS: dict[str, Sign] = {
    "orders": Sign(
        40,
        _("Many orders came from your internet connection within an hour."),
        _("Many orders from one address within an hour"),
    ),
    "failed": Sign(
        60,
        _("Several payments from your internet connection or account failed within an hour."),
        _("Several failed payments from one address or account within an hour"),
    ),
    "disputed": Sign(
        60,
        _("A payment from your internet connection was disputed today."),
        _("An order from the same address was disputed today"),
    ),
    "country": Sign(
        20,
        _("Your internet connection seems to be in another country than your billing address."),
        _("The address's country is not the order's"),
    ),
    "paid-elsewhere": Sign(
        15,
        _("You paid from another country before."),
        _("Earlier payments of this account came from another country"),
    ),
    "anonymiser": Sign(
        30,
        _("You use a relay that hides where you are."),
        _("The address stands in the list of anonymisers"),
    ),
    "refunds": Sign(
        30,
        _("Many of your earlier orders were paid back."),
        _("Many refunds of this account within a year"),
    ),
}


class Risk(msgspec.Struct, frozen=True):
    """What was found: codes of SIGNS."""

    signs: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        return sum(SIGNS[sign].points for sign in self.signs)


def to_buyer(signs: Iterable[str]) -> list[object]:
    return [SIGNS[sign].to_buyer for sign in signs if sign in SIGNS]


def to_us(signs: Iterable[str]) -> list[object]:
    return [SIGNS[sign].to_us for sign in signs if sign in SIGNS]
