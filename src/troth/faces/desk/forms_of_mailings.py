"""The desk's forms for mailings: what to say and to whom, and when to begin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.forms import DayInput
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge.policy import cards
from troth.shop.catalogue.models import Edition, Product
from troth.shop.mailings.markup import LONGEST
from troth.shop.mailings.segments import Segment

DAYS = ("bought_since", "bought_before", "updates_end_from", "updates_end_to")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=DayInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("Write the day as 2027-03-31.")},
    )  # fmt: skip


class MailingForm(ShopForm):
    title = fields.Text(_("Subject"), 120)
    text = forms.CharField(
        label=_("Text"), strip=False,
        help_text=_("Markdown: **strong**, lists, [links](https://…). No pictures: nothing in it is fetched."),
        error_messages={"required": _("Please write something.")},
        widget=forms.Textarea(attrs={"rows": "14", "maxlength": str(LONGEST), "autocomplete": "off"}),
    )  # fmt: skip
    goods = forms.ChoiceField(label=_("Who bought"), required=False)
    bought_since = _day(_("Bought on this day or later"))
    bought_before = _day(_("Bought before this day"))
    updates_end_from = _day(_("Updates end on this day or later"))
    updates_end_to = _day(_("Updates end on this day or earlier"))

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        choices: Any = self.fields["goods"]
        choices.choices = _goods()

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        if cards.holds_card_number(text):
            raise forms.ValidationError(fields.CARD, "card")
        return text

    def echo(self, name: str) -> str:
        """Nobody writes a long text twice."""
        return str(self[name].value() or "") if name == "text" else super().echo(name)

    @property
    def segment(self) -> Segment:
        """Once the form is valid."""
        product, _slash, edition = self.cleaned_data["goods"].partition("/")
        return Segment(product, edition, **{name: self.cleaned_data[name] for name in DAYS})


def filled(title: str, text: str, segment: Segment) -> dict[str, str]:
    """What a form about this mailing begins with."""
    days = {name: _written(getattr(segment, name)) for name in DAYS}
    goods = f"{segment.product}/{segment.edition}" if segment.edition else segment.product
    return {"title": title, "text": text, "goods": goods, **days}


def _written(day: date | None) -> str:
    return day.isoformat() if day else ""


def _goods() -> list[tuple[str, Any]]:
    names = dict(Product.objects.order_by("name").values_list("slug", "name"))
    editions = Edition.objects.order_by("pk").values_list("product", "code", "name")
    found: list[tuple[str, Any]] = [("", _("Anything, or nothing yet"))]
    for slug, name in names.items():
        found.append((slug, name))
        found += [(f"{slug}/{code}", f"{name}: {label}") for product, code, label in editions if product == slug]
    return found


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"


class SendForm(ShopForm):
    at = forms.DateTimeField(
        label=_("Begin at (UTC)"), required=False, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        help_text=_("Left empty: now."), widget=MomentInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("Write the moment as 2027-03-31 09:00.")},
    )  # fmt: skip

    def clean_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["at"]
        return moment.replace(tzinfo=UTC) if moment else None
