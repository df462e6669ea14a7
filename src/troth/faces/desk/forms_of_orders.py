"""Forms of daily work on orders: narrow a list, extend a download, give money back, note a transfer, put an address
right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.forms import DayInput
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.shop.journeys.extend import MOST_DAYS, MOST_TIMES
from troth.shop.journeys.transfer import LONGEST
from troth.shop.money import Money
from troth.shop.orders.models import Order, OrderLine

WHOLE = "all"
AMOUNT = _("Write the sum as a number, such as 10.00.")


class DayForm(ShopForm):
    """Which day a list is about."""

    day = forms.DateField(label=_("Day"), required=False, widget=DayInput())


class ExtendForm(ShopForm):
    grant = forms.CharField(max_length=30, widget=forms.HiddenInput)
    before = forms.CharField(max_length=30, widget=forms.HiddenInput)
    days = forms.IntegerField(label=_("Days more"), min_value=0, max_value=MOST_DAYS, required=False)
    times = forms.IntegerField(label=_("Times more"), min_value=0, max_value=MOST_TIMES, required=False)


class RefundForm(ShopForm):
    """`before`: what had gone back when the form was made, so that a form that is sent twice gives once."""

    before = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    line = forms.ChoiceField(label=_("What for?"))
    amount = fields.Text(_("Only a part of it"), 15, required=False, inputmode="decimal")

    def __init__(self, data: Any, order: Order, lines: Sequence[OrderLine], initial: dict[str, Any]) -> None:
        super().__init__(data, initial)
        self.order = order
        field: Any = self.fields["line"]
        field.choices = [
            *((str(n), line.name) for n, line in enumerate(lines, 1) if line.paid_minor > line.returned_minor),
            (WHOLE, _("All that is left of the order")),
        ]

    def clean_amount(self) -> int | None:
        return _sum(self.cleaned_data["amount"], self.order) if self.cleaned_data["amount"] else None

    @property
    def number(self) -> int | None:
        """The line's number on the order; None for the whole."""
        chosen = self.cleaned_data["line"]
        return None if chosen == WHOLE else int(chosen)


class TransferForm(ShopForm):
    reference = fields.Text(
        _("The bank's reference of the booking"), LONGEST,
        hint=_("As it stands on the statement. No name and no account number: what you type is kept in clear."),
    )  # fmt: skip
    booked_on = forms.DateField(label=_("Booked on"), widget=DayInput())
    came = fields.Text(_("Sum that came"), 15, inputmode="decimal")

    def __init__(self, data: Any, order: Order) -> None:
        super().__init__(data)
        self.order = order

    def clean_came(self) -> int:
        return _sum(self.cleaned_data["came"], self.order)


class RedirectForm(ShopForm):
    email = fields.email(hint=_("As the customer told you: the goods go there."))


def _sum(typed: str, order: Order) -> int:
    try:
        return Money.parse(typed, order.currency).minor
    except ValueError:
        raise forms.ValidationError(AMOUNT) from None
