"""The checkout: who, billing address, an account if wanted, how to pay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from babel import Locale
from django import forms
from django.utils import translation
from django.utils.choices import BaseChoiceIterator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from troth.faces.storefront.forms import fields
from troth.faces.storefront.forms.base import ShopForm
from troth.pledge.vault.classes import Billing
from troth.shop.accounts import passwords
from troth.shop.journeys import withdraw
from troth.shop.mailings import consent
from troth.shop.orders.cost import is_business
from troth.shop.payments import gateways
from troth.shop.refusal import Refused

NEW = "new"
NOT_THEIRS = _("Please check the VAT number: it is none of the country of this address.")
# Babel's two-letter territories that are no countries of ISO 3166-1: unions, outlying parts, unknown.
_NOT_COUNTRIES = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])
_ADDRESS = ("billing_name", "street", "city", "billing_postcode", "country")
_TO_BE_PAID = (*_ADDRESS, "company", "vat_number", "provider")


@lru_cache(maxsize=8)
def countries(language: str) -> list[tuple[str, str]]:
    """ISO 3166-1 codes with their names in a language, sorted by name."""
    names = Locale.parse(translation.to_locale(language)).territories
    found = [(code, name) for code, name in names.items() if re.fullmatch(r"[A-Z]{2}", code)]
    return sorted((pair for pair in found if pair[0] not in _NOT_COUNTRIES), key=lambda pair: pair[1])


class Countries(BaseChoiceIterator):
    """The choices of a country, which Django takes as they are instead of walking through all for each form."""

    def __iter__(self) -> Iterator[tuple[str, str]]:
        yield "", gettext("Choose a country")
        yield from countries(translation.get_language() or "en")


class CheckoutForm(ShopForm):
    """`known`: the buyer is signed in, so nobody asks who they are. `earlier`: billing addresses to use unread.

    `free`: there is nothing to pay, so nobody asks where to send a bill.
    """

    name = fields.name(_("Your name"))
    email = fields.email(hint=_("The product is sent to it."))
    billing_name = fields.name(
        _("Name on the bill"), autocomplete="billing name", required=False, hint=_("Only if it is not your own.")
    )
    company = fields.line(_("Company"), 120, autocomplete="organization", required=False)
    street = fields.line(_("Street and number"), 200, autocomplete="street-address")
    billing_postcode = fields.postcode(_("Postcode"))
    city = fields.line(_("Town"), 100, autocomplete="address-level2")
    country = forms.ChoiceField(
        label=_("Country"), choices=Countries(), widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"required": _("Choose a country."), "invalid_choice": _("Choose a country.")},
    )  # fmt: skip
    vat_number = fields.vat_number(_("VAT number"))
    password = fields.password(
        autocomplete="new-password", required=False, hint=_("At least 10 characters. Leave it empty to buy as a guest.")
    )
    postcode = fields.postcode(
        _("Postcode of your account"), autocomplete="section-account postal-code", required=False,
        hint=_("It prefills later bills, nothing else."),
    )  # fmt: skip
    provider = forms.ChoiceField(label=_("How to pay"), error_messages={"required": _("Choose how you want to pay.")})
    mailings = forms.BooleanField(required=False)
    waiver = forms.BooleanField(required=False)
    once = forms.CharField(required=False, widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)  # the total beside the form, in minor units

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        known: bool,
        earlier: list[tuple[str, str]],
        free: bool = False,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial)
        self.fields["mailings"].label = str(consent.offer("free" if free else "checkout").words)
        self.known, self.earlier, self.free = known, [] if free else earlier, free
        if known:
            for name in ("name", "email", "password", "postcode"):
                del self.fields[name]
        self.fields["waiver"].label = withdraw.words()
        if free or not withdraw.offered():
            del self.fields["waiver"]
        if free:
            for name in _TO_BE_PAID:
                del self.fields[name]
            return
        if known:
            self.fields["billing_name"].required = True
            self.fields["billing_name"].help_text = ""
        if earlier:
            choices = [*earlier, (NEW, _("A new address"))]
            self.fields["earlier"] = forms.ChoiceField(
                label=_("Billing address"), choices=choices, initial=earlier[0][0],
                error_messages={"required": _("Choose an address."), "invalid_choice": _("Choose an address.")},
            )  # fmt: skip
            if self.data.get("earlier") != NEW:  # a browser that insists on them would not let an earlier one be used
                for name in _ADDRESS:
                    self.fields[name].required = False
        provider: Any = self.fields["provider"]
        provider.choices = [(code, gateways.NAMES[code]) for code in gateways.offered()]
        provider.error_messages["invalid_choice"] = _("Choose how you want to pay.")

    def offer(self, earlier: list[tuple[str, str]]) -> None:
        """Show these addresses to choose from, where the form comes back."""
        self.earlier = earlier
        if "earlier" in self.fields:
            field: Any = self.fields["earlier"]
            field.choices = [*earlier, (NEW, _("A new address"))]

    def ask_no_more_about_news(self) -> None:
        """They said already whether we may write to them about news."""
        del self.fields["mailings"]

    def optional(self, name: str) -> bool:
        return super().optional(name) and not (self.earlier and name in _ADDRESS)

    def clean_once(self) -> str:
        """A form sent twice is one order; a mark that is not of our making is as good as none."""
        once = self.cleaned_data["once"]
        return once if re.fullmatch(r"[A-Za-z0-9_-]{22}", once) else ""

    def clean_shown(self) -> int | None:
        shown = self.cleaned_data["shown"]
        return int(shown) if re.fullmatch(r"[0-9]{1,12}", shown, re.ASCII) else None

    def clean_vat_number(self) -> str:
        """A number of a Member State fits the country of the address; elsewhere it is only printed."""
        number, country = self.cleaned_data["vat_number"], self.cleaned_data.get("country", "")
        try:
            is_business(number, country)
        except ValueError:
            raise forms.ValidationError(NOT_THEIRS) from None
        return str(number)

    def lives_in(self) -> tuple[str, bool] | None:
        """Country, and whether a VAT number counts, of a new address as far as it is given; None before that."""
        given = self.cleaned_data if self.is_bound else {}
        country = given.get("country") or (self.initial.get("country", "") if not self.is_bound else "")
        if not country:
            return None
        return country, is_business(given.get("vat_number", ""), country)

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if given.get("postcode") and not given.get("password") and "password" not in self.errors:
            self.add_error("password", _("Choose a password to register, or leave the postcode empty as well."))
        if given.get("password"):
            try:
                passwords.check(given["password"], given.get("name", ""), given.get("email", ""))
            except Refused as no:
                self.refuse(no)
        return given

    def billing(self) -> Billing | str | None:
        """A new address, or the id of an earlier one; None where there is nothing to pay."""
        given = self.cleaned_data
        if self.free:
            return None
        if given.get("earlier", NEW) != NEW:
            return str(given["earlier"])
        return Billing(
            name=given["billing_name"] or given["name"],
            company=given["company"],
            street=given["street"],
            city=given["city"],
            postcode=given["billing_postcode"],
            country=given["country"],
            vat_number=given["vat_number"],
        )
