"""Numbers of real form pass; one digit off, or another country's, does not."""

import pytest

from troth.shop.tax import vat_numbers
from troth.shop.tax.rates import MEMBERS

# Numbers that companies and ministries publish about themselves, or examples in the states' own descriptions.
GOOD = {
    "AT": "ATU13585627", "BE": "BE0428759497", "BG": "BG175074752", "CY": "CY10259033P", "CZ": "CZ25123891",
    "DE": "DE136695976", "DK": "DK13585628", "EE": "EE100931558", "ES": "ESJ99216582", "FI": "FI20774740",
    "FR": "FR40303265045", "GR": "EL094259216", "HR": "HR33392005961", "HU": "HU12892312", "IE": "IE6433435F",
    "IT": "IT00743110157", "LT": "LT119511515", "LU": "LU15027442", "LV": "LV40003521600", "MT": "MT11679112",
    "NL": "NL004495445B01", "PL": "PL8567346215", "PT": "PT501964843", "RO": "RO18547290", "SE": "SE123456789701",
    "SI": "SI50223054", "SK": "SK2022749619",
}  # fmt: skip
FORMAT_ONLY = {"ES"}


def test_every_member_has_an_example() -> None:
    assert GOOD.keys() == MEMBERS == vat_numbers._FORMATS.keys()


@pytest.mark.parametrize("country", sorted(GOOD))
def test_a_good_number_passes_however_it_is_spaced(country: str) -> None:
    number = GOOD[country]
    assert vat_numbers.check(number, country) == number
    assert vat_numbers.check(f"{number[:2].lower()} {number[2:5]}.{number[5:7]}-{number[7:]}", country) == number


@pytest.mark.parametrize("country", sorted(GOOD.keys() - FORMAT_ONLY))
def test_a_last_digit_that_is_off_does_not(country: str) -> None:
    number = GOOD[country]
    place = max(i for i, one in enumerate(number[: -3 if country in ("NL", "SE") else None]) if one.isdigit())
    wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
    with pytest.raises(ValueError, match=r"check digits|not a VAT number"):
        vat_numbers.check(wrong, country)


@pytest.mark.parametrize("wrong", ["", "136695976", "ATU13585627", "DE12345678", "DE1234567890", "DE13669597X"])
def test_what_is_no_number_of_that_country(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a VAT number"):
        vat_numbers.check(wrong, "DE")


def test_greece_has_a_prefix_of_its_own() -> None:
    with pytest.raises(ValueError, match="not a VAT number"):
        vat_numbers.check(GOOD["GR"].replace("EL", "GR"), "GR")
