"""Card numbers in what people write to us are made unreadable before anything is written (promise P1).

A form refuses a card number; a long question is too dear to its writer to be refused, so the digits go and the words
stay. Subject and text are looked at together: a number may be split over them.
"""

from __future__ import annotations

from troth.pledge.policy import cards


def mask(text: str) -> tuple[str, bool]:
    """The text with all but the last four digits of each card number as bullets, and whether there was one."""
    covered = cards.mask(text)
    return covered, covered != text


def mask_both(subject: str, text: str) -> tuple[str, str, bool]:
    """The same for a subject, which has no line break in it, and a text."""
    covered, masked = mask(f"{subject}\n{text}")
    subject, _, text = covered.partition("\n")
    return subject, text, masked
