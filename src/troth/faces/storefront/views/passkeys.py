"""A person's passkeys, and signing in with one. The browser's part is static/passkeys.js; the keeper verifies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.accounts import AddPasskeyForm, UsePasskeyForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in, to_sign_in
from troth.faces.storefront.signed_in import enter
from troth.shop.journeys import passkeys
from troth.shop.refusal import Refused


@require_safe
@for_the_signed_in
@answers_for_the_keeper
def mine(request: HttpRequest) -> HttpResponse:
    try:
        known = passkeys.mine(request.who.capability)  # type: ignore[attr-defined]
    except Refused:
        return to_sign_in(request)  # the capability has ended before the session
    return page(request, "account_passkeys.html", {"passkeys": known, "possible": passkeys.possible()})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@for_the_signed_in
@answers_for_the_keeper
def add(request: HttpRequest) -> HttpResponse:
    """GET brings a challenge; POST what the browser made of it, with the password. A new challenge for each try."""
    who = request.who  # type: ignore[attr-defined]
    form = AddPasskeyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            passkeys.add(who.person_ref, who.capability, given["password"], given["challenge"], given["passkey"])
        except Refused as no:
            form.refuse(no)
        else:
            return See(reverse("account_passkeys"))
    try:
        challenge = passkeys.to_add(who.person_ref, who.capability)
    except Refused:
        return to_sign_in(request)
    context = {"form": form, "given": challenge, "possible": passkeys.possible()}
    return page(request, "account_passkey_add.html", context, 400 if request.method == "POST" else 200)


@require_POST
@for_the_signed_in
@answers_for_the_keeper
def remove(request: HttpRequest) -> HttpResponse:
    who = request.who  # type: ignore[attr-defined]
    form = UsePasskeyForm(request.POST)
    if form.is_valid():
        try:
            passkeys.remove(who.person_ref, who.capability, form.cleaned_data["passkey"])
        except Refused:
            return to_sign_in(request)
    return See(reverse("account_passkeys"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@answers_for_the_keeper
def sign_in(request: HttpRequest) -> HttpResponse:
    """POST without a passkey brings a challenge, with one it signs in. GET is for who comes back here by chance."""
    if request.method != "POST":
        return See(reverse("sign_in"))
    form = UsePasskeyForm(request.POST)
    if form.is_valid():
        try:
            signed = passkeys.sign_in(form.cleaned_data["challenge"], form.cleaned_data["passkey"])
        except Refused as no:
            form.refuse(no)
        else:
            response = See(reverse("account"))
            enter(request, response, signed)
            return response
    asked = "passkey" in request.POST
    context = {"form": form if asked else UsePasskeyForm(), "given": passkeys.to_sign_in()}
    return page(request, "sign_in_passkey.html", context, 400 if asked else 200)
