"""Coupons: what is good, how often each was used, and their end. A coupon is nobody's; who used one is not shown."""

from __future__ import annotations

from datetime import UTC, date, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from troth.faces.desk.answers import page
from troth.faces.desk.forms_of_coupons import CouponForm
from troth.faces.desk.guards import open_to
from troth.faces.desk.views.products import KEEPERS, form_page
from troth.faces.storefront.guards import See
from troth.pledge import clock
from troth.shop.coupons import making
from troth.shop.coupons.models import Coupon
from troth.shop.money import Money
from troth.shop.refusal import Refused


@require_safe
@open_to(*KEEPERS)
def listing(request: HttpRequest) -> HttpResponse:
    asked = request.GET.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and 0 < int(asked) < 10_000 else 1
    found, more = making.listed(number)
    context = {"coupons": found, "number": number, "more": more, "now": clock.now()}
    return page(request, "coupons.html", context)


@form_page
@open_to(*KEEPERS, fresh=True)
def new(request: HttpRequest) -> HttpResponse:
    """What a coupon takes off is money: so the second factor of just now."""
    form = CouponForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, _new = making.add(given["code"], _terms(form), tuple(given["products"]))
        except Refused as no:
            form.refuse(no)
        else:
            return page(request, "coupon_made.html", {"coupon": made})
    return page(request, "coupon_new.html", {"form": form}, 400 if request.method == "POST" else 200)


@require_POST
@open_to(*KEEPERS)
def end(request: HttpRequest) -> HttpResponse:
    """From now on it takes nothing off; orders that have it keep their price."""
    try:
        making.end(request.POST.get("code", ""))
    except Coupon.DoesNotExist:
        raise Refused(_("There is no such coupon.")) from None
    return See(reverse("desk_coupons"))


def _terms(form: CouponForm) -> making.Terms:
    given = form.cleaned_data
    return making.Terms(
        percent=given["percent"], minor=_minor(given["amount"], "amount"),
        least_minor=_minor(given["least"], "least") or 0,
        starts_at=_moment(given["starts"]), ends_at=_moment(given["ends"]), limit=given["limit"], once=given["once"],
        again=given["again"],
    )  # fmt: skip


def _minor(text: str, field: str) -> int | None:
    try:
        return Money.parse(text, settings.TROTH.shop.currency).minor if text else None
    except ValueError:
        raise Refused(_("Write an amount such as 9.50, with a point."), field) from None


def _moment(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
