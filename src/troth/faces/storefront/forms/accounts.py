"""Registering, signing in, recovering, changing: small forms. Whether a password is good, the journeys say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.shop.mailings import consent

AT_LEAST = _("At least 10 characters.")


class RegisterForm(ShopForm):
    name = fields.name(_("Your name"))
    email = fields.email(hint=_("We send a link to confirm it."))
    password = fields.password(autocomplete="new-password", hint=AT_LEAST)
    postcode = fields.postcode(hint=_("It prefills the bill, nothing else."))
    mailings = forms.BooleanField(required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial)
        self.fields["mailings"].label = str(consent.offer("register").words)


class SignInForm(ShopForm):
    email = fields.email(hint="")
    password = fields.password()


class RecoverForm(ShopForm):
    email = fields.email()


class PasswordForm(ShopForm):
    password = fields.password(_("Your password"))


class UsePasskeyForm(ShopForm):
    """What the browser made of a challenge; empty fields where it made nothing."""

    challenge = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    passkey = forms.CharField(
        max_length=8000,
        widget=forms.HiddenInput,
        error_messages={"required": _("Your browser showed no passkey: it needs scripts for it. Try again.")},
    )


class AddPasskeyForm(UsePasskeyForm):
    password = fields.password(_("Your password"))


class NewPasswordForm(ShopForm):
    password = fields.password(_("New password"), autocomplete="new-password", hint=AT_LEAST)


class ChangeEmailForm(ShopForm):
    email = fields.email(_("New e-mail address"))
    password = fields.password(_("Your password"))


class DetailsForm(ShopForm):
    name = fields.name(_("Your name"))
    postcode = fields.postcode(required=False, hint=_("It prefills the bill, nothing else."))


class ChangePasswordForm(ShopForm):
    old = fields.password(_("Your present password"))
    password = fields.password(_("New password"), autocomplete="new-password", hint=AT_LEAST)


class QuantityForm(ShopForm):
    """A change of the basket. Numbers are bounded, so that nothing larger reaches the database."""

    edition = forms.IntegerField(min_value=1, max_value=2**53)
    quantity = forms.IntegerField(
        min_value=1, max_value=99, required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _("Choose a quantity from 1 to 99.")),
    )  # fmt: skip
    renews = forms.CharField(max_length=30, required=False)  # the licence that the line renews
