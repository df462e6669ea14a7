"""What goods cost a buyer: net, tax and total, by their country and VAT number, under the tax of today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from django.conf import settings

from troth.pledge import clock
from troth.shop.money import Money
from troth.shop.tax import rules, sums, vat_numbers
from troth.shop.tax.rates import MEMBERS
from troth.shop.tax.rules import Treatment, percent
from troth.shop.tax.sums import Sum


class Cost(msgspec.Struct, frozen=True):
    """The lines' sums in their order, and what they come to. `before`: the lines as they are without a coupon."""

    treatment: Treatment
    lines: list[Sum]
    before: list[Sum]
    gross: bool  # the tax is within the prices on the shelf
    net: Money
    tax: Money
    total: Money

    def shown(self, line: Sum) -> Money:
        """A line's sum as the shelf has its price: with the tax, or without."""
        return Money(line.total if self.gross else line.net, self.total.currency)

    @property
    def off(self) -> Money:
        """What a coupon takes off the lines as they are shown."""
        less = zip(self.before, self.lines, strict=True)
        return Money(sum(self.shown(one).minor - self.shown(left).minor for one, left in less), self.total.currency)

    @property
    def percent(self) -> str:
        return percent(self.treatment.rate)


def cost(goods: Iterable[tuple[int, int]], country: str, business: bool = False, off: Sequence[int] = ()) -> Cost:
    """`goods`: (price on the shelf in minor units, quantity). `business`: see `is_business`.

    `off`: what a coupon takes off the price of each line; nothing where it is empty.
    """
    tax, currency = settings.TROTH.tax, settings.TROTH.shop.currency
    treated = rules.treatment(tax, settings.TROTH.shop.country, country, business, clock.now().date())
    gross = tax.prices == "gross"
    goods = list(goods)
    before = [sums.divide(unit, quantity, treated, gross=gross) for unit, quantity in goods]
    lines = before
    if any(off):
        each = zip(goods, off, strict=True)
        lines = [sums.divide(unit, quantity, treated, gross=gross, off=less) for (unit, quantity), less in each]
    whole = sums.together(lines)
    return Cost(
        treated,
        lines,
        before,
        gross,
        Money(whole.net, currency),
        Money(whole.tax, currency),
        Money(whole.total, currency),
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
