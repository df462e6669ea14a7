"""Asking, and adding to what was asked. What may be in a text, the journey says: a question may hold markup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.shop.catalogue.models import Product
from troth.shop.support.files import KINDS
from troth.shop.support.writing import LONGEST, LONGEST_SUBJECT

ACCEPTED = ",".join(f".{ending}" for ending in KINDS)
UNKNOWN = _("Choose one of these.")


def _lines(label: Any, hint: Any = "") -> forms.Field:
    attrs = {"rows": "8", "maxlength": str(LONGEST), "autocomplete": "off"}
    return forms.CharField(
        label=label, help_text=hint, widget=forms.Textarea(attrs=attrs), strip=False,
        error_messages={"required": _("Please write something.")},
    )  # fmt: skip


class AddForm(ShopForm):
    """More to a ticket. Files stand beside it: they are sealed before the form is read."""

    text = _lines(_("What you want to add"))
    enclosed = forms.CharField(
        required=False, label=_("Files"), help_text=_("Pictures, PDF, ZIP or plain text."),
        widget=forms.TextInput(attrs={"accept": ACCEPTED}),
    )  # fmt: skip

    def echo(self, name: str) -> str:
        """Nobody types a long question twice; a file cannot be given back."""
        return "" if name == "enclosed" else str(self[name].value() or "")


class AskForm(AddForm):
    """A question of who is signed in, or of who may see the order that it is about."""

    text = _lines(_("Your question"), _("Never a password, and never a card number."))
    subject = forms.CharField(
        label=_("What it is about"), required=False, max_length=LONGEST_SUBJECT,
        widget=forms.TextInput(attrs={"maxlength": str(LONGEST_SUBJECT), "autocomplete": "off"}),
    )  # fmt: skip
    product = forms.ChoiceField(label=_("Product"), required=False, error_messages={"invalid_choice": UNKNOWN})
    once = forms.CharField(required=False, max_length=22, widget=forms.HiddenInput)
    field_order = ("name", "email", "subject", "product", "text", "enclosed")

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        shelf = Product.objects.filter(published=True).order_by("position").values_list("slug", "name")[:200]
        field: Any = self.fields["product"]
        field.choices = [("", _("None in particular")), *shelf]


class ContactForm(AskForm):
    """A question of a stranger, who says where the answer goes."""

    name = fields.name(_("Your name"))
    email = fields.email(hint=_("The answer goes there, and nothing else."))
