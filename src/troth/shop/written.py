"""Dates and money as the shop's customers read them: one spelling on pages, in letters, on invoices.

The spelling is that of the shop's language in its country (Unicode CLDR, by Babel), where that language is an
official one there: en_US, en_IE. Elsewhere it is the language's usage in the world at large: en_001 writes
28 September 2026 and €1,249.00.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from babel import Locale, UnknownLocaleError, dates, numbers
from babel.languages import get_official_languages
from django.conf import settings
from django.utils import translation

from troth.shop.money import Money

WORLD = {"en": "en_001", "es": "es_419"}


@lru_cache(maxsize=64)
def locale_of(language: str, country: str) -> str:
    """The name of the locale that a shop of this language and country writes in."""
    base = translation.to_locale(language)
    if base in get_official_languages(country, regional=True, de_facto=True):
        try:
            return str(Locale.parse(f"{base}_{country}"))
        except UnknownLocaleError:
            pass  # spoken there, without ways of its own
    return WORLD.get(base, base)


def here() -> str:
    """The locale of this page or letter."""
    return locale_of(translation.get_language() or settings.LANGUAGE_CODE, settings.TROTH.shop.country)


def day(value: date | datetime) -> str:
    """28 September 2026."""
    return dates.format_date(value, "long", locale=here())


def moment(value: datetime) -> str:
    """28 September 2026, 14:05 UTC: who reads it may be anywhere."""
    return f"{day(value)}, {hour(value)}"


def hour(value: datetime) -> str:
    """14:05 UTC."""
    return dates.format_datetime(value, "HH:mm", tzinfo=dates.UTC, locale=here()) + " UTC"


def ago(gap: object) -> str:
    """A timedelta from now, in words: 3 minutes ago."""
    return dates.format_timedelta(gap, add_direction=True, threshold=1.2, locale=here())  # type: ignore[arg-type]


def money(value: Money, locale: str = "") -> str:
    """€1,249.00."""
    return _money(value.minor, value.currency, locale or here())


@lru_cache(maxsize=2048)
def _money(minor: int, currency: str, locale: str) -> str:
    return numbers.format_currency(Money(minor, currency).decimal(), currency, locale=locale)


def country(code: str) -> str:
    """A country's name in the page's language, by its ISO 3166-1 code; an unknown code as it is."""
    return str(Locale.parse(here()).territories.get(code, code))


def number(value: float) -> str:
    return numbers.format_decimal(value, locale=here())
