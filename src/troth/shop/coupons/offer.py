"""What a coupon takes off the lines of a basket, today; or the sentence that says why it takes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from babel import dates, numbers
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from troth.pledge import clock
from troth.shop.coupons.models import Coupon
from troth.shop.money import Money
from troth.shop.tax.sums import spread

MOST = 40  # characters of a code


class Taken(msgspec.Struct, frozen=True):
    """`off`: minor units of the price on the shelf, of each line in its order. `fault`: why it is nothing, or ""."""

    code: str
    off: list[int]
    fault: str = ""


def normal(code: str) -> str:
    """A code as it is kept: what people type in small letters or with spaces is the same."""
    return "".join(one for one in code if one.isprintable() and not one.isspace()).upper()[:MOST]


def on(code: str, goods: Sequence[tuple[str, int]]) -> Taken:
    """`goods`: of each line its product and its price on the shelf. One query where there is a code, else none."""
    nothing = [0] * len(goods)
    if not code:
        return Taken("", nothing)
    coupon = Coupon.objects.filter(pk=code).prefetch_related("products").first()
    fault = _("There is no such coupon here; look at its letters and digits once more.")
    if coupon is not None:
        fault = _not_now(coupon)
    if coupon is None or fault:
        return Taken(code, nothing, fault)
    only = {product.pk for product in coupon.products.all()}
    prices = [price if not only or slug in only else 0 for slug, price in goods]
    fault = _not_for(coupon, sum(price for _slug, price in goods), sum(prices))
    return Taken(code, nothing if fault else spread(_amount(coupon, sum(prices)), prices), fault)


def _amount(coupon: Coupon, of: int) -> int:
    """In minor units, never more than it is taken from. Percents are rounded half up."""
    if coupon.percent is not None:
        return (2 * of * coupon.percent + 100) // 200
    return min(of, coupon.minor or 0)


def _not_now(coupon: Coupon) -> str:
    now = clock.now()
    if coupon.starts_at and now < coupon.starts_at:
        day = dates.format_date(coupon.starts_at, "long", locale=_locale())
        return _("This coupon is good from %(day)s; please come back then.") % {"day": day}
    if (coupon.ends_at and coupon.ends_at <= now) or coupon.currency != settings.TROTH.shop.currency:
        return _("This coupon has ended; take it out and order without it.")
    if coupon.limit is not None and coupon.used >= coupon.limit:
        return used_up()
    return ""


def _not_for(coupon: Coupon, whole: int, part: int) -> str:
    if whole < coupon.least_minor:
        least = Money(coupon.least_minor, coupon.currency)
        text = numbers.format_currency(least.decimal(), least.currency, locale=_locale())
        return _("This coupon is for baskets from %(sum)s on; add something, or take it out.") % {"sum": text}
    if part == 0:
        return _("This coupon is for none of the things in your basket; take it out, or choose another product.")
    return ""


def used_up() -> str:
    """Said before the order is written, and by the database where somebody was first."""
    return _("This coupon has been used as often as it is for; take it out and order without it.")


def _locale() -> str:
    return translation.to_locale(translation.get_language() or settings.LANGUAGE_CODE)
