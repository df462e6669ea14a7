"""What all forms share: plain forms, never model forms, since what they take goes into sealed columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from troth.faces.storefront.forms.fields import CARD, QUIET, Text
from troth.pledge.policy import cards
from troth.shop.refusal import Refused


class ShopForm(forms.Form):
    """A form whose templates show each fault beside its field and in a summary, and never what must not be shown."""

    label_suffix = ""

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="f-%s", initial=initial)

    def clean(self) -> dict[str, Any]:
        """All fields together: a card number may be typed over two of them."""
        texts = [str(self.data.get(name, "")) for name, field in self.fields.items() if isinstance(field, Text)]
        told = {fault.code for faults in self.errors.as_data().values() for fault in faults}
        if "card" not in told and cards.held_by_any(texts):
            raise ValidationError(CARD, "card")
        return super().clean() or {}

    def refuse(self, no: Refused) -> None:
        """Show a journey's no at the field it is about, or above the form."""
        self.add_error(no.field if no.field in self.fields else None, str(no.sentence))

    def anchor(self, name: str) -> str:
        return f"f-{name}"

    def label(self, name: str) -> Any:
        return self.fields[name].label

    def optional(self, name: str) -> bool:
        """Whether the label says so."""
        return not self.fields[name].required

    def echo(self, name: str) -> str:
        """What to put into the field again: nothing of passwords, nor of what was refused unread."""
        bound = self[name]
        faults = {fault.code for fault in bound.errors.as_data()} if bound.errors else set()
        if getattr(bound.field.widget, "input_type", "") == "password" or faults & QUIET:
            return ""
        value = bound.value()
        return "" if value is None or value is False else str(value)
