"""Which tax a sale has: by the buyer's country, the seller's, and a business's VAT number.

Electronically supplied services are taxed where a consumer lives (Directive 2006/112/EC, Article 58); below the
threshold of Article 59c a seller may stay with the tax of their own country. A business in another Member State owes
the tax itself (Articles 44 and 196: reverse charge). A small business that is exempt (Article 284) shows none.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from troth.config import Tax
from troth.shop.tax.rates import MEMBERS, rate_on, vat_country

STANDARD, REVERSE, OUTSIDE, EXEMPT, NONE = "standard", "reverse", "outside", "exempt", "none"
_RATE = re.compile(r"([A-Z]{2})\s*[= ]\s*(\d{1,2}(?:\.\d{1,2})?)\s*%?")


class Treatment(msgspec.Struct, frozen=True):
    """The tax of one sale. `rate` in hundredths of a percent; `country` is whose tax it is, or would be."""

    kind: str  # standard, reverse, outside, exempt, none
    country: str
    rate: int = 0
    home_rate: int = 0  # the tax within the shelf's gross prices, taken out for who pays none


def treatment(tax: Tax, home: str, country: str, business: bool, day: date) -> Treatment:
    """The treatment of a sale from `home` to `country` on a day.

    `business`: the buyer gave a VAT number of that country that passed the check (`vat_numbers.check`).
    """
    home, country, own = vat_country(home), vat_country(country), overrides(tax.rates)
    home_rate = _rate(home, own, day) or 0
    if tax.scheme == "exempt":
        return Treatment(EXEMPT, home)
    if not tax.scheme:
        return Treatment(NONE, country)
    rate = _rate(country, own, day)
    if rate is None:
        return Treatment(OUTSIDE, country, 0, home_rate)
    if business and country != home and country in MEMBERS:
        return Treatment(REVERSE, country, 0, home_rate)
    if tax.scheme == "origin" and country in MEMBERS and home in MEMBERS:
        return Treatment(STANDARD, home, home_rate, home_rate)
    return Treatment(STANDARD, country, rate, home_rate)


def overrides(text: str) -> dict[str, int]:
    """`[tax] rates`: "FI 25.5, CH 8.1" as hundredths of a percent by country. ValueError for anything else."""
    rates = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _RATE.fullmatch(part)
        if match is None:
            raise ValueError('must look like "FI 25.5, CH 8.1": a country, then its rate in percent')
        whole, _, fraction = match[2].partition(".")
        rates[match[1]] = int(whole) * 100 + int(fraction.ljust(2, "0") or 0)
    return rates


def percent(rate: int) -> str:
    """A rate as people write it: 19, 25.5."""
    return f"{rate // 100}.{rate % 100:02}".rstrip("0").rstrip(".")


def _rate(country: str, own: dict[str, int], day: date) -> int | None:
    return own[country] if country in own else rate_on(country, day)
