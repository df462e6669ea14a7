"""The desk's form for a coupon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.forms import DayInput
from troth.faces.desk.forms_of_goods import amount as sum_of
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.shop.catalogue.models import Product

DAY = _("Write the day as 2027-03-31.")
WHOLE = _("Write a whole number such as 20.")


def _number(label: Any, hint: Any = "") -> forms.IntegerField:
    attrs = {"inputmode": "numeric", "autocomplete": "off"}
    return forms.IntegerField(
        label=label, help_text=hint, required=False, widget=forms.TextInput(attrs=attrs),
        error_messages={"invalid": WHOLE},
    )  # fmt: skip


def _day(label: Any, hint: Any) -> forms.DateField:
    widget = DayInput(attrs={"autocomplete": "off"})
    return forms.DateField(
        label=label, help_text=hint, required=False, widget=widget, error_messages={"invalid": DAY}
    )  # fmt: skip


class CouponForm(ShopForm):
    """What it takes off, when, how often, and for what; what contradicts itself, the verb says."""

    code = fields.Text(_("Code"), 40, required=False, hint=_("Letters, digits and hyphens; a random one if empty."))
    percent = _number(_("Percent off"), _("Either percent, or an amount."))
    amount = sum_of(_("Amount off"), required=False)
    least = sum_of(_("For baskets from"), required=False, hint=_("What a basket must cost at least."))
    starts = _day(_("Good from"), _("The first day; empty: at once."))
    ends = _day(_("Good until"), _("The day at whose beginning it ends (UTC); empty: until you end it."))
    limit = _number(_("Uses in all"), _("Empty: as many as there are."))
    once = forms.BooleanField(label=_("Once for each customer, as far as that is known"), required=False)
    again = forms.BooleanField(label=_("An order that was paid back as a whole gives its use back"), required=False)
    products = forms.MultipleChoiceField(
        label=_("Only for these products"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        field: Any = self.fields["products"]
        field.choices = list(Product.objects.order_by("position", "slug").values_list("slug", "name")[:200])
