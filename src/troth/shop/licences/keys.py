"""Licence keys as people read, type and mistype them.

A key is seven groups of four symbols of Crockford's base32 (crockford.com/base32.html: no I, L, O, U): 27 random ones,
135 bits, and one check symbol by Luhn's algorithm for 32 symbols ("Luhn mod N"), which finds every single wrong symbol
and nearly every swap of neighbours. Small letters, missing hyphens, O for 0 and I or L for 1 are understood.
"""

from __future__ import annotations

import secrets

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, GROUP = 28, 4
MOST = 200  # symbols of a key from elsewhere
_VALUE = {symbol: value for value, symbol in enumerate(SYMBOLS)}
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_key() -> str:
    """A fresh key, as it is shown: 7KQ4-9M2X-…"""
    body = "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH - 1))
    whole = body + check_symbol(body)
    return "-".join(whole[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def canonical(text: str) -> str:
    """The one spelling by which a key is known. What is no key of our making stands as it was given, trimmed."""
    plain = text.strip()
    ours = plain.upper().translate(_READ_AS)
    return ours if _is_ours(ours) else plain


def check_symbol(body: str) -> str:
    """Luhn mod N: from the right every second value is doubled, its two digits in base 32 are added."""
    total = 0
    for place, symbol in enumerate(reversed(body)):
        value = _VALUE[symbol] * (2 - place % 2)
        total += value // len(SYMBOLS) + value % len(SYMBOLS)
    return SYMBOLS[-total % len(SYMBOLS)]


def _is_ours(text: str) -> bool:
    if len(text) != LENGTH or not all(symbol in _VALUE for symbol in text):
        return False
    return check_symbol(text[:-1]) == text[-1]
