"""Card numbers in what people write to us are made unreadable before anything is written (promise P1).

A form refuses a card number; a letter or a long question is too dear to its writer to be refused, so the digits go and
the words stay. What cannot be masked for certain is refused all the same.
"""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import cards
from troth.shop.refusal import Refused

SENTENCE = _(
    "We made a card number in your message unreadable before it was stored. Please never send one: PayPal and Skrill "
    "take it on their own pages, and we have no use for it."
)
REFUSED = _("This holds what looks like a card number, in a way we cannot make unreadable; please leave it out.")
_RUN = re.compile(r"\d(?:[^\w]|_|\d){8,120}\d")  # digits with anything but letters between them


def mask(text: str) -> tuple[str, int]:
    """The text with each card number replaced by bullets, and how many there were. Refused if one is left."""
    masked = 0

    def cover(run: re.Match[str]) -> str:
        nonlocal masked
        if not cards.holds_card_number(run[0]):
            return run[0]
        masked += 1
        return "".join("•" if unicodedata.decimal(one, None) is not None else one for one in run[0])

    covered = _RUN.sub(cover, text)
    if cards.holds_card_number(covered):
        raise Refused(REFUSED, "text")
    return covered, masked
