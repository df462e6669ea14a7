"""The basket: the first cookie a visitor gets comes with the first thing in it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from troth.faces.storefront import limits
from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.accounts import QuantityForm
from troth.faces.storefront.forms.checkout import countries
from troth.faces.storefront.guards import See
from troth.faces.storefront.signed_in import give_basket, key_hash
from troth.faces.storefront.views import errors
from troth.faces.storefront.views.checkout import country_asked
from troth.shop.coupons import offer
from troth.shop.orders import basket
from troth.shop.orders.cost import cost, depends_on_country
from troth.shop.refusal import Refused


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def view(request: HttpRequest) -> HttpResponse:
    """GET shows it. POST action=add comes from cached pages without a token: origin.py guards it. Others bring one."""
    if request.method != "POST":
        return show(request)
    if request.POST.get("action") == "add":
        return add(request)
    return alter(request)


def show(request: HttpRequest, fault: object = "", status: int = 200) -> HttpResponse:
    currency = settings.TROTH.shop.currency
    lines, code = basket.held(request.who.basket_hash, currency)  # type: ignore[attr-defined]
    asked = country_asked(request)
    goods = [(line.unit.minor, line.quantity) for line in lines]
    taken = offer.on(code, [(line.slug, line.sum.minor) for line in lines])
    context = {
        "lines": lines,
        "cost": cost(goods, asked or settings.TROTH.shop.country, off=taken.off),
        "coupon": taken,
        "country": asked,
        "countries": countries(translation.get_language() or "en") if depends_on_country() else [],
        "fault": fault,
    }
    return page(request, "basket.html", context, status)


def add(request: HttpRequest) -> HttpResponse:
    form = QuantityForm(request.POST)
    if not form.is_valid():
        return errors.bad_request(request)
    response = See(reverse("basket"))
    key = give_basket(request, response)
    try:
        basket.add(key_hash(key), form.cleaned_data["edition"], settings.TROTH.shop.currency)
    except Refused as no:
        return show(request, no.sentence, 409)
    return response


@csrf_protect
def alter(request: HttpRequest) -> HttpResponse:
    if request.POST.get("action") in ("coupon", "no-coupon"):
        return enter(request)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        return show(request, next(iter(form.errors.values()))[0], 400)
    key, edition = request.who.basket_hash, form.cleaned_data["edition"]  # type: ignore[attr-defined]
    if request.POST.get("action") == "remove":
        basket.remove(key, edition, form.cleaned_data["renews"])
    elif request.POST.get("action") == "change" and form.cleaned_data["quantity"]:
        basket.change(key, edition, form.cleaned_data["quantity"])
    else:
        return errors.bad_request(request)
    return See(reverse("basket"))


def enter(request: HttpRequest) -> HttpResponse:
    """A coupon's code comes into the basket, if it takes anything off now; else a sentence says why not, 409."""
    if wait := limits.wanted(request, limits.COUPON):
        return limits.too_many(request, wait)
    key, currency = request.who.basket_hash, settings.TROTH.shop.currency  # type: ignore[attr-defined]
    code = offer.normal(request.POST.get("coupon", "")) if request.POST["action"] == "coupon" else ""
    if code:
        lines, _before = basket.held(key, currency)
        taken = offer.on(code, [(line.slug, line.sum.minor) for line in lines])
        if lines and taken.fault:
            return show(request, taken.fault, 409)
    basket.enter(key, code)
    return See(reverse("basket"))
