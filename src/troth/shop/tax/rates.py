"""Standard VAT rates of the European Union, in hundredths of a percent, each from the day it has been in force.

The authority is the Commission's "Taxes in Europe Database" (TEDB, https://ec.europa.eu/taxation_customs/tedb). This
table was put together from overviews that cite it, as rates stood on TABLE_OF. Rates change by law, not by us: an
owner who is ahead of this table sets `[tax] rates`.
"""

from __future__ import annotations

from datetime import date

TABLE_OF = date(2026, 1, 1)

_ALWAYS = date(2020, 1, 1)  # in force for longer than this shop could have sold anything
_STEADY = {
    "AT": 2000, "BE": 2100, "BG": 2000, "CY": 1900, "CZ": 2100, "DE": 1900, "DK": 2500, "ES": 2100, "FR": 2000,
    "GR": 2400, "HR": 2500, "HU": 2700, "IE": 2300, "IT": 2200, "LT": 2100, "LU": 1700, "LV": 2100, "MT": 1800,
    "NL": 2100, "PL": 2300, "PT": 2300, "SE": 2500, "SI": 2200,
}  # fmt: skip
_CHANGED: dict[str, tuple[tuple[date, int], ...]] = {
    "EE": ((_ALWAYS, 2000), (date(2024, 1, 1), 2200), (date(2025, 7, 1), 2400)),
    "FI": ((_ALWAYS, 2400), (date(2024, 9, 1), 2550)),
    "RO": ((_ALWAYS, 1900), (date(2025, 8, 1), 2100)),
    "SK": ((_ALWAYS, 2000), (date(2025, 1, 1), 2300)),
}
RATES: dict[str, tuple[tuple[date, int], ...]] = {
    **{country: ((_ALWAYS, rate),) for country, rate in _STEADY.items()},
    **_CHANGED,
}
MEMBERS = frozenset(RATES)
# Countries of their own in ISO 3166-1 whose sales count as made in a Member State (Directive 2006/112/EC, Article 7).
COUNTS_AS = {"MC": "FR"}


def vat_country(country: str) -> str:
    """The country whose tax counts for an address: Monaco's is France's."""
    return COUNTS_AS.get(country, country)


def rate_on(country: str, day: date) -> int | None:
    """The standard rate in force on a day; None outside the EU's VAT area."""
    found = [rate for since, rate in RATES.get(country, ()) if since <= day]
    return found[-1] if found else None
