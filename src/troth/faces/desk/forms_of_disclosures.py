"""The desk's forms for lawful disclosures. What is not one of the three bases has no form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.forms import DayInput
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge.disclosure import rules
from troth.shop.disclosure import records
from troth.shop.disclosure.counts import BASES
from troth.shop.tax.countries import alpha2

GROUNDS = {
    "subpoena": _("a subpoena"),
    "court-order": _("a court order"),
    "legal-process": _("another legal process of that kind"),
    "agency": _("a government agency"),
    "attorney": _("an attorney"),
    "actual-party": _("the customer is a party"),
    "potential-party": _("the customer may become a party"),
    "contributed": _("the customer contributed in some way to what caused it"),
}
CHECKED = {
    "call-back": _("The issuer was called back at a number that we found ourselves, not in the document"),
    "issuer": _("The issuer exists, and this person acts for it"),
    "jurisdiction": _("It has a say over us; from another country, a treaty stands behind it (GDPR, Article 48)"),
    "matter": _("The matter is named, and our own attorney asks in it"),
    "part": _("The customer’s part in the matter is shown, for each ground that is ticked"),  # noqa: RUF001
    "narrowed": _("Customers, fields and days are no more than the document needs"),
}
FIELDS = {
    "contact": _("contact"), "locality": _("postcode"), "billing": _("billing address"), "network": _("network"),
    "correspondence": _("messages"),
}  # fmt: skip
DAY = {"required": _("Say which day."), "invalid": _("Write the day as 2027-03-31.")}


def ticks(label: Any, choices: list[tuple[str, Any]], missing: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, widget=forms.CheckboxSelectMultiple, error_messages={"required": missing}
    )


def day(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=DayInput(attrs={"autocomplete": "off"}), error_messages=DAY, **more)


def area(label: Any, hint: Any, required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": "4", "maxlength": "4000", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=hint, widget=widget, max_length=4000, required=required)


def enclosed(label: Any, hint: Any) -> forms.CharField:
    """The files stand beside the form: they are sealed before it is read."""
    return forms.CharField(
        required=False,
        label=label,
        help_text=hint,
        widget=forms.TextInput(attrs={"accept": ".pdf,.png,.jpg,.jpeg,.txt"}),
    )


class WithPaper(ShopForm):
    """Days, as whole days of UTC, and a document."""

    def at(self, name: str) -> datetime:
        """The beginning of a day; of `until` the end."""
        given = self.cleaned_data[name]
        at = datetime(given.year, given.month, given.day, tzinfo=UTC)
        return at.replace(hour=23, minute=59, second=59) if name.endswith("until") else at

    def echo(self, name: str) -> str:
        return "" if name == "enclosed" else str(self[name].value() or "")


class Dated(WithPaper):
    """Fields of customers besides, with their classes."""

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        field: Any = self.fields["wanted"]
        field.choices = [
            (f"{klass}.{name}", f"{FIELDS.get(klass, klass)}: {name.replace('_', ' ')}")
            for klass, names in records.offered().items()
            for name in names
        ]

    def by_class(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.cleaned_data["wanted"]:
            klass, _dot, name = one.partition(".")
            found.setdefault(klass, []).append(name)
        return found


class RequestForm(Dated):
    basis = forms.ChoiceField(label=_("Basis"), choices=[(one, f"({one}) {words}") for one, words in BASES.items()])
    grounds = ticks(_("Grounds"), list(GROUNDS.items()), _("Tick what it is, for its basis."))
    action = forms.ChoiceField(
        label=_("The legal action or matter is"), required=False,
        choices=[("", _("none is needed: basis (a)")), ("current", _("current")), ("pending", _("pending"))],
    )  # fmt: skip
    name = fields.Text(_("Name of the action or matter"), 200, required=False, hint=_("For the bases (b) and (c)."))
    reasons = area(_("Why each ground is one"), _("Sealed; for who works on this case."))
    authority = fields.Text(_("Who asks"), 200)
    called = area(
        _("Called back when, at which number, found where"), _("A number found independently of the document.")
    )
    country = fields.Text(_("Country"), 2, hint=_("Of who asks: two letters, such as DE."))
    recipient = fields.Text(
        _("Their age recipient"), 100, hint=_("It begins with age1: the bundle opens for it alone.")
    )
    persons = forms.IntegerField(label=_("Of how many customers"), min_value=1, max_value=100, initial=1)
    wanted = ticks(_("Fields that the document asks for"), [], _("Tick the fields that it asks for."))
    since = day(_("From"))
    until = day(_("Until"))
    answer_by = day(_("Answer by"), required=False)
    enclosed = enclosed(_("The document"), _("PDF, picture or text; sealed as it arrives."))

    def clean_country(self) -> str:
        if not (found := alpha2(self.cleaned_data["country"])):
            raise forms.ValidationError(_("Write the country in two letters, such as DE."))
        return found


class NarrowForm(Dated):
    who = area(_("Customers"), _("One a line: an order number, or the whole e-mail address."))
    wanted = ticks(_("Fields"), [], _("Tick the fields that are needed."))
    since = day(_("From"))
    until = day(_("Until"))
    checked = ticks(_("Looked into"), list(CHECKED.items()), _("Tick what was looked into."))
    notice_days = forms.IntegerField(
        label=_("Days of notice to the customer"), min_value=1, max_value=90, initial=14,
        help_text=_("Fourteen, unless the document leaves less time."),
    )  # fmt: skip
    bar_until = day(_("A document forbids to tell them, until"), required=False)
    enclosed = enclosed(_("The document that forbids it"), _("Only with a day above."))

    def for_basis(self, basis: str) -> NarrowForm:
        field: Any = self.fields["checked"]
        field.choices = [(one, words) for one, words in CHECKED.items() if one in rules.CHECKED[basis]]
        return self


class BarForm(WithPaper):
    bar_until = day(_("Until"))
    enclosed = enclosed(_("The document that prolongs it"), _("Another one than before."))


class SignatureForm(ShopForm):
    key = forms.ChoiceField(label=_("Outside approver"))
    signature = fields.Text(_("Signature"), 128, hint=_("As `troth disclosure sign` prints it."))

    def __init__(self, data: Mapping[str, Any] | None, known: list[tuple[str, str]]) -> None:
        super().__init__(data)
        field: Any = self.fields["key"]
        field.choices = known


class OutsiderForm(ShopForm):
    office = fields.Text(_("Their office"), 40, hint=_("Such as notary, or data protection officer; no name."))
    key = fields.Text(_("Their public key"), 64, hint=_("Ed25519, 64 hexadecimal characters; it counts in three days."))

    def clean_key(self) -> bytes:
        try:
            found = bytes.fromhex(self.cleaned_data["key"])
        except ValueError:
            found = b""
        if len(found) != 32:
            raise forms.ValidationError(_("That is no such key: 64 hexadecimal characters."))
        return found
