"""The desk's forms: small, plain, and guarded like the storefront's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.frame import ROLE_NAMES, WHYS
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge import clock
from troth.shop.journeys import desk
from troth.shop.journeys.job import HOURS
from troth.shop.staff.models import Job

KINDS = (("employee", _("An employee")), ("agency", _("Somebody of an agency")))
FOR = (("1", _("one hour")), ("8", _("a day's work")), ("72", _("three days")), ("336", _("two weeks")))
assert {hours for hours, _label in FOR} == HOURS.keys()


def code() -> fields.Text:
    hint = _("Six digits from your app, or one of your recovery codes.")
    return fields.Text(_("Code"), 24, autocomplete="one-time-code", hint=hint, inputmode="text")


class SignInForm(ShopForm):
    email = fields.email()
    password = fields.password()


class CodeForm(ShopForm):
    code = code()


class FactorForm(ShopForm):
    """A code, or what a browser made of a challenge."""

    code = code()
    challenge = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    passkey = forms.CharField(max_length=8000, required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        if data and "passkey" in data:
            del self.fields["code"]
            self.fields["passkey"].required = True
            self.fields["passkey"].error_messages["required"] = _(
                "Your browser showed no passkey; type a code instead."
            )

    @property
    def typed(self) -> ShopForm:
        """The form for a code, also where a passkey was shown."""
        return self if "code" in self.fields else CodeForm()

    @property
    def factor(self) -> desk.Factor:
        return desk.Factor(**self.cleaned_data)


class CountForm(ShopForm):
    passkey = forms.CharField(max_length=2000, widget=forms.HiddenInput)
    counts = forms.ChoiceField(choices=[("yes", ""), ("no", "")], widget=forms.HiddenInput)


class JoinForm(SignInForm):
    handle = fields.line(_("How colleagues call you"), 30, autocomplete="nickname", hint=_("They see it in lists."))


class SearchForm(ShopForm):
    q = fields.Text(_("Order number, licence key or whole e-mail address"), 254, kind="search")


class TakeForm(ShopForm):
    """A job: why, and for how long. On the customer of an order, or of an e-mail address that was typed whole."""

    order = forms.CharField(max_length=30, required=False, widget=forms.HiddenInput)
    mailbox = forms.CharField(max_length=254, required=False, widget=forms.HiddenInput)
    why = forms.ChoiceField(label=_("What is it about?"), choices=[(why, WHYS[why]) for why in Job.WHYS])
    hours = forms.ChoiceField(label=_("For how long?"), choices=FOR, initial="8")


class GlassForm(ShopForm):
    order = fields.Text(_("Order number"), 30, hint=_("It begins with ord_."))
    sure = forms.BooleanField(label=_("Somebody must look at this customer now, and nobody with the role is here."))


class RolesForm(ShopForm):
    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=list(ROLE_NAMES.items()), widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role.")},
    )  # fmt: skip
    kind = forms.ChoiceField(label=_("Who is it?"), choices=KINDS, initial="employee")


class DayInput(forms.DateInput):
    input_type = "date"


class AttestForm(RolesForm):
    until = forms.DateField(
        label=_("Until"), help_text=_("A year at most; then you say so again."),
        widget=DayInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say until when."), "invalid": _("Write the day as 2027-03-31.")},
    )  # fmt: skip

    def clean_until(self) -> datetime:
        day = self.cleaned_data["until"]
        until = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if not clock.now() < until <= clock.now() + timedelta(days=366):
            raise forms.ValidationError(_("Choose a day from tomorrow to a year from now."))
        return until
