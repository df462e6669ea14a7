"""Money: whole minor units with a currency, never a float.

>>> Money.parse("49.00", "EUR")
Money(minor=4900, currency='EUR')
>>> str(Money(1500, "JPY").decimal())
'1500'
"""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

# What PayPal and Skrill both accept (PayPal: currency codes page). The value is the number of decimals *as the
# providers count them*: PayPal takes no decimals for HUF, JPY and TWD, although ISO 4217 gives HUF and TWD two.
_TWO_DECIMALS = "AUD BRL CAD CHF CZK DKK EUR GBP HKD ILS MXN MYR NOK NZD PHP PLN SEK SGD THB USD"
CURRENCIES = dict.fromkeys(_TWO_DECIMALS.split(), 2) | {"HUF": 0, "JPY": 0, "TWD": 0}
# PayPal's pattern, cut to what Decimal keeps exactly in its usual 28 digits.
_NUMBER = re.compile(r"-?([0-9]{1,15}|[0-9]{0,15}[.][0-9]{1,10})")
LARGEST_MINOR = 10**11  # a thousand million: beyond it a price is a typing error


class Money(msgspec.Struct, frozen=True):
    """An amount in minor units (cents for EUR, yen for JPY) and its ISO 4217 code.

    Adding or ordering two currencies raises ValueError; there are no exchange rates here. Equality never raises.
    """

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal point number, as providers write it ("25.4", "25.40", "0.735741" is refused for EUR).

        Raises ValueError if it is no number, has more decimals than the currency (other than zeros) or is too large.
        Exponents, NaN, signs other than minus and digits of other scripts are no number here.
        """
        places = decimals(currency)
        if not _NUMBER.fullmatch(text.strip()):
            raise ValueError("not an amount")
        minor = Decimal(text.strip()).scaleb(places)
        if abs(minor) > LARGEST_MINOR or minor != minor.to_integral_value():
            raise ValueError("not an amount in this currency")
        return cls(int(minor), currency)

    def decimal(self) -> Decimal:
        """The amount in major units with all its decimals: 49.00, 1500."""
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same_currency(other)
        return self.minor <= other.minor

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError("two currencies cannot be added or ordered")


def decimals(currency: str) -> int:
    """How many decimals a currency has. ValueError for one the shop does not take."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise ValueError("unknown currency") from None
