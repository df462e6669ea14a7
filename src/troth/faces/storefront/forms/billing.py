"""Whom an invoice is written to, where it is billed anew: all but the country, which it keeps."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge.vault.classes import Billing


class BillingForm(ShopForm):
    company = fields.line(_("Company"), 120, autocomplete="organization", required=False)
    billing_name = fields.name(_("Name on the bill"), autocomplete="billing name")
    street = fields.line(_("Street and number"), 200, autocomplete="street-address")
    billing_postcode = fields.postcode(_("Postcode"))
    city = fields.line(_("Town"), 100, autocomplete="address-level2")
    vat_number = fields.vat_number(_("VAT number"))
    time = forms.CharField(required=False, widget=forms.HiddenInput)  # the how manieth of this order it will be

    def clean_time(self) -> int:
        time = self.cleaned_data["time"]
        return int(time) if re.fullmatch(r"[0-9]{1,3}", time, re.ASCII) else 0

    def billing(self, country: str) -> Billing:
        """Once the form is valid."""
        given = self.cleaned_data
        return Billing(
            name=given["billing_name"], company=given["company"], street=given["street"], city=given["city"],
            postcode=given["billing_postcode"], country=country, vat_number=given["vat_number"],
        )  # fmt: skip
