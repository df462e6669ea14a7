"""VAT numbers of the Member States: format and, where one rule is certain, check digits. Offline.

This says that a number is well formed, not that it is registered or whose it is: only the Commission's VIES knows,
and asking it would tell a third party who buys here. Formats and check digits as the Commission publishes them
(VIES, "Frequently asked questions", Q11: structure of VAT numbers) and the Member States' own rules. Where a state
has several kinds of numbers (natural persons), only the format is checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

PREFIXES = {"GR": "EL"}  # Greece's numbers begin with EL; all others with their ISO code
_FORMATS = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}",
    "DE": r"[1-9]\d{8}", "DK": r"\d{8}", "EE": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "GR": r"\d{9}", "HR": r"\d{11}", "HU": r"\d{8}",
    "IE": r"\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W]", "IT": r"\d{11}", "LT": r"\d{9}|\d{12}", "LU": r"\d{8}",
    "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"[A-Z0-9+*]{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}",
    "RO": r"[1-9]\d{1,9}", "SE": r"\d{10}01", "SI": r"[1-9]\d{7}", "SK": r"[1-9]\d{9}",
}  # fmt: skip


def check(number: str, country: str) -> str:
    """The number without blanks, dots and hyphens, in capitals. ValueError if it is none of that country.

    `country`: ISO 3166-1, a Member State.
    """
    plain = re.sub(r"[\s.\-]", "", number).upper()
    prefix = PREFIXES.get(country, country)
    body = plain.removeprefix(prefix)
    if not plain.startswith(prefix) or not re.fullmatch(_FORMATS[country], body, re.ASCII):
        raise ValueError("not a VAT number of this country")
    fits = _DIGITS.get(country)
    if fits is not None and not fits(body):
        raise ValueError("its check digits do not fit")
    return plain


def _weighted(digits: str, weights: Sequence[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _mod_11_10(digits: str) -> bool:
    """ISO/IEC 7064, MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def _austria(body: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(body[1:8])]
    return (10 - (sum(value // 10 + value % 10 for value in doubled) + 4) % 10) % 10 == int(body[8])


def _cyprus(body: str) -> bool:
    odd = {"0": 1, "1": 0, "2": 5, "3": 7, "4": 9, "5": 13, "6": 15, "7": 17, "8": 19, "9": 21}
    total = sum(odd[digit] if place % 2 == 0 else int(digit) for place, digit in enumerate(body[:8]))
    return chr(65 + total % 26) == body[8]


def _two_rounds(digits: str, first: Sequence[int], second: Sequence[int]) -> bool:
    """Modulo 11, and again with other weights where that leaves 10 (Bulgaria, Lithuania)."""
    rest = _weighted(digits, first) % 11
    if rest == 10:
        rest = _weighted(digits, second) % 11 % 10
    return rest == int(digits[-1])


def _ireland(body: str) -> bool:
    letters = "WABCDEFGHIJKLMNOPQRSTUV"
    if not body[1].isdigit():  # the older form: its second place moves to the front
        body = f"0{body[2:7]}{body[0]}{body[7]}"
    extra = letters.index(body[8]) * 9 if len(body) > 8 else 0
    return letters[(_weighted(body, range(8, 1, -1)) + extra) % 23] == body[7]


def _netherlands(body: str) -> bool:
    """Either the older modulo 11 of the first nine digits, or modulo 97 of the whole (since 2020)."""
    older = body[:9].isdigit() and _weighted(body, range(9, 1, -1)) % 11 == int(body[8])
    values = {**{str(digit): digit for digit in range(10)}, "+": 36, "*": 37}
    spelled = "".join(str(values.get(one, ord(one) - 55)) for one in f"NL{body}")
    return older or int(spelled) % 97 == 1


def _portugal(body: str) -> bool:
    return (11 - _weighted(body, range(9, 1, -1)) % 11) % 11 % 10 == int(body[8])


def _romania(body: str) -> bool:
    return _weighted(body.zfill(10), (7, 5, 3, 2, 1, 7, 5, 3, 2)) * 10 % 11 % 10 == int(body[-1])


def _france(body: str) -> bool:
    """Only the common form has check digits that are public: 12 + 3 times the SIREN, modulo 97."""
    if not (_luhn(body[2:]) or body[2:5] == "000"):  # Monaco's have no SIREN
        return False
    return not body[:2].isdigit() or int(body[:2]) == (12 + 3 * int(body[2:])) % 97


def _poland(body: str) -> bool:
    return _weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11 == int(body[9])


def _slovenia(body: str) -> bool:
    rest = 11 - _weighted(body, range(8, 1, -1)) % 11
    return rest != 11 and rest % 10 == int(body[7])


def _czechia(body: str) -> bool:
    """Eight digits are a company; nine and ten are persons', of whom only the format is checked."""
    if len(body) != 8:
        return True
    return (((11 - _weighted(body, range(8, 1, -1))) % 11) or 1) % 10 == int(body[7])


def _latvia(body: str) -> bool:
    """A first digit above 3 is a company; below it a person's date of birth."""
    return body[0] < "4" or _weighted(body, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)) % 11 == 3


def _lithuania(body: str) -> bool:
    size = len(body) - 1
    first = [1 + place % 9 for place in range(size)]
    return _two_rounds(body, first, [1 + (place + 2) % 9 for place in range(size)])


_DIGITS: dict[str, Callable[[str], bool]] = {
    "AT": _austria,
    "BE": lambda body: (97 - int(body[:8]) % 97) == int(body[8:]),
    "BG": lambda body: len(body) == 10 or _two_rounds(body, range(1, 9), range(3, 11)),
    "CY": _cyprus,
    "CZ": _czechia,
    "DE": _mod_11_10,
    "DK": lambda body: _weighted(body, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0,
    "EE": lambda body: _weighted(body, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0,
    "FI": lambda body: _weighted(body, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0,
    "FR": _france,
    "GR": lambda body: _weighted(body, (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == int(body[8]),
    "HR": _mod_11_10,
    "HU": lambda body: _weighted(body, (9, 7, 3, 1, 9, 7, 3, 1)) % 10 == 0,
    "IE": _ireland,
    "IT": _luhn,
    "LT": _lithuania,
    "LU": lambda body: int(body[:6]) % 89 == int(body[6:]),
    "LV": _latvia,
    "MT": lambda body: _weighted(body, (3, 4, 6, 7, 8, 9, 10, 1)) % 37 == 0,
    "NL": _netherlands,
    "PL": _poland,
    "PT": _portugal,
    "RO": _romania,
    "SE": lambda body: _luhn(body[:10]),
    "SI": _slovenia,
    "SK": lambda body: int(body) % 11 == 0,
}
