"""Whose tax a sale has: by country, scheme, and a business's number."""

from datetime import date

import pytest

from troth.config import Tax
from troth.shop.tax.countries import alpha2
from troth.shop.tax.rates import MEMBERS, RATES, rate_on
from troth.shop.tax.rules import Treatment, overrides, percent, treatment

TODAY = date(2026, 11, 22)
DESTINATION, ORIGIN, EXEMPT = Tax(scheme="destination"), Tax(scheme="origin"), Tax(scheme="exempt")


@pytest.mark.parametrize(
    ("tax", "home", "country", "business", "expected"),
    [
        (DESTINATION, "DE", "DE", False, ("standard", "DE", 1900)),
        (DESTINATION, "DE", "DE", True, ("standard", "DE", 1900)),  # at home a business pays as everybody does
        (DESTINATION, "DE", "FI", False, ("standard", "FI", 2550)),
        (DESTINATION, "DE", "FI", True, ("reverse", "FI", 0)),
        (DESTINATION, "DE", "MC", False, ("standard", "FR", 2000)),
        (DESTINATION, "DE", "US", False, ("outside", "US", 0)),
        (DESTINATION, "DE", "GB", True, ("outside", "GB", 0)),
        (DESTINATION, "US", "DE", False, ("standard", "DE", 1900)),
        (DESTINATION, "US", "US", False, ("outside", "US", 0)),
        (ORIGIN, "DE", "FI", False, ("standard", "DE", 1900)),
        (ORIGIN, "DE", "FI", True, ("reverse", "FI", 0)),
        (ORIGIN, "DE", "CH", False, ("outside", "CH", 0)),
        (ORIGIN, "US", "FI", False, ("standard", "FI", 2550)),  # Article 59c is for sellers in the Union alone
        (EXEMPT, "DE", "FI", True, ("exempt", "DE", 0)),
        (Tax(), "DE", "DE", False, ("none", "DE", 0)),
        (Tax(scheme="destination", rates="CH 8.1"), "CH", "CH", False, ("standard", "CH", 810)),
        (Tax(scheme="destination", rates="FI 26"), "DE", "FI", False, ("standard", "FI", 2600)),
    ],
)
def test_whose_tax(tax: Tax, home: str, country: str, business: bool, expected: tuple[str, str, int]) -> None:
    found = treatment(tax, home, country, business, TODAY)
    assert (found.kind, found.country, found.rate) == expected


def test_a_rate_is_that_of_its_day() -> None:
    assert [rate_on("EE", day) for day in (date(2023, 12, 31), date(2025, 6, 30), date(2025, 7, 1))] == [
        2000, 2200, 2400
    ]  # fmt: skip
    assert treatment(DESTINATION, "DE", "RO", False, date(2025, 7, 31)) == Treatment("standard", "RO", 1900, 1900)
    assert rate_on("NO", TODAY) is None


def test_the_table_has_the_members_and_nobody_else() -> None:
    assert len(MEMBERS) == 27
    assert all(1500 <= rows[-1][1] <= 2700 for rows in RATES.values())  # Article 97: at least 15 %
    assert all(list(rows) == sorted(rows) for rows in RATES.values())


def test_countries_as_providers_tell_them() -> None:
    assert [alpha2(code) for code in ("AUT", "DEU", "GRC", "de", "IRL")] == ["AT", "DE", "GR", "DE", "IE"]
    assert [alpha2(code) for code in ("", "ZZZ", "123", "12", "EURO")] == [""] * 5


def test_rates_as_an_owner_writes_them() -> None:
    assert overrides("FI 25.5, CH=8.1, SE 25 %") == {"FI": 2550, "CH": 810, "SE": 2500}
    assert overrides("") == {}
    for wrong in ("FI", "FI 25,5", "fi 20", "FI -1", "FI 1.234"):
        with pytest.raises(ValueError, match="country, then its rate"):
            overrides(wrong)
    assert [percent(rate) for rate in (1900, 2550, 810, 0)] == ["19", "25.5", "8.1", "0"]
