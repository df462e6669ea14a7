"""The desk's forms: small, plain, and guarded like the storefront's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.desk.frame import ROLE_NAMES, WHYS
from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge import clock
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
