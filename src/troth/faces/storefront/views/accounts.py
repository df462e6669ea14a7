"""Coming in: register, sign in and out, confirm an address, recover a password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from troth.faces.api.callers import came_from
from troth.faces.storefront import gpc
from troth.faces.storefront.answers import page, word
from troth.faces.storefront.forms.accounts import NewPasswordForm, RecoverForm, RegisterForm, SignInForm
from troth.faces.storefront.guards import See, answers_for_the_keeper, for_the_signed_in
from troth.faces.storefront.signed_in import DEVICE_COOKIE, enter, leave
from troth.faces.storefront.views.texts import agreeing
from troth.shop.journeys import claim as claiming
from troth.shop.journeys import confirm as confirming
from troth.shop.journeys import passkeys
from troth.shop.journeys import recover as recovering
from troth.shop.journeys import register as registering
from troth.shop.journeys import sign_in as signing
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])
# Where a sign-in may lead: names of our own pages, never an address from outside.
AFTER = frozenset(
    {
        "account",
        "account_email",
        "account_erase",
        "account_passkeys",
        "account_password",
        "account_privacy",
        "account_tickets",
        "checkout",
        "contact",
    }
)


@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def register(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return page(request, "register.html", agreeing() | {"form": RegisterForm()})
    form = RegisterForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        try:
            news = bool(gpc.chosen(request, "register", given["mailings"]))
            signed = registering.register(
                given["name"], given["email"], given["password"], given["postcode"], news, came_from(request)
            )
        except Refused as no:
            form.refuse(no)
        else:
            response = _registered(request)
            if signed:
                enter(request, response, signed)
            return response
    return page(request, "register.html", agreeing() | {"form": form}, 400)


def _registered(request: HttpRequest) -> HttpResponse:
    return word(
        request,
        _("Welcome"),
        _("A letter with a link is on its way to you: follow it, and the address is confirmed."),
        _("You need not wait for it to buy."),
        href=reverse("account"),
        label=_("To your account"),
    )


@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def sign_in(request: HttpRequest) -> HttpResponse:
    given_next = (request.POST if request.method == "POST" else request.GET).get("next", "")
    following = given_next if given_next in AFTER else ""
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            device = request.COOKIES.get(DEVICE_COOKIE, "")
            signed = signing.sign_in(form.cleaned_data["email"], form.cleaned_data["password"], device)
        except Refused as no:
            form.refuse(no)
        else:
            response = See(reverse(following or "account"))
            enter(request, response, signed)
            return response
    status = 400 if request.method == "POST" else 200
    context = {"form": form, "next": following, "passkeys": passkeys.possible()}
    return page(request, "sign_in.html", context, status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    response = See(reverse("shelf"))
    leave(request, response)
    return response


@form_page
@answers_for_the_keeper
def confirm(request: HttpRequest, ticket: str, secret: str) -> HttpResponse:
    """GET changes nothing, since mail programs look at links by themselves; the button does."""
    if request.method != "POST":
        return page(request, "confirm.html")
    if not confirming.confirm(ticket, secret):
        return word(
            request,
            _("This link is over"),
            _("It was used before, or it has lain too long."),
            _("If your address is not confirmed yet: a new password, set by a letter, confirms it as well."),
            href=reverse("recover"),
            label=_("Ask for the letter"),
        )
    return word(
        request,
        _("Thank you"),
        _("Your e-mail address is confirmed."),
        href=reverse("account"),
        label=_("To your account"),
    )


@form_page
@for_the_signed_in
@answers_for_the_keeper
def claim(request: HttpRequest, ticket: str, secret: str) -> HttpResponse:
    """GET asks; the button puts what a guest bought into the account of who is signed in."""
    if request.method != "POST":
        return page(request, "claim.html")
    who = request.who  # type: ignore[attr-defined]
    try:
        claiming.claim(who.person_ref, who.capability, ticket, secret)
    except Refused as no:
        home = reverse("account")
        return word(request, _("That did not work"), str(no.sentence), href=home, label=_("To your account"))
    return See(reverse("account"))


@form_page
@answers_for_the_keeper
def recover(request: HttpRequest) -> HttpResponse:
    """The same answer for every address, known or not."""
    form = RecoverForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return page(request, "recover.html", {"form": form}, 400 if request.method == "POST" else 200)
    recovering.ask(form.cleaned_data["email"])
    return word(
        request,
        _("Look into your mailbox"),
        _("If the address is registered here, a letter with a link comes in a minute or two."),
        _("Nothing there? Look at the spelling, and into the folder for unwanted mail."),
    )


@form_page
@sensitive_post_parameters()
@answers_for_the_keeper
def recover_finish(request: HttpRequest, ticket: str, secret: str) -> HttpResponse:
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signed = recovering.finish(ticket, secret, form.cleaned_data["password"])
        except Refused as no:
            form.refuse(no)
        else:
            response = See(reverse("account"))
            enter(request, response, signed)
            return response
    return page(request, "recover_finish.html", {"form": form}, 400 if request.method == "POST" else 200)
