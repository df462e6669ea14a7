"""The checkout: one page, then the provider's own."""

from __future__ import annotations

import secrets
from datetime import datetime

from babel import Locale
from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from troth.faces.api.callers import came_from
from troth.faces.jinja import day
from troth.faces.storefront import gpc
from troth.faces.storefront.answers import page
from troth.faces.storefront.forms.checkout import NEW, CheckoutForm, countries
from troth.faces.storefront.guards import See, answers_for_the_keeper
from troth.faces.storefront.signed_in import enter, give_basket
from troth.faces.storefront.views.texts import agreeing
from troth.pledge.ids import SHAPE
from troth.pledge.prepared import Prepared
from troth.pledge.rights.models import Consent
from troth.pledge.vault.door import KeeperAway
from troth.shop.coupons import offer
from troth.shop.journeys import buy, own_data
from troth.shop.mailings import consent
from troth.shop.orders import basket
from troth.shop.orders.cost import Cost, cost
from troth.shop.orders.models import Order
from troth.shop.payments import gateways
from troth.shop.refusal import Refused

MOST_EARLIER = 5
Used = tuple[str, str, bool, datetime]  # a billing address, its country, whether it counts as a business's, last used


@require_http_methods(["GET", "HEAD", "POST"])
@answers_for_the_keeper
def view(request: HttpRequest) -> HttpResponse:
    """GET shows the form, or sends back to an empty basket. POST orders: 303 to the provider, or 400 with sentences.

    Where the total of the country or VAT number given is not the one that was shown, nothing is ordered yet: the form
    comes back with the new one, 409.
    """
    lines, code = basket.held(request.who.basket_hash, settings.TROTH.shop.currency)  # type: ignore[attr-defined]
    taken = offer.on(code, [(line.slug, line.sum.minor) for line in lines])
    free = bool(lines) and sum(line.sum.minor for line in lines) == sum(taken.off)
    if not gateways.offered() and not free:
        return page(request, "closed.html", status=503)
    person = request.who.person_ref  # type: ignore[attr-defined]
    data = request.POST if request.method == "POST" else None
    chosen = data.get("earlier", "") if person and data else ""
    # Whether an address that is chosen is theirs, the journey finds: the list is for choosing alone.
    unlisted = SHAPE.match(chosen) is not None
    used = _used(person) if person and not unlisted and not free else []
    earlier = [(chosen, "")] if unlisted else _named(used)
    first = {"once": secrets.token_urlsafe(16), "country": country_asked(request)}
    if not free:
        first["provider"] = gateways.offered()[0]
    if person and not free and data is None and not earlier:
        first |= _known(person, request.who.capability)  # type: ignore[attr-defined]
    status = 200 if data is None else 400
    form = CheckoutForm(data, known=person is not None, earlier=earlier, free=free, initial=first)
    if data is not None and form.is_valid():
        try:
            return _order(request, form, person)
        except buy.Changed as no:
            status = 409
            form.refuse(no)
        except Refused as no:
            form.refuse(no)
    if person and unlisted:
        used = _used(person)
        form.offer(_named(used))
    if person and consent.standing(person).what in Consent.CHOSEN:
        form.ask_no_more_about_news()
    if not lines:
        return See(reverse("basket"))
    context = {
        "form": form,
        "known": person is not None,
        "lines": lines,
        "cost": _cost(form, lines, used, taken.off),
        "coupon": taken,
        "free": free,
        "provider_hints": provider_hints(),
        "once": form["once"].value() or first["once"],
    }
    return page(request, "checkout.html", agreeing() | context, status)


def _known(person: str, capability: str) -> dict[str, str]:
    """What the first bill of somebody is prefilled with; nothing where it cannot be opened now: then they type it."""
    try:
        mine = own_data.show(person, capability, "prefill")
    except (Refused, KeeperAway):
        return {}
    return {"billing_name": mine.name, "billing_postcode": mine.postcode}


def country_asked(request: HttpRequest) -> str:
    """The country of ?country=…, by which basket and checkout show their sums before an address is given; or ""."""
    asked = request.GET.get("country", "")
    return asked if asked in dict(countries(translation.get_language() or "en")) else ""


def _cost(form: CheckoutForm, lines: list[basket.Line], used: list[Used], off: list[int]) -> Cost:
    """The sums for the address that is given or offered first; for a buyer at the shop's own home before that."""
    chosen = (form.data.get("earlier") if form.is_bound else form.earlier[0][0]) if form.earlier else NEW
    lives = next(((country, business) for billing, country, business, _used in used if billing == chosen), None)
    country, business = lives or form.lives_in() or (settings.TROTH.shop.country, False)
    return cost([(line.unit.minor, line.quantity) for line in lines], country, business, off)


def provider_hints() -> dict[str, str]:
    return {
        "paypal": _("With a PayPal account or by card, on the page of PayPal."),
        "skrill": _("With a Skrill wallet, by card or bank, on the page of Skrill."),
    }


def _order(request: HttpRequest, form: CheckoutForm, person: str | None) -> HttpResponse:
    given = form.cleaned_data
    buyer = (
        buy.Known(person)
        if person
        else buy.Newcomer(given["name"], given["email"], given["password"], given["postcode"])
    )
    begun = buy.begin(
        request.who.basket_key,  # type: ignore[attr-defined]
        buyer,
        form.billing(),
        given.get("provider", ""),
        mailings=gpc.chosen(request, "checkout", given.get("mailings")),
        waiver=given.get("waiver", False),
        once=given["once"],
        shown=given["shown"],
        came_from=came_from(request),
    )
    response = See(begun.pay_url or reverse("order", args=[begun.order_ref]))
    give_basket(request, response)  # it lets this browser see the order for as long as a session lasts
    if begun.signed_in:
        enter(request, response, begun.signed_in)
    return response


def _named(addresses: list[Used]) -> list[tuple[str, str]]:
    """A person's billing addresses by country and day, unread: the keeper is not asked for a list."""
    names = Locale.parse(translation.to_locale(translation.get_language() or "en")).territories
    return [
        (billing, _("The one in {country} that you used on {day}").format(
            country=names.get(country, country), day=day(used).striptags()
        ))
        for billing, country, _business, used in addresses
    ]  # fmt: skip


_used = Prepared(
    lambda person: (
        Order.objects.filter(person=person, billing__isnull=False)
        .values("billing", "country", "billing__business")
        .annotate(used=Max("made_at"))
        .order_by("-used")
        .values_list("billing", "country", "billing__business", "used")[:MOST_EARLIER]
    ),
    gaps=1,
)
