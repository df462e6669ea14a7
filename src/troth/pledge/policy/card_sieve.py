"""Which of very many values hold a card number: a sieve before `cards.holds_card_number`, which alone decides.

A card number has thirteen digits or more, with neither an ASCII letter nor a plus sign between two of them: what has
not, is passed over many values at a time. So is a value that is a time or a hash and nothing else: `cards` spares it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache

from troth.pledge.policy import cards

BETWEEN = b"\n+\n"  # between two values: no digits are taken together across it
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+"
_DIGITS = b"0123456789\xb9\xb2\xb3"  # in latin-1, as which bytes are read that are no text
_SHAPE = bytes.maketrans(_DIGITS + _LETTERS, b"0" * len(_DIGITS) + b"x" * len(_LETTERS))
_OTHERS = bytes(byte for byte in range(256) if byte not in _DIGITS + _LETTERS)
_ROW = b"0" * cards.SHORTEST
_SPARED = re.compile(
    rb"(?:(?<=\n\+\n)|\A)(?:"
    rb"(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:\+00(?::00)?)?"
    rb"|(?=[0-9]*[a-f][0-9]*[a-f])[0-9a-f]{32,}"
    rb")(?=\n\+\n)",
    re.IGNORECASE,
)


def any_holds(values: Sequence[bytes], run: bytes) -> bool:
    """Whether one of the values, each by itself, holds a card number. `run`: they all, BETWEEN after each."""
    if run.isascii():
        return _row_of_digits(run) and _row_of_digits(run := _SPARED.sub(b"", run)) and _in_text(run.decode("ascii"))
    try:
        return _in_text(_SPARED.sub(b"", run).decode())
    except UnicodeDecodeError:
        return any(map(_alone, values))


def _row_of_digits(data: bytes) -> bool:
    return _ROW in data.translate(_SHAPE, _OTHERS)


def _in_text(text: str) -> bool:
    mark, many = BETWEEN.decode(), _many()
    at = 0
    while match := many.search(text, at):
        before, at = text.rfind(mark, 0, match.start()), text.index(mark, match.end())
        if cards.holds_card_number(text[before + len(mark) if before >= 0 else 0 : at]):
            return True
    return False


def _alone(value: bytes) -> bool:
    """A value read as UTF-8 where it is, else as latin-1."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _row_of_digits(value) and cards.holds_card_number(value.decode("latin-1"))
    return cards.holds_card_number(text)


@cache
def _many() -> re.Pattern[str]:
    """As many digits of any script as a card number has at least."""
    code_points = range(sys.maxunicode + 1)
    digit = "".join(re.escape(chr(one)) for one in code_points if unicodedata.digit(chr(one), None) is not None)
    return re.compile(f"[{digit}](?:[^A-Za-z+{digit}]*[{digit}]){{{cards.SHORTEST - 1}}}")
