"""Come in: password, then a second factor, always; join by an invitation; type a code again; go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.faces.desk import seat as seats
from troth.faces.desk.answers import page
from troth.faces.desk.forms import CodeForm, CountForm, FactorForm, JoinForm, SignInForm
from troth.faces.desk.guards import for_comers, open_to, to_sign_in
from troth.faces.storefront.guards import See
from troth.pledge.office.policy import FRESH
from troth.shop.journeys import desk, passkeys, roster
from troth.shop.refusal import Refused

form_page = require_http_methods(["GET", "HEAD", "POST"])


@form_page
@sensitive_post_parameters()
@for_comers
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            signed = desk.sign_in(**form.cleaned_data, device=request.COOKIES.get(seats.DEVICE, ""))
        except Refused as no:
            form.refuse(no)
        else:
            response = See(reverse("desk_second_factor"))
            seats.begin(response, signed.capability, signed.device)
            return response
    return page(request, "sign_in.html", {"form": form}, 400 if request.method == "POST" else 200)


@form_page
@sensitive_post_parameters()
@for_comers
def second_factor(request: HttpRequest) -> HttpResponse:
    own = seats.half_way(request)
    if not own:
        return to_sign_in()
    form = FactorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            entered = desk.enter(own, form.factor)
        except Refused as no:
            if getattr(no, "code", "") == "capability":
                return _no_colleague(request)
            form.refuse(no)
        else:
            response = page(request, "recovery.html", {"codes": entered.recovery}) if entered.recovery else None
            response = response or See(reverse("desk"))
            seats.sit_down(response, entered)
            return response
    context = {"form": form, "typed": form.typed, "given": _challenge()}
    return page(request, "second_factor.html", context, 400 if request.method == "POST" else 200)


@require_POST
@for_comers
def app(request: HttpRequest) -> HttpResponse:
    """Set an app up: its secret is shown once, and good after a code of it came back."""
    own = seats.half_way(request)
    if not own:
        return to_sign_in()
    return page(request, "app.html", {"app": desk.plant(own), "form": CodeForm()})


@form_page
@sensitive_post_parameters()
@for_comers
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """GET changes nothing. The invitation is used up by the account that signs in here."""
    form = JoinForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            signed = desk.sign_in(given["email"], given["password"], request.COOKIES.get(seats.DEVICE, ""))
            roster.join(signed.person_ref, signed.capability, secret, given["handle"])
        except Refused as no:
            form.refuse(no)
        else:
            response = page(request, "app.html", {"app": desk.plant(signed.capability), "form": CodeForm()})
            seats.begin(response, signed.capability, signed.device)
            return response
    return page(request, "join.html", {"form": form, "secret": secret}, 400 if request.method == "POST" else 200)


@form_page
@sensitive_post_parameters()
@open_to()
def again(request: HttpRequest) -> HttpResponse:
    """The second factor once more, before what is grave; then back to the page that asked for it."""
    wanted = (request.POST if request.method == "POST" else request.GET).get("next", "")
    inside = wanted.startswith(f"{seats.PATH}/") and url_has_allowed_host_and_scheme(wanted, None)
    form = FactorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            fresh = desk.renew(request.desk.capability, form.factor)  # type: ignore[attr-defined]
        except Refused as no:
            form.refuse(no)
        else:
            response = See(wanted if inside else reverse("desk"))
            seats.give(response, seats.FRESH, fresh, FRESH)
            return response
    context = {"form": form, "typed": form.typed, "next": wanted if inside else "", "given": _challenge()}
    return page(request, "again.html", context, 400 if request.method == "POST" else 200)


@require_safe
@open_to()
def factors(request: HttpRequest) -> HttpResponse:
    """One's own second factors, and which passkeys count as one."""
    mine = desk.passkeys(request.desk.capability)  # type: ignore[attr-defined]
    return page(request, "factors.html", {"passkeys": mine, "possible": passkeys.possible()})


@require_POST
@open_to(fresh=True)
def count(request: HttpRequest) -> HttpResponse:
    """Let a passkey count at the desk, or no longer: with a second factor of just now."""
    form = CountForm(request.POST)
    if form.is_valid():
        seat, given = request.desk, form.cleaned_data  # type: ignore[attr-defined]
        desk.count(seat.capability, seat.fresh, given["passkey"], given["counts"] == "yes")
    return See(reverse("desk_factors"))


@require_POST
@for_comers
def sign_out(request: HttpRequest) -> HttpResponse:
    if capability := request.COOKIES.get(seats.SESSION, ""):
        desk.leave(capability)
    response = See(reverse("desk_sign_in"))
    seats.stand_up(response)
    return response


def _challenge() -> str:
    """For a passkey; "" where browsers do not use them at this address."""
    return passkeys.to_sign_in().challenge if passkeys.possible() else ""


def _no_colleague(request: HttpRequest) -> HttpResponse:
    """The password was right, and nobody with this account works here now."""
    response = page(
        request,
        "word.html",
        {
            "heading": _("You do not work here now"),
            "sentences": [_("This account was not invited, or it was suspended. Ask the owner.")],
            "href": reverse("shelf"),
            "label": _("To the shop"),
        },
        403,
    )
    seats.stand_up(response)
    return response
