"""The desk's forms for questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.forms import FOR
from troth.faces.storefront.forms.base import ShopForm
from troth.faces.storefront.forms.tickets import AddForm
from troth.shop.support.models import Ticket


class TakeTicketForm(ShopForm):
    hours = forms.ChoiceField(label=_("For how long?"), choices=FOR, initial="8")


class AnswerForm(AddForm):
    """An answer, or a note: which of them, the button says."""

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        self.fields["text"].label = _("Answer, or note")


class MergeForm(ShopForm):
    into = forms.ChoiceField(label=_("Make it part of"))

    def __init__(self, data: Mapping[str, Any] | None, others: Sequence[Ticket]) -> None:
        super().__init__(data)
        field: Any = self.fields["into"]
        field.choices = [(one.ref, one.short) for one in others]
