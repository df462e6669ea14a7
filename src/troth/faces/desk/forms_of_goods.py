"""The desk's forms for goods: products, what their pages say, editions and prices, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.shop.catalogue.shelving import NewEdition
from troth.shop.money import CURRENCIES, Money

KINDS = (
    ("module", _("A module, to download")),
    ("bundle", _("A bundle of modules")),
    ("service", _("A service")),
)
AMOUNT = _("Write an amount such as 49.00, with a point.")
WHOLE = _("Write a whole number such as 12.")


class Lines(forms.CharField):
    """Text of several lines, each as careful about what it holds as a line elsewhere."""

    def __init__(self, label: Any, limit: int, rows: int = 4, required: bool = False, hint: Any = "") -> None:
        attrs = {"rows": str(rows), "maxlength": str(limit), "autocomplete": "off"}
        super().__init__(label=label, required=required, help_text=hint, widget=forms.Textarea(attrs=attrs))
        self.limit = limit
        self.error_messages["required"] = fields.MISSING

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
        return "\n".join(fields.readable(line.rstrip(), self.limit) for line in lines)


class Number(forms.IntegerField):
    def __init__(self, label: Any, most: int, hint: Any = "") -> None:
        attrs = {"inputmode": "numeric", "autocomplete": "off"}
        super().__init__(label=label, help_text=hint, min_value=0, max_value=most, widget=forms.TextInput(attrs=attrs))
        self.error_messages["invalid"] = WHOLE


def amount(label: Any, required: bool = True, hint: Any = AMOUNT) -> fields.Text:
    return fields.Text(label, 20, required=required, hint=hint, inputmode="decimal")


class ProductForm(ShopForm):
    """A new product with its first price."""

    slug = fields.Text(_("Address"), 40, hint=_("Small letters, digits and hyphens: what follows /p/, for good."))
    name = fields.Text(_("Name"), 80)
    kind = forms.ChoiceField(label=_("What is it?"), choices=KINDS, initial="module")
    price = amount(_("Price"))


class TextsForm(ShopForm):
    """What a product's page says. `seen`: when what is changed here was read."""

    name = fields.Text(_("Name"), 80)
    tagline = fields.Text(_("Tagline"), 200, required=False, hint=_("What it is, in one line."))
    summary = Lines(_("Summary"), 4000, hint=_("What it does, in some sentences."))
    description = Lines(
        _("Description"), 40_000, rows=14,
        hint=_("Paragraphs with an empty line between; # begins a heading, - a point; commands between lines of ```."),
    )  # fmt: skip
    compatibility = Lines(_("Works with"), 8000, hint=_("One line for each thing that it needs or runs with."))
    package = fields.Text(_("Composer package"), 120, required=False, hint=_("vendor/name, or nothing."))
    seen = forms.DateTimeField(widget=forms.HiddenInput)


class EditionForm(ShopForm):
    """A way to buy it, and what it costs in one currency."""

    code = fields.Text(
        _("Code"), 40, hint=_("Small letters and hyphens, such as single. A code that is there is changed.")
    )
    name = fields.Text(_("Name"), 80, hint=_("As customers read it."))
    terms = fields.Text(_("Terms"), 200, required=False, hint=_("What it allows, in one line."))
    currency = forms.ChoiceField(label=_("Currency"), choices=[(one, one) for one in sorted(CURRENCIES)])
    price = amount(_("Price"))
    renewal = amount(_("Price of a renewal"), required=False, hint=_("For the same months of updates again."))
    sites = Number(_("Sites"), 10_000, _("Where one licence may be active; 0: anywhere."))
    update_months = Number(_("Months of updates"), 1200, _("0: without end."))
    support_months = Number(_("Months of support"), 120)
    hours = Number(_("Hours of work"), 10_000, _("Of services."))

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        first = {
            "currency": settings.TROTH.shop.currency,
            "sites": 1,
            "update_months": 12,
            "support_months": 0,
            "hours": 0,
        }
        super().__init__(data, {**first, **(initial or {})})

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        for name in ("price", "renewal"):
            if given.get(name):
                given[name] = self._money(name, given[name], given.get("currency", ""))
        return given

    def _money(self, name: str, text: str, currency: str) -> Money | None:
        try:
            return Money.parse(text, currency)
        except ValueError:
            self.add_error(name, AMOUNT)
            return None

    def given(self) -> NewEdition:
        values = {name: self.cleaned_data[name] for name in self.fields if name not in ("currency", "renewal")}
        return NewEdition(**values, renewal=self.cleaned_data["renewal"] or None)


class DraftForm(ShopForm):
    """A new version. The archive stands beside it: it is on the disk before this is read."""

    version = fields.Text(_("Version"), 40, hint=_("Such as 1.4.0. What was released never changes."))
    changes = Lines(_("What is new"), 50_000, rows=6, hint=_("One line for each change."))
    requires = fields.Text(_("What it needs"), 200, required=False, hint=_("In one line."))
    file = forms.CharField(
        label=_("Archive"), required=False, help_text=_("A .zip, of 2 GiB at most."),
        widget=forms.TextInput(attrs={"accept": ".zip"}),
    )  # fmt: skip


def lines(text: str) -> list[str]:
    """Those that say something."""
    return [line.strip() for line in text.split("\n") if line.strip()]
