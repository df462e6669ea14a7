"""What a coupon takes off is spread over the lines in whole minor units, and every sum still meets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tax.test_sums import quantities, treatments, units
from troth.shop.tax.rules import Treatment
from troth.shop.tax.sums import divide, spread, together

baskets = st.lists(st.tuples(st.one_of(st.just(0), units), quantities), min_size=1, max_size=20)


@given(st.lists(st.integers(0, 10**11), max_size=50), st.data())
def test_the_parts_come_to_the_whole_and_none_is_more_than_its_price(prices: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(prices)))
    parts = spread(amount, prices)
    assert sum(parts) == amount
    assert all(0 <= part <= price for part, price in zip(parts, prices, strict=True))
    whole = sum(prices)
    assert all(abs(part * whole - amount * price) < (whole or 1) for part, price in zip(parts, prices, strict=True))


def test_more_than_there_is_cannot_be_spread() -> None:
    for amount, prices in ((1, []), (3, [1, 1]), (-1, [4])):
        with pytest.raises(ValueError, match="more than"):
            spread(amount, prices)


@given(baskets, treatments(), st.booleans(), st.data())
def test_lines_after_a_coupon_add_up_to_what_is_paid(
    basket: list[tuple[int, int]], treatment: Treatment, gross: bool, data: st.DataObject
) -> None:
    prices = [unit * quantity for unit, quantity in basket]
    amount = data.draw(st.integers(0, sum(prices)))
    less = spread(amount, prices)
    each = list(zip(basket, less, strict=True))
    lines = [divide(unit, quantity, treatment, gross=gross, off=off) for (unit, quantity), off in each]
    whole = together(lines)
    assert whole.total == sum(line.total for line in lines)
    assert all(line.net >= 0 and line.tax >= 0 for line in lines)
    if gross and treatment.kind not in ("reverse", "outside"):
        assert whole.total == sum(prices) - amount  # to the cent what the shelf says, less the coupon
    if not gross:
        assert whole.net == sum(prices) - amount
    if amount == sum(prices):
        assert whole.total == 0
    for (unit, quantity), line in zip(basket, lines, strict=True):
        assert line.total <= divide(unit, quantity, treatment, gross=gross).total
