"""What every typed text passes before anybody looks at it: one guard, one clear sentence, nothing written.

Text is NFC-normalised. Refused are: control characters (NUL, line breaks in a line), bytes that were no text, marks
that turn the direction of writing (they make a name look like another), < and >, and card numbers, which must never
reach this shop (P1). Right-to-left scripts themselves are welcome.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from troth.pledge.policy import cards
from troth.shop import mailboxes

QUIET = frozenset({"long", "characters", "card"})  # faults whose value is not shown again
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c\u200e\u200f")

LONG = _("Please use at most %(limit)s characters here.")
CHARACTERS = _("This holds characters that cannot be read; please type it again.")
CARD = _("This looks like a card number: please never type one here, PayPal and Skrill take it on their own pages.")
ANGLES = _("Please leave out < and >.")
LETTER = _("Please write this with letters.")
EMAIL = _("Please check the e-mail address: it should look like name@example.org.")
POSTCODE = _("Please check the postcode: letters, digits, blanks and hyphens only.")
VAT = _("Please check the VAT number: it begins with a country code such as DE, then digits or letters.")
MISSING = _("Please fill this in.")

NAME, ADDRESS, PASSWORD, ZIP = _("Name"), _("E-mail address"), _("Password"), _("Postcode")


def readable(value: str, limit: int) -> str:
    """The text in NFC. ValidationError ("long", "characters", "card") if it may not come in."""
    if cards.holds_card_number(value[:1000]):  # first, so that a short field says so too; longer text is refused anyway
        raise ValidationError(CARD, "card")
    if len(value) > limit:
        raise ValidationError(LONG, "long", {"limit": limit})
    value = unicodedata.normalize("NFC", value)
    if any(_unreadable(character) for character in value):
        raise ValidationError(CHARACTERS, "characters")
    return value


def _unreadable(character: str) -> bool:
    """Controls, halves of pairs, private and unassigned places, line separators, the mark of undecodable bytes."""
    return (
        unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")
        or character in _TURNING
        or character == "\ufffd"
    )


def no_angles(value: str) -> None:
    if "<" in value or ">" in value:
        raise ValidationError(ANGLES, "angles")


def has_letter(value: str) -> None:
    if not any(character.isalpha() for character in value):
        raise ValidationError(LETTER, "letter")


def _pattern(pattern: str, sentence: Any) -> Callable[[str], None]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> None:
        if not compiled.fullmatch(value):
            raise ValidationError(sentence, "pattern")

    return check


class Text(forms.Field):
    """One line of text. `checks` run in order; the first that fails gives the only sentence."""

    def __init__(
        self,
        label: Any,
        limit: int,
        *checks: Callable[[str], None],
        autocomplete: str = "off",
        kind: str = "text",
        required: bool = True,
        hint: Any = "",
        **attrs: str,
    ) -> None:
        attrs |= {"autocomplete": autocomplete, "maxlength": str(limit)}
        widget = forms.TextInput(attrs=attrs)
        widget.input_type = kind
        super().__init__(required=required, label=label, help_text=hint, widget=widget)
        self.error_messages["required"] = MISSING
        self.limit, self.checks = limit, checks

    def to_python(self, value: Any) -> str:
        text = readable(str(value or ""), self.limit)
        return text if self.widget.input_type == "password" else text.strip()

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value:
            for check in self.checks:
                check(value)


def name(label: Any = NAME, **more: Any) -> Text:
    return Text(label, 120, no_angles, has_letter, **({"autocomplete": "name"} | more))


class Email(Text):
    """A mailbox, in its one spelling (shop/mailboxes.py)."""

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        return mailboxes.spelled(typed) if typed else typed


def email(label: Any = ADDRESS, **more: Any) -> Email:
    return Email(label, mailboxes.LONGEST, _email, autocomplete="email", kind="email", inputmode="email", **more)


def _email(value: str) -> None:
    try:
        validate_email(value)
        mailboxes.spelled(value)
    except (ValidationError, ValueError):
        raise ValidationError(EMAIL, "email") from None
    no_angles(value)


def password(label: Any = PASSWORD, autocomplete: str = "current-password", **more: Any) -> Text:
    return Text(label, 200, autocomplete=autocomplete, kind="password", **more)


def postcode(label: Any = ZIP, **more: Any) -> Text:
    checks = _pattern(r"[A-Za-z0-9][A-Za-z0-9 -]{1,10}", POSTCODE)
    return Text(label, 12, checks, **({"autocomplete": "postal-code"} | more))


def line(label: Any, limit: int, **more: Any) -> Text:
    """A line of an address."""
    return Text(label, limit, no_angles, has_letter, **more)


def vat_number(label: Any) -> Text:
    check = _pattern(r"[A-Za-z]{2,3}[ -]?[A-Za-z0-9][A-Za-z0-9 .*+-]{3,18}", VAT)
    return Text(label, 20, check, required=False, hint=_("Only if you buy for a business."))
