from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.shop.money import CURRENCIES, LARGEST_MINOR, Money, decimals

currency = st.sampled_from(sorted(CURRENCIES))
minor = st.integers(-LARGEST_MINOR, LARGEST_MINOR)


@given(minor, currency)
def test_what_is_written_is_read_back(minor, currency):
    money = Money(minor, currency)
    assert Money.parse(f"{money.decimal():f}", currency) == money


@given(minor, currency, st.integers(0, 3))
def test_zeros_behind_the_point_change_nothing(minor, currency, zeros):
    text = f"{Money(minor, currency).decimal():f}"
    longer = text + ("" if "." in text or not zeros else ".") + "0" * zeros
    assert Money.parse(longer, currency) == Money(minor, currency)


@given(st.text(max_size=30), currency)
def test_any_text_is_an_amount_or_a_value_error(text, currency):
    try:
        money = Money.parse(text, currency)
    except ValueError:
        return
    assert money.decimal() == Decimal(text.strip())


NO_AMOUNTS = ["", " ", ".", "NaN", "Infinity", "1e2", "1E+999999999", "1_000", "1,00", "+1", "--1", "0.735741", "0.001"]
NO_AMOUNTS += ["1" + "0" * 12, "9" * 40, "100." + "0" * 30 + "1", "1 0", "0x10", "1\x00", "\uff11\uff12"]


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_is_no_amount_in_euros_is_refused(text):
    with pytest.raises(ValueError, match="amount"):
        Money.parse(text, "EUR")


@pytest.mark.parametrize(("text", "minor"), [("25.4", 2540), ("25", 2500), ("1.000000", 100), (".5", 50), ("-1", -100)])
def test_the_forms_providers_use_are_read(text, minor):
    assert Money.parse(text, "EUR") == Money(minor, "EUR")


def test_yen_have_no_decimals():
    assert Money.parse("1500", "JPY") == Money(1500, "JPY")
    with pytest.raises(ValueError):
        Money.parse("15.50", "JPY")


def test_an_unknown_currency_is_refused():
    with pytest.raises(ValueError, match="unknown currency"):
        decimals("XBT")


@given(minor, minor, currency, currency)
def test_currencies_are_never_mixed(one, other, mine, yours):
    left, right = Money(one, mine), Money(other, yours)
    if mine == yours:
        assert (left + right).minor == one + other
        assert (left < right, left <= right, left > right) == (one < other, one <= other, one > other)
        return
    assert left != right
    for mix in (lambda: left + right, lambda: left < right, lambda: left >= right):
        with pytest.raises(ValueError, match="two currencies"):
            mix()


@given(minor, currency, st.integers(0, 50))
def test_times_is_adding_again_and_again(minor, currency, times):
    assert Money(minor, currency) * times == sum([Money(minor, currency)] * times, Money(0, currency))
