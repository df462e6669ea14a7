"""Dates and money are spelled in one way, which is that of the shop's language in its country."""

from datetime import date

import pytest

from troth.shop import written
from troth.shop.money import Money


@pytest.mark.parametrize(
    ("language", "country", "locale", "day", "money"),
    [
        ("en", "DE", "en_001", "28 September 2026", "€1,249.00"),
        ("en", "US", "en_US", "September 28, 2026", "€1,249.00"),
        ("en", "IE", "en_IE", "28 September 2026", "€1,249.00"),
        ("de", "DE", "de_DE", "28. September 2026", "1.249,00\xa0€"),
        ("de", "FR", "de", "28. September 2026", "1.249,00\xa0€"),
    ],
)
def test_a_shop_writes_as_its_customers_read(language, country, locale, day, money, settings, monkeypatch):
    assert written.locale_of(language, country) == locale
    monkeypatch.setattr(written, "here", lambda: locale)
    assert written.day(date(2026, 9, 28)) == day
    assert written.money(Money(124900, "EUR")) == money


def test_a_country_nobody_knows_takes_nothing_down():
    assert written.locale_of("en", "XX") == "en_001"
