"""Money: whole minor units with a currency, never a float.

>>> Money.parse("49.00", "EUR")
Money(minor=4900, currency='EUR')
>>> str(Money(1500, "JPY").decimal())
'1500'
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

# What PayPal and Skrill both accept (PayPal: currency codes page). The value is the number of decimals *as the
# providers count them*: PayPal takes no decimals for HUF, JPY and TWD, although ISO 4217 gives HUF and TWD two.
CURRENCIES = {code: 2 for code in (
    "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN",
    "SEK", "SGD", "THB", "USD",
)} | {"HUF": 0, "JPY": 0, "TWD": 0}
LARGEST_MINOR = 10**11  # a thousand million: beyond it a price is a typing error


class Money(msgspec.Struct, frozen=True, order=True):
    """An amount in minor units (cents for EUR, yen for JPY) and its ISO 4217 code.

    Adding or comparing two currencies raises ValueError; there are no exchange rates here.
    """

    minor: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal point number, as providers write it ("25.4", "25.40", "0.735741" is refused for EUR).

        Raises ValueError if it is no number, has more decimals than the currency (other than zeros) or is too large.
        """
        places = decimals(currency)
        try:
            number = Decimal(text.strip())
            minor = number.scaleb(places)
        except (InvalidOperation, AttributeError):
            raise ValueError("not an amount") from None
        if not minor.is_finite() or abs(minor) > LARGEST_MINOR or minor != minor.to_integral_value():
            raise ValueError("not an amount in this currency")
        return cls(int(minor), currency)

    def decimal(self) -> Decimal:
        """The amount in major units with all its decimals: 49.00, 1500."""
        return Decimal(self.minor).scaleb(-decimals(self.currency))

    def __add__(self, other: Money) -> Money:
        if self.currency != other.currency:
            raise ValueError("cannot add two currencies")
        return Money(self.minor + other.minor, self.currency)

    def __mul__(self, times: int) -> Money:
        return Money(self.minor * times, self.currency)


def decimals(currency: str) -> int:
    """How many decimals a currency has. ValueError for one the shop does not take."""
    try:
        return CURRENCIES[currency]
    except KeyError:
        raise ValueError("unknown currency") from None
