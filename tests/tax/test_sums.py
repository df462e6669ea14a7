"""Net and tax: whole minor units that always add up."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.shop.tax.rules import Treatment
from troth.shop.tax.sums import Sum, divide, share, tax_in, tax_on, together

units = st.integers(1, 10**9)
quantities = st.integers(1, 99)
rates = st.integers(0, 5000)
kinds = st.sampled_from(["standard", "reverse", "outside", "exempt", "none"])


@st.composite
def treatments(draw: st.DrawFn) -> Treatment:
    kind = draw(kinds)
    return Treatment(kind, "DE", draw(rates) if kind == "standard" else 0, draw(rates))


@given(units, quantities, treatments())
def test_a_gross_price_is_what_a_consumer_pays(unit: int, quantity: int, treatment: Treatment) -> None:
    line = divide(unit, quantity, treatment, gross=True)
    if treatment.kind in ("reverse", "outside"):
        assert line.tax == 0
        assert line.net + tax_in(unit * quantity, treatment.home_rate) == unit * quantity
    else:
        assert line.total == unit * quantity


@given(units, quantities, treatments())
def test_a_net_price_is_what_the_shop_keeps(unit: int, quantity: int, treatment: Treatment) -> None:
    line = divide(unit, quantity, treatment, gross=False)
    assert line.net == unit * quantity
    assert (line.tax == 0) or treatment.kind == "standard"


@given(st.integers(0, 10**11), rates)
def test_tax_is_rounded_half_up_and_never_further(amount: int, rate: int) -> None:
    for tax, exact in (
        (tax_on(amount, rate), Fraction(amount * rate, 10_000)),
        (tax_in(amount, rate), Fraction(amount * rate, 10_000 + rate)),
    ):
        assert -Fraction(1, 2) < tax - exact <= Fraction(1, 2)


@given(st.integers(0, 10**11), rates)
def test_within_and_on_top_are_the_same_tax(net: int, rate: int) -> None:
    assert abs(tax_in(net + tax_on(net, rate), rate) - tax_on(net, rate)) <= 1


@given(st.lists(st.tuples(units, quantities), min_size=1, max_size=20), treatments(), st.booleans())
def test_the_sum_is_that_of_its_lines(lines: list[tuple[int, int]], treatment: Treatment, gross: bool) -> None:
    divided = [divide(unit, quantity, treatment, gross=gross) for unit, quantity in lines]
    whole = together(divided)
    assert whole.total == sum(one.total for one in divided) == whole.net + whole.tax


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.data())
def test_a_part_of_a_line_is_tax_and_net_in_the_same_proportion(net: int, tax: int, data: st.DataObject) -> None:
    line = Sum(net + 1, tax)
    part = share(line, data.draw(st.integers(1, line.total)))
    assert 0 <= part.tax <= line.tax and part.net <= line.net
    assert abs(Fraction(part.tax) - Fraction(part.total * line.tax, line.total)) <= Fraction(1, 2)
    assert share(line, line.total) == line
    for wrong in (0, line.total + 1):
        with pytest.raises(ValueError, match="not a part"):
            share(line, wrong)


def test_currencies_without_decimals_are_whole_all_the_same() -> None:
    assert divide(1500, 3, Treatment("standard", "HU", 2700, 2700), gross=False) == Sum(4500, 1215)
    assert divide(999, 1, Treatment("standard", "HU", 2700, 2700), gross=True) == Sum(787, 212)
