"""Finds card numbers in what people type, so that they are refused before anything is written (promise P1).

A run of 13 to 19 digits counts as a card number when the issuer's range, the length and the check digit fit
(ISO/IEC 7812-1: issuer identification and the Luhn formula; ranges as the schemes publish them). Digits of any
script count, full-width ones too; blanks, dashes, dots, slashes and invisible characters between them are passed
over. Missed by design: numbers that are spelled out, split over two fields, part of a longer unbroken number, or with
letters in between. Raised by mistake: one in ten of such digit runs passes the check digit, hence narrow ranges.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

# (first prefix, last prefix, allowed lengths); both prefixes have the same number of digits.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard, since 2016
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14, 16)),
    ("38", "39", (14, 16)),
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("50", "50", (16,)),  # Maestro
    ("56", "58", (16,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("622126", "622925", (16, 17, 18, 19)),  # UnionPay shared with Discover
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("639", "639", (16,)),  # Maestro
    ("644", "649", (16, 19)),  # Discover
    ("65", "65", (16, 19)),
    ("67", "67", (16,)),  # Maestro
)
_BETWEEN = frozenset(" -._/\t\r\n,|:")
LONGEST = 19
SHORTEST = min(length for *_, lengths in _ISSUERS for length in lengths)


def holds_card_number(text: str) -> bool:
    """Whether a text holds something that looks like a payment card's number, in any common spelling."""
    return any(_card_within(groups) for groups in _runs(text))


def _runs(text: str) -> Iterator[list[str]]:
    """Runs of digit groups, as plain 0-9. Up to three separators part two groups; anything else ends a run."""
    groups, gap = [""], 0
    for character in text:
        digit = unicodedata.decimal(character, None)
        kind = unicodedata.category(character)
        if digit is not None:
            if gap and groups[-1]:
                groups.append("")
            groups[-1] += str(digit)
            gap = 0
        elif kind in ("Cf", "Mn"):  # invisible: joiners, marks, soft hyphens
            continue
        elif (character in _BETWEEN or kind in ("Zs", "Pd")) and gap < 3:
            gap += 1
        else:
            yield groups
            groups, gap = [""], 0
    yield groups


def _card_within(groups: list[str]) -> bool:
    """Whether some neighbouring whole groups make a card number: never a piece cut out of a longer number."""
    for first in range(len(groups)):
        digits = ""
        for group in groups[first:]:
            digits += group
            if len(digits) > LONGEST:
                break
            if is_card_number(digits):
                return True
    return False


def is_card_number(digits: str) -> bool:
    """Whether exactly these digits form a card number: issuer's range, its lengths, check digit."""
    return (
        len(digits) >= SHORTEST
        and any(len(digits) in lengths and first <= digits[: len(first)] <= last for first, last, lengths in _ISSUERS)
        and _luhn(digits)
    )


def _luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
