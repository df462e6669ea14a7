"""A price divided into net and tax: whole minor units, rounded once a line, half up.

The price on the shelf is either net (tax comes on top) or gross (a consumer pays it, wherever they live, and the tax
of their country is within; who pays no tax pays it less the tax of the seller's own country).

>>> divide(4900, 1, Treatment("standard", "DE", 1900, 1900), gross=True)
Sum(net=4118, tax=782)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

import msgspec

from troth.shop.tax.rules import OUTSIDE, REVERSE, Treatment

WHOLE = 10_000  # 100 % in hundredths of a percent


class Sum(msgspec.Struct, frozen=True):
    """Net and tax in minor units of one currency."""

    net: int
    tax: int

    @property
    def total(self) -> int:
        return self.net + self.tax


def divide(unit: int, quantity: int, treatment: Treatment, *, gross: bool, off: int = 0) -> Sum:
    """A line's net and tax. `unit`: the price on the shelf in minor units; `off`: what is taken off the line's price.

    A discount given at the sale is no part of what is taxed (Directive 2006/112/EC, Article 79).
    """
    price = unit * quantity - off
    if treatment.kind in (REVERSE, OUTSIDE):
        return Sum(price - tax_in(price, treatment.home_rate) if gross else price, 0)
    if gross:
        tax = tax_in(price, treatment.rate)
        return Sum(price - tax, tax)
    return Sum(price, tax_on(price, treatment.rate))


def tax_on(net: int, rate: int) -> int:
    """The tax that comes on top of a net amount."""
    return (2 * net * rate + WHOLE) // (2 * WHOLE)


def tax_in(gross: int, rate: int) -> int:
    """The tax within a gross amount."""
    return (2 * gross * rate + WHOLE + rate) // (2 * (WHOLE + rate))


def together(sums: Iterable[Sum]) -> Sum:
    """The sum of lines: of what was rounded, never rounded again."""
    whole = list(sums)
    return Sum(sum(one.net for one in whole), sum(one.tax for one in whole))


def spread(amount: int, prices: Sequence[int]) -> list[int]:
    """`amount` divided among prices by their size, in whole minor units that add up to it; none exceeds its price.

    ValueError for more than the prices come to.
    """
    whole = sum(prices)
    if not 0 <= amount <= whole:
        raise ValueError("more than there is")
    upto = [amount * before // whole if whole else 0 for before in accumulate(prices, initial=0)]
    return [after - before for before, after in pairwise(upto)]


def share(line: Sum, amount: int) -> Sum:
    """The part of a line that `amount` of its total is: for a credit note. The whole amount is the whole line.

    ValueError for more than the line has, or nothing.
    """
    if not 0 < amount <= line.total:
        raise ValueError("not a part of this line")
    tax = (2 * amount * line.tax + line.total) // (2 * line.total)
    return Sum(amount - tax, tax)
