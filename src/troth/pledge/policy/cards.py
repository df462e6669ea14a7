"""Finds card numbers, so that they are refused or masked before anything is written (promise P1).

A run of 13 to 19 digits counts as a card number when the issuer's range, the length and the check digit fit
(ISO/IEC 7812-1: issuer identification and the Luhn formula; ranges as the schemes publish them). Digits of any script
count, full-width, circled and superscript ones too; invisible characters are passed over, and so are up to three
blanks, line ends, marks or signs between two digits. A number may be split in any way, into pieces and over several
fields (`held_by_any` lays fields side by side in their order).

Not taken for one, though the digits would fit: what is glued into a hash, a UUID or an id of PayPal's, a date with
its time, a valid IBAN (ISO 13616, mod 97), a valid EAN-13 (Visa issued 13 digits until the nineties, and one in ten
would be alike), a list of versions, and an IMEI: its 15 digits begin with 01, 35, 86, 98 or 99, and the only cards of
15 digits with 34 or 37 (3GPP TS 23.003; its reporting bodies have never used these).
Missed by design: numbers that are spelled out, have letters between the digits, or are encoded.
Raised by mistake: one in ten of other runs with an issuer's beginning and length passes the check digit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

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
_BY_FIRST = {first: [one for one in _ISSUERS if one[0][0] <= first <= one[1][0]] for first in "0123456789"}
LONGEST = 19
SHORTEST = min(length for *_, lengths in _ISSUERS for length in lengths)
_GAP = 3  # characters between two digits

_ANY_DIGIT = re.compile(r"\d")
_OURS = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?=[0-9]*[a-f][0-9]*[a-f])[0-9a-f]{32,}"  # a hash
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|WH-[0-9A-Z]{17,18}-[0-9A-Z]{17,18}"  # a webhook's id, as PayPal writes them
    r"|(?=(?:[0-9]*[A-Z]){3})[0-9A-Z]{17}"  # PayPal's id of an order, a capture, a refund
    r"|(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?"  # ISO 8601
    r"|\d{1,2}(?:\.\d{1,2}){1,2}(?:[,;] ?\d{1,2}(?:\.\d{1,2}){1,2}){2,}"  # a list of versions
    r")(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{1,4}){3,8}(?![A-Za-z0-9])")

Group = tuple[str, int, int]  # plain digits, begin and end in the text


class CardNumber(ValueError):
    """Something that looks like a card number was about to be written. The text itself is not in here."""


def holds_card_number(text: str) -> bool:
    """Whether a text holds something that looks like a payment card's number, in any common spelling."""
    return next(_found(text), None) is not None


def held_by_any(texts: Iterable[str]) -> bool:
    """Whether fields of one form, as they follow each other, hold a card number: each alone, or one split over them."""
    return holds_card_number("\n".join(texts))


def mask(text: str) -> str:
    """The text with every card number's digits but the last four replaced by •. Nothing else is altered."""
    while spans := list(_found(text)):
        begin, end = max(spans, key=lambda span: span[1] - span[0])
        digits = [at for at in range(begin, end) if _digit(text[at]) is not None]
        hidden = set(digits[:-4])
        text = "".join("•" if at in hidden else character for at, character in enumerate(text))
    return text


def refuse(value: object) -> None:
    """CardNumber if a value that is about to be written (a text or a number) holds one."""
    if isinstance(value, str) and holds_card_number(value):
        raise CardNumber
    if isinstance(value, int) and value >= 10 ** (SHORTEST - 1) and is_card_number(str(value)):
        raise CardNumber


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each card number in the text."""
    if len(text) < SHORTEST or (text.isascii() and len(_ANY_DIGIT.findall(text)) < SHORTEST):
        return
    hits = [span for run in _runs(text) for span in _cards_within(run)]
    if not hits:
        return
    spared = [match.span() for match in _OURS.finditer(text)]
    spared += [match.span() for match in _IBAN.finditer(text) if _is_iban(match[0])]
    for begin, end in hits:
        if not any(first <= begin and end <= last for first, last in spared):
            yield begin, end


def _runs(text: str) -> Iterator[list[Group]]:
    """Runs of digit groups. Up to _GAP characters that are no letters part two groups; anything else ends a run."""
    groups: list[Group] = []
    digits, begin, last, gap = "", 0, 0, ""
    for at, character in enumerate(text):
        digit = _digit(character)
        if digit is not None:
            if gap and digits:
                groups.append((digits, begin, last))
                digits = ""
            if not digits:
                begin = at
            digits, last, gap = digits + digit, at + 1, ""
            continue
        kind = unicodedata.category(character)
        if kind in ("Cf", "Mn", "Me"):  # invisible: joiners, marks, soft hyphens, a key's frame
            continue
        if kind[0] in "PSZC" and character != "+" and len(gap) < _GAP:
            gap += character
            continue
        if digits:
            yield [*groups, (digits, begin, last)]
        groups, digits, gap = [], "", ""
    if digits:
        yield [*groups, (digits, begin, last)]


def _digit(character: str) -> str | None:
    if character.isascii():
        return character if character.isdigit() else None
    value = unicodedata.digit(character, None)
    return None if value is None else str(value)


def _cards_within(groups: list[Group]) -> Iterator[tuple[int, int]]:
    """Where neighbouring whole groups make a card number: never a piece cut out of a longer number."""
    if sum(len(digits) for digits, _, _ in groups) < SHORTEST:
        return
    for first, (_, begin, _) in enumerate(groups):
        whole = ""
        for digits, _, end in groups[first:]:
            whole += digits
            if len(whole) > LONGEST:
                break
            if is_card_number(whole):
                yield begin, end


def is_card_number(digits: str) -> bool:
    """Whether exactly these digits form a card number: issuer's range, its lengths, check digit."""
    return (
        SHORTEST <= len(digits) <= LONGEST
        and any(
            len(digits) in lengths and first <= digits[: len(first)] <= last
            for first, last, lengths in _BY_FIRST[digits[0]]
        )
        and _luhn(digits)
        and not (len(digits) == 13 and _is_ean(digits))
    )


def _luhn(digits: str) -> bool:
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _is_ean(digits: str) -> bool:
    """GS1's check digit: weights one and three."""
    return sum(int(one) * (1 + 2 * (place % 2)) for place, one in enumerate(digits)) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1
