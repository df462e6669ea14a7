"""What goods cost a buyer: net, tax and total, by their country and VAT number, under the tax of today."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.conf import settings

from troth.pledge import clock
from troth.shop.money import Money
from troth.shop.tax import rules, sums, vat_numbers
from troth.shop.tax.rates import MEMBERS
from troth.shop.tax.rules import Treatment, percent
from troth.shop.tax.sums import Sum


class Cost(msgspec.Struct, frozen=True):
    """The lines' sums in their order, and what they come to."""

    treatment: Treatment
    lines: list[Sum]
    gross: bool  # the tax is within the prices on the shelf
    net: Money
    tax: Money
    total: Money

    @property
    def percent(self) -> str:
        return percent(self.treatment.rate)


def cost(goods: Iterable[tuple[int, int]], country: str, business: bool = False) -> Cost:
    """`goods`: (price on the shelf in minor units, quantity). `business`: see `is_business`."""
    tax, currency = settings.TROTH.tax, settings.TROTH.shop.currency
    treated = rules.treatment(tax, settings.TROTH.shop.country, country, business, clock.now().date())
    gross = tax.prices == "gross"
    lines = [sums.divide(unit, quantity, treated, gross=gross) for unit, quantity in goods]
    whole = sums.together(lines)
    return Cost(
        treated, lines, gross, Money(whole.net, currency), Money(whole.tax, currency), Money(whole.total, currency)
    )


def is_business(vat_number: str, country: str) -> bool:
    """Whether the number makes its owner liable for the tax instead of us, should they live in another Member State.

    ValueError for a number that is none of a Member State it is given for. Elsewhere a number says nothing to us.
    """
    if not vat_number or country not in MEMBERS:
        return False
    vat_numbers.check(vat_number, country)
    return True


def depends_on_country() -> bool:
    """Whether buyers of different countries may pay different totals."""
    return bool(settings.TROTH.tax.scheme not in ("", "exempt"))
